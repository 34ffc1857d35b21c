"""Loads YAML as a `Scenario`, or raises errors to act on: file:line:column, what is wrong, the nearest valid word.

All problems of a file are reported at once, one line for each. `scenario.model` defines the keys. The audio files that
a scenario may read are checked here: recordings by their names, and files in the scenario's own folder.
"""

import os
import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any

from audiosocket_core.files import read_regular_file
from audiosocket_core.phrase_book.book import MANIFEST_NAME
from audiosocket_sim.scenario import CallerPlace, Scenario
from audiosocket_sim.scenario.call_uuid import call_uuid
from audiosocket_sim.scenario.cassette import RawExchange, read_cassette
from audiosocket_sim.scenario.confinement import is_within
from audiosocket_sim.scenario.conversations import parts_of
from audiosocket_sim.scenario.loading.documents import FileError, Problem, as_model, problem, read_text
from audiosocket_sim.scenario.loading.layout import CellProblems, lay_out
from audiosocket_sim.scenario.loading.several import calls_in, with_voice
from audiosocket_sim.scenario.loading.yaml_tree import MalformedYaml, Place, Tree
from audiosocket_sim.scenario.paths import PROJECT, SOUNDS, recordings_folders, sounds_folders
from audiosocket_sim.scenario.schema import schema
from audiosocket_sim.scenario.written import KeyPath, Written

__all__ = [
    "Problem",
    "ScenarioError",
    "load",
    "load_all",
    "load_all_text",
    "load_text",
    "say_problems",
    "schema",
    "sound_file",
]

SOUND_SUFFIXES = (".wav", ".slin", ".sln", ".raw", ".mp3", ".ogg", ".flac", ".m4a")
_MOST_PLACES = 1_000_000
_TOO_MANY_CALLS = f"for_each: calls of several callers with more than {_MOST_PLACES} values together: make fewer"
_LARGEST_MANIFEST_BYTES = 2_000_000
_LARGEST_CASSETTE_BYTES = 100_000_000
_MANIFEST_FILE = re.compile(r"""(?:^|[\s{,])file:\s*(?:"([^"]*)"|'([^']*)'|([^\s,}#]+))""", re.MULTILINE)


class ScenarioError(FileError):
    """A file is not a valid scenario, or cannot be read."""


def load(path: str | os.PathLike[str]) -> Scenario:
    """Load the scenario in a file and name it after the file. Raises ScenarioError, also if the file cannot be read.

    A scenario with `for_each` is an error here, unless it makes one call only: `load_all` returns all of them.
    """
    return _only(load_all(path), str(path))


def load_all(
    path: str | os.PathLike[str], overrides: Sequence[str] = (), *, option: str = "--set"
) -> tuple[Scenario, ...]:
    """Load the scenario in a file: one for each cell of its `for_each`, or the only one. Raises ScenarioError.

    `overrides`: values that go before those in the file, such as `line.noise_dbfs=-40`; `option`: the name of the
    option that gave them, for errors.
    """
    file = Path(path)
    text = read_text(file, ScenarioError, "scenario", str(path))
    return load_all_text(
        text, file.stem, file=str(path), folder=file.parent.resolve(), overrides=overrides, option=option
    )


def load_text(text: str, name: str = "scenario", *, file: str | None = None, folder: Path | None = None) -> Scenario:
    """Load the scenario in a YAML text. `file`: the file's name in errors; by default `<name>`.

    `folder`: the folder to which `say: {file: …}` is relative; without it such a step is an error. Raises
    ScenarioError, also for a `for_each` that makes several calls.
    """
    file = file or f"<{name}>"
    return _only(load_all_text(text, name, file=file, folder=folder), file)


def _only(made: tuple[Scenario, ...], file: str) -> Scenario:
    if len(made) > 1:
        place = made[0].written.places.get(("for_each",), (1, 1))
        raise ScenarioError(Problem(file, *place, f"for_each makes {len(made)} calls of it, where one is needed"))
    return made[0]


