"""A real Asterisk, started for a test: in a folder of its own, with a dialplan of the test's, and stopped after it.

    async with RealAsterisk(fetch(), dialplan) as asterisk:
        asterisk.call("Local/far@phones/n", "calls", "bot", {"PORT": "8080"})
        await asterisk.told("@continues", within_seconds=10)

It tells what Asterisk tells: the lines of its console. What they mean is the caller's business.
"""

import asyncio
import contextlib
import itertools
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from audiosocket_sim.asterisk_real.console import Console, run_command
from audiosocket_sim.asterisk_real.files import write_files
from audiosocket_sim.asterisk_real.packages import AsteriskMissing, Installation

__all__ = ["ConsoleLine", "RealAsterisk"]

ConsoleLine = tuple[float, str]
"""Loop time, and a line of the console."""

_BOOT_SECONDS = 30.0
_STOP_SECONDS = 5.0
_LOOK_EVERY_SECONDS = 0.02


def _killed_with_us() -> tuple[str, ...]:
    """What a command begins with that ends when we are killed, and cannot end it: util-linux's, where it is there."""
    setpriv = shutil.which("setpriv")
    return () if setpriv is None else (setpriv, "--pdeathsig", "KILL", "--")


class RealAsterisk:
    """One running Asterisk. `folder` holds all of it; sounds of the test may be put there, recordings come there."""

    def __init__(self, installation: Installation, dialplan: str | Callable[[Path], str]) -> None:
        """dialplan: the text of extensions.conf, or what makes it of the folder (for sounds and recordings in it)."""
        self.installation = installation
        self.lines: list[ConsoleLine] = []
        """All that the console said, in order."""
        # A Unix socket's path may have 107 bytes only, so this cannot lie below just any folder.
        self.folder = Path(tempfile.mkdtemp(prefix="asterisk-"))
        self._dialplan = dialplan if isinstance(dialplan, str) else dialplan(self.folder)
        self._process: asyncio.subprocess.Process | None = None
        self._console = Console(self._on_line)
        self._waiters: set[asyncio.Event] = set()
        self._numbers = itertools.count(1)
        self._watch: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int:
        """The process id of the running Asterisk."""
        assert self._process is not None, "not started"
        return self._process.pid

    @property
    def _socket(self) -> Path:
        return self.folder / "run" / "asterisk.ctl"

    # --- up and down

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._stop()

    async def _start(self) -> None:
        conf = write_files(self.folder, self.installation, self._dialplan)
        with (self.folder / "log" / "output.txt").open("wb") as output:
            self._process = await asyncio.create_subprocess_exec(
                *_killed_with_us(),
                *self.installation.command,
                *("-C", str(conf), "-f", "-q", "-n"),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self.folder,
                start_new_session=True,  # Ctrl-C is ours, and ends the call before it ends Asterisk
            )
        try:
            async with asyncio.timeout(_BOOT_SECONDS):
                await self._open_console(self._process)
                self._watch = asyncio.get_running_loop().create_task(self._watch_the_process(self._process))
                self._console.send("core waitfullybooted")
                await self.told("fully booted", _BOOT_SECONDS)
        except TimeoutError:
            raise AsteriskMissing(f"Asterisk did not start within {_BOOT_SECONDS:g} s: {self._last_words()}") from None
        self._console.show_verbose()

    async def _open_console(self, process: asyncio.subprocess.Process) -> None:
        while process.returncode is None:
            try:
                return await self._console.open(self._socket)
            except OSError:  # it does not listen yet: another program, nothing tells but asking
                await asyncio.sleep(_LOOK_EVERY_SECONDS)
        raise self._ended(process)

    def _ended(self, process: asyncio.subprocess.Process) -> AsteriskMissing:
        return AsteriskMissing(f"Asterisk ended with code {process.returncode}: {self._last_words()}")

    async def _watch_the_process(self, process: asyncio.subprocess.Process) -> None:
        await process.wait()
        for event in self._waiters:
            event.set()

    def _last_words(self) -> str:
        said = (self.folder / "log" / "output.txt").read_text(encoding="utf-8", errors="replace").splitlines()
        return said[-1] if said else "it said nothing"

    async def _stop(self) -> None:
        await self._console.close()
        if self._watch is not None:
            self._watch.cancel()
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(OSError, TimeoutError):
                await run_command(self._socket, "core stop now", _STOP_SECONDS)
            try:
                await asyncio.wait_for(self._process.wait(), _STOP_SECONDS)
            except TimeoutError:
                self._process.kill()
                await self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- what it is asked

    async def command(self, command: str) -> str:
        """What `asterisk -rx COMMAND` prints."""
        return await run_command(self._socket, command)

    def send(self, command: str) -> None:
        """The same without waiting for an answer."""
        self._console.send(command)

    def call(self, channel: str, context: str, extension: str, variables: Mapping[str, str] | None = None) -> None:
        """Place a call, through a call file: `channel` is rung, and runs the dialplan once it has answered."""
        lines = {"Channel": channel, "Context": context, "Extension": extension, "Priority": "1", "MaxRetries": "0"}
        text = "".join(f"{name}: {value}\n" for name, value in lines.items())
        text += "".join(f"Setvar: {name}={value}\n" for name, value in (variables or {}).items())
        name = f"{next(self._numbers)}.call"
        (self.folder / "spool/tmp" / name).write_text(text, encoding="utf-8")
        (self.folder / "spool/tmp" / name).rename(self.folder / "spool/outgoing" / name)  # it is read at once

    # --- what it tells

    async def told(self, words: str, within_seconds: float = 20.0) -> ConsoleLine:
        """The first line that holds `words`, also one that came before.

        Raises TimeoutError with what came last, and AsteriskMissing where Asterisk has ended by itself.
        """
        event = asyncio.Event()
        self._waiters.add(event)
        try:
            async with asyncio.timeout(within_seconds):
                while True:
                    for line in self.lines:
                        if words in line[1]:
                            return line
                    assert self._process is not None
                    if self._process.returncode is not None:
                        raise self._ended(self._process)
                    event.clear()
                    await event.wait()
        except TimeoutError:
            said = "; ".join(text for _, text in self.lines[-5:]) or "nothing"
            raise TimeoutError(f"Asterisk did not say {words!r} within {within_seconds:g} s; it said: {said}") from None
        finally:
            self._waiters.discard(event)

    def _on_line(self, at: float, text: str) -> None:
        self.lines.append((at, text))
        for event in self._waiters:
            event.set()
