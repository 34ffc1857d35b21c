"""A call in progress, or several at a time, as whoever looks on sees it: `LiveView`, and callers of `run`."""

from typing import Protocol

__all__ = ["CallInProgress", "HeardNow"]


class HeardNow(Protocol):
    """What is heard now in a call in progress."""

    @property
    def open_speech_at(self) -> float | None:
        """The start, as a loop time, of a stretch of the bot's speech that has not ended; None if there is none."""

    @property
    def speaking_since(self) -> float | None:
        """Since when the bot speaks, as a loop time; None if it does not."""

    @property
    def hold_since(self) -> float | None:
        """Since when hold audio plays, as a loop time; None if none does."""


class CallInProgress(Protocol):
    """A call, or several at a time, as whoever looks on sees it."""

    @property
    def ear(self) -> HeardNow:
        """What is heard now."""

    @property
    def state(self) -> str | None:
        """The bot's own state; None if it reports none."""

    @property
    def now_ms(self) -> int:
        """The current time, in ms since the (first) UUID."""

    def ms(self, loop_time: float) -> int:
        """Convert a loop time, in seconds, to ms since the (first) UUID."""
