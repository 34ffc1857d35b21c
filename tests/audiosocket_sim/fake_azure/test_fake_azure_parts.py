"""The pure parts of the fake Azure Speech service: frames, requests, audio formats, speech detection."""

import contextlib
import json
from pathlib import Path

import pytest
from helpers.fake_azure_needs import prompt, quero, recording, riff
from hypothesis import example, given
from hypothesis import strategies as st

from audiosocket_core.slin import gain, mix, silence, ulaw_encode
from audiosocket_sim.fake_azure.audio_formats import InputFormat, OutputFormat, read_riff
from audiosocket_sim.fake_azure.client_requests import (
    InvalidRequest,
    UpgradeRequest,
    output_format_of,
    read_recognition,
    read_ssml,
    read_upgrade,
    wants_words,
)
from audiosocket_sim.fake_azure.frames import Frame, MalformedFrame, pack, unpack
from audiosocket_sim.fake_azure.messages import SpeechPhrase, SpeechStartDetected, WordBoundary, frame_of
from audiosocket_sim.fake_azure.recognisers import RecogniserError, load_recogniser, phrase_book, recogniser_from
from audiosocket_sim.fake_azure.speech_detector import PhraseEnded, PhraseStarted, SpeechDetector
from audiosocket_sim.phone.line import noise
from audiosocket_sim.scenario.paths import PROJECT

V2 = UpgradeRequest("recognition", "/stt/speech/universal/v2", "key", {})

# --- frames


def test_a_text_frame_as_the_sdk_sends_it() -> None:
    frame = unpack("X-Timestamp:2026-01-01T00:00:00Z\r\nPath:speech.context\r\nX-RequestId:34a1\r\n\r\n{}")
    assert (frame.path, frame.request_id, frame.body) == ("speech.context", "34a1", "{}")


def test_a_binary_frame_as_the_sdk_sends_it() -> None:
    headers = b"Path:audio\r\nX-RequestId:34a1\r\nX-StreamId:1\r\n"
    frame = unpack(len(headers).to_bytes(2, "big") + headers + b"\r\n\x00")
    assert (frame.path, frame.request_id, frame.body) == ("audio", "34a1", b"\r\n\x00")


def test_headers_with_blanks_and_in_small_letters() -> None:
    frame = unpack("path: speech.config\r\n\r\n")  # as other SDKs write them
    assert (frame.path, frame.request_id, frame.body) == ("speech.config", "", "")


@pytest.mark.parametrize("data", ["", "Path:audio", "Path:audio\r\n", "nothing\r\n\r\n", "X-RequestId:1\r\n\r\n"])
def test_texts_that_are_no_frames(data: str) -> None:
    with pytest.raises(MalformedFrame):
        unpack(data)


@pytest.mark.parametrize("data", [b"", b"\x00", b"\x00\x0bPath:audio", b"\x00\x01\xff", b"\x00\x00audio"])
def test_bytes_that_are_no_frames(data: bytes) -> None:
    with pytest.raises(MalformedFrame):
        unpack(data)


@pytest.mark.long("texts and bytes that are no frames are tried")
@given(st.one_of(st.text(), st.binary()))
def test_nothing_but_malformed_frames(data: str | bytes) -> None:
    with contextlib.suppress(MalformedFrame):
        unpack(data)


@example("{}")
@example(b"\x00\xff")
@given(st.one_of(st.text('aZ0:;{}" \r\n\té\0\u2028\U0001f600'), st.binary()))  # of all there are: 3 s, to list them
def test_a_packed_frame_unpacks_to_itself(body: str | bytes) -> None:
    frame = unpack(pack(Frame("audio", "34a1", body, {"X-StreamId": "1"})))
    assert (frame.path, frame.request_id, frame.body) == ("audio", "34a1", body)
    assert frame.headers["x-streamid"] == "1"


