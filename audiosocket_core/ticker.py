"""One 20 ms clock for all calls of an event loop, on an absolute grid that never drifts.

A tick is a plain function call: no task, no sleep. On Linux, one timer descriptor wakes the loop for all calls, which
are spread over up to 20 slots of the period so that they do not all send at once. On other systems, and on a loop with
virtual time (`clock_is_virtual = True`), each call has a `call_at` of its own. The clock knows nothing of audio. The
callback of a tick must be short, because every call of the loop waits for it.
"""

import asyncio
import math
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import ClassVar
from weakref import WeakKeyDictionary

from audiosocket_core import timerfd
from audiosocket_core.pacing import Lateness, Pacer

__all__ = ["TickHandle", "Ticker"]

Callback = Callable[[float], None]

MAX_CATCH_UP = 3
"""After a stall, each call gets at most this many ticks at once; earlier slots of the grid are skipped and counted."""

SLOTS = 20
# (calls, slots): up to so many calls use so many slots. A wake-up takes 10 to 20 µs, too much for twenty slots with one
# call; but a burst of n writes makes the last call n * 10 µs late. Each number of slots divides the next one, so that
# the coarser slots remain in use.
_LEVELS = ((16, 1), (200, 4), (None, SLOTS))


class TickHandle(ABC):
    """The registration of a callback, returned by `Ticker.add`."""

    __slots__ = ("_ticker", "callback", "cancelled")

    def __init__(self, ticker: "Ticker", callback: Callback) -> None:
        self._ticker = ticker
        self.callback = callback
        self.cancelled = False

    def cancel(self) -> None:
        """Stop the ticks, also within a running catch-up. May be called twice, and from the callback."""
        if not self.cancelled:
            self.cancelled = True
            self.callback = _nothing
            self._release()
            self._ticker._forget(self)

    @abstractmethod
    def _release(self) -> None:
        """Release the timer."""


class Ticker:
    """The clock of one loop. `Ticker.of(loop)` returns the clock that all calls of the loop share.

    It holds a timer only while there is a handle: after the last `cancel`, nothing remains in the loop or the kernel.
    `use_timerfd=False` forces one `call_at` per call, for comparison.
    """

    _of_loop: ClassVar["WeakKeyDictionary[asyncio.AbstractEventLoop, Ticker]"] = WeakKeyDictionary()

    def __init__(self, period_ms: float = 20, *, use_timerfd: bool = True) -> None:
        self.period = period_ms / 1000
        """Seconds between two ticks."""
        self.lateness = Lateness()
        """How late the wake-ups were."""
        self.skipped = 0
        """Ticks that were skipped after stalls, over all calls."""
        self._use_timerfd = use_timerfd
        self._handles: set[TickHandle] = set()
        self._grid: _Grid | None = None

    @classmethod
    def of(cls, loop: asyncio.AbstractEventLoop) -> "Ticker":
        """Return the loop's 20 ms ticker, which is made by the first call."""
        ticker = cls._of_loop.get(loop)
        if ticker is None:
            ticker = cls._of_loop[loop] = cls()
        return ticker

    def add(self, callback: Callback) -> TickHandle:
        """Call `callback(deadline)` once per period until the handle is cancelled. Needs the running loop.

        `deadline` is in seconds of the loop's clock. In virtual time the first tick is due now, and the others follow
        at exact periods; in real time the first tick comes within one period. If a callback raises, the loop's
        exception handler gets the error, and the ticks continue for all callbacks.
        """
        loop = asyncio.get_running_loop()
        if self._grid is None and self._use_timerfd and not getattr(loop, "clock_is_virtual", False):
            self._grid = _Grid.start(self, loop)
        handle = _TimerHandle(self, callback, loop) if self._grid is None else self._grid.add(callback)
        self._handles.add(handle)
        return handle

    def close(self) -> None:
        """Cancel every handle, for example before the loop closes."""
        for handle in tuple(self._handles):
            handle.cancel()

    def _forget(self, handle: TickHandle) -> None:
        self._handles.discard(handle)
        if self._grid is not None and not self._grid.calls:
            self._grid.stop()
            self._grid = None


