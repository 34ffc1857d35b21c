"""`serve`: what it starts, what it refuses, and that nothing is left when it has ended."""

import asyncio
import contextlib
import gc
import logging
import os
import resource
import socket
from pathlib import Path
from uuid import UUID

import audiosocket_server
import pytest
from audiosocket_server import door
from audiosocket_server.complaints import WHOLE_A_MINUTE
from audiosocket_server.listener import serve
from audiosocket_server.settings.settings import ConfigError, Settings
from helpers.call_bench import UUID_TEXT, bench, virtual

from audiosocket_core import accepting, transport
from audiosocket_core.errors import AudioSocketError

UUID_MESSAGE = b"\1\0\x10" + bytes(range(16))


async def hear(host: str, port: int, frames: int) -> bytes:
    """What a caller hears who sends no audio at all."""
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(UUID_MESSAGE)
    heard = b""
    for _ in range(frames):
        message = await reader.readexactly(323)
        assert message[:3] == b"\x10\x01\x40"
        heard += message[3:]
    writer.close()
    await asyncio.sleep(0.1)
    return heard


@virtual
async def test_without_settings_a_caller_who_sends_nothing_is_greeted_after_five_seconds() -> None:
    running = await serve()
    heard = await hear(running.host, running.port, 310)
    assert not heard[: 250 * 320].strip(b"\0")
    assert heard[250 * 320 :].strip(b"\0")
    await running.close()


@virtual
async def test_overrides_are_settings() -> None:
    running = await serve(settings={"greeting": {"delay_seconds": 0, "wait_for_audio_seconds": 0}})
    assert (await hear(running.host, running.port, 40)).strip(b"\0")
    await running.close()
    assert audiosocket_server.serve is serve


@virtual
async def test_ports_and_control_url() -> None:
    running = await serve(settings=Settings.from_overrides())
    other = await serve(settings=Settings.from_overrides(), control_port=None)
    assert running.port != other.port
    assert running.control_url is not None
    assert running.control_url.startswith("http://127.0.0.1:")
    assert other.control_url is None
    await running.close()
    await running.close()
    await other.close()


@virtual
async def test_a_wrong_setting_is_named_and_nothing_is_started() -> None:
    with pytest.raises(ConfigError, match=r"greeting\.delay_second"):
        await serve(settings={"greeting": {"delay_second": 0}})


@virtual
async def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises((OSError, AudioSocketError), match=r"nothing\.slin"):
        await serve(settings={"audio": {"waiting_file": str(tmp_path / "nothing.slin")}})
    with pytest.raises(AudioSocketError, match="nowhere"):
        await serve(settings={"speech": {"phrase_books": [str(tmp_path / "nowhere")]}})


@virtual
async def test_a_port_in_use_leaves_nothing_behind() -> None:
    running = await serve()
    with pytest.raises(OSError):
        await serve(port=running.port)
    with pytest.raises(OSError):
        await serve(control_port=int(str(running.control_url).rpartition(":")[2]))
    await running.close()


@virtual
async def test_the_engine_and_its_reason_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    await (await serve()).close()
    assert "speech engine: embedded (set by speech.engine)" in caplog.messages
    assert "voice activity detector: webrtc (set by endpointing.engine)" in caplog.messages


async def test_a_server_leaves_the_host_s_garbage_collector_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("collect", "freeze", "unfreeze", "disable", "enable", "set_threshold"):
        monkeypatch.setattr(gc, name, lambda *_: pytest.fail("the garbage collector was touched"))
    running = await serve(settings={"greeting": {"message": ""}})
    await hear(running.host, running.port, 3)
    await running.close()


@pytest.mark.kernel
@pytest.mark.parametrize("turns", range(5))
async def test_a_connection_at_the_very_end_does_not_outlive_the_server(
    turns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "DRAIN_SECONDS", 0.05)
    running = await serve(settings={"greeting": {"message": ""}})
    loop = asyncio.get_running_loop()
    with socket.socket() as sock:
        sock.setblocking(False)
        await loop.sock_connect(sock, (running.host, running.port))
        for _ in range(turns):  # the loop accepts, makes a protocol, and connects it, one after the other
            await asyncio.sleep(0)
        await running.close()  # and the other side closes nothing
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert [timer for timer in loop._scheduled if not timer.cancelled()] == []  # type: ignore[attr-defined]
        with contextlib.suppress(ConnectionResetError):
            assert sock.recv(10) in (b"", b"\0\0\0")


