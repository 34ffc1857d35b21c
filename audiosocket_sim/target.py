"""What is under test, and how it is started: an import string, a command, or an address. docs/targets.md.

server:serve                                in this process: an async callable, as `server:serve` is
command: python bot.py --port {port}        started for the run, waited for, stopped after it
tcp://127.0.0.1:8080                        only dialled
"""

import asyncio
import contextlib
import importlib
import os
import shlex
import signal
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

__all__ = ["CommandTarget", "DialledTarget", "InProcessTarget", "Running", "Target", "TargetError", "parse_target"]

_START_SECONDS = 20.0
_STOP_SECONDS = 5.0


class TargetError(Exception):
    """The target cannot be started or reached: a fault of the set-up. One line for people."""


class TargetUsageError(TargetError):
    """What was asked for does not fit this kind of target: a fault of the command line or of the scenario."""


class Running(Protocol):
    """A target that takes calls: what `server:serve` returns, and what the simulator needs of any target."""

    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def control_url(self) -> str | None: ...
    async def close(self) -> None: ...


class Target(Protocol):
    """A way to get a `Running`."""

    @property
    def in_process(self) -> bool:
        """Runs on our event loop, hence in virtual time too; and takes settings."""

    async def start(self, settings: Mapping[str, Any], ai_url: str) -> Running:
        """Start it, pointed at the mock AI. Raises TargetError."""


def parse_target(text: str, control_url: str | None = None) -> Target:
    """The target that a text names. Raises TargetUsageError."""
    if text.startswith("tcp://"):
        parts = urlsplit(text)
        try:
            host, port = parts.hostname, parts.port
        except ValueError:
            host = port = None
        if not host or not port:
            raise TargetUsageError(f"{text}: expected tcp://HOST:PORT")
        return DialledTarget(host, port, control_url)
    if text.startswith("command:"):
        command = text.removeprefix("command:").strip()
        if "{port}" not in command:
            raise TargetUsageError(f"{text}: the command needs the placeholder {{port}}")
        return CommandTarget(command, control_url)
    module, _, name = text.partition(":")
    if not name or not all(part.isidentifier() for part in [*module.split("."), name]):
        raise TargetUsageError(f"{text}: expected module:callable, tcp://HOST:PORT or command: PROGRAM … {{port}}")
    return InProcessTarget(module, name)


@dataclass(frozen=True, slots=True)
class InProcessTarget:
    """An async callable `(host, port, control_port, settings) -> Running`, named by an import string."""

    module: str
    name: str

    @property
    def in_process(self) -> bool:
        return True

    async def start(self, settings: Mapping[str, Any], ai_url: str) -> Running:
        try:
            serve = getattr(importlib.import_module(self.module), self.name)
        except (ImportError, AttributeError) as error:
            raise TargetError(f"{self.module}:{self.name} cannot be imported: {error}") from error
        merged = {**settings, "ai": {**settings.get("ai", {}), "api_url": ai_url}}
        try:
            running: Running = await serve(host="127.0.0.1", port=0, control_port=0, settings=merged)
        except (OSError, ValueError) as error:
            raise TargetError(f"{self.module}:{self.name} did not start: {error}") from error
        return running


@dataclass(frozen=True, slots=True)
class _Address:
    """A target that somebody else runs."""

    host: str
    port: int
    control_url: str | None

    async def close(self) -> None:
        """Nothing of ours to close."""


@dataclass(frozen=True, slots=True)
class DialledTarget:
    host: str
    port: int
    control_url: str | None

    @property
    def in_process(self) -> bool:
        return False

    async def start(self, settings: Mapping[str, Any], ai_url: str) -> Running:
        _refuse_settings(settings)
        return _Address(self.host, self.port, self.control_url)


@dataclass(frozen=True, slots=True)
class CommandTarget:
    """A program, started with {port}, {control_port} and {ai_url} filled in; its output goes to our stderr."""

    command: str
    control_url: str | None

    @property
    def in_process(self) -> bool:
        return False

    async def start(self, settings: Mapping[str, Any], ai_url: str) -> Running:
        _refuse_settings(settings)
        port, control_port = _free_ports(2)
        words = [
            word.format_map({"port": port, "control_port": control_port, "ai_url": ai_url, "python": sys.executable})
            for word in shlex.split(self.command)
        ]
        control_url = self.control_url
        if control_url is None and "{control_port}" in self.command:
            control_url = f"http://127.0.0.1:{control_port}"
        environment = {**os.environ, "AI_API_URL": ai_url}
        try:
            process = await asyncio.create_subprocess_exec(
                *words,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=sys.stderr.fileno(),
                env=environment,
                start_new_session=True,
            )
        except OSError as error:
            raise TargetError(f"{words[0]}: cannot be started: {error.strerror}") from error
        running = _Child("127.0.0.1", port, control_url, process)
        try:
            await _wait_until_it_listens(running)
        except BaseException:
            await running.close()
            raise
        return running


@dataclass(frozen=True, slots=True)
class _Child:
    host: str
    port: int
    control_url: str | None
    process: asyncio.subprocess.Process

    async def close(self) -> None:
        """SIGTERM to the program and its children, and SIGKILL where that does not end it."""
        for stop in (signal.SIGTERM, signal.SIGKILL):
            if self.process.returncode is not None:
                return
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, stop)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.process.wait(), _STOP_SECONDS)


async def _wait_until_it_listens(child: _Child) -> None:
    loop = asyncio.get_running_loop()
    until = loop.time() + _START_SECONDS
    while loop.time() < until:
        if child.process.returncode is not None:
            raise TargetError(
                f"the command ended with code {child.process.returncode} before it listened on {child.port}"
            )
        if _listens(child.port):
            return
        await asyncio.sleep(0.05)
    raise TargetError(f"the command did not listen on port {child.port} within {_START_SECONDS:g} s")


def _listens(port: int) -> bool:
    """Whether somebody listens on the loopback port, without a connection that the server would count as a call."""
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


def _refuse_settings(settings: Mapping[str, Any]) -> None:
    if settings:
        raise TargetUsageError(
            f"the scenario has settings for the server ({', '.join(settings)}), and this target takes none: "
            "only an import string does (docs/targets.md)"
        )
