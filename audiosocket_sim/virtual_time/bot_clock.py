"""Lets a bot that reads Python's own clocks follow a virtual loop: `time.monotonic`, `time.time`, `time.sleep`, ….

While a virtual loop runs in a thread, these functions answer with that loop's time to callers of that thread that are
the bot's (`callers`); everybody else, in this and in other threads, gets the real time. Each clock goes on from what it
showed when the loop began. `time.sleep` moves the loop's clock at once, as if the thread had slept: what was due
meanwhile is done afterwards, late. A bot that reads a clock over and over until an instant is reached waits as well, so
after many reads at one instant each further one moves the clock a little.

On a real loop the same `time.sleep` sleeps, and it is noted when (`BotSleeps`): what was late by that was late because
of the bot.

All is put back when the last such loop stops. Names bound earlier follow too, see `diversion`. For `datetime` see
`bot_dates`.
"""

import contextlib
import operator
import threading
import time
from collections.abc import Callable, Iterator
from sys import _getframe
from threading import get_ident
from typing import Any, Protocol

from audiosocket_sim.virtual_time.bot_dates import BotDates
from audiosocket_sim.virtual_time.callers import is_bots
from audiosocket_sim.virtual_time.diversion import Diversion

__all__ = ["BotClock", "BotSleeps", "ClockOwner", "bots_follow", "sleeps_are_noted"]

_READS_WITHOUT_WAITING = 2_000
"""More reads at one instant than any bot needs that does not wait in them."""
_SECONDS_A_READ = 0.0001
_LONGEST_SLEEP = 1e9
"""In seconds. Python refuses a much longer sleep; it shall do that with its own words."""


class ClockOwner(Protocol):
    """The loop whose clock the bot follows."""

    jumps: int

    def time(self) -> float:
        """The loop's time, in seconds."""

    def block(self, seconds: float) -> None:
        """Move the clock on from within a callback."""


class BotClock:
    """What Python's clocks show to the bot: what they showed when this was made, and the loop's time since then."""

    def __init__(self, loop: ClockOwner) -> None:
        self._loop = loop
        self._began = loop.time()
        self._monotonic: int = _monotonic_ns.original()
        self._time: int = _time_ns.original()
        self._perf_counter: int = _perf_counter_ns.original()
        self._reads = 0
        self._jumps = loop.jumps

    def monotonic_ns(self) -> int:
        """As `time.monotonic_ns`."""
        return self._monotonic + round(self._elapsed() * 1e9)

    def monotonic(self) -> float:
        """As `time.monotonic`."""
        return self._monotonic / 1e9 + self._elapsed()

    def time_ns(self) -> int:
        """As `time.time_ns`."""
        return self._time + round(self._elapsed() * 1e9)

    def time(self) -> float:
        """As `time.time`."""
        return self._time / 1e9 + self._elapsed()

    def perf_counter_ns(self) -> int:
        """As `time.perf_counter_ns`."""
        return self._perf_counter + round(self._elapsed() * 1e9)

    def perf_counter(self) -> float:
        """As `time.perf_counter`."""
        return self._perf_counter / 1e9 + self._elapsed()

    def sleep(self, seconds: Any) -> None:
        """As `time.sleep`, but the loop's clock moves instead of the time passing. Raises what `time.sleep` raises."""
        wanted = seconds if isinstance(seconds, float) else operator.index(seconds)
        if not 0 < wanted < _LONGEST_SLEEP:
            _sleep.original(seconds)
            return
        self._reads = 0
        self._loop.block(wanted)

    def _elapsed(self) -> float:
        """Return the loop's time since this clock was made, in seconds, and count this as a read."""
        loop = self._loop
        if loop.jumps != self._jumps:
            self._jumps, self._reads = loop.jumps, 0
        self._reads += 1
        if self._reads > _READS_WITHOUT_WAITING:
            loop.block(_SECONDS_A_READ)
        return loop.time() - self._began


