"""One meaning a name: no two public classes or type aliases of the whole house share one."""

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("audiosocket_core", "server", "audiosocket_sim")


TYPE_NAME = re.compile(r"^(?:class (?=\w+[(:])|(?=[A-Z]\w*[a-z]\w* = ))(\w+)", re.MULTILINE)
"""Classes, and aliases written as `Name = Literal[...]` and the like: capitalised, not a constant. To parse the sources
would take a second."""


def type_names(source: str) -> Iterator[str]:
    yield from (name for name in TYPE_NAME.findall(source) if not name.startswith("_"))


def test_each_public_type_name_has_one_meaning() -> None:
    places = defaultdict(list)
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            for name in type_names(path.read_text(encoding="utf-8")):
                places[name].append(str(path.relative_to(ROOT)))
    assert {name: found for name, found in places.items() if len(found) > 1} == {}
