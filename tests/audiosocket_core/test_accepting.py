"""Accepting: one a turn, none lost at the end, and one line where no more files may be opened; on both loops."""

import asyncio
import os
import resource
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from audiosocket_core import accepting
from audiosocket_core.accepting import Acceptor

pytestmark = pytest.mark.kernel

Test = Callable[["Door"], Awaitable[None]]


class Door:
    """An acceptor, and what came through it."""

    def __init__(self, *, room: Callable[[], bool] = lambda: False) -> None:
        self.made: list[asyncio.Transport] = []
        self.troubles: list[str] = []
        self.acceptor = Acceptor(self.protocol, on_trouble=self.troubles.append, make_room=room)

    def protocol(self) -> asyncio.Protocol:
        door = self

        class Protocol(asyncio.Protocol):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                assert isinstance(transport, asyncio.Transport) or hasattr(transport, "abort")
                door.made.append(transport)  # type: ignore[arg-type]

        return Protocol()

    def call(self) -> socket.socket:
        return socket.create_connection((self.acceptor.host, self.acceptor.port))


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Iterator[Callable[..., None]]:
    factory = None if request.param == "asyncio" else pytest.importorskip("uvloop").new_event_loop

    def run_test(test: Test, **options: Any) -> None:
        async def main() -> None:
            complaints: list[object] = []
            asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
            door = Door(**options)
            await door.acceptor.start("127.0.0.1", 0)
            try:
                await test(door)
            finally:
                door.acceptor.close()
                await door.acceptor.settled()
                for transport in door.made:
                    transport.abort()
                await asyncio.sleep(0)
            assert complaints == []

        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(main())

    return run_test


@contextmanager
def no_more_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest_free = os.dup(0)
    os.close(lowest_free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def until(condition: Callable[[], object]) -> None:
    while not condition():  # noqa: ASYNC110 - the kernel has no event for it
        await asyncio.sleep(0)


def test_many_at_once_come_one_a_turn(run: Any) -> None:
    async def test(door: Door) -> None:
        calls = [door.call() for _ in range(30)]
        seen = 0
        while len(door.made) < len(calls):
            await asyncio.sleep(0)
            assert len(door.made) - seen <= 1
            seen = len(door.made)
        for call in calls:
            call.close()

    run(test)


@pytest.mark.parametrize("turns", range(4))
def test_at_the_very_end_of_listening_none_is_lost(run: Any, turns: int) -> None:
    async def test(door: Door) -> None:
        with door.call(), door.call(), door.call():
            for _ in range(turns):
                await asyncio.sleep(0)
            door.acceptor.close(accept_waiting=True)
            await door.acceptor.settled()
            assert len(door.made) == 3
            with pytest.raises(ConnectionRefusedError):
                door.call()

    run(test)


def test_where_no_file_may_be_opened_the_door_is_shut_a_moment_and_that_is_said_once(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accepting, "RETRY_SECONDS", 0.001)

    async def test(door: Door) -> None:
        late = socket.socket()
        late.setblocking(False)
        with late, no_more_files():
            await asyncio.get_running_loop().sock_connect(late, (door.acceptor.host, door.acceptor.port))
            tried: list[bool] = []
            door.acceptor._make_room = lambda: bool(tried.append(True))
            await until(lambda: len(tried) == 5)
        await until(lambda: door.made)
        where = f"connections to 127.0.0.1:{door.acceptor.port} cannot be accepted"
        assert door.troubles == [f"{where}: Too many open files"]

    run(test)


def test_room_is_made_for_a_connection_where_something_is_worth_less(run: Any) -> None:
    worth_less = [os.dup(0)]

    def make_room() -> bool:
        os.close(worth_less.pop())
        return True

    async def test(door: Door) -> None:
        late = socket.socket()
        late.setblocking(False)
        with late, no_more_files():
            await asyncio.get_running_loop().sock_connect(late, (door.acceptor.host, door.acceptor.port))
            await until(lambda: door.made)
        assert worth_less == []

    run(test, room=make_room)


async def test_a_port_in_use_is_an_error_and_leaves_nothing() -> None:
    first, second = Door(), Door()
    await first.acceptor.start("127.0.0.1", 0)
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(OSError, match="in use"):
        await second.acceptor.start("127.0.0.1", first.acceptor.port)
    assert len(os.listdir("/proc/self/fd")) == before
    first.acceptor.close()
    first.acceptor.close()
