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
import os
import stat
import sys
import threading
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from contextvars import Context
from typing import Any, TypeVar, TypeVarTuple

from audiosocket_sim.virtual_time.anyio_threads import anyio_threads_hold
from audiosocket_sim.virtual_time.bot_clock import BotClock, bots_follow
from audiosocket_sim.virtual_time.bot_threads import (
    LOOPS_OWN,
    BotThreads,
    held_job,
    is_pythons_own,
    name_of_thread,
    threads_are_seen,
)
from audiosocket_sim.virtual_time.callers import is_ours
from audiosocket_sim.virtual_time.memory_connections import MemoryConnectionsLoop
from audiosocket_sim.virtual_time.memory_network import MemoryNetwork, Split
from audiosocket_sim.virtual_time.memory_socket import Endpoints
from audiosocket_sim.virtual_time.outside_work import ClockHold, OutsideWork
from audiosocket_sim.virtual_time.pending_tasks import describe_pending_tasks
from audiosocket_sim.virtual_time.selector import VirtualSelector
from audiosocket_sim.virtual_time.timers import Timer, VirtualTimers

__all__ = [
    "CannotFollow",
    "Deadlock",
    "HoldTooLong",
    "Livelock",
    "VirtualLoop",
    "VirtualTimeError",
    "new_loop",
    "raise_if_bot_cannot_follow",
    "run",
]

_OWN = "audiosocket_sim."
_SPIN_CHECK_EVERY = 1_000
_ONLY_THE_SELF_PIPE = 1
_LONGEST_BLOCK_SECONDS = 86_400
_LOOK_EVERY = 8
"""How often, in jumps, the processor time of the program's own threads is read."""
_WAIT_SECONDS = 0.005
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


class CannotFollow(VirtualTimeError):
    """The program does something whose result depends on real time. `what`: its subject is the program."""

    def __init__(self, what: str, message: str) -> None:
        super().__init__(message)
        self.what = what


