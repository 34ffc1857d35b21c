"""Virtual time: an event loop whose clock stands still while there is work, and otherwise jumps to the next timer.

The code under test is unchanged: it reads `loop.time()` and waits through the loop. Rules of the clock:

- It starts at 0 and moves only when no callback can run, no socket is ready and nothing holds it; then it takes exactly
  the value of the next timer. Timers of the same instant fire in the order in which they were set.
- Work in a thread (`run_in_executor`, `to_thread`, anyio) or in a child process holds it, and so does
  `with loop.hold():`. A hold longer than its cap in real time is an error, and so is a program that can never go on.
- By default connections are made in memory (`memory_network`); with `memory_network=False` over kernel loopback. A peer
  in another process is real, and such a call needs the real clock.

This module is independent of calls and audio, and reads no wall clock.
"""

import asyncio
import concurrent.futures
import contextlib
import functools
import itertools
import sys
import threading
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from contextvars import Context
from typing import Any, TypeVar, TypeVarTuple

from audiosocket_sim.virtual_time.anyio_threads import anyio_threads_hold
from audiosocket_sim.virtual_time.memory_connections import MemoryConnectionsLoop
from audiosocket_sim.virtual_time.memory_network import MemoryNetwork, Split
from audiosocket_sim.virtual_time.memory_socket import Endpoints
from audiosocket_sim.virtual_time.outside_work import ClockHold, OutsideWork
from audiosocket_sim.virtual_time.pending_tasks import describe_pending_tasks
from audiosocket_sim.virtual_time.selector import VirtualSelector
from audiosocket_sim.virtual_time.timers import Timer, VirtualTimers

__all__ = ["Deadlock", "HoldTooLong", "Livelock", "VirtualLoop", "VirtualTimeError", "new_loop", "run"]

_OWN = "audiosocket_sim."
_SPIN_CHECK_EVERY = 1_000
_ONLY_THE_SELF_PIPE = 1
_QUIET_POLL_EVERY = 256
"""How often, in turns, real descriptors are polled if the self-pipe is the only one: that matters for signals only."""

T = TypeVar("T")
_Ts = TypeVarTuple("_Ts")


class VirtualTimeError(RuntimeError):
    """Base of the errors that the virtual clock raises out of `run`. The message lists the pending tasks."""


class Deadlock(VirtualTimeError):
    """The program would wait for ever: there is no timer, no traffic, and no work in a thread or child process."""


class Livelock(VirtualTimeError):
    """The program is busy without end, at one instant or from timer to timer."""


class HoldTooLong(VirtualTimeError):
    """A thread or a child process has held the clock for longer than the cap, in real time."""


