"""A selector for asyncio that reports a few ready sockets at a time, so that no turn of the loop is long.

asyncio calls all that is ready in one turn. If four hundred connections are closed at one instant, or send at one, that
turn takes tens of milliseconds, and every call's next frame waits for it. With this selector a turn takes as many
sockets as there is time for between two frames; timers, and the clock of the calls, come in between.
"""

import selectors

__all__ = ["FewAtOnce"]

MOST_AT_ONCE = 32
"""Sockets in one turn of the loop: at 0.1 ms each, a sixth of a frame."""


class FewAtOnce(selectors.DefaultSelector):
    """The system's best selector. `select` returns at most 32 of the ready sockets, others the next time: each has its
    turn, however many there are. Pass one to `asyncio.SelectorEventLoop`."""

    def __init__(self) -> None:
        super().__init__()
        self._first = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return ready sockets as `selectors.BaseSelector.select` does, at most 32."""
        ready = super().select(timeout)
        if len(ready) <= MOST_AT_ONCE:
            return ready
        first = self._first % len(ready)
        self._first = first + MOST_AT_ONCE
        return (ready[first:] + ready[:first])[:MOST_AT_ONCE]
