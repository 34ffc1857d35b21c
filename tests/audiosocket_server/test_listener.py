"""`serve`: what it starts, what it refuses, and that nothing is left when it has ended."""

import asyncio
import contextlib
import gc
import logging
import os
import resource
import socket
from pathlib import Path

import audiosocket_server
import pytest
from audiosocket_server.listener import serve
from audiosocket_server.settings.settings import ConfigError, Settings
from helpers.call_bench import virtual

from audiosocket_core import transport
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
async def test_without_settings_the_greeting_is_heard_after_two_seconds() -> None:
    running = await serve()
    heard = await hear(running.host, running.port, 160)
    assert not heard[: 100 * 320].strip(b"\0")
    assert heard[100 * 320 :].strip(b"\0")
    await running.close()


@virtual
async def test_overrides_are_settings() -> None:
    running = await serve(settings={"greeting": {"delay_seconds": 0}})
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
        for _ in range(2):  # it has accepted the socket, and makes the protocol next
            await asyncio.sleep(0)
        await running.close()
        assert sock.recv(10) == b"\0\0\0"
    assert [record.getMessage() for record in caplog.records] == ["a connection is refused: the server stops"]


@pytest.mark.kernel
async def test_out_of_descriptors_calls_go_on_and_the_door_opens_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asyncio.constants, "ACCEPT_RETRY_DELAY", 0.05)
    loop = asyncio.get_running_loop()
    complaints: list[object] = []
    loop.set_exception_handler(lambda _, context: complaints.append(context["exception"]))
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
        assert {type(complaint) for complaint in complaints} == {OSError}
        await loop.sock_sendall(late, UUID_MESSAGE)
        assert (await loop.sock_recv(late, 3)) == b"\x10\x01\x40"
        writer.close()
    await asyncio.sleep(0)
    await running.close()
