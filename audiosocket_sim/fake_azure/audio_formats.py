"""Audio formats on the wire: the RIFF header before a client's audio, and the output formats of synthesis. Pure.

Linear samples and G.711, mono. A compressed format raises `InvalidRequest`.
"""

import re
import struct
from dataclasses import dataclass
from typing import Literal

from audiosocket_core.slin import alaw_decode, alaw_encode, resample, ulaw_decode, ulaw_encode
from audiosocket_sim.fake_azure.client_requests import InvalidRequest

__all__ = ["InputFormat", "OutputFormat", "read_riff"]

_PCM, _ALAW, _MULAW = 1, 6, 7
_LOWEST_HZ, _HIGHEST_HZ = 8_000, 48_000
_OUTPUT = re.compile(r"(raw|riff)-(\d+)(k?)hz-(8|16)bit-mono-(pcm|mulaw|alaw)", re.ASCII)


@dataclass(frozen=True, slots=True)
class InputFormat:
    """The format of a client's audio, mono."""

    rate_hz: int
    coding: Literal["pcm", "mulaw", "alaw"]

    @property
    def bytes_per_second(self) -> int:
        """The size of one second of audio."""
        return self.rate_hz * (2 if self.coding == "pcm" else 1)

    def decode(self, data: bytes) -> bytes:
        """Return the audio as SLIN of `rate_hz`, 16-bit little-endian."""
        match self.coding:
            case "mulaw":
                return ulaw_decode(data)
            case "alaw":
                return alaw_decode(data)
        return data


def read_riff(data: bytes) -> tuple[InputFormat, bytes]:
    """Return the format in the header of a WAVE stream, and the bytes after the header. Its sizes are ignored.

    Raises InvalidRequest.
    """
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise InvalidRequest("expected a RIFF header at the beginning of the turn's audio")
    at, found = 12, None
    while at + 8 <= len(data):
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8
        if name == b"data":
            break
        if name == b"fmt " and len(data) >= at + 16:
            found = _input_format(*struct.unpack_from("<HHIIHH", data, at))
        at += size
    if found is None:
        raise InvalidRequest("the RIFF header has no format chunk")
    return found, data[at:]


def _input_format(tag: int, channels: int, rate_hz: int, _per_second: int, _align: int, bits: int) -> InputFormat:
    if channels != 1 or not _LOWEST_HZ <= rate_hz <= _HIGHEST_HZ:
        raise InvalidRequest(f"audio of {rate_hz} Hz, {channels} channels: expected mono of 8 to 48 kHz")
    if (tag, bits) == (_PCM, 16):
        return InputFormat(rate_hz, "pcm")
    if (tag, bits) in ((_MULAW, 8), (_ALAW, 8)):
        return InputFormat(rate_hz, "mulaw" if tag == _MULAW else "alaw")
    raise InvalidRequest(f"audio with format tag {tag} and {bits} bits: expected 16-bit PCM or G.711")


@dataclass(frozen=True, slots=True)
class OutputFormat:
    """An output format of synthesis. `name` is the service's own; `header` means that a RIFF header comes first."""

    name: str
    rate_hz: int
    coding: Literal["pcm", "mulaw", "alaw"]
    header: bool

    @classmethod
    def named(cls, name: str) -> "OutputFormat":
        """Return the format of this name. Raises InvalidRequest for one that the fake does not support."""
        match = _OUTPUT.fullmatch(name.strip().lower())
        rate_hz = int(match[2]) * (1000 if match[3] else 1) if match else 0
        if match is None or (match[5] == "pcm") != (match[4] == "16") or not _LOWEST_HZ <= rate_hz <= _HIGHEST_HZ:
            raise InvalidRequest(
                f"the fake does not support the format {name}; expected one like raw-8khz-16bit-mono-pcm"
            )
        coding: Literal["pcm", "mulaw", "alaw"] = "pcm"
        if match[5] != "pcm":
            coding = "mulaw" if match[5] == "mulaw" else "alaw"
        return cls(name, rate_hz, coding, match[1] == "riff")

    @property
    def bytes_per_ms(self) -> float:
        """The size of one millisecond of audio."""
        return self.rate_hz * (2 if self.coding == "pcm" else 1) / 1000

    def encode(self, slin_8khz: bytes) -> bytes:
        """Return 8 kHz SLIN in this format. Takes milliseconds for a sentence: run it in an executor."""
        pcm = resample(slin_8khz, 8_000, self.rate_hz)
        coded = ulaw_encode(pcm) if self.coding == "mulaw" else alaw_encode(pcm) if self.coding == "alaw" else pcm
        return self._riff(len(coded)) + coded if self.header and coded else coded

    def _riff(self, size: int) -> bytes:
        tag, width = {"pcm": (_PCM, 2), "mulaw": (_MULAW, 1), "alaw": (_ALAW, 1)}[self.coding]
        form = struct.pack("<HHIIHH", tag, 1, self.rate_hz, self.rate_hz * width, width, 8 * width)
        sized = b"RIFF" + (36 + size).to_bytes(4, "little") + b"WAVEfmt \x10\0\0\0"
        return sized + form + b"data" + size.to_bytes(4, "little")
