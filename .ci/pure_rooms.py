"""After `coverage combine`: the lines and branches of each pure room; exit code 1 if one of its lines was not run.

Pure rooms (PURE in tests/test_arrows.py) import no loop, no socket and no clock. Their arguments alone decide what they
do, so a test can reach each of their lines. Branches are reported, if they were noted.
"""

import runpy
import sys
from pathlib import Path

import coverage

ROOT = Path(__file__).resolve().parent.parent


def files_of(room: str, arrows: dict[str, object]) -> list[Path]:
    """The files of a room, or the one file that PURE names."""
    modules, short = arrows["modules"](), arrows["short"]  # type: ignore[operator]
    return [path for name, path in modules.items() if f"{short(name)}.".startswith(f"{room}.")]  # type: ignore[operator]


def main() -> int:
    data = coverage.Coverage(config_file=str(ROOT / "pyproject.toml"))
    data.load()
    arrows = runpy.run_path(str(ROOT / "tests" / "test_arrows.py"))
    not_run = []
    noted = data.get_data().has_arcs()
    print(f"\n{'pure room':<42} {'lines':>6} {'not run':>8} {'branches':>9} {'not taken':>10}")
    for room in arrows["PURE"]:
        lines = missed = exits = taken = 0
        for path in files_of(room, arrows):
            _, statements, _, missing, where = data.analysis2(str(path))
            branches = data.branch_stats(str(path)).values() if noted else ()
            lines, missed = lines + len(statements), missed + len(missing)
            exits, taken = exits + sum(b[0] for b in branches), taken + sum(b[1] for b in branches)
            if missing:
                not_run.append(f"{path.relative_to(ROOT)}: {where}")
        print(f"{room:<42} {lines:>6} {missed:>8} {exits:>9} {exits - taken:>10}")
    if not_run:
        print("\nEvery line of a pure room must be run by a test. Not run:", *not_run, sep="\n  ")
    return 1 if not_run else 0


if __name__ == "__main__":
    sys.exit(main())
