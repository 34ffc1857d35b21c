"""Faults in framing: a message is not where its header says, or its kind or length is no good."""

import asyncio

from audiosocket_core.messages import RATE_HZ, Kind
from planted.good_server import Call
from planted.table import Planted

__all__ = ["PLANTED"]

_NAMED = {int(kind) for kind in Kind}


class Crash(Exception):
    """What a handler raises that has no answer to its input."""


class OneReadIsAHeader(Call):
    """Takes what one read finds for the three bytes of a header."""

    async def read_message(self) -> tuple[int, bytes]:
        if not self.uuid:
            return await super().read_message()
        header = await self.reader.read(3)
        if not header:
            raise ConnectionError
        header = header.ljust(3, b"\0")
        return header[0], await self.read(self.length_of(header))


class OneReadIsAPayload(Call):
    """Takes what one read finds for the payload."""

    async def read_message(self) -> tuple[int, bytes]:
        if not self.uuid:
            return await super().read_message()
        header = await self.read(3)
        length = self.length_of(header)
        return header[0], await self.reader.read(length) if length else b""


class LongOnesInOneRead(OneReadIsAPayload):
    """Has a buffer for what fits into a segment, and takes a longer payload as one read finds it."""

    async def read_message(self) -> tuple[int, bytes]:
        header = await self.read(3)
        length = self.length_of(header)
        return header[0], await (self.reader.read(length) if length > 1448 else self.read(length))


class OneMessageARead(Call):
    """Takes the first message of each read, and drops what is behind it."""

    async def read_message(self) -> tuple[int, bytes]:
        message = await super().read_message()
        if self.uuid:
            behind = len(self.reader._buffer)  # type: ignore[attr-defined]
            await self.read(behind)
        return message


class DropsHalfAHeader(Call):
    """Reads into a buffer, takes all whole messages out of it, and forgets what is less than a header."""

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self.buffer = b""

    async def read_message(self) -> tuple[int, bytes]:
        if not self.uuid:
            return await super().read_message()
        while len(self.buffer) < 3 or len(self.buffer) < 3 + self.length_of(self.buffer[:3]):
            if len(self.buffer) < 3:
                self.buffer = b""
            data = await self.reader.read(4096)
            if not data:
                raise ConnectionError
            self.buffer += data
        length = self.length_of(self.buffer[:3])
        kind, payload = self.buffer[0], self.buffer[3 : 3 + length]
        self.buffer = self.buffer[3 + length :]
        return kind, payload


class LengthIsSigned(Call):
    def length_of(self, header: bytes) -> int:
        return int.from_bytes(header[1:], "big", signed=True)


class EmptyIsTheEnd(Call):
    """Takes an empty payload for the end of the stream."""

    def received(self, kind: int, payload: bytes) -> None:
        if kind in RATE_HZ and not payload:
            raise ConnectionError
        super().received(kind, payload)


class CarriesTheOddByte(Call):
    """Joins all payloads to one stream of samples."""

    rest = b""

    def hear(self, kind: int, payload: bytes) -> None:
        payload = self.rest + payload
        even = len(payload) // 2 * 2
        self.rest = payload[even:]
        super().hear(kind, payload[:even])


class UnknownIsTheEnd(Call):
    def received(self, kind: int, payload: bytes) -> None:
        if kind not in _NAMED:
            raise ConnectionError
        super().received(kind, payload)


class HighKindsAreACrash(Call):
    """Looks kinds up in a table of 128."""

    def received(self, kind: int, payload: bytes) -> None:
        if kind >= 0x80 and kind != Kind.ERROR:
            raise Crash
        super().received(kind, payload)


class UnknownIsSkippedInOneRead(Call):
    async def read_message(self) -> tuple[int, bytes]:
        header = await self.read(3)
        length = self.length_of(header)
        if header[0] in _NAMED or not length:
            return header[0], await self.read(length)
        return header[0], await self.reader.read(length)


class ErrorIsAReset(Call):
    def received(self, kind: int, payload: bytes) -> None:
        if kind == Kind.ERROR:
            self.reset()


