"""Samples that are not what the wire wants: another byte order, G.711 bytes, unsigned numbers, text, headers. Pure.

The caller hears them as loud noise. What is read here needs no phrase book; the figures are those of
`benchmarks/damage.py`, measured over 17 voices, -35 to -10 dBFS, through G.711 and GSM.
"""

from typing import TYPE_CHECKING

import numpy as np

from audiosocket_core import slin
from audiosocket_sim.hearing.damage.medians import median
from audiosocket_sim.hearing.damage.model import FULL_SCALE, RATE_HZ, Damage, Frames, dbfs

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["NOISE_MS", "file_bytes", "noise_alone", "text_bytes", "wrong_format"]

_LOUD = FULL_SCALE**2 * 10**-0.95  # -9.5 dBFS: samples of another format are spread over all values
_ROUGH = 0.55  # smoothness; speech as loud as that has more: it is vowels
_MIDDLE = 16384
_MOST_IN_THE_MIDDLE = 0.88  # speech of -10 dBFS, clipped where it must be, has 0.9 of its samples there
_WINDOW, _MOST = 15, 0.6  # in 300 ms, so many of all frames
_FEWEST = 4
_IN_A_ROW = 6  # 120 ms; 9 voices have up to 3 at -10 dBFS, up to 5 at -6
_UNSIGNED_MIDDLE = 0.08
_UNSIGNED_LOUD = FULL_SCALE**2 * 10**-0.6

_G711_LOUD = FULL_SCALE**2 * 10**-0.78
_G711_ROUGH = 0.8  # smoothness of the bytes as they are
_LAWS = (("µ-law", slin.ulaw_decode, 1.5, 0.1), ("A-law", slin.alaw_decode, 2.5, 0.2))
"""Name, decoder, by how many dB the right law makes less noise than the other, how smooth its voice is at the least."""
_G711_SMALL = 2.2  # small positive samples for each large one; a small sound is a byte of 0x70 or 0x50, a large sample
_G711_TOP, _G711_AT_TOP = 0.985, 0.09

_STEADY_DB = 1.6
_WHITE = 0.3
NOISE_MS = 500
"""Shorter noise (ms) is not judged: it may be a consonant, a breath, the start of something else."""
_NOISE_FRAMES = NOISE_MS // 20
_NOISE_LOUD = FULL_SCALE**2 * 10**-4.5  # -45 dBFS; softer noise is comfort noise, or a poor line

_PAIRED, _UNPAIRED = 0.97, 0.6
_ZERO = 10  # A-law makes 8 of zero
_PAIRED_FRAMES = 8

_TEXT_SAMPLES = 16
_TEXT_LOW, _TEXT_HIGH = 0x1F00, 0x7F80
_TEXT_STEP = 1000
_TEXT_TURNS = 0.36
_TEXT_QUIET = 400.0
_LONG_TEXT = 8000  # samples; errors are shorter than a second


def wrong_format(frames: Frames) -> Damage | None:
    """Say which wrong format the samples have, or that they are noise; None for speech."""
    rough = (frames.power >= _LOUD) & (frames.smoothness < _ROUGH) & frames.flat
    middle = (np.abs(frames.wave) < _MIDDLE).mean(axis=1)
    unsigned = (middle <= _UNSIGNED_MIDDLE) & (np.square(frames.wave).mean(axis=1) >= _UNSIGNED_LOUD)
    if (found := _first_window(unsigned)) is not None:
        return _damage(frames, found, "format", "unsigned samples sent as signed ones: loud crackling", unsigned)
    loud = frames.power >= _LOUD
    g711 = loud & (middle <= _MOST_IN_THE_MIDDLE)
    if (found := _first_window(g711)) is not None and (law := _g711_law(frames, g711)) is not None:
        return _damage(frames, found, "format", f"{law} bytes sent as linear samples: loud noise, twice too fast", g711)
    rough &= middle <= _MOST_IN_THE_MIDDLE
    if (found := _first_window(rough)) is not None or (found := _first_run(rough)) is not None:
        level = dbfs(float(frames.power[rough].mean()))
        what = f"noise of {level:.0f} dBFS where a voice should be, as of bytes swapped or of another format"
        return _damage(frames, found, "format", what, rough)
    return _every_other(frames) or _white_noise(frames)


