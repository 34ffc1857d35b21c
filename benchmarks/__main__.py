"""`python -m benchmarks`: runs the benchmarks that are named, or all, and shows their figures."""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from multiprocessing import get_context

from benchmarks.machine import FIFO, Unavailable, describe, load_now
from benchmarks.report import Benchmark, Row, as_json, as_table

NAMES = (
    "virtual_time",
    "scenarios",
    "pacing",
    "question",
    "cost",
    "capacity",
    "latency",
    "local_latency",
    "capture",
    "abuse",
    "recognition",
    "answers",
    "reading",
    "endpointing",
    "silero_batch",
    "competing",
    "turn_taking",
    "soft_voices",
    "softer_callers",
    "own_echo",
    "pauses",
    "damage",
    "clean_calls",
    "report",
    "verdicts",
    "check",
    "judges",
    "neteq",
)
_MODULES = {"report": "report_pages"}
"""The module of a benchmark, where it has another name."""
_BY_NAME_ONLY = ("turn_taking", "own_echo", "softer_callers", "clean_calls", "verdicts", "check", "judges", "neteq")
"""Benchmarks that take hours, or another project's program: they are run where they are named."""
_EPILOG = """\
examples:
  python -m benchmarks
  python -m benchmarks virtual_time cost
  python -m benchmarks --quick --json pacing > pacing.json

Figures move with the machine: run it when nothing else does, and trust ratios more than times. benchmarks/README.md
says what each figure means. Exit code: 0, also where a target is missed; 3 where one could not be run.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="How fast: virtual time, whole scenarios, pacing, cost, capacity; how long a caller waits.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"{', '.join(NAMES)}; by default all but {', '.join(_BY_NAME_ONLY)}"
    )
    parser.add_argument("--quick", action="store_true", help="shorter and fewer runs, for a first look")
    parser.add_argument("--fifo", action="store_true", help="servers under real-time priority, for a busy machine")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout; the tables go to stderr")
    options = parser.parse_args(arguments)
    for name in options.names:
        if name not in NAMES:
            parser.error(f"no benchmark {name}: there are {', '.join(NAMES)}")
    if options.fifo:
        os.environ[FIFO] = "1"
    tables = sys.stderr if options.json else sys.stdout
    print(describe(), file=tables, flush=True)
    done = []
    for name in options.names or [name for name in NAMES if name not in _BY_NAME_ONLY]:
        done.append(_run(name, quick=options.quick))
        print(f"\n{as_table(done[-1])}", file=tables, flush=True)
    if options.json:
        print(as_json(describe(), done))
    return 3 if any(benchmark.left_out for benchmark in done) else 0


def _run(name: str, *, quick: bool) -> Benchmark:
    module = import_module(f"benchmarks.{_MODULES.get(name, name)}")
    before = load_now()
    rows: list[Row] = []
    left_out = ""
    try:
        # In a process of its own: a benchmark pins itself to a core, and starts with a fresh heap.
        with get_context("spawn").Pool(1) as pool:
            rows = pool.apply(module.run, (quick,))
    except Unavailable as error:
        left_out = str(error)
    return Benchmark(name, module.ABOUT, rows, before, load_now(), left_out)


if __name__ == "__main__":
    sys.exit(main())
