"""The server: starts its parts, accepts connections as calls, and shuts everything down. `serve` is the entry point.

`audiosocket_server:serve` is the import string by which the simulator starts this server in its own process
(docs/targets.md); such a server reads neither file nor environment.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from audiosocket_core.accepting import Acceptor
from audiosocket_core.connection import Connection, Role
from audiosocket_core.slin import read_audio
from audiosocket_core.transport import AudioSocketProtocol, EndCause
from audiosocket_server.admission import Admission
from audiosocket_server.backend.client import AiClient, load_network
from audiosocket_server.call.session import Call
from audiosocket_server.complaints import Complaints
from audiosocket_server.detectors import Detectors
from audiosocket_server.registry.calls import Calls
from audiosocket_server.services import Services
from audiosocket_server.settings.settings import Settings, is_loopback, project_path
from audiosocket_server.speech.base import SpeechEngine, SpeechUnavailable
from audiosocket_server.speech.cached import CachedSpeech
from audiosocket_server.speech.checking import check_engine
from audiosocket_server.speech.choice import load_engine
from audiosocket_server.speech.fallback import StandIns
from audiosocket_server.turns.vocabulary import SERVER_STOPS, TurnRules
from audiosocket_server.web.api import ControlServer

__all__ = ["ServerHandle", "serve"]

log = logging.getLogger("audiosocket_server")

BACKLOG = 256  # a burst of calls waits in the kernel; Asterisk waits 2 s for a connection
MOST_REFUSED = 64  # refused connections that may end in an orderly way at a time; further ones are reset
DRAIN_SECONDS = 3.0  # longer than the 2 s that a transport gives its connection to end
ABORT_SECONDS = 1.0  # after the sockets were aborted; calls that remain wait for a speech engine or the backend
LONGEST_AUDIO_MS = 100  # of a piece of audio that a detector hears at once; longer messages are cut


async def serve(
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    control_port: int | None = 0,
    settings: Mapping[str, Any] | Settings | None = None,
    check: bool = False,
) -> "ServerHandle":
    """Start a server in the running loop. Port 0 is any free port; with `control_port` None there is no control API.

    `settings`: sections of keys that override the defaults, or complete settings (`load_settings` reads the files and
    the environment; `serve` does not). `check`: try the speech engine before the first call, if it has a check
    (`speech.base.Checked`).

    Raises ConfigError; OSError for a port in use or a missing file; AudioSocketError or SpeechError if the speech
    engine or the voice activity detector cannot be made, or the set-up of the engine is wrong.
    """
    chosen = settings if isinstance(settings, Settings) else Settings.from_overrides(settings)
    loop = asyncio.get_running_loop()
    engine, hold_pcm, stand_ins = await loop.run_in_executor(None, _load, chosen)
    handle = ServerHandle(chosen, engine, hold_pcm, stand_ins)
    try:
        if check:
            await _check(engine)
        await handle._start(host, port, control_port)
    except BaseException:
        await handle.close()
        raise
    return handle


class ServerHandle:
    """A running server, made by `serve`. It listens on `host` and `port`; `control_url` is None without control API."""

    def __init__(
        self, settings: Settings, engine: SpeechEngine, hold_pcm: bytes, stand_ins: StandIns | None = None
    ) -> None:
        limits = settings.limits
        self._settings = settings
        self.host = ""
        self.port = 0
        self.control_url: str | None = None
        self.calls = Calls(history=limits.history, events=limits.events)
        """The calls, live and recent (`registry.calls`)."""
        self._most_calls = limits.calls
        self._most_waiting = limits.connections_without_uuid
        self._admission = Admission(settings)
        self._complaints = Complaints(log)
        self._engine = CachedSpeech(engine)
        self._backend = AiClient(settings.ai)
        self._detectors = Detectors(settings.endpointing)
        rules = _rules(settings)
        self._services = Services(
            settings, rules, self._engine, self._backend, self.calls, hold_pcm, self._detectors, stand_ins
        )
        self._connections: set[_Connection] = set()
        self._waiting: dict[Call, None] = {}  # for their UUID, the oldest first
        self._refusals: dict[_Refusal, None] = {}
        self._leaving: set[asyncio.Task[None]] = set()
        self._listening: Acceptor | None = None
        self._control: ControlServer | None = None
        self._ending: asyncio.Task[None] | None = None

    async def close(self) -> None:
        """Hang up every call, let the connections drain, and close everything. Takes seconds at most. Idempotent."""
        if self._ending is None:
            self._ending = asyncio.get_running_loop().create_task(self._close())
        await asyncio.shield(self._ending)

    async def _close(self) -> None:
        if self._listening is not None:
            self._listening.close(accept_waiting=True)
            await self._listening.settled()
        for connection in tuple(self._connections):
            connection.stop(SERVER_STOPS)
        await self._all_gone(DRAIN_SECONDS)
        for connection in tuple(self._connections):
            connection.abort()
        await self._all_gone(ABORT_SECONDS)
        if self._connections:
            log.error(
                "the server stops, although the speech engine or the backend is still at work for %d calls",
                len(self._connections),
            )
            for leaving in self._leaving:
                leaving.cancel()
        if self._control is not None:
            await self._control.aclose()
        await self._backend.aclose()
        await self._engine.aclose()
        await self._detectors.aclose()

    async def _start(self, host: str, port: int, control_port: int | None) -> None:
        await self._detectors.start()
        listening = Acceptor(self._accept, on_trouble=log.warning, make_room=self._make_room)
        await listening.start(host, port, backlog=BACKLOG)
        self._listening = listening
        self.host, self.port = listening.host, listening.port
        if self._admission.is_open and not is_loopback(host):
            log.warning(
                "AudioSocket has no password: whoever reaches %s:%d can call; server.peers and server.expected_uuids "
                "say who may",
                self.host,
                self.port,
            )
        if control_port is not None:
            control, most = self._settings.server, self._settings.limits.control_connections
            self._control = ControlServer(
                self.calls, control.control_token, expected=self._admission.expected, most_connections=most
            )
            self.control_url = await self._control.start(control.control_host, control_port)
        log.info("AudioSocket on %s:%d, control API on %s", self.host, self.port, self.control_url)

    # --- connections --------------------------------------------------------------------------------------------------

    def _accept(self) -> AudioSocketProtocol:
        handler: _Connection
        stops = self._ending is not None
        if stops or self._live_calls >= self._most_calls:
            why = "the server stops" if stops else self._too_many_calls
            handler = self._refuse(why)
        else:
            if len(self._waiting) >= self._most_waiting:
                next(iter(self._waiting)).give_way()
            handler = Call(self._services, self)
            self._waiting[handler] = None
        self._connections.add(handler)
        connection = Connection(Role.SERVER)
        return AudioSocketProtocol(connection, handler, longest_audio_ms=LONGEST_AUDIO_MS, begins_in_turn=True)

    @property
    def _live_calls(self) -> int:
        return len(self._connections) - len(self._waiting) - len(self._refusals)

    @property
    def _too_many_calls(self) -> str:
        return f"limits.calls is {self._most_calls}"

    def _refuse(self, why: str) -> "_Refusal":
        self._count_refused(why)
        refusal = _Refusal(self._refusal_gone, at_once=len(self._refusals) >= MOST_REFUSED)
        self._refusals[refusal] = None
        return refusal

    def _count_refused(self, why: str) -> None:
        self.complain("refused connections", f"a connection is refused: {why}")
        self.calls.metrics.refused += 1

    def _make_room(self) -> bool:
        """Close a connection that is worth less than a new one. Returns False if there is none."""
        if self._waiting:
            next(iter(self._waiting)).give_way()
            return True
        return False

    # --- what a call asks its door (`session.Door`) -------------------------------------------------------------------

    def lets_in(self, peer: str) -> bool:
        """Return whether a connection from this address is accepted."""
        return self._admission.lets_in(peer)

    def refusal(self, call: Call, uuid: UUID) -> str | None:
        """Return why a connection that has sent its UUID does not become a call; None if it does."""
        self._waiting.pop(call, None)
        if self._live_calls > self._most_calls:
            why = self._too_many_calls
        elif not self._admission.expected.take(uuid, asyncio.get_running_loop().time()):
            why = "its UUID is not expected, or was used before"
        else:
            return None
        self._count_refused(why)
        return why

    def complain(self, kind: str, line: str, level: int = logging.WARNING) -> None:
        """Log a line about a connection, or count it, if there are many of its kind."""
        self._complaints.about(kind, line, asyncio.get_running_loop().time(), level)

    def gone(self, call: Call) -> None:
        """Forget a connection whose call is over, once its socket is closed."""
        self._waiting.pop(call, None)
        self._forget_soon(call)

    def _refusal_gone(self, refusal: "_Refusal") -> None:
        self._forget_soon(refusal)

    def _forget_soon(self, connection: "_Connection") -> None:
        task = asyncio.get_running_loop().create_task(self._forget(connection))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def _forget(self, connection: "_Connection") -> None:
        await connection.wait_closed()
        self._drop(connection)

    def _drop(self, connection: "_Connection") -> None:
        self._connections.discard(connection)
        if isinstance(connection, _Refusal):
            self._refusals.pop(connection, None)

    async def _all_gone(self, seconds: float) -> None:
        """Wait until no connection is left, for at most `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                while self._connections:
                    for connection in tuple(self._connections):
                        await connection.wait_closed()
                        self._drop(connection)
                while self._leaving:
                    await asyncio.wait(set(self._leaving))
        except TimeoutError:
            pass


class _Refusal:
    """The handler of a refused connection: ends it in an orderly way, so that the dialplan continues; or `at_once`."""

    def __init__(self, on_gone: Callable[["_Refusal"], None], *, at_once: bool) -> None:
        self._on_gone = on_gone
        self._at_once = at_once
        self._shell: AudioSocketProtocol | None = None

    def on_connected(self, shell: AudioSocketProtocol) -> None:
        """End the connection at once."""
        self._shell = shell
        if self._at_once:
            shell.abort()
        else:
            shell.end()

    def on_message(self, kind: int, payload: bytes) -> None:
        """Ignore the message."""

    def on_end(self, cause: EndCause) -> None:
        """Report that the connection is over."""
        self._on_gone(self)

    def stop(self, reason: str) -> None:
        """No-op: the connection is ending already."""

    def abort(self) -> None:
        """Close the socket at once."""
        if self._shell is not None:
            self._shell.abort()

    async def wait_closed(self) -> None:
        """Wait until the socket is closed."""
        if self._shell is not None:
            await self._shell.wait_closed()


_Connection = Call | _Refusal


def _load(settings: Settings) -> tuple[SpeechEngine, bytes, StandIns | None]:
    """Load the parts that take long: speech engine, hold audio, stand-ins. Blocking: runs in the executor, once."""
    load_network()
    engine, choice = load_engine(settings)
    log.info("speech engine: %s (%s)", choice.engine, choice.reason)
    stand_ins = None
    if choice.engine != "embedded":  # the embedded engine plays these recordings itself
        stand_ins = StandIns.load(project_path(settings.audio.prompts_folder), settings.speech.language)
    return engine, read_audio(project_path(settings.audio.waiting_file)), stand_ins


async def _check(engine: SpeechEngine) -> None:
    """Check the speech engine: a fault of its set-up raises SpeechError, an unavailable service is only a warning."""
    try:
        tried = await check_engine(engine)
    except SpeechUnavailable as error:
        log.warning("speech engine: %s; the server starts nevertheless", error)
    else:
        log.info("speech engine: %s", tried)


def _rules(settings: Settings) -> TurnRules:
    system, limits = settings.system, settings.limits
    return TurnRules(
        greeting=settings.greeting.message,
        greeting_delay_seconds=settings.greeting.delay_seconds,
        pause_seconds=system.after_speech_pause_seconds,
        hold_after_seconds=system.hold_after_seconds,
        transaction_seconds=system.max_transaction_time_seconds,
        no_utterance_seconds=limits.no_utterance_seconds,
        longest_utterance_seconds=settings.endpointing.longest_utterance_seconds,
        silence_seconds=system.silence_threshold_seconds,
        backend_seconds=settings.ai.timeout_seconds,
        call_seconds=limits.call_seconds,
        barge_in=system.barge_in,
        queued_messages=limits.queued_messages,
    )
