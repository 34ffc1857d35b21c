"""Carries out the hooks of a scenario: HTTP requests and commands, before the call and after it.

In virtual time a request to what listens in the call's own network (the target, the mock AI) goes through the event
loop; any other request, and a command, is done in a thread that holds the clock, where `within` counts on the real one.
"""

import asyncio
import json
import os
import re
import select
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from errno import errorcode
from io import FileIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from audiosocket_sim.scenario import Hook, filled
from audiosocket_sim.virtual_time import VirtualLoop

__all__ = ["HookFailed", "HookNotMet", "asked_for", "carry_out_hook"]

_LONGEST_SHOWN = 200
_LARGEST_BYTES = 1_000_000
_KEPT_BYTES = 10_000
"""Of a program's output: its last line is shown."""
_READ_BYTES = 65_536
_PIPE_BYTES = 1_048_576
"""What a pipe holds at most, unless root says otherwise."""


class HookFailed(Exception):
    """A hook could not be carried out: nobody answers, no such program, not in time. The message is one line."""


class HookNotMet(Exception):
    """A hook was carried out, and its answer is not the one that was asked for. The message says what it was."""


_ERRNO = re.compile(r"^\[Errno -?\d+\] ")
"""What Python writes before the words of the system's error: a number that says nothing to people."""


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: str


async def carry_out_hook(hook: Hook, values: Mapping[str, str], folder: Path | None) -> str:
    """Carry out one hook, and return what came of it in words: `201`, `exit code 0`.

    `values`: of the placeholders. `folder`: where a command runs. Raises HookFailed and HookNotMet.
    """
    if hook.command is not None:
        return await _command(hook, [filled(word, values) for word in hook.command], values, folder)
    answer = await _answer(hook, values)
    asked = hook.status or range(200, 300)
    found = f"{answer.status}{_shown(answer.body)}"
    if answer.status not in asked:
        raise HookNotMet(found)
    if hook.contains is not None and filled(hook.contains, values) not in answer.body:
        raise HookNotMet(f"{found}, without {filled(hook.contains, values)!r:.{_LONGEST_SHOWN}}")
    return str(answer.status)


def asked_for(hook: Hook) -> str:
    """Return what a hook asks for, in words: `201, with “open”`, `exit code 0`."""
    if hook.command is not None:
        return f"exit code {hook.exit_code or 0}"
    status = "200 to 299" if hook.status is None else " or ".join(map(str, hook.status))
    return status if hook.contains is None else f"{status}, with {hook.contains!r:.{_LONGEST_SHOWN}}"


# --- HTTP


async def _answer(hook: Hook, values: Mapping[str, str]) -> _Answer:
    url = filled(hook.url, values)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as error:
        raise HookFailed(f"{url:.{_LONGEST_SHOWN}}: {error}") from None
    if not host:
        raise HookFailed(f"{url:.{_LONGEST_SHOWN}}: an address without a host")
    headers = {filled(name, values): filled(text, values) for name, text in hook.headers.items()}
    request: dict[str, Any] = {"headers": headers}
    if hook.json_ is not None:
        headers.setdefault("Content-Type", "application/json")
        request["content"] = json.dumps(_filled(hook.json_, values), ensure_ascii=False).encode()
    elif hook.body is not None:
        request["content"] = filled(hook.body, values).encode()
    loop = asyncio.get_running_loop()
    seconds = hook.within / 1000
    try:
        if not isinstance(loop, VirtualLoop) or _is_in_memory(loop, host, port):
            return await _in_the_loop(str(hook.method), url, request, seconds)
        return await loop.run_in_executor(None, _on_the_real_clock, str(hook.method), url, request, seconds)
    except _errors() as error:
        said = f"no answer within {seconds:g} s" if _is_timeout(error) else _reason(error)
        raise HookFailed(f"{url:.{_LONGEST_SHOWN}}: {said:.{_LONGEST_SHOWN}}") from None


def _is_in_memory(loop: VirtualLoop, host: str, port: int) -> bool:
    """Whether an address is in the network of a virtual call, which has one machine."""
    try:
        return loop.network is not None and bool(loop.network.resolve(host)) and port in loop.network.listening_ports
    except OSError:
        return False


def _filled(value: Any, values: Mapping[str, str]) -> Any:
    match value:
        case str():
            return filled(value, values)
        case dict():
            return {_filled(key, values): _filled(inner, values) for key, inner in value.items()}
        case list() | tuple():
            return [_filled(inner, values) for inner in value]
    return value


def _errors() -> tuple[type[Exception], ...]:
    import httpx

    return (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError, TimeoutError)


def _is_timeout(error: Exception) -> bool:
    import httpx

    return isinstance(error, httpx.TimeoutException | TimeoutError)


