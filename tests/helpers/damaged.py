"""What programs do to a voice by mistake: each takes 8 kHz SLIN and returns what a phone then gets, as SLIN."""

from collections.abc import Callable

import numpy as np

from audiosocket_core import slin

__all__ = [
    "at_rate",
    "chunk_by_chunk",
    "doubled",
    "dropped",
    "eight_bits",
    "faded",
    "floats",
    "gaps",
    "in_turn",
    "louder",
    "overflowing",
    "shifted",
    "silent_frames",
    "swapped",
    "two_channels",
    "unsigned",
    "wav_header",
    "with_offset",
    "words_of_32_bits",
]

Damaging = Callable[[bytes], bytes]


def _wave(pcm: bytes) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    return np.frombuffer(pcm, "<i2", len(pcm) // 2).astype(np.int64)


def _slin(wave: "np.ndarray[tuple[int, ...], np.dtype[np.int64]]") -> bytes:
    return np.clip(wave, -32768, 32767).astype("<i2").tobytes()


def _even(coded: bytes) -> bytes:
    return coded[: len(coded) // 2 * 2]


def swapped(pcm: bytes) -> bytes:
    return np.frombuffer(pcm, "<i2").astype(">i2").tobytes()


def shifted(pcm: bytes) -> bytes:
    return _even(pcm[1:])


def ulaw(pcm: bytes) -> bytes:
    return _even(slin.ulaw_encode(pcm))


def alaw(pcm: bytes) -> bytes:
    return _even(slin.alaw_encode(pcm))


def unsigned(pcm: bytes) -> bytes:
    return (_wave(pcm) + 32768).astype("<u2").tobytes()


def eight_bits(pcm: bytes) -> bytes:
    return _even(((_wave(pcm) >> 8) + 128).astype(np.uint8).tobytes())


def floats(pcm: bytes) -> bytes:
    return (_wave(pcm) / 32768).astype("<f4").tobytes()


def at_rate(factor: float) -> Damaging:
    """Played `factor` times too slowly."""

    def play(pcm: bytes) -> bytes:
        wave = _wave(pcm).astype(np.float64)
        spectrum = np.fft.rfft(wave)
        count = round(len(wave) * factor)
        kept = np.zeros(count // 2 + 1, complex)
        kept[: min(len(kept), len(spectrum))] = spectrum[: min(len(kept), len(spectrum))]
        return _slin(np.rint(np.fft.irfft(kept, count) * (count / len(wave))).astype(np.int64))

    return play


def louder(factor: float) -> Damaging:
    return lambda pcm: _slin(np.rint(_wave(pcm) * factor).astype(np.int64))


def overflowing(peak: float) -> Damaging:
    """As loud as makes its peak `peak` times the highest sample, by a gain that knows of no highest sample."""

    def play(pcm: bytes) -> bytes:
        wave = _wave(pcm)
        louder: bytes = np.rint(wave * (peak * 32767 / np.abs(wave).max())).astype(np.int64).astype("<i2").tobytes()
        return louder

    return play


def two_channels(pcm: bytes) -> bytes:
    return np.repeat(_wave(pcm), 2).astype("<i2").tobytes()


def words_of_32_bits(pcm: bytes) -> bytes:
    return (_wave(pcm) << 16).astype("<i4").tobytes()


def with_offset(offset: int) -> Damaging:
    return lambda pcm: _slin(_wave(pcm) + offset)


def wav_header(pcm: bytes) -> bytes:
    return b"RIFF\xa4\xc1\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x80\x3e\0\0\2\0\x10\0data\x80\xc1\0\0" + pcm


def _chunks(pcm: bytes, samples: int) -> list[bytes]:
    return [pcm[at : at + 2 * samples] for at in range(0, len(pcm), 2 * samples)]


def chunk_by_chunk(samples: int, spoiled: int = 6, size: int = 9000) -> Damaging:
    """The first samples of each chunk are wrong."""

    def convert(pcm: bytes) -> bytes:
        wave = _wave(pcm)
        for at in range(0, len(wave), samples):
            wave[at : at + spoiled] = np.where(wave[at : at + spoiled] >= 0, -size, size)
        return _slin(wave)

    return convert


def faded(samples: int, edge: int) -> Damaging:
    """Each chunk is faded in and out, over so many samples at either end."""

    def fade(pcm: bytes) -> bytes:
        wave = _wave(pcm)[: len(pcm) // 2 // samples * samples].reshape(-1, samples)
        ramp = np.minimum(1.0, np.arange(samples) / edge)
        return _slin(np.rint(wave * ramp * ramp[::-1]).astype(np.int64).ravel())

    return fade


def gaps(samples: int, silent: int) -> Damaging:
    return lambda pcm: b"".join(chunk + bytes(2 * silent) for chunk in _chunks(pcm, samples))


def dropped(samples: int, every: int) -> Damaging:
    return lambda pcm: b"".join(c for number, c in enumerate(_chunks(pcm, samples)) if number % every != every - 1)


def doubled(samples: int, every: int) -> Damaging:
    return lambda pcm: b"".join(
        c * (2 if number % every == every - 1 else 1) for number, c in enumerate(_chunks(pcm, samples))
    )


def silent_frames(every: int, samples: int = 160) -> Damaging:
    return lambda pcm: b"".join(
        bytes(len(c)) if number % every == every - 1 else c for number, c in enumerate(_chunks(pcm, samples))
    )


def in_turn(other: bytes, samples: int = 160) -> Damaging:
    return lambda pcm: b"".join(
        one + two for one, two in zip(_chunks(pcm, samples), _chunks(other, samples), strict=False)
    )
