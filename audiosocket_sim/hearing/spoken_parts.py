"""Finds from when to when speech is audible in a sound that is known as a whole, such as a recording. Pure."""

from functools import lru_cache

from audiosocket_sim.hearing.loudness import audible_stretches

__all__ = ["spoken_parts_ms"]

_MS = 8  # samples
_SHORT_QUIET_MS = 200


@lru_cache(maxsize=1024)
def spoken_parts_ms(pcm: bytes) -> tuple[tuple[int, int], ...]:
    """Return from when to when 8 kHz SLIN is audible, in ms from its start: quiet of less than 200 ms parts nothing.

    The last part ends behind the last 10 ms over -50 dBFS. Empty if all of it is softer than that.
    """
    parts: list[tuple[int, int]] = []
    for first, last in audible_stretches(pcm):
        start, end = round(first / _MS), round((last + 1) / _MS)
        if parts and start - parts[-1][1] < _SHORT_QUIET_MS:
            parts[-1] = (parts[-1][0], end)
        else:
            parts.append((start, end))
    return tuple(parts)
