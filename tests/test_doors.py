"""The doors of the three packages: what may be imported from outside, that all of it is there and described, and that
opening a door, the plug-in or `--help` loads nothing heavy."""

import dataclasses
import importlib
import inspect
import json
import subprocess
import sys
import typing
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import audiosocket_server
import pytest

import audiosocket_core
import audiosocket_sim
from audiosocket_sim import api

ROOT = Path(__file__).resolve().parent.parent
DOORS = [audiosocket_core, audiosocket_server, audiosocket_sim]
CORE = ["errors", "messages", "connection", "transport", "pacing", "ticker", "slin"]
NOT_FOR_OTHERS = {
    "pack_header",  # of messages: half a message, for our own transport
    "CallFixture",  # what `on_entry` gets beside the entry; `run` says what it may use of it
}
HEAVY = {"numpy", "pydantic", "soxr", "httpx", "starlette", "uvicorn", "rich", "ruamel", "jinja2"}

sys.path.insert(0, str(ROOT / "docs"))
make_api: Any = importlib.import_module("make_api")
sys.path.remove(str(ROOT / "docs"))


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
def test_every_name_of_a_door_can_be_imported_and_is_listed_once_in_order(door: ModuleType) -> None:
    names = door.__all__
    assert len(set(names)) == len(names)
    assert names == sorted(names, key=lambda name: (not name.isupper(), not name[0].isupper(), name))
    for name in names:
        assert getattr(door, name) is not None
        assert name in dir(door)


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
def test_what_is_not_there_is_an_attribute_error(door: ModuleType) -> None:
    with pytest.raises(AttributeError, match=f"module '{door.__name__}' has no attribute 'no_such_name'"):
        door.no_such_name  # noqa: B018


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
def test_every_public_name_is_described_in_the_sources(door: ModuleType) -> None:
    """Classes, their public methods and properties, functions, and constants and aliases by the string after them."""
    bare = []
    for name in door.__all__:
        found = make_api.definition(door.__name__, name)
        bare += [] if found.text else [name]
        if inspect.isclass(getattr(door, name)):
            methods = [part for part in found.node.body if isinstance(part, make_api.ast.FunctionDef)]
            methods += [part for part in found.node.body if isinstance(part, make_api.ast.AsyncFunctionDef)]
            public = [part for part in methods if not part.name.startswith("_")]
            bare += [f"{name}.{part.name}" for part in public if not make_api.ast.get_docstring(part)]
    assert bare == []


def test_the_core_exports_all_that_its_modules_call_public() -> None:
    public = {name for part in CORE for name in importlib.import_module(f"audiosocket_core.{part}").__all__}
    assert set(audiosocket_core.__all__) == public - NOT_FOR_OTHERS


def test_the_door_of_the_simulator_is_its_api() -> None:
    assert audiosocket_sim.__all__ == api.__all__
    assert {name for name in vars(api) if not name.startswith(("_", "@"))} == set(api.__all__)


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
def test_what_a_public_signature_names_is_public_too(door: ModuleType) -> None:
    """Of functions, of the methods of classes, and of the fields of dataclasses."""
    public = {id(getattr(each, name)) for each in DOORS for name in each.__all__}
    missing = {
        part.__qualname__
        for name in door.__all__
        for hint in hints_of(getattr(door, name))
        for part in classes_in(hint)
        if part.__module__.startswith("audiosocket_") and id(part) not in public
    }
    assert missing - NOT_FOR_OTHERS == set()


def hints_of(thing: Any) -> Iterator[Any]:
    if inspect.isfunction(thing) or dataclasses.is_dataclass(thing):
        yield from typing.get_type_hints(thing).values()
    if inspect.isclass(thing) and not hasattr(thing, "model_fields"):
        for name, part in vars(thing).items():
            function = part.fget if isinstance(part, property) else part
            if not name.startswith("_") and inspect.isfunction(function):
                yield from typing.get_type_hints(function).values()


def classes_in(hint: Any) -> Iterator[type]:
    if isinstance(hint, list):
        for part in hint:
            yield from classes_in(part)
    if inspect.isclass(hint) and not typing.get_args(hint):
        yield hint
    for part in (typing.get_origin(hint), *typing.get_args(hint)):
        if part is not None:
            yield from classes_in(part)


@pytest.mark.every(5)
@pytest.mark.parametrize(
    "program",
    [
        "import audiosocket_core",
        "import audiosocket_server",
        "import audiosocket_sim",
        "from audiosocket_core import Connection, Role, Kind, Message, AudioSocketProtocol, Ticker",
        "import audiosocket_sim.pytest_plugin.plugin",
        "import audiosocket_sim.cli.main as cli\ntry: cli.main(['--help'])\nexcept SystemExit: pass",
        pytest.param(
            "import audiosocket_sim.cli.main as cli\ntry: cli.main(['run', '--help'])\nexcept SystemExit: pass",
            marks=pytest.mark.long("`--help` alone is tried"),
        ),
        pytest.param(
            "import pytest; pytest.main(['--help', '-p', 'audiosocket_sim.pytest_plugin.plugin'])",
            marks=pytest.mark.long("the plug-in is imported"),
        ),
    ],
)
def test_a_door_loads_nothing_heavy(program: str, tmp_path: Path) -> None:
    environment = {"PYTHONPATH": f"{ROOT}:{ROOT / 'server'}", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PATH": ""}
    say = f"{program}\nimport json, sys\nprint()\nprint(json.dumps(list(sys.modules)))"
    told = subprocess.run(
        [sys.executable, "-c", say], capture_output=True, text=True, check=True, cwd=tmp_path, env=environment
    )
    loaded = {name.partition(".")[0] for name in json.loads(told.stdout.splitlines()[-1])}
    assert HEAVY & loaded == set()


def test_types_ship() -> None:
    for door in DOORS:
        assert door.__file__ is not None
        assert (Path(door.__file__).parent / "py.typed").is_file()


def test_the_page_is_what_the_docstrings_make() -> None:
    """`make docs` writes it anew."""
    assert make_api.PAGE.read_text(encoding="utf-8") == make_api.page()


def test_the_page_names_every_public_name() -> None:
    page = make_api.page()
    for door in DOORS:
        for name in door.__all__:
            assert f"### {name}\n" in page or f"### class {name}\n" in page or f"### class {name}(" in page, name
