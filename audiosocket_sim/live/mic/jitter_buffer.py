"""A jitter buffer: takes sound that arrives unevenly, and gives it out evenly. Pure.

Times are arguments in seconds; sound is 8 kHz SLIN as bytes. One is the playout buffer before the loudspeaker, another
stands between the microphone's clock and the call's.

The buffer waits until it holds `target_ms`, then plays. The target follows the lateness of the pieces: it rises at
once, also after an underrun, and falls slowly. Two clocks never agree, so the depth drifts: the surplus is dropped and
the shortage is inserted, 20 ms at a time and in a pause, which is longer than the silences within words. Speech is
shortened, with a cross-fade, only if no pause came for seconds. Sound that was sent far ahead is not jitter, and is
played as it was sent. Underruns, insertions and drops are counted.
"""

import numpy as np

from audiosocket_core.slin import level_dbfs

__all__ = ["JitterBuffer"]

_PER_MS = 8  # samples
_PAUSE_SECONDS = 0.4
"""A pause this long means that the sender was silent, not that its sound is late."""
_FOLLOWS = 0.01  # for each piece: how much of its deviation moves the due time
_FALLS = 0.004  # for each piece: how much of the excess the target loses
_MARGIN_MS = 5.0
_STEP_MS = 20.0  # how much an underrun raises the target
_LOOKS_EVERY_MS = 1000
_SLACK_MS = 10.0
_QUIET_DBFS = -45.0
_PAUSE_MS = 200.0
"""From this much quiet on a speaker pauses; the silence before a “t” or a “p” lasts up to 120 ms."""
_PATIENCE_LOOKS = 3  # looks in a row with a surplus before speech is shortened
_SENT_AHEAD_MS = 1000.0
_MOST_KEPT_MS = 60_000.0