def load_all_text(
    text: str,
    name: str = "scenario",
    *,
    file: str | None = None,
    folder: Path | None = None,
    overrides: Sequence[str] = (),
    option: str = "--set",
) -> tuple[Scenario, ...]:
    """Load the scenario of each cell from a YAML text. The arguments are those of `load_text` and `load_all`.

    Raises ScenarioError with the problems of all cells, each once.
    """
    file = file or f"<{name}>"
    try:
        laid = lay_out(text, file, folder, overrides, option)
    except FileError as error:
        raise ScenarioError(*error.problems) from None
    scenarios, problems, n_places = [], CellProblems(len(laid.assemblies), file), 0
    for cell, assembly in laid.assemblies:
        scenario, found = _one(assembly.tree, cell.name(name), file, folder)
        n_places += 0 if scenario is None else sum(len(call.written.places) for call in scenario.made_calls)
        if n_places > _MOST_PLACES:
            found.append(problem(file, assembly.tree.place(("for_each",)), _TOO_MANY_CALLS))
            problems.add(cell.name(name), found, assembly.uses)
            break
        problems.add(cell.name(name), found, assembly.uses)
        if scenario is not None:
            parts = {"cell": cell.labels, "parts": laid.parts}
            scenarios.append(scenario.model_copy(update=parts))
    if laid.problems or problems.found:
        raise ScenarioError(*laid.problems, *problems.found)
    return tuple(scenarios)


def _one(tree: Tree, name: str, file: str, folder: Path | None) -> tuple[Scenario | None, list[Problem]]:
    """Return the scenario in a tree, or None, and all that is wrong with it."""
    try:
        calls, wrong = calls_in(tree)
    except MalformedYaml as error:
        return None, [problem(file, error.place, error.message)]
    if not calls and not wrong:
        one, found = _one_call(with_voice(tree), name, file, folder, _EMPTY, _Cassettes(folder))
        made, more = _with_own_parts([] if one is None else [one])
        return (made[0] if made and not more else None), [*found, *more]
    problems = [problem(file, place, message) for place, message in wrong]
    made = []
    cassettes = _Cassettes(folder)
    for call in calls:
        of_it = f"{name}, {call.caller.name}"
        one, found = _one_call(with_voice(call.tree), of_it, file, folder, _EMPTY, cassettes, in_tree=tree.problems)
        problems += found
        if one is not None:
            made.append(one.model_copy(update={"caller": call.caller}))
    problems += _of_all_calls(made)
    if not problems:
        made, problems = _with_own_parts(made)
    if problems or not made:
        return None, problems
    written = Written(file, tree.places(), tree.files())
    main = {"name": name, "written": written, "made_calls": tuple(made), "caller": CallerPlace()}
    return made[0].model_copy(update=main), problems


_EMPTY = "the file is empty; a scenario needs `summary` and `steps`"


def _of_all_calls(calls: Sequence[Scenario]) -> Iterator[Problem]:
    """Yield what is wrong with the calls of one scenario together."""
    refuse = [any(reply.fault == "refused" for reply in call.ai) for call in calls]
    if any(refuse) and not all(refuse):
        one = calls[refuse.index(True)]
        why = "nothing listens at the backend's address then, for no caller: it must be the only reply of each"
        yield _problem_at(one, "ai", f"ai: fault: refused: {why}")
    used: dict[str, Scenario] = {}
    for call in calls:
        if (uuid := call.asterisk.uuid) is None:
            continue
        if uuid in used:
            why = f"{used[uuid].caller.name} and {call.caller.name} have the same: each call needs its own"
            yield _problem_at(call, "asterisk", f"uuid: {why}", "uuid")
        used.setdefault(uuid, call)


def _with_own_parts(calls: Sequence[Scenario]) -> tuple[list[Scenario], list[Problem]]:
    """Return the calls, each with its own part of its cassette, and what is wrong with these parts."""
    made, problems = list(calls), []
    for name in dict.fromkeys(call.ai_cassette for call in calls if call.cassette):
        of_it = [index for index, call in enumerate(calls) if call.ai_cassette == name]
        first = calls[of_it[0]]
        try:
            parts = parts_of(first.cassette, {calls[index].caller.name: call_uuid(calls[index]) for index in of_it})
        except ValueError as error:
            problems.append(_problem_at(first, "ai_cassette", f"ai_cassette: {name}: {error}"))
            continue
        for index in of_it:
            made[index] = calls[index].model_copy(update={"cassette": parts[calls[index].caller.name]})
    return made, problems


