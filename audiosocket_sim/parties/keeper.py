"""Keeps a program: starts it, waits for it, and ends it with all its descendants. Runs in a process of its own.

    python -I -S keeper.py SOCKET PROGRAM [ARGUMENT ...]

It is two processes: the runner's child, which only waits, and its own child, the keeper. That one is the program's
parent, and on Linux a "subreaper": a descendant whose parent has ended becomes its child, also in a session of its own
(setsid, a daemon). So it always finds all of them. SOCKET is the number of a descriptor, whose other
end only the runner has, and which the kernel closes with the runner, however that ended. The keeper writes to it the
program's process id and a newline, or `!` and an errno if the program cannot be started.

A `.` from the runner: end all, by SIGTERM, and by SIGKILL 5 s later. The end of the socket: the same, but with 1 s,
and at once after a `.`. The keeper ends when nothing is left, in the way in which the program ended.

Not found: what another program starts on request (a container by Docker's daemon, a unit by systemd-run), and anything
if somebody kills the keeper itself by SIGKILL. Without /proc (macOS) only the program's process group is ended.
"""

import contextlib
import os
import select
import signal
import sys

_ASKED_SECONDS = 5.0
_ORPHANED_SECONDS = 1.0
_KILL_EVERY_SECONDS = 0.05
_MOST_KILLS = 100
"""A process that the kernel cannot end (a disk that hangs) is left after five seconds."""
_SET_CHILD_SUBREAPER = 36
"""PR_SET_CHILD_SUBREAPER of prctl(2), Linux 3.4."""


class _Keeper:
    """The state of one keeper."""

    def __init__(self, runner: int) -> None:
        self._runner = runner
        self._program = 0
        self._status: int | None = None
        self._n_kills = 0
        self._is_ending = False

    def start(self, words: list[str]) -> None:
        """Start the program in a session of its own. Raises OSError if that fails."""
        failure, fails = os.pipe()
        self._program = os.fork()
        if self._program == 0:
            _become(words, fails)
        os.close(fails)
        errno = os.read(failure, 16)
        os.close(failure)
        if errno:
            os.waitpid(self._program, 0)
            raise OSError(int(errno), os.strerror(int(errno)))
        _tell(self._runner, b"%d\n" % self._program)

    def keep(self) -> int:
        """Wait until the program and all its descendants have ended. Returns the program's wait status."""
        signals = _signals_as_bytes()
        watched = select.poll()  # select takes no descriptor above 1023
        for descriptor in (self._runner, signals):
            watched.register(descriptor, select.POLLIN)
        while self._some_are_left() and self._n_kills < _MOST_KILLS:
            if self._status and not self._is_ending:
                self._end(_ORPHANED_SECONDS)  # it failed: what it started is of no use
            ready = {descriptor for descriptor, _ in watched.poll()}
            if signals in ready:
                self._on_signals(os.read(signals, 4096))
            if self._runner in ready and not self._on_runner():
                watched.unregister(self._runner)
        return self._status or 0

    def _some_are_left(self) -> bool:
        try:
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if ended[0] == self._program:
                    self._status = ended[1]
        except ChildProcessError:
            return False
        return True

    def _on_signals(self, numbers: bytes) -> None:
        if signal.SIGALRM in numbers:
            self._kill()
        elif not self._is_ending and not {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}.isdisjoint(numbers):
            self._end(_ORPHANED_SECONDS)

    def _on_runner(self) -> bool:
        """Read what the runner says. Returns False if it will say no more."""
        try:
            said = os.read(self._runner, 1)
        except ConnectionError:
            said = b""
        if not self._is_ending:
            self._end(_ASKED_SECONDS if said else _ORPHANED_SECONDS)
        elif not said:
            self._kill()
        return bool(said)

    def _end(self, seconds: float) -> None:
        self._is_ending = True
        self._send(signal.SIGTERM)
        signal.setitimer(signal.ITIMER_REAL, seconds, _KILL_EVERY_SECONDS)

    def _kill(self) -> None:
        self._n_kills += 1
        self._send(signal.SIGKILL)
        signal.setitimer(signal.ITIMER_REAL, _KILL_EVERY_SECONDS, _KILL_EVERY_SECONDS)

    def _send(self, number: int) -> None:
        descendants = _descendants()
        for pid in descendants or ():
            with contextlib.suppress(OSError):
                os.kill(pid, number)
        if descendants is None:
            with contextlib.suppress(OSError):
                os.killpg(self._program, number)


def _tell(runner: int, line: bytes) -> None:
    """Write a line to the runner. One that has ended, or was cancelled, is noticed when it is read from."""
    with contextlib.suppress(ConnectionError):
        os.write(runner, line)


def _become(words: list[str], fails: int) -> None:
    """Become the program, in the child after a fork. Writes an errno to `fails` if that is impossible."""
    try:
        os.setsid()
        for number in (signal.SIGPIPE, signal.SIGXFSZ):  # which Python ignores
            signal.signal(number, signal.SIG_DFL)
        os.execvp(words[0], words)
    except OSError as error:
        os.write(fails, b"%d" % (error.errno or 0))
    finally:
        os._exit(127)


def _signals_as_bytes() -> int:
    """Return a descriptor from which the numbers of signals can be read, a byte each."""
    signals, told = os.pipe()
    for end in (signals, told):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(told, warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, signal.SIGALRM, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    return signals


def _descendants() -> list[int] | None:
    """Return the process ids of all descendants of this process; None where there is no /proc."""
    children: dict[int, list[int]] = {}
    try:
        pids = [int(name) for name in os.listdir("/proc") if name.isdecimal()]
        if not pids:
            return None
    except OSError:
        return None
    for pid in pids:
        with contextlib.suppress(OSError), open(f"/proc/{pid}/stat", "rb") as stat:
            parent = int(stat.read().rpartition(b")")[2].split()[1])
            children.setdefault(parent, []).append(pid)
    found = list(children.get(os.getpid(), ()))
    for pid in found:
        found += children.get(pid, ())
    return found


def _adopt_orphans() -> None:
    """Become the parent of every descendant whose parent ends; nothing where the system has no such thing."""
    with contextlib.suppress(ImportError, AttributeError, OSError):
        import ctypes

        ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _end_as(status: int) -> None:
    """End this process in the way that the wait status says, without a core file."""
    if os.WIFSIGNALED(status):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        number = os.WTERMSIG(status)
        with contextlib.suppress(OSError):  # SIGKILL takes no other action anyway
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    os._exit(os.waitstatus_to_exitcode(status))


def _stand_before(keeper: int) -> None:
    """Wait for the keeper, hand on signals to it, and end as it does.

    This is the process that the runner knows as its child. A runner that is interrupted twice may kill its child, as
    asyncio does, and the keeper must live for as long as it has something to end.
    """
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda number, _: os.kill(keeper, number))
    _, status = os.waitpid(keeper, 0)
    _end_as(status)


def _main() -> None:
    runner = int(sys.argv[1])
    os.set_inheritable(runner, False)
    if child := os.fork():
        os.close(runner)
        _stand_before(child)
    _adopt_orphans()
    keeper = _Keeper(runner)
    try:
        keeper.start(sys.argv[2:])
    except OSError as error:
        _tell(runner, b"!%d\n" % (error.errno or 0))
        os._exit(127)
    _end_as(keeper.keep())


if __name__ == "__main__":
    _main()
