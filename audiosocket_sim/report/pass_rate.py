"""How often a scenario passed that was run several times: the rate, what it is worth, and the causes of failures. Pure.

The interval is Wilson's for 95 %: in it lies the bot's true rate of passed calls, in 19 of 20 such experiments. It is
also right for few runs, and for runs that all passed.
"""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

__all__ = ["RunRow", "pass_rate", "rate_lines", "wilson_interval"]

_Z = 1.959964
"""The quantile of the normal distribution for an interval of 95 %."""
_MOST_RUNS_NAMED = 10
_NUMBER = re.compile(r"\d+(\.\d+)?")


@dataclass(frozen=True, slots=True)
class RunRow:
    """One of several runs of a scenario. `number`: from 1. `outcome`: as in a table's row, `passed` or another word.

    `seeds`: such as `line.seed=3`. `cause`: why it did not pass, in one line; "" if it passed.
    """

    number: int
    outcome: str
    seeds: str
    cause: str = ""

    @property
    def has_verdict(self) -> bool:
        """Whether the run says something about the bot."""
        return self.outcome in ("passed", "failed")


def wilson_interval(passed: int, runs: int) -> tuple[float, float]:
    """Return the lower and the upper end, 0 to 1, of the 95 % interval for a rate of `passed` in `runs`, at least 1."""
    rate, weight = passed / runs, _Z * _Z / runs
    middle = (rate + weight / 2) / (1 + weight)
    half = _Z / (1 + weight) * math.sqrt(rate * (1 - rate) / runs + weight / (4 * runs))
    return (middle - half if passed else 0.0), (middle + half if passed < runs else 1.0)


def pass_rate(rows: Sequence[RunRow]) -> str:
    """Return such as `17 of 19 passed (89 %, 95 % interval 69 to 97 %), 1 inconclusive`."""
    judged = [row for row in rows if row.has_verdict]
    passed = sum(row.outcome == "passed" for row in judged)
    parts = []
    if judged:
        low, high = wilson_interval(passed, len(judged))
        shown = f"{_percent(passed / len(judged))} %, 95 % interval {_percent(low)} to {_percent(high)} %"
        parts.append(f"{passed} of {len(judged)} passed ({shown})")
    others = dict.fromkeys(row.outcome for row in rows if not row.has_verdict)
    parts += [f"{sum(row.outcome == word for row in rows)} {word}" for word in others]
    return ", ".join(parts)


def _percent(rate: float) -> str:
    """Return the rate in whole percent; 0 and 100 only for a rate that is no other."""
    whole = round(100 * rate)
    if rate < 1 and whole == 100:
        return "99"
    return "1" if rate > 0 and whole == 0 else str(whole)


def rate_lines(name: str, rows: Sequence[RunRow]) -> Iterator[str]:
    """Yield the rate of one scenario, then a line for each cause of what did not pass, the most frequent one first.

    Causes that differ only in numbers, such as times, are one cause; the first run's words stand for it.
    """
    yield f"{name}: {pass_rate(rows)}"
    groups: dict[tuple[str, str], list[RunRow]] = {}
    for row in rows:
        if row.outcome != "passed":
            groups.setdefault((row.outcome, _NUMBER.sub("#", row.cause)), []).append(row)
    for found in sorted(groups.values(), key=lambda group: -len(group)):
        yield f"  {len(found)} × {found[0].outcome}: {found[0].cause}"
        named = ", ".join(f"{row.number} ({row.seeds})" for row in found[:_MOST_RUNS_NAMED])
        more = f" and {len(found) - _MOST_RUNS_NAMED} more" if len(found) > _MOST_RUNS_NAMED else ""
        yield f"      in run{'s' if len(found) > 1 else ''} {named}{more}"