class VirtualLoop(MemoryConnectionsLoop):
    """An asyncio loop on a virtual clock, in seconds from 0.

    `network`: the network for connections; None for kernel sockets. The other arguments are limits.
    `deadlock_seconds`: real seconds of waiting before a Deadlock is raised, since a thread that the loop does not know
    may still call back. `hold_cap_seconds`: real seconds that a hold may last. `max_cycles`: turns of the loop at one
    instant. `max_jumps`: jumps of the clock. `program`: the name of the program under test: threads that it has left
    behind in an earlier loop are looked after too.
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
        program: str = "",
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
        self._bot_threads = BotThreads(program, self._cannot_follow, self._watch_other_threads)
        self._outside = OutsideWork(self._wake, self._bot_threads.hold, self._bot_threads.release)
        self._descriptors: set[int] = set()
        self._failure: VirtualTimeError | None = None
        self.on_cannot_follow: Callable[[CannotFollow], None] | None = None
        """Called with the error in the place of raising it out of `run`, so that the program can end in order."""
        self._waited = 0.0
        self._blocked = 0.0
        self._blocked_in_turn = -1
        self._children: dict[object, ClockHold] = {}
        self._worked_outside_at: list[float] = []
        self._gave_up_waiting = False
        self._bot_clock: BotClock | None = None
        self._endpoints = network.endpoints if network else Endpoints()
        self._virtual_selector = VirtualSelector(self._endpoints)
        super().__init__(self._virtual_selector, network)

    def run_forever(self) -> None:
        """Run as in asyncio; meanwhile anyio's worker threads hold the clock, and a bot's own clocks follow it."""
        if self._bot_clock is None:
            self._bot_clock = BotClock(self)
        with anyio_threads_hold(), threads_are_seen(self._bot_threads), bots_follow(self._bot_clock):
            super().run_forever()

    # --- the clock

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._now

    def block(self, seconds: float) -> None:
        """Move the clock on from within a callback, which has slept. What is due by then runs afterwards, late.

        Raises Livelock, here and again from the loop, if the callback has slept for over a day.
        """
        if self._turns != self._blocked_in_turn:
            self._blocked_in_turn, self._blocked = self._turns, 0.0
        self._blocked += seconds
        self._now += seconds
        if self._blocked > _LONGEST_BLOCK_SECONDS:
            what = f"the bot has slept for {_LONGEST_BLOCK_SECONDS:,} s without returning to the event loop"
            self._failure = self._failure or self._error(Livelock, what)
            raise self._failure

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
        if self._failure is not None or self._descriptors:
            self._raise_failure()
            if self._ready:
                return
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
        if self._bot_threads.used and not self.jumps % _LOOK_EVERY:
            self._bot_threads.look()
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
        raise self._error(kind, what)

    def _error(self, kind: type[VirtualTimeError], what: str) -> VirtualTimeError:
        return kind(f"at {self._now:.3f} s: {what}. Pending:\n{describe_pending_tasks(self)}")

    # --- what cannot follow

    @property
    def strict(self) -> bool:
        """Whether CannotFollow is raised for what depends on real time.

        That is a thread that works or wakes the loop without a hold, and a descriptor that the loop is to watch. Set it
        to True while a verdict is to be found on the program.
        """
        return self._bot_threads.strict

    @strict.setter
    def strict(self, strict: bool) -> None:
        self._bot_threads.strict = strict
        self._waited = 0.0

    def _cannot_follow(self, what: str) -> None:
        """Note, in any thread, what makes the program depend on real time. The loop raises it in its next idle turn."""
        if self.strict and self._failure is None:
            self._failure = CannotFollow(what, f"at {self._now:.3f} s: {what}")

    def raise_if_cannot_follow(self, seconds: float) -> None:
        """Raise CannotFollow if the program is known not to have followed the clock, and the loop is strict.

        If threads of its own may still do something, they are given up to so many real seconds first, in all: the
        virtual end of a call may come before a thread has woken once.
        """
        while self.strict and self._failure is None and self._waited < seconds and self._bot_threads.may_act:
            time.sleep(_WAIT_SECONDS)  # noqa: TID251 - the threads live in real time
            self._waited += _WAIT_SECONDS
            self._bot_threads.look()
        if self.strict and isinstance(self._failure, CannotFollow):
            failure, self._failure = self._failure, None
            self.strict = False
            raise failure

    def _raise_failure(self) -> None:
        if self._descriptors and self.strict:
            self._cannot_follow(f"it has the event loop watch a descriptor of its own ({min(self._descriptors)})")
        if self._failure is not None:
            failure, self._failure = self._failure, None
            self.strict = False
            if self.on_cannot_follow is None or not isinstance(failure, CannotFollow):
                raise failure
            self.call_soon(self.on_cannot_follow, failure)

    def _watch_other_threads(self) -> None:
        """From the first thread of the program on, notice what others than this thread do to the loop."""
        self._endpoints.on_send = self._note_send
        self.call_soon = self._call_soon_seen  # type: ignore[assignment, method-assign]

    def _call_soon_seen(self, callback: Callable[..., object], *args: Any, context: Context | None = None) -> Any:
        self._note_thread("gave the event loop work")
        return super().call_soon(callback, *args, context=context)

    def _note_send(self) -> None:
        self._note_thread("wrote to a connection")

    def _note_thread(self, did: str) -> None:
        """Note that the current thread did something to the loop, unless it is the loop's own or holds the clock."""
        number = threading.get_ident()
        if self.strict and number != self._thread_id and not self._outside.oldest_hold and not is_pythons_own(number):  # type: ignore[attr-defined]
            self._cannot_follow(f"its thread «{name_of_thread(number)}» {did} while nothing held the virtual clock")

    def add_reader(self, fd: Any, callback: Callable[[*_Ts], Any], *args: *_Ts) -> None:
        """Watch a descriptor as in asyncio. One of the program's own is real, and does not follow the clock.

        A socket without an in-memory network is the network itself, and does.
        """
        self._note_descriptor(fd)
        super().add_reader(fd, callback, *args)

    def add_writer(self, fd: Any, callback: Callable[[*_Ts], Any], *args: *_Ts) -> None:
        """Watch a descriptor as in asyncio, see `add_reader`."""
        self._note_descriptor(fd)
        super().add_writer(fd, callback, *args)

    def remove_reader(self, fd: Any) -> bool:
        """Watch a descriptor no longer."""
        self._descriptors.discard(_number_of(fd))
        return super().remove_reader(fd)

    def remove_writer(self, fd: Any) -> bool:
        """Watch a descriptor no longer."""
        self._descriptors.discard(_number_of(fd))
        return super().remove_writer(fd)

    def _note_descriptor(self, fd: Any) -> None:
        number = _number_of(fd)
        if number not in self._endpoints.by_fd and not (self.network is None and _is_socket(number)):
            self._descriptors.add(number)

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
        if not is_ours(sys._getframe(1)):
            self._note_thread("woke the event loop")
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
                self.set_default_executor(concurrent.futures.ThreadPoolExecutor(1, LOOPS_OWN))
            executor = self._default_executor
        assert executor is not None
        if not sys._getframe(1).f_globals.get("__name__", "").startswith(_OWN):
            self._worked_outside_at.append(self._now)
        answer: asyncio.Future[T] = self.create_future()
        hold = self._outside.hold(f"a thread running {_function_name(func)}")
        try:
            in_thread = isinstance(executor, concurrent.futures.ThreadPoolExecutor)
            work = executor.submit(_job, func, *args) if in_thread else executor.submit(func, *args)
        except BaseException:
            self._outside.release(hold)
            raise
        self._outside.watch(work, answer, hold)
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

    def close(self) -> None:
        """Close as in asyncio. Threads that the program has left are looked after by the next loop."""
        super().close()
        self._bot_threads.over = True

    def _wake(self) -> None:
        self._write_to_self()  # type: ignore[attr-defined]


def raise_if_bot_cannot_follow(seconds: float) -> None:
    """Do what the running loop's `raise_if_cannot_follow` does, if that loop is a virtual one."""
    loop = asyncio._get_running_loop()  # None after the end of a run, which is judged then
    if isinstance(loop, VirtualLoop):
        loop.raise_if_cannot_follow(seconds)


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


def _job(func: Callable[..., T], *args: Any) -> T:
    with held_job():
        return func(*args)


def _is_socket(number: int) -> bool:
    try:
        return stat.S_ISSOCK(os.fstat(number).st_mode)
    except OSError:
        return False


def _number_of(fd: Any) -> int:
    return fd if isinstance(fd, int) else int(fd.fileno())


def _function_name(func: Any) -> str:
    inner = func.func if isinstance(func, functools.partial) else func
    return str(getattr(inner, "__qualname__", inner))


def _name(handle: asyncio.Handle) -> str:
    return _function_name(handle._callback)  # type: ignore[attr-defined]
