"""Virtual time: an event loop whose clock stands still while there is work, and jumps to the next timer otherwise.

The code under test is unchanged: it reads `loop.time()` and waits through the loop. Rules of the clock:

- it starts at 0 and moves only when no callback can run, no socket is ready and nothing holds it; then it takes exactly
  the value of the next timer. Timers of the same instant fire in the order in which they were set;
- work in a thread (`run_in_executor`, `to_thread`, anyio) or a child process holds it, and so does `with loop.hold():`.
  A hold longer than its cap in real time is an error, and so is a program that can never go on;
- by default connections are made in memory (`memory_network`); with `memory_network=False` over kernel loopback. A peer
  in another process is real and belongs on the real clock.

Nothing here knows of calls or audio, and no wall clock is read here.
"""

import asyncio
import concurrent.futures
import contextlib
import functools
import itertools
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

_SPIN_CHECK_EVERY = 1_000
_ONLY_THE_SELF_PIPE = 1
_QUIET_POLL_EVERY = 256
"""The self-pipe alone matters only for signals: it is asked now and then."""

T = TypeVar("T")
_Ts = TypeVarTuple("_Ts")


class VirtualTimeError(RuntimeError):
    """Base of what the virtual clock raises out of `run`. The message names the pending tasks."""


class Deadlock(VirtualTimeError):
    """No timer, no traffic, no work elsewhere: the program would wait for ever."""


class Livelock(VirtualTimeError):
    """The program is busy without end: at one instant, or from timer to timer."""


class HoldTooLong(VirtualTimeError):
    """A thread or a child process has kept the clock still for longer than the cap, in real time."""


class VirtualLoop(MemoryConnectionsLoop):
    """A stock asyncio loop on a virtual clock, in seconds from 0.

    network: where connections are made; None for kernel sockets. The other arguments are limits: real seconds of
    waiting before a deadlock is called one (a bare thread may still speak), real seconds that a hold may last, loop
    cycles at one instant, jumps of the clock.
    """

    clock_is_virtual = True
    children_hold = True
    """Whether a child process holds the clock until it ends. Turn it off for one that lives long, and hold around each
    request to it instead."""

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
        self._gave_up_waiting = False
        self._endpoints = network.endpoints if network else Endpoints()
        self._virtual_selector = VirtualSelector(self._endpoints)
        super().__init__(self._virtual_selector, network)

    def run_forever(self) -> None:
        """As in asyncio; meanwhile anyio's worker threads hold the clock too."""
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
        """One turn, in asyncio's order: what is ready already, traffic, timers. Without any of it, the clock moves."""
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
        for _ in range(len(ready)):  # what these make ready has its turn after the next look at the traffic
            handle = ready.popleft()
            if not handle._cancelled:
                handle._run()

    def _on_idle(self) -> None:
        """Nothing is ready: hear other threads, wait for held work, or jump to the next timer."""
        when = self.timers.next_at()
        if when is not None and when <= self._now:
            return
        if not self._outside.is_quiet:
            self._limit_turns()
            if self._outside.hear(self._ready):
                return
            if self._outside.oldest_hold:
                self._wait(self._seconds_left_to_hold(self._outside.oldest_hold))
                return
        if when is not None:
            self._jump(when)
        elif not self._wait(self._deadlock_seconds) and not self._outside.hear(self._ready):
            self._fail(Deadlock, "no timer, no traffic and no work in a thread or child process is left")

    def _wait(self, seconds: float) -> bool:
        """In real time, for real descriptors; whether there was something."""
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
        """Many turns, and the clock has not moved: threads are heard all the same, and there is a limit."""
        self._spin_check_at = self._turns + _SPIN_CHECK_EVERY
        self._outside.hear(self._ready)
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
        """The clock stands still inside. `what` names the reason if it lasts too long."""
        hold = self._outside.hold(what)
        try:
            yield
        finally:
            self._outside.release(hold)

    def call_soon_threadsafe(
        self, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """As in asyncio, but heard only when the loop has nothing else to do, so that threads cannot race it."""
        self._check_closed()  # type: ignore[attr-defined]
        handle = asyncio.Handle(callback, args, self, context)
        self._outside.tell(handle)
        return handle

    def _asyncgen_finalizer_hook(self, agen: AsyncGenerator[Any, Any]) -> None:
        """As in asyncio, but at once where this thread drops it: what threads say might not be heard before the end."""
        self._asyncgens.discard(agen)  # type: ignore[attr-defined]
        if self.is_closed():
            return
        own_thread = self._thread_id in (None, threading.get_ident())  # type: ignore[attr-defined]
        (self.call_soon if own_thread else self.call_soon_threadsafe)(self.create_task, agen.aclose())

    def run_in_executor(
        self, executor: concurrent.futures.Executor | None, func: Callable[[*_Ts], T], *args: *_Ts
    ) -> asyncio.Future[T]:
        """As in asyncio; holds the clock. The default executor has one worker, and jobs are answered in order."""
        self._check_closed()  # type: ignore[attr-defined]
        if executor is None:
            self._check_default_executor()  # type: ignore[attr-defined]
            if self._default_executor is None:
                self.set_default_executor(concurrent.futures.ThreadPoolExecutor(1, "virtual-time"))
            executor = self._default_executor
        assert executor is not None
        answer: asyncio.Future[T] = self.create_future()
        self._outside.watch(executor.submit(func, *args), answer, f"a thread running {_function_name(func)}")
        return answer

    async def shutdown_default_executor(self, *args: Any) -> None:
        """As in asyncio, with the clock held. A worker that has been waited for in vain is left behind."""
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
    """A fresh loop, for `asyncio.Runner(loop_factory=...)` or pytest-asyncio's loop factories.

    split, seed: how the in-memory network cuts what is received (`MemoryNetwork`). limits: see `VirtualLoop`.
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
    """`asyncio.run` in virtual time. `main` is a coroutine, or a function without arguments that makes one.

    Raises what `main` raises, and Deadlock, Livelock or HoldTooLong.
    """
    factory = functools.partial(new_loop, memory_network, split, seed, **limits)
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(main() if callable(main) else main)


def _function_name(func: Any) -> str:
    inner = func.func if isinstance(func, functools.partial) else func
    return str(getattr(inner, "__qualname__", inner))


def _name(handle: asyncio.Handle) -> str:
    return _function_name(handle._callback)  # type: ignore[attr-defined]
