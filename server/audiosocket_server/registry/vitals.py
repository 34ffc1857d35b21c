"""Vitals of a call: its audio levels and dropped messages at one moment, for the control API. Pure.

They are measured only on request, over the last 200 ms of the audio that the call keeps in any case.
"""

from dataclasses import dataclass

from audiosocket_core.slin import level_dbfs

__all__ = ["LOOK_BACK_MS", "SILENT", "Vitals"]

LOOK_BACK_MS = 200


@dataclass(frozen=True, slots=True)
class Vitals:
    """Levels are RMS in dBFS over `LOOK_BACK_MS`; silence is -120.0. `dropped_messages` counts from the UUID."""

    caller_dbfs: float
    bot_dbfs: float
    dropped_messages: int

    @classmethod
    def of(cls, heard: bytes, said: bytes, dropped_messages: int) -> "Vitals":
        """Measure the levels. `heard`, `said`: 8 kHz SLIN; an empty buffer counts as silence."""
        return cls(level_dbfs(heard), level_dbfs(said), dropped_messages)


SILENT = Vitals.of(b"", b"", 0)
