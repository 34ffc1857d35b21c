"""The level of the loudest sample of a sound. Pure."""

import math

import numpy as np

__all__ = ["peak_dbfs"]


def peak_dbfs(pcm: bytes) -> float | None:
    """Return the level of the loudest sample of SLIN in dBFS (0: full scale); None if all are 0, or there are none."""
    samples = np.frombuffer(pcm, dtype="<i2", count=len(pcm) // 2)
    peak = max(int(samples.max()), -int(samples.min())) if len(samples) else 0
    return 20 * math.log10(peak / 32768) if peak else None
