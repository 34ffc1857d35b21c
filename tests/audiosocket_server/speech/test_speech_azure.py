"""The Azure engine against the fake service, the SDK as it is: what it hears and says, and each way to fail."""

import asyncio
import re
import socket
import ssl
from collections.abc import Iterator

import pytest
from audiosocket_server.settings.settings import PROJECT_ROOT
from audiosocket_server.speech.azure.faults import why_no_connection
from audiosocket_server.speech.base import Checked, SpeechError, WordEnd
from helpers.azure_bench import NEEDS_AZURE, engine, heard, recording, spoken

from audiosocket_core.phrase_book.book import PhraseBook
from audiosocket_sim.fake_azure import FakeAzure

pytestmark = NEEDS_AZURE

QUERO = "Quero falar com o apartamento 202, por favor."
SILENT = "gave no final text within 2.5 s"

# The key, what the fake does to it, and what recognition and synthesis then come to.
PLANS = {
    "wrong-key": ({"refuse": 401}, "SpeechError: Azure rejects the key", "SpeechError: Azure rejects the key"),
    "forbidden": ({"refuse": 403}, "SpeechError: Azure rejects the key", "SpeechError: Azure rejects the key"),
    "bad-request": (
        {"refuse": 400},
        "SpeechError: Azure rejects the request",
        "SpeechError: Azure rejects the request",
    ),
    "not-there": ({"refuse": 404}, "SpeechError: there is no Azure", "SpeechError: there is no Azure"),
    "throttled": ({"refuse": 429}, "SpeechUnavailable: Azure throttles", "SpeechUnavailable: Azure throttles"),
    "broken": ({"refuse": 500}, "SpeechUnavailable: Azure failed", "SpeechUnavailable: Azure failed"),
    "away": ({"refuse": 503}, "SpeechUnavailable: Azure is not", "SpeechUnavailable: Azure is not"),
    "mute-upgrade": ({"stall": {"before": "upgrade"}}, SILENT, "sent no audio within 1.5 s"),
    "mute": ({"stall": {}}, SILENT, "sent no audio within 1.5 s"),
    "closes-1011": ({"drop": 1011}, "SpeechUnavailable: Azure failed", "SpeechUnavailable: Azure failed"),
    "closes-1000": ({"drop": 1000}, SILENT, "sent no audio within 1.5 s"),
    "closes-1007": ({"drop": 1007}, "SpeechError: Azure rejects the request", "SpeechError: Azure rejects the request"),
    "resets": ({"drop": "reset"}, "SpeechUnavailable: no connection", "SpeechUnavailable: no connection"),
    "phrase-error": ({"status": "Error"}, "SpeechUnavailable: Azure failed", None),
    "phrase-throttled": ({"status": "TooManyRequests"}, "SpeechUnavailable: Azure throttles", None),
    "phrase-quota": ({"status": "Forbidden"}, "SpeechError: Azure denies access", None),
    "no-match": ({"status": "NoMatch"}, "", None),
    "no-speech": ({"status": "InitialSilenceTimeout"}, "", None),
    "babble": ({"status": "BabbleTimeout"}, "", None),
    "zero-bytes": ({"no_audio": True}, None, "SpeechError: Azure sent no audio"),
    "interim-only": ({"stall": {"before": "speech.phrase"}}, "quero falar com o apartamento", None),
    "drops-once": ([{"drop": {"with": "reset", "after_audio": "1500ms"}}, {}], QUERO, None),
    "breaks-off": ({"drop": {"with": 1011, "after_audio": "500ms"}}, None, "SpeechUnavailable: Azure failed"),
    "stalls": ({"stall": {"after_audio": "500ms"}}, None, "SpeechUnavailable: Azure does not answer in time"),
}
LONG = {"interim-only", "drops-once"}
HEARD = {key: plan[1] for key, plan in PLANS.items() if plan[1] is not None}
SPOKEN = {key: plan[2] for key, plan in PLANS.items() if plan[2] is not None}


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeAzure]:
    plans = {key: plan[0] if isinstance(plan[0], list) else [plan[0]] for key, plan in PLANS.items()}
    with FakeAzure.in_thread({"keys": plans}) as fake:
        yield fake


# --- all well ---------------------------------------------------------------------------------------------------------


async def test_a_turn_is_recognised_as_it_is_spoken(fake: FakeAzure) -> None:
    interims: list[str] = []
    async with engine(fake.endpoint) as azure:
        assert await heard(azure, recording("quero_falar_com_o_apartamento_202"), interims.append) == QUERO
    assert interims[0] != interims[-1]
    assert all("quero" in interim.casefold() for interim in interims)


