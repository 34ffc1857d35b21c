"""The command `capture`: prints the addresses to use, and one line for each call. It prints no words of a call."""

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from audiosocket_core.stop_signals import stop_signals
from audiosocket_sim.asterisk.profiles import UnknownProfile, profile
from audiosocket_sim.cli.arguments import program
from audiosocket_sim.cli.console import FINE, SET_UP, USAGE, refuse, say, trouble
from audiosocket_sim.live.capture.backend_proxy import origin_of
from audiosocket_sim.live.capture.call_writer import InProcessWriter, SubprocessWriter, WrittenCall, recover
from audiosocket_sim.live.capture.next_command import next_commands
from audiosocket_sim.live.capture.options import CaptureOptions
from audiosocket_sim.live.capture.session import CannotListen, Capture
from audiosocket_sim.net.same_address import reaches

__all__ = ["CaptureUsageError", "capture_command", "parse_address", "parse_settings", "recover_command"]

_SWITCH_SECONDS = 0.0005
"""How long a frame may wait for the interpreter while another thread hands over a call; Python's default is 5 ms."""


class CaptureUsageError(ValueError):
    """An option is invalid. One line for people."""


def parse_address(text: str, what: str, *, default_host: str = "127.0.0.1", lowest_port: int = 0) -> tuple[str, int]:
    """Parse `HOST:PORT`, `[::1]:PORT`, or a port alone, which means loopback. `what` names the option in errors.

    Raises CaptureUsageError.
    """
    host, _, port = text.rpartition(":")
    host = host.strip("[]") or default_host
    if "/" in host or not (port.isdecimal() and lowest_port <= int(port) <= 65_535):
        raise CaptureUsageError(f"{what} {text}: expected HOST:PORT, such as 127.0.0.1:8090")
    return host, int(port)


def parse_settings(given: Sequence[str]) -> dict[str, object]:
    """Return settings such as `system.barge_in=true` as the scenario's `server:` mapping. Raises CaptureUsageError."""
    settings: dict[str, object] = {}
    for text in given:
        path, equals, value = text.partition("=")
        keys = path.split(".")
        if not equals or not all(keys):
            raise CaptureUsageError(f"--server {text}: expected KEY.KEY=VALUE, such as system.barge_in=true")
        try:
            parsed = YAML(typ="safe", pure=True).load(value)
        except YAMLError:
            raise CaptureUsageError(f"--server {text}: {value!r} is not a YAML value") from None
        inner: dict[str, object] = settings
        for key in keys[:-1]:
            below = inner.setdefault(key, {})
            if not isinstance(below, dict):
                raise CaptureUsageError(f"--server {text}: {key} already has a value")
            inner = below
        inner[keys[-1]] = parsed
    return settings


def capture_command(
    *,
    listen: str,
    to: str,
    out: Path,
    ai_listen: str | None,
    ai_to: str | None,
    control: str | None,
    control_token: SecretStr | None = None,
    asterisk: str,
    attach: str,
    redact: bool,
    name: str,
    server: Sequence[str],
    no_server: bool,
    calls: int | None,
    at_once: int,
    longest_seconds: float,
) -> int:
    """Capture until SIGINT, SIGTERM, or `calls` calls.

    Returns the exit code: 0; 2 for invalid options; 3 if a port or the folder is unusable, or a call was not written.
    """
    try:
        options = CaptureOptions(
            parse_address(listen, "--listen"),
            parse_address(to, "--to", lowest_port=1),
            out,
            *_ai(ai_listen, ai_to),
            control=None if control is None else _url(control, "--control"),
            control_token=control_token,
            version=_version(asterisk),
            attach="chan" if attach == "chan" else "app",
            redact=redact,
            name=_name(name),
            server={} if no_server else parse_settings(server) or None,
            calls=calls,
            at_once=at_once,
            longest_seconds=longest_seconds,
        )
        _refuse_itself(options)
    except CaptureUsageError as error:
        return refuse(str(error), USAGE)
    try:
        out.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        return refuse(f"--out {out}: {error.strerror or error}", SET_UP)
    if not os.access(out, os.W_OK | os.X_OK):
        return refuse(f"--out {out}: the folder is not writable", SET_UP)
    before = sys.getswitchinterval()
    sys.setswitchinterval(_SWITCH_SECONDS)
    try:
        return asyncio.run(_until_stopped(options))
    except CannotListen as error:
        return refuse(str(error), SET_UP)
    finally:
        sys.setswitchinterval(before)


