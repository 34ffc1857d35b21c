"""A whole utterance that is recognised on speculation: when that begins, and when its text counts. No model."""

import asyncio
from collections.abc import Iterator

import numpy as np
import pytest
from audiosocket_server.speech.base import SpeechError
from audiosocket_server.speech.local.quiet_tail import QuietTail
from audiosocket_server.speech.local.turn import SPECULATE_AFTER_MS, WholeTurn
from helpers.call_bench import ROOT, virtual

from audiosocket_core import slin
from audiosocket_core.phrase_book.book import PhraseBook
from audiosocket_sim.phone.line import LineModel, noise

SILENCE_MS = 700
CALLERS = PhraseBook.load(ROOT / "recordings")


def voice(ms: int) -> bytes:
    """Something loud, −20 dBFS."""
    return noise(ms, -20, "white", seed=1)


BEFORE = slin.silence(300)
"""The pre-roll: it tells the level of the line."""


def frames(*sounds: bytes) -> Iterator[bytes]:
    return slin.frames(b"".join(sounds), 320)


class Model:
    """Takes `seconds` of the loop's time to say how many milliseconds it was given."""

    def __init__(self, seconds: float = 0.4) -> None:
        self.seconds = seconds
        self.asked: list[int] = []
        self.answered: list[int] = []
        self.fails = 0
        self.is_idle = True

    async def transcribe(self, pcm: bytes) -> str:
        self.asked.append(len(pcm) // 16)
        await asyncio.sleep(self.seconds)
        if self.fails:
            self.fails -= 1
            raise SpeechError("the model is tired")
        self.answered.append(len(pcm) // 16)
        return f"{len(pcm) // 16} ms"

    def turn(self) -> WholeTurn:
        return WholeTurn(self.transcribe, lambda: self.is_idle, SILENCE_MS)


async def speak(turn: WholeTurn, *sounds: bytes) -> None:
    """In real time: the frame, then its 20 ms."""
    for frame in frames(*sounds):
        turn.feed(frame)
        await asyncio.sleep(0.02)


async def finished(turn: WholeTurn) -> tuple[str, float]:
    """The text, and how many seconds it took."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    text = await turn.finish()
    return text, round(loop.time() - began, 3)


@virtual
async def test_the_text_is_there_when_the_utterance_ends() -> None:
    model = Model()
    turn = model.turn()
    await speak(turn, BEFORE, voice(1000), slin.silence(700))
    assert await finished(turn) == ("1600 ms", 0.0)
    assert model.asked == [1600]


@virtual
async def test_what_is_not_yet_ready_is_waited_for_and_not_begun_again() -> None:
    model = Model(seconds=1.0)
    turn = model.turn()
    await speak(turn, BEFORE, voice(1000), slin.silence(700))
    assert await finished(turn) == ("1600 ms", 0.58)  # it began with the last frame of the 300 ms, not after it
    assert model.asked == [1600]


@virtual
async def test_a_caller_who_goes_on_is_heard_to_the_end() -> None:
    model = Model()
    turn = model.turn()
    await speak(turn, BEFORE, voice(1000), slin.silence(500), voice(300), slin.silence(700))
    assert (await finished(turn))[0] == "2400 ms"
    assert model.asked == [1600, 2400]
    assert model.answered == [2400]  # the first was given up


@virtual
async def test_one_who_goes_on_so_softly_that_only_the_detector_hears_it_loses_no_word() -> None:
    """The endpointing ends the utterance 700 ms after the soft word: the audio is longer than the quiet explains."""
    model = Model()
    turn = model.turn()
    await speak(turn, BEFORE, voice(1000), slin.silence(320), noise(60, -50, "white", 2), slin.silence(700))
    text, _ = await finished(turn)
    assert text == "2380 ms"


@virtual
async def test_a_busy_model_does_no_work_that_may_be_for_nothing() -> None:
    model = Model()
    model.is_idle = False
    turn = model.turn()
    await speak(turn, voice(1000), slin.silence(700))
    assert await finished(turn) == ("1700 ms", 0.4)
    assert model.asked == [1700]


@virtual
async def test_a_speculation_that_fails_is_no_failure() -> None:
    model = Model()
    model.fails = 1
    turn = model.turn()
    await speak(turn, voice(1000), slin.silence(700))
    assert (await finished(turn))[0] == "1700 ms"
    model.fails = 2
    turn = model.turn()
    await speak(turn, voice(1000), slin.silence(700))
    with pytest.raises(SpeechError, match="tired"):
        await turn.finish()


@virtual
async def test_a_call_that_is_over_leaves_no_work_behind() -> None:
    model = Model(seconds=60)
    turns = [model.turn() for _ in range(3)]
    for turn in turns:
        await speak(turn, BEFORE, voice(1000), slin.silence(400))
    turns[0].cancel()
    turns[0].cancel()
    turns[0].feed(voice(100))
    waiting = asyncio.ensure_future(turns[1].finish())
    await asyncio.sleep(0)
    waiting.cancel()
    turns[1].cancel()
    assert await turns[2].finish() == "1600 ms"
    assert await turns[0].finish() == ""
    assert await model.turn().finish() == ""
    assert model.answered == [1600]


# --- the quiet


def quiet_after(*sounds: bytes) -> int:
    tail = QuietTail()
    for frame in slin.frames(b"".join(sounds), 700):  # a piece is of any length
        tail.feed(frame)
    return tail.quiet_ms


def test_quiet_is_counted_from_the_end_of_the_voice() -> None:
    assert quiet_after(slin.silence(300), voice(400), slin.silence(300)) == 300
    assert quiet_after(slin.silence(300), voice(400)) == 0
    assert quiet_after(slin.silence(900)) == 0
    assert quiet_after() == 0


def test_noise_that_is_nearly_as_loud_is_never_taken_for_quiet() -> None:
    assert quiet_after(noise(1000, -20, "white", 1), noise(1000, -26, "white", 2)) == 0


@pytest.mark.every(3)
@pytest.mark.parametrize("snr_db", [None, 20, 10])
def test_the_end_of_what_callers_say_is_found_and_never_too_early(snr_db: int | None) -> None:
    """In most; where it is not, only time is lost."""
    found = 0
    for phrase in CALLERS.phrases:
        speech = phrase.pcm[phrase.speech_start_ms * 16 : phrase.speech_end_ms * 16]
        level = None if snr_db is None else slin.level_dbfs(speech) - snr_db
        sound = LineModel("ulaw", level).send(slin.silence(300) + speech + slin.silence(500))
        assert quiet_after(sound[: (300 + len(speech) // 16) * 16]) <= SPECULATE_AFTER_MS, phrase.text
        found += quiet_after(sound) >= SPECULATE_AFTER_MS
    assert found >= 0.9 * len(CALLERS.phrases)


def test_any_cut_of_the_sound_is_the_same() -> None:
    sound = np.frombuffer(CALLERS.phrases[0].pcm, "<i2").tobytes() + slin.silence(300)
    whole, pieces = QuietTail(), QuietTail()
    whole.feed(sound)
    for piece in slin.frames(sound, 34):
        pieces.feed(piece)
    assert whole.quiet_ms == pieces.quiet_ms >= 300
