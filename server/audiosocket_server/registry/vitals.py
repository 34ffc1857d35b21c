"""How a call sounds and flows at one moment, for who watches it. Pure.

Nothing is measured until somebody asks: the call then looks at the last fifth of a second of what it holds anyhow.
"""

from dataclasses import dataclass

from audiosocket_core.slin import level_dbfs

__all__ = ["LOOK_BACK_MS", "SILENT", "Vitals"]

LOOK_BACK_MS = 200


@dataclass(frozen=True, slots=True)
class Vitals:
    """Levels are RMS in dBFS over `LOOK_BACK_MS`; silence is -120.0. `dropped_messages`: since the call began."""

    caller_dbfs: float
    bot_dbfs: float
    dropped_messages: int

    @classmethod
    def of(cls, heard: bytes, said: bytes, dropped_messages: int) -> "Vitals":
        """`heard` and `said`: SLIN, 8 kHz; nothing is silence."""
        return cls(level_dbfs(heard), level_dbfs(said), dropped_messages)


SILENT = Vitals.of(b"", b"", 0)
