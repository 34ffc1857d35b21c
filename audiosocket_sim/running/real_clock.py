"""Measures on the real clock how late this process itself is: for one call, or for all calls of a run at once."""

import asyncio
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from audiosocket_sim.checks.lateness import LateBy
from audiosocket_sim.running.call_fixture import CallFixture
from audiosocket_sim.running.processor_waits import ProcessorWaits
from audiosocket_sim.virtual_time import sleeps_are_noted

__all__ = ["RealClock"]


class RealClock:
    """Notes when the bot sleeps in this thread, and when the thread waits for a processor: `with RealClock() as clock`.

    Each call that `times` is given has its own share in it.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._waits = ProcessorWaits()
        self._calls: list[CallFixture] = []
        self._stack = ExitStack()

    @property
    def most_waited_ms(self) -> float:
        """The longest time within 100 ms that this thread was ready to run and had no processor, in ms."""
        return self._waits.most_ms

    @property
    def most_late_ms(self) -> float:
        """By how many ms this thread was late at most within 100 ms: it computed, or had no processor."""
        return self._waits.most_late_ms

    def times(self, fixture: CallFixture) -> None:
        """Note for this call too what is late, from now on."""
        fixture.leg.excuse(self._sleeps.within)
        self._calls.append(fixture)

    def __enter__(self) -> Self:
        self._sleeps = self._stack.enter_context(sleeps_are_noted(self._loop.time))
        self._waits.slept = self._sleeps.within
        self._waits.on_late = self._on_late
        self._waits.start()
        self._stack.callback(self._waits.stop)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stack.close()

    def _on_late(self, seconds: float) -> None:
        now = self._loop.time()
        for fixture in self._calls:
            fixture.was_late(LateBy.THREAD, now, seconds)