def recover_command(out: Path) -> int:
    """Write the calls that a killed capture left behind in `out`, and say how many there were and how to run them.

    Returns the exit code: 0; 2 if there is no such folder; 3 if a call could not be written.
    """
    if not out.is_dir():
        return refuse(f"--recover {out}: there is no such folder", USAGE)
    found = list(recover(CaptureOptions(("", 0), ("", 0), out), InProcessWriter()))
    for call in found:
        say(call.line)
    calls = [call.written for call in found if call.written is not None]
    _say_what_next(calls, out)
    return SET_UP if len(calls) < len(found) else FINE


async def _until_stopped(options: CaptureOptions) -> int:
    loop = asyncio.get_running_loop()
    call_writer = await loop.run_in_executor(None, SubprocessWriter, options, program())
    try:
        found = await loop.run_in_executor(None, lambda: list(recover(options, call_writer)))
        for call in found:
            say(call.line)
        recovered = [call.written for call in found if call.written is not None]
        return await _capture(Capture(options, say=say, trouble=trouble, call_writer=call_writer), options, recovered)
    finally:
        await loop.run_in_executor(None, call_writer.close)


async def _capture(capture: Capture, options: CaptureOptions, recovered: Sequence[WrittenCall]) -> int:
    with stop_signals(capture.stop, ("SIGINT", "SIGTERM", "SIGHUP")):
        await capture.start()
        try:
            say(_where(options, capture))
            await capture.wait()
        finally:
            await capture.aclose()
    _say_what_next([*recovered, *capture.calls], options.out)
    return SET_UP if capture.failed else FINE


def _say_what_next(calls: Sequence[WrittenCall], out: Path) -> None:
    how_many = f"{len(calls)} call{'' if len(calls) == 1 else 's'} written to {out}"
    say("\n".join([how_many, *next_commands(calls, program())]))


def _refuse_itself(options: CaptureOptions) -> None:
    """Raise CaptureUsageError if the capture would pass calls or requests on to itself, without an end."""
    ours = [("--listen", options.listen)]
    ours += [("--ai-listen", options.ai_listen)] if options.ai_listen is not None else []
    theirs = [("--to", options.to, "the bot"), ("--ai-to", _place(options.ai_to), "the AI backend")]
    theirs += [("--control", _place(options.control), "the control API")]
    for flag, place, who in theirs:
        for own_flag, own in ours:
            if place is not None and reaches(place, own):
                shown = f"{place[0]}:{place[1]}"
                raise CaptureUsageError(
                    f"{flag} {shown} is the capture itself ({own_flag}): give the address at which {who} listens"
                )


def _place(url: str | None) -> tuple[str, int] | None:
    """Return the host and port of a URL."""
    if url is None:
        return None
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


def _where(options: CaptureOptions, capture: Capture) -> str:
    words = f"capture on {options.listen[0]}:{capture.port}, to {options.to[0]}:{options.to[1]}"
    if options.ai_listen is not None:
        words += f"; AI backend on http://{options.ai_listen[0]}:{capture.ai_port}, to {origin_of(options.ai_to or '')}"
    else:
        words += "; the AI backend is not captured"
    return words + ("; redacted" if options.redact else "")


def _ai(ai_listen: str | None, ai_to: str | None) -> tuple[tuple[str, int] | None, str | None]:
    if (ai_listen is None) != (ai_to is None):
        raise CaptureUsageError(
            "--ai-listen and --ai-to must be given together: where the server asks, and who answers"
        )
    if ai_listen is None or ai_to is None:
        return None, None
    return parse_address(ai_listen, "--ai-listen"), _url(ai_to, "--ai-to")


def _url(text: str, what: str) -> str:
    try:
        parts = urlsplit(text)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        fits = False
    if not fits:
        raise CaptureUsageError(f"{what} {text}: expected a URL, such as http://127.0.0.1:8000")
    return text


def _version(text: str) -> str:
    try:
        return profile(text).version
    except UnknownProfile as error:
        raise CaptureUsageError(f"--asterisk {text}: {error}") from None


def _name(text: str) -> str:
    if not text.replace("_", "").replace("-", "").isalnum():
        raise CaptureUsageError(f"--name {text}: expected letters, digits, _ and - only, for a file's name")
    return text