class _TimerHandle(TickHandle):
    """A handle with a `call_at` of its own, and the phase of its `add`."""

    __slots__ = ("_loop", "_pacer", "_skipped", "_timer")

    def __init__(self, ticker: Ticker, callback: Callback, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(ticker, callback)
        self._loop = loop
        self._pacer = Pacer(loop.time(), ticker.period, MAX_CATCH_UP)
        self._skipped = 0  # skipped ticks of the pacer that the ticker has counted
        self._timer = loop.call_at(self._pacer.next_at, self._tick)

    def _tick(self) -> None:
        pacer = self._pacer
        first = pacer.next_at
        now = self._loop.time()
        if now < first:  # a loop may fire a timer early by the resolution of its clock
            now = first
        self._ticker.lateness.add(now - first)
        due = pacer.take(now)
        if due == 1:  # nearly always
            _call((self,), first, self._loop)
        else:
            self._catch_up(due)
        if not self.cancelled:
            self._timer = self._loop.call_at(pacer.next_at, self._tick)

    def _catch_up(self, due: int) -> None:
        self._ticker.skipped += self._pacer.skipped - self._skipped
        self._skipped = self._pacer.skipped
        for back in range(due, 0, -1):
            _call((self,), self._pacer.at(-back), self._loop)

    def _release(self) -> None:
        self._timer.cancel()


class _SlotHandle(TickHandle):
    """A handle in a slot of the shared grid."""

    __slots__ = ("_grid", "added_at", "slot")

    def __init__(self, ticker: Ticker, callback: Callback, grid: "_Grid", slot: int, added_at: float) -> None:
        super().__init__(ticker, callback)
        self._grid = grid
        self.slot = slot
        self.added_at = added_at

    def _release(self) -> None:
        self._grid.remove(self)


class _Grid:
    """One timer descriptor for all calls.

    The grid counts in steps of a slot (1 ms). Index i is due at `origin + i` steps, and belongs to slot i modulo 20.
    """

    def __init__(self, ticker: Ticker, loop: asyncio.AbstractEventLoop, fd: int) -> None:
        self._ticker = ticker
        self._loop = loop
        self._fd = fd
        self._origin = loop.time() + ticker.period / SLOTS  # a little ahead, so that the first call is not late
        self._step_seconds = ticker.period / SLOTS
        # Lists are replaced, never changed, because a running tick iterates over one.
        self._slots: list[list[_SlotHandle]] = [[] for _ in range(SLOTS)]
        self._new: list[list[_SlotHandle]] = [[] for _ in range(SLOTS)]
        self.calls = 0
        self._stride = SLOTS  # indices from one expiry to the next
        self._next = 0  # index of the next expiry

    @classmethod
    def start(cls, ticker: Ticker, loop: asyncio.AbstractEventLoop) -> "_Grid | None":
        """Start a grid; None if the system has no timer descriptors, or the loop cannot wait for one."""
        fd = timerfd.create()
        if fd is None:
            return None
        grid = cls(ticker, loop, fd)
        try:
            loop.add_reader(fd, grid._expired)
            grid._arm()
        except (NotImplementedError, OSError):
            grid.stop()
            return None
        return grid

    def stop(self) -> None:
        """Release the timer descriptor."""
        try:
            if not self._loop.is_closed():
                self._loop.remove_reader(self._fd)
        except NotImplementedError:
            pass  # the loop does not support readers, so there is none to remove
        finally:
            os.close(self._fd)

    def add(self, callback: Callback) -> _SlotHandle:
        """Add a callback in the slot in use with the fewest calls."""
        self.calls += 1
        self._fit()
        slot = min(range(0, SLOTS, self._stride), key=lambda slot: len(self._slots[slot]) + len(self._new[slot]))
        handle = _SlotHandle(self._ticker, callback, self, slot, self._loop.time())
        self._new[slot].append(handle)
        return handle

    def remove(self, handle: _SlotHandle) -> None:
        """Remove a callback."""
        self.calls -= 1
        for slots in (self._slots, self._new):
            slots[handle.slot] = [other for other in slots[handle.slot] if other is not handle]
        if self.calls:
            self._fit()

    def _fit(self) -> None:
        """Use as many slots as the number of calls needs, but no fewer than are occupied."""
        wanted = next(SLOTS // slots for calls, slots in _LEVELS if calls is None or self.calls <= calls)
        if wanted > self._stride and any(
            self._slots[slot] or self._new[slot] for slot in range(0, SLOTS, self._stride) if slot % wanted
        ):
            return
        if wanted != self._stride:
            # Start at the first index of the new stride that was not ticked yet. Indices before now are left out,
            # except `_next`, because no call expects them.
            now = math.ceil((self._loop.time() - self._origin) / self._step_seconds)
            first = max(self._next - self._stride + 1, min(self._next, now))
            self._stride = wanted
            self._next = math.ceil(first / wanted) * wanted
            self._arm()

    def _arm(self) -> None:
        # Unread expirations are not lost: a first expiry in the past comes at once, and counts all those since.
        timerfd.arm(self._fd, self._origin + self._next * self._step_seconds, self._stride * self._step_seconds)

    def _expired(self) -> None:
        count = timerfd.expirations(self._fd)
        if not count:
            return
        first, stride = self._next, self._stride
        self._next = first + count * stride  # set before the callbacks, which may add calls and so change the stride
        self._ticker.lateness.add(self._loop.time() - self._origin - first * self._step_seconds)
        if count == 1:
            self._tick(first)
            return
        in_time = min(count, MAX_CATCH_UP * SLOTS // stride)
        self._skip(first, count - in_time, stride)
        for index in range(first + (count - in_time) * stride, first + count * stride, stride):
            self._tick(index)

    def _tick(self, index: int) -> None:
        slot = index % SLOTS
        deadline = self._origin + index * self._step_seconds
        _call(self._slots[slot], deadline, self._loop)
        if self._new[slot]:
            self._welcome(slot, deadline)

    def _welcome(self, slot: int, deadline: float) -> None:
        """Take over the calls added since the slot's last tick. They get no tick from before their `add`."""
        new, self._new[slot] = self._new[slot], []
        self._slots[slot] = self._slots[slot] + new
        _call([handle for handle in new if deadline >= handle.added_at], deadline, self._loop)

    def _skip(self, first: int, expiries: int, stride: int) -> None:
        rounds, rest = divmod(expiries, SLOTS // stride)
        self._ticker.skipped += rounds * sum(map(len, self._slots))
        self._ticker.skipped += sum(len(self._slots[(first + n * stride) % SLOTS]) for n in range(rest))


def _call(handles: Iterable[TickHandle], deadline: float, loop: asyncio.AbstractEventLoop) -> None:
    for handle in handles:
        try:
            handle.callback(deadline)
        except Exception as error:  # noqa: BLE001 - the error of one call must not stop the clock of the others
            fault = {"message": "the callback of a tick failed", "exception": error, "tick_handle": handle}
            loop.call_exception_handler(fault)


def _nothing(deadline: float) -> None:
    """The callback of a cancelled handle."""
