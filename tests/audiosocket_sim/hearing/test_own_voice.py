"""Whether the bot's sound is the caller's own, come back."""

from pathlib import Path

import numpy as np
import pytest

from audiosocket_core.slin import read_audio
from audiosocket_sim.hearing.own_voice import is_echo
from audiosocket_sim.phone.line import LineModel

ROOT = Path(__file__).resolve().parents[3]
SAID = read_audio(ROOT / "recordings" / "pt-br" / "quero_falar_com_o_apartamento_202.wav")
OTHER = [read_audio(path) for path in sorted((ROOT / "audio" / "prompts").glob("*/*.wav"))]


def softer(pcm: bytes, factor: float) -> bytes:
    return (np.frombuffer(pcm, "<i2") * factor).astype("<i2").tobytes()


@pytest.mark.parametrize("delay_ms", [0, 20, 380, 1000])
@pytest.mark.parametrize("factor", [1.0, 0.1, -0.5])
def test_the_callers_sound_is_found_at_any_delay_and_gain(delay_ms: int, factor: float) -> None:
    caller = bytes(16 * (1000 - delay_ms)) + SAID
    bot = LineModel("ulaw").receive(softer(SAID[: 16 * 1000], factor))
    assert is_echo(bot, caller[: 16 * 2000])


def test_another_voice_is_none() -> None:
    for other in OTHER:
        assert not is_echo(other[16 * 300 : 16 * 1300], SAID[: 16 * 2000])


@pytest.mark.parametrize(("bot", "caller"), [(b"", SAID), (SAID, SAID[:100]), (SAID[:16000], bytes(32000))])
def test_nothing_is_like_nothing(bot: bytes, caller: bytes) -> None:
    assert not is_echo(bot, caller)
