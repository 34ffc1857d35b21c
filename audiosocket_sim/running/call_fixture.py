"""The running parts of one call, started and stopped in order: mock AI, leg, ear, states, log.

The fixture logs what happens and wakes all tasks that wait for a change. It judges nothing: `steps` does. If one of its
parts breaks, every waiting task gets SimulatorError, ControlError or TargetError: that is no failure of the bot.
"""

import asyncio
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Self

from audiosocket_sim.asterisk import ConnectFailed, LegEnd
from audiosocket_sim.call_log import events as log
from audiosocket_sim.call_log.events import CallLog, Entry, LogEvent, Noted, Source
from audiosocket_sim.checks import OtherCalls, Sent
from audiosocket_sim.checks.lateness import LateBy, LatenessRecord, WasLate
from audiosocket_sim.hearing import Ear
from audiosocket_sim.hearing.phone_buffer import PHONE_HOLDS_MS
from audiosocket_sim.hearing.phones import phone_model
from audiosocket_sim.hearing.sending import Sending
from audiosocket_sim.mock_ai.backend import MockAi
from audiosocket_sim.mock_ai.switchboard import Conversation
from audiosocket_sim.net.control_client import ControlClient, ControlError, ControlEvent
from audiosocket_sim.parties.peer import Leg
from audiosocket_sim.parties.target import Child, TargetError, TargetUsageError, listens_on
from audiosocket_sim.reading import ReaderError
from audiosocket_sim.running.ai_script import AiScript
from audiosocket_sim.running.bot_under_test import BotUnderTest
from audiosocket_sim.running.call_end import CallFacts, after_the_end, loudest_dbfs
from audiosocket_sim.running.call_hooks import CallHooks
from audiosocket_sim.running.call_setup import CallSetup
from audiosocket_sim.running.defects import DefectCollector
from audiosocket_sim.running.heard_sound import HeardSound
from audiosocket_sim.running.readings import Readings
from audiosocket_sim.running.server_reports import reported
from audiosocket_sim.scenario import BotSays, StepPlace
from audiosocket_sim.virtual_time import CannotFollow, VirtualLoop, raise_if_bot_cannot_follow

__all__ = ["TARGET_DIED", "CallFixture", "NotAnswered", "SimulatorError"]

TARGET_DIED = "target"
"""Pseudo-step name for the failure "the program under test exited during the call"."""

_LAST_FACTS_SECONDS = 2.0
"""How long after the end of the steps the connection may take to close, and the stream of events to end."""
_LONGEST_EXTRA_SECONDS = 2.0
"""How long at the most a call goes on after a failure, on a machine that was late."""
_SECONDS_FOR_THREADS = 1.0
"""How long, in real time, threads of the bot's own may show that it cannot follow virtual time before it is accused."""
_DYING_SECONDS = 0.5
"""How long after a program's connection has closed the system may take to report that the program ended."""


_SOFT_END_MS = 200
"""How long the soft end of speech may last that is audible no more."""


class NotAnswered(TargetError):
    """Nobody answers at the target's address."""


class SimulatorError(Exception):
    """A part of the simulator failed, which is not the bot's fault. `__cause__` is the original exception."""


