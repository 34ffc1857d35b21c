"""Several calls of one scenario to one bot, which is started once: at a time, and one after the other.

Each call is a `OneCall` with steps, log, judge and files of its own. What they share is the bot, the mock AI's address,
the event loop, and what is judged when all are over.
"""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from audiosocket_sim.call_log.events import BotSpoke, CallBegan, Entry, Source
from audiosocket_sim.call_log.in_progress import CallInProgress
from audiosocket_sim.checks import OtherCalls
from audiosocket_sim.parties.target import Target, TargetCloseError
from audiosocket_sim.running.artefacts import cannot_write, with_faults, with_transcript
from audiosocket_sim.running.bot_under_test import BotUnderTest
from audiosocket_sim.running.call_fixture import CallFixture, NotAnswered
from audiosocket_sim.running.call_setup import peer_of_a_run
from audiosocket_sim.running.cross_talk import log_cross_talk
from audiosocket_sim.running.one_call import SECONDS_FOR_THREADS, OneCall, OnEntry
from audiosocket_sim.running.options import Options
from audiosocket_sim.running.real_clock import RealClock
from audiosocket_sim.running.result import Outcome, Result
from audiosocket_sim.running.result_of_calls import CallMade, result_of_calls
from audiosocket_sim.running.run_folder import RunFolder
from audiosocket_sim.running.trouble import Trouble, trouble_of
from audiosocket_sim.scenario import Scenario
from audiosocket_sim.virtual_time import CannotFollow, VirtualLoop, raise_if_bot_cannot_follow

__all__ = ["SeveralCalls"]

_NOT_MADE = "this call was not made: there was no verdict on one before it"


