"""Faults that only an odd stream brings out: canaries of the search for them."""

import asyncio
from typing import ClassVar

from audiosocket_core.messages import RATE_HZ, Kind
from planted.good_server import Call, Server

__all__ = [
    "DeafAfterACutKey",
    "DiesOfAnEmptyKey",
    "DrowsyAfterAnError",
    "ForgetsToClose",
    "HoldsUpAll",
    "LeavesTheLoop",
    "ReadsAHeaderAtOnce",
    "SpinsForEver",
]


class DiesOfAnEmptyKey(Server):
    """Ends with all calls when a key comes without its digit: 01 00 10 and 16 bytes, 03 00 00."""

    async def start(self, host: str, port: int) -> "Server":
        server = self

        class DyingCall(Call):
            def key(self, payload: bytes) -> None:
                if not payload:
                    server.die()

        self.call = DyingCall
        return await super().start(host, port)

    def die(self) -> None:
        self.server.close()
        for task in list(self._calls):
            task.cancel()


class LeavesTheLoop(Call):
    """Ends the program at kind 0x7f."""

    def received(self, kind: int, payload: bytes) -> None:
        if kind == 0x7F:
            raise SystemExit(7)
        super().received(kind, payload)


class SpinsForEver(Call):
    """Waits for the rest of an odd sample without ever sleeping."""

    async def listen(self) -> None:
        while True:
            kind, payload = await self.read_message()
            while kind in RATE_HZ and len(payload) % 2:  # noqa: ASYNC110 - that is the fault
                await asyncio.sleep(0)
            if kind == Kind.HANGUP:
                return
            self.received(kind, payload)


class HoldsUpAll(Call):
    """A message of kind 0xff in one call keeps the sound of all for three seconds."""

    held_until: ClassVar[dict[asyncio.AbstractEventLoop, float]] = {}

    def received(self, kind: int, payload: bytes) -> None:
        if kind == Kind.ERROR:
            self.held_until[asyncio.get_running_loop()] = self.now + 3.0
        super().received(kind, payload)

    def tick(self) -> None:
        if self.now >= self.held_until.get(asyncio.get_running_loop(), 0.0):
            super().tick()


class ReadsAHeaderAtOnce(Call):
    """Takes what one read finds for a whole header, as long as the UUID is behind it."""

    async def read_message(self) -> tuple[int, bytes]:
        header = await self.reader.read(3) if self.uuid else await self.read(3)
        if not header:
            raise ConnectionError
        return header[0], await self.read(self.length_of(header))


class ForgetsToClose(Call):
    """Keeps a connection that ends inside a message, and says nothing any more."""

    is_stuck = False

    async def read(self, count: int) -> bytes:
        try:
            return await self.reader.readexactly(count)
        except asyncio.IncompleteReadError as error:
            if error.partial:
                self.is_stuck = True
                try:
                    await asyncio.sleep(3600)
                finally:
                    self.close()
            raise

    def tick(self) -> None:
        if not self.is_stuck:
            super().tick()


class DrowsyAfterAnError(Call):
    """After a message of kind 0xff in one call, calls that begin later get no sound."""

    since: ClassVar[dict[asyncio.AbstractEventLoop, float]] = {}

    async def begin(self) -> None:
        self.began = self.now
        await super().begin()

    def received(self, kind: int, payload: bytes) -> None:
        if kind == Kind.ERROR:
            self.since[asyncio.get_running_loop()] = self.now
        super().received(kind, payload)

    def tick(self) -> None:
        if self.began <= self.since.get(asyncio.get_running_loop(), self.began):
            super().tick()


class DeafAfterACutKey(Call):
    """Hears nothing more of a caller whose key came in two reads."""

    is_deaf = False

    async def read_message(self) -> tuple[int, bytes]:
        header = await self.read(3)
        count = self.length_of(header)
        if self.uuid and header[0] == Kind.DTMF:
            payload = await self.reader.read(count) if self.reader._buffer else b""  # type: ignore[attr-defined]
            if len(payload) < count:
                self.is_deaf = True
                payload += await self.read(count - len(payload))
            return header[0], payload
        return header[0], await self.read(count)

    def hear(self, kind: int, payload: bytes) -> None:
        if not self.is_deaf:
            super().hear(kind, payload)
