"""Sound that arrives unevenly, handed on evenly: the playout buffer before the loudspeaker, and the buffer between the
sound card's clock and the call's behind the microphone. Pure: times are arguments (seconds), 8 kHz SLIN as bytes.

It waits until `target_ms` are there, then plays. The target follows how late pieces come: up at once, also
when it ran dry, and down slowly. Two clocks never agree, so the depth creeps; what is too much is dropped, what is too
little inserted, 20 ms at a time and in silence. Speech is shortened only where no silence came for seconds, with
a cross-fade. Sound that was sent far ahead is no jitter, and is played as it was sent. All of it is counted, and told.
"""

import numpy as np

from audiosocket_core.slin import level_dbfs

__all__ = ["JitterBuffer"]

_PER_MS = 8  # samples
_PAUSE_SECONDS = 0.4
"""Who sends nothing for so long was silent, and not late."""
_FOLLOWS = 0.01  # a piece: how fast the due time follows what comes
_FALLS = 0.004  # a piece: how fast the target goes back
_MARGIN_MS = 5.0
_STEP_MS = 20.0  # more, each time that it ran dry
_LOOKS_EVERY_MS = 1000
_SLACK_MS = 10.0
_QUIET_DBFS = -45.0
_PATIENCE_LOOKS = 3  # in a row with too much, before sound is shortened
_SENT_AHEAD_MS = 1000.0
_MOST_KEPT_MS = 60_000.0


class JitterBuffer:
    """`arrive` from one side, `take` from the other. least_ms, most_ms: what the target may be."""

    def __init__(self, *, least_ms: float = 20.0, most_ms: float = 400.0) -> None:
        self._least_ms = least_ms
        self._most_ms = most_ms
        self._sound = bytearray()
        self._due: float | None = None  # when the next piece is due, were all in time
        self._playing = False
        self._ran_dry = False  # since then nothing arrived
        self._missing = 0  # samples, given as silence since it ran dry
        self._waited = 0  # samples, given as silence with something there
        self._looked = 0  # samples since the last look at the depth
        self._lowest = 0  # depth since then, in samples
        self._too_much = 0  # looks in a row
        self._surplus = 0  # samples to drop; negative: to insert
        self.target_ms = least_ms
        self.underruns = 0
        """How often it ran dry while more was on its way."""
        self.inserted_ms = 0.0
        """Silence that nobody sent."""
        self.dropped_ms = 0.0
        """Sound that was sent and not handed on."""

    @property
    def depth_ms(self) -> float:
        """What is there now."""
        return len(self._sound) / 2 / _PER_MS

    # --- what comes

    def arrive(self, at: float, pcm: bytes) -> None:
        """A piece came at `at`, of any length."""
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

    # --- what goes

    def take(self, n_samples: int) -> bytes:
        """The next `n_samples`; silence where there is nothing."""
        if not self._playing and not self._may_begin(n_samples):
            return bytes(2 * n_samples)
        have = len(self._sound) // 2
        if have < n_samples:
            return self._run_dry(n_samples)
        piece = self._corrected(n_samples)
        self._look(n_samples)
        return piece

    def _may_begin(self, n_samples: int) -> bool:
        """With as much as the target; or when the first of it has waited so long that no more seems to come."""
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
        """The next piece, or with the surplus one more or less than there is, if that is not heard."""
        piece = bytes(self._sound[: 2 * n_samples])
        if not self._surplus or abs(self._surplus) < n_samples:
            del self._sound[: 2 * n_samples]
            return piece
        quiet = level_dbfs(piece) < _QUIET_DBFS
        if self._surplus < 0 and quiet:
            self._surplus += n_samples
            self.inserted_ms += n_samples / _PER_MS
            return piece  # and once more, the next time
        following = bytes(self._sound[2 * n_samples : 4 * n_samples])
        if self._surplus > 0 and len(following) == len(piece) and (quiet or self._too_much > _PATIENCE_LOOKS):
            self._surplus -= n_samples
            self.dropped_ms += n_samples / _PER_MS
            self._too_much = 0 if not quiet else self._too_much  # one piece of speech a time
            del self._sound[: 4 * n_samples]
            return _faded(piece, following)
        del self._sound[: 2 * n_samples]
        return piece

    def _look(self, n_samples: int) -> None:
        """Once a second: was there always more than is needed, or always less?"""
        self._lowest = min(self._lowest, len(self._sound) // 2)
        self._looked += n_samples
        if self._looked < _LOOKS_EVERY_MS * _PER_MS:
            return
        excess_ms = self._lowest / _PER_MS - self.target_ms
        self._looked, self._lowest = 0, len(self._sound) // 2
        if abs(excess_ms) <= _SLACK_MS or excess_ms > _SENT_AHEAD_MS:
            self._surplus = self._too_much = 0
            return
        self._surplus = round(excess_ms * _PER_MS)
        self._too_much = self._too_much + 1 if excess_ms > 0 else 0


def _faded(first: bytes, second: bytes) -> bytes:
    """From one into the other, as long as either."""
    a, b = (np.frombuffer(pcm, dtype="<i2").astype(np.float32) for pcm in (first, second))
    weight = np.linspace(0.0, 1.0, len(a), dtype=np.float32)
    return bytes(np.rint(a * (1 - weight) + b * weight).astype("<i2").tobytes())
