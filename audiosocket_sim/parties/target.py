"""The target, that is, the bot under test: an import string, a command, or an address (docs/targets.md).

audiosocket_server:serve                    an async callable, called in this process
command: python bot.py --port {port}        a program, started before the run and stopped after it
tcp://127.0.0.1:8080                        a running server, which is only dialled
"""

import asyncio
import contextlib
import functools
import io
import ipaddress
import os
import re
import shlex
import signal
import socket
import sys
import types
from collections.abc import Callable, Coroutine, Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from audiosocket_sim.import_string import import_object
from audiosocket_sim.net.listening_process import listening_process
from audiosocket_sim.net.same_address import reaches
from audiosocket_sim.parties.kept_program import KeptProgram

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
_CLOSE_SECONDS = 20.0
_LONGEST_SHOWN = 80
_RENAMED = {"server:serve": "audiosocket_server:serve"}
_PLACEHOLDERS = ("port", "control_port", "ai_url", "python")


class TargetError(Exception):
    """The target cannot be started or reached: a fault of the set-up. The message is one line for people."""


class TargetUsageError(TargetError):
    """The options or the scenario do not suit this kind of target: a fault of the command line or of the scenario."""


class TargetCloseError(TargetError):
    """The target's close() raised, cancelled its own task or did not return. The call was over: its verdict stands."""


class WrongSettings(TargetError):
    """The target refuses settings of the scenario's `server:`. `settings`: the path of each, and what is wrong."""

    def __init__(self, message: str, settings: Sequence[tuple[tuple[str | int, ...], str]]) -> None:
        super().__init__(message)
        self.settings = tuple(settings)


class StartedTarget(Protocol):
    """A target that takes calls: what an import string's callable returns, and the same for the other kinds."""

    @property
    def host(self) -> str:
        """The address to dial."""

    @property
    def port(self) -> int:
        """The TCP port to dial."""

    @property
    def control_url(self) -> str | None:
        """The base URL of the control API (docs/targets.md), or None if the target has none."""

    async def close(self) -> None:
        """Stop taking calls and free all resources. May raise anything: see `close_target`."""


class Target(Protocol):
    """A target that can be started."""

    @property
    def in_process(self) -> bool:
        """True if it runs on our event loop, so that it can run in virtual time and takes settings."""

    async def start(self, settings: Mapping[str, Any], ai_url: str) -> StartedTarget:
        """Start it with the scenario's settings and the mock AI's URL. Raises TargetError."""


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


def _parse_command(text: str, control_url: str | None, folder: Path | None) -> "CommandTarget":
    command = text.removeprefix("command:").strip()
    if "{port}" not in command:
        raise TargetUsageError(f"{_short(text)}: the command needs the placeholder {{port}}")
    try:
        shlex.split(command)
    except ValueError as error:
        raise TargetUsageError(f"{_short(text)}: no command line: {error}") from None
    unknown = [name for name in re.findall(r"\{(\w+)\}", command) if name not in _PLACEHOLDERS]
    if unknown:
        known = ", ".join(f"{{{name}}}" for name in _PLACEHOLDERS)
        raise TargetUsageError(f"{_short(text)}: there is no placeholder {{{_short(unknown[0])}}}; there are {known}")
    return CommandTarget(command, control_url, folder)


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False


