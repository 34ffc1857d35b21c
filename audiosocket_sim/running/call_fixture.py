"""The running parts of one call, started and stopped in order: mock AI, target, leg, ear, states, log.

The fixture logs what happens and wakes all tasks that wait for a change. It judges nothing: `steps` does. If one of its
parts breaks, every waiting task gets SimulatorError, ControlError or TargetError: that is no failure of the bot.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from audiosocket_sim.asterisk import ConnectFailed, LegEnd
from audiosocket_sim.call_log import events as log
from audiosocket_sim.call_log import voices
from audiosocket_sim.call_log.events import CallLog, Entry, LogEvent, Noted, Source
from audiosocket_sim.hearing import (
    Ear,
    HeardHoldStarted,
    HeardHoldStopped,
    HeardSpeech,
    HeardSpeechStarted,
)
from audiosocket_sim.mock_ai.backend import MockAi
from audiosocket_sim.net.bind_errors import why_not_listening
from audiosocket_sim.net.control_client import ControlClient, ControlError, ControlEvent
from audiosocket_sim.parties.peer import Leg
from audiosocket_sim.parties.target import Child, StartedTarget, TargetError, TargetUsageError, close_target
from audiosocket_sim.running.call_setup import CallSetup
from audiosocket_sim.virtual_time import VirtualLoop

__all__ = ["TARGET_DIED", "CallFixture", "SimulatorError"]

TARGET_DIED = "target"
"""Pseudo-step name for the failure "the program under test exited during the call"."""

_LAST_FACTS_SECONDS = 2.0
"""How long after the end of the steps the connection may take to close, and the stream of events to end."""
_DYING_SECONDS = 0.5
"""How long after a program's connection has closed the system may take to report that the program ended."""


class SimulatorError(Exception):
    """A part of the simulator failed, which is not the bot's fault. `__cause__` is the original exception."""


