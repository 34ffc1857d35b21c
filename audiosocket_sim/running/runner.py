"""Runs one scenario against one target: chooses the clock, keeps the artefacts, says how it went.

Whatever happens (a failed step, a fault of the set-up or of the simulator, Ctrl-C), the call log and the recording are
written. What is no fault of the bot never ends as a failure of it.
"""

import asyncio
import tempfile
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audiosocket_core.errors import AudioSocketError
from audiosocket_core.phrase_book.book import PhraseBook
from audiosocket_core.slin import read_audio
from audiosocket_sim.call_log.events import Entry, Noted, Source, StepFailed
from audiosocket_sim.checks.failure import Failure
from audiosocket_sim.net.control_client import ControlError
from audiosocket_sim.parties.peer import MakeLeg, simulated_leg
from audiosocket_sim.parties.target import Target, TargetError, TargetUsageError, WrongSettings, parse_target
from audiosocket_sim.phone.sounds import Sounds
from audiosocket_sim.running.artefacts import with_artefacts
from audiosocket_sim.running.call_fixture import TARGET_DIED, CallFixture, SimulatorError
from audiosocket_sim.running.options import Options
from audiosocket_sim.running.processor_waits import ProcessorWaits
from audiosocket_sim.running.result import LATE_MS, Artefacts, Outcome, Result
from audiosocket_sim.running.steps import Steps
from audiosocket_sim.scenario import Scenario
from audiosocket_sim.scenario.paths import nearest_folder
from audiosocket_sim.virtual_time import VirtualTimeError, new_loop

__all__ = ["LATE_MS", "Artefacts", "Options", "Outcome", "Result", "run"]


@dataclass(frozen=True, slots=True)
class _Trouble:
    """Why there is no verdict on the bot."""

    outcome: Outcome
    line: str
    details: str = ""
    more: tuple[str, ...] = ()


@dataclass(slots=True)
class _Run:
    """What is known so far of a run in progress: survives whatever ends it."""

    scenario: Scenario
    stage: CallFixture | None = None
    steps: Steps | None = None
    held: bool = False
    virtual: bool = False
    waits: ProcessorWaits | None = None
    """Of a run in real time, once all is set up."""
    trouble: _Trouble | None = None
    troubled_ms: int | None = None
    """When that was, where a call had begun."""
    interrupted: bool = False


OnEntry = Callable[[Entry, CallFixture], None]


def run(scenario: Scenario, options: Options | None = None, on_entry: OnEntry | None = None) -> Result:
    """Run the scenario to its end. Never raises for what a scenario or a target does; KeyboardInterrupt is a result.

    `on_entry` is told of every entry of the log as it is made, with the stage that it happens on.
    """
    options = options or Options()
    state = _Run(scenario)
    try:
        target = parse_target(options.target, options.control_url)
        state.virtual = target.in_process and not options.real_time and options.peer == "simulated"
        make_leg = _make_leg(scenario, options)
        with asyncio.Runner(loop_factory=_loop_factory(scenario, options, state)) as runner:
            runner.run(_one_call(scenario, target, options, state, on_entry, make_leg))
    except KeyboardInterrupt:
        state.interrupted = True
        state.trouble = _Trouble(Outcome.INCONCLUSIVE, f"interrupted, while waiting for {_doing(state)}")
    except (Exception, SystemExit, asyncio.CancelledError) as error:  # noqa: BLE001 - whatever it was, the log is left
        state.trouble = state.trouble or _trouble_of(error, state)
    return _conclude(scenario, options, state)


def _make_leg(scenario: Scenario, options: Options) -> MakeLeg:
    if options.peer == "simulated":
        return simulated_leg
    from audiosocket_sim.asterisk_real.leg import real_leg

    return real_leg(scenario)


def _loop_factory(scenario: Scenario, options: Options, state: _Run) -> Callable[[], asyncio.AbstractEventLoop]:
    network = scenario.network
    if not state.virtual:
        return asyncio.new_event_loop
    memory = not (network.kernel or options.kernel)
    return lambda: new_loop(memory_network=memory, split=network.split, seed=network.seed)


def _trouble_of(error: BaseException, state: _Run) -> _Trouble:
    """Whose fault it is, in a line; only what the bot itself did to this process counts against it."""
    line = " ".join((str(error).splitlines() or [""])[0].split())
    doing = _doing(state)
    match error:
        case WrongSettings(settings=settings) if places := _places(settings, state.scenario):
            return _Trouble(Outcome.INVALID, places[0], more=places[1:])
        case TargetUsageError():
            return _Trouble(Outcome.INVALID, line)
        case TargetError() | ControlError() | AudioSocketError() | OSError():
            return _Trouble(Outcome.SET_UP, line or repr(error))
        case SystemExit(code=code):
            return _Trouble(Outcome.FAILED, f"the target ended its own process (exit {code}), during {doing}")
        case asyncio.CancelledError():
            return _Trouble(Outcome.SET_UP, f"somebody cancelled the simulator's task, during {doing}")
        case VirtualTimeError():
            why = f"virtual time does not go on: {line.removesuffix(' Pending:')} (--real-time may tell more)"
            return _Trouble(Outcome.SET_UP, why, str(error))
        case SimulatorError():
            details = "".join(traceback.format_exception(error.__cause__ or error))
            return _Trouble(Outcome.SET_UP, f"{line}, during {doing}", details)
    details = "".join(traceback.format_exception(error))
    return _Trouble(Outcome.SET_UP, f"the simulator failed: {error!r}, during {doing}".replace("\n", " "), details)