class BotSleeps:
    """When the bot has blocked a real loop's thread by `time.sleep`, in the loop's time. `now`: reads that."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._spans: list[tuple[float, float]] = []

    def sleep(self, seconds: Any) -> None:
        """Sleep as `time.sleep` does, and note it. Raises what `time.sleep` raises."""
        began = self._now()
        try:
            _sleep.original(seconds)
        finally:
            self._spans.append((began, self._now()))

    def within(self, began: float, ended: float) -> float:
        """Return for how many seconds of this time the bot slept. Both in s of the loop's time."""
        found = 0.0
        for start, end in reversed(self._spans):
            if end <= began:
                break
            found += max(0.0, min(end, ended) - max(start, began))
        return found


_clocks: dict[int, BotClock] = {}
"""The clock that the bot follows in a thread, by the thread's number."""
_sleeps: dict[int, BotSleeps] = {}
"""What notes when the bot sleeps in a thread, by the thread's number."""


def _reading(read: Callable[[BotClock], Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return what makes the function that stands in for one of Python's clocks; `read` asks the bot's clock."""

    def instead_of(original: Callable[..., Any]) -> Callable[..., Any]:
        def answer() -> Any:
            clock = _clocks.get(get_ident())
            if clock is None or not is_bots(_getframe(1)):
                return original()
            return read(clock)

        return answer

    return instead_of


def _sleeping(original: Callable[..., Any]) -> Callable[..., Any]:
    def answer(seconds: Any) -> None:
        thread = get_ident()
        bots: BotClock | BotSleeps | None = _clocks.get(thread) or _sleeps.get(thread)
        if bots is None or not is_bots(_getframe(1)):
            original(seconds)
        else:
            bots.sleep(seconds)

    return answer


_monotonic_ns = Diversion(time.monotonic_ns, _reading(BotClock.monotonic_ns))
_time_ns = Diversion(time.time_ns, _reading(BotClock.time_ns))
_perf_counter_ns = Diversion(time.perf_counter_ns, _reading(BotClock.perf_counter_ns))
_sleep = Diversion(time.sleep, _sleeping)  # noqa: TID251
_READERS = (
    _monotonic_ns,
    _time_ns,
    _perf_counter_ns,
    Diversion(time.monotonic, _reading(BotClock.monotonic)),  # noqa: TID251
    Diversion(time.time, _reading(BotClock.time)),  # noqa: TID251
    Diversion(time.perf_counter, _reading(BotClock.perf_counter)),  # noqa: TID251
)


def _time_of_bot(depth: int) -> float | None:
    """Return the date and time of the bot that calls, in seconds since 1970; None for any other caller."""
    clock = _clocks.get(get_ident())
    return None if clock is None or not is_bots(_getframe(depth + 1)) else clock.time()


_dates = BotDates(_time_of_bot)
_lock = threading.Lock()


@contextlib.contextmanager
def bots_follow(clock: BotClock) -> Iterator[None]:
    """Let bots in this thread follow `clock` inside the `with` block. Blocks in several threads may overlap."""
    thread = get_ident()
    with _lock:
        _clocks[thread] = clock
        _divert_what_is_needed()
    try:
        yield
    finally:
        with _lock:
            del _clocks[thread]
            _divert_what_is_needed()


@contextlib.contextmanager
def sleeps_are_noted(now: Callable[[], float]) -> Iterator[BotSleeps]:
    """Note when the bot sleeps in this thread, inside the `with` block. `now`: reads the time of the thread's loop."""
    thread = get_ident()
    sleeps = BotSleeps(now)
    with _lock:
        _sleeps[thread] = sleeps
        _divert_what_is_needed()
    try:
        yield sleeps
    finally:
        with _lock:
            del _sleeps[thread]
            _divert_what_is_needed()


def _divert_what_is_needed() -> None:
    if _clocks or _sleeps:
        _sleep.begin()
    else:
        _sleep.end()
    if _clocks:
        for diversion in _READERS:
            diversion.begin()
        _dates.begin()
    else:
        _dates.end()
        for diversion in _READERS:
            diversion.end()
