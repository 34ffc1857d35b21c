"""A capture with several calls: each has its own scenario and cassette, and calls beyond the limits pass."""

import asyncio
import json
import wave
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import httpx
import pytest
from pydantic import SecretStr

from audiosocket_core.http_server import HttpServer
from audiosocket_core.messages import Kind, encode
from audiosocket_core.slin import silence
from audiosocket_sim.live.capture import Capture, CaptureOptions
from audiosocket_sim.live.capture.call_writer import InProcessWriter, NotWritten, SubprocessWriter
from audiosocket_sim.live.capture.tape import AskedAt, Tape
from audiosocket_sim.live.captured_call import Answer
from audiosocket_sim.scenario.loading import load
from audiosocket_sim.virtual_time import run

FRAME = encode(Kind.SLIN8, silence(20))


class Bot(asyncio.Protocol):
    """A server that reads and discards, and counts its calls."""

    calls = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        type(self).calls += 1

    def eof_received(self) -> bool:
        return False


class Bench:
    def __init__(self, capture: Capture) -> None:
        self.capture = capture
        self.lines: list[str] = []
        self.troubles: list[str] = []

    async def call(self, number: int) -> asyncio.Transport:
        """Make a call that sends a frame every 20 ms in its first half second."""
        loop = asyncio.get_running_loop()
        caller, _ = await loop.create_connection(asyncio.Protocol, "127.0.0.1", self.capture.port)
        caller.write(encode(Kind.UUID, UUID(int=number).bytes))
        for _ in range(25):
            await asyncio.sleep(0.02)
            caller.write(FRAME)
        return caller

    async def ask(self, number: int, content: str) -> None:
        async with httpx.AsyncClient(trust_env=False, verify=False) as client:
            url = f"http://127.0.0.1:{self.capture.ai_port}/messages"
            await client.post(url, json={"id": str(UUID(int=number)), "content": content})


def capturing(scene: Callable[[Bench], Awaitable[None]], out: Path, **more: Any) -> Bench:
    async def whole() -> Bench:
        from starlette.applications import Starlette
        from starlette.responses import JSONResponse
        from starlette.routing import Route

        Bot.calls = 0
        loop = asyncio.get_running_loop()
        bot = await loop.create_server(Bot, "127.0.0.1", 0)

        async def answer(request: Any) -> JSONResponse:
            asked = await request.json()
            await asyncio.sleep(0.1)
            return JSONResponse({"content": {"mensagem": f"re: {asked['content']}"}})

        backend = HttpServer(Starlette(routes=[Route("/messages", answer, methods=["POST"])]))
        options = CaptureOptions(
            ("127.0.0.1", 0),
            bot.sockets[0].getsockname()[:2],
            out,
            ai_listen=("127.0.0.1", 0),
            ai_to=f"http://127.0.0.1:{await backend.start()}",
        )
        bench = Bench(cast(Capture, None))
        bench.capture = Capture(replace(options, **more), say=bench.lines.append, trouble=bench.troubles.append)
        await bench.capture.start()
        await scene(bench)
        await bench.capture.aclose()
        await backend.aclose()
        bot.close()
        return bench

    return run(whole)


