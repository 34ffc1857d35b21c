"""Threads that a bot starts by itself: did one of them work while nothing held the virtual clock?

Such a thread lives in real time. What it makes comes after a virtual time that depends on this machine, so a verdict
would be worth nothing. Threads that only sleep, and wake for a moment, do no harm: exporters, loggers. So it is the
processor time that a thread uses beyond what it needs to wake up that counts, read from Linux; elsewhere it is 0. Work
that the loop has handed to a thread itself (`run_in_executor`, anyio) never counts, nor does anything during a hold.
"""

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from threading import Thread, get_ident
from types import FrameType
from typing import Any

__all__ = ["LOOPS_OWN", "BotThreads", "held_job", "is_pythons_own", "name_of_thread", "threads_are_seen"]

_FREE_NS = 2_000_000
"""Processor time, in ns, that does not count yet: to start, to write a line now and then."""
_FREE_A_WAKE_NS = 300_000
"""Processor time, in ns, that a thread may use each time that it wakes: to look at a clock, to write a line. A thread
that works uses more, even where it waits for Python's lock and for a processor in between."""
_NOT_YET_NS = 50_000
"""Less than this is not looked at: the number of times that a thread has slept takes as long to read."""
_PYTHONS_OWN = ("asyncio", "logging", "anyio")
"""Packages that start threads which are not the bot's: watchers of child processes, writers of log records, workers."""
LOOPS_OWN = "virtual-time"
"""The beginning of the names of a virtual loop's own workers."""

_lock = threading.Lock()
_running = 0
_wrapper: object = None
"""What stood in the place of our `Thread.start` when the last loop stopped: it is a wrapper around ours."""
_first_start: Callable[[Thread], None] = Thread.start
_first_bootstrap: Callable[[Thread], None] = Thread._bootstrap_inner  # type: ignore[attr-defined]
_start: Callable[[Thread], None] = Thread.start
_bootstrap: Callable[[Thread], None] = Thread._bootstrap_inner  # type: ignore[attr-defined]
_starting: dict[int, "BotThreads | None"] = {}
_owners: dict[int, "BotThreads | None"] = {}
"""Of each thread, by its number: whose it is. None: Python's own."""
_jobs: set[int] = set()
"""The numbers of threads that work for a virtual loop now."""


@dataclass(slots=True, eq=False)
class _Usage:
    """What a thread has used: its processor time, how often it had slept, and what counts of it."""

    thread: Thread
    of_call: bool
    """Whether it was started during the call, not as the bot was imported or started."""
    used_ns: int = 0
    sleeps: int = 0
    worked_ns: int = 0


class BotThreads:
    """The threads that the bot of one loop has started. `tell` is called with a text when one worked by itself.

    `program`: the bot's name. `on_first` is called when the first thread is started.
    """

    def __init__(self, program: str, tell: Callable[[str], None], on_first: Callable[[], None]) -> None:
        self.program = program
        self.strict = False
        """True while the call lasts."""
        self.used: dict[int, _Usage] = {}
        """What each thread has used, by the identity of its object. Empty if there is no thread to look after."""
        self.over = False
        """True if the loop is closed: the next loop of the same bot takes the threads over that are still there."""
        self._tell = tell
        self._on_first = on_first
        self._held = False

    def add(self, thread: Thread) -> None:
        """Look after this thread from now on."""
        if not self.used:
            self._on_first()
        self.used[id(thread)] = _Usage(thread, self.strict, _used_ns(thread), _sleeps(thread))

    def take_over(self) -> None:
        """Look also after threads that lasted longer than the loop of an earlier call of this bot.

        Not after one that was started during that call: it is a remnant of it.
        """
        for number, owner in list(_owners.items()):
            if owner is not None and owner.over and owner.program == self.program:
                for usage in list(owner.used.values()):
                    if usage.thread.ident == number and not usage.of_call:
                        _owners[number] = self
                        del owner.used[id(usage.thread)]
                        self.add(usage.thread)

    @property
    def may_act(self) -> bool:
        """Whether one of the threads may do something by itself: not one that waits without a limit, or in a pool."""
        frames = sys._current_frames()
        threads = [usage.thread for usage in list(self.used.values())]
        return any(thread.ident in frames and not _waits(thread, frames[thread.ident]) for thread in threads)

    def look(self) -> None:
        """Count what each thread has used since the last look. Called whenever the clock moves."""
        if not self._held:
            for usage in list(self.used.values()):
                if usage.thread.ident not in _jobs:
                    self._count(usage, _used_ns(usage.thread))

    def hold(self) -> None:
        """Count nothing from now on: the clock is held."""
        if self.used:
            self.look()
        self._held = True

    def release(self) -> None:
        """Count again from now on."""
        for usage in list(self.used.values()):
            self._forget(usage)
        self._held = False

    def ended(self, thread: Thread) -> None:
        """Note that a thread ends, in that thread."""
        usage = self.used.pop(id(thread), None)
        if usage is not None and not self._held:
            self._count(usage, time.thread_time_ns())

    def job_done(self) -> None:
        """Note that the current thread has done work for the loop, which does not count."""
        usage = self.used.get(id(threading.current_thread()))
        if usage is not None:
            self._forget(usage)

    def _forget(self, usage: _Usage) -> None:
        usage.used_ns, usage.sleeps = _used_ns(usage.thread), _sleeps(usage.thread)

    def _count(self, usage: _Usage, used_ns: int) -> None:
        more_ns = used_ns - usage.used_ns
        if more_ns < _NOT_YET_NS:
            return
        sleeps = _sleeps(usage.thread)
        usage.worked_ns += max(0, more_ns - max(0, sleeps - usage.sleeps) * _FREE_A_WAKE_NS)
        usage.used_ns, usage.sleeps = used_ns, sleeps
        if usage.worked_ns > _FREE_NS:
            worked = f"worked for {usage.worked_ns / 1e6:.0f} ms"
            self._tell(f"its thread «{usage.thread.name}» {worked} while nothing held the virtual clock")


