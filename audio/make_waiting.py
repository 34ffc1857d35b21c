"""Make the hold music, `waiting.slin`: a turn-around of eight bars, 16 s, which loops without a seam.

Our own tune, made of sines, so it belongs to the project and can be made again to the byte. All of it lies between
260 Hz and 3 kHz, where a telephone carries sound. Written beside this script: SLIN, 8 kHz, mono, about -22 dBFS RMS.

    python audio/make_waiting.py
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 8000
BEAT_SECONDS = 0.5
BEATS = 32
LEVEL_DBFS = -22.0

# One bar (four beats) a line: the chord from the bass up, then the tune as (beat, note, beats). Notes are MIDI numbers.
BARS: tuple[tuple[tuple[int, ...], tuple[tuple[float, int, float], ...]], ...] = (
    ((60, 64, 67, 71), ((0, 79, 1.5), (1.5, 76, 0.5), (2, 74, 1), (3, 71, 1))),  # C major 7
    ((61, 64, 67, 69), ((0, 73, 2), (2.5, 76, 0.5), (3, 79, 1))),  # A 7
    ((62, 65, 69, 72), ((0, 77, 1.5), (1.5, 74, 0.5), (2, 72, 2))),  # D minor 7
    ((62, 65, 67, 71), ((0.5, 71, 0.5), (1, 74, 1), (2, 77, 1.5), (3.5, 76, 0.5))),  # G 7
    ((62, 64, 67, 71), ((0, 76, 1.5), (1.5, 74, 0.5), (2, 71, 1), (3, 67, 1))),  # E minor 7
    ((61, 64, 67, 69), ((0, 73, 1), (1, 76, 1), (2, 79, 1.5), (3.5, 81, 0.5))),  # A 7
    ((60, 65, 69, 74), ((0, 77, 2), (2, 74, 1), (3, 72, 1))),  # D minor 7
    ((62, 65, 67, 71), ((0, 71, 1.5), (1.5, 74, 0.5), (2, 71, 2))),  # G 7, back to the beginning
)
STRUMS = ((0.0, 0.9), (1.5, 0.6), (2.5, 0.75), (3.5, 0.5))  # beat in the bar, strength: off the beat, softly

CHORD = ((1.0, 1.0), (2.0, 0.25), (3.0, 0.08))  # partials: times the frequency, strength
TUNE = ((1.0, 1.0), (2.0, 0.15), (4.0, 0.1))


class Note(NamedTuple):
    """One note: its beat from the beginning, its MIDI number, and how it sounds."""

    beat: float
    number: int
    strength: float
    fade_seconds: float
    partials: tuple[tuple[float, float], ...]


def notes() -> Iterator[Note]:
    """All notes of the loop, chords and tune, bar by bar."""
    for bar, (chord, tune) in enumerate(BARS):
        for beat, strength in STRUMS:
            for place, number in enumerate(chord):
                yield Note(bar * 4 + beat + place * 0.02, number, 0.3 * strength, 0.45, CHORD)
        for beat, number, beats in tune:
            yield Note(bar * 4 + beat, number, 0.55, 0.3 + 0.25 * beats, TUNE)


def sound_of(note: Note) -> NDArray[np.float64]:
    """A struck bar: in within 12 ms, dying away, ended by a slope at -50 dB, so that it begins and ends at nothing."""
    length = round(6 * note.fade_seconds * RATE_HZ)
    t = np.arange(length) / RATE_HZ
    frequency_hz = 440.0 * 2.0 ** ((note.number - 69) / 12)
    wave = np.zeros(length)
    for times, strength in note.partials:
        wave += strength * np.sin(2 * np.pi * frequency_hz * times * t) * np.exp(-t * times / note.fade_seconds)
    rise, fall = round(0.012 * RATE_HZ), round(0.05 * RATE_HZ)
    wave[:rise] *= 0.5 - 0.5 * np.cos(np.pi * np.arange(rise) / rise)
    wave[-fall:] *= 0.5 + 0.5 * np.cos(np.pi * np.arange(1, fall + 1) / fall)
    return note.strength * wave


def render() -> bytes:
    """The music as SLIN. What rings on past the end rings at the beginning: that is why the loop has no seam."""
    mix = np.zeros(round(BEATS * BEAT_SECONDS * RATE_HZ))
    for note in notes():
        wave = sound_of(note)
        places = (round(note.beat * BEAT_SECONDS * RATE_HZ) + np.arange(len(wave))) % len(mix)
        mix[places] += wave
    mix *= 32768 * 10 ** (LEVEL_DBFS / 20) / np.sqrt(np.mean(mix**2))
    return np.rint(mix).astype("<i2").tobytes()


if __name__ == "__main__":
    Path(__file__).with_name("waiting.slin").write_bytes(render())
