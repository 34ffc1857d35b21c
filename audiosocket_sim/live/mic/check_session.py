"""The course of `mic --check`: plays the tones, listens to the user, plays back what he said.

As in a call, two threads of the sound card call `captured` and `pull`, and the loop everything else.
"""

import asyncio
from collections.abc import Callable

from audiosocket_sim.live.mic.device_check import (
    SPEAK_SECONDS,
    TONES_SECONDS,
    Block,
    DeviceCheck,
    checked,
    tones,
)
from audiosocket_sim.live.mic.resampling import RATE_HZ, StreamResampler

__all__ = ["CheckSession"]

_PIECE = 80  # samples: 10 ms


class CheckSession:
    """now: returns the loop time in seconds. microphone_hz, loudspeaker_hz: the devices' own rates."""

    def __init__(self, now: Callable[[], float], *, microphone_hz: int, loudspeaker_hz: int) -> None:
        self._now = now
        self._from_microphone = StreamResampler(microphone_hz, RATE_HZ)
        self._to_loudspeaker = StreamResampler(RATE_HZ, loudspeaker_hz)
        self._to_play = b""
        self._at = 0
        self._unplayed = bytearray()
        self._played: list[Block] = []
        self._captured: list[Block] = []
        self._listening = False

    def captured(self, pcm: bytes) -> None:
        """Take sound from the microphone, at its rate."""
        sound = self._from_microphone.feed(pcm)
        if self._listening:
            self._captured.append((self._now(), sound))

    def pull(self, n_samples: int) -> bytes:
        """Return the next `n_samples` for the loudspeaker, at its rate."""
        while len(self._unplayed) < 2 * n_samples:
            piece = self._to_play[self._at : self._at + 2 * _PIECE]
            self._at += len(piece)
            if piece:
                self._played.append((self._now(), piece))
            self._unplayed += self._to_loudspeaker.feed(piece.ljust(2 * _PIECE, b"\0"))
        pcm = bytes(self._unplayed[: 2 * n_samples])
        del self._unplayed[: 2 * n_samples]
        return pcm

    async def run(self, say: Callable[[str], None]) -> DeviceCheck:
        """Check the devices; takes ten seconds. say: called with each line that tells the user what to do."""
        say("three tones are played …")
        self._listening = True
        self._play(tones())
        await asyncio.sleep(TONES_SECONDS)
        say(f"now speak, for {SPEAK_SECONDS:.0f} s …")
        spoken_from = len(self._captured)
        await asyncio.sleep(SPEAK_SECONDS)
        self._listening = False
        played, captured = list(self._played), list(self._captured)
        say("this is how you sound to the bot …")
        self._play(b"".join(pcm for _, pcm in captured[spoken_from:]))
        await asyncio.sleep(SPEAK_SECONDS + 0.5)
        return checked(played, captured)

    def _play(self, pcm: bytes) -> None:
        self._to_play, self._at = b"", 0
        self._to_play = pcm
