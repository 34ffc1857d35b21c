"""`run --watch`: after each saved file, runs again the scenarios that it concerns, until Ctrl-C.

Each round is a child process, into which the bot's modules are imported anew. What is watched: the scenarios with their
parts and sounds, the modules of a bot that runs in this process, and the files that the command of a target names. The
files are looked at a few times a second: this needs no library, and works on every disk.
"""

import multiprocessing
import os
import shlex
import signal
import sys
import sysconfig
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from pathlib import Path

from audiosocket_sim.cli.chosen_scenarios import choose_scenarios
from audiosocket_sim.cli.console import INCONCLUSIVE, SET_UP, USAGE, refuse, sigterm_interrupts, trouble
from audiosocket_sim.cli.run import RunRequest, run_command
from audiosocket_sim.parties.target import CommandTarget, InProcessTarget, TargetError, parse_target
from audiosocket_sim.parties.target_choice import choose_target
from audiosocket_sim.scenario.loading import ScenarioError, load_all
from audiosocket_sim.scenario.loading.part_files import DEFAULTS
from audiosocket_sim.scenario.loading.used_files import used_files
from audiosocket_sim.scenario_files import TooManyFilesError, scenarios_below

__all__ = ["Round", "forked_round", "watch_command"]

_LOOK_SECONDS = 0.3
_OURS = ("audiosocket_core", "audiosocket_sim")
_INSTALLED = ("site-packages", "dist-packages")
_MOST_SHOWN = 3
_ENDING = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True, slots=True)
class Round:
    """One round. `codes`: the exit code of each scenario that was run, by its file. `code`: that of the whole round.

    `modules`: the files of the modules that the bot has imported, without installed ones.
    """

    code: int
    codes: Mapping[Path, int] = field(default_factory=dict)
    modules: frozenset[Path] = frozenset()
    interrupted: bool = False


RunRound = Callable[[RunRequest], Round]
Stamp = tuple[int, int, int] | None


def watch_command(asked: RunRequest, run_round: RunRound | None = None, pause: Callable[[], None] | None = None) -> int:
    """Run all scenarios, then those that a change concerns, until Ctrl-C.

    Returns the highest of the exit codes that each scenario had in its last round; 4 if Ctrl-C interrupts a call, and 2
    at once if a name names no scenario. `pause` waits until it is time to look again.
    """
    run_round, pause = run_round or forked_round, pause or _pause
    try:
        watch = _Watch(asked)
    except LookupError as error:
        return refuse(str(error.args[0]), USAGE)
    with sigterm_interrupts():
        try:
            due = list(watch.names)
            while True:
                names = [watch.names[file] for file in due]
                made = run_round(replace(asked, names=names, is_part=len(names) < len(watch.names)))
                if made.interrupted:
                    return INCONCLUSIVE
                watch.take(due, made)
                trouble(f"\nwatching {watch.n_files} files; Ctrl-C ends")
                due = watch.next_due(pause)
        except KeyboardInterrupt:
            trouble("")
            return watch.code


def _pause() -> None:
    threading.Event().wait(_LOOK_SECONDS)


