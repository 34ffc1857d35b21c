"""The server: starts its parts, accepts connections as calls, and shuts everything down. `serve` is the entry point.

`audiosocket_server:serve` is the import string by which the simulator starts this server in its own process
(docs/targets.md); such a server reads neither file nor environment.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from audiosocket_core.accepting import Acceptor
from audiosocket_core.slin import read_audio
from audiosocket_server.backend.client import AiClient
from audiosocket_server.detectors import Detectors
from audiosocket_server.door import ListenerDoor
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
DRAIN_SECONDS = 3.0  # longer than the 2 s that a transport gives its connection to end
ABORT_SECONDS = 1.0  # after the sockets were aborted; calls that remain wait for a speech engine or the backend


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
        self._engine = CachedSpeech(engine)
        self._backend = AiClient(settings.ai)
        self._detectors = Detectors(settings.endpointing)
        rules = _rules(settings, tells_words=self._engine.tells_words)
        self._services = Services(
            settings, rules, self._engine, self._backend, self.calls, hold_pcm, self._detectors, stand_ins
        )
        self._door = ListenerDoor(self._services)
        self._connections = self._door.connections
        self._listening: Acceptor | None = None
        self._control: ControlServer | None = None
        self._ending: asyncio.Task[None] | None = None

    async def close(self) -> None:
        """Hang up every call, let the connections drain, and close everything. Takes seconds at most. Idempotent."""
        self._door.stops = True
        if self._ending is None:
            self._ending = asyncio.get_running_loop().create_task(self._close())
        await asyncio.shield(self._ending)

    async def _close(self) -> None:
        if self._listening is not None:
            self._listening.close(accept_waiting=True)
            await self._listening.settled()
        for connection in tuple(self._connections):
            connection.stop(SERVER_STOPS)
        await self._door.all_gone(DRAIN_SECONDS)
        for connection in tuple(self._connections):
            connection.abort()
        await self._door.all_gone(ABORT_SECONDS)
        if self._connections:
            log.error(
                "the server stops, although the speech engine or the backend is still at work for %d calls",
                len(self._connections),
            )
            for leaving in self._door.leaving:
                leaving.cancel()
        if self._control is not None:
            await self._control.aclose()
        await self._backend.aclose()
        await self._engine.aclose()
        await self._detectors.aclose()

    async def _start(self, host: str, port: int, control_port: int | None) -> None:
        await self._detectors.start()
        listening = Acceptor(self._door.accept, on_trouble=log.warning, make_room=self._door.make_room)
        await listening.start(host, port, backlog=BACKLOG)
        self._listening = listening
        self.host, self.port = listening.host, listening.port
        if self._door.admission.is_open and not is_loopback(host):
            log.warning(
                "AudioSocket has no password: whoever reaches %s:%d can call; server.peers and server.expected_uuids "
                "say who may",
                self.host,
                self.port,
            )
        if control_port is not None:
            control, most = self._settings.server, self._settings.limits.control_connections
            self._control = ControlServer(
                self.calls, control.control_token, expected=self._door.admission.expected, most_connections=most
            )
            self.control_url = await self._control.start(control.control_host, control_port)
        log.info("AudioSocket on %s:%d, control API on %s", self.host, self.port, self.control_url)


def _load(settings: Settings) -> tuple[SpeechEngine, bytes, StandIns | None]:
    """Load the parts that take long: speech engine, hold audio, stand-ins. Blocking: runs in the executor, once."""
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


def _rules(settings: Settings, *, tells_words: bool) -> TurnRules:
    system, limits = settings.system, settings.limits
    return TurnRules(
        greeting=settings.greeting.message,
        greeting_delay_seconds=settings.greeting.delay_seconds,
        audio_wait_seconds=settings.greeting.wait_for_audio_seconds,
        hears_early=settings.endpointing.echo_guard,
        hears_first=settings.greeting.caller_first == "hear",
        pause_seconds=system.after_speech_pause_seconds,
        hold_after_seconds=system.hold_after_seconds,
        transaction_seconds=system.max_transaction_time_seconds,
        no_utterance_seconds=limits.no_utterance_seconds,
        longest_utterance_seconds=settings.endpointing.longest_utterance_seconds,
        silence_seconds=system.silence_threshold_seconds,
        backend_seconds=settings.ai.timeout_seconds,
        call_seconds=limits.call_seconds,
        barge_in=system.barge_in,
        doubt_seconds=system.barge_in_pause_seconds,
        tells_words=tells_words,
        language=settings.speech.language,
        backchannels=settings.speech.backchannels,
        queued_messages=limits.queued_messages,
    )