async def test_phrases_are_joined_in_their_order(fake: FakeAzure) -> None:
    interims: list[str] = []
    pause = bytes(16 * 900)
    audio = recording("sim") + pause + recording("quero_falar_com_o_apartamento_202") + pause
    async with engine(fake.endpoint) as azure:
        assert await heard(azure, audio, interims.append, speed=4) == f"Sim. {QUERO}"
    assert interims[-1].startswith("Sim. ")


async def test_silence_is_no_text(fake: FakeAzure) -> None:
    async with engine(fake.endpoint) as azure:
        assert await heard(azure, bytes(8000)) == ""


async def test_speech_comes_in_chunks_while_the_rest_is_made(fake: FakeAzure) -> None:
    book = PhraseBook.load(PROJECT_ROOT / "audio/prompts")
    async with engine(fake.endpoint) as azure:
        for text in ("Pode subir.", "Qual é o seu nome?"):
            made = [chunk async for chunk in azure.synthesise(text, "pt-BR-AntonioNeural")]
            chunks = [chunk for chunk in made if isinstance(chunk, bytes)]
            phrase = book.by_text(text)
            assert phrase is not None
            assert b"".join(chunks) == phrase.pcm
            assert len(chunks) > 5
    asked = [request for request in fake.requests if request.kind == "synthesis"][-2:]
    assert [request.mode for request in asked] == ["raw-8khz-16bit-mono-pcm"] * 2
    assert [request.voice for request in asked] == ["pt-BR-AntonioNeural"] * 2


async def test_the_ends_of_its_words_come_with_it(fake: FakeAzure) -> None:
    phrase = PhraseBook.load(PROJECT_ROOT / "audio/prompts").by_text("Condomínio Apoena, em que posso ajudar?")
    assert phrase is not None
    async with engine(fake.endpoint) as azure:
        made = [chunk async for chunk in azure.synthesise(phrase.text, "pt-BR-AntonioNeural")]
    assert [chunk for chunk in made if isinstance(chunk, WordEnd)] == list(phrase.word_ends_in(phrase.text))
    assert b"".join(chunk for chunk in made if isinstance(chunk, bytes)) == phrase.pcm


async def test_what_no_xml_can_hold_is_spoken_without_it(fake: FakeAzure) -> None:
    async with engine(fake.endpoint) as azure:
        pcm, failure = await spoken(azure, "Pode <b> & \ud800 \x00 subir.")
    assert (bool(pcm), failure) == (True, "")
    assert fake.requests[-1].text == "Pode <b> & subir."


async def test_barge_in_stops_the_synthesis() -> None:
    with FakeAzure.in_thread({"default": [{"pace": {"speed": 1.0}}]}) as slow:
        async with engine(slow.endpoint) as azure:
            chunks = azure.synthesise("Condomínio Apoena, em que posso ajudar?", "pt-BR-AntonioNeural")
            assert len(await anext(chunks)) > 0
            await chunks.aclose()  # type: ignore[attr-defined]
        (request,) = slow.requests
        assert request.audio_ms < 1500  # of 3075
        assert request.outcome != "Success"


async def test_given_up_turns_leave_nothing_open(fake: FakeAzure) -> None:
    from audiosocket_server.speech.azure import native

    async with engine(fake.endpoint) as azure:
        for feeds in (0, 1, 20):
            turn = azure.recognise("pt-BR", lambda text: None)
            for _ in range(feeds):
                turn.feed(bytes(320))
                await asyncio.sleep(0.02)
            turn.cancel()
            turn.cancel()
            turn.feed(bytes(320))
        given_up = azure.synthesise("Pode subir.", "pt-BR-AntonioNeural")
        asking = asyncio.ensure_future(anext(given_up))
        await asyncio.sleep(0)
        asking.cancel()
        await asyncio.wait([asking])
        await given_up.aclose()  # type: ignore[attr-defined]
    assert not native._open


async def test_an_engine_that_is_closed_says_so(fake: FakeAzure) -> None:
    async with engine(fake.endpoint) as azure:
        pass
    assert "the engine is closed" in await heard(azure, bytes(320))
    assert "the engine is closed" in (await spoken(azure, "Pode subir."))[1]


# --- the table of failures --------------------------------------------------------------------------------------------