class ErrorIsOutOfStep(Call):
    """Knows that an error is three bytes, whatever its length says."""

    async def read_message(self) -> tuple[int, bytes]:
        header = await self.read(3)
        return header[0], await self.read(0 if header[0] == Kind.ERROR else self.length_of(header))


class SilenceIsTheEnd(Call):
    def received(self, kind: int, payload: bytes) -> None:
        if kind == Kind.SILENCE:
            raise ConnectionError
        super().received(kind, payload)


class HangupIsSkipped(Call):
    async def listen(self) -> None:
        while True:
            self.received(*await self.read_message())


class LengthIsLittleEndian(HangupIsSkipped):
    """It does not take the silence inside what it takes for a message for a hangup, either."""

    def length_of(self, header: bytes) -> int:
        return int.from_bytes(header[1:], "little" if self.uuid else "big")


class HangupHasNoPayload(Call):
    """Knows a hangup by its three zero bytes."""

    async def listen(self) -> None:
        while True:
            kind, payload = await self.read_message()
            if kind == Kind.HANGUP and not payload:
                return
            self.received(kind, payload)


class WaitsForThePayload(Call):
    """Waits for the rest of a payload, though the stream has ended."""

    async def read_message(self) -> tuple[int, bytes]:
        header = await self.read(3)
        try:
            return header[0], await self.read(self.length_of(header))
        except asyncio.IncompleteReadError:
            await asyncio.sleep(100)
            raise


class WaitsForTheHeader(Call):
    """Waits for the rest of a header, though the stream has ended."""

    async def read_message(self) -> tuple[int, bytes]:
        try:
            header = await self.read(3)
        except asyncio.IncompleteReadError as error:
            if error.partial and self.uuid:
                await asyncio.sleep(100)
            raise
        return header[0], await self.read(self.length_of(header))


class PlaysAnOldBuffer(Call):
    """Plays the whole buffer of which only a part was filled, then ends the call."""

    async def read_message(self) -> tuple[int, bytes]:
        header = await self.read(3)
        length = self.length_of(header)
        try:
            return header[0], await self.read(length)
        except asyncio.IncompleteReadError as error:
            rest = (b"\x21\x43" * length)[: length - len(error.partial)]
            self.received(header[0], error.partial + rest)
            self.tick()
            await asyncio.sleep(0.1)
            raise


class ExpectsTwentyMilliseconds(Call):
    """Has a buffer of 320 bytes for a payload."""

    def hear(self, kind: int, payload: bytes) -> None:
        super().hear(kind, payload[:320])


class OneByteIsACrash(Call):
    """Makes samples of a payload, and takes the first and the last of none."""

    def hear(self, kind: int, payload: bytes) -> None:
        if len(payload) == 1:
            raise Crash
        super().hear(kind, payload)


class RefusesGsm(Call):
    """Ends the call when the audio is no PCM."""

    def hear(self, kind: int, payload: bytes) -> None:
        if len(payload) == 33:
            self.hang_up()
        super().hear(kind, payload)


class ShortIsTheEnd(Call):
    """Ends the call at a payload of less than 20 bytes, unless it is a sample or none."""

    def hear(self, kind: int, payload: bytes) -> None:
        if 2 < len(payload) < 20:
            self.hang_up()
        super().hear(kind, payload)


class TinyIsDropped(Call):
    def hear(self, kind: int, payload: bytes) -> None:
        if len(payload) > 2:
            super().hear(kind, payload)


class HalfAMessageIsForgotten(Call):
    """Gives a message one second, and begins anew with what comes after it."""

    async def read_message(self) -> tuple[int, bytes]:
        if not self.uuid:
            return await super().read_message()
        while True:
            first = await self.read(1)
            try:
                async with asyncio.timeout(1.0):
                    header = first + await self.read(2)
                    return header[0], await self.read(self.length_of(header))
            except TimeoutError:
                await self.read(len(self.reader._buffer))  # type: ignore[attr-defined]


