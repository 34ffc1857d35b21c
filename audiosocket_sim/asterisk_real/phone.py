"""A telephone over RTP on loopback: G.711 packets out, G.711 packets in, as linear samples. No signalling.

Its far end is Asterisk's `chan_rtp` (`UnicastRTP/127.0.0.1:PORT/c(ulaw)`). The times of packets are the caller's
business: `send` sends at once.
"""

import asyncio
import struct
from collections.abc import Callable
from typing import Literal, cast

from audiosocket_core import slin

__all__ = ["RtpPhone"]

PhoneCodec = Literal["ulaw", "alaw"]

_HEADER = struct.Struct("!BBHII")
_VERSION_2 = 0x80
_MARKER = 0x80
_PAYLOAD_TYPE = {"ulaw": 0, "alaw": 8}
_DECODERS = {0: slin.ulaw_decode, 8: slin.alaw_decode}
_ENCODERS = {"ulaw": slin.ulaw_encode, "alaw": slin.alaw_encode}
_SOURCE = 0x5049A11E
_RATE_HZ = 8000


class RtpPhone(asyncio.DatagramProtocol):
    """`on_audio` gets the loop time and the samples of each packet, 16-bit SLIN at 8 kHz. Open it with `Phone.open`."""

    def __init__(self, codec: PhoneCodec, on_audio: Callable[[float, bytes], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._codec = codec
        self._on_audio = on_audio
        self._transport: asyncio.DatagramTransport | None = None
        self._far: tuple[str, int] | None = None
        self._sequence = 0
        self._began: float | None = None
        self._last_end = 0

    @classmethod
    async def open(cls, codec: PhoneCodec, on_audio: Callable[[float, bytes], None]) -> "RtpPhone":
        """A phone on a free port of loopback."""
        phone = cls(codec, on_audio)
        await phone._loop.create_datagram_endpoint(lambda: phone, local_addr=("127.0.0.1", 0))
        return phone

    @property
    def port(self) -> int:
        """The UDP port on which the phone takes RTP."""
        assert self._transport is not None, "not open"
        return int(self._transport.get_extra_info("sockname")[1])

    @property
    def channel(self) -> str:
        """What Asterisk dials to reach it."""
        return f"UnicastRTP/127.0.0.1:{self.port}/c({self._codec})"

    def connect(self, far_port: int) -> None:
        """Where Asterisk listens for our packets: `UNICASTRTP_LOCAL_PORT` of its channel."""
        self._far = ("127.0.0.1", far_port)

    def send(self, pcm: bytes) -> None:
        """One packet, now. Time that passed since the one before shows in its time stamp, and begins a new spurt."""
        if self._transport is None or self._far is None:
            return
        now = self._loop.time()
        if self._began is None:
            self._began = now
        samples = len(pcm) // 2
        stamp = round((now - self._began) * _RATE_HZ)
        follows = self._sequence > 0 and stamp - self._last_end < 2 * samples  # late, but not after a pause
        if follows:
            stamp = self._last_end
        kind = _PAYLOAD_TYPE[self._codec] | (0 if follows else _MARKER)
        header = _HEADER.pack(_VERSION_2, kind, self._sequence & 0xFFFF, stamp & 0xFFFFFFFF, _SOURCE)
        self._transport.sendto(header + _ENCODERS[self._codec](pcm), self._far)
        self._sequence += 1
        self._last_end = stamp + samples

    def close(self) -> None:
        """Close the socket; no packet is taken after it."""
        if self._transport is not None:
            self._transport.close()

    # --- asyncio's

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport (asyncio calls it)."""
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Decode one RTP packet and hand on its sound; anything else is passed over (asyncio calls it)."""
        if len(data) <= _HEADER.size or data[0] & 0xC0 != _VERSION_2:
            return
        decode = _DECODERS.get(data[1] & 0x7F)
        if decode is not None:
            self._on_audio(self._loop.time(), decode(data[_HEADER.size + 4 * (data[0] & 0x0F) :]))

    def error_received(self, exc: Exception) -> None:
        """Asterisk has closed its port: the end of the call is told elsewhere."""
