"""Which ends of a simulated Asterisk's call are the server's fault."""

import asyncio
import contextlib

import pytest

from audiosocket_core.messages import Kind, encode
from audiosocket_sim.conformance.asterisk_calls import call_of_asterisk
from audiosocket_sim.conformance.case import AsteriskCall
from audiosocket_sim.conformance.sounds import CallerSounds
from audiosocket_sim.virtual_time import run

FRAME = encode(Kind.SLIN8, bytes(320))


async def _is_dropped(version: str, attach: str, last: bytes) -> bool:
    """Whether this Asterisk says that a server was dropped which sends a message, then `last`, and closes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(FRAME)
        await asyncio.sleep(0.5)
        writer.write(last)
        writer.write_eof()
        with contextlib.suppress(OSError):
            while await reader.read(4096):
                pass
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    try:
        call = AsteriskCall(version, attach)  # type: ignore[arg-type]
        return (await call_of_asterisk(call, host, port, bytes(16), CallerSounds())).dropped
    finally:
        server.close()


@pytest.mark.every(2)
@pytest.mark.parametrize("attach", ["app", "chan"])
@pytest.mark.parametrize(
    ("last", "dropped"), [(b"\0\0\0", False), (FRAME, False), (FRAME[:2], False), (FRAME[:103], True)]
)
def test_a_fin_inside_a_payload_is_no_orderly_end(attach: str, last: bytes, dropped: bool) -> None:
    assert run(_is_dropped("22.10", attach, last)) is dropped
