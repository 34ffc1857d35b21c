"""Servers that end, or take no more calls, because of what one peer did."""

import asyncio
import os

from planted.good_server import Call, Server

__all__ = ["DiesOfAnError", "StopsListening"]


class StopsListening(Server):
    """A message of an unknown kind ends the server."""

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        call = _KnowsKinds(self.ways, reader, writer)
        await call.run()
        if call.was_odd:
            self.closing = asyncio.ensure_future(self.close())


class _KnowsKinds(Call):
    was_odd = False

    def received(self, kind: int, payload: bytes) -> None:
        if kind == 0x7F:
            self.was_odd = True
            self.writer.close()
        super().received(kind, payload)


class DiesOfAnError(Call):
    """A message of an unknown kind ends the program."""

    def received(self, kind: int, payload: bytes) -> None:
        if kind == 0x7F:
            os._exit(7)
        super().received(kind, payload)
