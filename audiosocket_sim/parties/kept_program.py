"""A program that ends with this process, however this process ends, and whatever the program has started."""

import asyncio
import contextlib
import os
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from audiosocket_sim.parties import keeper

__all__ = ["KeptProgram"]

_STOP_SECONDS = 7.0
"""For the keeper to end the program: it sends SIGKILL after five."""


@dataclass(frozen=True, slots=True)
class KeptProgram:
    """A program, and the process that keeps it (`keeper`). Made by `start`; call `close` once."""

    pid: int
    """The program's process id. The program leads a session of its own."""
    _keeper: asyncio.subprocess.Process
    _line: socket.socket
    """The keeper ends the program when this closes."""

    @classmethod
    async def start(
        cls, words: Sequence[str], *, environment: Mapping[str, str], folder: Path | None, output: int
    ) -> "KeptProgram":
        """Start the program in `folder` (None: the working folder), its stdout going to the descriptor `output`.

        Raises OSError if there is no such program or folder.
        """
        line, other = socket.socketpair()
        with contextlib.ExitStack() as unless_started:
            unless_started.callback(line.close)
            line.setblocking(False)
            with other:
                command = [sys.executable, "-I", "-S", keeper.__file__, str(other.fileno()), *words]
                process = await asyncio.create_subprocess_exec(
                    *command,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=output,
                    env=environment,
                    cwd=folder,
                    pass_fds=(other.fileno(),),
                    start_new_session=True,
                )
            try:
                answer = await _line_of(line)
                if not answer.isdigit():
                    errno = int(answer.removeprefix(b"!") or 0)
                    raise OSError(errno, os.strerror(errno) if errno else "its keeper ended")
            except BaseException:
                line.close()
                await process.wait()
                raise
            unless_started.pop_all()
        return cls(int(answer), process, line)

    async def wait(self) -> int:
        """Wait until the program and all that it started have ended. Returns its exit code, or minus a signal."""
        return await self._keeper.wait()

    @property
    def returncode(self) -> int | None:
        """What `wait` returns; None while anything of it runs."""
        return self._keeper.returncode

    async def close(self) -> None:
        """Send SIGTERM to the program and all its descendants and, after 5 s or if this task is cancelled, SIGKILL."""
        try:
            with contextlib.suppress(OSError):
                self._line.send(b".")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._keeper.wait(), _STOP_SECONDS)
        finally:
            self._line.close()
            await self._keeper.wait()


async def _line_of(line: socket.socket) -> bytes:
    """Return what the keeper says first, without its newline; nothing if it ends before."""
    loop, said = asyncio.get_running_loop(), b""
    while not said.endswith(b"\n") and (more := await loop.sock_recv(line, 32)):
        said += more
    return said.strip()
