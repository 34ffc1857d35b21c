"""Runs one scenario against one target: chooses the clock, keeps the artefacts, says how it went.

Whatever happens (a failed step, a fault of the set-up, Ctrl-C), the call log and the recording are written.
"""

import asyncio
import contextlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Any

from audiosocket.errors import AudioSocketError
from audiosocket.phrases import PhraseBook
from audiosocket.slin import read_audio
from audiosocket_sim.call_log import Entry, Noted, Source, StepFailed
from audiosocket_sim.control import ControlError
from audiosocket_sim.places import nearest_folder
from audiosocket_sim.recording import caller_track, write_recording
from audiosocket_sim.scenario import Scenario
from audiosocket_sim.sounds import Sounds
from audiosocket_sim.stage import Stage
from audiosocket_sim.steps import Steps
from audiosocket_sim.target import Target, TargetError, TargetUsageError, parse_target
from audiosocket_sim.transcript import transcript
from audiosocket_sim.virtual_time import new_loop

__all__ = ["LATE_MS", "Artefacts", "Options", "Outcome", "Result", "run"]

LATE_MS = 20.0
"""Own lateness past which a failure in real time says more of the machine than of the bot."""


class Outcome(IntEnum):
    """The values are the exit codes."""

    PASSED = 0
    FAILED = 1
    INVALID = 2
    SET_UP = 3
    INCONCLUSIVE = 4


@dataclass(frozen=True, slots=True)
class Options:
    """How to run. `target`: see docs/targets.md. `artefacts`: a folder for the files of this run, or None for none."""

    target: str = "server:serve"
    control_url: str | None = None
    real_time: bool = False
    kernel: bool = False
    ai_port: int = 0
    artefacts: Path | None = None
    ear: bool = True


@dataclass(frozen=True, slots=True)
class Artefacts:
    transcript: Path
    call_log: Path
    recording: Path


@dataclass(frozen=True, slots=True)
class Result:
    scenario: Scenario
    outcome: Outcome
    entries: Sequence[Entry] = ()
    problems: Sequence[str] = ()
    """One line each: what did not hold, or what was wrong with the set-up."""
    artefacts: Artefacts | None = None
    own_lateness_ms: float = 0.0
    duration_ms: int = 0
    interrupted: bool = False

    @property
    def worth_repeating(self) -> bool:
        """Inconclusive since the machine was busy: once more may tell."""
        return self.outcome is Outcome.INCONCLUSIVE and not self.interrupted

    @property
    def failed_at_ms(self) -> int | None:
        """When the first thing that did not hold was known."""
        return next((entry.at_ms for entry in self.entries if isinstance(entry.event, StepFailed)), None)

    @property
    def transcript(self) -> str:
        return transcript(self.scenario, self.entries)


@dataclass(slots=True)
class _Run:
    """What is known so far of a run in progress: survives whatever ends it."""

    stage: Stage | None = None
    steps: Steps | None = None
    entries: list[Entry] = field(default_factory=list)
    held: bool = False
    trouble: tuple[Outcome, str] | None = None
    interrupted: bool = False


OnEntry = Callable[[Entry, Stage], None]


def run(scenario: Scenario, options: Options | None = None, on_entry: OnEntry | None = None) -> Result:
    """Run the scenario to its end. Never raises for what a scenario or a target does; KeyboardInterrupt is a result.

    `on_entry` is told of every entry of the log as it is made, with the stage that it happens on.
    """
    options = options or Options()
    state = _Run()
    try:
        target = parse_target(options.target, options.control_url)
        if target.in_process and not options.real_time:
            split, seed = scenario.network.split, scenario.network.seed
            memory = not (scenario.network.kernel or options.kernel)
            loop_factory: Callable[[], asyncio.AbstractEventLoop] = lambda: new_loop(  # noqa: E731
                memory_network=memory, split=split, seed=seed
            )
        else:
            loop_factory = asyncio.new_event_loop
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(_one_call(scenario, target, options, state, on_entry))
    except TargetUsageError as error:
        state.trouble = (Outcome.INVALID, str(error))
    except (TargetError, ControlError, AudioSocketError, LookupError, OSError) as error:
        state.trouble = (Outcome.SET_UP, str(error))
    except KeyboardInterrupt:
        state.interrupted = True
        state.trouble = (Outcome.INCONCLUSIVE, f"interrupted, while waiting for {_doing(state)}")
    return _conclude(scenario, options, state)