class JitterBuffer:
    """`arrive` takes sound that came in, `take` returns sound to hand on. least_ms, most_ms: limits of the target."""

    def __init__(self, *, least_ms: float = 20.0, most_ms: float = 400.0) -> None:
        self._least_ms = least_ms
        self._most_ms = most_ms
        self._sound = bytearray()
        self._due: float | None = None  # when the next piece is due if it is on time
        self._playing = False
        self._ran_dry = False  # and nothing has arrived since
        self._missing = 0  # samples of silence handed on since it ran dry
        self._waited = 0  # samples of silence handed on while waiting for the target
        self._looked = 0  # samples since the last look at the depth
        self._lowest = 0  # lowest depth since then, in samples
        self._surplus_looks = 0  # looks in a row with a surplus
        self._surplus = 0  # samples to drop; negative: to insert
        self._quiet = 0  # samples of quiet that were handed on in a row
        self.target_ms = least_ms
        self.underruns = 0
        """How often the buffer ran empty while sound was still on its way."""
        self.inserted_ms = 0.0
        """Silence that was inserted."""
        self.dropped_ms = 0.0
        """Sound that was dropped."""

    @property
    def depth_ms(self) -> float:
        """How much sound the buffer holds now."""
        return len(self._sound) / 2 / _PER_MS

    # --- sound that comes in

    def arrive(self, at: float, pcm: bytes) -> None:
        """Take a piece of any length that arrived at the time `at`."""
        ms = len(pcm) / 2 / _PER_MS
        paused = self._due is None or at - self._due > _PAUSE_SECONDS
        self._count_the_gap(paused)
        due = at if self._due is None or paused else self._due
        late_ms = (at - due) * 1000
        self._aim(late_ms)
        if abs(late_ms) < 100 or late_ms > 0:
            due += _FOLLOWS * (at - due)
        self._due = due + ms / 1000
        if self.depth_ms > _MOST_KEPT_MS:
            self.dropped_ms += ms
            return
        self._sound += pcm

    def _aim(self, late_ms: float) -> None:
        wanted = late_ms + _MARGIN_MS
        if wanted > self.target_ms:
            self.target_ms = min(self._most_ms, wanted)
        else:
            self.target_ms = max(self._least_ms, self.target_ms - _FALLS * (self.target_ms - self._least_ms))

    def _count_the_gap(self, paused: bool) -> None:
        if self._ran_dry and not paused:
            self.underruns += 1
            self.inserted_ms += self._missing / _PER_MS
            self.target_ms = min(self._most_ms, self.target_ms + _STEP_MS)
        self._ran_dry, self._missing = False, 0

    # --- sound to hand on

    def take(self, n_samples: int) -> bytes:
        """Return the next `n_samples`; silence if the buffer is empty or still filling."""
        if not self._playing and not self._may_begin(n_samples):
            return bytes(2 * n_samples)
        have = len(self._sound) // 2
        if have < n_samples:
            return self._run_dry(n_samples)
        piece = self._corrected(n_samples)
        self._look(n_samples)
        return piece

    def catch_up(self, most_ms: float) -> None:
        """Drop the oldest sound, at most `most_ms` of it, down to the target: its time to be heard was missed."""
        ms = min(most_ms, max(0.0, self.depth_ms - self.target_ms))
        del self._sound[: 2 * _PER_MS * int(ms)]
        self.dropped_ms += int(ms)

    def _may_begin(self, n_samples: int) -> bool:
        """Return True if playing may begin: the target is reached, or the sound has waited that long for more."""
        if self._sound:
            self._playing = self.depth_ms >= self.target_ms or self._waited >= self.target_ms * _PER_MS
            self._waited += n_samples
        elif self._ran_dry:
            self._missing += n_samples
        if self._playing:
            self._waited = self._looked = self._surplus = 0
            self._lowest = len(self._sound) // 2
        return self._playing

    def _run_dry(self, n_samples: int) -> bytes:
        rest = bytes(self._sound)
        self._sound.clear()
        self._playing, self._ran_dry = False, True
        self._missing = n_samples - len(rest) // 2
        return rest.ljust(2 * n_samples, b"\0")

    def _corrected(self, n_samples: int) -> bytes:
        """Return the next piece; drop or repeat one if there is a surplus or a shortage and it will not be heard."""
        piece = bytes(self._sound[: 2 * n_samples])
        self._quiet = self._quiet + n_samples if level_dbfs(piece) < _QUIET_DBFS else 0
        if not self._surplus or abs(self._surplus) < n_samples:
            del self._sound[: 2 * n_samples]
            return piece
        pause = self._quiet >= _PAUSE_MS * _PER_MS
        if self._surplus < 0 and pause:
            self._surplus += n_samples
            self.inserted_ms += n_samples / _PER_MS
            return piece  # which stays in the buffer and is returned once more
        following = bytes(self._sound[2 * n_samples : 4 * n_samples])
        pause = pause and level_dbfs(following) < _QUIET_DBFS
        if self._surplus > 0 and len(following) == len(piece) and (pause or self._surplus_looks > _PATIENCE_LOOKS):
            self._surplus -= n_samples
            self.dropped_ms += n_samples / _PER_MS
            self._surplus_looks = self._surplus_looks if pause else 0  # at most one piece of speech at a time
            del self._sound[: 4 * n_samples]
            return _faded(piece, following)
        del self._sound[: 2 * n_samples]
        return piece

    def _look(self, n_samples: int) -> None:
        """Once a second, compare the lowest depth with the target, and set the surplus or the shortage."""
        self._lowest = min(self._lowest, len(self._sound) // 2)
        self._looked += n_samples
        if self._looked < _LOOKS_EVERY_MS * _PER_MS:
            return
        excess_ms = self._lowest / _PER_MS - self.target_ms
        self._looked, self._lowest = 0, len(self._sound) // 2
        if abs(excess_ms) <= _SLACK_MS or excess_ms > _SENT_AHEAD_MS:
            self._surplus = self._surplus_looks = 0
            return
        self._surplus = round(excess_ms * _PER_MS)
        self._surplus_looks = self._surplus_looks + 1 if self._surplus >= n_samples else 0


def _faded(first: bytes, second: bytes) -> bytes:
    """Return a cross-fade from one piece to the other, as long as each of them."""
    a, b = (np.frombuffer(pcm, dtype="<i2").astype(np.float32) for pcm in (first, second))
    weight = np.linspace(0.0, 1.0, len(a), dtype=np.float32)
    return bytes(np.rint(a * (1 - weight) + b * weight).astype("<i2").tobytes())
