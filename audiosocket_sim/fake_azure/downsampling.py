"""A stream of SLIN at any rate to 8 kHz, block by block, without seams. Pure."""

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Downsampler"]


class Downsampler:
    """What comes out lags by the filter's length (some 100 ms); at 8 kHz nothing is changed and nothing lags."""

    def __init__(self, rate_hz: int) -> None:
        self._stream: Any = None
        if rate_hz != 8_000:
            import soxr  # late: on a telephone line it is not needed

            self._stream = soxr.ResampleStream(rate_hz, 8_000, 1, dtype="float32", quality="HQ")

    def take(self, pcm: bytes, *, last: bool = False) -> bytes:
        """The next block; with `last` also what still lay in the filter. Whole samples only."""
        if self._stream is None:
            return pcm
        wave: NDArray[np.float32] = np.frombuffer(pcm, "<i2").astype(np.float32)
        out = np.clip(np.rint(self._stream.resample_chunk(wave, last=last)), -32_768, 32_767)
        return bytes(out.astype("<i2").tobytes())
