"""Whether two callers were dealt the frames of one sound in turn, as where two calls take from one queue. Pure."""

from typing import TYPE_CHECKING

import numpy as np

from audiosocket_sim.hearing.damage.medians import median

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["are_dealt_out"]

_FRAME = 160
_LEAST_FRAMES = 15
_AUDIBLE = 200.0
_CHOPPED = 1.7
"""How much larger the jumps at the edges of frames are than all others, on average, where a sound is chopped."""
_FITS, _FITS_AT_LEAST = 0.5, 0.7
"""How much smaller the jumps to the other caller's frames and back are than those to one's own next one, where they
belong there: on average, and each of the two. Of 60 recordings and prompts 0.2 to 0.5; of two sentences about 1."""


def are_dealt_out(one: bytes, other: bytes, later: int) -> bool:
    """Return whether each frame (20 ms) that one caller heard goes on in what the other heard next, and comes back.

    Both are SLIN of 8 kHz; `later`: by how many samples the second begins later than the first.
    """
    a, b = _samples(one), _samples(other)
    return _goes_on(a, b, later) or _goes_on(b, a, -later)


def _samples(pcm: bytes) -> "NDArray[np.float64]":
    return np.frombuffer(pcm, "<i2").astype(np.float64)


def _edge(wave: "NDArray[np.float64]") -> int | None:
    """Where in each 160 samples a frame begins, if the sound jumps there; None if it does not."""
    jumps = np.abs(np.diff(wave, prepend=wave[:1]))
    jumps = jumps[: len(jumps) // _FRAME * _FRAME].reshape(-1, _FRAME)
    heard = jumps[jumps.sum(axis=1) > 0]
    if len(heard) < _LEAST_FRAMES:
        return None
    means = heard.mean(axis=0)
    edge = int(means.argmax())
    return edge if means[edge] > _CHOPPED * median(means) else None


def _goes_on(a: "NDArray[np.float64]", b: "NDArray[np.float64]", later: int) -> bool:
    """Whether each frame of `a` is followed by one of `b`, which begins while it is heard."""
    own, others = _edge(a), _edge(b)
    if own is None or others is None:
        return False
    starts = np.arange(own, len(a) - 2 * _FRAME, _FRAME)
    there = starts - later
    there += (others - there) % _FRAME  # the next frame of the other
    keep = (there >= 0) & (there + _FRAME < len(b))
    starts, there = starts[keep], there[keep]
    loud = np.array(
        [
            min(np.abs(a[s : s + _FRAME]).mean(), np.abs(b[t : t + _FRAME]).mean()) > _AUDIBLE
            for s, t in zip(starts, there, strict=True)
        ],
        dtype=bool,
    )
    starts, there = starts[loud], there[loud]
    if len(starts) < _LEAST_FRAMES:
        return False
    own_jump = np.abs(a[starts + _FRAME - 1] - a[starts + _FRAME])
    over = np.abs(a[starts + _FRAME - 1] - b[there])
    back = np.abs(b[there + _FRAME - 1] - a[starts + _FRAME])
    both = np.array([over.mean(), back.mean()]) / (own_jump.mean() + 1e-9)
    return bool(both.mean() < _FITS and both.max() < _FITS_AT_LEAST)
