"""`mic --check`: what came back of the tones, and how loud the user is."""

import asyncio

import numpy as np
import pytest

from audiosocket_core.slin import gain, level_dbfs, mix, silence
from audiosocket_sim.live.mic.check_session import CheckSession
from audiosocket_sim.live.mic.device_check import SPEAK_SECONDS, TONES_SECONDS, Block, checked, report, tones
from audiosocket_sim.phone.line import tone
from audiosocket_sim.virtual_time.loop import run

BLOCK = 160


def blocks(pcm: bytes) -> list[Block]:
    return [(at / 16_000, pcm[at : at + BLOCK]) for at in range(0, len(pcm), BLOCK)]


def noise(n_bytes: int) -> bytes:
    return bytes((np.random.default_rng(1).standard_normal(n_bytes // 2) * 20).astype("<i2").tobytes())


def room(echo: bytes, voice_dbfs: float | None) -> list[Block]:
    whole = silence(round((TONES_SECONDS + SPEAK_SECONDS) * 1000))
    voice = b"" if voice_dbfs is None else silence(round(TONES_SECONDS * 1000) + 1000) + tone(1500, 300, voice_dbfs)
    return blocks(mix(mix(mix(whole, echo), voice), noise(len(whole)))[: len(whole)])


@pytest.mark.parametrize("delay_ms", [30, 250, 700])
def test_the_loops_delay_and_the_voice(delay_ms: int) -> None:
    found = checked(blocks(tones()), room(silence(delay_ms) + gain(tones(), -20), -20))
    assert found.delays_ms == pytest.approx([delay_ms] * 3, abs=10)
    assert found.clipped == 0
    lines = report(found)
    assert lines[0].startswith("voice        -20 dBFS")
    assert lines[0].endswith(": good")
    assert lines[2] == f"loop         {delay_ms} ms from loudspeaker to microphone, -33 dBFS"


def test_a_loop_whose_delay_jumps() -> None:
    at = 16 * 1500
    echo = silence(60) + gain(tones()[:at], -10) + silence(40) + gain(tones()[at:], -10)
    assert "it jumps, 60 to 100 ms" in report(checked(blocks(tones()), room(echo, -20)))[2]


@pytest.mark.parametrize(
    ("voice_dbfs", "advice"), [(-50, "too soft"), (-3, "too loud"), (None, "nothing was said"), (-20, ": good")]
)
def test_headphones_and_a_voice_that_is_not_right(voice_dbfs: float | None, advice: str) -> None:
    lines = report(checked(blocks(tones()), room(b"", voice_dbfs)))
    assert advice in lines[0]
    assert (lines[1] == "clipping     none") is (voice_dbfs != -3)
    assert "not heard by the microphone: headphones" in lines[2]


def test_sound_at_the_limit() -> None:
    lines = report(checked(blocks(tones()), room(silence(50) + gain(tones(), 20), -20)))
    assert "samples at the limit" in lines[1]


@pytest.mark.parametrize("played", [[], blocks(tones())])
def test_a_microphone_that_gives_nothing(played: list[Block]) -> None:
    (line,) = report(checked(played, []))
    assert "gave no sound, not even silence" in line


@pytest.mark.long("quicker tests of this file are run")
def test_the_session_plays_the_tones_listens_and_plays_back_what_was_said() -> None:
    lines: list[str] = []

    async def go() -> list[bytes]:
        loop = asyncio.get_running_loop()
        session = CheckSession(loop.time, microphone_hz=8000, loudspeaker_hz=16_000)
        task = loop.create_task(session.run(lines.append))
        pulled = []
        while not task.done():
            await asyncio.sleep(0.01)
            pulled.append(session.pull(BLOCK))
            session.captured(tone(10, 400, -20) if len(pulled) > 500 else bytes(BLOCK))
        assert (await task).voice_dbfs == pytest.approx(-20, abs=0.5)
        return pulled

    pulled = run(go())
    assert len(lines) == 3
    second = [level_dbfs(b"".join(pulled[at : at + 100])) for at in range(0, len(pulled), 100)]
    assert max(second[:4]) > -25
    assert max(second[4:6]) < -100
    assert max(second[6:]) > -25