def _reason(error: BaseException) -> str:
    """Why a request could not be made: what the system said, where an error of the system is at its root."""
    said = _ERRNO.sub("", " ".join(str(error).split())) or type(error).__name__
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno is not None and cause.errno in errorcode:
            said = os.strerror(cause.errno)
        cause = cause.__cause__ or cause.__context__
    return said


async def _in_the_loop(method: str, url: str, request: dict[str, Any], seconds: float) -> _Answer:
    import httpx

    async with (
        asyncio.timeout(seconds),
        httpx.AsyncClient(trust_env=False, verify=url.startswith("https:"), timeout=seconds) as client,
        client.stream(method.upper(), url, **request) as answer,
    ):
        body = b""
        async for piece in answer.aiter_bytes():
            body += piece[: _LARGEST_BYTES - len(body)]
            if len(body) >= _LARGEST_BYTES:
                break
        return _Answer(answer.status_code, _decoded(body, answer.encoding))


def _decoded(body: bytes, charset: str | None) -> str:
    """The body as text, in the character set that the answer names."""
    try:
        return body.decode(charset or "utf-8", errors="replace")
    except LookupError:  # a codec that is none of text
        return body.decode(errors="replace")


def _on_the_real_clock(method: str, url: str, request: dict[str, Any], seconds: float) -> _Answer:
    """As `_in_the_loop`, in a loop of this thread's own. Blocking."""
    return asyncio.run(_in_the_loop(method, url, request, seconds))


def _shown(body: str) -> str:
    words = " ".join(body.split())
    return "" if not words else f" “{words if len(words) <= _LONGEST_SHOWN else words[:_LONGEST_SHOWN] + '…'}”"


# --- commands


async def _command(hook: Hook, words: list[str], values: Mapping[str, str], folder: Path | None) -> str:
    """Run a program. Its output is read, and its last line is part of what a failure says."""
    environment = {**os.environ, **{f"AUDIOSOCKET_{name.upper()}": value for name, value in values.items()}}
    running: list[subprocess.Popen[bytes]] = []
    cancelled = threading.Event()

    def started(process: subprocess.Popen[bytes]) -> None:
        running.append(process)
        if cancelled.is_set():
            _kill(process)

    work = asyncio.get_running_loop().run_in_executor(
        None, _run, words, environment, folder, hook.within / 1000, started
    )
    try:
        code, said = await asyncio.shield(work)
    except asyncio.CancelledError:
        cancelled.set()
        for process in running:
            _kill(process)
        raise
    found = f"exit code {code}" if code >= 0 else f"it was ended by {_signal_name(-code)}"
    if code != (hook.exit_code or 0):
        raise HookNotMet(f"{found}{_shown(said)}")
    return found


def _run(
    words: list[str],
    environment: Mapping[str, str],
    folder: Path | None,
    seconds: float,
    started: Callable[[subprocess.Popen[bytes]], None],
) -> tuple[int, str]:
    """Run a program for at most so many seconds. Returns its code, and the last line of its output, of which no more
    than `_KEPT_BYTES` are ever held. Blocking."""
    ours, its = os.pipe()
    with os.fdopen(ours, "rb", buffering=0) as output:
        try:
            process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=its,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd=folder,
                start_new_session=True,
            )
        except OSError as error:
            raise HookFailed(f"{words[0]:.{_LONGEST_SHOWN}}: cannot be started: {error.strerror or error}") from None
        finally:
            os.close(its)
        started(process)
        reader = _LastBytes(output)
        reader.start()
        try:
            process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            late = f"it did not end within {seconds:g} s, and was killed"
            raise HookFailed(f"{words[0]:.{_LONGEST_SHOWN}}: {late}") from None
        finally:
            _kill(process)  # also what it has left behind in its process group
            process.wait()
            reader.stop()
    lines = reader.kept.decode(errors="replace").strip().splitlines()
    return process.returncode, lines[-1] if lines else ""


class _LastBytes(threading.Thread):
    """Reads a pipe in a thread, and keeps the last of what comes. `stop` takes what is in the pipe, and no more: what
    has left its process group and is still running would keep the pipe open."""

    def __init__(self, pipe: FileIO) -> None:
        super().__init__(daemon=True)
        self.kept = b""
        self._pipe = pipe
        self._stopping, self._stops = os.pipe()

    def run(self) -> None:
        os.set_blocking(self._pipe.fileno(), False)
        while self._stopping not in select.select([self._pipe.fileno(), self._stopping], [], [])[0]:
            if not self._take():
                return
        for _ in range(_PIPE_BYTES // _READ_BYTES):
            if not self._take():
                return

    def _take(self) -> bool:
        """Read once. Returns whether there was something."""
        read = self._pipe.read(_READ_BYTES)
        self.kept = (self.kept + (read or b""))[-_KEPT_BYTES:]
        return bool(read)

    def stop(self) -> None:
        os.close(self._stops)
        self.join()
        os.close(self._stopping)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return f"signal {number}"


def _kill(process: "subprocess.Popen[bytes]") -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
