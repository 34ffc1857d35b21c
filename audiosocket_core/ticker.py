"""One 20 ms clock for all calls of an event loop, on an absolute grid that never drifts.

A tick is a plain function call: no task, no sleep. On Linux one timer descriptor wakes the loop for all calls, which
are spread over up to 20 slots of the period so that they do not all send at once. Elsewhere, and on a loop with virtual
time (`clock_is_virtual = True`), each call has its own `call_at`. Nothing here knows of audio: what is done at a tick
is the callback's business, and must be short, since every call of the loop waits for it.
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
"""After a stall each call gets at most this many ticks at once; earlier grid slots are skipped (and counted)."""

SLOTS = 20
# How many slots are in use, up to how many calls. A wake-up costs 10 to 20 µs, so one call must not pay for twenty; but
# a burst of n writes makes the last call n * 10 µs late. Each number divides the next: finer slots keep the coarser.
_LEVELS = ((16, 1), (200, 4), (None, SLOTS))


class TickHandle(ABC):
    """What `Ticker.add` returns. Its callback gets the tick's deadline, in the loop's seconds."""

    __slots__ = ("_ticker", "callback", "cancelled")

    def __init__(self, ticker: "Ticker", callback: Callback) -> None:
        self._ticker = ticker
        self.callback = callback
        self.cancelled = False

    def cancel(self) -> None:
        """No more ticks from now on, also within a running catch-up. May be called twice, and from the callback."""
        if not self.cancelled:
            self.cancelled = True
            self.callback = _nothing
            self._release()
            self._ticker._forget(self)

    @abstractmethod
    def _release(self) -> None:
        """Give back the timer."""


class Ticker:
    """The clock of one loop. `Ticker.of(loop)` gives the one that all calls of the loop share.

    It holds a timer only while a handle is alive: after the last `cancel` nothing is left in the loop or the kernel.
    `use_timerfd=False` forces one `call_at` a call, for comparison.
    """

    _of_loop: ClassVar["WeakKeyDictionary[asyncio.AbstractEventLoop, Ticker]"] = WeakKeyDictionary()

    def __init__(self, period_ms: float = 20, *, use_timerfd: bool = True) -> None:
        self.period = period_ms / 1000
        self.lateness = Lateness()
        self.skipped = 0
        """Ticks that no callback got, over all calls, since they were due too long ago."""
        self._use_timerfd = use_timerfd
        self._handles: set[TickHandle] = set()
        self._grid: _Grid | None = None

    @classmethod
    def of(cls, loop: asyncio.AbstractEventLoop) -> "Ticker":
        """The loop's own 20 ms ticker; made at the first call."""
        ticker = cls._of_loop.get(loop)
        if ticker is None:
            ticker = cls._of_loop[loop] = cls()
        return ticker

    def add(self, callback: Callback) -> TickHandle:
        """Call `callback(deadline)` once a period, from now on, until the handle is cancelled. Needs the running loop.

        Virtual time: the first tick is at the instant of this call, the n-th exactly n periods later. Live: the first
        tick comes within one period. A callback that raises is reported to the loop's exception handler and goes on
        getting ticks, and so do the others.
        """
        loop = asyncio.get_running_loop()
        if self._grid is None and self._use_timerfd and not getattr(loop, "clock_is_virtual", False):
            self._grid = _Grid.start(self, loop)
        handle = _TimerHandle(self, callback, loop) if self._grid is None else self._grid.add(callback)
        self._handles.add(handle)
        return handle

    def close(self) -> None:
        """Cancel every handle, as when the loop is about to close."""
        for handle in tuple(self._handles):
            handle.cancel()

    def _forget(self, handle: TickHandle) -> None:
        self._handles.discard(handle)
        if self._grid is not None and not self._grid.calls:
            self._grid.stop()
            self._grid = None


