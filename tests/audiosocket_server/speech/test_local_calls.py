"""Whole calls with the local engine, in virtual time: recordings through µ-law and noise 15 dB under the voice, really
recognised; the bot's new sentences really spoken, and understood by Whisper from what the caller heard."""

import wave
from pathlib import Path

import numpy as np
import pytest
from audiosocket_server.settings.settings import Settings
from helpers.local_bench import error_rate, needs_local, on_the_line, whisper

from audiosocket_sim.call_log.events import BackendPushed, BackendReplied, BotSpoke
from audiosocket_sim.call_log.transcript import transcript
from audiosocket_sim.running.runner import Options, Outcome, Result, run
from audiosocket_sim.scenario.loading import load

pytestmark = needs_local

CALLS = Path(__file__).parent / "local_calls"


def call(name: str, folder: Path) -> Result:
    """With an empty cache: what the bot says is made in this call."""
    scenario = load(CALLS / f"{name}.yaml")
    speech = {**scenario.server["speech"], "cache_folder": str(folder / "cache")}
    scenario = scenario.model_copy(update={"server": {**scenario.server, "speech": speech}})
    result = run(scenario, Options(artefacts=folder / "out", trust=True))
    assert result.outcome is Outcome.PASSED, "\n".join([*result.problems, transcript(scenario, result.entries)])
    return result


def what_the_bot_said(result: Result) -> list[str]:
    greeting = Settings.from_overrides(result.scenario.server).greeting.message
    told = [entry.event for entry in result.entries if isinstance(entry.event, BackendReplied | BackendPushed)]
    return [greeting, *(event.says for event in told if event.says)]


def what_the_caller_heard(result: Result) -> list[bytes]:
    """Each stretch of the bot's speech, from the recording of the call."""
    assert result.artefacts is not None
    with wave.open(str(result.artefacts.recording), "rb") as file:
        heard = np.frombuffer(file.readframes(file.getnframes()), "<i2")[1::2]
    spoke = [(entry.at_ms, entry.event.heard_ms) for entry in result.entries if isinstance(entry.event, BotSpoke)]
    return [heard[at_ms * 8 : (at_ms + lasted_ms) * 8].tobytes() for at_ms, lasted_ms in spoke]


@pytest.mark.parametrize(("name", "language", "bound"), [
    ("visitor", "pt-BR", 0.3),
    ("emergency", "pt-BR", 0.3),
    ("delivery", "pt-BR", 0.3),
    ("english", "en-US", 0.1),
])  # fmt: skip
def test_a_whole_call(name: str, language: str, bound: float, tmp_path: Path) -> None:
    result = call(name, tmp_path)
    said, heard = what_the_bot_said(result), what_the_caller_heard(result)
    assert len(heard) == len(said)
    understood = [whisper().transcribe(on_the_line(pcm), language) for pcm in heard]
    assert error_rate(" ".join(said), " ".join(understood)) <= bound, f"said {said}, understood {understood}"


def test_the_same_call_twice_is_the_same_to_the_byte(tmp_path: Path) -> None:
    """On one machine; the model's last digits, and with them a word, may differ on another."""
    first, second = (call("english", tmp_path / number) for number in ("1", "2"))
    assert first.transcript == second.transcript
    assert first.artefacts is not None
    assert second.artefacts is not None
    assert first.artefacts.recording.read_bytes() == second.artefacts.recording.read_bytes()
