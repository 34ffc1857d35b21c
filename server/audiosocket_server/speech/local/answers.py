"""A small closed grammar of one-word answers («sim», «não», «tá», …), heard by comparison with known sounds. Numpy.

A recogniser of sentences makes «Plain.» of a short word without context. But its encoder hears the word: in the space
of the encoder's frames, the same word of another voice is near, and other words and noises are far. So the frames of
a short utterance are aligned with those of known answers (dynamic time warping), and the nearest counts if it is near
enough and no other word is nearly as near. The known sounds are made by `recordings/make_answers.py`. Pure: frames
in, a word out.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["FRAME_MS", "Answers", "Nearest", "answers_in", "span_frames", "speech_span_ms"]

FRAME_MS = 20
"""Of the encoder's frames."""
DIMENSIONS = 48
_LEAST_SIZE = 0.02  # of a direction, as a share of the largest one

# Measured: at most 0.15 for an answer of another voice, from 0.22 on for other words, from 0.39 on for noises.
_NEAR = 0.2
_MARGIN = 0.05
_STRETCH = 0.1  # what it costs to hold one of the sounds for a frame

_SHORTEST_MS, _LONGEST_MS = 120, 1300  # of an answer's sound
_EDGE_FRAMES = 1
_LEAST_RANGE_DB = 9.0
_QUIETEST_DB = -60.0
_SPEECH_SHARE = 0.3  # of the range from the line's noise to the loudest frame

EncoderFrames = NDArray[np.float32]


class Nearest(NamedTuple):
    """The nearest answer, its distance (0 to about 1), and how much farther the nearest other answer is."""

    text: str
    distance: float
    margin: float


@dataclass(frozen=True, slots=True)
class Answers:
    """Known answers. `mean` and `basis` bring a frame of the encoder into fewer dimensions; `sounds` are in these."""

    mean: EncoderFrames
    basis: EncoderFrames
    texts: Sequence[str]
    sounds: Sequence[EncoderFrames]

    @classmethod
    def of(cls, spoken: Iterable[tuple[str, EncoderFrames]]) -> "Answers":
        """Make the answers from texts and the encoder's frames of each, shape (frames, features)."""
        known = list(spoken)
        frames = np.concatenate([sound for _, sound in known]).astype(np.float64)
        mean = frames.mean(axis=0)
        _, sizes, directions = np.linalg.svd(frames - mean, full_matrices=False)
        kept = min(DIMENSIONS, int((sizes > _LEAST_SIZE * sizes[0]).sum()))
        # Directions with much variance count more, but not in proportion to it.
        scale = np.sqrt(sizes[:kept] / np.sqrt(len(frames)))
        basis = (directions[:kept].T / scale).astype(np.float32)
        made = cls(mean.astype(np.float32), basis, (), ())
        return cls(made.mean, basis, [text for text, _ in known], [made.reduced(sound) for _, sound in known])

    @classmethod
    def load(cls, path: Path) -> "Answers":
        """Read what `save` has written."""
        with np.load(path) as file:
            ends = np.cumsum(file["lengths"])[:-1]
            sounds = np.split(file["sounds"].astype(np.float32) / 127.0, ends)
            return cls(
                file["mean"].astype(np.float32),
                file["basis"].astype(np.float32),
                [str(text) for text in file["texts"]],
                sounds,
            )

    def save(self, path: Path) -> None:
        """Write the answers, about 2 kB each."""
        np.savez_compressed(
            path,
            mean=self.mean.astype(np.float16),
            basis=self.basis.astype(np.float16),
            texts=np.array(self.texts),
            lengths=np.array([len(sound) for sound in self.sounds], np.int16),
            sounds=np.rint(np.concatenate(self.sounds) * 127.0).astype(np.int8),
        )

    def reduced(self, frames: EncoderFrames) -> EncoderFrames:
        """Return the encoder's frames in the dimensions of the answers, each of length 1."""
        points = (frames.astype(np.float32) - self.mean) @ self.basis
        lengths = np.linalg.norm(points, axis=1, keepdims=True)
        reduced: EncoderFrames = (points / np.maximum(lengths, 1e-6)).astype(np.float32)
        return reduced

    def nearest(self, frames: EncoderFrames) -> Nearest:
        """Return the answer that is nearest to the encoder's frames of an utterance, without quiet around it."""
        distances = _distances(self.reduced(frames), self.sounds)
        best: dict[str, float] = {}
        for text, distance in zip(self.texts, distances, strict=True):
            best[text] = min(best.get(text, np.inf), float(distance))
        (text, distance), *others = sorted(best.items(), key=lambda found: found[1])
        return Nearest(text, distance, (others[0][1] if others else np.inf) - distance)

    def find(self, frames: EncoderFrames) -> str | None:
        """Return the answer that was said, or None if it was something else."""
        nearest = self.nearest(frames)
        return nearest.text if nearest.distance <= _NEAR and nearest.margin >= _MARGIN else None


