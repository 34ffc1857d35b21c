"""One call with the microphone, from dialling to its end: joins call leg, phone, ear and the server's events.

It shows nothing and writes no file. On the wire it is exactly the simulated Asterisk (`asterisk.CallLeg`).
"""

import asyncio
import ipaddress
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

from audiosocket_core.phrase_book.book import PhraseBook
from audiosocket_core.stop_signals import stop_signals
from audiosocket_sim.asterisk import CallLeg, LegEnd
from audiosocket_sim.asterisk.profiles import profile
from audiosocket_sim.call_log import events as log
from audiosocket_sim.call_log.events import CallLog, Entry, LogEvent, Noted, Source
from audiosocket_sim.call_log.resumption import add_speech
from audiosocket_sim.hearing import Ear, Fact, HeardHoldStarted, HeardHoldStopped, HeardSpeech
from audiosocket_sim.live.mic.echo_guard import EchoGuard
from audiosocket_sim.live.mic.keys import AGAIN, HANG_UP, MUTE
from audiosocket_sim.live.mic.options import MicOptions
from audiosocket_sim.live.mic.own_pauses import OwnPauses
from audiosocket_sim.live.mic.phone import BufferedPhone
from audiosocket_sim.live.mic.server_events import ServerEvents
from audiosocket_sim.live.mic.trouble import LiveTrouble, troubles
from audiosocket_sim.net.control_client import ControlClient, ControlError

__all__ = ["MicCall"]

_USUAL_CONTROL_URL = "http://127.0.0.1:8081"
_LAST_FACTS_SECONDS = 2.0
_LAST_WORD_SECONDS = 0.5
_CATCHES_UP_SECONDS = 1.0
_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


MOST_SAVED_BYTES = 320_000_000
"""Memory for the bot's sound, if a scenario is to be saved: hours of a bot that keeps the pace."""
_BYTES_A_MESSAGE = 150
"""Memory for each message beside its payload."""


