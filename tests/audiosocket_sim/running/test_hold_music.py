"""Which music is hold audio in a call: the nearest loop, and the files that its steps name."""

from pathlib import Path

import pytest

from audiosocket_core.slin import AudioFileError, read_audio
from audiosocket_core.wav import wav_bytes
from audiosocket_sim.phone.line import tone
from audiosocket_sim.phone.sounds import named_sound
from audiosocket_sim.running.call_setup import hold_music
from audiosocket_sim.scenario import Scenario
from audiosocket_sim.scenario.loading import load_text

SECOND = tone(1000, 440, -20)


def scenario(folder: Path, *steps: str) -> Scenario:
    listed = "".join(f"  - {step}\n" for step in steps)
    return load_text(f"summary: A call.\nsteps:\n{listed}", "call", folder=folder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "audio").mkdir()
    (tmp_path / "audio" / "waiting.slin").write_bytes(SECOND * 2)
    (tmp_path / "other.wav").write_bytes(wav_bytes(SECOND, 8000))
    return tmp_path


def test_a_call_that_asks_for_none_knows_the_loop_alone(folder: Path) -> None:
    assert hold_music(scenario(folder, "wait: 1s")) == (SECOND * 2, {}, False)


def test_without_a_file_it_is_the_loop_or_any_music(folder: Path) -> None:
    steps = ("wait: 1s", "never: {hold_audio: playing}")
    assert hold_music(scenario(folder, *steps)) == (SECOND * 2, {"": SECOND * 2}, True)


def test_a_file_is_that_music_alone(folder: Path) -> None:
    named = scenario(folder, "expect: {hold_audio: {is: playing, file: other.wav}}")
    assert hold_music(named) == (SECOND, {"other.wav": SECOND}, False)
    both = scenario(folder, "expect: {hold_audio: {is: playing, file: other.wav}}", "expect: {hold_audio: stopped}")
    assert hold_music(both) == (SECOND * 2, {"": SECOND * 2, "other.wav": SECOND}, True)


def test_in_a_call_in_python_it_may_be_asked_for_at_any_time(folder: Path) -> None:
    without = scenario(folder, "wait: 1s").model_copy(update={"steps": ()})
    assert hold_music(without) == (SECOND * 2, {"": SECOND * 2}, True)


def test_music_that_is_too_short_or_is_not_there(folder: Path) -> None:
    (folder / "other.wav").write_bytes(wav_bytes(SECOND[:100], 8000))
    with pytest.raises(AudioFileError, match=r"other\.wav: 100 bytes long: too short to be recognised as hold music"):
        hold_music(scenario(folder, "expect: {hold_audio: {is: playing, file: other.wav}}"))
    with pytest.raises(AudioFileError, match=r"there is no file nowhere\.wav"):
        named_sound("nowhere.wav", folder)
    assert read_audio(folder / "audio" / "waiting.slin") == SECOND * 2
