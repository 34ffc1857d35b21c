"""A bot with a Kokoro voice, tested by its words, and what Whisper makes of sounds that are no speech."""

from pathlib import Path

import numpy as np
import pytest
from helpers.local_needs import needs_local

from audiosocket_sim.call_log.events import BotSpoke
from audiosocket_sim.phone.line import noise, tone
from audiosocket_sim.reading import StretchReader, load_reader
from audiosocket_sim.running.runner import Options, run
from audiosocket_sim.scenario.loading import load_text

pytestmark = needs_local

ROOT = Path(__file__).resolve().parents[3]
GREETING = "Boa tarde, aqui é a recepção do hotel, a sua reserva começa às 14h30."
CALL = f"""\
summary: A bot with a Kokoro voice.
reader: local
server: {{speech: {{engine: local}}, greeting: {{message: "{GREETING}"}}}}
steps:
  - expect: {{bot_says: {{text: "{GREETING}", words: 0.8}}, within: 6s}}
"""


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> StretchReader:
    made = load_reader("local", tmp_path_factory.mktemp("readings"))
    made.prepare()
    return made


def test_a_kokoro_voice_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    result = run(load_text(CALL, folder=ROOT / "scenarios"), Options(target="audiosocket_server:serve"))
    assert result.passed, result.problems
    (heard,) = (entry.event for entry in result.entries if isinstance(entry.event, BotSpoke))
    assert (heard.voice, heard.read_by) == ("recogniser", "local")
    assert heard.confidence is not None
    assert heard.confidence > 0.5
    assert [word.start_ms for word in heard.words] == sorted(word.start_ms for word in heard.words)
    assert all(word.end_ms <= heard.heard_ms + heard.gap_ms for word in heard.words)
    again = run(load_text(CALL, folder=ROOT / "scenarios"), Options(target="audiosocket_server:serve"))
    assert again.entries == result.entries


def clicks() -> bytes:
    wave = np.zeros(16000, np.int16)
    wave[::800] = 12000
    return wave.tobytes()


SOUNDS = {
    "silence": bytes(32000),
    "white noise": noise(2000, -30, "white", 1),
    "pink noise": noise(1500, -25, "pink", 2),
    "soft noise": noise(3000, -50, "white", 3),
    "a dial tone": tone(2000, 425, -20),
    "a beep": tone(300, 1000, -15),
    "clicks": clicks(),
}


@pytest.mark.parametrize("sound", SOUNDS)
def test_nothing_is_invented(sound: str, reader: StretchReader) -> None:
    assert reader.read(SOUNDS[sound], "pt-BR").text == ""