class CallFixture:
    """One call in progress: `async with CallFixture(setup, bot) as fixture`. On exit, all that it started has ended.

    The bot is running: other calls may use it too, before, afterwards and meanwhile.

    `on_entry` is called with every new entry of the log. `virtual`: whether the running loop's clock is virtual.
    """

    def __init__(
        self,
        setup: CallSetup,
        bot: BotUnderTest,
        on_entry: Callable[[Entry], None] | None = None,
        *,
        virtual: bool = True,
    ) -> None:
        self.scenario = scenario = setup.scenario
        self.log = CallLog()
        self.state: str | None = None
        self.end: LegEnd | None = None
        self._setup = setup
        self._bot = bot
        self._on_entry = on_entry
        self._loop = asyncio.get_running_loop()
        self._started_at = self._loop.time()
        self._virtual = virtual
        self._late: list[tuple[LateBy, float, float]] = []
        self._waiters: set[asyncio.Future[None]] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._watches: set[asyncio.Task[None]] = set()
        self._error: Exception | None = None
        self.ai_script = AiScript(
            self,
            "ai" if scenario.ai_cassette is None else "ai_cassette",
            lambda at_ms, key, expected, *happened: self.fail(at_ms, 0, key, expected, *happened),
        )
        self._hooks = CallHooks(
            scenario,
            self._note_hook,
            lambda place, expected, happened: self.fail(self.now_ms, place, "after", expected, happened),
        )
        self.control: ControlClient | None = None
        self.ai = MockAi(
            scenario.ai,
            self._on_backend,
            self._push,
            cassette=None if scenario.ai_cassette is None else scenario.cassette,
            on_failure=self.ai_script.does_not_fit,
            on_unmatched=self.ai_script.unmatched,
            on_error=self._broke,
            on_late=lambda seconds: self.was_late(LateBy.BACKEND, self._loop.time(), seconds),
        )
        self.line = setup.line
        self.caller = setup.caller
        self.defects = DefectCollector(scenario, self.line.began_between)
        self.sending = Sending()
        self.sounds_hash = setup.sounds.content_hash
        self.readings = Readings(setup.reader, self._on_read, self._broke, virtual=virtual)
        heard = HeardSound(self, scenario, self.defects, self.readings, virtual=virtual)
        self.asserted: dict[int, str] = {}
        """What steps have asked for, by the number of the entry that met it: of words that a reader has read."""
        self.other_calls: Callable[[], OtherCalls] = OtherCalls
        """Tells what is known of the other calls, if there are several."""
        self.to_judge: list[tuple[StepPlace, BotSays, int]] = []
        """The steps whose words a judge is to be asked about, and the entry of the speech that each has taken."""
        ahead, ear = scenario.quality.ahead, scenario.ear
        phone = phone_model(ear.model, delay_ms=ear.delay_ms, size_ms=ear.size_ms, resync_ms=ear.resync_ms)
        self._plays_as_it_comes = phone is None
        self.ear = Ear(
            setup.ear_book,
            setup.hold_pcm,
            heard.take,
            endless=ear.model == "endless",
            phone=phone,
            on_played=self._on_played,
            lead_ms=PHONE_HOLDS_MS if ahead == "allowed" else ahead,
            music=setup.music,
            any_music=setup.any_music,
        )
        self.leg: Leg = setup.make_leg(scenario, self._source, self._on_bot_audio)
        bot.answers(
            Conversation(
                self.leg.uuid,
                self.ai,
                lambda: self.leg.t0 is not None and self.end is None,
                self._spoke_at,
                scenario.caller.name,
            )
        )

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

    def fail(
        self,
        at_ms: int,
        place: int | StepPlace,
        step: str,
        expected: str,
        *happened: str,
        window: tuple[int, int] | tuple[None, None] = (None, None),
    ) -> None:
        """Log a StepFailed at `at_ms` since the UUID. `place`: of the step, or its number from 1; 0 if it is no step.

        `window`: when that of an `expect` or `never` opened and closed, in ms since the UUID. Raises CannotFollow
        instead if the bot does not follow the virtual clock: then a failure says nothing about it.
        """
        raise_if_bot_cannot_follow(_SECONDS_FOR_THREADS)
        at = StepPlace(place) if isinstance(place, int) else place
        opened_ms, closed_ms = window
        failed = log.StepFailed(at.number, step, expected, happened, opened_ms, closed_ms, at.path, at.inside)
        self._record_ms(at_ms, Source.CHECK, failed)

    def judged(self, place: StepPlace, step: str, window: tuple[int, int], met_ms: int | None) -> None:
        """Log that the expectation of a step was judged over its window (ms since the UUID): met, or not."""
        at_ms = min(window[1] if met_ms is None else met_ms, self.now_ms)
        found = log.ExpectationJudged(place.number, step, *window, met_ms, path=place.path, inside=place.inside)
        self._record_ms(at_ms, Source.CHECK, found)

    def _record_ms(self, at_ms: int, source: Source, event: LogEvent) -> None:
        self._show(self.log.add(at_ms, source, event))

    def _show(self, entry: Entry) -> None:
        if self._on_entry is not None:
            try:
                self._on_entry(entry)
            except Exception as error:  # noqa: BLE001 - an observer is called in mid-call, and must not end the call
                self._on_entry = None
                self._broke(error)
        self.notify()

    def was_late(self, by: LateBy, at: float, seconds: float) -> None:
        """Note that something was done at the loop time `at`, `seconds` late. In virtual time nothing is."""
        if not self._virtual:
            self._late.append((by, at, seconds))

    def lateness(self) -> LatenessRecord:
        """Return what was late so far; nothing in virtual time."""
        packets = [] if self._virtual else [(LateBy.PACKET, at, late) for at, late in self.leg.packet_lateness]
        found = [*self._late, *packets]
        return LatenessRecord(WasLate(by, (at - self.t0) * 1000, late * 1000) for by, at, late in found)

    async def wait_as_long_as_we_are_late(self) -> None:
        """Go on with the call for as long as the simulator was late so far: what comes then may have come in time."""
        if self.end is None:
            seconds = min(self.lateness().shift_ms(0, self.now_ms) / 1000, _LONGEST_EXTRA_SECONDS)
            until = self._loop.time() + seconds
            while self.end is None and self._loop.time() < until:
                await self.changed(until)

    def notify(self) -> None:
        """Wake all tasks that wait in `changed`."""
        waiters, self._waiters = self._waiters, set()
        for waiter in waiters:
            _settle(waiter)

    async def changed(self, until: float) -> None:
        """Wait for the next change, at most until the loop time `until`, in seconds.

        Raises SimulatorError, ControlError, TargetError or CannotFollow if a part of the fixture has failed.
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

    def break_off(self, error: CannotFollow) -> None:
        """Let all that waits end with this error: the bot cannot follow the virtual clock."""
        self._broke(error)

    def _broke(self, error: Exception) -> None:
        if self._error is None:
            if not isinstance(error, CannotFollow | ControlError | TargetError | ReaderError):
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
        trouble: TargetError | None = None
        try:
            if error is None or isinstance(error, Exception):  # and no interruption
                await self.carry_out_after()
        except TargetError as failed:
            trouble = failed
        finally:
            await self._take_down()
        if trouble is not None and error is None:
            raise trouble

    async def _set_up(self) -> None:
        running = self._bot.started
        if running.control_url is not None:
            self.control = ControlClient(running.control_url, self._setup.control_token)
        elif any(reply.then_pushes for reply in self.scenario.ai):
            raise TargetUsageError("the scenario pushes messages, and the target has no control URL (docs/targets.md)")
        await self.leg.prepare()
        await self._hooks.before(str(self.leg.uuid), running, self._bot.ai_url)

    def _spoke_at(self) -> float:
        """The loop time at which the caller spoke last, or at which the call began."""
        spoken = (entry.at_ms for entry in reversed(self.log.entries) if isinstance(entry.event, log.CallerSpoke))
        return self.t0 + next(spoken, 0) / 1000

    async def carry_out_after(self) -> bool:
        """Carry out the hooks after the call, once. Returns whether all held. Raises TargetError."""
        return await self._hooks.after()

    def _note_hook(self, key: str, what: str) -> None:
        self._record_ms(0 if key == "before" else self.now_ms, Source.PEER, Noted(f"{key}: {what}"))

    async def place_call(self) -> None:
        """Dial the target, and return once the UUID is sent or the call has ended without one. Raises NotAnswered."""
        running = self._bot.started
        self._bot.look_at_the_program()
        try:
            await self.leg.connect(running.host, running.port)
        except ConnectFailed as error:
            place = f"{running.host}:{running.port}"
            if isinstance(self._loop, VirtualLoop) and self._loop.network and listens_on(running.port):
                what = f"it listens at {place} of this machine, and not through the event loop"
                raise CannotFollow(what, f"{place} is the kernel's") from error
            raise NotAnswered(f"nobody answers at {place}: {error}") from error
        self._spawn(self._watch_end(), self._tasks)
        if self.control is not None and self.leg.t0 is not None:
            self._spawn(self._follow_states(self.control), self._tasks)
        self._bot.note_its_waits(lambda at, seconds: self.was_late(LateBy.BOT, at, seconds))
        if (program := self._bot.program) is not None:
            self._spawn(self._watch_program(program), self._watches)

    async def leave(self) -> None:
        """The call is over, and others go on: what becomes of the program is no matter of this call any more, and the
        backend has no more to say in it."""
        for task in self._watches:
            task.cancel()
        await self.ai.drop_pushes()

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

    async def all_read(self) -> None:
        """Wait until the words of all that was heard are known. Raises ReaderError if a reader has failed."""
        await self.readings.done()
        self._raise_if_broken()

    async def _take_down(self) -> None:
        """Shut every part of the call down even if some fail."""
        tasks = [*self._tasks, *self._watches]
        for task in tasks:
            task.cancel()
        try:
            if self.leg.t0 is not None:
                self.ear.close(self._loop.time())  # in an interrupted call: log the speech that is not finished
            await self.leg.aclose()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.readings.aclose()
            if self.control is not None:
                await self.control.aclose()
        finally:
            await self.ai.drop_pushes()  # the rest of it ends behind the bot, whose last questions it sees

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
            payload = self.line.receive(payload, at, plays=self._plays_as_it_comes)
        self.defects.arrived(at, rate_hz, payload)
        self.sending.take(at, rate_hz, payload)
        self.ear.hear(at, rate_hz, payload)

    def _on_played(self, at: float, rate_hz: int, payload: bytes) -> None:
        if rate_hz == 8000:
            self.line.played(at, payload)

    def _on_read(self, entry: Entry, spoke: log.BotSpoke) -> None:
        self._show(self.log.replace(entry, spoke))

    def _on_backend(self, event: log.BackendAsked | log.BackendReplied | log.BackendPushed) -> None:
        source = Source.HEARD if isinstance(event, log.BackendAsked) else Source.BACKEND
        self.record(self._loop.time(), source, event)

    async def _push(self, conversation_id: str, body: dict[str, Any]) -> int:
        assert self.control is not None
        return await self.control.push(conversation_id, body)

    async def _follow_states(self, control: ControlClient) -> None:
        host, port = self.leg.local_address
        try:
            call_id = await control.find(str(self.leg.uuid), f"{host}:{port}")
            await control.follow(call_id, self._on_control_event)
        except ControlError:
            if (program := self._bot.program) is not None and await program.ends_within(_DYING_SECONDS):
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
        if (found := reported(event)) is not None:
            source, logged = found
            if isinstance(logged, log.StateTold):
                self.state = logged.after
            self._record_ms(round(event.at_seconds * 1000), source, logged)

    async def _watch_end(self) -> None:
        end = await self.leg.wait_ended()
        self.caller.stop()
        self.ear.close(end.at)
        self.end = end
        facts = CallFacts(
            self.log, self.leg, self.ear, self.defects, self.caller.sent, self.notes, self.scenario.ear.title
        )
        for at_ms, source, event in facts.at_the_end(end, self.t0):
            self._record_ms(at_ms, source, event)

    def sent(self, since_ms: int) -> Sent | None:
        """Return what the server has sent since the UUID, and since an instant in ms; None if that is not known."""
        counts = self.leg.counts
        if counts is None:
            return None
        since, now = self.t0 + since_ms / 1000, self._loop.time() if self.end is None else self.end.at
        start, end = counts.longest_pause(min(since, now), now)
        return Sent(
            counts.from_server,
            loudest_dbfs(self.ear, self.t0),
            since_ms,
            counts.since(since),
            loudest_dbfs(self.ear, self.t0, since_ms + _SOFT_END_MS),
            (self.ms(start), self.ms(end)),
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """What the peer has noted of the wire so far, a line each; nothing where the scenario splits the messages."""
        return tuple(self.leg.anomalies) if self.scenario.network.split == "none" else ()

    async def look_at_the_end(self) -> None:
        """Record what the server did on the wire after the end of the call. Waits until it has closed its connection,
        for as long as `quality: {left_open: …}` leaves it."""
        if self.end is not None:
            for defect in await after_the_end(self.end, self.leg, self.scenario.quality):
                self.record(self.end.at, Source.DEFECT, defect)


def _settle(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
