"""The files of which a scenario consists: its own, its parts, the recordings and other sounds that it names."""

from collections.abc import Iterator
from pathlib import Path

from audiosocket_core.phrase_book.book import MANIFEST_NAME
from audiosocket_sim.scenario import Scenario
from audiosocket_sim.scenario.nesting import expectations_in, says_in
from audiosocket_sim.scenario.paths import recordings_folders, sounds_folders

__all__ = ["scenario_file", "used_files"]


def scenario_file(scenario: Scenario) -> Path:
    """Return the path of a scenario that was loaded from a file."""
    assert scenario.folder is not None
    return scenario.folder / Path(scenario.written.file).name


def used_files(scenario: Scenario) -> set[Path]:
    """Return the paths of all files whose content can change the call. The scenario was loaded from a file."""
    return {scenario_file(scenario), *scenario.parts}.union(*map(_files_of_the_call, scenario.calls))


def _files_of_the_call(scenario: Scenario) -> set[Path]:
    folder = scenario.folder
    assert folder is not None
    found: set[Path] = set()
    says = [step.say for step in says_in(scenario.steps)]
    holds = (expectation.hold_audio for _, expectation in expectations_in(scenario.steps))
    named = [scenario.ai_cassette, *(hold.file for hold in holds if hold is not None)]
    found |= {(folder / name).resolve() for name in named if name is not None}
    behind = [sound for sound in (scenario.line.noise, scenario.line.talker) if sound is not None]
    for sound in (*says, *behind):
        if sound.recording is not None:
            found |= set(_recordings(sound.recording, folder))
        if sound.file is not None:
            found.add((folder / sound.file).resolve())
    return found


def _recordings(name: str, folder: Path) -> Iterator[Path]:
    """Yield the manifests that may list a recording, and its files of any format."""
    for place in (*recordings_folders(folder), *sounds_folders(folder)):
        yield place / MANIFEST_NAME
        own = place / name
        if own.parent.is_dir():
            yield from (file for file in own.parent.iterdir() if file.stem == own.name)