class _TimerHandle(TickHandle):
    """A call with a `call_at` of its own, its phase the instant of its `add`."""

    __slots__ = ("_loop", "_pacer", "_skipped", "_timer")

    def __init__(self, ticker: Ticker, callback: Callback, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(ticker, callback)
        self._loop = loop
        self._pacer = Pacer(loop.time(), ticker.period, MAX_CATCH_UP)
        self._skipped = 0  # of the pacer's, those that the ticker knows of
        self._timer = loop.call_at(self._pacer.next_at, self._tick)

    def _tick(self) -> None:
        pacer = self._pacer
        first = pacer.next_at
        now = self._loop.time()
        if now < first:  # a loop may fire a timer early, by the grain of its clock: it is due
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
    """A call in a slot of the shared grid."""

    __slots__ = ("_grid", "added_at", "slot")

    def __init__(self, ticker: Ticker, callback: Callback, grid: "_Grid", slot: int, added_at: float) -> None:
        super().__init__(ticker, callback)
        self._grid = grid
        self.slot = slot
        self.added_at = added_at

    def _release(self) -> None:
        self._grid.remove(self)


class _Grid:
    """One timer descriptor for all calls. The grid counts in steps of a slot (1 ms): call k ticks at the indices that
    are its slot modulo 20, and index i is due at `origin + i` steps."""

    def __init__(self, ticker: Ticker, loop: asyncio.AbstractEventLoop, fd: int) -> None:
        self._ticker = ticker
        self._loop = loop
        self._fd = fd
        self._origin = loop.time() + ticker.period / SLOTS  # a little ahead, for the first call to be there in time
        self._step_seconds = ticker.period / SLOTS
        # Lists are replaced, never changed: a running tick goes on over the one that it began with.
        self._slots: list[list[_SlotHandle]] = [[] for _ in range(SLOTS)]
        self._new: list[list[_SlotHandle]] = [[] for _ in range(SLOTS)]
        self.calls = 0
        self._stride = SLOTS  # indices from one expiry to the next
        self._next = 0  # index of the next expiry

    @classmethod
    def start(cls, ticker: Ticker, loop: asyncio.AbstractEventLoop) -> "_Grid | None":
        """A running grid; None where there is no timer descriptor or where the loop cannot wait for one."""
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
        try:
            if not self._loop.is_closed():
                self._loop.remove_reader(self._fd)
        except NotImplementedError:
            pass  # a loop without readers never got one
        finally:
            os.close(self._fd)

    def add(self, callback: Callback) -> _SlotHandle:
        self.calls += 1
        self._fit()
        slot = min(range(0, SLOTS, self._stride), key=lambda slot: len(self._slots[slot]) + len(self._new[slot]))
        handle = _SlotHandle(self._ticker, callback, self, slot, self._loop.time())
        self._new[slot].append(handle)
        return handle

    def remove(self, handle: _SlotHandle) -> None:
        self.calls -= 1
        for slots in (self._slots, self._new):
            slots[handle.slot] = [other for other in slots[handle.slot] if other is not handle]
        if self.calls:
            self._fit()

    def _fit(self) -> None:
        """As many slots as the calls need, and no fewer than are in use."""
        wanted = next(SLOTS // slots for calls, slots in _LEVELS if calls is None or self.calls <= calls)
        if wanted > self._stride and any(
            self._slots[slot] or self._new[slot] for slot in range(0, SLOTS, self._stride) if slot % wanted
        ):
            return
        if wanted != self._stride:
            # From the first index of the new stride that is not done, but without those in the past that nobody was
            # promised: before now, only `_next` was.
            now = math.ceil((self._loop.time() - self._origin) / self._step_seconds)
            first = max(self._next - self._stride + 1, min(self._next, now))
            self._stride = wanted
            self._next = math.ceil(first / wanted) * wanted
            self._arm()

    def _arm(self) -> None:
        # What expired unread is not lost: a first expiry in the past comes at once, with all those since in its count.
        timerfd.arm(self._fd, self._origin + self._next * self._step_seconds, self._stride * self._step_seconds)

    def _expired(self) -> None:
        count = timerfd.expirations(self._fd)
        if not count:
            return
        first, stride = self._next, self._stride
        self._next = first + count * stride  # before the callbacks: they may add calls, and so change the stride
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
        """Calls that were added since the slot's last tick. They get no tick from before they came."""
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
        except Exception as error:  # noqa: BLE001 - one call's fault must not stop the clock of the others
            fault = {"message": "the callback of a tick failed", "exception": error, "tick_handle": handle}
            loop.call_exception_handler(fault)


def _nothing(deadline: float) -> None:
    """The callback of a cancelled handle."""
