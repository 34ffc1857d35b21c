"""SLIN at another sample rate, as a stream without seams (soxr, high quality). Pure; the state of one stream.

soxr is given floats, and its output is rounded and saturated here: it would dither 16-bit output with a random seed,
and the same sound must give the same bytes in every process.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SlinResampler"]

_SAMPLE_BYTES = 2


class SlinResampler:
    """One direction of one sound: SLIN (16-bit little-endian mono, as bytes) at `from_hz` in, at `to_hz` out.

    The output lags behind the input by the filter's length, some 100 ms, until `feed` is called with `last`. With equal
    rates nothing is changed and nothing lags.
    """

    def __init__(self, from_hz: int, to_hz: int) -> None:
        self.from_hz = from_hz
        self.to_hz = to_hz
        self._stream: Any = None
        if from_hz != to_hz:
            import soxr  # late: most calls never resample

            self._stream = soxr.ResampleStream(from_hz, to_hz, 1, dtype="float32", quality="HQ")

    def feed(self, pcm: bytes, *, last: bool = False) -> bytes:
        """The output that `pcm` completes; with `last` also the rest, after which nothing more may be fed.

        Where the length of `pcm` is odd, its last byte is no sample and is left out.
        """
        if self._stream is None:
            return pcm if len(pcm) % _SAMPLE_BYTES == 0 else pcm[:-1]
        samples = np.frombuffer(pcm, "<i2", count=len(pcm) // _SAMPLE_BYTES).astype(np.float32)
        out: NDArray[np.float32] = self._stream.resample_chunk(samples, last=last)
        return np.clip(np.rint(out), -32_768, 32_767).astype("<i2").tobytes()
