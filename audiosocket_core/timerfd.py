"""Timer file descriptors of Linux: a kernel timer for which an event loop can wait as for a socket.

No other wake-up is more exact than the whole milliseconds of epoll's time-out. Python 3.13 has them in `os`; on 3.11
and 3.12 the C library is called.
"""

import os
import sys
import time
from collections.abc import Callable

__all__ = ["arm", "create", "expirations"]

# The clock of time.monotonic(), and so of loop.time() on asyncio and on uvloop.
_CLOCK = getattr(time, "CLOCK_MONOTONIC", 1)


def create() -> int | None:
    """Create a non-blocking timer descriptor, not armed; None if the system cannot provide one."""
    if _create is None:
        return None
    try:
        return _create()
    except OSError:
        return None


def arm(fd: int, first_at: float, period: float) -> None:
    """Let `fd` expire at `first_at` (seconds of the monotonic clock) and every `period` seconds after it.

    A time in the past expires at once. Raises OSError.
    """
    if _arm is None:
        raise OSError("this system has no timer descriptors")
    # An absolute time of zero would disarm the timer.
    _arm(fd, max(1, round(first_at * 1e9)), round(period * 1e9))


def expirations(fd: int) -> int:
    """Return how often `fd` has expired since the last call. Does not block."""
    try:
        return int.from_bytes(os.read(fd, 8), sys.byteorder)
    except BlockingIOError:
        return 0


_create: Callable[[], int] | None = None
_arm: Callable[[int, int, int], None] | None = None

if sys.platform == "linux":
    if sys.version_info >= (3, 13):

        def _os_create() -> int:
            return os.timerfd_create(_CLOCK, flags=os.TFD_NONBLOCK | os.TFD_CLOEXEC)

        def _os_arm(fd: int, first_ns: int, period_ns: int) -> None:
            os.timerfd_settime_ns(fd, flags=os.TFD_TIMER_ABSTIME, initial=first_ns, interval=period_ns)

        _create, _arm = _os_create, _os_arm
    else:
        import ctypes

        class _TimeSpec(ctypes.Structure):
            _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))

        class _TimerSpec(ctypes.Structure):
            _fields_ = (("interval", _TimeSpec), ("first", _TimeSpec))

        _TFD_TIMER_ABSTIME = 1
        _libc = ctypes.CDLL(None, use_errno=True)

        def _checked(result: int) -> int:
            if result < 0:
                number = ctypes.get_errno()
                raise OSError(number, os.strerror(number))
            return result

        def _libc_create() -> int:
            return _checked(_libc.timerfd_create(_CLOCK, os.O_NONBLOCK | os.O_CLOEXEC))

        def _libc_arm(fd: int, first_ns: int, period_ns: int) -> None:
            spec = _TimerSpec(_TimeSpec(*divmod(period_ns, 10**9)), _TimeSpec(*divmod(first_ns, 10**9)))
            _checked(_libc.timerfd_settime(fd, _TFD_TIMER_ABSTIME, ctypes.byref(spec), None))

        if hasattr(_libc, "timerfd_create"):
            _create, _arm = _libc_create, _libc_arm
