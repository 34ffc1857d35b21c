"""Faults in the handshake, and in what a server makes of connections that are no calls."""

import asyncio
import uuid

from audiosocket_core.messages import Kind
from planted.good_server import UUID_SECONDS, Call, Refused, Server
from planted.table import Planted

__all__ = ["PLANTED"]


class TextUuidOnly(Call):
    """Waits for a UUID of 36 bytes of text."""

    def is_uuid(self, kind: int, payload: bytes) -> bool:
        return kind == Kind.UUID and len(payload) == 36


class OneReadIsTheUuid(Call):
    """Takes what the first read finds for the whole UUID message."""

    async def begin(self) -> None:
        async with asyncio.timeout(UUID_SECONDS):
            data = await self.reader.read(19)
        if len(data) < 19 or not self.is_uuid(data[0], data[3:]):
            raise Refused


class OneReadIsTheHeader(Call):
    """Reads the header in full, and takes what one more read finds for the UUID."""

    async def begin(self) -> None:
        async with asyncio.timeout(UUID_SECONDS):
            header = await self.read(3)
            payload = await self.reader.read(16)
        if not self.is_uuid(header[0], payload):
            raise Refused


class DropsWhatIsBehindTheUuid(Call):
    """Takes the first read for the UUID, and forgets what else is in it."""

    async def begin(self) -> None:
        await super().begin()
        behind = len(self.reader._buffer)  # type: ignore[attr-defined]
        await self.read(behind)


class UuidWithinAShortTime(Call):
    """Gives a connection 5 s to announce its call."""

    async def begin(self) -> None:
        async with asyncio.timeout(5.0):
            await super().begin()


class UuidWithinASecond(Call):
    """Gives the second half of the UUID message one second."""

    async def begin(self) -> None:
        async with asyncio.timeout(UUID_SECONDS):
            header = await self.read(3)
        async with asyncio.timeout(1.0):
            payload = await self.read(self.length_of(header))
        if not self.is_uuid(header[0], payload):
            raise Refused


class WaitsForTheUuidForEver(Call):
    """Has no limit of its own."""

    async def begin(self) -> None:
        kind, payload = await self.read_message()
        if not self.is_uuid(kind, payload):
            raise Refused


class RefusesTheNilUuid(Call):
    def is_uuid(self, kind: int, payload: bytes) -> bool:
        return super().is_uuid(kind, payload) and payload != bytes(16)


class KnownVersionsOnly(Call):
    """Takes a UUID apart, and refuses what is none of RFC 9562."""

    def is_uuid(self, kind: int, payload: bytes) -> bool:
        if not super().is_uuid(kind, payload):
            return False
        return payload == bytes(16) or uuid.UUID(bytes=payload).version is not None


class CallsByUuid(Call):
    """Keeps its calls by UUID: what one caller says goes to the newest call of that name."""

    async def begin(self) -> None:
        await super().begin()
        self.notes[self.uuid] = self

    def say(self, kind: int, sound: bytes) -> None:
        Call.say(self.notes[self.uuid], kind, sound)


class NewCallEndsTheOld(Call):
    """Keeps one call of each UUID: a new one takes its place."""

    async def begin(self) -> None:
        await super().begin()
        old = self.notes.get(self.uuid)
        self.notes[self.uuid] = self
        if old is not None:
            old.reset()


class AUuidOnce(Call):
    """Never takes a UUID again that it has seen."""

    async def begin(self) -> None:
        await super().begin()
        if self.uuid in self.notes:
            raise Refused
        self.notes[self.uuid] = True


class SecondUuidIsACrash(Call):
    """Resets the connection at a second UUID."""

    def received(self, kind: int, payload: bytes) -> None:
        if kind == Kind.UUID:
            self.reset()
        super().received(kind, payload)


class QuietCallersAreGone(Call):
    """Hangs up on a caller of whom nothing came for 5 s."""

    async def read_message(self) -> tuple[int, bytes]:
        if not self.uuid:
            return await super().read_message()
        async with asyncio.timeout(5.0):
            return await super().read_message()


class SendsTheUuidBack(Call):
    """Confirms the UUID."""

    def greet(self) -> None:
        self.put(Kind.UUID, self.uuid)
        super().greet()


class ReadsWordsOnlyOnceItHasGreeted(Call):
    """Hears a sentence that comes before its greeting is over as a reason to end the call."""

    def caller_began(self) -> None:
        if self.queue:
            self.hang_up()
        super().caller_began()


class ServesWhateverComes(Call):
    """Serves every connection; one that sends no UUID gets an id of its own making."""

    async def begin(self) -> None:
        async with asyncio.timeout(UUID_SECONDS):
            kind, payload = await self.read_message()
        self.uuid = payload if self.is_uuid(kind, payload) else uuid.uuid4().bytes


class PadsTheUuid(Call):
    """Makes 16 bytes of whatever the UUID message holds."""

    def is_uuid(self, kind: int, payload: bytes) -> bool:
        return kind == Kind.UUID and len(payload) in (15, 16)


class LeavesTheSocketOpen(Server):
    """An error ends the handler, and nobody closes the connection."""

    async def failed(self, writer: asyncio.StreamWriter) -> None:
        self.notes.setdefault("open", []).append(writer)


class OpenAfterNoByte(LeavesTheSocketOpen):
    """It has no answer to the end of a stream without a byte."""

    class call(Call):
        async def begin(self) -> None:
            try:
                await super().begin()
            except asyncio.IncompleteReadError as error:
                if not error.partial:
                    raise RuntimeError from None
                raise