def _places(settings: Sequence[tuple[tuple[str, ...], str]], scenario: Scenario) -> tuple[str, ...]:
    """What is wrong with the scenario's own settings: a line each, as the loader would say it."""
    written = scenario.written
    found = {(written.place("server", *path), what) for path, what in settings if path and path[0] in scenario.server}
    placed = sorted((*place, what) for place, what in found if place is not None)
    return tuple(f"{written.file}:{line}:{column}: {what}" for line, column, what in placed)


async def _one_call(
    scenario: Scenario,
    target: Target,
    options: Options,
    state: _Run,
    on_entry: OnEntry | None,
    make_leg: MakeLeg,
) -> None:
    try:
        sounds = Sounds(scenario)
        await sounds.prepare()
        with tempfile.TemporaryDirectory() as folder:
            stage = CallFixture(
                scenario,
                target,
                await sounds.bot_book() if options.ear else PhraseBook([]),
                _hold_music(scenario.folder or Path.cwd()),
                settings=await _settings(scenario, target, sounds, options.artefacts or Path(folder)),
                ai_port=options.ai_port,
                on_entry=None if on_entry is None else (lambda entry: on_entry(entry, stage)),
                make_leg=make_leg,
                control_token=options.control_token,
            )
            state.stage = stage
            async with stage:
                if not state.virtual:
                    state.waits = ProcessorWaits()
                    state.waits.start()
                try:
                    await _carry_out(scenario, stage, sounds, state)
                except BaseException:  # Ctrl-C too, which is a cancellation here
                    state.troubled_ms = stage.now_ms
                    raise
                finally:
                    if state.waits is not None:
                        state.waits.stop()
    except Exception as error:  # noqa: BLE001 - told at once: what ends after it may fail in its turn
        state.trouble = _trouble_of(error, state)


async def _carry_out(scenario: Scenario, stage: CallFixture, sounds: Sounds, state: _Run) -> None:
    state.steps = Steps(stage, sounds)
    limit = asyncio.timeout(scenario.max_duration / 1000)
    try:
        async with limit:
            state.held = await state.steps.run()
    except TimeoutError:
        if not limit.expired():
            raise
        expected = f"the call to end within {scenario.max_duration / 1000:g} s"
        stage.fail(stage.now_ms, 0, "max_duration", expected, f"it still waited for {state.steps.doing}")
        stage.leg.hang_up("close")
        await stage.finish()


async def _settings(scenario: Scenario, target: Target, sounds: Sounds, folder: Path) -> dict[str, Any]:
    """The scenario's settings, and the phrase book of what its caller says in words of his own."""
    settings = dict(scenario.server)
    if target.in_process and sounds.unlisted:
        speech = settings.get("speech", {})
        if not isinstance(speech, dict) or not isinstance(speech.get("more_phrase_books", []), list):
            raise TargetUsageError(
                f"server: speech: must be a mapping with more_phrase_books as a list, not {speech!r}"
            )
        book = await sounds.write_book(folder / "said")
        books = [*speech.get("more_phrase_books", []), str(book.resolve())]
        settings["speech"] = {**speech, "more_phrase_books": books}
    return settings


def _hold_music(folder: Path) -> bytes:
    near = nearest_folder("audio", folder, "waiting.slin")
    return b"" if near is None else read_audio(near / "waiting.slin")


def _doing(state: _Run) -> str:
    return "the set-up" if state.steps is None else state.steps.doing


def _conclude(scenario: Scenario, options: Options, state: _Run) -> Result:
    stage, trouble = state.stage, state.trouble
    if stage is not None and trouble is not None:
        last_ms = max((entry.at_ms for entry in stage.log.entries), default=0)
        at_ms = last_ms if state.troubled_ms is None else state.troubled_ms
        stage.log.add(at_ms, Source.CHECK, Noted(trouble.line))
    entries = [] if stage is None else stage.log.entries
    late_ms = 0.0 if stage is None or state.virtual else stage.leg.own_lateness_ms
    failed = [(entry.event, entry.at_ms) for entry in entries if isinstance(entry.event, StepFailed)]
    died = any(event.step == TARGET_DIED for event, _ in failed)  # which no lateness of ours explains
    outcome = Outcome.PASSED if state.held and not failed else Outcome.FAILED
    faults: list[str] = []
    if trouble is not None:
        outcome, faults = trouble.outcome, [trouble.line, *trouble.more]
    elif outcome is Outcome.FAILED and late_ms > LATE_MS and not died:
        outcome = Outcome.INCONCLUSIVE
        faults = [f"the simulator itself was up to {late_ms:.0f} ms late: this says nothing of the bot"]
    result = Result(
        scenario,
        outcome,
        entries,
        [Failure.of(event, at_ms, scenario) for event, at_ms in failed],
        faults,
        details="" if trouble is None else trouble.details,
        own_lateness_ms=late_ms,
        processor_wait_ms=0.0 if state.waits is None else state.waits.most_ms,
        duration_ms=max((entry.at_ms for entry in entries), default=0),
        interrupted=state.interrupted,
    )
    return result if options.artefacts is None else with_artefacts(result, options.artefacts, stage)