class SeveralCalls:
    """The calls of one scenario. Used as `OneCall` is: `set_up`, `carry_out`, leave `async with`, `conclude`."""

    def __init__(self, scenario: Scenario, options: Options, *, virtual: bool, on_entry: OnEntry | None = None) -> None:
        self.scenario = options.applied_to(scenario)
        self._options = options
        self._virtual = virtual
        self._on_entry = on_entry
        self._calls = [
            OneCall(call, options, virtual=virtual, on_entry=None if on_entry is None else self._look)
            for call in scenario.calls
        ]
        self._begun: list[OneCall] = []
        self._shown: set[str] = set()
        self._concerns = self.scenario
        """The call that is being prepared: the places of its parts are its own."""
        self._trouble: Trouble | None = None
        self._later_faults: list[str] = []
        self._held: RunFolder | None = None
        self._folder_faults: list[str] = []
        self._clock: RealClock | None = None
        self._bot: BotUnderTest | None = None
        self._stack = AsyncExitStack()

    async def set_up(self, target: Target) -> Self:
        """Prepare all that the calls need, and start the target.

        Raises TargetError, and what `set_up_call` raises; in that case nothing is left running.
        """
        folder = self._hold_folder()
        for call in self._calls:
            call.write_to(None if folder is None else folder / call.scenario.caller.name)
        async with AsyncExitStack() as stack:
            setups = []
            make_legs = peer_of_a_run(self._options)
            for call in self._calls:
                self._concerns = call.scenario
                setups.append(await call.prepare(target, stack, make_legs))
            self._concerns = self.scenario
            settings = _with_all_books([setup.settings for setup in setups])
            calls = [call.scenario for call in self._calls]
            bot = BotUnderTest(target, settings, calls, self._options.ai_port)
            for call in self._calls:
                call.make_ready(bot)
            self._bot = await stack.enter_async_context(bot)
            if not self._virtual:
                self._clock = stack.enter_context(RealClock())
            self._stack = stack.pop_all()
        loop = asyncio.get_running_loop()
        if isinstance(loop, VirtualLoop):
            loop.on_cannot_follow = self._break_off
            loop.strict = True
        return self

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._end_of_virtual_calls(error)
        try:
            for call in reversed(self._begun):
                try:
                    await call.take_down(error)
                except Exception as failed:  # noqa: BLE001 - it becomes the call's result, and the others are closed too
                    call.blame(failed)
        finally:
            await self._stack.__aexit__(kind, error, traceback)

    async def carry_out(self) -> None:
        """Make all calls, and judge what concerns several of them."""
        for _, group in groupby(self._calls, key=lambda call: call.scenario.caller.group):
            await self._at_once([call for call in group if await self._begins(call)])
            if any(call.trouble is not None for call in self._begun):
                break
        log_cross_talk(self.fixtures, self.first_began)
        for call in self._begun:
            if call.fixture is not None and call.held is not None:
                call.held = (
                    call.fixture.ai_script.check_the_requests_after_the_end(*self._calls_after(call)) and call.held
                )

    def _calls_after(self, call: OneCall) -> list[str]:
        """A line for requests that came for a call that was over: in which calls the bot may rather have asked."""
        assert call.fixture is not None
        end = call.fixture.end
        later = [
            one.scenario.caller.name
            for one in self.fixtures
            if end is not None and one.leg.t0 is not None and (one.end is None or one.end.at > end.at)
        ]
        return (
            [f"it was asked with the UUID of {call.scenario.caller.name}; {', '.join(later)} called then"]
            if later
            else []
        )

    def blame(self, error: BaseException) -> None:
        """Note the exception as the reason why there is no verdict on the calls that have none yet."""
        open_calls = [call for call in self._begun if call.held is None and call.trouble is None]
        if isinstance(error, TargetCloseError) and not open_calls and self._begun and self._trouble is None:
            self._later_faults.append(str(error))
        elif open_calls:
            for call in open_calls:
                call.blame(error)
        else:
            self._trouble = self._trouble or trouble_of(error, self._concerns, "the set-up")

    def interrupt(self) -> None:
        """Note that the calls in progress were interrupted (Ctrl-C)."""
        in_progress = [call for call in self._begun if call.held is None]
        for call in in_progress:
            call.interrupt()
        if not in_progress:
            when = "between the calls" if self._begun else "while waiting for the set-up"
            self._trouble = Trouble(Outcome.INCONCLUSIVE, f"interrupted, {when}")

    def conclude(self) -> Result:
        """Return the result of all calls. Writes the files of the run if its options name a folder."""
        follows_not = next((call.trouble for call in self._begun if call.trouble and call.trouble.cannot_follow), None)
        for call in self._calls:
            if follows_not is not None:
                call.trouble = follows_not
            elif call not in self._begun and call.trouble is None:
                call.trouble = self._trouble or Trouble(Outcome.INCONCLUSIVE, _NOT_MADE)
        base = self.first_began
        made = [
            CallMade(call.conclude(), _ms_after(base, call.fixture), made=call in self._begun) for call in self._calls
        ]
        result = result_of_calls(self.scenario, made, self._trouble, self._later_faults)
        if self._clock is not None:
            waited_ms, late_ms = self._clock.most_waited_ms, self._clock.most_late_ms
            result = replace(result, processor_wait_ms=waited_ms, loop_late_ms=late_ms)
        folder = self._hold_folder()
        try:
            result = with_faults(result, self._folder_faults)
            return result if folder is None else with_transcript(result, folder)
        finally:
            if self._held is not None:
                self._held.release()

    # --- the calls

    async def _begins(self, call: OneCall) -> bool:
        """Make a call ready to be placed. Returns False if that is not possible, which is noted."""
        fixture = call.fixture
        assert fixture is not None
        self._begun.append(call)
        try:
            async with AsyncExitStack() as stack:
                await call.begin(stack)
                call.taken_down_by(stack.pop_all())
        except Exception as error:  # noqa: BLE001 - it becomes the call's result
            call.blame(error)
            return False
        if self._clock is not None:
            self._clock.times(fixture)
        fixture.other_calls = lambda: self._other_calls(fixture)
        return True

    def _other_calls(self, fixture: CallFixture) -> OtherCalls:
        """What is known of the other calls by now."""
        others = [one for one in self.fixtures if one is not fixture and one.leg.t0 is not None]
        served = [one for one in others if one.leg.counts is None or one.leg.counts.from_server]
        heard = [
            (one.scenario.caller.name, entry.event.text, fixture.ms(one.t0) + entry.at_ms)
            for one in served
            for entry in one.log.entries
            if isinstance(entry.event, BotSpoke) and entry.event.text is not None
        ]
        return OtherCalls(
            tuple(one.scenario.caller.name for one in served),
            tuple(one.scenario.caller.name for one in served if one.end is None),
            tuple(heard),
            tuple((one.scenario.caller.name, fixture.ms(one.t0)) for one in served),
            tuple((one.scenario.caller.name, fixture.ms(one.end.at)) for one in others if one.end is not None),
        )

    async def _at_once(self, calls: Sequence[OneCall]) -> None:
        """Make the calls of one group, and wait until all are over."""
        async with asyncio.TaskGroup() as group:
            for call in calls:
                group.create_task(self._make(call))

    async def _make(self, call: OneCall) -> None:
        fixture = call.fixture
        assert fixture is not None
        try:
            await asyncio.sleep(call.scenario.caller.starts_ms / 1000)
            call.starts_now()
            try:
                await call.carry_out()
            finally:
                await fixture.leave()
        except NotAnswered as error:
            if not await self._bot_took_another(call, fixture, error):
                call.blame(error)
        except CannotFollow as error:
            self._break_off(error)
            call.blame(error)
        except (Exception, asyncio.CancelledError) as error:
            call.blame(error)
            if isinstance(error, asyncio.CancelledError):
                raise

    async def _bot_took_another(self, call: OneCall, fixture: CallFixture, error: NotAnswered) -> bool:
        """Nobody answers. If the bot has taken another call of this run, that is its failure, which is logged."""
        others = [one for one in self._begun if one is not call and one.fixture and one.fixture.leg.t0 is not None]
        if not others:
            return False
        assert self._bot is not None
        names = ", ".join(one.scenario.caller.name for one in others)
        happened = [str(error), f"it had taken the call{'s' if len(others) > 1 else ''} of {names}"]
        if self._bot.program is not None and await self._bot.program.ends_within(0.5):
            happened.insert(1, f"the program {await self._bot.program.ended()}")
        key = "callers" if call.scenario.caller.group == 0 else "then"
        fixture.fail(0, 0, key, "the bot to take this call too", *happened)
        call.held = False
        return True

    def _break_off(self, error: CannotFollow) -> None:
        for call in self._begun:
            if call.fixture is not None:
                call.fixture.break_off(error)

    def _end_of_virtual_calls(self, error: BaseException | None) -> None:
        """Note that there is no verdict if the bot has not followed the virtual clock. `error`: what ended them."""
        loop = asyncio.get_running_loop()
        if isinstance(loop, VirtualLoop) and loop.strict:
            fine = error is None and not any(call.is_accused for call in self._begun)
            try:
                raise_if_bot_cannot_follow(SECONDS_FOR_THREADS[fine])
            except CannotFollow as failure:
                for call in self._begun:
                    call.trouble = trouble_of(failure, call.scenario, call.doing)
            loop.strict = False

    # --- what is seen of them

    @property
    def first_began(self) -> float:
        """The loop time of the first UUID of all, or at which the first call could have been placed."""
        fixtures = [call.fixture for call in self._begun if call.fixture is not None]
        sent = [fixture.leg.t0 for fixture in fixtures if fixture.leg.t0 is not None]
        return min(sent or [fixture.t0 for fixture in fixtures] or [0.0])

    def _look(self, entry: Entry, call: CallInProgress) -> None:
        assert self._on_entry is not None
        for fixture in self.fixtures:
            name, began_ms = fixture.scenario.caller.name, _ms_after(self.first_began, fixture)
            if fixture.leg.t0 is not None and name not in self._shown:
                self._shown.add(name)
                began = Entry(began_ms, Source.PEER, 0, CallBegan(str(fixture.leg.uuid)), name)
                self._on_entry(began, _AllInProgress(self))
            if fixture is call:
                shown = replace(entry, at_ms=entry.at_ms + began_ms, caller=name)
        self._on_entry(shown, _AllInProgress(self))

    def _hold_folder(self) -> Path | None:
        """Lock and return the folder of this run's files; None if the options name none, or it cannot be used."""
        if self._options.artefacts is not None and self._held is None and not self._folder_faults:
            try:
                self._held = RunFolder.hold(self._options.artefacts)
            except OSError as error:
                self._folder_faults.append(cannot_write(error, self._options.artefacts))
        return None if self._held is None else self._held.path

    @property
    def fixtures(self) -> list[CallFixture]:
        """The running parts of all calls that were begun."""
        return [call.fixture for call in self._begun if call.fixture is not None]