class OpenAfterHalfAUuid(LeavesTheSocketOpen):
    class call(Call):
        async def begin(self) -> None:
            try:
                await super().begin()
            except asyncio.IncompleteReadError as error:
                if error.partial:
                    raise RuntimeError from None
                raise


class OpenAfterAudioFirst(LeavesTheSocketOpen):
    class call(Call):
        def is_uuid(self, kind: int, payload: bytes) -> bool:
            if kind == Kind.SLIN8:
                raise KeyError(kind)
            return super().is_uuid(kind, payload)


class OpenAfterTls(LeavesTheSocketOpen):
    class call(Call):
        async def read_message(self) -> tuple[int, bytes]:
            header = await self.read(3)
            if header[:1] == b"\x16":
                raise KeyError(header)
            return header[0], await self.read(self.length_of(header))


class OpenAfterHttp(LeavesTheSocketOpen):
    class call(Call):
        async def begin(self) -> None:
            header = await self.read(3)
            if header == b"GET":
                raise KeyError(header)
            payload = await self.read(self.length_of(header))
            if not self.is_uuid(header[0], payload):
                raise Refused
            self.uuid = payload


class OpenAfterAWrongUuid(LeavesTheSocketOpen):
    """`UUID(bytes=…)` raises an error, and nobody closes the connection."""

    class call(Call):
        def is_uuid(self, kind: int, payload: bytes) -> bool:
            if kind == Kind.UUID:
                uuid.UUID(bytes=payload)
            return super().is_uuid(kind, payload)


class OpenAfterAShortCall(LeavesTheSocketOpen):
    """A call that ends before its first frame is an error."""

    class call(Call):
        async def listen(self) -> None:
            heard = False
            while True:
                try:
                    kind, payload = await self.read_message()
                except asyncio.IncompleteReadError:
                    if not heard:
                        await asyncio.sleep(100)
                    raise
                heard = True
                if kind == Kind.HANGUP:
                    return
                self.received(kind, payload)


class AResetIsTheEndOfAll(Server):
    """Takes no connection any more after one was reset."""

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await super().take(reader, writer)
        if isinstance(reader.exception(), ConnectionResetError):
            self.server.close()


class OneUuidAtATime(Server):
    """Waits for each UUID in its accept loop."""

    class call(Call):
        async def begin(self) -> None:
            async with self.notes.setdefault("door", asyncio.Lock()):
                await super().begin()


PLANTED = (
    Planted("HS-01", TextUuidOnly, "keeps the call after the UUID, but", spreads=True),
    Planted(
        "HS-02",
        OneReadIsTheUuid,
        "keeps the call after a UUID in single bytes, but closed it",
        consequences=("HS-16", "HS-17", "HS-22"),
    ),
    Planted(
        "HS-03",
        DropsWhatIsBehindTheUuid,
        "the audio behind the UUID back, to the bit, but nothing",
        "echo",
        consequences=("HS-15",),
    ),
    Planted("HS-04", OpenAfterNoByte, "closes its end within 1 s after the peer has closed, but it was open"),
    Planted("HS-05", UuidWithinAShortTime, "takes|keeps the call after a UUID that came late, but closed it"),
    Planted("HS-06", WaitsForTheUuidForEver, "by itself, but it was open after 120 s", heavy=True),
    Planted("HS-07", OpenAfterAudioFirst, "but it was open"),
    Planted("HS-08", OpenAfterAWrongUuid, "but it was open"),
    Planted("HS-09", RefusesTheNilUuid, "keeps the call after the nil UUID, but"),
    Planted("HS-10", CallsByUuid, "but one hears the other's", "echo"),
    Planted("HS-10", NewCallEndsTheOld, "while another has the same UUID, but closed it with a reset"),
    Planted("HS-11", SecondUuidIsACrash, "but closed it with a reset"),
    Planted("HS-12", QuietCallersAreGone, "after 9 s without a byte from the caller, but"),
    Planted("HS-13", OpenAfterAShortCall, "but it was open", "echo_at_once"),
    Planted("HS-14", SendsTheUuidBack, "but sent kind 0x01: 01 00 10"),
    Planted(
        "HS-15",
        DropsWhatIsBehindTheUuid,
        "the audio behind the UUID back, to the bit, but nothing",
        "echo",
        consequences=("HS-03",),
    ),
    Planted("HS-16", OneReadIsTheUuid, "in two pieces, but closed it", consequences=("HS-02", "HS-17", "HS-22")),
    Planted("HS-17", UuidWithinASecond, "after a pause inside the UUID, but closed it"),
    Planted("HS-18", KnownVersionsOnly, "after a UUID of no known version, but"),
    Planted("HS-19", AUuidOnce, "with the UUID of a call that is over, but"),
    Planted("HS-20", ReadsWordsOnlyOnceItHasGreeted, "after a caller who spoke at once, but sent 00 00 00"),
    Planted("HS-21", ServesWhateverComes, "serves no caller that began with audio, but", consequences=("HS-22",)),
    Planted("HS-22", PadsTheUuid, "serves no caller with a UUID of 15 bytes, but"),
    Planted("HS-23", OpenAfterHalfAUuid, "but it was open", consequences=("HS-26", "HS-27")),
    Planted("HS-24", AResetIsTheEndOfAll, "takes the connection, but", spreads=True),
    Planted("HS-25", OneUuidAtATime, "beside connections that send nothing", spreads=True),
    Planted("HS-26", OpenAfterHttp, "but it was open"),
    Planted("HS-27", OpenAfterTls, "but it was open"),
)