@pytest.mark.kernel
async def test_a_connection_that_comes_as_the_server_stops_is_refused_for_that(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Not since there are too many."""
    monkeypatch.setattr(transport, "DRAIN_SECONDS", 0.05)
    running = await serve(settings={"greeting": {"message": ""}})
    with socket.create_connection((running.host, running.port)) as sock:  # the loop knows nothing of it yet
        await running.close()
        assert sock.recv(10) == b"\0\0\0"
    assert [record.getMessage() for record in caplog.records] == ["a connection is refused: the server stops"]


@pytest.mark.kernel
@pytest.mark.parametrize("loop_name", ["asyncio", "uvloop"])
def test_out_of_descriptors_calls_go_on_and_the_door_opens_again(
    loop_name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(accepting, "RETRY_SECONDS", 0.01)
    factory = None if loop_name == "asyncio" else pytest.importorskip("uvloop").new_event_loop

    async def test() -> None:
        loop = asyncio.get_running_loop()
        running = await serve(settings={"greeting": {"message": ""}}, control_port=None)
        reader, writer = await asyncio.open_connection(running.host, running.port)
        writer.write(UUID_MESSAGE)
        await reader.readexactly(323)
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        with socket.socket() as late:
            late.setblocking(False)
            lowest_free = os.dup(late.fileno())
            os.close(lowest_free)
            resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, hard))
            try:
                await loop.sock_connect(late, (running.host, running.port))
                for _ in range(5):
                    await reader.readexactly(323)
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            await loop.sock_sendall(late, UUID_MESSAGE)
            assert (await loop.sock_recv(late, 3)) == b"\x10\x01\x40"
            writer.close()
        await asyncio.sleep(0)
        await running.close()
        where = f"connections to 127.0.0.1:{running.port} cannot be accepted"
        assert caplog.messages == [f"{where}: Too many open files"]

    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(test())


@pytest.mark.kernel
async def test_without_a_descriptor_a_call_takes_that_of_a_connection_without_a_uuid() -> None:
    loop = asyncio.get_running_loop()
    running = await serve(settings={"greeting": {"message": ""}}, control_port=None)
    idle, idle_writer = await asyncio.open_connection(running.host, running.port)
    while not running._door.waiting:  # noqa: ASYNC110 - the kernel has no event for it
        await asyncio.sleep(0)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with socket.socket() as late:
        late.setblocking(False)
        lowest_free = os.dup(late.fileno())
        os.close(lowest_free)
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, hard))
        try:
            await loop.sock_connect(late, (running.host, running.port))
            await loop.sock_sendall(late, UUID_MESSAGE)
            assert (await loop.sock_recv(late, 3)) == b"\x10\x01\x40"
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        with contextlib.suppress(ConnectionResetError):
            assert await idle.read() == b""
        idle_writer.close()
    await asyncio.sleep(0)
    await running.close()


@virtual
async def test_idle_connections_do_not_take_the_places_of_calls() -> None:
    limits = {"connections_without_uuid": 3, "calls": 2}
    async with bench({"limits": limits}) as b:
        idle = [await b.caller().connect(uuid=False) for _ in range(10)]
        await asyncio.sleep(0.01)
        calls = [await b.call() for _ in range(2)]
        for call in calls:
            await call.until_event("playback_started")
        assert [one.ended_by is not None for one in idle] == [True] * 8 + [False] * 2
        with contextlib.suppress(ConnectionError):
            idle[9].begin()  # a call too many, although its connection was accepted
            assert await idle[9].ended() == "hangup"
        assert len(b.server.calls.all()) == 2
        assert b.server.calls.metrics.refused == 1


@virtual
async def test_only_so_many_refusals_are_orderly_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "MOST_REFUSED", 2)
    async with bench({"limits": {"calls": 1}}) as b:
        call = await b.call()
        late = [await b.caller().connect() for _ in range(5)]
        ends = [await one.ended() for one in late]
        assert ends[:2] == ["hangup"] * 2
        assert "hangup" not in ends[2:]
        await call.until_event("playback_started")
        assert call.record.live


@virtual
async def test_a_peer_of_no_allowed_network_is_closed_without_an_answer(caplog: pytest.LogCaptureFixture) -> None:
    async with bench({"server": {"peers": ["192.0.2.0/24"]}}) as b:
        for _ in range(10):
            caller = await b.caller().connect()
            assert await caller.ended() in ("eof", "reset")
        assert not b.server.calls.all()
    assert len(caplog.messages) == WHOLE_A_MINUTE
    assert "is in no network of server.peers" in caplog.messages[0]


@virtual
async def test_only_expected_calls_come_in_each_once() -> None:
    other = "11111111-1111-1111-1111-111111111111"
    async with bench({"server": {"expected_uuids": [UUID_TEXT]}}) as b:
        first = await b.call()
        await first.until_event("playback_started")
        again, unknown = await b.call(), await b.call(other)
        assert [await again.ended(), await unknown.ended()] == ["hangup", "hangup"]
        assert b.server._door.admission.expected.announce(UUID(other), asyncio.get_running_loop().time())
        await (await b.call(other)).until_event("playback_started")
        assert len(b.server.calls.all()) == 2


@virtual
async def test_beyond_loopback_it_is_said_once_that_there_is_no_password(caplog: pytest.LogCaptureFixture) -> None:
    for settings in ({}, {"server": {"peers": ["10.0.0.0/8"]}}, {"server": {"expected_uuids": []}}):
        await (await serve(host="0.0.0.0", settings=settings)).close()
    await (await serve()).close()
    (said,) = (message for message in caplog.messages if "password" in message)
    assert said.startswith("AudioSocket has no password: whoever reaches 0.0.0.0:")
