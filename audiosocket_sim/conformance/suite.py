"""A run of the suite: target and mock AI are started, the server is probed, the cases are planned and carried out."""

import asyncio
import functools
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import Any

from audiosocket_sim.conformance.aftermath import was_not_taken
from audiosocket_sim.conformance.ai_backend import AnsweringBackend
from audiosocket_sim.conformance.case import Case, CaseOutcome
from audiosocket_sim.conformance.conduct import Conductor, Server
from audiosocket_sim.conformance.delays import DelayRecord
from audiosocket_sim.conformance.features import Features
from audiosocket_sim.conformance.planning import Plan, plan
from audiosocket_sim.conformance.probe import (
    A_CALL,
    A_SHORT_CALL,
    LATER_CALLS,
    TWO_CALLS,
    after_first,
    after_later,
    serves_both,
    surely_in_turn,
)
from audiosocket_sim.conformance.verdicts import CaseResult, ConformanceResult, with_known_failing
from audiosocket_sim.parties.target import DialledTarget, Target, TargetError, program_of
from audiosocket_sim.running.bot_under_test import BotUnderTest
from audiosocket_sim.running.processor_waits import ProcessorWaits
from audiosocket_sim.virtual_time import HoldTooLong, Livelock, new_loop

__all__ = ["Suite", "run_suite"]


@dataclass(frozen=True)
class Suite:
    """What is run, against what. `settings`: of a target in this process. `known`: ids that are known to fail, with
    the reason of each. `stated`: what check.yaml says of the server."""

    target: Target
    target_text: str
    cases: tuple[Case, ...]
    stated: Features = field(default_factory=Features)
    known: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    heavy: bool = False
    real_time: bool = False
    ai_port: int = 0
    seed: int = 1

    @property
    def is_virtual(self) -> bool:
        """Whether it runs in virtual time: only a target in this process can."""
        return self.target.in_process and not self.real_time


def run_suite(
    suite: Suite,
    *,
    on_plan: Callable[[Plan, Features], None] = lambda plan, features: None,
    on_result: Callable[[CaseResult], None] = lambda result: None,
) -> ConformanceResult:
    """Run the suite to its end on an event loop of its own. Raises TargetError if the target cannot be started, or,
    in this process, takes the whole run down with it.

    `on_plan` is called when the server has been probed, before the cases; `on_result` with each result as it comes.
    """
    try:
        with asyncio.Runner(loop_factory=functools.partial(_new_loop, suite)) as runner:
            return runner.run(_run(suite, on_plan, on_result))
    except SystemExit as error:  # a server in this process would end us too
        raise TargetError(f"it ended this process in the middle of a case: SystemExit({error.code!r})") from error
    except (HoldTooLong, Livelock) as error:
        raise TargetError(f"it never came to rest: {str(error).partition(chr(10))[0]}") from error


def _new_loop(suite: Suite) -> asyncio.AbstractEventLoop:
    """In memory the peer reads each write by itself: it sees whether a message is one."""
    return new_loop(split="writes", program=suite.target_text) if suite.is_virtual else asyncio.new_event_loop()


async def _run(
    suite: Suite, on_plan: Callable[[Plan, Features], None], on_result: Callable[[CaseResult], None]
) -> ConformanceResult:
    loop = asyncio.get_running_loop()
    began = loop.time()
    done: ConformanceResult | None = None
    delays = DelayRecord()
    try:
        async with AsyncExitStack() as stack:
            bot = BotUnderTest(suite.target, suite.settings, (), suite.ai_port)
            backend = AnsweringBackend()
            for call in backend.calls:
                bot.answers(call)
            await stack.enter_async_context(bot)
            if not suite.is_virtual:
                bot.look_at_the_program()
                bot.note_its_waits(delays.note)
                waits = ProcessorWaits()
                waits.on_late = lambda seconds: delays.note(loop.time(), seconds)
                waits.start()
                stack.callback(waits.stop)
            ours = not isinstance(suite.target, DialledTarget)
            server = _server(bot, ours=ours)
            conductor = Conductor(server, suite.stated, delays, seed=suite.seed)
            await _probe(conductor, server)
            conductor.features = backend.with_role(conductor.features)
            todo = plan(
                suite.cases, conductor.features, heavy=suite.heavy, virtual=suite.is_virtual, can_be_stopped=ours
            )
            on_plan(todo, conductor.features)
            results = await conductor.carry_out(todo, on_result)
            done = _result(suite, conductor, todo, results, loop.time() - began)
    except TargetError as error:
        if done is None:
            raise
        return replace(done, trouble=str(error))  # its end failed: what was seen before stands
    return done


def _result(
    suite: Suite, conductor: Conductor, todo: Plan, results: Sequence[CaseResult], seconds: float
) -> ConformanceResult:
    left_out = [CaseResult(one.case, CaseOutcome.NOT_RUN, why=one.why) for one in todo.not_run]
    places = {case.id: place for place, case in enumerate(suite.cases)}
    in_order = sorted([*results, *left_out], key=lambda result: places[result.case.id])
    return ConformanceResult(
        results=tuple(with_known_failing(in_order, suite.known)),
        features=conductor.features,
        target=suite.target_text,
        seconds=seconds,
        n_calls=conductor.n_calls,
        virtual=suite.is_virtual,
        gone=conductor.gone,
    )


def _server(bot: BotUnderTest, *, ours: bool) -> Server:
    """The started target, as the conductor deals with it. `ours`: it was started for this run, not only dialled."""

    async def start_again() -> Server:
        await bot.start_again()
        return _server(bot, ours=ours)

    child = bot.program
    return Server(
        bot.started.host,
        bot.started.port,
        program_of(bot.started),
        how_it_ended=child.how_it_ended if child is not None else lambda: "",
        stop=bot.stop if ours else None,
        start_again=start_again if ours else None,
    )


async def _probe(conductor: Conductor, server: Server) -> None:
    """Find out what the server can do, within about 12 s of real time.

    While a first call lasts, a short one shows whether two at once are served; if so, the later calls begin then.
    Raises TargetError if the very first call finds nobody: that says nothing of the server.
    """
    stated = conductor.features
    began = asyncio.get_running_loop().time()
    async with asyncio.TaskGroup() as group:
        calling = group.create_task(conductor.make_calls((A_CALL,), began))
        (short,) = await conductor.make_calls((A_SHORT_CALL,), began)
        seems_so = bool(short.messages or short.end.server_closed_at is not None) and not calling.done()
        later = await conductor.make_calls(LATER_CALLS) if seems_so and stated.two_calls is not False else None
    (first,) = calling.result()
    if first.connected_at is None:
        raise TargetError(f"nobody takes a call at {server.host}:{server.port}: {first.why_not_connected}")
    two_calls = serves_both(first, short)
    conductor.refuses_all = was_not_taken(first)
    others = [short]
    told = two_calls or short.connected_at is None or surely_in_turn(first, short)
    if not told and "two_calls" not in stated.stated:
        again = await conductor.make_calls(TWO_CALLS)
        two_calls = serves_both(*again)
        others += again
    conductor.features = after_first(first, others, two_calls, stated)
    if later is None or not conductor.features.two_calls:
        later = tuple([(await conductor.make_calls((script,)))[0] for script in LATER_CALLS])
    conductor.features = after_later(later, conductor.features)
