"""Runs one scenario against one target: chooses the clock, carries out the call, returns its result.

The call log and the recording are written in any case: after a failed step, a fault of the set-up or of the simulator,
and Ctrl-C. Faults that are not the bot's never give the outcome FAILED.
"""

import asyncio
import contextvars
from collections.abc import Callable
from contextlib import suppress

from audiosocket_sim.parties.target import Target, parse_target
from audiosocket_sim.running.one_call import OneCall, OnEntry
from audiosocket_sim.running.options import Options
from audiosocket_sim.running.result import LATE_MS, Artefacts, Outcome, Result
from audiosocket_sim.running.several_calls import SeveralCalls
from audiosocket_sim.scenario import Scenario
from audiosocket_sim.virtual_time import new_loop

__all__ = [
    "LATE_MS",
    "Artefacts",
    "OnEntry",
    "Options",
    "Outcome",
    "Result",
    "arun",
    "is_virtual",
    "loop_factory",
    "run",
]


def run(scenario: Scenario, options: Options | None = None, on_entry: OnEntry | None = None) -> Result:
    """Run the scenario to its end, on an event loop of its own.

    `on_entry` is called with every new entry of the log, and with its call. The call has `state`, the bot's own state
    or None, and `now_ms` and `ms(loop_time)`, which are milliseconds since the UUID. Errors of the scenario and of the
    target are reported in the result and never raised; after Ctrl-C the result is marked as interrupted. Raises
    RuntimeError if an event loop is running already: use `arun` there.
    """
    if _is_loop_running():
        raise RuntimeError("run() starts an event loop of its own, and one is running here: `await arun(...)` instead")
    return _run(scenario, options or Options(), on_entry, _Stop())


async def arun(scenario: Scenario, options: Options | None = None, on_entry: OnEntry | None = None) -> Result:
    """Run the scenario as `run` does, from async code, in a thread with an event loop of its own.

    The call's clock does not depend on the running loop: it is the one that `run` would choose. `on_entry` is called in
    that thread. Cancelling the task, once or more often, stops the call; its files are written before CancelledError is
    raised.
    """
    stop, context = _Stop(), contextvars.copy_context()
    work = asyncio.get_running_loop().run_in_executor(
        None, lambda: context.run(_run, scenario, options or Options(), on_entry, stop)
    )
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        stop.ask()
        while not work.done():
            with suppress(asyncio.CancelledError):  # cancelled once more: the files are still being written
                await asyncio.wait([work])
        raise


def is_virtual(target: Target, options: Options) -> bool:
    """Whether a call to this target runs in virtual time: only a target in this process can."""
    return target.in_process and not options.real_time and options.peer == "simulated"


def loop_factory(scenario: Scenario, options: Options, *, virtual: bool) -> Callable[[], asyncio.AbstractEventLoop]:
    """Return the factory of a call's event loop: on the real clock, or on a virtual one with the scenario's network."""
    network = scenario.network
    if not virtual:
        return asyncio.new_event_loop
    memory = not (network.kernel or options.kernel)
    program = options.target_for(scenario).text
    return lambda: new_loop(memory_network=memory, split=network.split, seed=network.seed, program=program)


class _Stop:
    """Cancels a call that runs on an event loop in another thread."""

    def __init__(self) -> None:
        self._asked = False
        self._cancel: Callable[[], object] | None = None

    def ask(self) -> None:
        self._asked = True
        if self._cancel is not None:
            self._cancel()

    def cancels(self, task: "asyncio.Task[None] | None") -> None:
        """Make `ask` cancel this task of the running loop, from now on."""
        loop = asyncio.get_running_loop()
        if task is not None:
            self._cancel = lambda: loop.is_closed() or loop.call_soon_threadsafe(task.cancel)
            if self._asked:
                task.cancel()


def _run(scenario: Scenario, options: Options, on_entry: OnEntry | None, stop: _Stop) -> Result:
    call = _all_calls(scenario, options, virtual=False)
    try:
        choice = options.target_for(scenario)
        target = parse_target(choice.text, options.control_url, choice.folder)
        virtual = is_virtual(target, options)
        call = _all_calls(scenario, options, virtual=virtual, on_entry=on_entry)
        with asyncio.Runner(loop_factory=loop_factory(scenario, options, virtual=virtual)) as runner:
            runner.run(_carry_out(call, target, stop))
    except KeyboardInterrupt:
        call.interrupt()
    except (Exception, SystemExit, asyncio.CancelledError) as error:  # noqa: BLE001 - the log is written in any case
        call.blame(error)
    return call.conclude()


def _all_calls(
    scenario: Scenario, options: Options, *, virtual: bool, on_entry: OnEntry | None = None
) -> OneCall | SeveralCalls:
    if scenario.has_several_calls:
        return SeveralCalls(scenario, options, virtual=virtual, on_entry=on_entry)
    return OneCall(scenario, options, virtual=virtual, on_entry=on_entry)


async def _carry_out(call: OneCall | SeveralCalls, target: Target, stop: _Stop) -> None:
    stop.cancels(asyncio.current_task())
    try:
        async with call:
            await call.set_up(target)
            await call.carry_out()
    except Exception as error:  # noqa: BLE001 - noted at once, since taking the call down may fail as well
        call.blame(error)


def _is_loop_running() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
