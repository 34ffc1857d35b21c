"""Carries out a scenario's steps on a stage, one after the other; says which did not hold.

Times: a step counts from the completion of the step before. `say` waits until the bot has been silent for the
reaction time; everything else starts at once, or `after` its own pause.
"""

import asyncio
from dataclasses import dataclass

from audiosocket.slin import gain, silence
from audiosocket_sim import line
from audiosocket_sim.call_log import CallerAction, CallerSpoke, Noted, Source, StepFailed
from audiosocket_sim.caller import Sound
from audiosocket_sim.checks import Failed, Met, Moment, Pending, Unreadable, describe, evaluate, violation
from audiosocket_sim.scenario import (
    DtmfStep,
    Expectation,
    ExpectStep,
    HangUpStep,
    MuteStep,
    NeverStep,
    NoiseStep,
    SayStep,
    SilenceStep,
    Step,
    ToneStep,
    WaitStep,
)
from audiosocket_sim.sounds import Sounds
from audiosocket_sim.stage import Stage
from audiosocket_sim.target import TargetError, TargetUsageError

__all__ = ["Steps"]

_LOOK_EVERY_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class _Watch:
    """A `never` without a window: from its place in the steps to the end of the call."""

    number: int
    expectation: Expectation
    from_ms: int


class Steps:
    """The steps of one scenario. `doing` says at any time what is being done or waited for."""

    def __init__(self, stage: Stage, sounds: Sounds) -> None:
        self._stage = stage
        self._sounds = sounds
        self._loop = asyncio.get_running_loop()
        self._completed = self._loop.time()
        self._taken: set[int] = set()
        self._watches: list[_Watch] = []
        self.doing = "the connection"

    async def run(self) -> bool:
        """Carry out all steps, hang up where nobody has. Whether all held; what did not is in the log."""
        stage, steps = self._stage, self._stage.scenario.steps
        first = 0
        if steps and isinstance(step := steps[0], HangUpStep) and step.hang_up.before_uuid:
            await self._hang_up_before_the_uuid(step)
            first = 1
        else:
            await stage.place_call()
        self._completed = stage.t0
        held = True
        for number, step in enumerate(steps[first:], first + 1):
            self.doing = f"step {number} ({_title(step)})"
            if not await self._do(number, step):
                held = False
                break
        self.doing = "the end of the call"
        if stage.end is None:
            stage.leg.hang_up("close")
        await stage.finish()
        return self._nothing_happened_that_must_not() and held

    async def _hang_up_before_the_uuid(self, step: HangUpStep) -> None:
        placing = self._loop.create_task(self._stage.place_call())
        await asyncio.sleep((step.after or self._stage.scenario.asterisk.connect_pause / 2) / 1000)
        self._stage.leg.hang_up(step.hang_up.how)
        await placing

    async def _do(self, number: int, step: Step) -> bool:
        if step.after is not None:
            await self._until(self._completed + step.after / 1000)
            self._completed += step.after / 1000
        match step:
            case SayStep():
                await self._say(step)
            case WaitStep(wait=wait):
                self._completed += wait / 1000
                await self._until(self._completed)
            case DtmfStep():
                await self._press(step)
            case NoiseStep(noise=noise):
                pcm = line.noise(noise.for_, noise.dbfs, noise.color, self._stage.scenario.line.seed)
                await self._sound(CallerAction("noise", f"{noise.color}, {_dbfs(noise.dbfs)}", noise.for_), pcm)
            case ToneStep(tone=tone):
                pcm = line.tone(tone.for_, tone.hz, tone.dbfs)
                await self._sound(CallerAction("tone", f"{tone.hz:g} Hz, {_dbfs(tone.dbfs)}", tone.for_), pcm)
            case SilenceStep(silence=ms):
                await self._sound(CallerAction("silence", "", ms), silence(ms), pure=True)
            case MuteStep(mute=mute):
                await self._mute(mute)
            case HangUpStep(hang_up=hang_up):
                self._stage.leg.hang_up(hang_up.how)
                self._completed = self._loop.time()
            case ExpectStep(expect=expect):
                return await self._expect(number, step, expect, expect.within)
            case NeverStep():
                return await self._never(number, step)
        return True

    # --- what the caller does

    async def _say(self, step: SayStep) -> None:
        recording = await self._sounds.recording(step.say)
        if step.after is None:
            await self._until_the_caller_would_speak()
        await self._sound(
            CallerSpoke(recording.text, recording.name, recording.duration_ms),
            gain(recording.pcm, step.say.gain_db) if step.say.gain_db else recording.pcm,
            blocks=step.say.blocks,
        )

    async def _until_the_caller_would_speak(self) -> None:
        """`reaction` after the bot fell silent, and not before the step before is completed."""
        reaction = self._stage.scenario.reaction / 1000
        while self._stage.end is None:
            now = self._loop.time()
            since = self._stage.ear.silent_since(now)
            if since is not None and now >= max(since + reaction, self._completed):
                return
            await self._stage.changed(
                max(now + _LOOK_EVERY_SECONDS, self._completed if since is None else since + reaction)
            )

    async def _sound(
        self, event: CallerSpoke | CallerAction, pcm: bytes, *, pure: bool = False, blocks: bool = True
    ) -> None:
        """Send a sound down the line; it is noted in the log when its first packet leaves."""
        stage = self._stage
        finished: asyncio.Future[float] = self._loop.create_future()
        begun: asyncio.Future[float] = self._loop.create_future()

        def start(at: float) -> None:
            stage.record(at, Source.CALLER, event)
            begun.set_result(at)

        def finish(at: float) -> None:
            if not finished.done():
                finished.set_result(at)
            stage.wake()

        stage.caller.play(Sound(self._sounds.at_rate(pcm, stage.scenario.asterisk.rate_hz), start, finish, pure))
        while not (finished.done() if blocks else begun.done()) and stage.end is None:
            await stage.changed(self._loop.time() + 1)
        done = finished if blocks else begun
        self._completed = done.result() if done.done() else self._loop.time()
        await self._until(self._completed)

    async def _press(self, step: DtmfStep) -> None:
        for digit in step.dtmf:
            if self._stage.end is not None:
                break
            self._stage.record(self._loop.time(), Source.CALLER, CallerAction("dtmf", digit, step.tone))
            await self._stage.leg.press(digit, step.tone)
            await self._until(self._loop.time() + step.gap / 1000)
        self._completed = self._loop.time()

    async def _mute(self, mute: int | str) -> None:
        caller = self._stage.caller
        now = self._loop.time()
        if mute == "off":
            caller.muted = False
            self._stage.record(now, Source.CALLER, CallerAction("unmute"))
            return
        caller.muted = True
        self._stage.record(now, Source.CALLER, CallerAction("mute", "", None if mute == "on" else int(mute)))
        if mute != "on":
            self._completed = now + int(mute) / 1000
            await self._until(self._completed)
            caller.muted = False

    async def _until(self, when: float) -> None:
        while self._loop.time() < when and self._stage.end is None:
            await self._stage.changed(when)

    # --- what is expected

    def _moment(self, deadline_ms: int) -> Moment:
        stage, now = self._stage, self._loop.time()

        def ms(at: float | None) -> int | None:
            return None if at is None else stage.ms(at)

        return Moment(
            now_ms=stage.now_ms,
            base_ms=stage.ms(self._completed),
            deadline_ms=deadline_ms,
            speaking_since_ms=ms(stage.ear.speaking_since),
            open_speech_at_ms=ms(stage.ear.open_speech_at),
            silent_since_ms=ms(stage.ear.silent_since(now)),
            hold_since_ms=ms(stage.ear.hold_since),
            state=stage.state,
            taken=frozenset(self._taken),
        )

    async def _expect(self, number: int, step: ExpectStep, expectation: Expectation, within: int) -> bool:
        stage = self._stage
        if expectation.state is not None and stage.control is None:
            if expectation.state.when_told:
                stage.record(self._loop.time(), Source.CHECK, Noted(f"step {number} passed over: no control URL"))
                return True
            raise TargetUsageError(
                f"step {number} expects a state, and the target has no control URL: "
                "say when_told: true, or give its control URL (docs/targets.md)"
            )
        deadline_ms = stage.ms(self._completed) + within
        while True:
            verdict = evaluate(expectation, stage.log.entries, self._moment(deadline_ms))
            match verdict:
                case Met(completed_ms=completed_ms, entry=entry):
                    self._completed = stage.t0 + completed_ms / 1000
                    self._taken |= set() if entry is None else {entry}
                    return True
                case Failed(expected=expected, happened=happened):
                    self._fail(number, step, expected, happened)
                    return False
                case Unreadable(hint=hint):
                    raise TargetError(f"step {number}: {hint}")
                case Pending(recheck_ms=recheck_ms):
                    now = self._loop.time()
                    look = stage.t0 + (deadline_ms + _LOOK_EVERY_SECONDS * 1000) / 1000
                    if recheck_ms is not None:
                        look = min(look, stage.t0 + recheck_ms / 1000)
                    await stage.changed(look if look > now else now + _LOOK_EVERY_SECONDS)

    async def _never(self, number: int, step: NeverStep) -> bool:
        never, from_ms = step.never, self._stage.ms(self._completed)
        if never.for_ is None:
            self._watches.append(_Watch(number, never, from_ms))
            return True
        await self._until(self._completed + never.for_ / 1000)
        self._completed += never.for_ / 1000
        while self._stage.ear.open_speech_at is not None and self._stage.end is None:
            await self._stage.changed(self._loop.time() + _LOOK_EVERY_SECONDS)
        broken = violation(never, self._stage.log.entries, from_ms, from_ms + never.for_)
        if broken is not None:
            self._fail(number, step, f"that never within {never.for_} ms {describe(never)}", broken)
        return broken is None

    def _nothing_happened_that_must_not(self) -> bool:
        held = True
        for watch in self._watches:
            broken = violation(watch.expectation, self._stage.log.entries, watch.from_ms, self._stage.now_ms)
            if broken is not None:
                held = False
                step = self._stage.scenario.steps[watch.number - 1]
                self._fail(watch.number, step, f"that never {describe(watch.expectation)}", broken)
        return held

    def _fail(self, number: int, step: Step, expected: str, happened: str) -> None:
        self._stage.record(self._loop.time(), Source.CHECK, StepFailed(number, _title(step), expected, happened))


def _dbfs(level: float) -> str:
    return f"{level:g} dBFS".replace("-", "−")


def _title(step: Step) -> str:
    """The step's key, and the main word of an expectation: `expect bot_says`."""
    match step:
        case ExpectStep(expect=expect):
            return f"expect {expect.key}"
        case NeverStep(never=never):
            return f"never {never.key}"
        case _:
            return next(key for key in type(step).model_fields if key != "after")
