"""`python -m benchmarks.mutants`: which small changes of the judges does no test notice?"""

import argparse
import json
import random
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from benchmarks.mutants.changes import Mutant, mutants
from benchmarks.mutants.rooms import ROOMS, harmless
from benchmarks.mutants.trial import Trial, try_all

_ROOT = Path(__file__).parents[2]
_EPILOG = """\
examples:
  python -m benchmarks.mutants                              all of the judges; an hour or two
  python -m benchmarks.mutants --sample 40 --seed 8         forty of each module, drawn by chance, the same each time
  python -m benchmarks.mutants checks/never.py agreement    all mutants of the modules whose path has one of these
  python -m benchmarks.mutants --list checks/words.py       show the mutants, run nothing

A mutant that no test notices is shown, unless harmless.toml beside this program says why it does no harm.
Exit code: 0 if every mutant was noticed or is harmless, 1 if one was not, 2 for a wrong argument.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the mutants that the arguments select and print the survivors. Returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.mutants",
        description="Change the judges' code in one small place at a time and run the tests that mirror the module.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("modules", nargs="*", metavar="MODULE", help="parts of paths; or all of the judges")
    parser.add_argument("--sample", type=int, metavar="N", help="at most so many of each module, drawn by chance")
    parser.add_argument("--seed", type=int, default=8, help="of the chance (default 8)")
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time (default 2)")
    parser.add_argument("--seconds", type=float, default=60.0, help="longest run of one mutant (default 60)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write each mutant and its verdict, a line each")
    parser.add_argument("--again", type=Path, metavar="FILE", help="only what survived in a run with --json FILE")
    parser.add_argument("--list", action="store_true", help="show the mutants, run nothing")
    options = parser.parse_args(arguments)
    rooms = [room for room in ROOMS if not options.modules or any(part in room.module for part in options.modules)]
    if not rooms:
        parser.error(f"no module with {' or '.join(options.modules)} in its path: {', '.join(r.module for r in ROOMS)}")
    survivors = set() if options.again is None else _survivors(options.again)
    trials = []
    for room in rooms:
        source = (_ROOT / room.module).read_text(encoding="utf-8")
        found = list(mutants(source))
        if options.again is not None:
            found = [mutant for mutant in found if _key(room.module, mutant) in survivors]
        if options.sample is not None and len(found) > options.sample:
            drawn = random.Random(f"{options.seed} {room.module}").sample(range(len(found)), options.sample)
            found = [found[index] for index in sorted(drawn)]
        trials += [Trial(room, source, mutant) for mutant in found]
    if options.list:
        for trial in trials:
            print(_line(trial.room.module, trial.mutant))
        return 0
    return _run(trials, options.jobs, options.seconds, options.json)


def _key(module: str, mutant: Mutant) -> tuple[str, str, str, str]:
    return module, mutant.within, mutant.before, mutant.after


def _survivors(file: Path) -> set[tuple[str, str, str, str]]:
    found = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return {(m["module"], m["within"], m["before"], m["after"]) for m in found if m["verdict"] == "survived"}


def _run(trials: Sequence[Trial], jobs: int, seconds: float, file: Path | None) -> int:
    counts: dict[str, Counter[str]] = {}
    lines = []
    missed = 0
    for done, (trial, outcome) in enumerate(try_all(_ROOT, trials, jobs, seconds), 1):
        module, mutant = trial.room.module, trial.mutant
        reason = harmless(module, mutant) if outcome == "survived" else None
        verdict = outcome if reason is None else "harmless"
        counts.setdefault(module, Counter())[verdict] += 1
        lines.append(
            {"module": module, "line": mutant.line, "within": mutant.within, "before": mutant.before}
            | {"after": mutant.after, "verdict": verdict, "reason": reason}
        )
        if verdict == "survived":
            missed += 1
            print(_line(module, mutant), flush=True)
        if done % 50 == 0:
            print(f"{done} of {len(trials)}", file=sys.stderr, flush=True)
    if file is not None:
        file.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    names = ("noticed", "survived", "harmless", "broken")
    print(f"{'module':58} {'mutants':>8} " + " ".join(f"{name:>9}" for name in names))
    for module, count in sorted(counts.items()):
        print(f"{module:58} {count.total():8} " + " ".join(f"{count[name]:9}" for name in names))
    print("broken: the changed module cannot even be imported; such a mutant says nothing of the tests.")
    return 1 if missed else 0


def _line(module: str, mutant: Mutant) -> str:
    return f"{module}:{mutant.line} {mutant.within or 'module'}: {mutant.before}  ->  {mutant.after}"


if __name__ == "__main__":
    sys.exit(main())
