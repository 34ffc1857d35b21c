"""The machine under the figures: its description, its load, its cores, its C compiler; and the two clocks of a run."""

import os
import platform
import shutil
import subprocess
import time
from pathlib import Path

from audiosocket_sim.cli.console import stopwatch

__all__ = ["BUILD", "FIFO", "PROJECT", "Elapsed", "Unavailable", "compiled", "describe", "load_now", "pin", "put_first"]

FIFO = "BENCHMARKS_FIFO"
"""Environment variable, set by `--fifo`: servers and load generator go before all ordinary processes."""

PROJECT = Path(__file__).resolve().parent.parent
BUILD = PROJECT / "benchmarks" / "build"
_NATIVE = PROJECT / "benchmarks" / "native"


class Unavailable(Exception):
    """A benchmark cannot run here. One line that says what is missing."""


class Elapsed:
    """Seconds since it was made: on the wall, and of this process on any core."""

    def __init__(self) -> None:
        self._wall, self._cpu = stopwatch(), time.process_time()

    @property
    def wall(self) -> float:
        return self._wall()

    @property
    def cpu(self) -> float:
        return time.process_time() - self._cpu


def describe() -> str:
    """Processor, cores, kernel and Python in one line; no names of machines or folders."""
    cores = len(os.sched_getaffinity(0))
    return (
        f"{_processor()}, {cores} core{'s' if cores != 1 else ''}, {platform.system()} {platform.release()}, "
        f"{platform.python_implementation()} {platform.python_version()}"
    )


def load_now() -> float:
    """The mean number of processes that wanted a core in the last minute. These benchmarks themselves count too."""
    return os.getloadavg()[0]


def pin(core: int, pid: int = 0) -> None:
    """Keep a process (this one: 0) on one core; on a machine with a single core, on that."""
    cores = sorted(os.sched_getaffinity(pid) | set(range(os.cpu_count() or 1)))
    os.sched_setaffinity(pid, {cores[min(core, len(cores) - 1)]})


def put_first(*, with_children: bool = True) -> None:
    """Where it was asked for: this process runs before ordinary ones. Raises Unavailable without the right to."""
    policy = os.SCHED_FIFO if with_children else os.SCHED_FIFO | os.SCHED_RESET_ON_FORK
    if os.environ.get(FIFO):
        try:
            os.sched_setscheduler(0, policy, os.sched_param(10))
        except PermissionError:
            raise Unavailable("--fifo needs the right to real-time priority (root, or CAP_SYS_NICE)") from None


def compiled(name: str) -> Path:
    """The program of native/NAME.c, compiled where it is not there or old. Raises Unavailable."""
    source, program = _NATIVE / f"{name}.c", BUILD / name
    if program.exists() and program.stat().st_mtime > source.stat().st_mtime:
        return program
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise Unavailable("no C compiler: install gcc (Debian: apt-get install gcc libc6-dev)")
    BUILD.mkdir(exist_ok=True)
    done = subprocess.run([compiler, "-O2", "-o", program, source], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unavailable(f"{source.name} does not compile: {done.stderr.strip().splitlines()[-1]}")
    return program


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
