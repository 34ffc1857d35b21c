"""Fade the edges of an utterance's recording, which hold the line's noise and no speech. Pure.

The phrase book recognises a recording by the onset of its speech. Noise before it that is nearly as loud as the speech
would be taken for that onset. In the scenario the simulated line adds the noise again.
"""

import numpy as np

from audiosocket_sim.live.captured_call.track import RATE_HZ

__all__ = ["fade_edges"]

_FLOOR = 10 ** (-40 / 20)
"""The gain at the very edge: -40 dB."""


def fade_edges(pcm: bytes, before_ms: int, behind_ms: int) -> bytes:
    """Return `pcm` (8 kHz SLIN) with its edges faded in and out.

    `before_ms` and `behind_ms` are the lengths of the sound before and after the speech; the outer half of each is
    faded.
    """
    sound = np.frombuffer(pcm, dtype="<i2").astype(np.float64)
    head = min(len(sound), max(0, before_ms) // 2 * RATE_HZ // 1000)
    tail = min(len(sound) - head, max(0, behind_ms) // 2 * RATE_HZ // 1000)
    sound[:head] *= np.geomspace(_FLOOR, 1.0, head) if head else 1.0
    if tail:
        sound[-tail:] *= np.geomspace(1.0, _FLOOR, tail)
    return np.rint(sound).astype("<i2").tobytes()
