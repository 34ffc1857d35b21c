"""The outer half of what was cut with an utterance, faded: the line's noise there is not the speech's. Pure.

A recording is known by how its speech begins; noise before it that is not far below the speech would be taken for it.
The line of the scenario adds the noise again.
"""

import numpy as np

from audiosocket_sim.live.captured_call.track import RATE_HZ

__all__ = ["fade_edges"]

_FLOOR = 10 ** (-40 / 20)


def fade_edges(pcm: bytes, before_ms: int, behind_ms: int) -> bytes:
    """The utterance with the outer halves of `before_ms` and `behind_ms` faded in and out."""
    sound = np.frombuffer(pcm, dtype="<i2").astype(np.float64)
    head = min(len(sound), max(0, before_ms) // 2 * RATE_HZ // 1000)
    tail = min(len(sound) - head, max(0, behind_ms) // 2 * RATE_HZ // 1000)
    sound[:head] *= np.geomspace(_FLOOR, 1.0, head) if head else 1.0
    if tail:
        sound[-tail:] *= np.geomspace(1.0, _FLOOR, tail)
    return np.rint(sound).astype("<i2").tobytes()
