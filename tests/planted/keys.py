"""Faults with keys."""

from audiosocket_core.messages import RATE_HZ, Kind
from planted.good_server import Call, Refused
from planted.table import Planted

__all__ = ["PLANTED"]


class DigitsOnly(Call):
    def key(self, payload: bytes) -> None:
        if payload.isdigit():
            super().key(payload)


class KeyIsTheEndOfARead(Call):
    """Takes a key for all that a read holds."""

    def key(self, payload: bytes) -> None:
        super().key(payload)
        self.reader._buffer.clear()  # type: ignore[attr-defined]


class DeafAfterAHole(Call):
    """Does not hear the first message after half a second without any."""

    heard_at = 1e9

    def hear(self, kind: int, payload: bytes) -> None:
        hole = self.now - self.heard_at
        self.heard_at = self.now
        if hole <= 0.5:
            super().hear(kind, payload)


class KeysThatComeSoonAreOne(Call):
    """Drops a key within 300 ms of the one before."""

    key_at = -1.0

    def key(self, payload: bytes) -> None:
        soon = self.now - self.key_at < 0.3
        self.key_at = self.now
        if not soon:
            super().key(payload)


class AKeyHasAByte(Call):
    def key(self, payload: bytes) -> None:
        super().key(bytes([payload[0]]))


class NoKeyBeforeAudio(Call):
    """Ends the call at a key that comes before any audio."""

    heard = False

    def received(self, kind: int, payload: bytes) -> None:
        self.heard = self.heard or kind in RATE_HZ
        if kind == Kind.DTMF and not self.heard:
            raise Refused
        super().received(kind, payload)


class AKeyIsTheEnd(Call):
    """Knows the UUID, audio and the hangup, and no more."""

    def key(self, payload: bytes) -> None:
        raise Refused


class SendsKeysBack(Call):
    """Sends back whatever it gets."""

    def key(self, payload: bytes) -> None:
        self.put(Kind.DTMF, payload)


class AKeyIsInOneRead(Call):
    """Takes what one read finds for the rest of a key."""

    async def read_message(self) -> tuple[int, bytes]:
        kind = await self.read(1)
        if kind[0] != Kind.DTMF:
            header = kind + await self.read(2)
            return header[0], await self.read(self.length_of(header))
        return kind[0], (await self.reader.read(3))[2:]


class KeysWhileItSpeaksAreACrash(Call):
    def key(self, payload: bytes) -> None:
        if self.queue:
            raise Refused
        super().key(payload)


class TenKeysAreEnough(Call):
    keys = 0

    def key(self, payload: bytes) -> None:
        self.keys += 1
        if self.keys > 10:
            raise Refused
        super().key(payload)


PLANTED = (
    Planted("DT-01", DigitsOnly, r"plays a sound for the key \*, as its role is, but nothing came", "keys"),
    Planted(
        "DT-02",
        KeyIsTheEndOfARead,
        "the audio on both sides of a key back, to the bit, but",
        "echo",
        consequences=("DT-03", "DT-07", "DT-08", "DT-10"),
    ),
    Planted(
        "DT-03",
        DeafAfterAHole,
        "the audio after a held key back, to the bit, but",
        "echo",
        consequences=("DT-10", "FR-18", "FR-21"),
    ),
    Planted("DT-04", KeysThatComeSoonAreOne, "as two keys, but its sound lasted 0.12 s", "keys"),
    Planted("DT-05", AKeyHasAByte, "keeps the call after keys of odd form, but"),
    Planted("DT-06", NoKeyBeforeAudio, "keeps the call after a key that came first, but", consequences=("DT-09",)),
    Planted(
        "DT-07",
        AKeyIsTheEnd,
        "keeps the call after keys, but",
        consequences=("DT-02", "DT-03", "DT-05", "DT-06", "DT-08", "DT-09", "DT-10"),
    ),
    Planted(
        "DT-07",
        SendsKeysBack,
        r"sends no key back, but sent 03 00 01 \| 35",
        consequences=("DT-02", "DT-03", "DT-05", "DT-06", "DT-08", "DT-09", "DT-10", "HS-14"),
    ),
    Planted("DT-08", AKeyIsInOneRead, "keys in pieces", "echo", consequences=("DT-05",)),
    Planted(
        "DT-09",
        KeysWhileItSpeaksAreACrash,
        "keeps the call after keys that were pressed while it spoke, but",
        consequences=("DT-06",),
    ),
    Planted("DT-10", TenKeysAreEnough, "keeps the call after sixteen keys, but"),
)
