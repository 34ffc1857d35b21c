"""The fake Azure Speech service against the unmodified SDK without faults: recognition and synthesis."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers import sdk_client
from helpers.fake_azure_needs import QUERO, SDK, prompt, quero, recording

from audiosocket_core.slin import resample, silence
from audiosocket_sim.fake_azure import FakeAzure
from audiosocket_sim.fake_azure.client_requests import wants_words

pytestmark = [*SDK]


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeAzure]:
    with FakeAzure.in_thread() as fake:
        yield fake


@pytest.mark.parametrize("host", [False, True], ids=["endpoint", "host"])
def test_a_recording_in_one_burst(fake: FakeAzure, host: bool) -> None:
    heard = sdk_client.recognise(sdk_client.config(fake.endpoint, "any", host=host), quero())
    assert heard.ended
    assert heard.finals == [QUERO]
    assert "quero falar com o apartamento" in heard.of("recognizing")
    assert heard.of("canceled") == ["NoError"]  # the end of the stream
    request = fake.requests[-1]
    assert (request.text, request.language, request.mode) == (QUERO, "pt-BR", "continuous")
    assert (request.audio_ms, request.outcome, request.key) == (3650, "Success", "••••")


def test_a_recording_as_it_is_spoken(fake: FakeAzure) -> None:
    heard = sdk_client.recognise(sdk_client.config(fake.endpoint, "any"), quero(), live=True)
    assert heard.finals == [QUERO]
    assert heard.events[0] == ("speech_start_detected", "")
    assert heard.offsets == [pytest.approx((0.2, 3.16), abs=0.1)]


@pytest.mark.parametrize("host", [False, True], ids=["endpoint", "host"])
def test_once_ends_at_the_first_phrase(fake: FakeAzure, host: bool) -> None:
    audio = quero() + silence(800) + recording("sim") + silence(700)
    heard = sdk_client.recognise(sdk_client.config(fake.endpoint, "any", host=host), audio, once=True)
    assert heard.finals == [QUERO]
    assert fake.requests[-1].mode == "once"


def test_two_phrases(fake: FakeAzure) -> None:
    audio = quero() + silence(800) + recording("sim") + silence(700)
    heard = sdk_client.recognise(sdk_client.config(fake.endpoint, "any"), audio)
    assert heard.finals == [QUERO, "Sim."]
    assert heard.of("speech_start_detected") == ["", ""]
    assert heard.offsets[1] == pytest.approx((4.81, 0.4), abs=0.1)


def test_detailed_results(fake: FakeAzure) -> None:
    import azure.cognitiveservices.speech as sdk

    made = sdk_client.config(fake.endpoint, "any")
    made.output_format = sdk.OutputFormat.Detailed
    assert sdk_client.recognise(made, quero()).finals == [QUERO]


def test_wideband(fake: FakeAzure) -> None:
    wide = resample(quero(), 8000, 16000)
    assert sdk_client.recognise(sdk_client.config(fake.endpoint, "any"), wide, rate_hz=16000).finals == [QUERO]


def test_only_silence(fake: FakeAzure) -> None:
    heard = sdk_client.recognise(sdk_client.config(fake.endpoint, "any"), silence(2000))
    assert heard.finals == ["InitialSilenceTimeout"]
    assert heard.ended


def test_speech_that_is_in_no_book(fake: FakeAzure) -> None:
    reversed_speech = quero()[::-1]
    assert sdk_client.recognise(sdk_client.config(fake.endpoint, "any"), reversed_speech).finals == ["NotRecognized"]


def test_another_language_knows_other_phrases(fake: FakeAzure) -> None:
    made = sdk_client.config(fake.endpoint, "any")
    made.speech_recognition_language = "en-US"
    assert sdk_client.recognise(made, quero()).finals == ["NotRecognized"]


def test_the_sdk_opens_another_turn_where_the_service_ended_one(fake: FakeAzure) -> None:
    """The service ends a turn of silence; speech after it is recognised in the next turn."""
    import azure.cognitiveservices.speech as sdk

    made = sdk_client.config(fake.endpoint, "any")
    made.set_property(sdk.PropertyId.SpeechServiceConnection_InitialSilenceTimeoutMs, "1000")
    before = len(fake.requests)
    heard = sdk_client.recognise(made, silence(1200) + quero())
    assert heard.finals == ["InitialSilenceTimeout", QUERO]
    assert [request.outcome for request in fake.requests[before:]] == ["InitialSilenceTimeout", "Success"]
    assert heard.offsets[1][0] == pytest.approx(1.4, abs=0.15)  # on the clock of the whole session


def test_synthesis_on_one_connection(fake: FakeAzure) -> None:
    texts = ["Pode subir.", "Qual é o seu nome?"]
    spoken = sdk_client.synthesise(sdk_client.config(fake.endpoint, "any"), *texts)
    assert [one.audio for one in spoken] == [prompt(text) for text in texts]
    for request, text in zip(fake.requests[-2:], texts, strict=True):
        assert (request.kind, request.text, request.voice) == ("synthesis", text, "pt-BR-AntonioNeural")
        assert (request.language, request.mode) == ("pt-BR", "raw-8khz-16bit-mono-pcm")
        assert request.audio_ms == round(len(prompt(text)) / 16)


def test_synthesis_by_host_and_of_ssml(fake: FakeAzure) -> None:
    ssml = (
        '<speak version="1.0" xmlns="http://www.w3.org/2001/10/synthesis" xml:lang="pt-BR">'
        '<voice name="pt-BR-FranciscaNeural"><prosody rate="+10%">Pode <break/>subir.</prosody></voice></speak>'
    )
    (spoken,) = sdk_client.synthesise(sdk_client.config(fake.endpoint, "any", host=True), ssml, ssml=True)
    assert spoken.audio == prompt("Pode subir.")
    assert fake.requests[-1].voice == "pt-BR-FranciscaNeural"


def test_synthesis_streamed(fake: FakeAzure) -> None:
    chunks, ended = sdk_client.synthesise_streamed(sdk_client.config(fake.endpoint, "any"), "Pode subir.")
    assert len(chunks) == 17
    assert (ended.audio, ended.reason) == (prompt("Pode subir."), "AllData")


def test_mu_law_out(fake: FakeAzure) -> None:
    import azure.cognitiveservices.speech as sdk

    made = sdk_client.config(fake.endpoint, "any")
    made.set_speech_synthesis_output_format(sdk.SpeechSynthesisOutputFormat.Raw8Khz8BitMonoMULaw)
    (spoken,) = sdk_client.synthesise(made, "Pode subir.")
    assert len(spoken.audio) == len(prompt("Pode subir.")) // 2


def test_a_format_that_the_fake_does_not_speak(fake: FakeAzure) -> None:
    import azure.cognitiveservices.speech as sdk

    made = sdk_client.config(fake.endpoint, "any")
    made.set_speech_synthesis_output_format(sdk.SpeechSynthesisOutputFormat.Audio16Khz32KBitRateMonoMp3)
    (spoken,) = sdk_client.synthesise(made, "Pode subir.")
    assert (spoken.reason, spoken.error) == ("Canceled", "BadRequest")
    assert "the fake does not support the format audio-16khz-32kbitrate-mono-mp3" in spoken.details


def test_the_fixture(fake_azure: FakeAzure) -> None:
    fake_azure.script({"keys": {"wrong": [{"refuse": 401}]}})
    assert sdk_client.recognise(sdk_client.config(fake_azure.endpoint, "wrong"), quero()).finals == []
    assert sdk_client.recognise(sdk_client.config(fake_azure.endpoint, "right"), quero()).finals == [QUERO]
    assert [request.outcome for request in fake_azure.requests] == ["refused with 401", "Success"]


def test_a_recogniser_of_ones_own(tmp_path: Path) -> None:
    """The text depends on the audio: this recogniser returns how much it heard."""

    def seconds(pcm: bytes, rate_hz: int, language: str) -> str:
        return f"{len(pcm) / 2 / rate_hz:.0f} s of {language} at {rate_hz}"

    with FakeAzure.in_thread(recogniser=seconds) as fake:
        wide = resample(quero(), 8000, 16000)
        heard = sdk_client.recognise(sdk_client.config(fake.endpoint, "any"), wide, rate_hz=16000)
    assert heard.finals == ["4 s of pt-BR at 16000"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Condomínio Apoena, em que posso ajudar?", "Condomínio Apoena [,] em que posso ajudar [?]"),
        (QUERO, "Quero falar com o apartamento 202 [,] por favor [.]"),
    ],
    ids=["as the manifest says", "by an estimate"],
)
def test_words_and_marks_are_told_to_a_client_that_listens_for_them(fake: FakeAzure, text: str, told: str) -> None:
    import azure.cognitiveservices.speech as sdk

    synthesiser = sdk.SpeechSynthesizer(sdk_client.config(fake.endpoint, "any"), None)
    words: list[tuple[str, float, float]] = []

    def take(event: sdk.SpeechSynthesisWordBoundaryEventArgs) -> None:
        assert text[event.text_offset :].startswith(event.text)
        is_word = event.boundary_type == sdk.SpeechSynthesisBoundaryType.Word
        shown = event.text if is_word else f"[{event.text}]"
        words.append((shown, event.audio_offset / 1e7, event.duration.total_seconds()))

    told_all = threading.Event()  # `get` may return before the SDK's thread has told everything
    synthesiser.synthesis_word_boundary.connect(take)
    synthesiser.synthesis_completed.connect(lambda event: told_all.set())
    audio = synthesiser.speak_text_async(text).get().audio_data
    assert told_all.wait(10)
    synthesiser.synthesis_word_boundary.disconnect_all()
    synthesiser.synthesis_completed.disconnect_all()
    assert " ".join(word for word, *_ in words) == told
    begins = [at for _, at, _ in words]
    assert begins == sorted(begins)
    assert 0.1 < begins[0] < 0.5  # the recording's lead-in
    ends = words[-2][1] + words[-2][2]
    assert len(audio) / 16000 - 0.6 < ends < len(audio) / 16000


def test_nothing_is_told_of_words_to_a_client_that_does_not_ask() -> None:
    """The SDK asks if somebody listens to the event."""
    assert not wants_words('{"synthesis": {"audio": {"outputFormat": "raw"}}}')
    for told in ('"true"', "true"):
        assert wants_words('{"synthesis": {"audio": {"metadataOptions": {"wordBoundaryEnabled": %s}}}}' % told)  # noqa: UP031
    for told in ('"false"', "false", "null", "[]"):
        assert not wants_words('{"synthesis": {"audio": {"metadataOptions": {"wordBoundaryEnabled": %s}}}}' % told)  # noqa: UP031
