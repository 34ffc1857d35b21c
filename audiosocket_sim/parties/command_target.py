"""A target that is a program: started for the run, with its ports filled in, and stopped after it."""

import asyncio
import contextlib
import io
import os
import re
import shlex
import signal
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audiosocket_sim.parties.kept_program import KeptProgram
from audiosocket_sim.parties.started_target import StartedTarget, TargetError, refuse_settings

__all__ = ["PLACEHOLDERS", "Child", "CommandTarget", "listens_on"]

PLACEHOLDERS = ("port", "control_port", "ai_url", "python")
"""What stands in braces in a command."""
_START_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class CommandTarget:
    """A program, started with {port}, {control_port} and {ai_url} filled in; its output goes to our stderr."""

    command: str
    control_url: str | None
    folder: Path | None = None
    """The folder in which the program is started; None: the working folder."""

    @property
    def in_process(self) -> bool:
        """False."""
        return False

    async def start(self, settings: Mapping[str, Any], ai_url: str) -> StartedTarget:
        """Start the program and wait until it listens on its ports, at most 20 s.

        Its environment also has AI_API_URL. Raises TargetUsageError if there are settings, and TargetError if the
        program does not start or listen.
        """
        refuse_settings(settings)
        port, control_port = _free_ports(2)
        values = {"port": str(port), "control_port": str(control_port), "ai_url": ai_url, "python": sys.executable}
        words = [
            re.sub(r"\{(\w+)\}", lambda found: values[found[1]], word)  # other braces are the command's own
            for word in shlex.split(self.command)
        ]
        control_url, ports = self.control_url, [port]
        if "{control_port}" in self.command:
            ports.append(control_port)
            control_url = control_url or f"http://127.0.0.1:{control_port}"
        environment = {**os.environ, "AI_API_URL": ai_url}
        try:
            program = await KeptProgram.start(words, environment=environment, folder=self.folder, output=_stderr())
        except OSError as error:
            raise TargetError(f"{words[0]}: cannot be started: {error.strerror or error}") from error
        running = Child("127.0.0.1", port, control_url, program)
        try:
            await _wait_until_it_listens_on(running, ports)
        except BaseException:
            await running.close()
            raise
        return running


@dataclass(frozen=True, slots=True)
class Child:
    """A program that was started for the run: the `StartedTarget` of a `CommandTarget`."""

    host: str
    port: int
    control_url: str | None
    program: KeptProgram

    async def ended(self) -> str:
        """Wait until the program has ended, and return how: `ended with code 1`, `was ended by SIGSEGV`."""
        return _how_it_ended(await self.program.wait())

    def how_it_ended(self) -> str:
        """Return how the program has ended, as `ended` does; "" while it runs."""
        code = self.program.returncode
        return "" if code is None else _how_it_ended(code)

    async def ends_within(self, seconds: float) -> bool:
        """Wait for the end of the program, at most so many seconds. Returns whether it has ended."""
        try:
            await asyncio.wait_for(self.program.wait(), seconds)
        except TimeoutError:
            return False
        return True

    async def close(self) -> None:
        """Send SIGTERM to the program and all its descendants and, after 5 s or if this task is cancelled, SIGKILL."""
        await self.program.close()


def _how_it_ended(code: int) -> str:
    if code >= 0:
        return f"ended with code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"


def _stderr() -> int:
    """Return the file descriptor for the program's output: our stderr, or 2 if stderr is captured without one."""
    try:
        return sys.stderr.fileno()
    except (AttributeError, io.UnsupportedOperation):
        return 2


async def _wait_until_it_listens_on(child: Child, ports: list[int]) -> None:
    loop = asyncio.get_running_loop()
    until = loop.time() + _START_SECONDS
    while loop.time() < until:
        missing = [port for port in ports if not listens_on(port)]
        if not missing:
            return
        if child.program.returncode is not None:
            how = _how_it_ended(child.program.returncode)
            raise TargetError(f"the command {how} before it listened on port {missing[0]}")
        await asyncio.sleep(0.05)
    raise TargetError(f"the command did not listen on port {missing[0]} within {_START_SECONDS:g} s")


def listens_on(port: int) -> bool:
    """Whether a process listens on the loopback port. No connection is made: the server would count it as a call."""
    wanted = f":{port:04X}"
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError), open(table, encoding="ascii") as lines:
            if any(f[1].endswith(wanted) and f[3] == "0A" for f in map(str.split, lines) if len(f) > 3):
                return True
    return False


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for s in sockets:
            s.bind(("127.0.0.1", 0))
        return [int(s.getsockname()[1]) for s in sockets]