def test_calls_at_the_same_time_are_each_their_own(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        callers = await asyncio.gather(*(bench.call(n) for n in (1, 2, 3)))
        await asyncio.gather(*(bench.ask(n, f"words of {n}") for n in (3, 1, 2)))
        for caller in callers:
            caller.close()
        await asyncio.sleep(1)

    bench = capturing(scene, tmp_path)
    assert bench.troubles == []
    assert bench.capture.written == 3
    found = {}
    for name in ("call", "call_2", "call_3"):
        uuid = load(tmp_path / f"{name}.yaml").asterisk.uuid
        tape = json.loads((tmp_path / name / "cassette.json").read_text(encoding="utf-8"))
        found[uuid] = (
            [e["content"] for e in tape["exchanges"]],
            [e["answer"]["body"]["content"]["mensagem"] for e in tape["exchanges"]],
        )
    assert found == {str(UUID(int=n)): ([f"words of {n}"], [f"re: words of {n}"]) for n in (1, 2, 3)}


def test_a_call_beyond_the_limit_passes_and_is_reported(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        for caller in await asyncio.gather(*(bench.call(n) for n in (1, 2, 3))):
            caller.close()
        await asyncio.sleep(1)

    bench = capturing(scene, tmp_path, at_once=2)
    assert Bot.calls == 3
    assert bench.capture.written == 2
    assert [line for line in bench.lines if "not captured" in line] == [
        "a call is relayed and not captured: the limit of calls is reached"
    ]


@pytest.mark.parametrize("redact", [False, True])
def test_a_call_in_progress_is_on_disk_unless_it_is_to_be_redacted(redact: bool, tmp_path: Path) -> None:
    def parts() -> list[str]:
        return [path.suffix for path in tmp_path.glob("call.*")]

    async def scene(bench: Bench) -> None:
        caller = await bench.call(1)
        await asyncio.sleep(1)
        assert parts() == ([] if redact else [".part"])
        caller.close()
        await asyncio.sleep(1)

    assert capturing(scene, tmp_path, redact=redact).capture.written == 1
    assert list(tmp_path.glob("*.part")) == []


@pytest.mark.parametrize("limit", [{"at_once": 1}, {"calls": 1}], ids=str)
def test_who_never_says_a_name_keeps_no_call_from_being_taken_down(limit: dict[str, int], tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        strangers = [await asyncio.open_connection("127.0.0.1", bench.capture.port) for _ in range(3)]
        (await bench.call(1)).close()
        await asyncio.sleep(1)
        for _, writer in strangers:
            writer.close()

    bench = capturing(scene, tmp_path, **limit)
    assert bench.capture.written == 1
    assert "call.yaml" in bench.lines[0]


def test_of_two_that_connect_together_as_many_as_were_asked_for_are_taken_down(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        for caller in await asyncio.gather(*(bench.call(n) for n in (1, 2))):
            caller.close()
        await asyncio.sleep(1)

    bench = capturing(scene, tmp_path, calls=1)
    assert Bot.calls == 2
    assert bench.capture.written == 1


def test_it_waits_for_as_many_calls_as_were_asked_for(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        waiting = asyncio.ensure_future(bench.capture.wait())
        (await bench.call(1)).close()
        await asyncio.sleep(1)
        assert not waiting.done()
        (await bench.call(2)).close()
        await asyncio.wait_for(waiting, 1)

    assert capturing(scene, tmp_path, calls=2).capture.written == 2


def test_a_call_that_goes_on_too_long_is_written_as_far_as_that(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        (await bench.call(1)).close()
        await asyncio.sleep(1)

    bench = capturing(scene, tmp_path, longest_seconds=0.2)
    assert bench.lines[0].endswith("the capture was stopped before its end. (incomplete: the call was too long)")
    assert load(tmp_path / "call.yaml").steps


def test_bytes_that_are_not_audiosocket_are_reported_and_leave_no_file(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", bench.capture.port)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        await asyncio.sleep(0.1)
        writer.close()
        await asyncio.sleep(1)

    bench = capturing(scene, tmp_path)
    assert bench.troubles == ["the caller sent bytes that are not AudioSocket: they were passed on unchanged"]
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_to_costs_the_call_and_nothing_else(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        (await bench.call(1)).close()
        await asyncio.sleep(1)

    (tmp_path / "out").write_text("a file", encoding="utf-8")
    bench = capturing(scene, tmp_path / "out")
    assert (bench.capture.written, bench.capture.failed) == (0, 1)
    assert len(bench.troubles) == 2
    assert bench.troubles[0].startswith("calls in progress are in memory only, and not on disk: ")
    assert bench.troubles[1].startswith("a call could not be written: ")


@pytest.mark.parametrize("when", [0.0, 0.3])
def test_stopped_in_mid_call_it_writes_what_it_has(when: float, tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        calling = asyncio.ensure_future(bench.call(1))
        await asyncio.sleep(0.1 + when)
        calling.cancel()
        await asyncio.gather(calling, return_exceptions=True)

    bench = capturing(scene, tmp_path)
    assert bench.capture.written == 1
    assert "the capture was stopped before its end" in bench.lines[0]


async def control_api(events: str) -> HttpServer:
    """A control API that lists every call, and requires a token."""
    from starlette.applications import Starlette
    from starlette.responses import JSONResponse, PlainTextResponse
    from starlette.routing import Route

    async def calls(request: Any) -> Any:
        if request.headers.get("authorization") != "Bearer a-token-of-the-tests":
            return PlainTextResponse("", 401)
        return JSONResponse({"calls": [{"id": str(UUID(int=1))}]})

    async def told(request: Any) -> Any:
        return PlainTextResponse(f"data: {events}\n\n", media_type="text/event-stream")

    server = HttpServer(Starlette(routes=[Route("/calls", calls), Route("/calls/{id}/events", told)]))
    await server.start()
    return server


def told_by_a_control_api(events: str, out: Path) -> Bench:
    async def scene(bench: Bench) -> None:
        server = await control_api(events)
        control = f"http://127.0.0.1:{server.port}"
        token = SecretStr("a-token-of-the-tests")
        bench.capture._options = replace(bench.capture._options, control=control, control_token=token)
        (await bench.call(1)).close()
        await asyncio.sleep(1)
        await server.aclose()

    return capturing(scene, out)


def test_a_control_api_that_asks_for_a_token_gets_it(tmp_path: Path) -> None:
    bench = told_by_a_control_api('{"type": "transcript_final", "at": 0.3, "text": "Quero subir."}', tmp_path)
    assert bench.troubles == []
    assert [event.text for event in bench.capture._known[0].reported] == ["Quero subir."]


def test_what_a_control_api_says_is_never_on_the_screen(tmp_path: Path) -> None:
    bench = told_by_a_control_api('{"text": "Quero subir."}', tmp_path)
    assert bench.troubles == [
        "states are not captured: an event of the control API is not as docs/targets.md says",
    ]


def test_the_sound_of_a_call_that_is_written_is_not_kept(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        (await bench.call(1)).close()
        await asyncio.sleep(1)
        (tape,) = bench.capture._known
        assert bench.capture.written == 1
        assert tape.caller == tape.bot == []

    capturing(scene, tmp_path)


def test_a_connection_that_comes_as_it_stops_does_not_keep_it(tmp_path: Path) -> None:
    """An accepted connection whose protocol is not connected yet cannot be aborted before the next turn of the loop."""

    async def scene(bench: Bench) -> None:
        capture = bench.capture
        side = capture._connection()
        loop = asyncio.get_running_loop()
        peer = await loop.create_server(asyncio.Protocol, "127.0.0.1", 0)
        closing = asyncio.ensure_future(capture.aclose())
        await asyncio.sleep(0)
        await loop.create_connection(lambda: side, *peer.sockets[0].getsockname()[:2])
        async with asyncio.timeout(5):
            await closing
        peer.close()

    assert capturing(scene, tmp_path).capture.written == 0


def test_a_call_that_makes_no_scenario_leaves_its_sound_and_its_cassette(tmp_path: Path) -> None:
    nested: dict[str, Any] = {}
    for _ in range(450):
        nested = {"a": nested}
    audio = encode(Kind.SLIN8, b"\x01\x02" * 160)
    tape = Tape(0.0, 1e9, uuid=UUID(int=1).hex, backend_captured=True)
    tape.caller += [(0.0, encode(Kind.UUID, UUID(int=1).bytes)), (0.02, audio)]
    tape.bot.append((0.06, audio))
    tape.asked.append(AskedAt(1.0, "Quero subir.", "1", 2.0, Answer(0, 200, nested)))
    with pytest.raises(
        NotWritten, match=r"it cannot be turned into a scenario \(\w+\); its sound and its cassette are in "
    ):
        InProcessWriter().write(tape, CaptureOptions(("", 0), ("", 0), tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["call"]
    files = {path.name: path for path in (tmp_path / "call").iterdir()}
    assert set(files) == {"call.wav", "cassette.json"}
    assert {path.stat().st_mode & 0o777 for path in files.values()} == {0o600}
    assert '"content": "Quero subir."' in files["cassette.json"].read_text(encoding="utf-8")
    with wave.open(str(files["call.wav"])) as sound:
        assert (sound.getnchannels(), sound.getnframes()) == (2, 480)  # the bot's frame came 60 ms after the UUID


@pytest.mark.long("the journal is given such an answer")
def test_an_answer_nested_too_deeply_for_the_pipe_costs_its_call_and_says_so(tmp_path: Path) -> None:
    nested: dict[str, Any] = {}
    for _ in range(100_000):
        nested = {"a": nested}
    tape = Tape(0.0, 1e9, uuid=UUID(int=1).hex)
    tape.asked.append(AskedAt(1.0, "Quero subir.", "1", 2.0, Answer(0, 200, nested)))
    call_writer = SubprocessWriter()
    try:
        with pytest.raises(NotWritten, match="nested too deeply"):
            call_writer.write(tape, CaptureOptions(("", 0), ("", 0), tmp_path))
    finally:
        call_writer.close()