def test_messages_are_in_units_of_100_ns() -> None:
    assert json.loads(frame_of(SpeechStartDetected(200), "1").body) == {"Offset": 2_000_000}
    phrase = json.loads(frame_of(SpeechPhrase("Success", "Sim.", 200, 380, detailed=True), "1").body)
    assert (phrase["Offset"], phrase["Duration"], phrase["DisplayText"]) == (2_000_000, 3_800_000, "Sim.")
    assert phrase["NBest"][0]["Display"] == "Sim."
    assert "DisplayText" not in json.loads(frame_of(SpeechPhrase("NoMatch", "", 0, 0), "1").body)
    word = frame_of(WordBoundary("Sim", 50, 330), "1")
    assert word.path == "audio.metadata"
    text = {"Text": "Sim", "Length": 3, "BoundaryType": "WordBoundary"}
    said = {"Offset": 500_000, "Duration": 3_300_000, "text": text}
    assert json.loads(word.body) == {"Metadata": [{"Type": "WordBoundary", "Data": said}]}
    assert '"PunctuationBoundary"' in str(frame_of(WordBoundary(".", 380, 10, is_punctuation=True), "1").body)


# --- what is asked for


@pytest.mark.parametrize(
    ("target", "service"),
    [
        ("/stt/speech/universal/v2", "recognition"),
        ("/speech/recognition/conversation/cognitiveservices/v1?language=pt-BR", "recognition"),
        ("/", "recognition"),
        ("/tts/cognitiveservices/websocket/v1", "synthesis"),
        ("/cognitiveservices/websocket/v1", "synthesis"),
        ("/voices/list", None),
    ],
)
def test_the_service_is_in_the_path(target: str, service: str | None) -> None:
    upgrade = read_upgrade(target, {})
    assert (upgrade.service if upgrade else None) == service


@pytest.mark.parametrize(
    ("target", "headers"),
    [
        ("/", {"OCP-apim-subscription-key": "k"}),
        ("/", {"Authorization": "Bearer k"}),
        ("/?Ocp-Apim-Subscription-Key=k", {}),
        ("/?Authorization=Bearer+k", {}),
    ],
)
def test_the_key_or_token(target: str, headers: dict[str, str]) -> None:
    upgrade = read_upgrade(target, headers)
    assert upgrade is not None
    assert upgrade.key == "k"


def test_a_speech_context() -> None:
    context = {
        "phraseDetection": {
            "mode": "CONVERSATION",
            "language": "pt-BR",
            "initialSilenceTimeout": 4000,
            "CONVERSATION": {"segmentation": {"segmentationSilenceTimeoutMs": 700, "mode": "Custom"}},
        },
        "phraseOutput": {"format": "Detailed"},
        "continuation": {"previousServiceTag": "x"},
    }
    asked = read_recognition(json.dumps(context), V2)
    assert (asked.language, asked.once, asked.detailed, asked.continued) == ("pt-BR", False, True, True)
    assert (asked.initial_silence_ms, asked.segmentation_ms) == (4000, 700)
    assert read_recognition('{"phraseDetection": {"mode": "INTERACTIVE"}}', V2).once


def test_the_older_paths() -> None:
    path = "/speech/recognition/interactive/cognitiveservices/v1?language=en-US&format=detailed"
    upgrade = read_upgrade(path, {})
    assert upgrade is not None
    asked = read_recognition("{}", upgrade)
    assert (asked.language, asked.once, asked.detailed) == ("en-US", True, True)


@pytest.mark.parametrize("context", ["", "[", "[" * 100_000])
def test_a_context_that_is_not_json(context: str) -> None:
    with pytest.raises(InvalidRequest, match=r"speech.context is not valid JSON"):
        read_recognition(context, V2)


@pytest.mark.parametrize(
    "context", ["[]", "3", '{"phraseDetection": 3, "phraseOutput": []}', '{"phraseDetection": {"X": 1}}']
)
def test_an_odd_context_is_passed_over(context: str) -> None:
    assert read_recognition(context, V2).segmentation_ms == 600