def _problem_at(call: Scenario, key: str, message: str, *more: str) -> Problem:
    file, line, column = call.written.place(key, *more) or (call.written.file, 1, 1)
    return Problem(file, line, column, message)


def _one_call(
    tree: Tree,
    name: str,
    file: str,
    folder: Path | None,
    empty: str,
    cassettes: "_Cassettes",
    in_tree: Sequence[tuple[Place, str]] = (),
) -> tuple[Scenario | None, list[Problem]]:
    """Return the one call in a tree, or None, and all that is wrong with it. `in_tree`: what is known to be wrong with
    the text itself."""
    tree.problems[:] = [*tree.problems, *in_tree]
    scenario, found = as_model(Scenario, tree, file, empty)
    problems = list(found)
    problems += [problem(file, tree.place(path), message) for path, message in _check_sounds(tree.data, folder)]
    cassette: tuple[RawExchange, ...] = ()
    if scenario is not None and scenario.ai_cassette is not None:
        try:
            cassette = cassettes.read(scenario.ai_cassette)
        except ValueError as error:
            problems.append(problem(file, tree.place(("ai_cassette",)), f"ai_cassette: {error}"))
    spots = {(place.file or file, place.line, place.column) for place, _ in tree.problems}
    n_own = len(tree.problems)  # what else is wrong at their places only follows from them
    problems = [one for i, one in enumerate(problems) if i < n_own or (one.file, one.line, one.column) not in spots]
    if scenario is None:
        return None, problems
    written = Written(file, tree.places(), tree.files())
    found_beside = {"name": name, "folder": folder, "written": written, "cassette": cassette}
    return scenario.model_copy(update=found_beside), problems


