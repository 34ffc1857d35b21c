"""How much silence is at the end of a sound? Pure.

Recordings and synthesised speech often end with some tenths of a second in which nothing can be heard. A caller answers
the last word, not the last sample.
"""

from array import array
from collections.abc import Sequence

__all__ = ["silent_end_bytes"]

AUDIBLE = 104  # RMS of samples: -50 dBFS
PIECE_BYTES = 160  # 10 ms of SLIN, 8 kHz
MOST_PIECES = 200


def silent_end_bytes(chunks: Sequence[bytes]) -> int:
    """Return how many bytes at the end of the sound (SLIN, 8 kHz, in pieces) are softer than -50 dBFS; at most 2 s."""
    tail = b""
    for chunk in reversed(chunks):
        if len(tail) >= MOST_PIECES * PIECE_BYTES:
            break
        tail = chunk[-MOST_PIECES * PIECE_BYTES :] + tail
    silent = 0
    while silent < MOST_PIECES * PIECE_BYTES and silent < len(tail):
        end = len(tail) - silent
        piece = tail[max(0, end - PIECE_BYTES) : end]
        samples = array("h", piece[: len(piece) // 2 * 2])
        if sum(sample * sample for sample in samples) > AUDIBLE * AUDIBLE * len(samples):
            break
        silent += len(piece)
    return silent
