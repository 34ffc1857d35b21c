"""Produces the caller's packets: the peer asks for each packet. Pure, apart from the clock that it is given.

The caller makes one sound at a time (speech, noise, a tone, digital silence). Between sounds the phone sends the line's
own noise or silence, unless the caller is muted: then it sends nothing at all.
"""

from collections.abc import Callable
from dataclasses import dataclass

from audiosocket_sim.phone.line import LineModel

__all__ = ["Caller", "Sound"]


@dataclass(slots=True, eq=False)
class Sound:
    """A sound to send: SLIN at the call's rate. `on_started` and `on_finished` are called with the loop time.

    `pure`: without line noise. `position`: the next byte to send.
    """

    pcm: bytes
    on_started: Callable[[float], None]
    on_finished: Callable[[float], None]
    pure: bool = False
    position: int = 0


class Caller:
    """The caller. The peer calls `source` once for each packet, in order. `now`: returns the loop time in seconds."""

    def __init__(self, line: LineModel, rate_hz: int, now: Callable[[], float]) -> None:
        self._line = line
        self._rate_hz = rate_hz
        self._now = now
        self._sound: Sound | None = None
        self.muted = False
        self.sent: list[tuple[float, bytes]] = []
        """Every packet with the loop time, in seconds, at which it left: the left channel of the recording."""

    def play(self, sound: Sound) -> None:
        """Start a sound with the next packet. It cuts off a sound that is still playing."""
        self._finish(self._now())
        self._sound = sound

    def stop(self) -> None:
        """Cut off the sound that is playing, if any."""
        self._finish(self._now())

    def source(self, n_samples: int) -> bytes | None:
        """Return the next packet, `n_samples` of SLIN as they leave the line; None if the phone sends nothing."""
        now = self._now()
        sound = self._sound
        if sound is not None and sound.position >= len(sound.pcm):
            self._finish(now)
            sound = self._sound
        n_bytes = 2 * n_samples
        if sound is None:
            if self.muted:
                return None
            return self._leave(now, self._line.quiet(n_bytes, now))
        if sound.position == 0:
            sound.on_started(now)
        piece = sound.pcm[sound.position : sound.position + n_bytes]
        sound.position += n_bytes
        packet = self._leave(now, self._line.send(piece.ljust(n_bytes, b"\0"), with_noise=not sound.pure, at=now))
        if sound.position >= len(sound.pcm):
            self._sound = None
            started = now - (sound.position - n_bytes) / (2 * self._rate_hz)
            sound.on_finished(started + len(sound.pcm) / (2 * self._rate_hz))
        return packet

    def _leave(self, now: float, packet: bytes) -> bytes:
        self.sent.append((now, packet))
        return packet

    def _finish(self, now: float) -> None:
        sound, self._sound = self._sound, None
        if sound is not None:
            sound.on_finished(now)
