"""What people read: a stream that may fail without an end to the call, its verdict or its files.

Who stops reading (`… | head`) changes nothing. A disk that is full is told at the end, in a line, with exit code 3.
"""

import contextlib
import io
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any, TextIO, cast

__all__ = ["GuardedStream", "guarded_output"]

_SET_UP = 3


class GuardedStream:
    """A text stream; from its first failure on what is written goes nowhere. All else is the stream's own."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.error: OSError | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        if self.error is None:
            try:
                return self._stream.write(text)
            except OSError as error:
                self._give_up(error)
        return len(text)

    def flush(self) -> None:
        if self.error is None:
            try:
                self._stream.flush()
            except OSError as error:
                self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        """What is still in the stream's buffer must go somewhere when Python ends, or it complains then."""
        self.error = error
        with contextlib.suppress(io.UnsupportedOperation), open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), self._stream.fileno())


@contextlib.contextmanager
def guarded_output() -> Iterator[Callable[[], int]]:
    """Guard stdout and stderr. Yields a function that flushes them and returns 0, or 3 where writing failed."""
    before = sys.stdout, sys.stderr
    with open(os.devnull, "w", encoding="utf-8") as nowhere:  # for a stream that was closed before we came (`>&-`)
        out, err = (GuardedStream(stream or nowhere) for stream in before)
        sys.stdout, sys.stderr = cast(TextIO, out), cast(TextIO, err)

        def end() -> int:
            out.flush()
            if out.error is None or isinstance(out.error, BrokenPipeError):
                return 0
            err.write(f"cannot write to stdout: {out.error.strerror or out.error}\n")
            err.flush()
            return _SET_UP

        try:
            yield end
        finally:
            sys.stdout, sys.stderr = before
