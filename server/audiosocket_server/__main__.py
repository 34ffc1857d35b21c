"""`python -m audiosocket_server`: the live server. Exit codes: 0 ended in order, 2 settings, 3 set-up.

Reads the settings, chooses the event loop, sets up the log and the garbage collector, waits for SIGINT or SIGTERM. All
else is `listener`'s. Nearly everything is imported late, so that `--help` and a wrong setting answer at once.
"""

import argparse
import asyncio
import contextlib
import gc
import logging
import re
import resource
import sys
from collections.abc import Callable, Sequence
from errno import EADDRINUSE
from pathlib import Path
from typing import TYPE_CHECKING

from audiosocket_core.few_at_once import FewAtOnce

if TYPE_CHECKING:
    from audiosocket_server.listener import ServerHandle
    from audiosocket_server.settings.settings import Settings

__all__ = ["allow_open_files", "collect_each_minute", "loop_factory", "main", "set_up_collector"]

EXIT_SETTINGS = 2
EXIT_SETUP = 3
EXIT_INTERRUPTED = 130

FILES_A_CALL = 2  # the caller's connection and, sometimes, the backend's
SPARE_FILES = 100  # the files of the process itself, and some that only calls can have

# Objects that are made before the collector looks at the newest; how many such looks before it looks at those that
# survived one; and before it looks at everything: never by itself.
_COLLECTIONS = (700, 5, 1_000_000_000)
FULL_COLLECTION_SECONDS = 60.0

log = logging.getLogger("audiosocket_server")

_EXAMPLES = """\
examples:
  python -m audiosocket_server
  AI_API_URL=http://10.0.0.5:8000/messages python -m audiosocket_server --host 0.0.0.0 --port 9092
  python -m audiosocket_server --check             # which speech engine is used, and does it work?

In Asterisk's dialplan: AudioSocket(<a UUID>,127.0.0.1:8080). Settings come from config.json, then .env, then the
environment; docs/server.md of https://github.com/audiosocket-sim/audiosocket-sim lists them all. Ctrl-C hangs up every
call and ends the server.
"""


class _SetupError(Exception):
    """The server cannot start. The message is one line for people."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the server until SIGINT or SIGTERM. Returns the exit code."""
    from audiosocket_server.settings.errors import ConfigError

    args = _parser().parse_args(argv)
    try:
        settings = _settings(args)
        make_loop = loop_factory(args.loop)
    except ConfigError as error:
        return _fail(str(error), EXIT_SETTINGS)
    except _SetupError as error:
        return _fail(str(error), EXIT_SETUP)
    _set_up_log(args.log_level)
    try:
        with asyncio.Runner(loop_factory=make_loop) as runner:
            runner.run(_check(settings) if args.check else _serve(settings))
    except _SetupError as error:
        return _fail(str(error), EXIT_SETUP)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    return 0


async def _check(settings: "Settings") -> None:
    """Make the configured speech engine and detector, try them, and report the result. Opens no port."""
    from audiosocket_core.errors import AudioSocketError
    from audiosocket_server.detectors import Detectors
    from audiosocket_server.speech.base import SpeechError
    from audiosocket_server.speech.checking import check_engine
    from audiosocket_server.speech.choice import choose, load_engine

    loop = asyncio.get_running_loop()
    began_at = loop.time()
    choice = choose(settings)
    _say(f"speech engine: {choice.engine} ({choice.reason})")
    try:
        engine, _ = await loop.run_in_executor(None, load_engine, settings)
        try:
            tried = await check_engine(engine)
        finally:
            await engine.aclose()
        detectors = Detectors(settings.endpointing)
        detector = await detectors.start()
        await detectors.aclose()
    except (AudioSocketError, SpeechError, OSError) as error:
        raise _SetupError(f"{error} (after {loop.time() - began_at:.1f} s)") from error
    _say(f"tried: {tried}")
    _say(f"voice activity detector: {detector.engine} ({detector.reason})")
    _say(f"it works ({loop.time() - began_at:.1f} s)")


async def _serve(settings: "Settings") -> None:
    from audiosocket_core.stop_signals import stop_signals

    stop = asyncio.Event()
    limits = settings.limits
    allow_open_files(limits.calls, limits.connections_without_uuid + limits.control_connections)
    async with contextlib.AsyncExitStack() as at_end:
        with stop_signals(stop.set):  # ends before the server does, so that a second Ctrl-C need not wait for the drain
            server = await _started(settings)
            at_end.push_async_callback(server.close)
            set_up_collector()
            minutes = asyncio.get_running_loop().create_task(collect_each_minute())
            at_end.callback(minutes.cancel)
            _say(f"AudioSocket on {server.host}:{server.port}, control API and debug page on {server.control_url}")
            await stop.wait()


