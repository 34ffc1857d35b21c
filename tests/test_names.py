"""One meaning a name: no two public classes or type aliases of the whole house share one."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("audiosocket_core", "server", "audiosocket_sim")


def type_names(tree: ast.Module) -> Iterator[str]:
    """Public classes, and aliases written as `Name = Literal[...]` and the like: capitalised, not a constant."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign):
            names = [target.id for target in node.targets if isinstance(target, ast.Name)]
            yield from (name for name in names if name[0].isupper() and not name.isupper())


def test_each_public_type_name_has_one_meaning() -> None:
    places = defaultdict(list)
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            for name in type_names(ast.parse(path.read_text(encoding="utf-8"))):
                if not name.startswith("_"):
                    places[name].append(str(path.relative_to(ROOT)))
    assert {name: found for name, found in places.items() if len(found) > 1} == {}
