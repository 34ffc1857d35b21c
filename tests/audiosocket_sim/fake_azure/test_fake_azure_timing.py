"""The service's pace and its stalls to the millisecond, in virtual time, with a bare websocket client."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from helpers.fake_azure_needs import QUERO, needs, prompt, quero, recording, riff

from audiosocket_core.slin import silence
from audiosocket_sim.fake_azure import FakeAzure
from audiosocket_sim.fake_azure.frames import Frame, pack, unpack
from audiosocket_sim.virtual_time import run

pytestmark = [pytest.mark.extra, needs(fake_azure="websockets")]

TTS, STT = "/tts/cognitiveservices/websocket/v1", "/stt/speech/universal/v2"
NO_RIFF = pack(Frame("audio", "1", b"no header, no audio"))
Told = list[tuple[int, str, Any]]


class Client:
    """A websocket client that records what came: (ms, path, body)."""

    def __init__(self, websocket: Any) -> None:
        self.websocket = websocket
        self.loop = asyncio.get_running_loop()
        self.began = self.loop.time()
        self.told: Told = []

    async def send(self, path: str, body: str | bytes, request: str = "1") -> None:
        await self.websocket.send(pack(Frame(path, request, body)))

    async def until(self, path: str) -> Told:
        """Return all messages up to this one."""
        while not self.told or self.told[-1][1] != path:
            frame = unpack(await self.websocket.recv())
            body = frame.body if isinstance(frame.body, bytes) else json.loads(frame.body)
            self.told.append((round((self.loop.time() - self.began) * 1000), frame.path, body))
        return self.told

    async def ask_to_say(self, text: str, request: str = "1") -> None:
        wanted = '{"synthesis":{"audio":{"outputFormat":"raw-8khz-16bit-mono-pcm"}}}'
        await self.send("synthesis.context", wanted, request)
        await self.send("ssml", f"<speak><voice name='pt-BR-X'>{text}</voice></speak>", request)

    async def say(self, sound: bytes, *, live: bool = True) -> None:
        """Send the caller's audio, 100 ms at a time, and its end."""
        await self.send("speech.context", '{"phraseDetection":{"mode":"CONVERSATION","language":"pt-BR"}}')
        await self.send("audio", riff(8000))
        for at in range(0, len(sound), 1600):
            await asyncio.sleep(0.1 if live else 0)
            await self.send("audio", sound[at : at + 1600])
        await self.send("audio", b"")


def call(
    path: str,
    step: dict[str, Any],
    act: Callable[[Client], Awaitable[None]],
    *,
    then: dict[str, Any] | None = None,
    **options: Any,
) -> FakeAzure:
    """Run one connection in virtual time with the plan `step`, `then`, and return the closed fake."""

    async def scenario() -> FakeAzure:
        from websockets.asyncio.client import connect

        async with FakeAzure({"default": [step] if then is None else [step, then]}, **options) as fake:
            headers = {"Ocp-Apim-Subscription-Key": "k"}
            async with connect(
                fake.endpoint + path, additional_headers=headers, compression=None, ping_interval=None, proxy=None
            ) as websocket:
                await act(Client(websocket))
        return fake

    return run(scenario())


def test_all_at_once() -> None:
    async def act(client: Client) -> None:
        await client.ask_to_say("Pode subir.")
        told = await client.until("turn.end")
        assert [at for at, _, _ in told] == [0] * len(told)
        assert [path for _, path, _ in told] == ["turn.start", "response", *["audio"] * 17, "turn.end"]
        assert b"".join(body for _, path, body in told if path == "audio") == prompt("Pode subir.")

    fake = call(TTS, {}, act)
    (request,) = fake.requests
    assert (request.text, request.voice) == ("Pode subir.", "pt-BR-X")
    assert (request.audio_ms, request.outcome) == (1675, "Success")


def test_the_pace_of_synthesis() -> None:
    async def act(client: Client) -> None:
        await client.ask_to_say("Pode subir.")
        told = [(at, len(body)) for at, path, body in await client.until("turn.end") if path == "audio"]
        assert told == [(300 + 100 * n, 3200) for n in range(8)] + [(1100, 1200)]

    call(TTS, {"pace": {"first_byte": "300ms", "chunk": "200ms", "speed": 2.0}}, act)