def test_ssml() -> None:
    asked = read_ssml("<speak xml:lang='en-US'><voice name='pt-BR-X'>Olá &amp;\n <break/>tchau</voice></speak>")
    assert (asked.text, asked.voice, asked.language) == ("Olá & tchau", "pt-BR-X", "pt-BR")
    assert read_ssml("<speak xml:lang='de-DE'>Ja</speak>").language == "de-DE"


@pytest.mark.parametrize(
    ("ssml", "why"),
    [
        ("<speak>", "not valid XML"),
        ("Olá", "not valid XML"),
        ("<voice>Olá</voice>", "expected <speak>"),
        ('<!DOCTYPE x [<!ENTITY a "b">]><speak>&a;</speak>', "DOCTYPE"),
        ("<speak>" + "a" * 100_000 + "</speak>", "more than 100000 characters"),
    ],
)
def test_ssml_that_is_not_valid(ssml: str, why: str) -> None:
    with pytest.raises(InvalidRequest, match=why):
        read_ssml(ssml)


def test_the_output_format_has_to_be_said() -> None:
    assert output_format_of('{"synthesis": {"audio": {"outputFormat": "raw-8khz-16bit-mono-pcm"}}}').startswith("raw")
    with pytest.raises(InvalidRequest, match="outputFormat is missing"):
        output_format_of("{}")


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ('{"wordBoundaryEnabled": "true"}', True),  # as the SDK for Python writes it
        ('{"wordBoundaryEnabled": true}', True),
        ('{"wordBoundaryEnabled": "false"}', False),
        ("{}", False),
        ("7", False),
    ],
)
def test_the_times_of_words_are_told_to_who_asks(options: str, wanted: bool) -> None:
    assert wants_words(f'{{"synthesis": {{"audio": {{"metadataOptions": {options}}}}}}}') is wanted
    assert not wants_words("{}")


# --- audio formats


@pytest.mark.parametrize("rate_hz", [8000, 16000, 48000])
def test_the_header_says_the_rate(rate_hz: int) -> None:
    assert read_riff(riff(rate_hz) + b"ab") == (InputFormat(rate_hz, "pcm"), b"ab")


def test_mu_law_in() -> None:
    form, _ = read_riff(riff(8000, tag=7, bits=8))
    assert form.coding == "mulaw"
    assert form.bytes_per_second == 8000
    assert form.decode(ulaw_encode(b"\0\0" * 80)) == b"\0\0" * 80


@pytest.mark.parametrize(
    ("header", "why"),
    [
        (b"OggS" + bytes(40), "expected a RIFF header"),
        (riff(8000, channels=2), "2 channels"),
        (riff(4000), "4000 Hz"),
        (riff(16000, tag=3, bits=32), "tag 3"),
        (b"RIFF\0\0\0\0WAVEdata\0\0\0\0", "no format"),
    ],
)
def test_audio_that_the_fake_does_not_accept(header: bytes, why: str) -> None:
    with pytest.raises(InvalidRequest, match=why):
        read_riff(header)


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("raw-8khz-16bit-mono-pcm", 1600),
        ("raw-16khz-16bit-mono-pcm", 3200),
        ("raw-22050hz-16bit-mono-pcm", 4410),
        ("raw-8khz-8bit-mono-mulaw", 800),
        ("raw-8khz-8bit-mono-alaw", 800),
        ("riff-8khz-16bit-mono-pcm", 1644),
    ],
)
def test_100_ms_out(name: str, size: int) -> None:
    assert len(OutputFormat.named(name).encode(silence(100))) == size


@pytest.mark.parametrize(
    "name", ["audio-16khz-32kbitrate-mono-mp3", "raw-8khz-8bit-mono-pcm", "raw-1khz-16bit-mono-pcm"]
)
def test_formats_that_the_fake_does_not_support(name: str) -> None:
    with pytest.raises(InvalidRequest, match="does not support"):
        OutputFormat.named(name)


