"""Finds the scenarios that the command line names (a file, a bare name, a folder or a glob), and lists scenarios."""

import glob
import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice
from pathlib import Path

from audiosocket_sim.scenario.paths import PROJECT, find_scenario, named_cell
from audiosocket_sim.scenario_files import (
    FoundScenarios,
    TooManyFilesError,
    is_yaml,
    looks_like_scenario,
    scenarios_below,
)

__all__ = ["ChosenScenarios", "choose_scenarios", "list_scenarios", "no_such_scenario"]

_MOST_MATCHES = 10_000


@dataclass(frozen=True, slots=True)
class ChosenScenarios:
    """The files that were chosen, in order.

    `cell`: which calls of the only file, such as `noise_dbfs=-40`; "": all. `folder`: the one that was named, with the
    YAML files in it that are no scenarios as `passed_over`.
    """

    files: tuple[Path, ...]
    cell: str = ""
    folder: str = ""
    passed_over: tuple[Path, ...] = ()

    def note(self, parts: Collection[Path]) -> str | None:
        """Return one line for people on the files that were passed over, or None. `parts`: those of the scenarios."""
        others = [path for path in self.passed_over if path.resolve() not in parts]
        return f"{self.folder}: passed over {_files(others)}" if others else None


def choose_scenarios(name: str) -> ChosenScenarios:
    """Return the files that one argument names. Raises LookupError with one line if it names none."""
    here = Path.cwd()
    try:
        return ChosenScenarios((find_scenario(name, here),))
    except FileNotFoundError:
        pass
    one = named_cell(name)
    if one is not None:
        try:
            return ChosenScenarios((find_scenario(one[0], here),), cell=one[1])
        except FileNotFoundError:
            pass
    try:
        if name and os.path.isdir(name):
            return _in_folder(name)
        if glob.has_magic(name):
            return _by_pattern(name, here)
    except OSError as error:
        where = _near(Path(error.filename or name))
        raise LookupError(f"{where}: this folder may not be read: {error.strerror or error}") from None
    except TooManyFilesError as error:
        raise LookupError(str(error)) from None
    raise LookupError(no_such_scenario(name))


def _in_folder(name: str) -> ChosenScenarios:
    found = scenarios_below(Path(name))
    if not found.scenarios:
        raise LookupError(f"{name}: no such scenario, and no scenario below this folder{_of(found)}")
    return ChosenScenarios(found.scenarios, folder=name, passed_over=found.passed_over)


def _of(found: FoundScenarios) -> str:
    return f": passed over {_files(found.passed_over)}" if found.passed_over else ""


def _files(paths: Sequence[Path]) -> str:
    """Return such as `2 YAML files without summary or steps: a.yaml, b.yaml`; at most ten names."""
    kind = "YAML file" if len(paths) == 1 else "YAML files"
    more = f" and {len(paths) - 10} more" if len(paths) > 10 else ""
    return f"{len(paths)} {kind} without summary or steps: {', '.join(str(_near(path)) for path in paths[:10])}{more}"


def _by_pattern(pattern: str, here: Path) -> ChosenScenarios:
    """Expand a glob here, then in `scenarios/`, then among the shipped scenarios; the first folder with a match counts.

    Raises LookupError if nothing matches.
    """
    for folder in (here, here / "scenarios", PROJECT / "scenarios"):
        matches = islice(glob.iglob(pattern, root_dir=folder, recursive=True), _MOST_MATCHES)
        paths = sorted(path for path in (folder / match for match in matches) if is_yaml(path))
        files = tuple(path.resolve() for path in paths if path.is_file() and looks_like_scenario(path))
        if files:
            return ChosenScenarios(files)
    raise LookupError(f"{pattern}: no scenario matches, here or in scenarios/")


def no_such_scenario(name: str) -> str:
    """Return one line: that the scenario does not exist, with the nearest name; or which folder cannot be read."""
    here: dict[str, str] = {}  # stem: name; `.yaml` is alike in all names, and says nothing
    for folder in (Path.cwd() / "scenarios", PROJECT / "scenarios"):
        if not folder.is_dir():
            continue
        try:
            here |= {path.stem: path.relative_to(folder).as_posix() for path in scenarios_below(folder).scenarios}
        except TooManyFilesError:
            continue
        except OSError as error:
            return f"{name}: no such scenario here, and {_near(folder)}/ may not be read: {error.strerror or error}"
    near = get_close_matches(Path(name).stem, sorted(here), n=1, cutoff=0.5)
    return f"{name}: no such scenario, here or in scenarios/" + (f"; did you mean {here[near[0]]}?" if near else "")


def list_scenarios(names: Sequence[str]) -> Iterator[str]:
    """Yield lines for people with names and summaries of the named scenarios; without names, of all: own, then shipped.

    Raises LookupError with one line for a name that names none.
    """
    if names:
        files = [file for name in names for file in choose_scenarios(name).files]
        yield from _listed([(str(_near(file)), file) for file in files])
        return
    own, shipped = Path.cwd() / "scenarios", PROJECT / "scenarios"
    if own.is_dir() and own.resolve() != shipped.resolve():
        yield "scenarios/, your own:"
        try:
            found = scenarios_below(own).scenarios
        except (OSError, TooManyFilesError) as error:
            raise LookupError(f"scenarios/: {getattr(error, 'strerror', None) or error}") from None
        yield from _listed([(str(path.relative_to(own)), path) for path in found])
        yield ""
    yield "shipped with the reference server:"
    found = scenarios_below(shipped).scenarios
    yield from _listed([(path.relative_to(shipped).with_suffix("").as_posix(), path) for path in found])


def _listed(entries: Sequence[tuple[str, Path]]) -> Iterator[str]:
    width = max((len(name) for name, _ in entries), default=0)
    for name, path in entries:
        yield f"  {name:<{width}}  {_summary(path)}".rstrip()


def _summary(path: Path) -> str:
    """Return the file's summary; for a file that is not valid YAML, the place of the first error."""
    from audiosocket_sim.scenario.loading import yaml_tree
    from audiosocket_sim.scenario.loading.documents import FileError, read_text

    try:
        data = yaml_tree.read(read_text(path, FileError, "scenario", str(_near(path)))).data
    except FileError as error:
        return f"(cannot be read: {error.message})"
    except yaml_tree.MalformedYaml as error:
        return f"(line {error.place.line}: {error.message})"
    summary = data.get("summary") if isinstance(data, dict) else None
    return " ".join(summary.split()) if isinstance(summary, str) else "(no summary)"


def _near(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
