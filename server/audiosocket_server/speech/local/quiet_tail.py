"""How long has the sound been quiet? By its level alone, frame by frame. Pure, numpy.

It only says when a recognition may begin on speculation. Whether the caller has finished is for the endpointing, which
hears better; so the limit may be strict, and where speech and noise are nearly as loud nothing counts as quiet.
"""

import numpy as np

__all__ = ["QuietTail"]

_FRAME_MS = 20
_FRAME_BYTES = 320
_QUIETEST_DB, _LOUDEST_DB = -60, 0  # levels outside of it count as these
_FLOOR_SHARE = 0.1  # of the frames, the softest ones tell the level of the line
_LEAST_RANGE_DB = 9.0  # from the line to the loudest frame
_QUIET_SHARE = 0.35  # of that range


class QuietTail:
    """The end of one utterance's sound (SLIN, 8 kHz)."""

    def __init__(self) -> None:
        self._rest = b""
        self._frames = 0
        self._loudest_db = float(_QUIETEST_DB)
        self._counts = np.zeros(_LOUDEST_DB - _QUIETEST_DB + 1, np.int64)  # of frames, by level in whole dB
        self._quiet_frames = 0

    @property
    def quiet_ms(self) -> int:
        """The length of the quiet at the end of the sound; 0 if there was nothing loud before it."""
        return self._quiet_frames * _FRAME_MS

    def feed(self, pcm: bytes) -> None:
        """Take more of the sound, of any length."""
        if self._rest:
            pcm, self._rest = self._rest + pcm, b""
        whole = len(pcm) - len(pcm) % _FRAME_BYTES
        self._rest = pcm[whole:]
        if not whole:
            return
        samples = np.frombuffer(pcm, "<i2", whole // 2).reshape(-1, _FRAME_BYTES // 2).astype(np.float32)
        powers = np.einsum("ij,ij->i", samples, samples) / (_FRAME_BYTES // 2 * 32768.0**2)
        for level in np.clip(10.0 * np.log10(powers + 1e-12), _QUIETEST_DB, _LOUDEST_DB):
            self._frame(float(level))

    def _frame(self, level_db: float) -> None:
        self._frames += 1
        self._counts[int(level_db) - _QUIETEST_DB] += 1
        self._loudest_db = max(self._loudest_db, level_db)
        self._quiet_frames = self._quiet_frames + 1 if self._is_quiet(level_db) else 0

    def _is_quiet(self, level_db: float) -> bool:
        floor_db = _QUIETEST_DB + int(self._counts.cumsum().searchsorted(_FLOOR_SHARE * self._frames))
        range_db = self._loudest_db - floor_db
        return range_db >= _LEAST_RANGE_DB and level_db < floor_db + _QUIET_SHARE * range_db
