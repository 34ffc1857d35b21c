"""What a benchmark hands back, and how it is shown: a table for people, JSON for programs."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

__all__ = ["Benchmark", "Row", "as_json", "as_table"]


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. `target` and `met` are those of the project's goals, where there is one."""

    name: str
    value: float
    unit: str
    note: str = ""
    target: str = ""
    met: bool | None = None


@dataclass(frozen=True, slots=True)
class Benchmark:
    """The figures of one benchmark, with the load of the machine (running processes, a minute's mean) around it."""

    name: str
    about: str
    rows: Sequence[Row]
    load_before: float
    load_after: float
    left_out: str = ""
    """Why it was not run, where it was not."""


def as_table(benchmark: Benchmark) -> str:
    lines = [f"{benchmark.name}: {benchmark.about}"]
    if benchmark.left_out:
        return "\n".join([*lines, f"  left out: {benchmark.left_out}"])
    lines[0] += f"  (load {benchmark.load_before:.1f} → {benchmark.load_after:.1f})"
    cells = [(row.name, _number(row.value), row.unit, _verdict(row), row.note) for row in benchmark.rows]
    widths = [max(len(cell[column]) for cell in cells) for column in range(4)]
    for name, value, unit, verdict, note in cells:
        line = f"  {name:<{widths[0]}}  {value:>{widths[1]}} {unit:<{widths[2]}}  {verdict:<{widths[3]}}  {note}"
        lines.append(line.rstrip())
    return "\n".join(lines)


def as_json(machine: str, benchmarks: Sequence[Benchmark]) -> str:
    return json.dumps({"machine": machine, "benchmarks": [asdict(b) for b in benchmarks]}, ensure_ascii=False, indent=2)


def _number(value: float) -> str:
    if value and abs(value) < 10:
        return f"{value:.2f}"
    return f"{value:.1f}" if abs(value) < 100 else f"{value:,.0f}"


def _verdict(row: Row) -> str:
    if row.met is None:
        return row.target
    return f"{row.target} {'ok' if row.met else 'MISSED'}"
