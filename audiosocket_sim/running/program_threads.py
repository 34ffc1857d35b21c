"""Reads what kept the threads of a program from running (no processor, a stop, a disk), from Linux's own figures.

The sources are /proc/PID/task/TID/schedstat (Documentation/scheduler/sched-stats.rst: ns on a processor, ns ready to
run without one, and how often it was given one), the thread's state in .../stat, and .../children. What a thread waited
is added to its figure only once it runs: until then its state and its other figures, which stand still, tell of it.
"""

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ThreadTimes", "children_of", "kept_ms", "session_of", "stolen_ms", "times_of"]

_HELD = "DTt"
"""States of a thread that somebody else keeps from running: it waits for a disk or a page, or it was stopped."""
_READY = "R"
_TICK_MS = 1000 / os.sysconf("SC_CLK_TCK")
_STOLEN = 8
"""The field of a processor's line in /proc/stat that counts what the virtual machine's host kept for itself."""


@dataclass(frozen=True, slots=True)
class ThreadTimes:
    """One reading of a thread: its state (a letter of proc(5)), ns that it ran and that it was ready without a
    processor, and how often it was given one."""

    state: str
    ran_ns: int
    waited_ns: int
    given: int

    def kept_ms(self, before: "ThreadTimes", wall_ms: float) -> float:
        """Return for how long (ms) it could not run, of the `wall_ms` since the reading before. More than these is a
        wait that began earlier and is known only now."""
        ran_ms = (self.ran_ns - before.ran_ns) / 1e6
        held = self.state in _HELD or before.state in _HELD
        still = self.state == before.state == _READY and self.given == before.given
        return max((self.waited_ns - before.waited_ns) / 1e6, wall_ms - ran_ms if held or still else 0.0)


def kept_ms(before: Mapping[int, ThreadTimes], now: Mapping[int, ThreadTimes], wall_ms: float) -> float:
    """Return for how long (ms) a program could not run that wanted to, of the `wall_ms` between two readings of its
    threads, by thread id. A thread that is new began in this time.

    Threads wait for one another, so the waits of all add up, to no more than the time in which none of them ran. A
    program that sleeps, or that computes, keeps itself from its work: that counts for nothing.
    """
    new = ThreadTimes("S", 0, 0, 0)
    waits = [min(times.kept_ms(new, wall_ms), wall_ms) for task, times in now.items() if task not in before]
    waits += [times.kept_ms(before[task], wall_ms) for task, times in now.items() if task in before]
    ran_ms = sum(times.ran_ns - before.get(task, new).ran_ns for task, times in now.items()) / 1e6
    return max([0.0, *waits, min(sum(waits), wall_ms - ran_ms)])


def times_of(pids: Collection[int], proc: Path = Path("/proc")) -> dict[int, ThreadTimes]:
    """Return a reading of each thread of these processes, by thread id. A thread that is gone is left out."""
    found: dict[int, ThreadTimes] = {}
    for pid in pids:
        for task in _numbers(proc / str(pid) / "task"):
            try:
                folder = proc / str(pid) / "task" / task
                state = (folder / "stat").read_bytes().rpartition(b")")[2].split()[0].decode()
                ran, waited, given = map(int, (folder / "schedstat").read_bytes().split())
            except (OSError, IndexError, ValueError):
                continue
            found[int(task)] = ThreadTimes(state, ran, waited, given)
    return found


def children_of(pids: Collection[int], proc: Path = Path("/proc")) -> list[int]:
    """Return the living processes among these with all that they have started, and what those have started."""
    found: list[int] = []
    queue = list(pids)
    while queue:
        pid = queue.pop()
        tasks = _numbers(proc / str(pid) / "task")
        if not tasks or pid in found:
            continue
        found.append(pid)
        for task in tasks:
            try:
                queue += map(int, (proc / str(pid) / "task" / task / "children").read_bytes().split())
            except (OSError, ValueError):
                continue
    return found


def session_of(pid: int, seen: set[str], proc: Path = Path("/proc")) -> list[int]:
    """Return the processes of the session that the process leads, itself and its children, unless they left it.

    `seen`: the names of processes that were looked at before, and are not looked at again; more are added.
    """
    found: list[int] = []
    names = [name for name in _numbers(proc) if name not in seen]
    seen.update(names)
    for name in names:
        try:
            session = (proc / name / "stat").read_bytes().rpartition(b")")[2].split()[3]
            found += [int(name)] if int(session) == pid else []
        except (OSError, IndexError, ValueError):
            continue
    return found


def stolen_ms(proc: Path = Path("/proc")) -> list[float]:
    """Return for how long (ms) the host of this virtual machine has kept each of its processors, since the start."""
    try:
        lines = [line.split() for line in (proc / "stat").read_bytes().splitlines() if line.startswith(b"cpu")]
        return [int(fields[_STOLEN]) * _TICK_MS for fields in lines[1:]]
    except (OSError, IndexError, ValueError):
        return []


def _numbers(folder: Path) -> list[str]:
    try:
        return [name for name in os.listdir(folder) if name.isdigit()]
    except OSError:
        return []
