"""The model for many calls at once says what it says of each call alone: a small one, and Silero's."""

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from audiosocket_server.detectors import load_silero_batch
from audiosocket_server.endpointing import SileroBatch, SileroModel, SileroStream, SileroVad
from helpers.call_bench import ROOT
from numpy.typing import NDArray

from audiosocket_core.phrase_book.book import PhraseBook
from audiosocket_core.slin import frames, silence
from audiosocket_sim.phone.line import noise

STREAMS = 4


def small_model(outputs: None, inputs: Mapping[str, NDArray[Any]]) -> Sequence[NDArray[np.float32]]:
    """Depends on the window, the samples before it and the state, as Silero does."""
    loud = np.abs(inputs["input"]).mean(axis=1, keepdims=True)
    before = inputs["input"][:, :32].sum(axis=1, keepdims=True)
    states = 0.7 * inputs["state"] + loud + 0.1 * before
    return [1 / (1 + np.exp(0.5 - 20 * states[0, :, :1])), states]


class Alone:
    """The small model with the state of one stream."""

    def __init__(self) -> None:
        self.reset()

    def process(self, data: memoryview) -> float:
        window = np.frombuffer(data, np.float32)
        heard = np.concatenate((self._before, window))[None, :]
        likelihoods, self._state = small_model(None, {"input": heard, "state": self._state})
        self._before = window[-32:].copy()
        return float(likelihoods[0, 0])

    def reset(self) -> None:
        self._before, self._state = np.zeros(32, np.float32), np.zeros((2, 1, 128), np.float32)


def small() -> tuple[SileroBatch, SileroModel]:
    return SileroBatch(small_model, STREAMS), Alone()


def real() -> tuple[SileroBatch, SileroModel | None]:
    pytest.importorskip("onnxruntime")
    return load_silero_batch(STREAMS), None


MODELS = [pytest.param(small, id="small"), pytest.param(real, id="silero", marks=pytest.mark.extra)]


def sounds() -> list[list[bytes]]:
    phrases = PhraseBook.load(ROOT / "recordings").phrases[:STREAMS]
    pcm = [silence(300) + phrase.pcm[:32_000] + noise(400, -40) for phrase in phrases]
    return [[frame for frame in frames(one, 320) if len(frame) == 320] for one in pcm]


def stream(vad: SileroVad) -> SileroStream:
    assert isinstance(vad.model, SileroStream)
    return vad.model


@pytest.mark.parametrize("models", MODELS)
@pytest.mark.parametrize("ahead", [0.0, 0.6, 1.0], ids=["alone", "some_ahead", "all_ahead"])
def test_each_verdict_is_that_of_the_model_alone(
    ahead: float, models: Callable[[], tuple[SileroBatch, SileroModel | None]]
) -> None:
    """Whichever windows were judged ahead, also where another frame came than the one that was expected."""
    batch, by_itself = models()
    alone, chance = SileroVad(0.5, by_itself), random.Random(1)
    vads, heard = [SileroVad(0.5, batch.open()) for _ in range(STREAMS)], sounds()
    said: list[list[tuple[bool, float]]] = [[] for _ in vads]
    begun_anew = [chance.randrange(20, 60) for _ in vads]
    for number in range(min(map(len, heard))):
        coming = [(vad, one[number]) for vad, one in zip(vads, heard, strict=True) if chance.random() < ahead]
        other = [(vad, frame if chance.random() < 0.9 else heard[0][0]) for vad, frame in coming]
        windows = [(stream(vad), w) for vad, frame in other if (w := vad.window_with(frame)) is not None]
        if windows:
            batch.judge_ahead(windows)
        for vad, one, told, anew in zip(vads, heard, said, begun_anew, strict=True):
            if number == anew:
                vad.reset()
            told.append((vad.is_speech(one[number]), vad.likelihood))
    assert any(voiced for told in said for voiced, _ in told)
    for one, told, anew in zip(heard, said, begun_anew, strict=True):
        alone.reset()
        for number, (voiced, likelihood) in enumerate(told):
            if number == anew:
                alone.reset()
            assert (alone.is_speech(one[number]), alone.likelihood) == (voiced, pytest.approx(likelihood, abs=1e-5))


def test_there_are_no_more_streams_than_were_asked_for() -> None:
    batch = SileroBatch(small_model, 1)
    batch.open()
    with pytest.raises(RuntimeError, match="silero has 1 streams already"):
        batch.open()