def test_synthesis_that_stalls_and_goes_on() -> None:
    async def act(client: Client) -> None:
        await client.ask_to_say("Pode subir.")
        told = [at for at, path, _ in await client.until("turn.end") if path == "audio"]
        assert told == [0] * 5 + [2500] * 12

    call(TTS, {"stall": {"after_audio": "500ms", "for": "2500ms"}}, act)


def test_utterances_wait_for_one_another() -> None:
    async def act(client: Client) -> None:
        await client.ask_to_say("Pode subir.", "1")
        await client.ask_to_say("Goodbye.", "2")
        await client.until("turn.end")
        first, client.told = client.told, []
        second = await client.until("turn.end")
        assert (first[-1][0], second[0][0], second[-1][0]) == (1000, 1000, 2000)

    fake = call(TTS, {"pace": {"first_byte": "1s"}}, act)
    assert [request.text for request in fake.requests] == ["Pode subir.", "Goodbye."]


def test_the_final_text_comes_when_the_phrase_has_ended() -> None:
    async def act(client: Client) -> None:
        saying = asyncio.ensure_future(client.say(quero() + silence(1000)))
        told = await client.until("turn.end")
        await saying
        at = {path: when for when, path, _ in told}
        assert at["turn.start"] == 0
        assert at["speech.startDetected"] == 300  # the block in which it is
        assert at["speech.phrase"] == 4700  # EndOfDictation, at the end of the audio
        finals = [(when, body["DisplayText"]) for when, path, body in told if "DisplayText" in body]
        assert finals == [(4000, QUERO)]  # 600 ms after the last word, at 3.36 s

    call(STT, {}, act)


def test_interim_and_final_texts_that_lag() -> None:
    async def act(client: Client) -> None:
        saying = asyncio.ensure_future(client.say(quero() + silence(1000)))
        told = await client.until("turn.end")
        await saying
        first = next((when, body["Text"]) for when, path, body in told if path == "speech.hypothesis")
        final = next((when, body["DisplayText"]) for when, path, body in told if "DisplayText" in body)
        assert first == (1100, "quero")
        assert final == (4250, QUERO)

    call(STT, {"pace": {"interim": "300ms", "final": "250ms"}}, act)


def test_a_stall_holds_back_the_messages_while_the_audio_goes_on() -> None:
    async def act(client: Client) -> None:
        saying = asyncio.ensure_future(client.say(quero()))
        told = await client.until("turn.end")
        await saying
        assert [when for when, _, _ in told] == [0, 300, *[5000] * (len(told) - 2)]
        assert any(body.get("DisplayText") == QUERO for _, path, body in told)

    call(STT, {"stall": {"after_audio": "500ms", "for": "4500ms"}}, act)


def test_audio_after_the_end_of_its_turn_is_passed_over() -> None:
    async def act(client: Client) -> None:
        await client.send("speech.context", '{"phraseDetection":{"mode":"INTERACTIVE","language":"pt-BR"}}', "1")
        await client.send("audio", riff(8000) + quero() + silence(1000), "1")
        await client.until("turn.end")
        for request in ("1", "0"):
            await client.send("audio", quero(), request)
        await client.send("speech.context", '{"phraseDetection":{"mode":"INTERACTIVE","language":"pt-BR"}}', "2")
        await client.send("audio", quero(), "1")
        await client.send("audio", riff(8000) + recording("sim") + silence(1000), "2")
        client.told.clear()
        await client.until("turn.end")

    fake = call(STT, {}, act)
    assert [request.text for request in fake.requests] == [QUERO, "Sim."]


def test_a_client_that_sends_no_context() -> None:
    async def act(client: Client) -> None:
        await client.send("audio", riff(8000) + quero() + silence(1000))
        await client.send("audio", b"")
        await client.until("turn.end")

    fake = call(f"{STT}?language=pt-BR", {}, act)
    assert [request.text for request in fake.requests] == [QUERO]