async def close_target(running: "StartedTarget") -> None:
    """Close the target. Raises TargetCloseError if close() raises, cancels, or takes over 20 s: no bot may block or
    break a run. A cancellation of this task by anybody else goes on as CancelledError.
    """
    task = asyncio.current_task()
    assert task is not None
    limit, asked = asyncio.timeout(_CLOSE_SECONDS), task.cancelling()

    async def close() -> None:
        await running.close()

    try:
        async with limit:
            cancelled_itself = await _without_its_own_cancellations(close(), task)
        if cancelled_itself:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(0)  # before Python 3.13 `uncancel` leaves the CancelledError to the next `await`
            raise TargetCloseError("the target's close() cancelled the task that called it")
    except asyncio.CancelledError as error:
        if task.cancelling() > asked:
            raise
        why = "failed: it let a CancelledError out (docs/targets.md)"
        raise TargetCloseError(f"the target's close() {why}") from error
    except TargetCloseError:
        raise
    except (Exception, SystemExit) as error:
        late = f"did not return within {_CLOSE_SECONDS:g} s"
        raise TargetCloseError(
            f"the target's close() {late if limit.expired() else f'failed: {_message_of(error)}'}"
        ) from error


_UNCANCEL_FORGETS = sys.version_info >= (3, 13)
"""Whether a cancellation that was taken back no longer arrives at the next `await`, as it does before Python 3.13."""


@types.coroutine
def _without_its_own_cancellations(
    work: Coroutine[Any, Any, object], task: "asyncio.Task[Any]"
) -> Generator[Any, Any, bool]:
    """Run `work` in `task`, the current one, and take back each cancellation of the task that `work` itself asks for.

    Returns whether such a cancellation had not arrived in `work` by its end. Cancellations by others arrive as always.
    """
    pending = False
    step: Callable[[], Any] = functools.partial(work.send, None)
    while True:
        before, taken_back = task.cancelling(), False
        try:
            waits_for = step()
        except StopIteration:
            return pending or task.cancelling() > before
        finally:
            for _ in range(task.cancelling() - before):
                pending = taken_back = True
                task.uncancel()
        deliver = taken_back and _UNCANCEL_FORGETS
        if deliver and waits_for is not None:
            waits_for.cancel()
        try:
            yield waits_for
            if deliver and waits_for is None:
                raise asyncio.CancelledError
            step = functools.partial(work.send, None)
        except BaseException as error:  # noqa: BLE001 - it is the work's, as with any `await`
            pending = pending and not isinstance(error, asyncio.CancelledError)
            step = functools.partial(work.throw, error)


def _is_missing(module: str, error: BaseException) -> bool:
    """True if the module does not exist or lacks the name; False for an error inside the module."""
    if isinstance(error, ModuleNotFoundError):
        return error.name == module
    return isinstance(error, AttributeError) and module in sys.modules and error.obj is sys.modules[module]


def _message_of(error: BaseException) -> str:
    """Return an exception of the target's code as one line, without its type if its text is meant for people."""
    words = " ".join(str(error).split())
    meant = isinstance(error, OSError | ValueError | ImportError) and words
    return words if meant else f"{type(error).__name__}: {words}".rstrip(": ")


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
            why = _message_of(error)
            if isinstance(error, ModuleNotFoundError) and f"{self.module}.".startswith(f"{error.name}."):
                why = f"no module {error.name!r} in {self._places()} or in what is installed"
            raise TargetError(f"{name} cannot be imported: {why}") from error
        limit = asyncio.timeout(_START_SECONDS)
        try:
            async with limit:
                running: StartedTarget = await serve(host="127.0.0.1", port=0, control_port=0, settings=merged)
        except (Exception, SystemExit) as error:
            why = f" within {_START_SECONDS:g} s" if limit.expired() else f": {_message_of(error)}"
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
        _refuse_settings(settings)
        return self

    async def close(self) -> None:
        """Do nothing: the server is not ours."""


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
        _refuse_settings(settings)
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
            await _wait_until_itlistens_on(running, ports)
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


async def _wait_until_itlistens_on(child: Child, ports: list[int]) -> None:
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


def _refuse_settings(settings: Mapping[str, Any]) -> None:
    if settings:
        raise TargetUsageError(
            f"the scenario has settings for the server ({', '.join(settings)}), and this target takes none: "
            "only an import string does (docs/targets.md). Delete `server:` from the scenario if they do not matter to "
            "this bot; a capture leaves them out with --no-server"
        )
