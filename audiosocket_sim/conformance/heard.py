"""What counts as sound and what as silence, and whether one sound is in another. Pure.

Sound: 16-bit little-endian samples, mono.
"""

import numpy as np

__all__ = ["SILENCE_PEAK", "is_byte_swapped", "is_echo", "is_sound", "likeness", "samples_of"]

SILENCE_PEAK = 200
"""The largest sample of what counts as silence, −44 dBFS: above dither and a line's noise, below any voice."""


def samples_of(payload: bytes) -> "np.ndarray[tuple[int], np.dtype[np.int16]]":
    """Return the samples of an audio payload; an odd last byte is left out."""
    return np.frombuffer(payload[: len(payload) // 2 * 2], dtype="<i2")


def is_sound(payload: bytes) -> bool:
    """Whether an audio payload holds anything louder than silence."""
    samples = samples_of(payload)
    return samples.size > 0 and int(np.abs(samples.astype(np.int32)).max()) > SILENCE_PEAK


def likeness(part: bytes, whole: bytes) -> float:
    """How like `part` the most similar stretch of `whole` is: 1 for the same sound at any gain, about 0 for another.

    Both at the same rate. 0 if `part` is silence or longer than `whole`.
    """
    needle = samples_of(part).astype(np.float64)
    hay = samples_of(whole).astype(np.float64)
    norm = float(np.sqrt((needle**2).sum()))
    if needle.size == 0 or hay.size < needle.size or norm == 0.0:
        return 0.0
    size = 1 << int(np.ceil(np.log2(hay.size + needle.size)))
    product = np.fft.irfft(np.fft.rfft(hay, size) * np.conj(np.fft.rfft(needle, size)), size)
    product = product[: hay.size - needle.size + 1]
    sums = np.concatenate(([0.0], np.cumsum(hay**2)))
    energies = np.sqrt(np.maximum(sums[needle.size :] - sums[: -needle.size], 1.0))
    return float((product / (energies * norm)).max())


_FEWEST_SAMPLES = 800
_ROUGH, _SMOOTH = 0.3, 0.7


def is_byte_swapped(payload: bytes) -> bool:
    """Whether a sound has the bytes of its samples in the wrong order: noise as it is, and smooth the other way round.

    False for less than 800 samples, and for what is noise both ways.
    """
    samples = samples_of(payload)
    if samples.size < _FEWEST_SAMPLES:
        return False
    return _smoothness(samples) < _ROUGH and _smoothness(samples.byteswap()) > _SMOOTH


def _smoothness(samples: "np.ndarray[tuple[int], np.dtype[np.int16]]") -> float:
    """How like each sample is to the next: 1 for a slow wave, about 0 for noise."""
    values = samples.astype(np.float64)
    return float((values[:-1] * values[1:]).sum() / max(1.0, (values**2).sum()))


_WINDOW_BYTES = 3_200
_LIKE = 0.85


def is_echo(sent: bytes, heard: bytes) -> bool:
    """Whether what was sent is in what was heard, at any gain and delay, here and there with a hole.

    Both at 8 kHz. It is looked for in stretches of 0.2 s, of which half have to be found.
    """
    stretches = [sent[at : at + _WINDOW_BYTES] for at in range(0, len(sent) - _WINDOW_BYTES + 1, _WINDOW_BYTES)]
    loud = [stretch for stretch in stretches if is_sound(stretch)]
    found = sum(likeness(stretch, heard) > _LIKE for stretch in loud)
    return bool(loud) and 2 * found >= len(loud)