def _distances(said: EncoderFrames, sounds: Sequence[EncoderFrames]) -> NDArray[np.float32]:
    """Return the mean distance along the best alignment of `said` with each sound, both whole."""
    longest = max(map(len, sounds))
    padded = np.zeros((len(sounds), longest, said.shape[1]), np.float32)
    for place, sound in enumerate(sounds):
        padded[place, : len(sound)] = sound
    costs = 1.0 - np.einsum("nd,smd->nms", said, padded)  # of frame n of `said`, frame m of each sound
    costs[:, 0] = np.cumsum(costs[:, 0] + _STRETCH, axis=0)
    costs[0] = np.cumsum(costs[0] + _STRETCH, axis=0)
    for n in range(1, len(said)):
        before, now = costs[n - 1], costs[n]
        for m in range(1, longest):
            now[m] += np.minimum(np.minimum(before[m], now[m - 1]) + _STRETCH, before[m - 1])
    lengths = np.array([len(sound) for sound in sounds])
    reached: NDArray[np.float32] = costs[-1, lengths - 1, np.arange(len(sounds))] / (len(said) + lengths)
    return reached


def speech_span_ms(pcm: bytes, longest_ms: int = _LONGEST_MS) -> tuple[int, int] | None:
    """Return where the sound (SLIN, 8 kHz) is louder than the line, if that is as short as an answer (or as
    `longest_ms`); else None."""
    whole = len(pcm) // 320 * 320
    samples = np.frombuffer(pcm, "<i2", whole // 2).reshape(-1, 160).astype(np.float32) / 32768.0
    if not len(samples):
        return None
    levels = np.maximum(10.0 * np.log10((samples**2).mean(axis=1) + 1e-12), _QUIETEST_DB)
    floor, loudest = float(np.quantile(levels, 0.1)), float(levels.max())
    if loudest - floor < _LEAST_RANGE_DB:
        return None
    loud = np.flatnonzero(levels > floor + _SPEECH_SHARE * (loudest - floor))
    start_ms, end_ms = int(loud[0]) * FRAME_MS, (int(loud[-1]) + 1) * FRAME_MS
    return (start_ms, end_ms) if _SHORTEST_MS <= end_ms - start_ms <= longest_ms else None


def span_frames(span_ms: tuple[int, int]) -> slice:
    """Return the encoder's frames of a span, with one more at both ends."""
    start_ms, end_ms = span_ms
    return slice(max(0, start_ms // FRAME_MS - _EDGE_FRAMES), -(-end_ms // FRAME_MS) + _EDGE_FRAMES)


@lru_cache(maxsize=4)
def answers_in(language: str) -> Answers | None:
    """Return the answers that are known in the language of a tag such as pt-BR; None if there are none."""
    path = Path(__file__).parent / "voices" / f"answers-{language.partition('-')[0].casefold()}.npz"
    return Answers.load(path) if path.is_file() else None
