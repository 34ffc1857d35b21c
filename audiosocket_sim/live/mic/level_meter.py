"""Level meters for the screen: the level of the newest sound, which falls slowly. Pure."""

from audiosocket_core.slin import SILENCE_DBFS, level_dbfs

__all__ = ["FLOOR_DBFS", "LevelMeter", "bar"]

FLOOR_DBFS = -60.0
"""The level at which a bar is empty."""
_FALLS_DB_PER_MS = 0.03
_CELLS = " ▏▎▍▌▋▊▉█"


class LevelMeter:
    """Measures the level of a stream. `dbfs` rises at once and falls by at most 30 dB a second."""

    def __init__(self) -> None:
        self.dbfs = SILENCE_DBFS

    def feed(self, pcm: bytes) -> None:
        """Take the next sound, 8 kHz SLIN of any length."""
        fallen = max(SILENCE_DBFS, self.dbfs - _FALLS_DB_PER_MS * len(pcm) / 16)
        self.dbfs = max(fallen, level_dbfs(pcm))


def bar(dbfs: float, width: int) -> str:
    """Return a bar of `width` characters, full at 0 dBFS and empty at `FLOOR_DBFS`."""
    eighths = round(8 * width * min(1.0, max(0.0, 1.0 - dbfs / FLOOR_DBFS)))
    full, part = divmod(eighths, 8)
    return (_CELLS[8] * full + (_CELLS[part] if part else "")).ljust(width)
