"""The fake Azure Speech service against the unmodified SDK: what it hears, what it says."""

import importlib.util
from collections.abc import Iterator
from functools import lru_cache

import pytest
import sdk_client

from audiosocket.phrases import PhraseBook
from audiosocket.slin import resample, silence
from audiosocket_sim.fake_azure import FakeAzure
from audiosocket_sim.places import PROJECT

needed = {"azure.cognitiveservices.speech": "azure", "websockets": "fake-azure"}


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


missing = [extra for module, extra in needed.items() if not _is_there(module)]
pytestmark = [
    pytest.mark.extra,
    pytest.mark.real_time,
    pytest.mark.skipif(bool(missing), reason=f"needs the extras {', '.join(missing)}"),
]
QUERO = "Quero falar com o apartamento 202, por favor."


@lru_cache
def recording(name: str) -> bytes:
    phrase = PhraseBook.load(PROJECT / "recordings").by_name(f"pt-br/{name}")
    assert phrase is not None
    return phrase.pcm


def quero() -> bytes:
    return recording("quero_falar_com_o_apartamento_202")


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeAzure]:
    with FakeAzure.in_thread({"keys": {"bad": [{"refuse": 401}]}}) as fake:
        yield fake


@pytest.mark.parametrize("host", [False, True], ids=["endpoint", "host"])
def test_a_recording_in_one_burst(fake: FakeAzure, host: bool) -> None:
    heard = sdk_client.recognise(sdk_client.config(fake.endpoint, "any", host=host), quero())
    assert heard.ended
    assert heard.finals == [QUERO]
    assert "quero falar com o apartamento" in heard.of("recognizing")
    assert heard.of("canceled") == ["NoError"]  # the end of the stream
    assert fake.requests[-1].text == QUERO


def test_wrong_key(fake: FakeAzure) -> None:
    heard = sdk_client.recognise(sdk_client.config(fake.endpoint, "bad"), quero())
    assert heard.of("canceled") == ["AuthenticationFailure"]
    assert heard.finals == []
    (spoken,) = sdk_client.synthesise(sdk_client.config(fake.endpoint, "bad"), "Pode subir.")
    assert (spoken.reason, spoken.error) == ("Canceled", "AuthenticationFailure")


def test_wideband(fake: FakeAzure) -> None:
    heard = sdk_client.recognise(sdk_client.config(fake.endpoint, "any"), resample(quero(), 8000, 16000), rate_hz=16000)
    assert heard.finals == [QUERO]


def test_two_phrases(fake: FakeAzure) -> None:
    audio = quero() + silence(800) + recording("sim") + silence(700)
    heard = sdk_client.recognise(sdk_client.config(fake.endpoint, "any"), audio)
    assert heard.finals == [QUERO, "Sim."]


def test_synthesis(fake: FakeAzure) -> None:
    spoken = sdk_client.synthesise(sdk_client.config(fake.endpoint, "any"), "Pode subir.", "Qual é o seu nome?")
    book = PhraseBook.load(PROJECT / "audio" / "prompts")
    assert [s.audio for s in spoken] == [book.by_text(t).pcm for t in ("Pode subir.", "Qual é o seu nome?")]  # type: ignore[union-attr]
    assert [request.voice for request in fake.requests[-2:]] == ["pt-BR-AntonioNeural"] * 2
