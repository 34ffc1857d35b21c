"""Makes docs/zoo.md, the zoo's bots and what is said of each. `test_zoo` holds the page to it, a row at a time.

`make zoo` calls every bot (two minutes); `make zoo KINDS="BytesSwapped Clipped"` those of some kinds.
"""

import re
import sys
from collections import Counter
from pathlib import Path

from zoo.keeper import Cause, call, causes, setup_of
from zoo.kinds import KINDS, NOT_YET, Animal, Kind, animals

__all__ = ["PAGE", "key", "page", "row", "rows_of"]

PAGE = Path(__file__).resolve().parents[2] / "docs" / "zoo.md"
_HEAD = """\
# The zoo: bad bots, and what is said of them

`tests/zoo` has {kinds} kinds of bad bots, three of each: another size of the fault, another place, another voice. All
are one small bot with one fault; without the fault the same bot passes the same call. Each has to fail, the first cause
has to be the one that is meant, and no cause may be false. Faults of the sound and of the wire are found by calls that
ask for nothing but turns and `bot_speaks` (`tests/zoo/calls/plain.yaml`), faults of behaviour by a call that asks for
it. A voice is in the phrase book (doorman, receptionist) or not (stranger, foreigner, synthetic).

Made by `make zoo` from the calls themselves; do not edit. Tests hold each row to its call.
"""
_MATRIX = """
## Kinds and causes

How many of the three bots fail for which cause: the defects of `quality` by their kind
([scenarios.md](scenarios.md#quality)), and the steps of the call. Bold is the first cause of a call; others are true.
"""
_ROWS = """
## Bot by bot

The size is in the fault's own unit (`tests/zoo/faults.py`). *Says* is the line of the first failure (one of its first
three) that tells the cause. For a bot that runs as a program of its own, in Python or Node, the measured times differ
from run to run, so that only the first cause stands here.

| kind | bot | call | cause | says |
|---|---|---|---|---|
"""
_NOT_FOUND = "not found yet"


def key(kind: Kind, animal: Animal) -> str:
    return f"{kind.name}, {animal}"


def row(kind: Kind, animal: Animal, found: tuple[Cause, ...]) -> str:
    """The row of one bot: what its call's failures said."""
    if key(kind, animal) in NOT_YET:
        cause, says = _NOT_FOUND, ""
    else:
        others = [one.kind for one in found[1:] if one.kind != found[0].kind] if animal.runs == "here" else []
        cause = ", ".join([f"**{found[0].kind}**", *dict.fromkeys(others)])
        telling = next((line for line in found[0].told_first if re.search(kind.cause, line)), "") if found else ""
        says = telling.replace("|", "\\|") if animal.runs == "here" else ""
    return f"| {kind.name} | {animal} | {kind.call} | {cause} | {says} |"


def rows_of(text: str) -> list[str]:
    """The rows of the bots, as a page has them."""
    return [line for line in text.partition("## Bot by bot")[2].splitlines() if line.startswith("| ")][1:]


def page(rows: list[str]) -> str:
    """The whole page, from the rows of its bots."""
    by_kind = {kind.name: [line for line in rows if line.startswith(f"| {kind.name} |")] for kind in KINDS}
    every = dict.fromkeys(name for lines in by_kind.values() for line in lines for name, _ in _named(line))
    columns = [name for name in every if name != _NOT_FOUND]
    head = ["kind", "what is wrong", *columns, *([_NOT_FOUND] if NOT_YET else [])]
    matrix = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for kind in KINDS:
        counts = Counter(name for line in by_kind[kind.name] for name, _ in _named(line))
        firsts = {name for line in by_kind[kind.name] for name, first in _named(line) if first}
        cells = [f"**{counts[name]}**" if name in firsts else str(counts[name] or "") for name in head[2:]]
        matrix.append(f"| {kind.name} | {kind.wrong} | {' | '.join(cells)} |")
    return _HEAD.format(kinds=len(KINDS)) + _MATRIX + "\n" + "\n".join(matrix) + "\n" + _ROWS + "\n".join(rows) + "\n"


def _named(line: str) -> list[tuple[str, bool]]:
    """The causes of a row, each with whether it is the first."""
    names = re.split(r", ", line.split(" | ")[3])
    return [(name.strip("*"), name.startswith("**")) for name in names]


def main(names: list[str]) -> int:
    """Call the bots of these kinds (`BytesSwapped`), of all if none is named, and those that the page has not."""
    old = {tuple(line[2:].split(" | ")[:2]): line for line in rows_of(PAGE.read_text(encoding="utf-8"))}
    rows = []
    for kind, animal in animals():
        line = old.get((kind.name, str(animal)))
        if line is None or not names or kind.fault in names:
            line = row(kind, animal, causes(call(kind.call, setup_of(kind, animal), animal.runs)))
        rows.append(line)
    PAGE.write_text(page(rows), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
