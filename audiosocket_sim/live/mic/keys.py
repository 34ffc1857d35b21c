"""Read single keys while a call runs, without Enter and without echoing them. The terminal is restored afterwards.

Without a terminal, or in a background job, no keys are read; that is not an error.
"""

import asyncio
import contextlib
import os
import re
import sys
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, TextIO

__all__ = ["AGAIN", "DIGITS", "HANG_UP", "MUTE", "TerminalKeys", "meaning"]

DIGITS = "0123456789*#ABCD"
MUTE = "mute"
HANG_UP = "hang up"
AGAIN = "call again"
_SEQUENCE = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]?|O.?)?")
"""The escape sequence of an arrow or a function key, whose letters must not be taken for digits."""
_POLL_SECONDS = 0.05


def meaning(key: str) -> str | None:
    """Return the meaning of a key: a digit of `DIGITS`, `MUTE`, `HANG_UP`, `AGAIN`, or None."""
    if key == " ":
        return MUTE
    if key in ("q", "Q", "\x03", "\x04"):
        return HANG_UP
    if key in ("r", "R"):
        return AGAIN
    return key.upper() if len(key) == 1 and key.upper() in DIGITS else None


class TerminalKeys:
    """Use as `with TerminalKeys(on_key) as keys` in a running loop. `keys.there` is True if keys can be pressed.

    on_key: called with each key's `meaning`, in the loop. stream: the terminal; None for stdin.
    """

    def __init__(self, on_key: Callable[[str], None], stream: TextIO | None = None) -> None:
        self._on_key = on_key
        self._stream = stream or sys.stdin
        self._loop = asyncio.get_running_loop()
        self._fd: int | None = None
        self._before: list[Any] | None = None
        self._poll: asyncio.TimerHandle | None = None
        self.there = False

    def __enter__(self) -> Self:
        try:
            is_terminal = self._stream.isatty()
            fd = self._stream.fileno()
        except (OSError, ValueError, AttributeError):  # closed, or not a real file
            return self
        if not is_terminal:
            return self
        if sys.platform == "win32":
            self.there = True
            self._look_on_windows()
        else:
            self._take_terminal(fd)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.there = False
        if self._poll is not None:
            self._poll.cancel()
        if self._fd is not None and sys.platform != "win32":
            import termios

            self._loop.remove_reader(self._fd)
            with contextlib.suppress(termios.error):  # the terminal is gone
                termios.tcsetattr(self._fd, termios.TCSADRAIN, self._before or [])
            self._fd = None

    def _take_terminal(self, fd: int) -> None:
        if sys.platform == "win32":
            return
        import termios
        import tty

        try:
            with contextlib.suppress(OSError):  # not our controlling terminal: job control does not apply
                if os.tcgetpgrp(fd) != os.getpgrp():
                    return  # a background job: changing the terminal would stop it (SIGTTOU)
            self._before = termios.tcgetattr(fd)
            tty.setcbreak(fd)
        except (OSError, termios.error):
            return
        self._fd, self.there = fd, True
        self._loop.add_reader(fd, self._read)

    def _read(self) -> None:
        assert self._fd is not None
        try:
            read = os.read(self._fd, 64)
        except OSError:
            read = b""
        if not read:
            self._loop.remove_reader(self._fd)  # the terminal was closed
            return
        self._take(read.decode("utf-8", "replace"))

    def _take(self, text: str) -> None:
        for key in _SEQUENCE.sub("", text):
            what = meaning(key)
            if what is not None:
                self._on_key(what)

    def _look_on_windows(self) -> None:
        if sys.platform == "win32":
            import msvcrt

            while msvcrt.kbhit():
                key = msvcrt.getwch()
                if key in ("\x00", "\xe0"):
                    msvcrt.getwch()  # the second half of an arrow or a function key
                else:
                    self._take(key)
            self._poll = self._loop.call_later(_POLL_SECONDS, self._look_on_windows)
