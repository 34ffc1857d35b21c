"""Redacted calls: a VAD takes the patterns for speech, the matcher distinguishes them, and no private field is left."""

import dataclasses
from uuid import UUID

import pytest
import webrtcvad

from audiosocket_core.phrase_book.book import Phrase, PhraseBook
from audiosocket_core.phrase_book.matching import Matcher
from audiosocket_core.slin import frames, silence
from audiosocket_sim.live.captured_call import (
    Answer,
    BotPacket,
    CapturedCall,
    CapturedPush,
    CapturedRecognition,
    Ending,
    Exchange,
    KeyPressed,
    Packet,
    ReportedState,
    redact,
)
from audiosocket_sim.live.captured_call.analysis import KnownSounds
from audiosocket_sim.live.captured_call.cassette import cassette
from audiosocket_sim.live.captured_call.tones import tone_pattern
from audiosocket_sim.phone.line import LineModel
from audiosocket_sim.scenario.cassette import RawExchange

NOTHING_KNOWN = KnownSounds(PhraseBook([]), b"")
SECRET = "Segredo"


@pytest.mark.every(3)
@pytest.mark.parametrize("ms", [400, 1_000, pytest.param(3_000, marks=pytest.mark.long("shorter ones are recognised"))])
def test_patterns_of_one_length_are_distinguished(ms: int) -> None:
    """Forty utterances of the same length over a noisy line: each is recognised as itself only."""
    book = [Phrase.from_pcm(f"{n}", f"utterance {n}", tone_pattern(n, ms)) for n in range(1, 41)]
    matcher = Matcher(book)
    for phrase in book[::4]:
        line = LineModel("ulaw", -50.0)
        listening = matcher.listen()
        listening.feed(line.send(silence(500) + phrase.pcm + silence(800)))
        (match,) = listening.matches()
        assert match.phrase.name == phrase.name
        assert match.whole
        assert match.margin > 0.3


@pytest.mark.every(4)
@pytest.mark.parametrize("number", range(1, 8))
def test_a_pattern_is_speech_to_a_voice_activity_detector(number: int) -> None:
    vad = webrtcvad.Vad(2)
    heard = [vad.is_speech(frame, 8000) for frame in frames(tone_pattern(number, 2_000), 320)]
    assert heard.count(True) > 0.8 * len(heard)


def test_a_pattern_is_as_long_as_asked_and_the_same_each_time() -> None:
    assert len(tone_pattern(3, 777)) == 2 * 8 * 777
    assert tone_pattern(3, 777) == tone_pattern(3, 777)
    assert tone_pattern(3, 777) != tone_pattern(4, 777)


def secretive() -> CapturedCall:
    """A call with something private in every field that can hold it."""
    body = {
        "content": {"mensagem": SECRET, "dados": {"cpf": SECRET}, SECRET: 1, "set_call_status": SECRET},
        "set_call_status": "WAITING",
        "callback": f"http://host/{SECRET}",
        "timestamp": SECRET,
    }
    loud = bytes([0x31, 0x32]) * 160
    return CapturedCall(
        UUID("0f3b6c1e-5d2a-4c7e-9b1f-2a6d8e4c0b57"),
        Ending(4_000, "server", "hangup_message"),
        caller=tuple(Packet(20 * n, loud) for n in range(1, 190)),
        bot=tuple(BotPacket(20 * n, 8000, loud) for n in range(1, 190)),
        keys=(KeyPressed(1_000, "7"), KeyPressed(1_300, "#")),
        recognised=(CapturedRecognition(2_000, SECRET), CapturedRecognition(2_100, "")),
        states=(ReportedState(1, "STANDBY", SECRET),),
        exchanges=(
            Exchange(2_000, SECRET, SECRET, Answer(2_100, 200, body)),
            Exchange(2_500, f"outro {SECRET}", SECRET),
            Exchange(2_700, SECRET, "", Answer(2_800, 200), RawExchange("POST", f"/{SECRET}", SECRET.encode())),
        ),
        pushes=(CapturedPush(3_000, body),),
        backend_captured=True,
    )


def test_no_field_keeps_what_was_private() -> None:
    call = secretive()
    redacted = redact(call, NOTHING_KNOWN)
    assert {f.name for f in dataclasses.fields(CapturedCall)} == {
        "uuid", "ending", "version", "attach", "rate_hz", "packet_time_ms", "caller", "bot", "keys", "recognised",
        "mutes", "states", "exchanges", "pushes", "backend_captured", "utterances", "redacted",
        "n_unredacted",
    }, "a new field: may it be kept?"  # fmt: skip
    told = repr(dataclasses.asdict(redacted)) + cassette(redacted)
    assert SECRET not in told
    assert str(call.uuid) not in told
    assert [key.digit for key in redacted.keys] == ["0", "0"]
    assert not any(b"\x31\x32\x31\x32" in packet.payload for packet in (*redacted.caller, *redacted.bot))
    assert redacted.redacted
    assert (len(redacted.exchanges), redacted.n_unredacted) == (2, 1)


def test_the_same_text_is_the_same_utterance_and_another_is_another() -> None:
    redacted = redact(secretive(), NOTHING_KNOWN)
    first, second = redacted.exchanges
    assert first.text != second.text
    assert redacted.recognised[0].text == first.text
    assert redacted.recognised[1].text == ""
    assert redacted.pushes[0].body["content"]["mensagem"] == first.text
    assert redacted.pushes[0].body["set_call_status"] == "WAITING"
    assert redacted.pushes[0].body["content"]["set_call_status"] == "OTHER"
