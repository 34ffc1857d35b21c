"""YAML -> `Scenario`, and errors that a person can act on: file:line:column, what is wrong, the nearest valid word.

All that is wrong with a file is told in one go, one line each. The meaning of the keys is `scenario`'s; which audio
files a scenario may read is checked here: recordings by name, and files in the scenario's own folder.
"""

import os
import re
from collections.abc import Iterator
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any

from audiosocket_core.files import read_regular_file
from audiosocket_core.phrase_book.book import MANIFEST_NAME
from audiosocket_sim.scenario import Scenario
from audiosocket_sim.scenario.confinement import is_within
from audiosocket_sim.scenario.loading.documents import FileError, Problem, read_model, read_text
from audiosocket_sim.scenario.paths import PROJECT, recordings_folders
from audiosocket_sim.scenario.schema import schema
from audiosocket_sim.scenario.written import KeyPath, Written

__all__ = ["Problem", "ScenarioError", "load", "load_text", "say_problems", "schema", "sound_file"]

SOUND_SUFFIXES = (".wav", ".slin", ".sln", ".raw", ".mp3", ".ogg", ".flac", ".m4a")
_LARGEST_MANIFEST_BYTES = 2_000_000
_MANIFEST_FILE = re.compile(r"""(?:^|[\s{,])file:\s*(?:"([^"]*)"|'([^']*)'|([^\s,}#]+))""", re.MULTILINE)


class ScenarioError(FileError):
    """The file is no valid scenario."""


def load(path: str | os.PathLike[str]) -> Scenario:
    """The scenario in a file; its name is the file's. Raises ScenarioError, also for a file that cannot be read."""
    file = Path(path)
    text = read_text(file, ScenarioError, "scenario", str(path))
    return load_text(text, file.stem, file=str(path), folder=file.parent.resolve())


def load_text(text: str, name: str = "scenario", *, file: str | None = None, folder: Path | None = None) -> Scenario:
    """The scenario in a text. Without a `folder`, `say: {file: …}` is an error, since it is relative to the scenario.

    `file` is what errors call it (`<name>` otherwise). Raises ScenarioError.
    """
    file = file or f"<{name}>"
    empty = "the file is empty; a scenario needs `summary` and `steps`"
    scenario, tree, found = read_model(Scenario, text, file, empty)
    problems = list(found)
    for path, message in _check_sounds(tree.data, folder):
        place = tree.place(path)
        problems.append(Problem(file, place.line, place.column, message))
    if problems or scenario is None:
        raise ScenarioError(*problems)
    return scenario.model_copy(update={"name": name, "folder": folder, "written": Written(file, tree.places())})


def sound_file(name: str, folder: Path) -> Path:
    """Where `say: {file: name}` lies. Raises ValueError unless that is inside the scenario's folder or recordings/.

    Symbolic links count as what they point to: a scenario that came from elsewhere must not read this machine's files.
    """
    if Path(name).is_absolute():
        raise ValueError(f"{name}: a path is relative to the scenario, so that it holds on every machine")
    if "\0" in name:
        raise ValueError("a file's name has no NUL in it")
    path = (folder / name).resolve()
    if not is_within(path, (folder, *recordings_folders(folder))):
        raise ValueError(f"{name} leads out of the scenario's folder and of recordings/")
    if not path.is_file():
        others = [other.name for other in path.parent.iterdir() if other.is_file()] if path.parent.is_dir() else []
        raise ValueError(f"there is no file {name}{_did_you_mean(path.name, others)}")
    return path


def _check_sounds(data: Any, folder: Path | None) -> Iterator[tuple[KeyPath, str]]:
    """What the `say` steps cannot read, with the path to it. Looks at raw data: other keys may still be wrong."""
    steps = data.get("steps") if isinstance(data, dict) else None
    for index, step in enumerate(steps if isinstance(steps, list) else ()):
        say = step.get("say") if isinstance(step, dict) else None
        for key, message in say_problems(say, folder):
            yield ("steps", index, "say", key), message


def say_problems(say: object, folder: Path | None) -> Iterator[tuple[str, str]]:
    """What a `say`, as it is written, names and cannot read: the key and a line for people. `folder`: see `load_text`.

    Other kinds of data are no problem here: the model reports them.
    """
    source = say if isinstance(say, dict) else {"recording": say}
    if isinstance(name := source.get("recording"), str):
        known = _recordings(folder)
        if name not in known:
            yield "recording", _no_recording(name, known)
    if isinstance(name := source.get("file"), str):
        try:
            if folder is None:
                raise ValueError(f"{name} is relative to the scenario, and this one lies in no folder")
            sound_file(name, folder)
        except ValueError as error:
            yield "file", f"file: {error}"


def _recordings(folder: Path | None) -> list[str]:
    """All names in the manifests of recordings/, without reading them as YAML, which takes longer than a call does."""
    names: list[str] = []
    for recordings in recordings_folders(folder or PROJECT):
        manifest = recordings / MANIFEST_NAME
        if manifest.is_file():
            found = manifest.stat()
            names += _names_in(manifest, (found.st_mtime_ns, found.st_size, found.st_ino))
    return names


@lru_cache(maxsize=16)
def _names_in(manifest: Path, version: tuple[int, ...]) -> tuple[str, ...]:
    """The names in a manifest; read once for each `version` of the file."""
    try:
        text = read_regular_file(manifest, _LARGEST_MANIFEST_BYTES).decode(errors="replace")
    except OSError:  # what is wrong with the manifest is said when it is read as YAML
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
