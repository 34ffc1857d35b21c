"""The files of transcripts beside the scenarios, `transcripts/NAME.txt`: which one is whose, and which has no owner."""

from pathlib import Path

__all__ = ["has_scenario", "transcript_file"]

_SUFFIXES = (".yaml", ".yml")
_FOR_EACH = "for_each"


def transcript_file(path: Path, name: str) -> Path:
    """Return the path of the snapshot of the scenario `name` in the file `path`."""
    return path.parent / "transcripts" / f"{name}.txt"


def has_scenario(transcript: Path) -> bool:
    """Whether there is a scenario of the transcript's name, or a cell of one; True also for one that is not valid."""
    from audiosocket_sim.scenario.paths import named_cell

    name, cell = named_cell(transcript.stem) or (transcript.stem, "")
    found = [file for suffix in _SUFFIXES if (file := transcript.parent.parent / f"{name}{suffix}").exists()]
    return any(_is_of(file, transcript.stem, is_cell=bool(cell)) for file in found)


def _is_of(scenario: Path, name: str, *, is_cell: bool) -> bool:
    try:
        has_cells = _FOR_EACH in scenario.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return True
    if not has_cells:
        return not is_cell
    from audiosocket_sim.scenario.loading import ScenarioError, load_all

    try:
        return any(one.name == name for one in load_all(scenario))
    except ScenarioError:
        return True