class _Watch:
    """The scenarios that are watched, by their files, and what concerns them. Raises LookupError.

    `names`: for each file, its name as `run` takes it. `code`: the highest of the scenarios' last exit codes, and of
    the last round, which may have limits over all its calls.
    """

    def __init__(self, asked: RunRequest) -> None:
        self._asked = asked
        self._codes: dict[Path, int] = {}
        self._last_code = INCONCLUSIVE
        self._modules: set[Path] = set()
        self._stamps: dict[Path, Stamp] = {}
        self._concerns: dict[Path, set[Path]] = {}
        self.names = self._chosen()
        self._look_up()

    @property
    def code(self) -> int:
        return max([self._last_code, *self._codes.values()])

    @property
    def n_files(self) -> int:
        return sum(path.is_file() for path in self._concerns)

    def take(self, due: Iterable[Path], made: Round) -> None:
        """Note the result of a round in which the scenarios `due` were run, and what is to be watched from now on."""
        self._last_code = made.code
        self._codes |= {file: made.codes.get(file, made.code) for file in due}
        self._modules |= made.modules
        self._look_up()

    def next_due(self, pause: Callable[[], None]) -> list[Path]:
        """Wait for a change, and until nothing changes any more. Returns the scenarios that it concerns, in order."""
        while True:
            changed = self._changed()
            while changed:
                pause()
                more = self._changed()
                if not more:
                    break
                changed |= more
            if due := self._concerned(changed):
                trouble(f"\nchanged: {_some(path for path in sorted(changed) if not path.is_dir())}")
                return due
            pause()

    def _concerned(self, changed: set[Path]) -> list[Path]:
        """Return the scenarios that changed files concern, and those that are new in a folder."""
        if not changed:
            return []
        due = {file for path in changed for file in self._concerns.get(path, ())}
        before = set(self.names)
        self._choose_again()
        return [file for file in self.names if file in due or file not in before]

    def _chosen(self) -> dict[Path, str]:
        names: dict[Path, str] = {}
        for name in self._asked.names:
            chosen = choose_scenarios(name)
            for file in chosen.files:
                names[file.resolve()] = f"{file}[{chosen.cell}]" if chosen.cell else str(file)
        return names

    def _choose_again(self) -> None:
        """Take new scenarios of a folder, and leave out those that are gone."""
        try:
            self.names = self._chosen()
        except LookupError:
            self.names = {file: name for file, name in self.names.items() if file.exists()} or self.names
        self._codes = {file: code for file, code in self._codes.items() if file in self.names}
        self._look_up()

    def _look_up(self) -> None:
        """Find out which files concern which scenarios. A file that is new here counts as unchanged."""
        self._concerns = {}
        for file in self.names:
            for path in self._files(file):
                self._concerns.setdefault(path, set()).add(file)
        for path in self._modules:
            self._concerns.setdefault(path, set()).update(self.names)
        for name in self._asked.names:
            if os.path.isdir(name):
                for folder in {Path(name).resolve(), *(file.parent for file in self.names)}:
                    self._concerns.setdefault(folder, set())
        for path in self._concerns:
            self._stamps.setdefault(path, _stamp(path))

    def _files(self, file: Path) -> Iterator[Path]:
        yield from (file, file.parent / DEFAULTS)
        try:
            for scenario in load_all(file, self._asked.overrides):
                yield from used_files(scenario)
        except ScenarioError:  # what it would include is not known
            yield from _yaml_files(file.parent)
        yield from self._target_files(file.parent)

    def _target_files(self, folder: Path) -> Iterator[Path]:
        try:
            choice = choose_target(folder, command_line=self._asked.target)
            target = parse_target(choice.text, self._asked.control_url, choice.folder)
        except TargetError:
            return
        places = [Path.cwd(), *([] if choice.folder is None else [choice.folder])]
        if isinstance(target, InProcessTarget):  # also if it cannot be imported, and so is no module
            path = Path(*target.module.split("."))
            meant = [path.with_suffix(".py"), path / "__init__.py"]
        elif isinstance(target, CommandTarget):
            meant = [Path(word) for word in shlex.split(choice.text.partition(":")[2])]
        else:
            return
        yield from {found.resolve() for place in places for one in meant if (found := place / one).is_file()}

    def _changed(self) -> set[Path]:
        """Return the watched files whose stamp is another one than when it was last looked at."""
        found = {path for path, stamp in self._stamps.items() if path in self._concerns and _stamp(path) != stamp}
        self._stamps |= {path: _stamp(path) for path in found}
        return found


def _some(paths: Iterable[Path]) -> str:
    names = [os.path.relpath(path) for path in paths]
    more = f" and {len(names) - _MOST_SHOWN} more" if len(names) > _MOST_SHOWN else ""
    return ", ".join(names[:_MOST_SHOWN]) + more


def _yaml_files(folder: Path) -> Iterator[Path]:
    """Yield the YAML files below a folder, and the folders in which they are."""
    try:
        found = scenarios_below(folder)
    except (OSError, TooManyFilesError):
        return
    files = [path.resolve() for path in (*found.scenarios, *found.passed_over)]
    yield from {folder, *files, *(file.parent for file in files)}  # a folder changes when a file comes


def _stamp(path: Path) -> Stamp:
    """Return what changes when a file is saved; None if it is not there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


# --- a round ------------------------------------------------------------------------------------------------------


def forked_round(asked: RunRequest) -> Round:
    """Run the scenarios in a child process. Ctrl-C ends its call, and waits until the call's files are written."""
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()  # or the child would write it once more
    child = context.Process(target=_run_in_child, args=(sender, asked))
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)  # so that no child is left behind
    child.start()
    sender.close()
    made, interrupted = Round(SET_UP), False
    while True:
        try:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
            made = receiver.recv()
        except KeyboardInterrupt:
            interrupted = True
            if child.pid is not None and child.is_alive():
                os.kill(child.pid, signal.SIGINT)
            continue
        except EOFError:  # the bot has ended the process
            pass
        break
    child.join()
    receiver.close()
    return replace(made, interrupted=interrupted)


def _run_in_child(sender: Connection, asked: RunRequest) -> None:
    os.setpgrp()  # the terminal's Ctrl-C goes to the parent, which passes it on once
    before = set(sys.modules)
    codes: dict[Path, int] = {}

    def note(file: Path, code: int) -> None:
        codes[file] = max(code, codes.get(file, code))

    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
        code = run_command(replace(asked, on_outcome=note))
    except KeyboardInterrupt:  # before the first call, or between two
        code = INCONCLUSIVE
    sender.send(Round(code, codes, frozenset(_modules_since(before))))
    sender.close()


def _modules_since(before: set[str]) -> Iterator[Path]:
    """Yield the source files of the modules that were imported since, without installed ones and the simulator's."""
    library = Path(sysconfig.get_path("stdlib"))
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if name in before or name.partition(".")[0] in _OURS or not isinstance(file, str) or not file.endswith(".py"):
            continue
        path = Path(file).resolve()
        if not path.is_relative_to(library) and not any(part in _INSTALLED for part in path.parts):
            yield path
