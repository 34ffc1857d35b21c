"""Ends a program's process group when this process is gone, however it went: also by SIGKILL, which nobody can catch.

A shell in a session of its own waits for the end of a pipe, whose other side only this process has. The kernel closes
it with the process. (prctl's PR_SET_PDEATHSIG reaches no grandchildren, and counts the thread's end as a death.)
"""

import asyncio
import contextlib

__all__ = ["DeathWatch"]

_SCRIPT = """
read -r group || exit 0
read -r never
kill -s TERM -- "-$group"
sleep 1
kill -s KILL -- "-$group"
"""


class DeathWatch:
    """Call `start` before the program is started, `watch` after, and `close` when the program has ended."""

    def __init__(self) -> None:
        self._shell: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start the shell. Without one there is no watch: the program is then like any other child."""
        with contextlib.suppress(OSError):
            self._shell = await asyncio.create_subprocess_exec(
                "/bin/sh",
                "-c",
                _SCRIPT,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                start_new_session=True,
            )

    def watch(self, group: int) -> None:
        """End this process group, SIGTERM first and SIGKILL a second later, if this process dies before `close`."""
        self._write(b"%d\n" % group)

    async def close(self) -> None:
        """End the watch. A task that is cancelled meanwhile is so when the shell is gone, a moment later."""
        if self._shell is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._shell.kill()
        ending = asyncio.ensure_future(self._shell.wait())
        cancelled: asyncio.CancelledError | None = None
        while not ending.done():
            try:
                await asyncio.shield(ending)
            except asyncio.CancelledError as error:
                cancelled = error
        if cancelled is not None:
            raise cancelled

    def _write(self, line: bytes) -> None:
        if self._shell is not None and self._shell.stdin is not None:
            with contextlib.suppress(ConnectionError):
                self._shell.stdin.write(line)
