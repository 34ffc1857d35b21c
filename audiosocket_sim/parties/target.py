"""The target, that is, the bot under test: an import string, a command, or an address (docs/targets.md).

audiosocket_server:serve                    an async callable, called in this process
command: python bot.py --port {port}        a program, started before the run and stopped after it
tcp://127.0.0.1:8080                        a running server, which is only dialled
"""

import asyncio
import ipaddress
import os
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from audiosocket_sim.import_string import import_object
from audiosocket_sim.net.listening_process import listening_process
from audiosocket_sim.net.same_address import reaches
from audiosocket_sim.parties.closing import close_target
from audiosocket_sim.parties.command_target import PLACEHOLDERS, Child, CommandTarget, listens_on
from audiosocket_sim.parties.started_target import (
    StartedTarget,
    Target,
    TargetCloseError,
    TargetError,
    TargetUsageError,
    WrongSettings,
    message_of,
    refuse_settings,
)

__all__ = [
    "Child",
    "CommandTarget",
    "DialledTarget",
    "InProcessTarget",
    "StartedTarget",
    "Target",
    "TargetCloseError",
    "TargetError",
    "TargetUsageError",
    "WrongSettings",
    "close_target",
    "listens_on",
    "parse_target",
    "program_of",
]

_START_SECONDS = 20.0
_LONGEST_SHOWN = 80
_RENAMED = {"server:serve": "audiosocket_server:serve"}


def parse_target(text: str, control_url: str | None = None, folder: Path | None = None) -> Target:
    """Return the target that a text names, such as `tcp://127.0.0.1:8080`. Raises TargetUsageError.

    `control_url`: the base URL of the control API, for a target that does not report its own. `folder`: the folder of
    the file that names the target, where a module is looked for too and a command runs; by default the working folder.
    """
    if control_url is not None and not _is_http(control_url):
        raise TargetUsageError(f"{_short(control_url)}: a control URL looks like http://127.0.0.1:8081")
    if text.startswith("tcp://"):
        return _parse_address(text, control_url)
    if text.startswith("command:"):
        return _parse_command(text, control_url, folder)
    module, _, name = text.partition(":")
    if not name or not all(part.isidentifier() for part in [*module.split("."), name]):
        kinds = "module:callable, tcp://HOST:PORT or command: PROGRAM … {port}"
        raise TargetUsageError(f"{_short(text)}: expected {kinds}")
    if control_url is not None:
        raise TargetUsageError(
            f"{_short(text)} reports its control URL itself: --control-url is for command: and tcp://"
        )
    return InProcessTarget(module, name, folder)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…"


def _parse_address(text: str, control_url: str | None) -> "DialledTarget":
    parts = urlsplit(text)
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or not port or parts.path or parts.query:
        raise TargetUsageError(f"{_short(text)}: expected tcp://HOST:PORT with a port from 1 to 65535")
    return DialledTarget(host, port, control_url)


def _parse_command(text: str, control_url: str | None, folder: Path | None) -> CommandTarget:
    command = text.removeprefix("command:").strip()
    if "{port}" not in command:
        raise TargetUsageError(f"{_short(text)}: the command needs the placeholder {{port}}")
    try:
        shlex.split(command)
    except ValueError as error:
        raise TargetUsageError(f"{_short(text)}: no command line: {error}") from None
    unknown = [name for name in re.findall(r"\{(\w+)\}", command) if name not in PLACEHOLDERS]
    if unknown:
        known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
        raise TargetUsageError(f"{_short(text)}: there is no placeholder {{{_short(unknown[0])}}}; there are {known}")
    return CommandTarget(command, control_url, folder)


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False


def _is_missing(module: str, error: BaseException) -> bool:
    """True if the module does not exist or lacks the name; False for an error inside the module."""
    if isinstance(error, ModuleNotFoundError):
        return error.name == module
    return isinstance(error, AttributeError) and module in sys.modules and error.obj is sys.modules[module]