# --- where speech begins and ends


def found(sound: bytes, silence_ms: int = 600, block: int = 1600) -> list[PhraseStarted | PhraseEnded]:
    detector = SpeechDetector(silence_ms)
    return [event for at in range(0, len(sound), block) for event in detector.feed(sound[at : at + block])]


def test_two_stretches_of_speech() -> None:
    sound = quero() + silence(800) + recording("sim") + silence(700)
    start, end, start_2, end_2 = found(sound)
    assert (start.at_ms, end.at_ms) == (pytest.approx(200, abs=60), pytest.approx(3310, abs=100))
    assert (start_2.at_ms, end_2.at_ms) == (pytest.approx(4810, abs=60), pytest.approx(5190, abs=100))
    assert found(sound, block=37) == [start, end, start_2, end_2]  # however it is cut


@pytest.mark.parametrize("sound", [silence(3000), noise(3000, -55.0, "white", 1), noise(3000, -35.0, "white", 1)])
def test_silence_and_steady_noise_are_no_speech(sound: bytes) -> None:
    assert found(sound) == []


def test_speech_over_noise() -> None:
    sound = mix(silence(500) + quero() + silence(1500), noise(5600, -38.0, "white", 1))
    start, end = found(sound)
    assert start.at_ms == pytest.approx(700, abs=100)
    assert end.at_ms == pytest.approx(3810, abs=200)


def test_speech_that_begins_with_the_sound_and_a_soft_caller() -> None:
    assert [type(event) for event in found(quero()[3200:] + silence(700))] == [PhraseStarted, PhraseEnded]
    assert [type(event) for event in found(gain(quero(), -20) + silence(700))] == [PhraseStarted, PhraseEnded]


# --- recognisers


def test_the_phrase_book_hears_what_came() -> None:
    book = phrase_book([PROJECT / "recordings", PROJECT / "audio" / "prompts"])
    for sound, text in (
        (quero(), "Quero falar com o apartamento 202, por favor."),
        (prompt("Pode subir."), "Pode subir."),
    ):
        hearing = book.listen("pt-BR", 8000)
        hearing.feed(sound)
        assert hearing.finish() == text
    cut = book.listen("pt-BR", 8000)
    cut.feed(quero()[: len(quero()) // 2])
    assert cut.finish() == ""


class Counting:
    def __init__(self, language: str) -> None:
        self.heard = 0

    def feed(self, pcm: bytes) -> str:
        self.heard += len(pcm)
        return f"{self.heard} bytes"

    def finish(self) -> str:
        return f"{self.heard} bytes in all"


def whole_phrase(pcm: bytes, rate_hz: int, language: str, beam: int = 5) -> str:
    return f"{len(pcm)} {rate_hz} {language}"


def test_recognisers_of_ones_own() -> None:
    hearing = recogniser_from(Counting).listen("pt-BR", 8000)
    assert (hearing.feed(bytes(10)), hearing.finish()) == ("10 bytes", "10 bytes in all")
    recogniser = recogniser_from(whole_phrase)
    hearing = recogniser.listen("pt-BR", 16000)
    assert recogniser.rate_hz is None
    assert (hearing.feed(bytes(10)), hearing.feed(bytes(4)), hearing.finish()) == (None, None, "14 16000 pt-BR")


def test_recognisers_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_ears.py").write_text("def ear(pcm, rate_hz, language):\n    return 'Oi.'\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    assert load_recogniser("own_ears:ear").listen("pt-BR", 8000).finish() == "Oi."


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("own_ears", "module:callable"),
        ("no_such_module:ear", "cannot be imported"),
        ("os:no_such_name", "cannot be imported"),
        ("os:getcwd", "needs 0 arguments"),
        ("os:sep", "is not callable"),
    ],
)
def test_recognisers_that_cannot_be(name: str, why: str) -> None:
    with pytest.raises(RecogniserError, match=why):
        load_recogniser(name)
