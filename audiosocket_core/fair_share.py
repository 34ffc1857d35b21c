"""Shares an event loop among connections that have more to be worked off than one turn of the loop has room for.

A connection takes a few messages at once, and leaves the rest here; its reading is paused meanwhile. In each turn of
the loop the rests of all connections together get `SHARE_SECONDS`, a little of each in turn: so neither one connection
that floods nor a hundred of them make the clock of the calls late.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import ClassVar
from weakref import WeakKeyDictionary

__all__ = ["SHARE_SECONDS", "FairShare"]

SHARE_SECONDS = 0.002
"""How long all rests together may hold the loop in one of its turns: a tenth of a frame."""


class FairShare:
    """The rests of one loop. `FairShare.of(loop)` returns the one that all its connections share.

    `clock`: seconds that pass while callbacks run. The time of uvloop does not: it is read once in each turn.
    """

    _of_loop: ClassVar["WeakKeyDictionary[asyncio.AbstractEventLoop, FairShare]"] = WeakKeyDictionary()

    def __init__(self, loop: asyncio.AbstractEventLoop, clock: Callable[[], float]) -> None:
        self._call_soon = loop.call_soon
        self._time = clock
        self._report = loop.call_exception_handler
        self._works: deque[Callable[[], bool]] = deque()

    @classmethod
    def of(cls, loop: asyncio.AbstractEventLoop) -> "FairShare":
        """Return the loop's fair share, which is made by the first call."""
        share = cls._of_loop.get(loop)
        if share is None:
            virtual = getattr(loop, "clock_is_virtual", False)
            clock = loop.time if virtual else time.monotonic  # noqa: TID251 - uvloop's stands still
            share = cls._of_loop[loop] = cls(loop, clock)
        return share

    def add(self, work: Callable[[], bool]) -> None:
        """Call `work` from the loop's next turn on, about once a turn, until it returns False: nothing is left.

        It must do only a little each time. If it raises, the loop's exception handler gets the error, and it is done.
        """
        if not self._works:
            self._call_soon(self._turn)
        self._works.append(work)

    def _turn(self) -> None:
        """Work on each rest once, or on as many as there is time for; the others come first in the next turn."""
        works = self._works
        until = self._time() + SHARE_SECONDS
        again = []
        for _ in range(len(works)):
            if self._goes_on(works[0]):
                again.append(works[0])
            works.popleft()
            if self._time() > until:
                break
        works.extend(again)
        if works:
            self._call_soon(self._turn)

    def _goes_on(self, work: Callable[[], bool]) -> bool:
        try:
            return work()
        except Exception as error:  # noqa: BLE001 - the error of one connection must not stop the others
            self._report({"message": "the rest of a connection failed", "exception": error})
            return False
