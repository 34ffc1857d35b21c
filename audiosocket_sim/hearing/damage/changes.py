"""What programs do to the samples of a voice by mistake, so that it can be tried on a phrase book's prompts. Pure.

A change of the bytes (`BYTES`) is done to the prompt, because the line's codec lies between the bot and the ear, and
nobody can undo it there. A change of the speed (`SPEEDS`) is undone in what was heard.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from audiosocket_core import slin
from audiosocket_core.phrase_book.fingerprint import Array

__all__ = ["BYTES", "SHIFTED", "SPEEDS", "BytesChange", "SpeedChange", "at_speed"]


@dataclass(frozen=True, slots=True)
class BytesChange:
    """`what`: its words, behind the text of a prompt. `done_to`: SLIN in, what is then played as SLIN out."""

    what: str
    done_to: Callable[[bytes], bytes]
    per_sample: float = 1.0
    """Samples that are played for each sample of the prompt."""


@dataclass(frozen=True, slots=True)
class SpeedChange:
    """The sound is played `factor` times too slowly; below 1: too fast; below 0: backwards."""

    what: str
    factor: float


def _even(coded: bytes) -> bytes:
    return coded[: len(coded) // 2 * 2]


def _swapped(pcm: bytes) -> bytes:
    return np.frombuffer(_even(pcm), "<i2").byteswap().tobytes()


def _shifted(pcm: bytes) -> bytes:
    return _even(pcm[1:])


def _ulaw(pcm: bytes) -> bytes:
    return _even(slin.ulaw_encode(pcm))


def _ulaw_shifted(pcm: bytes) -> bytes:
    return _even(slin.ulaw_encode(pcm)[1:])


def _alaw(pcm: bytes) -> bytes:
    return _even(slin.alaw_encode(pcm))


def _alaw_shifted(pcm: bytes) -> bytes:
    return _even(slin.alaw_encode(pcm)[1:])


def _unsigned(pcm: bytes) -> bytes:
    return (np.frombuffer(_even(pcm), "<i2").astype(np.int32) + 32768).astype("<u2").tobytes()


def _eight_bits(pcm: bytes) -> bytes:
    return _even(((np.frombuffer(_even(pcm), "<i2").astype(np.int32) >> 8) + 128).astype(np.uint8).tobytes())


def _floats(pcm: bytes) -> bytes:
    return (np.frombuffer(_even(pcm), "<i2") / np.float32(32768)).astype("<f4").tobytes()


SHIFTED = BytesChange("shifted by a byte: the halves of neighbouring samples are taken for one", _shifted)

BYTES = (
    BytesChange("with its bytes swapped (big-endian samples)", _swapped),
    SHIFTED,
    BytesChange("as µ-law bytes labelled as linear samples", _ulaw, 0.5),
    BytesChange("as µ-law bytes labelled as linear samples", _ulaw_shifted, 0.5),
    BytesChange("as A-law bytes labelled as linear samples", _alaw, 0.5),
    BytesChange("as A-law bytes labelled as linear samples", _alaw_shifted, 0.5),
    BytesChange("as unsigned samples", _unsigned),
    BytesChange("as 8-bit samples", _eight_bits, 0.5),
    BytesChange("as floating-point samples", _floats, 2.0),
)

SPEEDS = (
    SpeedChange("two times too slow: 16 kHz sent as 8 kHz, or two channels as one", 2.0),
    SpeedChange("three times too slow: 24 kHz sent as 8 kHz", 3.0),
    SpeedChange("two times too fast: 8 kHz sent as 16 kHz", 1 / 2),
    SpeedChange("1.5 times too slow: 24 kHz sent as 16 kHz, or 12 kHz as 8 kHz", 1.5),
    SpeedChange("1.5 times too fast: 16 kHz sent as 24 kHz", 1 / 1.5),
    SpeedChange("three times too fast: 8 kHz sent as 24 kHz", 1 / 3),
    SpeedChange("2.8 times too slow: 22.05 kHz sent as 8 kHz", 2.75625),
    SpeedChange("1.4 times too slow: 22.05 kHz sent as 16 kHz, or 11.025 kHz as 8 kHz", 1.378125),
    SpeedChange("six times too slow: 48 kHz sent as 8 kHz", 6.0),
    SpeedChange("played backwards", -1.0),
)


def at_speed(wave: Array, factor: float) -> Array:
    """Play a sound `factor` times as fast, without what would then be above half the rate; below 0: from its end on."""
    if factor < 0:
        return at_speed(wave[::-1], -factor)
    count = max(1, round(len(wave) / factor))
    spectrum = np.fft.rfft(wave)
    kept = np.zeros(count // 2 + 1, np.complex128)
    shared = min(len(kept), len(spectrum))
    kept[:shared] = spectrum[:shared]
    return (np.fft.irfft(kept, count) * (count / len(wave))).astype(np.float32)
