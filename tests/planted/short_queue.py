"""Servers that cannot take connections which come at one instant."""

import asyncio

from planted.good_server import Server

__all__ = ["ResetsAll", "ResetsOddOnes", "ShortQueue"]


class ShortQueue(Server):
    """Has a queue of one: a connection that comes within 10 ms of another one is reset."""

    last = -1.0

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        now = asyncio.get_running_loop().time()
        crowded, self.last = now - self.last < 0.01, now
        if crowded:
            writer.transport.abort()
            return
        await super().take(reader, writer)


class ResetsAll(Server):
    """Takes no call at all."""

    taken = 0

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.taken += 1
        writer.transport.abort()


class ResetsOddOnes(Server):
    """Resets a connection whose UUID does not come in one read."""

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = await reader.read(19)
        if len(first) < 19:
            writer.transport.abort()
            return
        reader._buffer[:0] = first  # type: ignore[attr-defined]
        await super().take(reader, writer)
