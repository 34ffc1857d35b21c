"""What is said too early waits: until it is released, or until it is proven. Pure."""

from audiosocket_server.call.early_speech import EarlySpeech
from audiosocket_server.endpointing import EndpointingFact, SpeechPaused, SpeechWentOn, UtteranceClosed, UtteranceOpened

OPENED = UtteranceOpened(b"before")


def feed(early: EarlySpeech, *pieces: tuple[list[EndpointingFact] | None, bytes], voiced_ms: int = 100) -> None:
    for facts, pcm in pieces:
        assert early.take(facts, pcm, voiced_ms) is None


def test_an_utterance_waits_with_all_its_audio() -> None:
    early = EarlySpeech(None)
    feed(early, (None, b"noise"), ([OPENED], b"its last piece, in `pcm` already"), (None, b"+1"), (None, b"+2"))
    early.release()
    assert not early.over
    assert early.take(None, b"+3", 100) == [UtteranceOpened(b"before+1+2+3")]
    assert early.over


def test_one_that_ended_meanwhile_is_let_through_with_its_end() -> None:
    early = EarlySpeech(None)
    feed(early, ([OPENED], b""), ([UtteranceClosed("silence", 400, 700)], b"+1"), (None, bytes(3200)))
    early.release()
    assert early.take(None, bytes(320), 0) == [UtteranceOpened(b"before+1"), UtteranceClosed("silence", 400, 920)]


def test_a_noise_is_dropped_and_what_comes_after_it_is_kept() -> None:
    early = EarlySpeech(None)
    feed(early, ([OPENED], b""), ([UtteranceClosed("too_short", 60, 700)], b"+1"), (None, b"+2"))
    feed(early, ([UtteranceOpened(b"again")], b""))
    early.release()
    assert early.take(None, b"", 0) == [UtteranceOpened(b"again")]


def test_with_nothing_held_back_it_is_over_at_once() -> None:
    early = EarlySpeech(None)
    feed(early, (None, b"noise"))
    early.release()
    assert early.over
    assert early.take(None, b"", 0) is None


def test_a_proven_utterance_needs_no_release() -> None:
    early = EarlySpeech(240)
    feed(early, (None, b""), voiced_ms=300)  # of an utterance before
    feed(early, ([OPENED], b""), voiced_ms=60)
    feed(early, (None, b"+1"), voiced_ms=220)
    assert early.take(None, b"+2", 240) == [UtteranceOpened(b"before+1+2")]
    assert early.over


def test_the_whole_of_a_noise_is_no_proof() -> None:
    early = EarlySpeech(240)
    feed(early, ([OPENED], b""), ([UtteranceClosed("too_short", 60, 700)], b""), voiced_ms=60)
    feed(early, (None, b"+1"), voiced_ms=260)


def test_a_pause_within_it_changes_nothing() -> None:
    early = EarlySpeech(None)
    feed(early, ([OPENED], b""), ([SpeechPaused(too_short=True)], b"+1"), ([SpeechWentOn()], b"+2"))
    early.release()
    assert early.take(None, b"", 0) == [UtteranceOpened(b"before+1+2")]