async def _one_call(
    scenario: Scenario, target: Target, options: Options, state: _Run, on_entry: OnEntry | None
) -> None:
    folder = scenario.folder or Path.cwd()
    sounds = Sounds(scenario)
    stage = Stage(
        scenario,
        target,
        await sounds.bot_book() if options.ear else PhraseBook([]),
        _hold_music(folder),
        settings=await _settings(scenario, target, sounds, options),
        ai_port=options.ai_port,
        on_entry=None if on_entry is None else (lambda entry: on_entry(entry, stage)),
    )
    state.stage = stage
    async with stage:
        state.steps = Steps(stage, sounds)
        try:
            async with asyncio.timeout(scenario.max_duration / 1000):
                state.held = await state.steps.run()
        except TimeoutError:
            limit = f"the call to end within {scenario.max_duration / 1000:g} s"
            failed = StepFailed(0, "max_duration", limit, f"it still waited for {state.steps.doing}")
            stage.record(asyncio.get_running_loop().time(), Source.CHECK, failed)
            stage.leg.hang_up("close")
            await stage.finish()
        for failure in stage.failures + (stage.unused_replies() if state.held else []):
            stage.record(
                asyncio.get_running_loop().time(), Source.CHECK, StepFailed(0, "ai", "the AI's script to fit", failure)
            )


async def _settings(scenario: Scenario, target: Target, sounds: Sounds, options: Options) -> dict[str, Any]:
    """The scenario's settings, and the phrase book of what its caller says in words of his own."""
    settings = dict(scenario.server)
    if target.in_process and sounds.unlisted and options.artefacts is not None:
        book = await sounds.write_book(options.artefacts / "said")
        speech = dict(settings.get("speech", {}))
        speech["more_phrase_books"] = [*speech.get("more_phrase_books", []), str(book.resolve())]
        settings["speech"] = speech
    return settings


def _hold_music(folder: Path) -> bytes:
    near = nearest_folder("audio", folder, "waiting.slin")
    return b"" if near is None else read_audio(near / "waiting.slin")


def _doing(state: _Run) -> str:
    return "the set-up" if state.steps is None else state.steps.doing


def _conclude(scenario: Scenario, options: Options, state: _Run) -> Result:
    stage = state.stage
    late_ms = 0.0 if stage is None else stage.leg.own_lateness_ms
    if stage is not None and state.trouble is not None:
        stage.log.add(
            max((entry.at_ms for entry in stage.log.entries), default=0), Source.CHECK, Noted(state.trouble[1])
        )
    entries = [] if stage is None else stage.log.entries
    problems = [_problem(entry.event) for entry in entries if isinstance(entry.event, StepFailed)]
    outcome = Outcome.PASSED if state.held and not problems else Outcome.FAILED
    if outcome is Outcome.FAILED and options.real_time and late_ms > LATE_MS:
        outcome = Outcome.INCONCLUSIVE
        problems.append(f"the simulator itself was up to {late_ms:.0f} ms late: this says nothing of the bot")
    if state.trouble is not None:
        outcome, problems = state.trouble[0], [state.trouble[1], *problems]
    duration = max((entry.at_ms for entry in entries), default=0)
    artefacts = None
    if options.artefacts is not None and stage is not None:
        artefacts = _write(scenario, options.artefacts, entries, stage)
    return Result(scenario, outcome, entries, problems, artefacts, late_ms, duration, state.interrupted)


def _problem(failed: StepFailed) -> str:
    where = f"step {failed.number} ({failed.step})" if failed.number else failed.step
    return f"{where}: expected {failed.expected}; {failed.happened}"


def _write(scenario: Scenario, folder: Path, entries: Sequence[Entry], stage: Stage) -> Artefacts:
    folder.mkdir(parents=True, exist_ok=True)
    artefacts = Artefacts(folder / "transcript.txt", folder / "call.jsonl", folder / "call.wav")
    artefacts.transcript.write_text(transcript(scenario, entries), encoding="utf-8")
    lines = (json.dumps(entry.to_json(), ensure_ascii=False) for entry in entries)
    artefacts.call_log.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    with contextlib.suppress(ValueError):
        heard = stage.ear.timeline()
        caller = caller_track(stage.caller.sent, stage.t0, scenario.asterisk.rate_hz)
        write_recording(artefacts.recording, caller, heard)
    return artefacts