class CallFixture:
    """One call in progress: `async with CallFixture(setup) as fixture`. On exit, all that it started has ended.

    `on_entry` is called with every new entry of the log.
    """

    def __init__(self, setup: CallSetup, on_entry: Callable[[Entry], None] | None = None) -> None:
        self.scenario = scenario = setup.scenario
        self.log = CallLog()
        self.state: str | None = None
        self.end: LegEnd | None = None
        self._setup = setup
        self._on_entry = on_entry
        self._loop = asyncio.get_running_loop()
        self._started_at = self._loop.time()
        self._waiters: set[asyncio.Future[None]] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._watches: set[asyncio.Task[None]] = set()
        self._error: Exception | None = None
        self._running: StartedTarget | None = None
        self.control: ControlClient | None = None
        self.ai = MockAi(
            scenario.ai, self._on_backend, self._push, on_failure=self._on_ai_failure, on_error=self._broke
        )
        self.line = setup.line
        self.caller = setup.caller
        self.ear = Ear(setup.ear_book, setup.hold_pcm, self._on_heard)
        self.leg: Leg = setup.make_leg(scenario, self._source, self._on_bot_audio)

    # --- time and waiting

    @property
    def t0(self) -> float:
        """The loop time, in seconds, at which the UUID was sent; before that, at which the fixture was made."""
        return self.leg.t0 if self.leg.t0 is not None else self._started_at

    def ms(self, loop_time: float) -> int:
        """Convert a loop time, in seconds, to whole milliseconds since the UUID."""
        return round((loop_time - self.t0) * 1000)

    @property
    def now_ms(self) -> int:
        """The current time in whole milliseconds since the UUID."""
        return self.ms(self._loop.time())

    def record(self, loop_time: float, source: Source, event: LogEvent) -> None:
        """Write an event into the log, at the loop time (seconds) at which it happened."""
        self._record_ms(self.ms(loop_time), source, event)

    def fail(self, at_ms: int, number: int, step: str, expected: str, *happened: str) -> None:
        """Log a StepFailed at `at_ms` since the UUID. `number`: the step's number from 1, or 0 if it is no step."""
        self._record_ms(at_ms, Source.CHECK, log.StepFailed(number, step, expected, happened))

    def _record_ms(self, at_ms: int, source: Source, event: LogEvent) -> None:
        entry = self.log.add(at_ms, source, event)
        if self._on_entry is not None:
            try:
                self._on_entry(entry)
            except Exception as error:  # noqa: BLE001 - an observer is called in mid-call, and must not end the call
                self._on_entry = None
                self._broke(error)
        self.notify()

    def notify(self) -> None:
        """Wake all tasks that wait in `changed`."""
        waiters, self._waiters = self._waiters, set()
        for waiter in waiters:
            _settle(waiter)

    async def changed(self, until: float) -> None:
        """Wait for the next change, at most until the loop time `until`, in seconds.

        Raises SimulatorError, ControlError or TargetError if a part of the fixture has failed.
        """
        self._raise_if_broken()
        waiter: asyncio.Future[None] = self._loop.create_future()
        self._waiters.add(waiter)
        timer = self._loop.call_at(until, _settle, waiter)
        try:
            await waiter
        finally:
            timer.cancel()
            self._waiters.discard(waiter)
        self._raise_if_broken()

    def _broke(self, error: Exception) -> None:
        if self._error is None:
            if not isinstance(error, ControlError | TargetError):
                wrapped = SimulatorError(f"the simulator failed: {error!r}")
                wrapped.__cause__ = error
                error = wrapped
            self._error = error
        self.notify()

    def _raise_if_broken(self) -> None:
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
        trouble = await self._take_down()
        if trouble is not None and error is None:
            raise trouble

    async def _set_up(self) -> None:
        try:
            ai_url = await self.ai.start(self._setup.ai_port)
        except OSError as error:
            raise TargetError(
                f"the mock AI: {why_not_listening(error, '127.0.0.1', self._setup.ai_port, '--ai-port')}"
            ) from error
        self._running = await self._setup.target.start(self._setup.settings, ai_url)
        if self._running.control_url is not None:
            self.control = ControlClient(self._running.control_url, self._setup.control_token)
        elif any(reply.then_pushes for reply in self.scenario.ai):
            raise TargetUsageError("the scenario pushes messages, and the target has no control URL (docs/targets.md)")

    async def place_call(self) -> None:
        """Dial the target, and return once the UUID is sent or the call has ended without one. Raises TargetError."""
        assert self._running is not None
        try:
            await self.leg.connect(self._running.host, self._running.port)
        except ConnectFailed as error:
            raise TargetError(f"nobody answers at {self._running.host}:{self._running.port}: {error}") from error
        self._spawn(self._watch_end(), self._tasks)
        if self.control is not None and self.leg.t0 is not None:
            self._spawn(self._follow_states(self.control), self._tasks)
        if isinstance(self._running, Child):
            self._spawn(self._watch_program(self._running), self._watches)

    async def let_the_ear_read(self, text: str) -> None:
        """Teach the ear the synthetic voice's rendering of `text`, unless it knows a phrase of these words already."""
        if not self.ear.knows(text):
            self.ear.learn(await self._setup.sounds.synthetic_phrases([text]))

    async def finish(self) -> None:
        """Wait until the leg has reported the end of the call and the control stream has closed (at most 2 s)."""
        until = self._loop.time() + _LAST_FACTS_SECONDS
        while (self.end is None or self._tasks) and self._loop.time() < until:
            await self.changed(until)
        if self.end is None or self._tasks:
            late = "the connection" if self.end is None else "the control URL's stream of events"
            self.record(
                self._loop.time(),
                Source.PEER,
                Noted(f"{late} did not end within {_LAST_FACTS_SECONDS:g} s of the call"),
            )
        elif self._watches and self.end.who == "server" and self.end.how != "hangup_message":
            await asyncio.wait(self._watches, timeout=_DYING_SECONDS)
        self._raise_if_broken()

    async def _take_down(self) -> TargetError | None:
        """Shut every part down even if some fail. Returns the error of the target's own shutdown, if any."""
        tasks = [*self._tasks, *self._watches]
        for task in tasks:
            task.cancel()
        trouble: TargetError | None = None
        try:
            if self.leg.t0 is not None:
                self.ear.close(self._loop.time())  # in an interrupted call: log the speech that is not finished
            await self.leg.aclose()
            await asyncio.gather(*tasks, return_exceptions=True)
            if self.control is not None:
                await self.control.aclose()
        finally:
            try:
                if self._running is not None:
                    await close_target(self._running)
            except TargetError as error:
                trouble = error
            finally:
                await self.ai.aclose()
        return trouble

    def _spawn(self, work: Coroutine[Any, Any, None], tasks: set[asyncio.Task[None]]) -> None:
        def done(task: asyncio.Task[None]) -> None:
            tasks.discard(task)
            error = None if task.cancelled() else task.exception()
            if isinstance(error, Exception):
                self._broke(error)
            self.notify()

        task = self._loop.create_task(work)
        tasks.add(task)
        task.add_done_callback(done)

    # --- what comes in

    def _source(self, n_samples: int) -> bytes | None:
        self.ear.advance(self._loop.time())
        return self.caller.source(n_samples)

    def _on_bot_audio(self, at: float, rate_hz: int, payload: bytes) -> None:
        if rate_hz == 8000:
            payload = self.line.receive(payload, at)
        self.ear.hear(at, rate_hz, payload)

    def _on_heard(self, fact: HeardSpeechStarted | HeardSpeech | HeardHoldStarted | HeardHoldStopped) -> None:
        match fact:
            case HeardSpeechStarted():
                self.notify()
            case HeardSpeech():
                self.record(fact.at, Source.BOT, self._with_its_wait(fact))
            case HeardHoldStarted(at=at):
                self.record(at, Source.HOLD, log.HoldStarted(self._into_waiting_ms(self.ms(at))))
            case HeardHoldStopped(at=at, duration_ms=duration, seamless=seamless):
                self.record(at, Source.HOLD, log.HoldStopped(duration, seamless))

    def _with_its_wait(self, heard: HeardSpeech) -> log.BotSpoke:
        """Return what was heard as an event, with the time that the caller had waited for it."""
        spoke = log.BotSpoke(
            heard.text, heard.heard_ms, heard.whole_ms, heard.voice, heard.gap_ms, heard.ahead_ms, heard.parts_ms
        )
        wait_ms = voices.wait_ms(self.log.entries, self.ms(heard.at), spoke)
        if wait_ms is None:
            return spoke
        loop, since = self._loop, heard.at - wait_ms / 1000
        unmeasured = isinstance(loop, VirtualLoop) and loop.worked_outside(since, heard.at)
        return replace(spoke, wait_ms=wait_ms, wait_measured=not unmeasured)

    def _into_waiting_ms(self, at_ms: int) -> int | None:
        """Milliseconds since the bot entered the state WAITING; None if its last reported state is another."""
        changes = [e for e in self.log.entries if isinstance(e.event, log.StateTold) and e.at_ms <= at_ms]
        if not changes or not isinstance(event := changes[-1].event, log.StateTold) or event.after != "WAITING":
            return None
        return at_ms - changes[-1].at_ms

    def _on_backend(self, event: log.BackendAsked | log.BackendReplied | log.BackendPushed) -> None:
        source = Source.HEARD if isinstance(event, log.BackendAsked) else Source.BACKEND
        self.record(self._loop.time(), source, event)

    def _on_ai_failure(self, failure: str) -> None:
        self.fail(self.now_ms, 0, "ai", "the AI's script to fit", failure)

    def check_the_ais_script(self, *, hung_up: bool) -> None:
        """Log a failure for each reply and push in the AI script that was never used.

        `hung_up`: the caller has hung up, so that pushes which were not due yet are no failure.
        """
        left = [f"{reply} was never used" for reply in self.ai.unused()]
        if not hung_up:
            left += [f"{push} was never sent: the call was over before it was due" for push in self.ai.unsent()]
        for failure in left:
            self._on_ai_failure(failure)

    async def _push(self, conversation_id: str, body: dict[str, Any]) -> int:
        assert self.control is not None
        return await self.control.push(conversation_id, body)

    async def _follow_states(self, control: ControlClient) -> None:
        host, port = self.leg.local_address
        try:
            call_id = await control.find(str(self.leg.uuid), f"{host}:{port}")
            await control.follow(call_id, self._on_control_event)
        except ControlError:
            if isinstance(self._running, Child) and await self._running.ends_within(_DYING_SECONDS):
                return  # the program ended, which `_watch_program` reports
            raise

    async def _watch_program(self, program: Child) -> None:
        """Log a failure if the program ends in mid-call; that it ends once its call is over is no failure."""
        how = await program.ended()
        at_ms = self.now_ms
        until = self._loop.time() + _DYING_SECONDS
        while self.end is None and self._loop.time() < until:
            await self.changed(until)
        if self.end is None or (self.end.who == "server" and self.end.how != "hangup_message"):
            self.fail(at_ms, 0, TARGET_DIED, "the command to run to the end of the call", f"it {how}")

    def _on_control_event(self, event: ControlEvent) -> None:
        at_ms = round(event.at_seconds * 1000)
        if event.type == "state_changed":
            before, after = event.text("before"), event.text("after")
            self.state = after
            self._record_ms(at_ms, Source.STATE, log.StateTold(before, after))
        elif event.type == "stage_took":
            took = log.StageTook(event.text("stage"), event.ms("duration_ms"), event.ms_or_none("since_last_word_ms"))
            self._record_ms(at_ms, Source.LATENCY, took)
        elif event.type == "warned":
            self._record_ms(at_ms, Source.PEER, Noted(f"the server warns: {event.text('what')}"))
        elif event.type == "transcript_final" and event.text("text") == "":
            detail = event.fields.get("detail")
            self._record_ms(
                at_ms,
                Source.HEARD,
                Noted(f"the server's recognition failed: {detail}" if detail else "the server recognised nothing"),
            )

    async def _watch_end(self) -> None:
        end = await self.leg.wait_ended()
        self.caller.stop()
        self.ear.close(end.at)
        self.end = end
        if self.scenario.network.split == "none":  # otherwise the anomalies are our own: we split the messages
            for anomaly in self.leg.anomalies:
                self.record(end.at, Source.PEER, Noted(anomaly))
        heard = log.last_word_heard(self.log, end.who, self.ms(end.at))
        self.record(end.at, Source.END, log.CallEnded(end.who, end.how, end.dialplan, end.reason, heard))
        for at_ms, overlap in voices.overlaps(self.log.entries):
            self._record_ms(at_ms, Source.TURNS, overlap)


def _settle(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