class _Cassettes:
    """The cassettes of one scenario: each file is read once, by however many calls it is played."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._read: dict[str, tuple[RawExchange, ...]] = {}

    def read(self, name: str) -> tuple[RawExchange, ...]:
        """Return the exchanges in a file beside the scenario. Raises ValueError with a line for people."""
        if name not in self._read:
            self._read[name] = _cassette(name, self._folder)
        return self._read[name]


def _cassette(name: str, folder: Path | None) -> tuple[RawExchange, ...]:
    """Return the captured exchanges in a file beside the scenario. Raises ValueError with a line for people."""
    if folder is None:
        raise ValueError(f"{name} is relative to the scenario, and this one lies in no folder")
    path = sound_file(name, folder)
    try:
        text = read_regular_file(path, _LARGEST_CASSETTE_BYTES).decode("utf-8")
    except OSError as error:
        raise ValueError(f"{name} cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{name} is not UTF-8") from None
    try:
        return read_cassette(text)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def sound_file(name: str, folder: Path) -> Path:
    """Return the path of `say: {file: name}` or of `ai_cassette: name`, with links resolved.

    Raises ValueError if there is no such file, or if it lies outside the scenario's folder and recordings/. Links are
    resolved first, so that a scenario from elsewhere cannot read other files of this machine.
    """
    if Path(name).is_absolute():
        raise ValueError(f"{name}: a path is relative to the scenario, so that it holds on every machine")
    if "\0" in name:
        raise ValueError("a file's name cannot contain a NUL character")
    path = (folder / name).resolve()
    if not is_within(path, (folder, *recordings_folders(folder))):
        raise ValueError(f"{name} leads out of the scenario's folder and of recordings/")
    if not path.is_file():
        others = [other.name for other in path.parent.iterdir() if other.is_file()] if path.parent.is_dir() else []
        raise ValueError(f"there is no file {name}{_did_you_mean(path.name, others)}")
    return path


def _check_sounds(data: Any, folder: Path | None) -> Iterator[tuple[KeyPath, str]]:
    """Yield the path and a message for each sound that a step names and that cannot be read. `data`: raw."""
    line = data.get("line") if isinstance(data, dict) else None
    for behind in ("noise", "talker"):
        for key, message in say_problems(line.get(behind) if isinstance(line, dict) else None, folder):
            yield ("line", behind, key), message.replace("say: ", f"{behind}: ", 1)
    for path, step in _raw_steps(data.get("steps") if isinstance(data, dict) else None, ("steps",)):
        for key, message in say_problems(step.get("say"), folder):
            yield (*path, "say", key), message
        for step_key in ("expect", "never", "if_heard"):
            expected = step.get(step_key)
            hold = expected.get("hold_audio") if isinstance(expected, dict) else None
            if isinstance(hold, dict) and isinstance(name := hold.get("file"), str) and (why := _why_no(name, folder)):
                yield (*path, step_key, "hold_audio", "file"), f"file: {why}"


def _raw_steps(steps: Any, path: KeyPath) -> Iterator[tuple[KeyPath, dict[str, Any]]]:
    """Yield every raw step that is a mapping, also those in blocks, with the path to it. A single one may stand where a
    list is due."""
    if isinstance(steps, dict):
        yield from _raw_step(steps, path)
    for index, step in enumerate(steps if isinstance(steps, list) else ()):
        if isinstance(step, list):  # a branch
            yield from _raw_steps(step, (*path, index))
        elif isinstance(step, dict):
            yield from _raw_step(step, (*path, index))


def _raw_step(step: dict[str, Any], path: KeyPath) -> Iterator[tuple[KeyPath, dict[str, Any]]]:
    yield path, step
    repeated = step.get("repeat")
    if isinstance(repeated, dict):
        yield from _raw_steps(repeated.get("steps"), (*path, "repeat", "steps"))
    for key in ("any_of", "optional", "then", "else"):
        yield from _raw_steps(step.get(key), (*path, key))


def say_problems(say: object, folder: Path | None) -> Iterator[tuple[str, str]]:
    """Yield for each sound that a raw `say` names and that cannot be read: its key and a line for people.

    `say`: the value as written in the file; values of a wrong type are ignored, as the model reports them. `folder`:
    as for `load_text`.
    """
    source = say if isinstance(say, dict) else {"recording": say}
    if isinstance(name := source.get("recording"), str):
        known = _recordings(folder)
        if name not in known:
            yield "recording", _no_recording(name, known)
    if isinstance(name := source.get("file"), str) and (why := _why_no(name, folder)):
        yield "file", f"file: {why}"


def _why_no(name: str, folder: Path | None) -> str | None:
    """Return why a file that a scenario names cannot be read, or None if it can."""
    try:
        if folder is None:
            raise ValueError(f"{name} is relative to the scenario, and this one lies in no folder")
        sound_file(name, folder)
    except ValueError as error:
        return str(error)
    return None


def _recordings(folder: Path | None) -> list[str]:
    """Return all names in the manifests of recordings/. They are not parsed as YAML: that takes longer than a call."""
    start = folder or PROJECT
    names: list[str] = []
    for recordings in recordings_folders(start):
        names += _listed_in(recordings)
    for sounds in sounds_folders(start):
        names += (f"{SOUNDS}/{name}" for name in _listed_in(sounds))
    return names


def _listed_in(folder: Path) -> tuple[str, ...]:
    manifest = folder / MANIFEST_NAME
    if not manifest.is_file():
        return ()
    found = manifest.stat()
    return _names_in(manifest, (found.st_mtime_ns, found.st_size, found.st_ino))


@lru_cache(maxsize=16)
def _names_in(manifest: Path, version: tuple[int, ...]) -> tuple[str, ...]:
    """Return the names in a manifest, which is read once for each `version` of the file."""
    try:
        text = read_regular_file(manifest, _LARGEST_MANIFEST_BYTES).decode(errors="replace")
    except OSError:  # reported later, when the manifest is read as YAML
        return ()
    files = ("".join(groups) for groups in _MANIFEST_FILE.findall(text))
    return tuple(Path(file).with_suffix("").as_posix() for file in files if file)


def _no_recording(name: str, known: list[str]) -> str:
    if not known:
        return f"say: there is no recording {name!r}: recordings/{MANIFEST_NAME} lists none"
    bare = name[: -len(suffix)] if (suffix := Path(name).suffix.lower()) in SOUND_SUFFIXES else name
    if bare != name and bare in known:
        return f"say: a recording is named without its suffix: {bare!r}"
    same = [full for full in known if full.rpartition("/")[2] == bare.rpartition("/")[2]]
    meant = f"; did you mean {same[0]!r}?" if same else _did_you_mean(bare, known)
    return f"say: there is no recording {name!r} in recordings/{meant}"


def _did_you_mean(word: str, words: list[str]) -> str:
    near = get_close_matches(word, words, n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else ""
