"""The state machine of one recognition turn: which messages follow from which audio, and in what order."""

import itertools
from dataclasses import replace

import pytest
from helpers.fake_azure_needs import QUERO, quero, recording, riff

from audiosocket_core.slin import resample, silence, ulaw_encode
from audiosocket_sim.fake_azure.client_requests import InvalidRequest, RecognitionRequest
from audiosocket_sim.fake_azure.messages import (
    Hypothesis,
    ServiceMessage,
    SpeechEndDetected,
    SpeechPhrase,
    SpeechStartDetected,
    Status,
    TurnEnded,
    TurnStarted,
)
from audiosocket_sim.fake_azure.recognisers import phrase_book, recogniser_from
from audiosocket_sim.fake_azure.recognition import RecognitionTurn
from audiosocket_sim.scenario.paths import PROJECT

CONTINUOUS = RecognitionRequest("pt-BR", False, False, 15_000, 600, False)
ONCE = replace(CONTINUOUS, once=True)
BOOK = phrase_book([PROJECT / "recordings"])


def turn(asked: RecognitionRequest = CONTINUOUS, status: Status | None = None) -> RecognitionTurn:
    return RecognitionTurn(asked, BOOK, "tag", status)


def fed(turn: RecognitionTurn, sound: bytes, *, header: bytes = riff(8000), block: int = 1600) -> list[ServiceMessage]:
    """Return all messages of a turn with this audio, to its end, without hypotheses."""
    told = [*turn.begin(), *turn.audio(header)]
    for at in range(0, len(sound), block):
        told += turn.audio(sound[at : at + block])
    told += turn.audio(b"")
    return [message for message in told if not isinstance(message, Hypothesis)]


def test_continuous() -> None:
    heard = turn()
    told = fed(heard, quero() + silence(800) + recording("sim") + silence(700))
    assert told == [
        TurnStarted("tag"),
        SpeechStartDetected(200),
        SpeechPhrase("Success", QUERO, 200, 3160),
        SpeechStartDetected(4800),
        SpeechPhrase("Success", "Sim.", 4800, 380),
        SpeechEndDetected(6200),
        SpeechPhrase("EndOfDictation", "", 6200, 0),
        TurnEnded(),
    ]
    assert heard.texts == [QUERO, "Sim."]
    assert (heard.over, heard.heard_ms, heard.last_status) == (True, 6200, "Success")


def test_once() -> None:
    told = fed(turn(ONCE), quero() + silence(800) + recording("sim") + silence(700))
    assert told == [
        TurnStarted("tag"),
        SpeechStartDetected(200),
        SpeechEndDetected(3360),
        SpeechPhrase("Success", QUERO, 200, 3160),
        TurnEnded(),
    ]


@pytest.mark.every(2)
@pytest.mark.parametrize("block", [320, 333, 1600, 100_000])
def test_however_the_audio_is_cut(block: int) -> None:
    sound = quero() + silence(800) + recording("sim") + silence(700)
    phrases = [message.text for message in fed(turn(), sound, block=block) if isinstance(message, SpeechPhrase)]
    assert phrases == [QUERO, "Sim.", ""]


def test_an_open_phrase_is_finished_at_the_end_of_the_audio() -> None:
    told = fed(turn(), quero())
    assert SpeechPhrase("Success", QUERO, 200, 3160) in told
    assert told[-1] == TurnEnded()


def test_hypotheses_grow_with_what_was_heard() -> None:
    heard = turn()
    told = [*heard.audio(riff(8000))]
    for at in range(0, len(quero()), 1600):
        told += heard.audio(quero()[at : at + 1600])
    texts = [message.text for message in told if isinstance(message, Hypothesis)]
    assert texts[0] == "quero"
    assert texts[-1] == "quero falar com o apartamento 202 por"
    assert all(later.startswith(earlier) for earlier, later in itertools.pairwise(texts))


def test_only_silence() -> None:
    told = fed(turn(), silence(2000))
    assert told[1:3] == [SpeechPhrase("InitialSilenceTimeout", "", 0, 2000), SpeechEndDetected(2000)]


@pytest.mark.parametrize("asked", [ONCE, CONTINUOUS], ids=["once", "continuous"])
def test_too_long_a_silence_ends_the_turn(asked: RecognitionRequest) -> None:
    heard = turn(replace(asked, initial_silence_ms=1000))
    told = fed(heard, silence(1500) + quero())
    assert told == [TurnStarted("tag"), SpeechPhrase("InitialSilenceTimeout", "", 0, 1000), TurnEnded()]


def test_no_audio_at_all() -> None:
    heard = turn()
    assert list(heard.audio(b"")) == [SpeechEndDetected(0), SpeechPhrase("EndOfDictation", "", 0, 0), TurnEnded()]
    assert heard.last_status is None


def test_unknown_speech_is_no_match() -> None:
    heard = turn()
    told = fed(heard, memoryview(quero()).cast("h")[::-1].tobytes())  # backwards
    assert [message.status for message in told if isinstance(message, SpeechPhrase)] == ["NoMatch", "EndOfDictation"]
    assert (heard.texts, heard.last_status) == ([], "NoMatch")


def test_a_status_that_was_planned() -> None:
    heard = turn(ONCE, "TooManyRequests")
    assert SpeechPhrase("TooManyRequests", "", 200, 3160) in fed(heard, quero())
    assert heard.texts == []


def test_commit_makes_the_open_phrase_final() -> None:
    heard = turn()
    list(heard.audio(riff(8000) + quero()))
    assert list(heard.commit()) == [SpeechPhrase("Success", QUERO, 200, 3450)]
    assert list(heard.commit()) == []
    list(heard.audio(silence(700)))
    assert [type(message) for message in heard.audio(b"")] == [SpeechEndDetected, SpeechPhrase, TurnEnded]


@pytest.mark.every(2)
@pytest.mark.parametrize("cut", [1, 43, 44, 60])
def test_a_header_in_pieces(cut: int) -> None:
    heard = turn()
    data = riff(8000) + quero()
    told = [*heard.audio(data[:cut]), *heard.audio(data[cut:]), *heard.audio(b"")]
    assert SpeechPhrase("Success", QUERO, 200, 3160) in told


def test_audio_without_a_riff_header() -> None:
    with pytest.raises(InvalidRequest, match="RIFF"):
        list(turn().audio(quero()))


def test_wideband_and_mu_law() -> None:
    wide = fed(turn(), resample(quero(), 8000, 16000), header=riff(16000), block=3200)
    coded = fed(turn(), ulaw_encode(quero()), header=riff(8000, tag=7, bits=8), block=800)
    for told in (wide, coded):
        assert [message.text for message in told if isinstance(message, SpeechPhrase)] == [QUERO, ""]


def test_a_phrase_without_end_is_cut() -> None:
    lengths: list[int] = []

    def measure(pcm: bytes, rate_hz: int, language: str) -> str:
        lengths.append(len(pcm) * 1000 // 2 // rate_hz)
        return "So much."

    heard = RecognitionTurn(CONTINUOUS, recogniser_from(measure), "tag")
    told = fed(heard, quero() * 20)  # 73 s without a pause of 600 ms
    statuses = [message.status for message in told if isinstance(message, SpeechPhrase)]
    assert statuses == ["Success", "Success", "EndOfDictation"]
    assert lengths[0] == pytest.approx(60_000, abs=600)
