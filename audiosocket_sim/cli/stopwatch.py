"""The one place that reads the wall clock: dates for people, and how long a command took. Never a call's time."""

import time
from collections.abc import Callable

__all__ = ["stopwatch"]


def stopwatch() -> Callable[[], float]:
    """A function that tells the seconds since now."""
    start = time.perf_counter()  # noqa: TID251
    return lambda: time.perf_counter() - start  # noqa: TID251
