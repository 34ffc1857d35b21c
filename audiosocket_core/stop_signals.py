"""SIGINT, SIGTERM and their like as an orderly end of what runs in an event loop."""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator

__all__ = ["stop_signals"]


@contextlib.contextmanager
def stop_signals(stop: Callable[[], None], names: tuple[str, ...] = ("SIGINT", "SIGTERM")) -> Iterator[None]:
    """Call `stop` in the running loop at each signal of `names`, for as long as the `with` lasts.

    Afterwards the signals do what they did before, so a second Ctrl-C need not wait for an end that takes long. Names
    that the platform lacks (SIGHUP on Windows) are passed over. In a thread other than the main one nothing is changed:
    no other thread can have signal handlers.
    """
    loop = asyncio.get_running_loop()
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in numbers}
    with contextlib.suppress(ValueError, RuntimeError):  # not the main thread
        for number in numbers:
            try:
                loop.add_signal_handler(number, stop)
            except NotImplementedError:  # Windows
                signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop))
    try:
        yield
    finally:
        with contextlib.suppress(ValueError, RuntimeError):
            for number in numbers:
                with contextlib.suppress(NotImplementedError):
                    loop.remove_signal_handler(number)
                signal.signal(number, before[number])