class _AllInProgress:
    """All calls in progress as one, for whoever looks on."""

    def __init__(self, calls: SeveralCalls) -> None:
        self._calls = calls

    @property
    def state(self) -> str | None:
        """The states of the bot in the calls that are not over, one after the other; None if none is reported."""
        states = [fixture.state for fixture in self._calls.fixtures if fixture.end is None and fixture.state]
        return ", ".join(states) or None

    @property
    def now_ms(self) -> int:
        """The current time in whole milliseconds since the first UUID."""
        return self.ms(asyncio.get_running_loop().time())

    def ms(self, loop_time: float) -> int:
        """Convert a loop time, in seconds, to whole milliseconds since the first UUID."""
        return round((loop_time - self._calls.first_began) * 1000)

    @property
    def ear(self) -> "_AllEars":
        """What all callers hear."""
        return _AllEars(self._calls.fixtures)


class _AllEars:
    def __init__(self, fixtures: Sequence[CallFixture]) -> None:
        self._ears = [fixture.ear for fixture in fixtures if fixture.end is None]

    @property
    def open_speech_at(self) -> float | None:
        """The start of the first stretch that has not ended in any call."""
        return min((at for ear in self._ears if (at := ear.open_speech_at) is not None), default=None)

    @property
    def speaking_since(self) -> float | None:
        """Since when the bot speaks to any caller."""
        return min((at for ear in self._ears if (at := ear.speaking_since) is not None), default=None)

    @property
    def hold_since(self) -> float | None:
        """Since when any caller hears hold audio."""
        return min((at for ear in self._ears if (at := ear.hold_since) is not None), default=None)


def _ms_after(base: float, fixture: CallFixture | None) -> int:
    return 0 if fixture is None else round((fixture.t0 - base) * 1000)


def _with_all_books(settings: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the settings of the bot, which are the same for each call but for its own phrase books."""
    made = settings[0]
    for more in settings[1:]:
        books = more.get("speech", {}).get("more_phrase_books", []) if isinstance(more.get("speech", {}), dict) else []
        own = made.get("speech", {})
        known = own.get("more_phrase_books", [])
        if not set(books) - set(known):
            continue
        made = {
            **made,
            "speech": {**own, "more_phrase_books": [*known, *(book for book in books if book not in known)]},
        }
    return made