def set_up_collector() -> None:
    """Shorten the pauses that the garbage collector makes for all calls; `collect_each_minute` does the rest.

    What lives as long as the server is no longer looked at. It is never thawed, so that the process does not look
    through all of it once more when it ends.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECTIONS)


async def collect_each_minute() -> None:
    """Let the garbage collector look at everything once a minute, which takes 40 ms with 400 calls.

    By itself it would do so every few seconds, since each answer leaves objects, and each time every call would wait.
    """
    while True:
        await asyncio.sleep(FULL_COLLECTION_SECONDS)
        gc.collect()


async def _started(settings: "Settings") -> "ServerHandle":
    from audiosocket_core.errors import AudioSocketError
    from audiosocket_server.listener import serve
    from audiosocket_server.speech.base import SpeechError

    chosen = settings.server
    try:
        return await serve(
            host=chosen.host, port=chosen.port, control_port=chosen.control_port, settings=settings, check=True
        )
    except OSError as error:
        raise _SetupError(_why_no_port(error, settings)) from error
    except (AudioSocketError, SpeechError) as error:
        raise _SetupError(str(error)) from error


def allow_open_files(calls: int, others: int) -> None:
    """Raise the process's limit of open files to what calls and other connections need, as far as the system allows.

    The usual limit is 1024 files. Logs a warning if the system allows fewer than needed.
    """
    needed = calls * FILES_A_CALL + others + SPARE_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    allowed = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    if allowed < needed:
        log.warning("limits.calls is %d, which needs %d open files, but only %d are allowed", calls, needed, allowed)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m audiosocket_server",
        description="The reference server: answers calls from Asterisk, asks an AI backend, speaks its replies.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--host", help="address on which AudioSocket listens (127.0.0.1)")
    parser.add_argument("--port", type=_port, help="port of AudioSocket; 0: any free port (8080)")
    parser.add_argument(
        "--control-host", help="address of the control API (127.0.0.1); beyond loopback it needs CONTROL_TOKEN"
    )
    parser.add_argument(
        "--control-port", type=_port, help="port of the control API and the debug page; 0: any free port (8081)"
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="file with settings (config.json, if it exists)")
    parser.add_argument("--env-file", type=Path, metavar="FILE", help="file with more settings (.env, if it exists)")
    parser.add_argument(
        "--loop", choices=("auto", "asyncio", "uvloop"), default="auto", help="auto: uvloop if it is installed"
    )
    parser.add_argument(
        "--check", action="store_true", help="make and try the speech engine, report the result, and end"
    )
    parser.add_argument(
        "--log-level",
        choices=("debug", "info", "warning", "error"),
        default="info",
        help="lowest level of the log on stderr (info)",
    )
    return parser


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 10 or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not a port: expected 0 to 65535")
    return int(text)


def _settings(args: argparse.Namespace) -> "Settings":
    """Read the settings; the options of the command line take precedence. Raises ConfigError."""
    from audiosocket_server.settings.settings import load_settings

    names = ("host", "port", "control_host", "control_port")
    given = {name: value for name in names if (value := getattr(args, name)) is not None}
    return load_settings(args.config, args.env_file, {"server": given} if given else None)


def loop_factory(name: str) -> Callable[[], asyncio.AbstractEventLoop]:
    """Return what makes the event loop of this name, as `--loop` has it: `auto`, `asyncio` or `uvloop`."""
    if name == "asyncio":
        return lambda: asyncio.SelectorEventLoop(FewAtOnce())
    try:
        import uvloop
    except ImportError:
        if name == "auto":
            return loop_factory("asyncio")
        raise _SetupError("uvloop is not installed: pip install 'audiosocket-sim[fast]', or --loop asyncio") from None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


def _set_up_log(level: str) -> None:
    logging.basicConfig(
        level=level.upper(), format="%(asctime)s %(levelname)-7s %(name)s: %(message)s", stream=sys.stderr
    )
    for chatty in ("httpx", "httpcore", "sse_starlette", "asyncio"):  # they would log addresses and bodies
        logging.getLogger(chatty).setLevel(logging.WARNING)
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)  # it would log each broken request, without an address


def _why_no_port(error: OSError, settings: "Settings") -> str:
    chosen = settings.server
    address = re.search(r"\('([^']*)', (\d+)", str(error))
    if error.errno == EADDRINUSE and address:
        flag = "--control-port" if int(address[2]) == chosen.control_port else "--port"
        return f"port {address[2]} on {address[1]} is in use: end what listens there, or choose another with {flag}"
    if error.filename:
        return f"{error.filename}: {(error.strerror or 'cannot be read').lower()}"
    audio, control = f"{chosen.host}:{chosen.port}", f"{chosen.control_host}:{chosen.control_port}"
    return f"cannot listen on {audio} and {control}: {error.strerror or error}"


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _fail(message: str, code: int) -> int:
    for line in message.splitlines():
        sys.stderr.write(f"server: {line}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