async def test_each_way_to_fail_is_one_line_that_says_what_it_was(fake: FakeAzure) -> None:
    """All at once, each with a key and an engine of its own: most of it is waiting."""
    limits = {"azure_final_text_seconds": 2.5, "azure_first_audio_seconds": 1.5}

    async def hear(key: str) -> str:
        audio = recording("quero_falar_com_o_apartamento_202" if key in LONG else "sim")
        async with engine(fake.endpoint, key, **limits) as azure:
            return await heard(azure, audio)

    async def speak(key: str) -> tuple[bytes, str]:
        async with engine(fake.endpoint, key, **limits) as azure:
            return await spoken(azure, "Condomínio Apoena, em que posso ajudar?")

    texts, messages = await asyncio.gather(
        asyncio.gather(*(hear(key) for key in HEARD)), asyncio.gather(*(speak(key) for key in SPOKEN))
    )
    told = {("heard", key): text for key, text in zip(HEARD, texts, strict=True)}
    told |= {("spoken", key): failure for key, (_, failure) in zip(SPOKEN, messages, strict=True)}
    expected = {("heard", key): text for key, text in HEARD.items()}
    expected |= {("spoken", key): failure for key, failure in SPOKEN.items()}
    assert {which: line for which, line in told.items() if not fits(line, expected[which])} == {}
    assert [line for line in told.values() if "\n" in line or "wrong-key" in line] == []
    until_then = {key: len(pcm) for key, (pcm, _) in zip(SPOKEN, messages, strict=True) if pcm}
    assert set(until_then) == {"breaks-off", "stalls"}
    assert min(until_then.values()) >= 8000


def fits(line: str, expected: str) -> bool:
    return expected in line if expected else line == ""


async def test_after_a_failure_it_works_again() -> None:
    plan = [{"refuse": 429, "times": 5}, {}]  # the SDK itself tries five times
    with FakeAzure.in_thread({"default": [{**step, "only": "recognition"} for step in plan]}) as fake:
        async with engine(fake.endpoint) as azure:
            assert "throttles" in await heard(azure, recording("sim"))
            assert await heard(azure, recording("sim")) == "Sim."


# --- where there is no service ----------------------------------------------------------------------------------------


@pytest.fixture
def silent_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


@pytest.fixture
def refusing_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
    return port


async def test_nobody_listens(refusing_port: int) -> None:
    async with engine(f"ws://127.0.0.1:{refusing_port}") as azure:
        text, (pcm, failure) = await asyncio.gather(heard(azure, recording("sim")), spoken(azure, "Pode subir."))
    assert text.startswith("SpeechUnavailable: no connection to Azure")
    assert failure.startswith("SpeechUnavailable: no connection to Azure")
    assert pcm == b""


async def test_somebody_listens_who_never_says_a_word(silent_port: int) -> None:
    limits = {"azure_final_text_seconds": 0.5, "azure_first_audio_seconds": 0.5}
    async with engine(f"ws://127.0.0.1:{silent_port}", **limits) as azure:
        text, (_, failure) = await asyncio.gather(heard(azure, bytes(320)), spoken(azure, "Pode subir."))
    assert text == "SpeechUnavailable: Azure gave no final text within 0.5 s"
    assert failure == "SpeechUnavailable: Azure sent no audio within 0.5 s"


# --- the check --------------------------------------------------------------------------------------------------------

CHECKS = {
    "any": r"WS: recognised a silence \(pt-BR\) in \d\.\d\d s; "
    r"pt-BR-AntonioNeural spoke 3\.1 s, with the first audio after \d\.\d\d s",
    "wrong-key": "SpeechError: Azure rejects the key: check AZURE_SPEECH_KEY, .*",
    "bad-request": "SpeechError: Azure rejects the request: check speech.language, greeting.voice .*",
    "not-there": "SpeechError: there is no Azure Speech at this address: check AZURE_SPEECH_ENDPOINT .*",
    "zero-bytes": "SpeechError: Azure sent no audio: is there a voice pt-BR-AntonioNeural .*",
    "throttled": "SpeechUnavailable: Azure throttles: .*",
    "refused": "SpeechUnavailable: no connection to Azure .*",
    "no-such-host": "SpeechError: there is no host nosuch.invalid: check AZURE_SPEECH_REGION or AZURE_SPEECH_ENDPOINT",
}


async def test_a_check_says_what_was_tried_or_what_to_do(fake: FakeAzure) -> None:
    async def check(key: str, endpoint: str) -> str:
        async with engine(endpoint, key) as azure:
            assert isinstance(azure, Checked)
            try:
                return await azure.check()
            except SpeechError as error:
                return f"{type(error).__name__}: {error}"

    with socket.create_server(("127.0.0.1", 0)) as gone:
        refusing = f"ws://127.0.0.1:{gone.getsockname()[1]}"
    elsewhere = {"refused": refusing, "no-such-host": "wss://nosuch.invalid"}
    told = await asyncio.gather(*(check(key, elsewhere.get(key, fake.endpoint)) for key in CHECKS))
    expected = [told.replace("WS", fake.endpoint) for told in CHECKS.values()]
    assert [line for line, pattern in zip(told, expected, strict=True) if not re.fullmatch(pattern, line)] == []


def test_a_certificate_that_nobody_vouches_for(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_: object, **__: object) -> None:
        raise ssl.SSLCertVerificationError("unable to get local issuer certificate")

    monkeypatch.setattr(asyncio, "open_connection", refuse)
    told = asyncio.run(why_no_connection("wss://speech.test"))
    assert "the certificate of speech.test cannot be verified: apt install ca-certificates" in str(told)
