"""A server that floods without end: it gets a verdict, in virtual time too, and other calls get their turns."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from uuid import UUID

import pytest
from helpers.call_bench import virtual

from audiosocket_core.messages import encode
from audiosocket_sim.asterisk import leg as leg_module
from audiosocket_sim.asterisk.flood import AT_ONCE, MESSAGES_A_SECOND, ReadingPace
from audiosocket_sim.asterisk.leg import CallLeg
from audiosocket_sim.asterisk.profiles import profile

FRAME, SAMPLE = encode(0x10, bytes(320)), encode(0x10, bytes(2))
UNKNOWN = encode(0x77)


def test_a_burst_is_read_at_once_and_what_follows_at_a_pace() -> None:
    pace = ReadingPace(AT_ONCE)
    assert pace.pause(AT_ONCE - 1, 0, 10.0) == 0
    now, read = 10.0, 0
    while now < 20.0:
        read += 50
        now += pace.pause(50, 50 * 323, now)
    assert read == pytest.approx(10 * MESSAGES_A_SECOND, rel=0.05)
    assert pace.pause(AT_ONCE - 1, 0, 60.0) == 0


def test_long_messages_count_as_several() -> None:
    pace = ReadingPace(AT_ONCE)
    assert pace.pause(1, len(FRAME) * AT_ONCE, 0.0) > 0


def test_a_bot_that_speaks_is_never_held_up() -> None:
    pace = ReadingPace(AT_ONCE)
    assert not any(pace.pause(1, 7683, n * 0.02) for n in range(50_000))


@asynccontextmanager
async def flooding(message: bytes) -> AsyncIterator[int]:
    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            await reader.readexactly(19)
            while True:
                writer.write(message * (65_536 // len(message)))
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(flood, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    await asyncio.sleep(0.05)


def leg_of(version: str, attach: str, heard: Callable[[float, int, bytes], None]) -> CallLeg:
    return CallLeg(profile(version, attach), UUID(int=1), source=lambda n: bytes(2 * n), on_bot_audio=heard)


@pytest.mark.every(3)
@pytest.mark.parametrize(
    ("version", "attach", "message"),
    [("22.10", "app", FRAME), ("22.10", "chan", SAMPLE), ("20.6", "app", UNKNOWN)],
)
def test_time_goes_on_beside_a_flood(
    version: str, attach: str, message: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stood still: the bot wrote and the leg read for ever at one instant."""
    monkeypatch.setattr(leg_module, "AT_ONCE_VIRTUAL", 1_000)
    read = 0

    def heard(at: float, rate_hz: int, payload: bytes) -> None:
        nonlocal read
        read += 1

    @virtual
    async def test() -> None:
        async with flooding(message) as port:
            leg = leg_of(version, attach, heard)
            await leg.connect("127.0.0.1", port)
            await asyncio.sleep(0.5)
            leg.hang_up()
            end = await leg.wait_ended()
        assert end.reason == "the caller hung up"
        assert "the server sends over 6,250 messages a second, and goes on: it is read only so fast" in leg.anomalies
        assert read <= 1_000 + MESSAGES_A_SECOND

    test()


@pytest.mark.kernel
async def test_other_calls_get_their_turn_beside_a_flood(monkeypatch: pytest.MonkeyPatch) -> None:
    """On the real clock: what is handed on between two turns of the loop is bounded."""
    since_a_turn = most = heard = 0

    def take(at: float, rate_hz: int, payload: bytes) -> None:
        nonlocal since_a_turn, most, heard
        since_a_turn, heard = since_a_turn + 1, heard + 1
        most = max(most, since_a_turn)

    async with flooding(SAMPLE) as port:
        leg = leg_of("22.10", "app", take)
        await leg.connect("127.0.0.1", port)
        while heard < 8_000:
            since_a_turn = 0
            await asyncio.sleep(0)
        leg.hang_up()
        await leg.wait_ended()
        # The first read does not know yet that it is a flood.
        assert most <= 16_384 // len(SAMPLE) + 1
        assert heard >= 8_000
