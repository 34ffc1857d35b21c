"""Runs the tests against one mutant at a time, each in a forked process that has the libraries loaded already.

No file is changed: an import hook gives the forked process the mutant in place of the module.
"""

import ast
import os
import random
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from pathlib import Path
from types import ModuleType
from typing import Any

from benchmarks.mutants.changes import Mutant, mutated
from benchmarks.mutants.rooms import Room

__all__ = ["Trial", "try_all"]

_FORK = get_context("fork")
_OUTCOMES = {0: "survived", 1: "noticed", 2: "broken", 4: "broken"}
"""By pytest's exit code; 2: a test file cannot be imported. All else (a timeout, a crash) was noticed as well."""
_PLUGINS = (
    "pytest_asyncio.plugin",
    "pytest_timeout",
    "_hypothesis_pytestplugin",
    "audiosocket_sim.pytest_plugin.plugin",
)
"""The pytest plug-ins that these tests need; loading all that are installed takes longer than most of the tests."""
_LIBRARIES = ("numpy", "pydantic", "hypothesis.stateful", "httpx", "ruamel.yaml", "soxr", "uvicorn", "rich", "pytest")
"""Loaded once, before the forks; so is what the changed modules import from other packages of the project."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A mutant of a room's module; `source` is that of the module when the mutant was made."""

    room: Room
    source: str
    mutant: Mutant


def try_all(root: Path, trials: Sequence[Trial], jobs: int, seconds: float) -> Iterator[tuple[Trial, str]]:
    """Yield each trial with `noticed`, `survived` or `broken`, as they end.

    A mutant whose tests take longer than `seconds` was noticed. Raises ValueError if the tests fail without a mutant.
    """
    sys.path[:0] = [str(root), str(root / "server"), str(root / "tests")]
    for name in (
        *_LIBRARIES,
        *_PLUGINS,
        *dict.fromkeys(name for trial in trials for name in _beneath(root, trial.room)),
    ):
        import_module(name)
    for trial in trials:
        if trial.room.name in sys.modules:
            raise ValueError(f"{trial.room.name} is loaded already: a module beneath another one imports it")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = folder
        for tests in dict.fromkeys(trial.room.tests for trial in trials):
            if _wait_for(_started(root, tests, None), None) != "survived":
                raise ValueError(f"{' '.join(tests)}: these tests fail without any change")
        left = list(reversed(trials))
        running: dict[Connection, tuple[Trial, Any]] = {}
        try:
            while left or running:
                while left and len(running) < jobs:
                    trial = left.pop()
                    process, done = _started(root, trial.room.tests, trial)
                    running[done] = (trial, (process, done))
                ended = wait(list(running), timeout=seconds) or list(running)[:1]
                for pipe in ended:
                    assert isinstance(pipe, Connection)
                    trial, started = running.pop(pipe)
                    yield trial, _wait_for(started, seconds)
        finally:
            for _, started in running.values():
                _wait_for(started, 0.0)


def _beneath(root: Path, room: Room) -> Iterator[str]:
    """Yield what the module imports from other packages of the project; these do not import the module."""
    package = room.name.rpartition(".")[0]
    for node in ast.parse((root / room.module).read_text(encoding="utf-8")).body:
        name = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
        if name.startswith("audiosocket_") and not name.startswith(f"{package}."):
            yield name.removesuffix(".")


def _started(root: Path, tests: Sequence[str], trial: Trial | None) -> tuple[Any, Connection]:
    mine, theirs = _FORK.Pipe(duplex=False)
    process = _FORK.Process(target=_child, args=(theirs, root, tests, trial))
    process.start()
    theirs.close()
    return process, mine


def _wait_for(started: tuple[Any, Connection], seconds: float | None) -> str:
    process, done = started
    if not done.poll(seconds):
        os.killpg(process.pid, signal.SIGKILL)
    process.join()
    done.close()
    return _OUTCOMES.get(process.exitcode, "noticed")


def _child(done: Connection, root: Path, tests: Sequence[str], trial: Trial | None) -> None:
    """Run the tests with the mutant in its module's place. The pipe closes when the process ends."""
    os.setpgid(0, 0)
    os.chdir(root)
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    random.seed(0)
    sys.dont_write_bytecode = True
    if trial is not None:
        sys.meta_path.insert(0, _Finder(trial))
        try:  # before pytest comes with a hook of its own
            import_module(trial.room.name)
        except BaseException:  # noqa: BLE001  whatever a changed module may raise
            os._exit(2)
    import pytest

    loaded = "ignore:Module already imported so cannot be rewritten"
    options = [option for name in _PLUGINS for option in ("-p", name)]
    options += ["-x", "-q", "-p", "no:cacheprovider", "--hypothesis-seed=0", "-W", loaded]
    options += ["-m", "not extra and not asterisk and not browser and not mic and not real_time"]
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    os.environ["AUDIOSOCKET_SIM_NO_SKIPS"] = "1"  # the long tests too: `make test` leaves many cells of a table out
    os._exit(int(pytest.main([*options, *tests])))


class _Finder(MetaPathFinder, Loader):
    """Gives the mutant in place of the module, and no other."""

    def __init__(self, trial: Trial) -> None:
        self._trial = trial

    def find_spec(self, fullname: str, path: object, target: object = None) -> ModuleSpec | None:
        if fullname != self._trial.room.name:
            return None
        return ModuleSpec(fullname, self, origin=self._trial.room.module)

    def create_module(self, spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        file = str(Path(self._trial.room.module).resolve())
        module.__file__ = file
        exec(compile(mutated(self._trial.source, self._trial.mutant), file, "exec"), module.__dict__)
