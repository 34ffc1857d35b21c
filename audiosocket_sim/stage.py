"""All that one call needs, set up in order and taken down in order: mock AI, target, peer, ear, states, log.

It writes down what happens (the log) and wakes whoever waits for a change. It decides nothing: `steps` does.
"""

import asyncio
import contextlib
import uuid
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from audiosocket.phrases import PhraseBook
from audiosocket_sim import call_log as log
from audiosocket_sim.asterisk import CallLeg, ConnectFailed, LegEnd
from audiosocket_sim.call_log import CallLog, Entry, LogEvent, Source
from audiosocket_sim.caller import Caller
from audiosocket_sim.control import ControlClient, ToldEvent
from audiosocket_sim.hearing import (
    Ear,
    HeardHoldStarted,
    HeardHoldStopped,
    HeardSpeech,
    HeardSpeechStarted,
)
from audiosocket_sim.line import LineModel
from audiosocket_sim.mock_ai import MockAi
from audiosocket_sim.profiles import profile
from audiosocket_sim.scenario import Scenario
from audiosocket_sim.target import Running, Target, TargetError, TargetUsageError

__all__ = ["Stage"]

_NAMESPACE = uuid.UUID("6f1d5e0a-3c55-5b1e-9a8e-2f6f4d1c7b20")