def _every_other(frames: Frames) -> Damage | None:
    """Find a sound of which every other sample is zero, or the same as the one before it: no microphone makes that."""
    wave = frames.wave
    if len(wave) < _PAIRED_FRAMES:
        return None
    odd = [float((np.abs(wave[:, place::2]) <= _ZERO).mean()) for place in (0, 1)]
    alike = [float((wave[:, place:-1:2] == wave[:, place + 1 :: 2]).mean()) for place in (0, 1)]
    every = np.ones(len(wave), np.bool_)
    one = wave[:, int(odd[0] >= odd[1]) :: 2]
    if _smooth(one) <= 0:  # a tone of 2 kHz
        return None
    if max(odd) >= _PAIRED and min(odd) <= _UNPAIRED:
        why = "32-bit samples, or one of two channels, sent as 16-bit samples of one: two times too slow"
        return _damage(frames, 0, "channels", f"every other sample is zero, as of {why}", every)
    if max(alike) >= _PAIRED and min(alike) <= _UNPAIRED:
        what = "each sample is there twice, as of two channels sent as one: two times too slow"
        return _damage(frames, 0, "channels", what, every)
    return None


def _damage(frames: Frames, first: int, kind: str, what: str, which: "NDArray[np.bool_]") -> Damage:
    seconds = float(frames.first[first]) / RATE_HZ
    return Damage(kind, what, seconds, round(0.02 * int(which.sum()), 2), 20 * int(which.sum()))


def _first_window(flags: "NDArray[np.bool_]") -> int | None:
    """The first true one of a window that is full enough of them; of all, where there are few."""
    window = min(_WINDOW, len(flags))
    if window < _FEWEST:
        return None
    running = np.concatenate(([0], np.cumsum(flags)))
    full = np.flatnonzero(running[window:] - running[:-window] >= max(_FEWEST, _MOST * window))
    return int(full[0]) + int(flags[full[0] :].argmax()) if len(full) else None


def _first_run(flags: "NDArray[np.bool_]") -> int | None:
    """The first of so many true ones in a row that no voice has them: the fault began late in a sentence."""
    if len(flags) < _IN_A_ROW:
        return None
    running = np.concatenate(([0], np.cumsum(flags)))
    full = np.flatnonzero(running[_IN_A_ROW:] - running[:-_IN_A_ROW] == _IN_A_ROW)
    return int(full[0]) if len(full) else None


def _g711_law(frames: Frames, which: "NDArray[np.bool_]") -> str | None:
    """The law by which the bytes of these frames are a voice: the high byte of each sample is read."""
    wave = frames.wave[which]
    if float(frames.power[which].mean()) < _G711_LOUD or _smooth(wave) > _G711_ROUGH:
        return None
    if np.mean((frames.wave >= 0) & (frames.wave < 12288)) > _G711_SMALL * np.mean(frames.wave >= _MIDDLE):
        return None
    high = (wave.astype(np.int64) >> 8 & 0xFF).astype(np.uint8)
    voices = [
        np.frombuffer(decode(high.tobytes()), "<i2").astype(np.float64).reshape(high.shape) for _, decode, *_ in _LAWS
    ]
    levels = [dbfs(float(voice.var(axis=1).mean())) for voice in voices]
    (name, _, margin, least), other = (_LAWS[0], 1) if levels[0] < levels[1] else (_LAWS[1], 0)
    if levels[other] - levels[1 - other] < margin or _smooth(voices[1 - other]) < least:
        return None
    at_top = float((np.abs(wave) >= _G711_TOP * np.abs(wave).max()).mean())
    return None if name == "A-law" and at_top > _G711_AT_TOP else name


