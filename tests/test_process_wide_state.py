"""State of the whole process is changed in `__main__` files: a library function may run in somebody else's process.

Reads the sources, runs nothing. The exceptions are named below, each with its reason.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = [ROOT / "audiosocket_core", ROOT / "audiosocket_sim", ROOT / "server" / "audiosocket_server"]
EXCEPTIONS = {
    "gc": {"audiosocket_sim/virtual_time/bot_dates.py": "asks it for the dictionary of a class, puts back its entries"},
    "signal.signal": {
        "audiosocket_core/stop_signals.py": "puts back what was there",
        "audiosocket_sim/cli/console.py": "puts back what was there",
        "audiosocket_sim/live/capture/call_writer.py": "in a process of its own",
        "audiosocket_sim/parties/keeper.py": "is a program, in a process of its own",
    },
    "sys.setswitchinterval": {"audiosocket_sim/cli/capture.py": "puts back what was there"},
    "sys.path": {"audiosocket_sim/import_string.py": "the modules that a user names stand in the working folder"},
    "os.chdir": {},
    "os.umask": {},
    "resource.setrlimit": {"audiosocket_sim/parties/keeper.py": "is a program, in a process of its own"},
}
"""What is meant, and who else may touch it: file and why."""


@cache
def sources() -> dict[str, frozenset[str]]:
    """What each file touches, but for the `__main__` files."""
    paths = [path for folder in FOLDERS for path in folder.rglob("*.py") if path.name != "__main__.py"]
    return {str(path.relative_to(ROOT)): frozenset(touched(path)) for path in paths}


def touched(path: Path) -> Iterator[str]:
    """The names of `EXCEPTIONS` that the code of `path` uses: an import of a module, or an attribute of one."""
    text = path.read_text(encoding="utf-8")
    if not any(all(part in text for part in name.split(".")) for name in EXCEPTIONS):  # to parse all takes a second
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield f"{node.value.id}.{node.attr}"


@pytest.mark.every(2)
@pytest.mark.parametrize("name", EXCEPTIONS)
def test_only_main_files_touch_it(name: str) -> None:
    assert {path for path, names in sources().items() if name in names} == set(EXCEPTIONS[name])
