"""The level of the loudest sample of a sound. Pure."""

import math

from audiosocket_core import slin

__all__ = ["peak_dbfs"]


def peak_dbfs(pcm: bytes) -> float | None:
    """Return the level of the loudest sample of SLIN in dBFS (0: full scale); None if all are 0, or there are none."""
    peak = slin.peak(pcm)
    return 20 * math.log10(peak / 32768) if peak else None
