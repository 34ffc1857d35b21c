"""Confines a scenario that is not trusted to the files of its own folders, and keeps it from naming code.

A scenario is data. Its key `server:` goes to the server under test, which may import a module by its name or open a
file. Therefore, without trust, no setting may be an import string or a path that leads out of the scenario's own
folders. The rule of folders also holds for `say: {file: …}`, whether the scenario is trusted or not.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from audiosocket_core.errors import AudioSocketError
from audiosocket_core.phrase_book.book import MANIFEST_NAME, PhraseBook
from audiosocket_sim.scenario.paths import PROJECT, nearest_folder
from audiosocket_sim.scenario.written import KeyPath

__all__ = ["is_within", "own_folders", "untrusted_settings"]

_LONGEST_SHOWN = 200
_IN_WORDS = "is not taken from a scenario that is not trusted (docs/scenarios.md, Trust)"


def own_folders(folder: Path | None) -> tuple[Path, ...]:
    """Return the folders, links resolved, whose files a scenario in `folder` may name in its settings.

    They are: the scenario's folder; `recordings/` and `audio/` beside or above it; the folder of the files that ship
    with the project; and the working folder, unless that is the home folder or contains it.
    """
    own = [PROJECT]
    if folder is not None:
        near = (("recordings", MANIFEST_NAME), ("audio", "waiting.slin"), ("audio/prompts", MANIFEST_NAME))
        own += [folder, *(found for name, mark in near if (found := nearest_folder(name, folder, mark)) is not None)]
    working, home = Path.cwd(), Path(os.path.realpath(os.path.expanduser("~")))
    if not home.is_relative_to(working.resolve()):
        own.append(working)
    return tuple(dict.fromkeys(place.resolve() for place in own))


def is_within(path: Path, folders: tuple[Path, ...]) -> bool:
    """Return True if the path, with links resolved, lies in one of the folders."""
    real = Path(os.path.realpath(path))
    return any(real.is_relative_to(place.resolve()) for place in folders)


def untrusted_settings(settings: Mapping[str, object], folder: Path | None) -> Iterator[tuple[KeyPath, str]]:
    """Yield the path to each setting that only a trusted scenario may have, and a line on what is wrong with it.

    `folder`: the scenario's folder, or None. Every text in the settings is examined, as their meaning is the server's.
    """
    folders = own_folders(folder)
    bases = (*dict.fromkeys(place for place in (folder, PROJECT, Path.cwd()) if place is not None),)
    for path, text in _texts(settings, ()):
        if fault := _fault(text, bases, folders):
            key = next((part for part in reversed(path) if isinstance(part, str)), "server")
            yield path, f"{key}: {fault} {_IN_WORDS}"


def _texts(value: object, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    """Yield every text in the value, keys included, with the path to it."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield (*path, key), str(key)
            yield from _texts(inner, (*path, key))
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from _texts(inner, (*path, index))


def _fault(text: str, bases: tuple[Path, ...], folders: tuple[Path, ...]) -> str | None:
    """Return why the text needs trust, as the beginning of a sentence that `_IN_WORDS` ends; None if it needs none."""
    shown = repr(text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…")
    if not text:
        return None
    if _is_import_string(text.strip()):
        return f"{shown} names code, which"
    if text.strip().casefold().startswith("file:"):
        return f"{shown} is an address of a file, which"
    if "\0" in text:  # cannot be a path
        return None
    for meant in dict.fromkeys((text, text.strip())):  # a server may strip it
        if any(_leads_out(path, meant, folders) for path in _possible_paths(meant, bases)):
            return f"{shown} leads out of the scenario's folders, which"
        if any(_lists_from_elsewhere(path, folders) for path in _possible_paths(meant, bases)):
            return f"{shown} has a {MANIFEST_NAME} that leads out of the scenario's folders, which"
    return None


def _is_import_string(text: str) -> bool:
    """Return True for `module:callable` by Python's own rule for names."""
    module, colon, name = text.partition(":")
    return bool(colon) and all(part.strip().isidentifier() for part in [*module.split("."), *name.split(".")])


def _possible_paths(text: str, bases: tuple[Path, ...]) -> list[Path]:
    """Return every path that the text can mean: one for each folder to which the server may take it as relative."""
    at_home = Path(os.path.expanduser(text))
    return [at_home] if at_home.is_absolute() else [base / text for base in bases]


def _leads_out(path: Path, text: str, folders: tuple[Path, ...]) -> bool:
    """Whether the path lies outside: because the text itself says so (`/`, `..`), or because of a link."""
    named_so = os.path.expanduser(text).startswith("/") or ".." in Path(text).parts
    return (named_so or os.path.lexists(path)) and not is_within(path, folders)


def _lists_from_elsewhere(path: Path, folders: tuple[Path, ...]) -> bool:
    """Whether the path is a phrase book that lists a recording outside the folders."""
    manifest = path / MANIFEST_NAME if os.path.isdir(path) else path
    if manifest.name != MANIFEST_NAME or not os.path.isfile(manifest):
        return False
    try:
        phrases = PhraseBook.load(manifest).recordings
    except (AudioSocketError, OSError):
        return False  # a book that cannot be read leads nowhere; the server that loads it will say why
    listed = (phrase.path for phrase in phrases if phrase.path is not None)
    return not all(is_within(path, folders) for path in (manifest, *listed))
