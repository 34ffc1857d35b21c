"""One call from its set-up to its result, which is complete even after an error, Ctrl-C or a cancelled task.

Scenarios in YAML and tests in Python both use this module: they carry out the same steps, with the same judge.
"""

import asyncio
import math
import tempfile
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from audiosocket_sim.call_log.events import Entry, Noted, Source, StepFailed
from audiosocket_sim.call_log.in_progress import CallInProgress
from audiosocket_sim.call_log.voices import call_turns, over_ms
from audiosocket_sim.checks.failure import Failure
from audiosocket_sim.checks.late_defects import defects_could_turn
from audiosocket_sim.checks.late_notes import late_notes
from audiosocket_sim.checks.lateness import LatenessRecord
from audiosocket_sim.checks.margin import could_turn, is_unread_for_our_holes, turns_that_ended_early
from audiosocket_sim.checks.quality import QUALITY, QualityFault, quality_faults
from audiosocket_sim.checks.turn_limits import TURN_LIMITS, broken_limits, unjudged_limits, wider
from audiosocket_sim.parties.peer import MakeLegs
from audiosocket_sim.parties.target import Target, TargetCloseError
from audiosocket_sim.reading import JudgeError
from audiosocket_sim.running.artefacts import cannot_write, with_artefacts, with_faults
from audiosocket_sim.running.bot_under_test import BotUnderTest
from audiosocket_sim.running.call_fixture import CallFixture
from audiosocket_sim.running.call_setup import CallSetup, hold_music_in, peer_of_a_run, set_up_call
from audiosocket_sim.running.environment import Environment, environment_of
from audiosocket_sim.running.judges import ask_the_judges
from audiosocket_sim.running.options import Options
from audiosocket_sim.running.real_clock import RealClock
from audiosocket_sim.running.result import Outcome, Result
from audiosocket_sim.running.run_folder import RunFolder
from audiosocket_sim.running.steps import Steps
from audiosocket_sim.running.trouble import Trouble, trouble_of
from audiosocket_sim.scenario import Say, Scenario
from audiosocket_sim.virtual_time import CannotFollow, VirtualLoop, raise_if_bot_cannot_follow

__all__ = ["SECONDS_FOR_THREADS", "OnEntry", "OneCall"]

OnEntry = Callable[[Entry, CallInProgress], None]
"""Called with every new entry of the log, and with the call to which it belongs; of several calls, with all."""

_T = TypeVar("_T")

SECONDS_FOR_THREADS = {True: 0.1, False: 1.0}
"""How long, in real time, threads of the bot's own may show that it cannot follow the virtual clock, at the end of the
call: if all went well (they had their time before a step failed), and if anything is wrong."""
_WITHOUT_A_VERDICT = (Outcome.INVALID, Outcome.INCONCLUSIVE)
"""The call was not to be made like this, or was interrupted: what has failed by then says nothing."""
_TOO_LATE = "this machine was too late to judge what failed (the caller's packets by up to {:.0f} ms{})"


