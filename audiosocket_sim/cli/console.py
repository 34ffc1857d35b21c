"""Shared by all commands: exit codes, output that may fail without harm, and a stopwatch."""

import contextlib
import io
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, TextIO, cast

__all__ = [
    "FAILED",
    "FINE",
    "INCONCLUSIVE",
    "SET_UP",
    "USAGE",
    "GuardedStream",
    "guarded_output",
    "refuse",
    "say",
    "sigterm_interrupts",
    "stopwatch",
    "trouble",
]

FINE, FAILED, USAGE, SET_UP, INCONCLUSIVE = range(5)
"""The exit codes: passed; failed; a wrong command line or scenario; a fault of the set-up; no verdict."""


def say(text: str) -> None:
    """Write `text` and a line end to stdout, at once."""
    _write(text, sys.stdout)


def trouble(text: str) -> None:
    """Write `text` and a line end to stderr, at once."""
    _write(text, sys.stderr)


def refuse(text: str, code: int) -> int:
    """Write to stderr why a command ends, and return its exit code, `code`."""
    trouble(text)
    return code


def _write(text: str, stream: TextIO) -> None:
    stream.write(f"{text}\n")
    stream.flush()


@contextlib.contextmanager
def sigterm_interrupts() -> Iterator[None]:
    """Treat SIGTERM as Ctrl-C: what runs is stopped, the target too, and files are written."""
    before = signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def stopwatch() -> Callable[[], float]:
    """Return a function that returns the seconds since now. For people only: calls take time from the event loop."""
    start = time.perf_counter()  # noqa: TID251 - the one place that reads the machine's clock
    return lambda: time.perf_counter() - start  # noqa: TID251


class GuardedStream:
    """A text stream for people, which discards all output after its first error and raises nothing.

    Thus a reader that stops reading (`… | head`) or a full disk ends neither a call nor the writing of its files.
    `error`: the first error, or None. All methods but `write` and `flush` are those of `stream`.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.error: OSError | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write `text`, and return its length in characters, even if the stream has failed."""
        if self.error is None:
            try:
                return self._stream.write(text)
            except OSError as error:
                self._give_up(error)
        return len(text)

    def flush(self) -> None:
        """Flush the stream, unless it has failed."""
        if self.error is None:
            try:
                self._stream.flush()
            except OSError as error:
                self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        """Point the stream's file at /dev/null, so that Python can flush the stream's buffer at exit."""
        self.error = error
        with contextlib.suppress(io.UnsupportedOperation), open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), self._stream.fileno())


@contextlib.contextmanager
def guarded_output() -> Iterator[Callable[[], int]]:
    """Guard stdout and stderr. Yields a function that flushes stdout and returns an exit code.

    The code is 0, or 3 if stdout could not be written, which is reported on stderr. A closed pipe is no error.
    """
    before = sys.stdout, sys.stderr
    with open(os.devnull, "w", encoding="utf-8") as nowhere:  # for a stream that the shell has closed (`>&-`)
        out, err = (GuardedStream(stream or nowhere) for stream in before)
        sys.stdout, sys.stderr = cast(TextIO, out), cast(TextIO, err)

        def end() -> int:
            out.flush()
            if out.error is None or isinstance(out.error, BrokenPipeError):
                return FINE
            err.write(f"cannot write to stdout: {out.error.strerror or out.error}\n")
            err.flush()
            return SET_UP

        try:
            yield end
        finally:
            sys.stdout, sys.stderr = before