def _smooth(wave: "NDArray[np.float64]") -> float:
    centred = wave - wave.mean(axis=1, keepdims=True)
    return float(np.sum(centred[:, 1:] * centred[:, :-1]) / max(1.0, np.sum(np.square(centred))))


def _white_noise(frames: Frames) -> Damage | None:
    """Steady white noise that is nearly all of the sound."""
    if len(frames) < _NOISE_FRAMES:
        return None
    level = 10 * np.log10(frames.power)
    white = (frames.smoothness < _WHITE) & frames.flat & (np.abs(level - median(level)) < _STEADY_DB)
    if white.mean() < 0.8 or median(frames.power) < _NOISE_LOUD:
        return None
    return _damage(frames, int(white.argmax()), "noise", _noise("white", median(frames.power)), white)


def noise_alone(pcm: bytes) -> Damage | None:
    """Say that a steady noise, of which it is known that no speech is in it, was sent as sound.

    None for what may be comfort noise: up to -45 dBFS, and less than half a second.
    """
    wave = np.frombuffer(pcm, "<i2", len(pcm) // 2).astype(np.float64)
    frames = Frames(wave)
    if len(frames) < _NOISE_FRAMES or median(frames.power) < _NOISE_LOUD:
        return None
    color = "white" if median(frames.smoothness) < _WHITE else "steady"
    what = _noise(color, median(frames.power))
    return _damage(frames, 0, "noise", what, np.ones(len(frames), np.bool_))


def _noise(color: str, power: float) -> str:
    return f"{color} noise of {dbfs(power):.0f} dBFS, and no voice in it"


# --- files


def text_bytes(wave: "NDArray[np.float64]") -> Damage | None:
    """Find characters played as samples: an error in JSON or HTML in place of a voice, the tags at the end of a file.

    Each byte is a letter, so that all samples are between 8192 and 32382, no two neighbours are alike, and the
    quiet before and behind is a single sample away.
    """
    inside = (wave >= _TEXT_LOW) & (wave <= _TEXT_HIGH)
    edges = np.diff(np.concatenate(([0], inside.astype(np.int8), [0])))
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        if end - start < _TEXT_SAMPLES or not (
            _quiet(wave[max(0, start - 4) : start]) and _quiet(wave[end + 1 : end + 4])
        ):
            continue
        steps = np.diff(wave[start:end])
        turns = np.mean(steps[1:] * steps[:-1] < 0)
        if median(np.abs(steps)) >= _TEXT_STEP and turns >= _TEXT_TURNS:
            count = 2 * (end - start)
            such = "an error in JSON or HTML: a click" if end - start < _LONG_TEXT else "Base64: loud noise"
            what = f"text of about {count} characters played as samples, such as {such}"
            return Damage("file", what, start / RATE_HZ, count, -(-(end - start) * 1000 // RATE_HZ))
    return None


def _quiet(wave: "NDArray[np.float64]") -> bool:
    return bool(np.all(np.abs(wave) <= _TEXT_QUIET))


_RIFF = np.frombuffer(b"RIFF\0\0\0\0WAVEfmt ", "<i2").astype(np.float64)
_RIFF_KNOWN = np.array([0, 1, 4, 5, 6, 7])


def file_bytes(wave: "NDArray[np.float64]") -> list[Damage]:
    """Find headers of WAV files played as samples, one Damage for all of them: 44 bytes or more, a loud click."""
    if len(wave) < len(_RIFF):
        return []
    known = _RIFF[_RIFF_KNOWN]
    tolerance = np.abs(known) / 16 + 16
    places = np.flatnonzero(np.abs(wave[: len(wave) - len(_RIFF) + 1] - known[0]) <= tolerance[0])  # seldom any
    places = places[np.all(np.abs(wave[places[:, None] + _RIFF_KNOWN] - known) <= tolerance, axis=1)]
    if not len(places):
        return []
    times = "" if len(places) == 1 else f" ({len(places)} times)"
    what = f"the header of a WAV file played as samples: a click of 3 ms{times}"
    return [Damage("file", what, float(places[0]) / RATE_HZ, len(places), 3 * len(places))]
