"""What few clients of the fake Azure Speech service meet: each message's frame, A-law, speech up to the last sample."""

import json
from typing import Any

import pytest
from helpers.fake_azure_needs import QUERO, quero, riff

from audiosocket_core.slin import alaw_encode, resample, silence
from audiosocket_sim.fake_azure.audio_formats import InputFormat, OutputFormat
from audiosocket_sim.fake_azure.client_requests import RecognitionRequest
from audiosocket_sim.fake_azure.frames import MalformedFrame, unpack
from audiosocket_sim.fake_azure.messages import (
    AudioChunk,
    Hypothesis,
    ResponseBegan,
    ServiceMessage,
    SpeechPhrase,
    TurnEnded,
    TurnStarted,
    frame_of,
)
from audiosocket_sim.fake_azure.plan import Faults, PlanStep
from audiosocket_sim.fake_azure.plan_progress import PlanProgress
from audiosocket_sim.fake_azure.recognisers import phrase_book, recogniser_from
from audiosocket_sim.fake_azure.recognition import RecognitionTurn
from audiosocket_sim.scenario.paths import PROJECT

BOOK = phrase_book([PROJECT / "recordings"])


@pytest.mark.parametrize(
    ("message", "path", "body"),
    [
        (TurnStarted("t"), "turn.start", {"context": {"serviceTag": "t"}}),
        (
            Hypothesis("sim", 200, 380),
            "speech.hypothesis",
            {"Text": "sim", "Offset": 2_000_000, "Duration": 3_800_000},
        ),
        (
            ResponseBegan("s"),
            "response",
            {"context": {"serviceTag": "s"}, "audio": {"type": "inline", "streamId": "s"}},
        ),
        (TurnEnded(), "turn.end", {}),
    ],
)
def test_a_message_as_the_client_gets_it(message: ServiceMessage, path: str, body: dict[str, Any]) -> None:
    frame = frame_of(message, "34a1")
    assert (frame.path, frame.request_id, json.loads(frame.body)) == (path, "34a1", body)
    assert frame.headers == {"Content-Type": "application/json; charset=utf-8"}


def test_audio_is_sent_as_it_is_under_its_stream() -> None:
    frame = frame_of(AudioChunk(b"\1\2", "s"), "34a1")
    assert (frame.path, frame.body, frame.headers) == ("audio", b"\1\2", {"X-StreamId": "s"})


def test_headers_without_end_are_refused() -> None:
    with pytest.raises(MalformedFrame, match="headers of more than 8192 bytes"):
        unpack(f"Path:audio\r\nX-Odd:{'x' * 8192}\r\n\r\n")


def test_a_law_in() -> None:
    form = InputFormat(8000, "alaw")
    loud = resample(quero(), 8000, 8000)
    assert form.decode(alaw_encode(loud)) != loud
    assert alaw_encode(form.decode(alaw_encode(loud))) == alaw_encode(loud)


@pytest.mark.parametrize(("name", "size"), [("raw-16khz-16bit-mono-pcm", 32), ("raw-8khz-8bit-mono-mulaw", 8)])
def test_the_size_of_a_millisecond(name: str, size: int) -> None:
    assert OutputFormat.named(name).bytes_per_ms == size


def test_a_plan_belongs_to_its_key_and_names_its_status() -> None:
    script = PlanProgress(Faults(keys={"busy": (PlanStep(status="TooManyRequests"),)}))
    assert (script.names("busy"), script.names("other")) == (True, False)
    assert PlanStep(status="TooManyRequests").phrase_status == "TooManyRequests"
    assert PlanStep().phrase_status is None


def phrases(sound: bytes, rate_hz: int = 8000) -> list[tuple[str, str]]:
    turn = RecognitionTurn(RecognitionRequest("pt-BR", False, False, 15_000, 600, False), BOOK, "tag", None)
    told = [*turn.audio(riff(rate_hz) + sound), *turn.audio(b"")]
    return [(m.status, m.text) for m in told if isinstance(m, SpeechPhrase)]


@pytest.mark.long("quicker tests of this file are run")
def test_the_silence_that_ends_a_phrase_may_end_with_the_audio() -> None:
    """However little of it the converter to 8 kHz still holds when the audio ends."""
    wide = resample(quero(), 8000, 16_000)
    for ms in range(150, 500, 10):
        assert phrases(wide + silence(2 * ms), 16_000) == [("Success", QUERO), ("EndOfDictation", "")], ms


@pytest.mark.long("quicker tests of this file are run")
def test_a_phrase_that_is_cut_as_it_ends_is_one_phrase() -> None:
    """A phrase is cut after 60 s. Its end is known 600 ms after it, which may be in the same step of the audio."""
    asked, speech = RecognitionRequest("pt-BR", False, False, 15_000, 600, False), quero() * 20
    for ms in range(59_000, 60_250, 50):
        turn = RecognitionTurn(asked, recogniser_from(lambda pcm, rate_hz, language: "So much."), "tag", None)
        told = [*turn.audio(riff(8000) + speech[: ms * 16] + silence(1500)), *turn.audio(b"")]
        statuses = [message.status for message in told if isinstance(message, SpeechPhrase)]
        assert statuses == ["Success", "EndOfDictation"], ms
