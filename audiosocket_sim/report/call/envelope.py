"""The outline of a sound for pictures: the peak of each short column, as bytes from 0 to 100. Pure."""

import numpy as np

from audiosocket_sim.report.saved.stereo import RATE_HZ

__all__ = ["Envelope", "envelope", "fewer"]

_STEP_MS = 20
_MOST_COLUMNS = 40_000
_LOUDEST_DB, _SOFTEST_DB = 0.0, -60.0


class Envelope(tuple[int, bytes]):
    """`(step_ms, values)`: a value for each column of `step_ms`, from 0 (-60 dBFS and less) to 100 (full scale)."""

    __slots__ = ()

    @property
    def step_ms(self) -> int:
        """The width of a column in ms."""
        return self[0]

    @property
    def values(self) -> bytes:
        """A byte for each column."""
        return self[1]


def envelope(pcm: bytes) -> Envelope:
    """Return the outline of SLIN of 8 kHz: columns of 20 ms, wider ones where there would be more than 40,000."""
    samples = np.abs(np.frombuffer(pcm, "<i2", count=len(pcm) // 2).astype(np.int32))
    step_ms = _STEP_MS * max(1, -(-len(samples) // (_MOST_COLUMNS * _STEP_MS * RATE_HZ // 1000)))
    width = step_ms * RATE_HZ // 1000
    padded = np.pad(samples, (0, -len(samples) % width)).reshape(-1, width)
    peaks = padded.max(axis=1) if len(padded) else np.zeros(0, np.int32)
    level = 20 * np.log10(np.maximum(peaks, 1) / 32768)
    share = np.clip((level - _SOFTEST_DB) / (_LOUDEST_DB - _SOFTEST_DB), 0, 1)
    return Envelope((step_ms, np.rint(share * 100).astype(np.uint8).tobytes()))


def fewer(found: Envelope, from_ms: int, to_ms: int, most: int) -> list[int]:
    """Return at most `most` values for the time from `from_ms` to `to_ms`, each the largest of its part."""
    first, last = from_ms // found.step_ms, max(from_ms // found.step_ms + 1, -(-to_ms // found.step_ms))
    values = found.values[first:last].ljust(last - first, b"\0")
    each = max(1, -(-len(values) // most))
    return [max(values[at : at + each]) for at in range(0, len(values), each)]