def test_another_turn_abandons_the_one_before() -> None:
    async def act(client: Client) -> None:
        await client.send("speech.context", "{}", "1")
        await client.send("audio", riff(8000) + quero(), "1")
        await client.send("speech.context", "{}", "2")
        await client.send("audio", riff(8000) + recording("sim") + silence(1000), "2")
        await client.send("audio", b"", "2")
        await client.until("turn.end")

    fake = call(STT, {}, act)
    assert [request.outcome for request in fake.requests] == ["abandoned for another turn", "Success"]


def test_a_turn_that_meets_a_step_about_the_upgrade_ends_its_connection() -> None:
    async def act(client: Client) -> None:
        await client.send("speech.context", "{}", "1")
        await client.until("turn.start")
        await client.send("speech.context", "{}", "2")
        await client.websocket.wait_closed()
        assert client.websocket.close_code == 1001

    fake = call(STT, {}, act, then={"refuse": 401})
    assert len(fake.requests) == 1  # the second was no request: it will be, where it connects again


@pytest.mark.parametrize(
    ("path", "frames", "reason"),
    [
        (STT, ["no frame"], "a text frame needs an empty line"),
        (STT, ["Path:speech.context\r\n\r\nno json"], "speech.context is not valid JSON"),
        (STT, ["Path:speech.context\r\nX-RequestId:1\r\n\r\n{}", NO_RIFF], "expected a RIFF header"),
        (TTS, ["Path:ssml\r\n\r\n<speak/>"], "ssml came before synthesis.context"),
        (
            TTS,
            ['Path:synthesis.context\r\n\r\n{"synthesis":{"audio":{"outputFormat":"mp3"}}}'],
            "does not support the format mp3",
        ),
    ],
)
def test_the_reason_for_a_refused_request_is_sent(path: str, frames: list[str | bytes], reason: str) -> None:
    async def act(client: Client) -> None:
        for frame in frames:
            await client.websocket.send(frame)
        await client.websocket.wait_closed()
        assert client.websocket.close_code == 1007
        assert reason in client.websocket.close_reason

    call(path, {}, act)


def test_an_error_of_the_recogniser_is_reported() -> None:
    def broken(pcm: bytes, rate_hz: int, language: str) -> str:
        raise ValueError("no ear")

    async def act(client: Client) -> None:
        await client.say(quero())
        await client.websocket.wait_closed()
        assert (client.websocket.close_code, client.websocket.close_reason) == (1011, "no ear")

    fake = call(STT, {}, act, recogniser=broken)
    assert fake.requests[0].outcome == "closed with 1011: no ear"


def test_a_client_that_leaves() -> None:
    async def act(client: Client) -> None:
        await client.send("speech.context", "{}")
        await client.until("turn.start")

    fake = call(STT, {}, act)
    assert fake.requests[0].outcome == "the client left"


def test_nothing_is_at_another_path() -> None:
    async def scenario() -> int:
        from websockets.asyncio.client import connect
        from websockets.exceptions import InvalidStatus

        async with FakeAzure() as fake:
            with pytest.raises(InvalidStatus) as refused:
                await connect(f"{fake.endpoint}/voices/list", proxy=None)
        return refused.value.response.status_code

    assert run(scenario()) == 404


def test_closing_ends_what_was_never_answered() -> None:
    async def scenario() -> float:
        loop = asyncio.get_running_loop()
        async with FakeAzure({"default": [{"stall": {"before": "upgrade"}}]}) as fake:
            mute, mute_writer = await asyncio.open_connection("127.0.0.1", fake.port)  # not even an upgrade
            reader, writer = await asyncio.open_connection("127.0.0.1", fake.port)
            writer.write(f"GET {STT} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n".encode())
            writer.write(b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
            await asyncio.sleep(60)
            closed_at = loop.time()
        assert await reader.read() == await mute.read() == b""
        for stream in (writer, mute_writer):
            stream.close()
            await stream.wait_closed()
        return loop.time() - closed_at

    assert run(scenario()) < 1