class VirtualLoop(MemoryConnectionsLoop):
    """An asyncio loop on a virtual clock, in seconds from 0.

    `network`: the network for connections; None for kernel sockets. The other arguments are limits.
    `deadlock_seconds`: real seconds of waiting before a Deadlock is raised, since a thread that the loop does not know
    may still call back. `hold_cap_seconds`: real seconds that a hold may last. `max_cycles`: turns of the loop at one
    instant. `max_jumps`: jumps of the clock.
    """

    clock_is_virtual = True
    children_hold = True
    """Whether a child process holds the clock until it ends. Set it to False for a long-lived one, and hold the clock
    around each request to it instead."""

    _ready: deque[asyncio.Handle]
    _default_executor: concurrent.futures.Executor | None

    def __init__(
        self,
        *,
        network: MemoryNetwork | None = None,
        deadlock_seconds: float = 1.0,
        hold_cap_seconds: float = 30.0,
        max_cycles: int = 500_000,
        max_jumps: int = 5_000_000,
    ) -> None:
        self.jumps = 0
        self._now = 0.0
        self._deadlock_seconds = deadlock_seconds
        self._hold_cap_seconds = hold_cap_seconds
        self._max_cycles = max_cycles
        self._max_jumps = max_jumps
        self.timers = VirtualTimers()
        self._turns = self._turns_before_this_instant = 0
        self._spin_check_at = _SPIN_CHECK_EVERY
        self._outside = OutsideWork(self._wake)
        self._children: dict[object, ClockHold] = {}
        self._worked_outside_at: list[float] = []
        self._gave_up_waiting = False
        self._endpoints = network.endpoints if network else Endpoints()
        self._virtual_selector = VirtualSelector(self._endpoints)
        super().__init__(self._virtual_selector, network)

    def run_forever(self) -> None:
        """Run as in asyncio; meanwhile anyio's worker threads also hold the clock."""
        with anyio_threads_hold():
            super().run_forever()

    # --- the clock

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._now

    def call_at(
        self, when: float, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Schedule the callback for a virtual time, as asyncio does. Timers of one instant fire in their order."""
        if self._closed:  # type: ignore[attr-defined]
            self._check_closed()  # type: ignore[attr-defined]
        timer = Timer(when, callback, args, self, context)
        self.timers.add(timer, when)
        return timer

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        if handle._scheduled:  # type: ignore[attr-defined]
            self.timers.note_cancelled()

    # --- one turn

    def _run_once(self) -> None:
        """Run one turn in asyncio's order: ready callbacks, traffic, timers. If there are none, the clock moves."""
        ready, selector = self._ready, self._virtual_selector
        self._turns += 1
        if self._endpoints.active:
            selector.collect(ready)
        is_asked = selector.real_count > _ONLY_THE_SELF_PIPE or not self._turns % _QUIET_POLL_EVERY
        if is_asked and not selector.collect_real(ready):
            self._process_events(selector.select(0))  # type: ignore[attr-defined]
        if not ready and not self._stopping:  # type: ignore[attr-defined]
            self._on_idle()
        if self._turns >= self._spin_check_at:
            self._on_spin()
        timers = self.timers
        if timers.heap and timers.heap[0][0] <= self._now:
            timers.take(self._now, ready)
        for _ in range(len(ready)):  # callbacks that these add run in the next turn, after its traffic
            handle = ready.popleft()
            if not handle._cancelled:
                handle._run()

    def _on_idle(self) -> None:
        """Nothing is ready: take a callback of another thread, wait for held work, or jump to the next timer.

        The order of the checks is what makes a run repeatable:

        1. A timer that is due at this instant comes first. It was set by the program itself, whereas it depends on real
           time whether a thread has finished yet.
        2. Then callbacks of threads, one for each idle turn, so that each is dealt with completely before the next. The
           limit of turns is checked before, since threads that call back without end would keep the clock still.
        3. Then an open hold: the loop waits in real time, as the held work belongs to this instant.
        4. Only then may the clock jump. Without a timer the loop waits once more, for real descriptors and for threads
           that it does not know, before it calls this a deadlock.
        """
        when = self.timers.next_at()
        if when is not None and when <= self._now:
            return
        if not self._outside.is_quiet:
            self._limit_turns()
            if self._outside.take_one(self._ready):
                return
            if self._outside.oldest_hold:
                self._wait(self._seconds_left_to_hold(self._outside.oldest_hold))
                return
        if when is not None:
            self._jump(when)
        elif not self._wait(self._deadlock_seconds) and not self._outside.take_one(self._ready):
            self._fail(Deadlock, "no timer, no traffic and no work in a thread or child process is left")

    def _wait(self, seconds: float) -> bool:
        """Wait in real time for real descriptors, and return whether one became ready."""
        events = self._virtual_selector.select(seconds)
        self._process_events(events)  # type: ignore[attr-defined]
        return bool(events)

    def _jump(self, when: float) -> None:
        self._turns_before_this_instant = self._turns
        self._spin_check_at = self._turns + _SPIN_CHECK_EVERY
        self._now = when
        self.jumps += 1
        if self.jumps >= self._max_jumps:
            jumps, self.jumps = self.jumps, 0
            self._fail(Livelock, f"the clock has jumped {jumps:,} times")

    def _on_spin(self) -> None:
        """Called every 1,000 turns at one instant: take a callback of another thread, and check the limits.

        A loop that never becomes idle does not reach `_on_idle`. Callbacks of threads come first here too, because one
        of them may be what the busy program waits for. The cap of the oldest hold is checked before the limit of turns:
        with a hold open, the thread that is too slow is the cause, and HoldTooLong names it.
        """
        self._spin_check_at = self._turns + _SPIN_CHECK_EVERY
        self._outside.take_one(self._ready)
        if self._outside.oldest_hold:
            self._seconds_left_to_hold(self._outside.oldest_hold)
        self._limit_turns()

    def _limit_turns(self) -> None:
        turns = self._turns - self._turns_before_this_instant
        if turns >= self._max_cycles:
            self._turns_before_this_instant = self._turns
            callbacks = ", ".join(sorted({_name(handle) for handle in itertools.islice(self._ready, 5)})) or "none"
            self._fail(Livelock, f"{turns:,} loop cycles at one instant; callbacks that are due: {callbacks}")

    def _seconds_left_to_hold(self, hold: ClockHold) -> float:
        left = self._hold_cap_seconds - hold.age_seconds()
        if left <= 0:
            self._gave_up_waiting = True
            self._outside.release(hold)
            cap = f"{self._hold_cap_seconds:g} real seconds"
            self._fail(HoldTooLong, f"the clock was held for over {cap} by {hold.what}")
        return left

    def _fail(self, kind: type[VirtualTimeError], what: str) -> None:
        raise kind(f"at {self._now:.3f} s: {what}. Pending:\n{describe_pending_tasks(self)}")

    # --- work outside the loop

    @contextlib.contextmanager
    def hold(self, what: str = "hold()") -> Iterator[None]:
        """Hold the clock inside the `with` block. `what`: the reason, for the error if it lasts too long."""
        self._worked_outside_at.append(self._now)
        hold = self._outside.hold(what)
        try:
            yield
        finally:
            self._outside.release(hold)

    def worked_outside(self, since: float, until: float) -> bool:
        """Return whether the clock was held between two virtual times, by work whose time is not known to it.

        The simulator's own work in threads, which no bot waits for, does not count.
        """
        return any(since <= at <= until for at in self._worked_outside_at)

    def call_soon_threadsafe(
        self, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """Schedule as in asyncio, but run the callback only when the loop is idle, so that threads cannot race it."""
        self._check_closed()  # type: ignore[attr-defined]
        handle = asyncio.Handle(callback, args, self, context)
        self._outside.add_callback(handle)
        return handle

    def _asyncgen_finalizer_hook(self, agen: AsyncGenerator[Any, Any]) -> None:
        """Close a dropped generator as in asyncio, but at once if this thread dropped it.

        asyncio uses `call_soon_threadsafe`, whose callbacks this loop might not run before its end.
        """
        self._asyncgens.discard(agen)  # type: ignore[attr-defined]
        if self.is_closed():
            return
        own_thread = self._thread_id in (None, threading.get_ident())  # type: ignore[attr-defined]
        (self.call_soon if own_thread else self.call_soon_threadsafe)(self.create_task, agen.aclose())

    def run_in_executor(
        self, executor: concurrent.futures.Executor | None, func: Callable[[*_Ts], T], *args: *_Ts
    ) -> asyncio.Future[T]:
        """Run as in asyncio, and hold the clock. The default executor has one worker; results come in order."""
        self._check_closed()  # type: ignore[attr-defined]
        if executor is None:
            self._check_default_executor()  # type: ignore[attr-defined]
            if self._default_executor is None:
                self.set_default_executor(concurrent.futures.ThreadPoolExecutor(1, "virtual-time"))
            executor = self._default_executor
        assert executor is not None
        if not sys._getframe(1).f_globals.get("__name__", "").startswith(_OWN):
            self._worked_outside_at.append(self._now)
        answer: asyncio.Future[T] = self.create_future()
        self._outside.watch(executor.submit(func, *args), answer, f"a thread running {_function_name(func)}")
        return answer

    async def shutdown_default_executor(self, *args: Any) -> None:
        """Shut down as in asyncio, with the clock held. A worker that exceeded the cap of its hold is left running."""
        if self._gave_up_waiting and self._default_executor is not None:
            self._executor_shutdown_called = True
            self._default_executor.shutdown(wait=False, cancel_futures=True)
            return
        with self.hold("the end of the default executor"):
            await super().shutdown_default_executor(*args)

    async def _make_subprocess_transport(self, *args: Any, **options: Any) -> Any:
        with self.hold("the start of a child process"):
            transport = await super()._make_subprocess_transport(*args, **options)  # type: ignore[misc]
        if self.children_hold and transport.get_returncode() is None:
            self._children[transport] = self._outside.hold(f"child process {transport.get_pid()}")
        return transport

    def _child_watcher_callback(self, pid: int, returncode: int, transport: Any) -> None:
        self.call_soon_threadsafe(self._child_ended, returncode, transport)

    def _child_ended(self, returncode: int, transport: Any) -> None:
        transport._process_exited(returncode)
        hold = self._children.pop(transport, None)
        if hold is not None:
            self._outside.release(hold)

    def _wake(self) -> None:
        self._write_to_self()  # type: ignore[attr-defined]


def new_loop(memory_network: bool = True, split: Split = "none", seed: int = 1, **limits: Any) -> VirtualLoop:
    """Return a new loop, for `asyncio.Runner(loop_factory=...)` or pytest-asyncio's loop factories.

    `memory_network`: False for kernel sockets. `split`, `seed`: how the in-memory network cuts received data
    (`MemoryNetwork`). `limits`: see `VirtualLoop`.
    """
    return VirtualLoop(network=MemoryNetwork(split=split, seed=seed) if memory_network else None, **limits)


def run(
    main: Callable[[], Coroutine[Any, Any, T]] | Coroutine[Any, Any, T],
    *,
    memory_network: bool = True,
    split: Split = "none",
    seed: int = 1,
    **limits: Any,
) -> T:
    """Run `main` in virtual time, as `asyncio.run` does in real time, and return its result.

    `main`: a coroutine, or a function without arguments that makes one. Other arguments: see `new_loop`. Raises what
    `main` raises, and Deadlock, Livelock or HoldTooLong.
    """
    factory = functools.partial(new_loop, memory_network, split, seed, **limits)
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(main() if callable(main) else main)


def _function_name(func: Any) -> str:
    inner = func.func if isinstance(func, functools.partial) else func
    return str(getattr(inner, "__qualname__", inner))


def _name(handle: asyncio.Handle) -> str:
    return _function_name(handle._callback)  # type: ignore[attr-defined]