@contextlib.contextmanager
def threads_are_seen(threads: BotThreads) -> Iterator[None]:
    """Look after the threads that are started in this thread, and by those, inside the `with` block."""
    global _running, _wrapper, _start, _bootstrap
    with _lock:
        if Thread.start not in (_start_seen, _wrapper):
            _start, Thread.start = Thread.start, _start_seen  # type: ignore[method-assign]
        if Thread._bootstrap_inner is not _bootstrap_seen:  # type: ignore[attr-defined]
            _bootstrap = Thread._bootstrap_inner  # type: ignore[attr-defined]
            Thread._bootstrap_inner = _bootstrap_seen  # type: ignore[attr-defined]
        _running += 1
    number = get_ident()
    was_known, before = number in _owners, _owners.get(number)  # one of another virtual loop's threads
    _owners[number] = threads
    threads.take_over()
    try:
        yield
    finally:
        del _owners[number]
        if was_known:
            _owners[number] = before
        with _lock:
            _running -= 1
            if _running == 0:
                _wrapper = None
                if Thread.start is _start_seen:
                    Thread.start = _start  # type: ignore[assignment, method-assign]
                else:  # a package that the bot has imported has wrapped ours: that stays
                    _wrapper = Thread.start
                if Thread._bootstrap_inner is _bootstrap_seen:  # type: ignore[attr-defined]
                    Thread._bootstrap_inner = _bootstrap  # type: ignore[attr-defined]


@contextlib.contextmanager
def held_job() -> Iterator[None]:
    """Count nothing of the current thread inside the `with` block: it works for a virtual loop."""
    number = get_ident()
    _jobs.add(number)
    try:
        yield
    finally:
        owner = _owners.get(number)
        if owner is not None:
            owner.job_done()
        _jobs.discard(number)


def is_pythons_own(number: int) -> bool:
    """Return whether the thread of this number serves Python itself, or works for a virtual loop."""
    return number in _jobs or _owners.get(number, _owners) is None


def name_of_thread(number: int) -> str:
    """Return the name of a thread, as it is set by itself or by Python."""
    return next((thread.name for thread in threading.enumerate() if thread.ident == number), str(number))


def _start_seen(self: Thread) -> None:
    if id(self) in _starting:  # a wrapper around ours is among what ours calls
        _first_start(self)
        return
    owner = _owners.get(get_ident())
    if owner is not None:
        module = str(sys._getframe(1).f_globals.get("__name__", ""))
        if module.partition(".")[0] in _PYTHONS_OWN or self.name.startswith(f"{LOOPS_OWN}_"):
            _starting[id(self)] = None
        else:
            _starting[id(self)] = owner
            owner.add(self)
    try:
        _start(self)
    except BaseException:
        _starting.pop(id(self), None)
        raise


def _bootstrap_seen(self: Thread) -> None:
    nobody: Any = _starting
    owner: Any = _starting.pop(id(self), nobody)
    if owner is nobody:
        _first_bootstrap(self)
        return
    number = get_ident()
    _owners[number] = owner
    try:
        _bootstrap(self)
    finally:
        owner = _owners.pop(number)  # a later loop may have taken it over
        if owner is not None:
            owner.ended(self)


def _waits(thread: Thread, frame: FrameType) -> bool:
    """Return whether a thread, which runs `frame`, goes on only if another thread lets it."""
    module, name = frame.f_globals.get("__name__"), frame.f_code.co_name
    if thread.ident in _jobs or (module, name) == ("concurrent.futures.thread", "_worker"):
        return True
    return (module, name) == ("threading", "wait") and frame.f_locals.get("timeout", 0) is None


def _sleeps(thread: Thread) -> int:
    """Return how often a thread has slept or waited; 0 if it is not there, or not on this system."""
    with contextlib.suppress(OSError), open(f"/proc/self/task/{thread.native_id}/status", "rb") as status:
        return int(status.read().split(b"\nvoluntary_ctxt_switches:", 1)[1].split(None, 1)[0])
    return 0


def _used_ns(thread: Thread) -> int:
    """Return the processor time that a thread has used, in ns; 0 if it is not there, or not on this system."""
    if thread.native_id is None:
        return 0
    try:
        return time.clock_gettime_ns(~thread.native_id << 3 | 6)  # Linux: the clock of a thread (CPUCLOCK_SCHED)
    except OSError:
        return 0
