"""The phone between a sound card and a call leg: from the microphone to packets, from packets to the loudspeaker.

Two threads of the sound card call `captured` and `pull`; the event loop calls everything else. They share only bounded
deques, each with one writer and one reader. One jitter buffer stands between the microphone's clock and the call's,
another between the call's and the loudspeaker's. It knows no sound card and no socket.
"""

from collections import deque
from collections.abc import Callable

from audiosocket_sim.live.mic.echo_guard import FRAME_BYTES, EchoGuard
from audiosocket_sim.live.mic.jitter_buffer import JitterBuffer
from audiosocket_sim.live.mic.level_meter import LevelMeter
from audiosocket_sim.live.mic.resampling import RATE_HZ, StreamResampler

__all__ = ["BufferedPhone"]

_PIECE = 80  # samples: 10 ms
_MOST_PIECES = 1000
_MOST_PIECE_BYTES = 8_192
"""Longer sound is kept in several pieces, so that their number bounds the memory."""


class BufferedPhone:
    """now: returns the loop time in seconds; called from any thread. guard: None to let the bot's echo through.

    microphone_hz, loudspeaker_hz: the devices' own rates. Sound is 16-bit mono.
    """

    def __init__(
        self, now: Callable[[], float], *, microphone_hz: int, loudspeaker_hz: int, guard: EchoGuard | None
    ) -> None:
        self._now = now
        self._guard = guard
        self._captured: deque[tuple[float, bytes]] = deque(maxlen=_MOST_PIECES)
        self.captured_at = self.pulled_at = now()
        """When the microphone last gave sound, and when the loudspeaker last took some (loop time)."""
        self._from_microphone = StreamResampler(microphone_hz, RATE_HZ)
        self._unframed = bytearray()
        self._microphone = JitterBuffer(most_ms=200)
        self._arrived: deque[tuple[float, bytes]] = deque(maxlen=_MOST_PIECES)
        self._from_bot: tuple[int, StreamResampler] = (RATE_HZ, StreamResampler(RATE_HZ, RATE_HZ))
        self._to_loudspeaker = StreamResampler(RATE_HZ, loudspeaker_hz)
        self._unplayed = bytearray()
        self._played: deque[bytes] = deque(maxlen=_MOST_PIECES)
        self.playout = JitterBuffer(least_ms=40)
        self._missed_ms: deque[float] = deque(maxlen=_MOST_PIECES)
        self.muted = False
        self.caller_meter = LevelMeter()
        self.bot_meter = LevelMeter()
        self.sent: list[tuple[float, bytes]] = []
        """Every packet (8 kHz SLIN) with the loop time at which it left: the left side of the recording."""

    # --- in the sound card's threads

    def captured(self, pcm: bytes) -> None:
        """Take sound from the microphone, at the microphone's rate."""
        self._captured.append((self._now(), pcm))

    def pull(self, n_samples: int) -> bytes:
        """Return the next `n_samples` for the loudspeaker, at the loudspeaker's rate."""
        self.pulled_at = self._now()
        while self._arrived:
            self.playout.arrive(*self._arrived.popleft())
        while self._missed_ms:
            self.playout.catch_up(self._missed_ms.popleft())
        while len(self._unplayed) < 2 * n_samples:
            piece = self.playout.take(_PIECE)
            self._played.append(piece)
            self._unplayed += self._to_loudspeaker.feed(piece)
        pcm = bytes(self._unplayed[: 2 * n_samples])
        del self._unplayed[: 2 * n_samples]
        return pcm

    # --- in the loop

    def source(self, n_samples: int) -> bytes | None:
        """Return the caller's next packet of `n_samples` at 8 kHz; None while the phone is muted."""
        self._process_played()
        self._process_captured()
        packet = self._microphone.take(n_samples)
        self.caller_meter.feed(packet)
        if self.muted:
            return None
        self.sent.append((self._now(), packet))
        return packet

    def hear(self, at: float, rate_hz: int, payload: bytes) -> None:
        """Take a packet of the bot's sound (SLIN of `rate_hz`) that arrived at the loop time `at`."""
        if rate_hz != self._from_bot[0]:
            self._from_bot = (rate_hz, StreamResampler(rate_hz, RATE_HZ))
        pcm = self._from_bot[1].feed(payload[: len(payload) & ~1])
        if len(pcm) <= _MOST_PIECE_BYTES:  # nearly always
            self._arrived.append((at, pcm))
        else:
            starts = range(0, len(pcm), _MOST_PIECE_BYTES)
            self._arrived.extend((at, pcm[start : start + _MOST_PIECE_BYTES]) for start in starts)

    def catch_up(self, most_ms: float) -> None:
        """Leave out at most `most_ms` of the bot's sound that waits: it was due in a pause of this program."""
        self._missed_ms.append(most_ms)

    @property
    def echo(self) -> bool:
        """True while the bot's own voice comes in through the microphone and is turned down."""
        return self._guard is not None and self._guard.is_echo

    @property
    def echo_ms(self) -> int:
        """How much of the microphone's sound was turned down as echo so far."""
        return 0 if self._guard is None else self._guard.turned_down_ms

    @property
    def microphone(self) -> JitterBuffer:
        """The jitter buffer between the microphone's clock and the call's."""
        return self._microphone

    def _process_played(self) -> None:
        while self._played:
            piece = self._played.popleft()
            self.bot_meter.feed(piece)
            if self._guard is not None:
                self._guard.played(piece)

    def _process_captured(self) -> None:
        while self._captured:
            at, pcm = self._captured.popleft()
            self.captured_at = at
            self._unframed += self._from_microphone.feed(pcm)
            while len(self._unframed) >= FRAME_BYTES:
                frame = bytes(self._unframed[:FRAME_BYTES])
                del self._unframed[:FRAME_BYTES]
                self._microphone.arrive(at, frame if self._guard is None else self._guard.clean(frame))
