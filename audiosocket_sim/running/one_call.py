"""One call from its set-up to its result, which is complete even after an error, Ctrl-C or a cancelled task.

Scenarios in YAML and tests in Python both use this module: they carry out the same steps, with the same judge.
"""

import asyncio
import tempfile
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from audiosocket_sim.call_log.events import Entry, Noted, Source, StepFailed
from audiosocket_sim.checks.failure import Failure
from audiosocket_sim.checks.quality import QUALITY, quality_faults
from audiosocket_sim.parties.target import Target
from audiosocket_sim.running.artefacts import cannot_write, with_artefacts, with_faults
from audiosocket_sim.running.call_fixture import TARGET_DIED, CallFixture
from audiosocket_sim.running.call_setup import set_up_call
from audiosocket_sim.running.environment import Environment, environment_of
from audiosocket_sim.running.options import Options
from audiosocket_sim.running.processor_waits import ProcessorWaits
from audiosocket_sim.running.result import LATE_MS, Outcome, Result
from audiosocket_sim.running.run_folder import RunFolder
from audiosocket_sim.running.steps import Steps
from audiosocket_sim.running.trouble import Trouble, trouble_of
from audiosocket_sim.scenario import Say, Scenario

__all__ = ["OnEntry", "OneCall"]

OnEntry = Callable[[Entry, CallFixture], None]
"""Called with every new entry of the log, and with the call to which it belongs."""

_T = TypeVar("_T")


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
        self.scenario = scenario
        self.held = False
        """Whether every expectation was met; set by the code that carries out the steps."""
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
        self._waits: ProcessorWaits | None = None
        self._troubled_ms: int | None = None
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
        choice = self._options.target_for(self.scenario)
        self._environment = environment_of(self.scenario, self._options, choice, virtual=self._virtual)
        async with AsyncExitStack() as stack:
            folder = self._hold_folder() or Path(stack.enter_context(tempfile.TemporaryDirectory()))
            setup = await set_up_call(self.scenario, target, self._options, folder, self._more_says)
            fixture = self._fixture = CallFixture(setup, None if self._on_entry is None else self._look)
            await stack.enter_async_context(fixture)
            if not self._virtual:
                self._waits = ProcessorWaits()
                self._waits.start()
                stack.callback(self._waits.stop)
            self._stack = stack.pop_all()
        self._until = asyncio.get_running_loop().time() + self.scenario.max_duration / 1000
        self.steps = Steps(fixture, setup.sounds)
        return self

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.take_down(error)

    async def take_down(self, error: BaseException | None = None) -> None:
        """Stop all that was started. Raises TargetError if the target does not end, unless `error` is given."""
        if error is not None and self.steps is not None and self._fixture is not None:
            self._troubled_ms = self._fixture.now_ms
        await self._stack.__aexit__(None if error is None else type(error), error, None)

    async def let_the_ear_read(self, text: str) -> None:
        """Teach the ear the synthetic voice's rendering of `text`, unless it knows a phrase of these words already."""
        assert self._fixture is not None
        await self._fixture.let_the_ear_read(text)

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
        """Note the exception as the reason why there is no verdict, unless one is noted already."""
        self.trouble = self.trouble or trouble_of(error, self.scenario, self.doing)

    def conclude(self) -> Result:
        """Return the result. Writes the files of the run if its options name a folder."""
        fixture, trouble = self._fixture, self.trouble
        if fixture is not None:
            stalls = [(stall.at, stall.at + stall.for_) for stall in self.scenario.asterisk.stall]
            for fault in quality_faults(fixture.log.entries, self.scenario.quality, stalls):
                fixture.fail(fault.at_ms, 0, QUALITY, fault.expected, *fault.happened)
        if fixture is not None and trouble is not None:
            last_ms = max((entry.at_ms for entry in fixture.log.entries), default=0)
            at_ms = last_ms if self._troubled_ms is None else self._troubled_ms
            fixture.log.add(at_ms, Source.CHECK, Noted(trouble.line))
        entries = () if fixture is None else tuple(fixture.log.entries)
        late_ms = 0.0 if fixture is None or self._virtual else fixture.leg.own_lateness_ms
        failed = [(entry.event, entry.at_ms) for entry in entries if isinstance(entry.event, StepFailed)]
        failed.sort(key=lambda one: (one[1], one[0].step != QUALITY))  # of one instant: the defect is the cause
        outcome, faults = self._verdict([event for event, _ in failed], late_ms)
        result = Result(
            self.scenario,
            outcome,
            entries,
            tuple(Failure.of(event, at_ms, self.scenario) for event, at_ms in failed),
            faults,
            details="" if trouble is None else trouble.details,
            uuid=None if fixture is None else fixture.leg.uuid,
            own_lateness_ms=late_ms,
            processor_wait_ms=0.0 if self._waits is None else self._waits.most_ms,
            duration_ms=max((entry.at_ms for entry in entries), default=0),
            interrupted=self.interrupted,
            environment=self._environment,
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

    def _verdict(self, failed: Sequence[StepFailed], late_ms: float) -> tuple[Outcome, tuple[str, ...]]:
        """Return the outcome, and if there is no verdict on the bot, one line for each reason."""
        if self.trouble is not None:
            return self.trouble.outcome, (self.trouble.line, *self.trouble.more)
        if self.held and not failed:
            return Outcome.PASSED, ()
        died = any(event.step == TARGET_DIED for event in failed)  # lateness of the simulator cannot cause that
        if late_ms > LATE_MS and not died:
            late = f"the simulator itself was up to {late_ms:.0f} ms late: this says nothing about the bot"
            return Outcome.INCONCLUSIVE, (late,)
        return Outcome.FAILED, ()
