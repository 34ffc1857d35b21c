"""A bot that answers when the caller has said so much, and until then sends nothing: `helpers.waiting_bot:serve`."""

import asyncio
from typing import Any

from audiosocket_core.messages import HEADER_BYTES, Kind, encode

ENOUGH = 150  # packets of the caller's, 3 s
TONE = encode(Kind.SLIN8, b"\0\x20\0\xe0" * 80)


class WaitingBot:
    """One server; `control_url` None: it reports nothing."""

    host = "127.0.0.1"
    control_url = None

    def __init__(self, server: asyncio.Server) -> None:
        self.server = server
        self.port: int = server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        self.server.close()


async def serve(host: str, port: int, control_port: int, settings: dict[str, Any]) -> WaitingBot:
    return WaitingBot(await asyncio.start_server(answer, host, port))


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    heard = 0
    try:
        while True:
            header = await reader.readexactly(HEADER_BYTES)
            await reader.readexactly(header[1] << 8 | header[2])
            heard += header[0] == Kind.SLIN8
            if heard > ENOUGH:
                writer.write(TONE)
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()
