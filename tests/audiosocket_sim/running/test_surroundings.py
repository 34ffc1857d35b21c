"""What is around the caller in whole calls: the noise, talker and room of `line:` reach the bot at their levels."""

import sys
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audiosocket_core.slin import read_audio
from audiosocket_core.wav import wav_bytes
from audiosocket_sim.phone.line import tone
from audiosocket_sim.phone.surroundings import active_dbfs
from audiosocket_sim.running.runner import Options, Outcome, Result, run
from audiosocket_sim.scenario.loading import ScenarioError, load_text

ROOT = Path(__file__).resolve().parents[3]
SAID = "{say: pt-br/quero_falar_com_o_apartamento_202, after: 3s}"


def call(line: str, tmp_path: Path, folder: Path = ROOT / "scenarios") -> tuple[Result, Any]:
    """The call's result, and the caller's side of its recording."""
    scenario = load_text(f"summary: A call.\nline: {line}\nsteps: [{SAID}, {{wait: 1s}}]\n", "call", folder=folder)
    scenario = scenario.model_copy(update={"server": {"script": []}})
    result = run(scenario, Options(target="helpers.scripted_bot:serve", artefacts=tmp_path))
    if result.artefacts is None or result.artefacts.recording is None:
        return result, None
    with wave.open(str(result.artefacts.recording)) as recorded:
        both = np.frombuffer(recorded.readframes(recorded.getnframes()), "<i2").reshape(-1, 2)
    return result, both[:, 0]


def dbfs(samples: Any) -> float:
    found = active_dbfs(np.ascontiguousarray(samples).astype("<i2").tobytes(), 8000)
    assert found is not None
    return found


@pytest.mark.every(2)
@pytest.mark.parametrize("source", ["recording: sounds/street", "file: own/hum.wav"])
def test_a_noise_is_as_much_softer_as_the_scenario_says(source: str, tmp_path: Path) -> None:
    folder = tmp_path / "calls"
    (folder / "own").mkdir(parents=True)
    (folder / "own/hum.wav").write_bytes(wav_bytes(tone(500, 200, -10), 8000))
    _, heard = call(f"{{codec: none, noise: {{{source}, snr_db: 12}}}}", tmp_path / "runs", folder)
    words = active_dbfs(read_audio(ROOT / "recordings/pt-br/quero_falar_com_o_apartamento_202.wav"), 8000)
    assert words is not None
    assert dbfs(heard[400:24_000]) == pytest.approx(words - 12, abs=2.5)


@pytest.mark.long("quicker tests of this file are run")
def test_a_second_talker_and_a_room_are_named_in_the_heading(tmp_path: Path) -> None:
    line = "{talker: {recording: sounds/talker_a, after: 1s, snr_db: 6}, room: 300ms}"
    result, heard = call(line, tmp_path)
    assert result.outcome is Outcome.PASSED, result.problems
    heading = result.transcript.splitlines()[0]
    assert heading.endswith("µ-law, a second talker: sounds/talker_a 6 dB below, a room of 300 ms")
    assert not heard[: 8 * 900].any()
    assert dbfs(heard[8 * 1000 : 8 * 2800]) > -40


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("{noise: sounds/streets}", "noise: there is no recording 'sounds/streets' in recordings/; did you mean"),
        ("{talker: {snr_db: 3}}", "talker: needs exactly one of: recording, file"),
        ("{noise: {file: nowhere.wav}}", "file: there is no file nowhere.wav"),
        ("{room: 3s}", "a room dies away within 2 s"),
    ],
)
def test_what_is_not_there_is_an_error_of_the_file(line: str, error: str, tmp_path: Path) -> None:
    with pytest.raises(ScenarioError) as raised:
        call(line, tmp_path)
    assert error in str(raised.value)


def test_gsm_needs_whole_frames_and_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ScenarioError, match="its frames are 20 ms long"):
        load_text("summary: A.\nasterisk: {packet_time: 30ms}\nline: {codec: gsm}\nsteps: [{wait: 1s}]\n", "a")
    wide = "asterisk: {attach: chan, rate_hz: 16000}"
    with pytest.raises(ScenarioError, match="gsm is 8 kHz only"):
        load_text(f"summary: A.\n{wide}\nline: {{codec: gsm}}\nsteps: [{{wait: 1s}}]\n", "a")
    monkeypatch.setitem(sys.modules, "soundfile", None)
    result, _ = call("{codec: gsm}", tmp_path)
    assert result.outcome is Outcome.SET_UP
    assert "line: codec: gsm needs the extra [codecs]" in result.problems[0]