class Stage:
    """One call's world: `async with Stage(…) as stage`. Everything that it started is gone when it is left."""

    def __init__(
        self,
        scenario: Scenario,
        target: Target,
        ear_book: PhraseBook,
        hold_pcm: bytes,
        *,
        settings: dict[str, Any] | None = None,
        ai_port: int = 0,
        on_entry: Callable[[Entry], None] | None = None,
    ) -> None:
        self.scenario = scenario
        self.log = CallLog()
        self.state: str | None = None
        self.end: LegEnd | None = None
        self.failures: list[str] = []
        """What is wrong beside the steps: requests that fit no reply, pushes that were refused."""
        self._target = target
        self._settings = settings if settings is not None else scenario.server
        self._ai_port = ai_port
        self._on_entry = on_entry
        self._loop = asyncio.get_running_loop()
        self._started_at = self._loop.time()
        self._waiters: set[asyncio.Future[None]] = set()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._error: BaseException | None = None
        self._running: Running | None = None
        self.control: ControlClient | None = None
        self.ai = MockAi(scenario.ai, on_event=self._on_backend, push=self._push)
        peer = scenario.asterisk
        self.line = LineModel(
            scenario.line.codec, scenario.line.noise_dbfs, scenario.line.gain_db, scenario.line.seed, peer.rate_hz
        )
        self.caller = Caller(self.line, peer.rate_hz, self._loop.time)
        self.ear = Ear(ear_book, hold_pcm, self._on_heard)
        self.leg = CallLeg(
            profile(peer.version, peer.attach),
            uuid.UUID(peer.uuid) if peer.uuid else uuid.uuid5(_NAMESPACE, scenario.name),
            packet_time_ms=peer.packet_time,
            rate_hz=peer.rate_hz,
            source=self._source,
            on_bot_audio=self._on_bot_audio,
            answered=peer.answered,
            connect_pause_ms=peer.connect_pause,
            mixed=peer.mixed,
            jitter=peer.jitter,
            split=scenario.network.split,
            seed=scenario.network.seed,
        )

    # --- time and waiting

    @property
    def t0(self) -> float:
        """The loop time of the UUID, the call's zero; before it, of the start."""
        return self.leg.t0 if self.leg.t0 is not None else self._started_at

    def ms(self, loop_time: float) -> int:
        """Whole milliseconds since the UUID."""
        return round((loop_time - self.t0) * 1000)

    @property
    def now_ms(self) -> int:
        return self.ms(self._loop.time())

    def record(self, loop_time: float, source: Source, event: LogEvent) -> None:
        self._record_ms(self.ms(loop_time), source, event)

    def _record_ms(self, at_ms: int, source: Source, event: LogEvent) -> None:
        entry = self.log.add(at_ms, source, event)
        if self._on_entry is not None:
            self._on_entry(entry)
        self.wake()

    def wake(self) -> None:
        """Something changed: whoever waits looks again."""
        waiters, self._waiters = self._waiters, set()
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def changed(self, until: float) -> None:
        """Return when anything happened, or at the loop time `until`. Raises what broke a part of the stage."""
        if self._error is not None:
            raise self._error
        waiter: asyncio.Future[None] = self._loop.create_future()
        self._waiters.add(waiter)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(until):
                await waiter
        self._waiters.discard(waiter)
        if self._error is not None:
            raise self._error

    # --- up and down

    async def __aenter__(self) -> Self:
        try:
            await self._set_up()
        except BaseException:
            await self._take_down()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._take_down()

    async def _set_up(self) -> None:
        try:
            ai_url = await self.ai.start(self._ai_port)
        except OSError as error:
            raise TargetError(
                f"the mock AI cannot listen on port {self._ai_port}: {error.strerror or error}"
            ) from error
        self._running = await self._target.start(self._settings, ai_url)
        if self._running.control_url is not None:
            self.control = ControlClient(self._running.control_url)
        elif any(reply.then_pushes for reply in self.scenario.ai):
            raise TargetUsageError("the scenario pushes messages, and the target has no control URL (docs/targets.md)")

    async def place_call(self) -> None:
        """Dial. Returns when the UUID is sent, or when there will be none. Raises TargetError."""
        assert self._running is not None
        try:
            await self.leg.connect(self._running.host, self._running.port)
        except ConnectFailed as error:
            raise TargetError(f"nobody answers at {self._running.host}:{self._running.port}: {error}") from error
        self._spawn(self._watch_end())
        if self.control is not None and self.leg.t0 is not None:
            self._spawn(self._follow_states(self.control))

    async def finish(self) -> None:
        """The call is over: let the last facts arrive (the server's own end, the mock's), then check the leftovers."""
        until = self._loop.time() + 2.0
        while (self.end is None or self._tasks) and self._loop.time() < until:
            await self.changed(min(until, self._loop.time() + 0.1))
        self.failures += self.ai.failures

    def unused_replies(self) -> list[str]:
        """What the AI's script holds and nobody asked for: only of interest where all steps held."""
        return [f"{reply} was never used" for reply in self.ai.unused()]

    async def _take_down(self) -> None:
        self.leg.abort()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self.control is not None:
            await self.control.aclose()
        if self._running is not None:
            await self._running.close()
        await self.ai.aclose()

    def _spawn(self, work: Any) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None and self._error is None:
            self._error = task.exception()
        self.wake()

    # --- what comes in

    def _source(self, n_samples: int) -> bytes | None:
        self.ear.advance(self._loop.time())
        return self.caller.source(n_samples)

    def _on_bot_audio(self, at: float, rate_hz: int, payload: bytes) -> None:
        if rate_hz == 8000:
            payload = self.line.receive(payload)
        self.ear.hear(at, rate_hz, payload)

    def _on_heard(self, fact: HeardSpeechStarted | HeardSpeech | HeardHoldStarted | HeardHoldStopped) -> None:
        match fact:
            case HeardSpeechStarted():
                self.wake()
            case HeardSpeech(at=at, heard_ms=heard, whole_ms=whole, text=text, voice=voice, gap_ms=gap, ahead_ms=ahead):
                self.record(at, Source.BOT, log.BotSpoke(text, heard, whole, voice, gap, ahead))
            case HeardHoldStarted(at=at):
                self.record(at, Source.HOLD, log.HoldStarted(self._into_waiting_ms(self.ms(at))))
            case HeardHoldStopped(at=at, duration_ms=duration, seamless=seamless):
                self.record(at, Source.HOLD, log.HoldStopped(duration, seamless))

    def _into_waiting_ms(self, at_ms: int) -> int | None:
        told = [e for e in self.log.entries if isinstance(e.event, log.StateTold) and e.at_ms <= at_ms]
        if not told or not isinstance(event := told[-1].event, log.StateTold) or event.after != "WAITING":
            return None
        return at_ms - told[-1].at_ms

    def _on_backend(self, event: log.BackendAsked | log.BackendReplied | log.BackendPushed) -> None:
        source = Source.HEARD if isinstance(event, log.BackendAsked) else Source.BACKEND
        self.record(self._loop.time(), source, event)

    async def _push(self, conversation_id: str, body: dict[str, Any]) -> int:
        assert self.control is not None
        return await self.control.push(conversation_id, body)

    async def _follow_states(self, control: ControlClient) -> None:
        host, port = self.leg.local_address
        call_id = await control.find(str(self.leg.uuid), f"{host}:{port}")
        await control.follow(call_id, self._on_told)

    def _on_told(self, event: ToldEvent) -> None:
        at_ms = round(event.at_seconds * 1000)
        if event.type == "state_changed":
            before, after = str(event.fields["before"]), str(event.fields["after"])
            self.state = after
            self._record_ms(at_ms, Source.STATE, log.StateTold(before, after))
        elif event.type == "warned":
            self._record_ms(at_ms, Source.PEER, log.Noted(f"the server warns: {event.fields['what']}"))
        elif event.type == "transcript_final" and event.fields["text"] == "":
            self._record_ms(at_ms, Source.HEARD, log.Noted("the server recognised nothing"))

    async def _watch_end(self) -> None:
        end = await self.leg.wait_ended()
        self.caller.stop()
        self.ear.close(end.at)
        self.end = end
        if self.scenario.network.split == "none":  # else it was we who cut the server's messages
            for anomaly in self.leg.anomalies:
                self.record(end.at, Source.PEER, log.Noted(anomaly))
        heard = _last_word_heard(self.log, end.who, self.ms(end.at))
        self.record(end.at, Source.END, log.CallEnded(end.who, end.how, end.dialplan, end.reason, heard))


def _last_word_heard(call: CallLog, who: str, end_ms: int) -> bool | None:
    """Whether the bot's last stretch of speech was heard to its end; of a caller's hang-up only if he cut it off."""
    spoken = [(entry.at_ms, entry.event) for entry in call.entries if isinstance(entry.event, log.BotSpoke)]
    if not spoken:
        return None
    at_ms, last = spoken[-1]
    if who == "caller" and not (last.cut_off and at_ms + last.heard_ms + 100 >= end_ms):
        return None
    return not last.cut_off