def _not_started(message: str, error: BaseException) -> TargetError:
    """Return the error to raise: WrongSettings if `error` names the settings at fault (docs/targets.md)."""
    keys, words = getattr(error, "keys", None), getattr(error, "words", None)
    if not (isinstance(error, ValueError) and isinstance(keys, Sequence) and isinstance(words, Sequence)):
        return TargetError(message)
    if not keys or len(keys) != len(words):
        return TargetError(message)
    return WrongSettings(message, [(tuple(map(str, key)), str(what)) for key, what in zip(keys, words, strict=True)])


@dataclass(frozen=True, slots=True)
class InProcessTarget:
    """An async callable `(host, port, control_port, settings) -> StartedTarget`, named by an import string."""

    module: str
    name: str
    folder: Path | None = None
    """Where the module is looked for if the working folder has none."""

    @property
    def in_process(self) -> bool:
        """True."""
        return True

    async def start(self, settings: Mapping[str, Any], ai_url: str) -> StartedTarget:
        """Import and call it, with `ai.api_url` in its settings set to `ai_url`. Raises TargetError."""
        name = f"{self.module}:{self.name}"
        ai = settings.get("ai", {})
        if not isinstance(ai, Mapping):
            raise TargetUsageError(f"server: ai: must be a mapping, not {ai!r}")
        merged = {**settings, "ai": {**ai, "api_url": ai_url}}
        try:
            serve = import_object(self.module, self.name, self.folder)
        except (Exception, SystemExit) as error:
            if name in _RENAMED and _is_missing(self.module, error):
                absent = f"no module `{self.module}` with `{self.name}` in {self._places()}"
                raise TargetUsageError(f"{absent}; the reference server, once {name}, is {_RENAMED[name]}") from None
            why = message_of(error)
            if isinstance(error, ModuleNotFoundError) and f"{self.module}.".startswith(f"{error.name}."):
                why = f"no module {error.name!r} in {self._places()} or in what is installed"
            raise TargetError(f"{name} cannot be imported: {why}") from error
        limit = asyncio.timeout(_START_SECONDS)
        try:
            async with limit:
                running: StartedTarget = await serve(host="127.0.0.1", port=0, control_port=0, settings=merged)
        except (Exception, SystemExit) as error:
            why = f" within {_START_SECONDS:g} s" if limit.expired() else f": {message_of(error)}"
            raise _not_started(f"{name} did not start{why}", error) from error
        missing = [part for part in ("host", "port", "control_url", "close") if not hasattr(running, part)]
        if missing:
            found = type(running).__name__
            raise TargetError(f"{name} returned {found} without {', '.join(missing)} (docs/targets.md)")
        return running

    def _places(self) -> str:
        """Return the folders in which the module is looked for first, for people."""
        folders = [Path.cwd()] if self.folder is None else [Path.cwd(), self.folder.resolve()]
        return ", in ".join(dict.fromkeys(map(str, folders)))


@dataclass(frozen=True, slots=True)
class DialledTarget:
    """A server that runs already and is only dialled: it is its own `StartedTarget`."""

    host: str
    port: int
    control_url: str | None

    @property
    def in_process(self) -> bool:
        """False."""
        return False

    async def start(self, settings: Mapping[str, Any], ai_url: str) -> StartedTarget:
        """Return the target itself. Raises TargetUsageError if there are settings."""
        refuse_settings(settings)
        return self

    async def close(self) -> None:
        """Do nothing: the server is not ours."""


def program_of(running: StartedTarget) -> int | None:
    """Return the process id of the target's program; None if it runs in this process or on another machine.

    Of an address on this machine it is the process that listens there, if the system says which (Linux).
    """
    if isinstance(running, Child):
        return running.program.pid
    if isinstance(running, DialledTarget) and _is_this_machine(running.host):
        pid = listening_process(running.port)
        return None if pid == os.getpid() else pid
    return None


def _is_this_machine(host: str) -> bool:
    """Whether an address is one of this machine's; of names only `localhost` is, as others take long to be resolved."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    return reaches((host, 1), ("", 1))