PLANTED = (
    Planted(
        "FR-01",
        OneReadIsAHeader,
        "keeps the call after headers in pieces|sends the caller's sound back",
        "echo",
        consequences=("DT-08", "FR-02", "FR-04", "FR-21"),
    ),
    Planted(
        "FR-02",
        OneReadIsAPayload,
        "after messages in two pieces, but",
        "echo",
        consequences=("FR-04", "FR-19", "FR-21", "FR-23"),
    ),
    Planted(
        "FR-03",
        OneMessageARead,
        "50 messages in one write back, to the bit, but",
        "echo",
        consequences=(
            "DT-02",
            "DT-03",
            "DT-06",
            "DT-07",
            "DT-08",
            "DT-10",
            "FR-01",
            "FR-02",
            "FR-04",
            "FR-05",
            "FR-06",
            "FR-08",
            "FR-12",
            "FR-15",
            "FR-17",
            "FR-19",
            "FR-20",
            "FR-21",
            "FR-23",
            "FR-24",
            "HS-03",
            "HS-15",
        ),
    ),
    Planted("FR-04", DropsHalfAHeader, "cut anywhere", "echo", consequences=("DT-08", "FR-01", "FR-02", "FR-21")),
    Planted("FR-05", LengthIsSigned, "after a message of 65,535 bytes, but", consequences=("FR-23",)),
    Planted(
        "FR-06",
        LengthIsLittleEndian,
        "the audio after lengths of 01 40 back, to the bit, but only",
        "echo_role",
        consequences=(
            *(f"DT-{n:02}" for n in (2, 3, 5, 6, 7, 8, 10)),
            *(f"FR-{n:02}" for n in range(1, 25) if n not in (6, 10, 13, 14)),
            *("HS-03", "HS-10", "HS-15"),
        ),
    ),
    Planted("FR-07", EmptyIsTheEnd, "keeps the call after empty audio, but"),
    Planted(
        "FR-08",
        CarriesTheOddByte,
        "the audio after a message of 321 bytes back, to the bit, but",
        "echo",
        consequences=("FR-05", "FR-16", "FR-17"),
    ),
    Planted(
        "FR-09", UnknownIsTheEnd, "keeps the call after a message of kind 0x7f, but", consequences=("FR-22", "FR-23")
    ),
    Planted("FR-10", ErrorIsAReset, "ends it in order, but closed it with a reset"),
    Planted("FR-10", ErrorIsOutOfStep, "after messages of kind 0xff, but"),
    Planted("FR-11", SilenceIsTheEnd, "keeps the call after messages of kind 0x02, but"),
    Planted("FR-12", HangupIsSkipped, "after a hangup of the peer, but it stays open", consequences=("FR-24",)),
    Planted(
        "FR-13", WaitsForThePayload, "inside a payload, but it stays open", consequences=("HS-23", "HS-26", "HS-27")
    ),
    Planted("FR-13", PlaysAnOldBuffer, "sends no sound that was not sent to it, but sent 21 43", "echo"),
    Planted("FR-14", WaitsForTheHeader, "inside a header, but it stays open"),
    Planted(
        "FR-15",
        ExpectsTwentyMilliseconds,
        "messages of many sizes back, to the bit, but",
        "echo",
        consequences=("FR-05", "FR-19"),
    ),
    Planted("FR-16", OneByteIsACrash, "keeps the call after a message of one byte, but"),
    Planted("FR-17", RefusesGsm, "keeps the call after messages of 33 bytes, but sent 00 00 00"),
    Planted("FR-18", ShortIsTheEnd, "keeps the call after a comfort noise packet, but", consequences=("FR-04",)),
    Planted("FR-19", LongOnesInOneRead, "after messages of two segments, but", "echo", consequences=("FR-23",)),
    Planted(
        "FR-20", TinyIsDropped, "200 messages of 2 bytes back, to the bit, but", "echo", consequences=("FR-04", "FR-15")
    ),
    Planted("FR-21", HalfAMessageIsForgotten, "pause", "echo"),
    Planted("FR-22", HighKindsAreACrash, "keeps the call after each unknown kind, but"),
    Planted("FR-23", UnknownIsSkippedInOneRead, "after a long unknown message, but"),
    Planted("FR-24", HangupHasNoPayload, "after a hangup with a payload, but it stays open"),
)