class OneCall:
    """One call: `set_up` starts it, leaving `async with` takes it down, `conclude` returns its result in any case.

    `virtual`: whether the running loop's clock is virtual. `more_says`: further sounds that the caller may say, beside
    the scenario's own. An exception in the body propagates; pass it to `blame` for a result that reports it.
    """

    def __init__(
        self,
        scenario: Scenario,
        options: Options,
        *,
        virtual: bool,
        on_entry: OnEntry | None = None,
        more_says: Sequence[Say] = (),
    ) -> None:
        self.scenario = options.applied_to(scenario)
        self.held: bool | None = None
        """Whether every expectation was met; set by the code that carries out the steps. None: not all was judged."""
        self.trouble: Trouble | None = None
        self.interrupted = False
        self.steps: Steps | None = None
        self._options = options
        self._virtual = virtual
        self._on_entry = on_entry
        self._more_says = more_says
        self._held: RunFolder | None = None
        self._folder_faults: list[str] = []
        self._fixture: CallFixture | None = None
        self._environment: Environment | None = None
        self._setup: CallSetup | None = None
        self._clock: RealClock | None = None
        self._troubled_ms: int | None = None
        self._later_faults: list[str] = []
        self._stack = AsyncExitStack()
        self._until = 0.0

    @property
    def doing(self) -> str:
        """The current activity, in words for people: `step 3 (say)`."""
        return "the set-up" if self.steps is None else self.steps.doing

    async def set_up(self, target: Target) -> Self:
        """Prepare all that the call needs, and start the target. The first step places the call itself.

        Raises TargetError, and what `set_up_call` raises; in that case nothing is left running.
        """
        async with AsyncExitStack() as stack:
            setup = await self.prepare(target, stack, peer_of_a_run(self._options))
            bot = BotUnderTest(target, setup.settings, [self.scenario], self._options.ai_port)
            fixture = self.make_ready(bot)
            await stack.enter_async_context(bot)
            await self.begin(stack)
            if not self._virtual:
                self._clock = stack.enter_context(RealClock())
                self._clock.times(fixture)
            self._stack = stack.pop_all()
        loop = asyncio.get_running_loop()
        if isinstance(loop, VirtualLoop):
            loop.on_cannot_follow = fixture.break_off
            loop.strict = True  # from here to the end of the call: a target may start and end as it likes
        return self

    async def prepare(self, target: Target, stack: AsyncExitStack, make_legs: MakeLegs) -> CallSetup:
        """Prepare all that the call needs before the bot is started. Raises what `set_up_call` raises.

        `make_legs`: who calls, the same for all calls of a run.
        """
        choice = self._options.target_for(self.scenario)
        self._environment = environment_of(self.scenario, self._options, choice, virtual=self._virtual)
        folder = self._hold_folder() or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        self._setup = await set_up_call(self.scenario, target, self._options, folder, make_legs, self._more_says)
        return self._setup

    def make_ready(self, bot: BotUnderTest) -> CallFixture:
        """Make the call's running parts, after `prepare` and before the bot is started. Starts nothing."""
        assert self._setup is not None
        look = None if self._on_entry is None else self._look
        self._fixture = CallFixture(self._setup, bot, look, virtual=self._virtual)
        return self._fixture

    async def begin(self, stack: AsyncExitStack) -> None:
        """Do all that comes before the call is placed; the bot is running. On the way out of `stack` it is taken down.

        Raises TargetError.
        """
        assert self._setup is not None
        assert self._fixture is not None
        await stack.enter_async_context(self._fixture)
        self.starts_now()
        self.steps = Steps(self._fixture, self._setup.sounds)

    def taken_down_by(self, stack: AsyncExitStack) -> None:
        """Let `take_down` close this stack, which `begin` was given."""
        self._stack = stack

    def write_to(self, folder: Path | None) -> None:
        """Write the files of this call to this folder, in the place of the one that the options name."""
        self._options = replace(self._options, artefacts=folder)

    def starts_now(self) -> None:
        """Count the longest duration of the call from now on."""
        self._until = asyncio.get_running_loop().time() + self.scenario.max_duration / 1000

    async def carry_out(self) -> None:
        """Carry out all steps of the scenario and end the call."""
        assert self.steps is not None
        self.held = await self.in_time(self.steps.run()) or False

    def interrupt(self) -> None:
        """Note that the call was interrupted (Ctrl-C): there is no verdict."""
        self.interrupted = True
        self.trouble = Trouble(Outcome.INCONCLUSIVE, f"interrupted, while waiting for {self.doing}")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.take_down(error)

    async def take_down(self, error: BaseException | None = None) -> None:
        """Stop all that was started. Raises TargetError if the target does not end, unless `error` is given."""
        self._end_of_virtual_call(error)
        if error is not None and self.steps is not None and self._fixture is not None:
            self._troubled_ms = self._fixture.now_ms
        await self._stack.__aexit__(None if error is None else type(error), error, None)

    def _end_of_virtual_call(self, error: BaseException | None) -> None:
        """Note that there is no verdict if the bot has not followed the virtual clock. `error`: what ended the call."""
        loop = asyncio.get_running_loop()
        if isinstance(loop, VirtualLoop) and loop.strict:
            try:
                raise_if_bot_cannot_follow(SECONDS_FOR_THREADS[error is None and not self.is_accused])
            except CannotFollow as failure:
                self.blame(failure)
            loop.strict = False

    @property
    def is_accused(self) -> bool:
        """Whether a defect was found that fails the call."""
        return self._fixture is not None and bool(self._quality_faults(self._fixture))

    @property
    def fixture(self) -> CallFixture | None:
        """The running parts of the call; None before `make_ready`."""
        return self._fixture

    async def let_the_ear_read(self, text: str) -> None:
        """Teach the ear the synthetic voice's rendering of `text`, unless it knows a phrase of these words already."""
        assert self._fixture is not None
        await self._fixture.let_the_ear_read(text)

    def let_the_ear_know(self, file: str) -> None:
        """Teach the ear the hold music in a file beside the scenario, unless it knows it. Raises AudioFileError."""
        assert self._fixture is not None
        if not self._fixture.ear.knows_music(file):
            folder = self.scenario.folder or Path.cwd()
            self._fixture.ear.learn_music(file, hold_music_in(file, folder))

    async def in_time(self, work: Coroutine[Any, Any, _T]) -> _T | None:
        """Await a part of the call's work, and return its result.

        If the call lasts longer than its `max_duration`, it is ended, a failure is logged, and None is returned.
        """
        assert self._fixture is not None
        limit = asyncio.timeout_at(self._until)
        try:
            async with limit:
                return await work
        except TimeoutError:
            if not limit.expired():
                raise
        fixture, seconds = self._fixture, self.scenario.max_duration / 1000
        happened = f"it still waited for {self.doing}"
        fixture.fail(fixture.now_ms, 0, "max_duration", f"the call to end within {seconds:g} s", happened)
        fixture.leg.hang_up("close")
        await fixture.finish()
        return None

    def blame(self, error: BaseException) -> None:
        """Note the exception as the reason why there is no verdict, unless one is noted already.

        A target's close() costs no verdict that stood before it: where all steps were judged, it is a fault beside it.
        """
        if isinstance(error, TargetCloseError) and (self.held is not None or self.trouble is not None):
            self._later_faults.append(str(error))
            return
        self.trouble = self.trouble or trouble_of(error, self.scenario, self.doing)

    def conclude(self) -> Result:
        """Return the result. Writes the files of the run if its options name a folder."""
        fixture = self._fixture
        if fixture is not None and not (self.trouble is not None and self.trouble.cannot_follow):
            for fault in self._quality_faults(fixture):
                fixture.fail(fault.at_ms, 0, QUALITY, fault.expected, *fault.happened)
            self._judge_turns(fixture)
        if fixture is not None and self.trouble is None:
            try:
                self.held = ask_the_judges(fixture) and self.held
            except JudgeError as error:
                self.blame(error)
        unread = None if self.steps is None else self.steps.settle()  # last: any failure goes before it
        if unread is not None and self.trouble is None:
            self.trouble = Trouble(Outcome.SET_UP, unread, unread=True)
        trouble = self.trouble
        if fixture is not None and trouble is not None:
            last_ms = max((entry.at_ms for entry in fixture.log.entries), default=0)
            at_ms = last_ms if self._troubled_ms is None else self._troubled_ms
            fixture.log.add(at_ms, Source.CHECK, Noted(trouble.line))
        if fixture is not None:
            for at_ms, line in late_notes(fixture.log.entries, self._lateness()):
                fixture.log.add(at_ms, Source.PEER, Noted(line))
            for entry, failed_step in self._doubtful(fixture.log.entries):
                fixture.log.replace(entry, replace(failed_step, unsure=True))
        entries = () if fixture is None else tuple(fixture.log.entries)
        late_ms = 0.0 if fixture is None or self._virtual else fixture.leg.own_lateness_ms
        failed = [(entry.event, entry.at_ms) for entry in entries if isinstance(entry.event, StepFailed)]
        cannot_follow = trouble is not None and trouble.cannot_follow
        if cannot_follow:
            failed = []  # says nothing about the bot
        # What is sure goes first; of one instant, the defect is the cause.
        failed.sort(key=lambda one: (one[0].unsure, one[1], one[0].step != QUALITY))
        outcome, faults = self._verdict(failed, entries, late_ms)
        result = Result(
            self.scenario,
            outcome,
            entries,
            tuple(Failure.of(event, at_ms, self.scenario) for event, at_ms in failed),
            (*faults, *self._later_faults),
            details="" if trouble is None else trouble.details,
            uuid=None if fixture is None else fixture.leg.uuid,
            own_lateness_ms=late_ms,
            processor_wait_ms=0.0 if self._clock is None else self._clock.most_waited_ms,
            loop_late_ms=0.0 if self._clock is None else self._clock.most_late_ms,
            duration_ms=max((entry.at_ms for entry in entries), default=0),
            interrupted=self.interrupted,
            asserted={} if fixture is None else dict(fixture.asserted),
            environment=self._environment,
            cannot_follow=cannot_follow,
        )
        folder = self._hold_folder()
        try:
            result = with_faults(result, self._folder_faults)
            return result if folder is None else with_artefacts(result, folder, fixture)
        finally:
            if self._held is not None:
                self._held.release()

    def _hold_folder(self) -> Path | None:
        """Lock and return the folder of this run's files; None if the options name none, or it cannot be used."""
        if self._options.artefacts is not None and self._held is None and not self._folder_faults:
            try:
                self._held = RunFolder.hold(self._options.artefacts)
            except OSError as error:
                self._folder_faults.append(cannot_write(error, self._options.artefacts))
        return None if self._held is None else self._held.path

    def _look(self, entry: Entry) -> None:
        if self._on_entry is not None and self._fixture is not None:
            self._on_entry(entry, self._fixture)

    def _doubtful(self, entries: Sequence[Entry]) -> list[tuple[Entry, StepFailed]]:
        """The failures that this machine's lateness may have caused."""
        late = self._lateness()
        failed = [(entry, entry.event) for entry in entries if isinstance(entry.event, StepFailed)]
        return [one for one in failed if self._could_turn(one[1], one[0].at_ms, entries, late)]

    def _verdict(
        self, failed: Sequence[tuple[StepFailed, int]], entries: Sequence[Entry], late_ms: float
    ) -> tuple[Outcome, tuple[str, ...]]:
        """Return the outcome, and if there is no verdict on the bot, one line for each reason.

        A failure that no lateness of this machine can turn is final, and goes before any fault of the set-up.
        """
        trouble, late = self.trouble, self._lateness()
        lines = () if trouble is None else (trouble.line, *trouble.more)
        if self.interrupted or (trouble is not None and trouble.outcome in _WITHOUT_A_VERDICT):
            assert trouble is not None
            return trouble.outcome, lines
        if trouble is not None and trouble.outcome is Outcome.FAILED:
            return Outcome.FAILED, lines
        if any(not event.unsure for event, _ in failed):
            return Outcome.FAILED, lines
        if failed or (trouble is not None and trouble.unread and is_unread_for_our_holes(entries, late)):
            kept = max((end - start for start, end in late.bot_stalls(0, math.inf)), default=0)
            bots = f"; the bot was kept from running for up to {kept / 1000:.2f} s" if kept else ""
            return Outcome.INCONCLUSIVE, (_TOO_LATE.format(late_ms, bots), *lines)
        if trouble is not None:
            return trouble.outcome, lines
        return (Outcome.PASSED if self.held else Outcome.FAILED), ()

    def _could_turn(self, failed: StepFailed, at_ms: int, entries: Sequence[Entry], late: LatenessRecord) -> bool:
        if failed.step == TURN_LIMITS:
            shift_ms = late.shift_ms(0, at_ms)
            return bool(turns_that_ended_early(entries, late)) or not broken_limits(
                call_turns(entries), wider(self.scenario.turn_taking, shift_ms)
            )
        if failed.step == QUALITY:
            return defects_could_turn(failed, entries, self.scenario.quality, late)
        return could_turn(failed, at_ms, entries, self.scenario, late)

    def _judge_turns(self, fixture: CallFixture) -> None:
        """Log what breaks the scenario's limits on turn-taking, at the end of the call."""
        limits, entries = self.scenario.turn_taking, fixture.log.entries
        if not limits.model_fields_set:
            return
        turns, end_ms = call_turns(entries), over_ms(entries)
        for broken in broken_limits(turns, limits):
            fixture.fail(end_ms, 0, TURN_LIMITS, f"{broken.key}: {broken.expected}", broken.happened)
        unjudged = unjudged_limits(turns, limits)
        if unjudged is not None:
            fixture.log.add(end_ms, Source.CHECK, Noted(unjudged))

    def _quality_faults(self, fixture: CallFixture) -> Sequence[QualityFault]:
        stalls = [(stall.at, stall.at + stall.for_) for stall in self.scenario.asterisk.stall]
        return quality_faults(fixture.log.entries, self.scenario.quality, stalls)

    def _lateness(self) -> LatenessRecord:
        return LatenessRecord() if self._fixture is None or self._virtual else self._fixture.lateness()
