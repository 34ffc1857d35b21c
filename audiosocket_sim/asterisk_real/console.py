"""Asterisk's console, as `asterisk -r` uses it: commands go in, lines come out, over a Unix socket.

A command ends with a zero byte. Asterisk marks verbose lines with a byte of 0xf8 or above, which is taken off here.
"""

import asyncio
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

__all__ = ["Console", "logged_at", "run_command"]

_MARKS = re.compile(rb"[\xf0-\xff]")
_LOGGED = re.compile(r"\[(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6})\] ")  # as `files.LOG_TIME` asks for it
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


async def run_command(socket: Path, command: str, within_seconds: float = 20.0) -> str:
    """Run one command and return what it said. Raises OSError where nobody listens, TimeoutError."""
    async with asyncio.timeout(within_seconds):
        reader, writer = await asyncio.open_unix_connection(socket)
        try:
            writer.write(f"cli quit after {command}".encode() + b"\0")
            said = await reader.read()
        finally:
            writer.close()
    return "\n".join(_clean(said).splitlines()[1:])  # the first line greets


def logged_at(line: str) -> float:
    """Return when Asterisk wrote a line of its log, in seconds of the wall clock. Raises ValueError if it does not say.

    A console reads the line some milliseconds later: on a busy machine, or of many that are written at once.
    """
    found = _LOGGED.match(line)
    if found is None:
        raise ValueError(f"no line of the log: {line}")
    return datetime.fromisoformat(found[1]).timestamp()


class Console:
    """A console that stays open: `on_line` gets each line and the loop time at which it came."""

    def __init__(self, on_line: Callable[[float, str], None]) -> None:
        self._on_line = on_line
        self._writer: asyncio.StreamWriter | None = None
        self._task: asyncio.Task[None] | None = None

    async def open(self, socket: Path) -> None:
        """Connect; what is sent from now on is answered among the lines. Raises OSError."""
        reader, self._writer = await asyncio.open_unix_connection(socket)
        self._task = asyncio.get_running_loop().create_task(self._read(reader))

    def show_verbose(self, level: int = 1) -> None:
        """Have Asterisk tell its verbose lines up to a level. Once, and before any other console has been closed.

        `logger mute` toggles the first console of that file descriptor (main/asterisk.c, ast_console_toggle_mute). One
        that is just closing has given its descriptor back and still stands in the list: it is unmuted then, and ours,
        which was given the same number, says nothing for ever.
        """
        self.send(f"core set verbose atleast {level} silent")
        self.send("logger mute silent")  # a remote console is born mute

    def send(self, command: str) -> None:
        """Run a command; what it says comes among the lines."""
        assert self._writer is not None, "not open"
        self._writer.write(command.encode() + b"\0")

    async def close(self) -> None:
        """Close the console's connection and wait for its reader to end."""
        if self._writer is not None:
            self._writer.close()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _read(self, reader: asyncio.StreamReader) -> None:
        loop = asyncio.get_running_loop()
        try:
            while line := await reader.readline():
                text = _clean(line).strip()
                if text:
                    self._on_line(loop.time(), text)
        except ConnectionError:
            pass  # Asterisk has gone: whoever waits for a line sees that none comes


def _clean(said: bytes) -> str:
    return _COLOURS.sub("", _MARKS.sub(b"", said).decode("utf-8", "replace"))
