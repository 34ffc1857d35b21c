"""Writes the reports of many calls: a page of each, and the index of them all."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from audiosocket_core.errors import AudioSocketError
from audiosocket_core.files import read_regular_file
from audiosocket_sim.report.call.call_report import write_call_report
from audiosocket_sim.report.many.index_baseline import SavedRun, against, trend
from audiosocket_sim.report.many.index_data import NOT_JUDGED
from audiosocket_sim.report.many.index_page import IndexContent, index_page, without_brackets
from audiosocket_sim.report.page.inline import write_page
from audiosocket_sim.report.saved.call_folders import named_calls
from audiosocket_sim.report.saved.call_source import is_captured, read_saved_call
from audiosocket_sim.report.saved.saved_call import LOG, SOUND, NoSavedCall, SavedCall

__all__ = ["INDEX", "PAGE", "WrittenIndex", "holds_many_calls", "read_run", "write_folder_reports", "write_index"]

PAGE = "report.html"
"""The page of a call, in its folder."""
INDEX = "index.html"
_REDACTED = "redacted"
_MOST_NOTES = 20
_MOST_INSIDE, _LARGEST_INSIDE = 10, 8_000_000


@dataclass(frozen=True, slots=True)
class WrittenIndex:
    """An index that was written, and of how many calls. `notes`: what could not be read or written, a line each."""

    path: Path
    calls: int
    pages: int
    notes: tuple[str, ...] = ()


def write_folder_reports(
    folder: Path, *, to: Path | None = None, baselines: Sequence[Path] = (), redact: bool = False
) -> WrittenIndex:
    """Write a page of each call in the folder, into its own folder, and the index of them all, `FOLDER/index.html`.

    `to`: another folder for all of them. `baselines`: folders of earlier runs, the oldest first. `redact`: no words and
    no sound; the pages go to `to` or `FOLDER/redacted`, by number, since the names of folders may have values of
    variables. Blocks: about 1 s for a minute of call. Raises NoSavedCall if there is no call, and OSError if the index
    cannot be written; a page that cannot is noted.
    """
    found = named_calls(folder)
    run, notes = read_run(folder, found, redact=redact)
    root = to or (folder / _REDACTED if redact else folder)
    pages: dict[str, Path] = {}
    for number, place in enumerate(run.calls, 1):
        target = root / f"{number}.html" if redact else found[place] / PAGE if to is None else to / f"{place}.html"
        try:
            pages[place] = write_call_report(found[place], target, redact=redact)
        except (AudioSocketError, OSError) as error:
            notes.append(f"no page of {place or folder.name}: {error}")
    return write_index(run, root / INDEX, pages, notes=notes, baselines=baselines, redact=redact)


def holds_many_calls(path: Path) -> bool:
    """Whether the path is a folder of calls, and not that of one call."""
    if not path.is_dir() or (path / LOG).is_file() or (path / SOUND).is_file():
        return False
    return any(path.rglob(LOG)) or any(is_captured(sound.parent) for sound in path.rglob(SOUND))


def read_run(folder: Path, calls: Mapping[str, Path], *, redact: bool = False) -> tuple[SavedRun, list[str]]:
    """Return the calls of a run with their figures, without their sound, and a line for each that cannot be read."""
    read: dict[str, SavedCall] = {}
    notes: list[str] = []
    for place, path in calls.items():
        try:
            read[place or path.name] = read_saved_call(path, sound=False)
        except NoSavedCall as error:
            notes.append(str(error))
    return SavedRun.of(folder.resolve().name, read, redact=redact), notes


def write_index(
    run: SavedRun,
    target: Path,
    pages: Mapping[str, Path],
    *,
    notes: Iterable[str] = (),
    baselines: Sequence[Path] = (),
    redact: bool = False,
) -> WrittenIndex:
    """Write the index of a run to the file `target`. `pages`: the pages of its calls, by their places.

    Raises NoSavedCall if a baseline has no calls, and OSError if the file cannot be written.
    """
    told = list(notes)
    earlier: list[SavedRun] = []
    for folder in baselines:
        before, more = read_run(folder, named_calls(folder), redact=redact)
        earlier.append(before)
        told += more
    points, number = trend([*earlier, run]) if earlier else ([], 0)
    content = IndexContent(
        title=run.name,
        run=run,
        links={place: _link(page, target) for place, page in pages.items()},
        labels=_labels(run.calls) if redact else {},
        baseline=against(earlier[-1], run, redact=redact) if earlier else None,
        points=points,
        trend_calls=number,
        inside=_inside(run, pages),
        redacted=redact,
        notes=() if redact else _some(told),
    )
    write_page(index_page(content), target)
    return WrittenIndex(target, len(run.calls), len(pages), tuple(told))


def _inside(run: SavedRun, pages: Mapping[str, Path]) -> dict[str, str]:
    """The pages of calls that did not pass, the worst first, as far as they are few and small: thus the index alone, as
    a CI job shows it, leads to them."""
    found: dict[str, str] = {}
    left = _LARGEST_INSIDE
    for row in sorted(run.rows.values(), key=lambda row: row.order):
        page = pages.get(row.place)
        if page is None or row.outcome in ("passed", NOT_JUDGED) or len(found) == _MOST_INSIDE:
            continue
        try:
            text = read_regular_file(page, left).decode(errors="replace")
        except OSError:  # too large, or gone
            continue
        left -= len(text)
        found[row.place] = text
    return found


def _link(page: Path, index: Path) -> str:
    """The address of a page relative to the index, also where a folder has `:` or `#` in its name."""
    return f"./{quote(PurePosixPath(os.path.relpath(page, index.parent)).as_posix())}"


def _labels(places: Iterable[str]) -> dict[str, str]:
    """What stands for the places in a redacted index: without brackets, which hold values, and numbered where they are
    then the same."""
    labels: dict[str, str] = {}
    times: dict[str, int] = {}
    for place in places:
        bare = without_brackets(place) or "call"
        times[bare] = times.get(bare, 0) + 1
        labels[place] = bare if times[bare] == 1 else f"{bare} ({times[bare]})"
    return labels


def _some(notes: Sequence[str]) -> list[str]:
    more = len(notes) - _MOST_NOTES
    return [*notes[:_MOST_NOTES], *([f"… and {more} more notes"] if more > 0 else [])]
