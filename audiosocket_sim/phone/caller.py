"""The caller's side of the phone: which sound leaves it in each packet. Pure: the peer pulls, and says the time.

One foreground sound at a time (speech, noise, a tone, digital silence); between sounds the line's own noise, or
silence, goes on, unless the caller is muted: then the phone sends nothing at all.
"""

from collections.abc import Callable
from dataclasses import dataclass

from audiosocket_sim.phone.line import LineModel

__all__ = ["Caller", "Sound"]


@dataclass(slots=True, eq=False)
class Sound:
    """A stretch of sound to send. `on_started` and `on_finished` get the loop time; `pure`: without line noise."""

    pcm: bytes
    on_started: Callable[[float], None]
    on_finished: Callable[[float], None]
    pure: bool = False
    position: int = 0


class Caller:
    """What the caller sends. `source` is called by the peer once a packet, in time order."""

    def __init__(self, line: LineModel, rate_hz: int, now: Callable[[], float]) -> None:
        self._line = line
        self._rate_hz = rate_hz
        self._now = now
        self._sound: Sound | None = None
        self.muted = False
        self.sent: list[tuple[float, bytes]] = []
        """Every packet with the loop time at which it left: the left side of the recording."""

    def play(self, sound: Sound) -> None:
        """Start a sound with the next packet; a sound that is still playing is cut off by it."""
        self._finish(self._now())
        self._sound = sound

    def stop(self) -> None:
        """Cut the sound off."""
        self._finish(self._now())

    def source(self, n_samples: int) -> bytes | None:
        """The next packet, `n_samples` long, as it leaves the line; None where the phone sends nothing."""
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