class MicCall:
    """One call. Create it in a running loop, and call `run` once; then read `log`, `phone`, `server_events` and `end`.

    microphone_hz, loudspeaker_hz: the devices' rates. bot_book, hold_pcm: the bot's prompts and its hold loop (8 kHz
    SLIN), which are recognised in its sound. on_entry: called with each entry of the call log.
    """

    def __init__(
        self,
        options: MicOptions,
        *,
        microphone_hz: int,
        loudspeaker_hz: int,
        bot_book: PhraseBook,
        hold_pcm: bytes,
        on_entry: Callable[[Entry, "MicCall"], None],
    ) -> None:
        self._options = options
        self._on_entry = on_entry
        self._loop = loop = asyncio.get_running_loop()
        self._began_at = loop.time()
        self._tasks: set[asyncio.Task[None]] = set()
        self._noted: set[str] = set()
        self._pauses = OwnPauses()
        self._missed_ms = 0.0
        self._bot_at: float | None = None
        self._saved_bytes = 0
        self.log = CallLog()
        self.end: LegEnd | None = None
        self.again = False
        """The caller hung up in order to call again."""
        guard = EchoGuard() if options.echo_guard else None
        self.phone = BufferedPhone(loop.time, microphone_hz=microphone_hz, loudspeaker_hz=loudspeaker_hz, guard=guard)
        self.ear = Ear(bot_book, hold_pcm, self._on_heard)
        self.leg = CallLeg(
            profile(options.version, options.attach), uuid4(), source=self._source, on_bot_audio=self._on_bot_audio
        )
        self.server_events = ServerEvents(str(self.leg.uuid), self._record_ms)
        self.bot_sent: list[tuple[float, int, bytes]] = []
        """The bot's packets (loop time, rate in Hz, SLIN); empty if no scenario is to be saved."""
        self.keys: list[tuple[float, str]] = []
        """The keys pressed (loop time of the release, digit)."""

    # --- what the screen shows

    @property
    def t0(self) -> float:
        """The loop time of the UUID, or, before it, of the call's beginning."""
        return self._began_at if self.leg.t0 is None else self.leg.t0

    def ms(self, loop_time: float) -> int:
        """Return a loop time as whole milliseconds since the UUID."""
        return round((loop_time - self.t0) * 1000)

    @property
    def sent(self) -> list[tuple[float, bytes]]:
        """The packets that left the phone since the UUID; Asterisk discards any earlier ones."""
        return [packet for packet in self.phone.sent if packet[0] >= self.t0]

    @property
    def now_ms(self) -> int:
        """The present as milliseconds since the UUID."""
        return self.ms(self._loop.time())

    @property
    def state(self) -> str | None:
        """The bot's state, None if the server has not reported one."""
        return self.server_events.state

    # --- from the dialling to the end

    async def run(self) -> LegEnd:
        """Make the whole call. Returns when it is over and the last events have arrived. Raises ConnectFailed.

        Ctrl-C, SIGTERM and a closed terminal hang up; the log and the files are written all the same.
        """
        control = await self._find_control()
        with stop_signals(self.hang_up, _SIGNALS):
            try:
                await self.leg.connect(self._options.host, self._options.port)
                limit = self._loop.call_later(self._options.seconds, self.hang_up)
                following = self._spawn(self._follow(control))
                end = self.end = await self.leg.wait_ended()
                limit.cancel()
                self._conclude(end)
                await asyncio.wait([following, *self._tasks], timeout=_LAST_FACTS_SECONDS)
                if end.who != "caller":
                    await asyncio.sleep(min(_LAST_WORD_SECONDS, self.phone.playout.depth_ms / 1000))
                return end
            finally:
                for task in self._tasks:
                    task.cancel()
                await asyncio.gather(*self._tasks, return_exceptions=True)
                await self.leg.aclose()
                if control is not None:
                    await control.aclose()

    def hang_up(self) -> None:
        """Hang up as a caller does. May be called at any time, also while dialling and after the end."""
        self.leg.hang_up()

    def on_key(self, what: str) -> None:
        """Act on a key of the keyboard; `what` is its `keys.meaning`."""
        if what in (HANG_UP, AGAIN):
            self.again = what == AGAIN
            self.hang_up()
        elif self.leg.t0 is None or self.end is not None:
            return
        elif what == MUTE:
            self.phone.muted = not self.phone.muted
            self._record(self._loop.time(), Source.CALLER, log.CallerAction("mute" if self.phone.muted else "unmute"))
        else:
            self._spawn(self._press(what))

    async def _press(self, digit: str) -> None:
        self._record(self._loop.time(), Source.CALLER, log.CallerAction("dtmf", digit))
        await self.leg.press(digit)
        self.keys.append((self._loop.time(), digit))

    def _conclude(self, end: LegEnd) -> None:
        for message in self._pauses.ready(math.inf):
            self._take_bot_audio(*message)
        self.ear.close(end.at)
        for anomaly in self.leg.anomalies:
            self._record(end.at, Source.PEER, Noted(anomaly))
        heard = log.last_word_heard(self.log, end.who, self.ms(end.at))
        self._record(end.at, Source.END, log.CallEnded(end.who, end.how, end.dialplan, end.reason, heard))

    def _spawn(self, work: Any) -> asyncio.Task[None]:
        task: asyncio.Task[None] = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # --- sound

    def _source(self, n_samples: int) -> bytes | None:
        now = self._loop.time()
        self._tick(now)
        for message in self._pauses.ready(now):
            self._take_bot_audio(*message)
        if self._missed_ms and self._pauses.known_until(now) == now:
            self.phone.catch_up(self._missed_ms)
            self._missed_ms = 0.0
        self.ear.advance(self._pauses.known_until(now))
        packet = self.phone.source(n_samples)
        for trouble in self.troubles:
            if trouble.note and trouble.kind not in self._noted:
                self._noted.add(trouble.kind)
                device = trouble.kind in ("microphone", "loudspeaker")
                self._record(now, Source.CALLER if device else Source.PEER, Noted(trouble.note))
        return packet

    def _tick(self, now: float) -> None:
        stood_still = self._pauses.tick(now)
        if stood_still is not None:
            self._missed_ms += stood_still * 1000
            what = f"this program stood still for {stood_still:.1f} s, which is not the bot's fault"
            self._record(now, Source.CALLER, Noted(what))

    @property
    def troubles(self) -> list[LiveTrouble]:
        """What is wrong with the call at this moment. A pause of this program is none."""
        now, phone, rested = self._loop.time(), self.phone, self._pauses.ended
        return troubles(
            now,
            microphone_at=max(rested, phone.captured_at),
            loudspeaker_at=max(rested, phone.pulled_at),
            answered_at=None if self.leg.t0 is None else max(rested, self.leg.t0),
            bot_at=None if self._bot_at is None else max(rested, self._bot_at),
            waiting=0.0 if now - rested < _CATCHES_UP_SECONDS else phone.playout.depth_ms / 1000,
        )

    def _on_bot_audio(self, at: float, rate_hz: int, payload: bytes) -> None:
        self._tick(at)  # this may be the first to run after a pause
        self.phone.hear(at, rate_hz, payload)
        self._bot_at = at
        for message in self._pauses.take((at, rate_hz, payload)):
            self._take_bot_audio(*message)

    def _take_bot_audio(self, at: float, rate_hz: int, payload: bytes) -> None:
        self.ear.hear(at, rate_hz, payload)
        if self._options.save_scenario is not None and self._saved_bytes <= MOST_SAVED_BYTES:
            self._save(at, rate_hz, payload)

    def _save(self, at: float, rate_hz: int, payload: bytes) -> None:
        self._saved_bytes += len(payload) + _BYTES_A_MESSAGE
        if self._saved_bytes <= MOST_SAVED_BYTES:
            self.bot_sent.append((at, rate_hz, payload))
        else:
            what = f"the bot sent more than {MOST_SAVED_BYTES // 1_000_000} MB: what follows is not in the scenario"
            self._record(at, Source.PEER, Noted(what))

    def _on_heard(self, fact: Fact) -> None:
        match fact:
            case HeardSpeech(at=at, heard_ms=heard, whole_ms=whole, text=text, voice=voice, gap_ms=gap, ahead_ms=ahead):
                spoke = log.BotSpoke(text, heard, whole, voice, gap, ahead, skipped_ms=fact.skipped_ms)
                spoke = replace(spoke, pauses_ms=fact.pauses_ms, twice_ms=fact.twice_ms)
                self._record(at, Source.BOT, add_speech(self.log, self.ms(at), spoke))
            case HeardHoldStarted(at=at):
                self._record(at, Source.HOLD, log.HoldStarted())
            case HeardHoldStopped(at=at, duration_ms=duration, seamless=seamless):
                self._record(at, Source.HOLD, log.HoldStopped(duration, seamless))

    # --- the server's events

    async def _find_control(self) -> ControlClient | None:
        """Return a client of the control API, None if there is none.

        It sends a request before the call begins, since a process's first request takes as long as several packets.
        """
        asked_for = self._options.control_url is not None
        if not asked_for and not _is_loopback(self._options.host):
            return None
        control = ControlClient(self._options.control_url or _USUAL_CONTROL_URL, self._options.control_token)
        if await control.answers() or asked_for:
            return control
        await control.aclose()
        return None

    async def _follow(self, control: ControlClient | None) -> None:
        """Follow this call's events, if there is a control API. A failure is logged if the user gave the URL."""
        if control is None:
            return
        try:
            host, port = self.leg.local_address
            await control.follow(await control.find(str(self.leg.uuid), f"{host}:{port}"), self.server_events.take)
        except ControlError as error:
            if self._options.control_url is not None or self.server_events.any_received:
                self._record(self._loop.time(), Source.PEER, Noted(str(error)))

    def _record(self, loop_time: float, source: Source, event: LogEvent) -> None:
        self._record_ms(self.ms(loop_time), source, event)

    def _record_ms(self, at_ms: int, source: Source, event: LogEvent) -> None:
        self._on_entry(self.log.add(at_ms, source, event), self)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
