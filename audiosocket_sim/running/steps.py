"""Carries out a scenario's steps on a stage, one after the other; says which did not hold.

Times: a step counts from the completion of the step before. `say` waits until the bot has been silent for the
reaction time; everything else starts at once, or `after` its own pause. What a caller does needs a call: after its end
such a step fails. Time passes, and requests come, after the end too.
"""

import asyncio
from dataclasses import dataclass

from audiosocket_sim.call_log.events import CallerAction, CallerSpoke, Noted, Source
from audiosocket_sim.checks import Broken, Failed, Met, Moment, Pending, Unreadable, describe, evaluate, violation
from audiosocket_sim.parties.target import TargetError, TargetUsageError
from audiosocket_sim.phone.caller import Sound
from audiosocket_sim.phone.sounds import Sounds
from audiosocket_sim.running.call_fixture import CallFixture
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

__all__ = ["Steps"]

_LOOK_EVERY_SECONDS = 0.02
"""While the bot speaks: nothing tells at once that it fell silent."""
_TO_THE_END_MS = 24 * 60 * 60_000
_OF_THE_CALLER = (SayStep, DtmfStep, NoiseStep, ToneStep, SilenceStep, MuteStep, HangUpStep)


@dataclass(frozen=True, slots=True)
class _Watch:
    """A `never`, from its place in the steps on. What began in its window may be known only later."""

    number: int
    step: NeverStep
    from_ms: int
    to_ms: int


class Steps:
    """The steps of one scenario. `doing` says at any time what is being done or waited for."""

    def __init__(self, stage: CallFixture, sounds: Sounds) -> None:
        self._stage = stage
        self._sounds = sounds
        self._loop = asyncio.get_running_loop()
        self._completed = self._loop.time()
        self._taken: set[int] = set()
        self._watches: list[_Watch] = []
        self._hung_up = False
        self.doing = "the connection"

    async def run(self) -> bool:
        """Carry out all steps, hang up where nobody has. Whether all held; what did not is in the log."""
        stage, steps = self._stage, self._stage.scenario.steps
        self._check_that_states_are_told()
        held = True
        first = 0
        if isinstance(step := steps[0], HangUpStep) and step.hang_up.before_uuid:
            held = await self._hang_up_before_the_uuid(step)
            first = 1
        else:
            await stage.place_call()
        self._completed = stage.t0
        for number, step in enumerate(steps[first:], first + 1):
            if not held:
                break
            self.doing = f"step {number} ({_title(step)})"
            held = await self._do(number, step)
        self.doing = "the end of the call"
        if stage.end is None:
            stage.leg.hang_up("close")
        await stage.finish()
        held = self._nothing_happened_that_must_not() and held
        if held:
            stage.check_the_ais_script(hung_up=self._hung_up)
        return held

    def _check_that_states_are_told(self) -> None:
        for number, step in enumerate(self._stage.scenario.steps, 1):
            if self._nobody_tells(step) and not self._may_be_passed_over(step):
                raise TargetUsageError(
                    f"step {number} expects a state, and the target has no control URL: "
                    "say when_told: true, or give its control URL (docs/targets.md)"
                )

    def _nobody_tells(self, step: Step) -> bool:
        expectation = _expectation(step)
        return expectation is not None and expectation.state is not None and self._stage.control is None

    def _may_be_passed_over(self, step: Step) -> bool:
        expectation = _expectation(step)
        return expectation is not None and expectation.state is not None and expectation.state.when_told

    async def _hang_up_before_the_uuid(self, step: HangUpStep) -> bool:
        stage = self._stage
        self._hung_up = True
        self.doing = "step 1 (hang_up)"
        placing = self._loop.create_task(stage.place_call())
        try:
            pause = stage.scenario.asterisk.connect_pause / 2 if step.after is None else step.after
            await asyncio.sleep(pause / 1000)
            in_time = stage.leg.t0 is None
            stage.leg.hang_up(step.hang_up.how)
            await placing
        finally:
            placing.cancel()
        if not in_time:
            stage.fail(
                stage.now_ms,
                1,
                _title(step),
                "to hang up before the UUID",
                "the UUID had been sent: `after` is too long",
            )
        return in_time

    async def _do(self, number: int, step: Step) -> bool:
        of_the_caller = isinstance(step, _OF_THE_CALLER)
        if step.after is not None:
            self._completed += step.after / 1000
            await (self._until if of_the_caller else self._pass)(self._completed)
        if of_the_caller and (end := self._stage.end) is not None:
            ended = f"it ended at {self._stage.ms(end.at) / 1000:.3f} ({end.who}: {end.reason})"
            self._stage.fail(self._stage.now_ms, number, _title(step), "the call to go on", ended)
            return False
        match step:
            case SayStep():
                await self._say(step)
            case WaitStep(wait=wait):
                self._completed += wait / 1000
                await self._pass(self._completed)
            case DtmfStep():
                await self._press(step)
            case NoiseStep(noise=noise):
                event = CallerAction("noise", f"{noise.color}, {_dbfs(noise.dbfs)}", noise.for_)
                await self._sound(event, await self._sounds.noise(noise))
            case ToneStep(tone=tone):
                event = CallerAction("tone", f"{tone.hz:g} Hz, {_dbfs(tone.dbfs)}", tone.for_)
                await self._sound(event, await self._sounds.tone(tone))
            case SilenceStep(silence=ms):
                await self._sound(CallerAction("silence", "", ms), self._sounds.silence(ms), pure=True)
            case MuteStep(mute=mute):
                await self._mute(mute)
            case HangUpStep(hang_up=hang_up):
                self._hung_up = True
                self._stage.leg.hang_up(hang_up.how)
                self._completed = self._loop.time()
            case ExpectStep() | NeverStep() if self._nobody_tells(step):
                note = Noted(f"step {number} passed over: no control URL")
                self._stage.record(self._loop.time(), Source.CHECK, note)
            case ExpectStep():
                return await self._expect(number, step)
            case NeverStep():
                return await self._never(number, step)
        return True

    # --- what the caller does

    async def _say(self, step: SayStep) -> None:
        recording = await self._sounds.recording(step.say)
        pcm = await self._sounds.pcm(step.say)
        if step.after is None:
            await self._until_the_caller_would_speak()
        event = CallerSpoke(recording.text, recording.name, recording.duration_ms)
        await self._sound(event, pcm, blocks=step.say.blocks)

    async def _until_the_caller_would_speak(self) -> None:
        """`reaction` after the bot fell silent, and not before the step before is completed."""
        reaction = self._stage.scenario.reaction / 1000
        while self._stage.end is None:
            now = self._loop.time()
            since = self._stage.ear.silent_since(now)
            ready = self._completed if since is None else max(since + reaction, self._completed)
            if since is not None and now >= ready:
                return
            await self._stage.changed(max(ready, now + _LOOK_EVERY_SECONDS) if since is None else ready)

    async def _sound(
        self, event: CallerSpoke | CallerAction, pcm: bytes, *, pure: bool = False, blocks: bool = True
    ) -> None:
        """Send a sound (of the leg's rate) down the line; it is noted in the log when its first packet leaves."""
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

        stage.caller.play(Sound(pcm, start, finish, pure))
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
        """Until then, or the end of the call."""
        while self._loop.time() < when and self._stage.end is None:
            await self._stage.changed(when)

    async def _pass(self, when: float) -> None:
        """Until then, also after the end of the call."""
        while self._loop.time() < when:
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

    async def _expect(self, number: int, step: ExpectStep) -> bool:
        stage, expectation = self._stage, step.expect
        deadline_ms = stage.ms(self._completed) + expectation.within
        while True:
            match evaluate(expectation, stage.log.entries, self._moment(deadline_ms)):
                case Met(completed_ms=completed_ms, entry=entry):
                    self._completed = stage.t0 + completed_ms / 1000
                    self._taken |= set() if entry is None else {entry}
                    return True
                case Failed(expected=expected, happened=happened):
                    stage.fail(stage.now_ms, number, _title(step), expected, *happened)
                    return False
                case Unreadable(hint=hint):
                    raise TargetError(f"step {number}: {hint}")
                case Pending(recheck_ms=recheck_ms):
                    at = self._loop.time() + 1 if recheck_ms is None else stage.t0 + recheck_ms / 1000
                    await stage.changed(at)

    async def _never(self, number: int, step: NeverStep) -> bool:
        """Without `for` it is judged when the call is over; with `for` at the end of its window, and again then."""
        from_ms, window_ms = self._stage.ms(self._completed), step.never.for_
        if window_ms is None:
            self._watches.append(_Watch(number, step, from_ms, _TO_THE_END_MS))
            return True
        self._completed += window_ms / 1000
        await self._pass(self._completed)
        watch = _Watch(number, step, from_ms, from_ms + window_ms)
        early = step.never.bot_silent is None  # speech that is still going on is not in the log yet
        if early and not self._is_kept(watch):
            return False
        self._watches.append(watch)
        return True

    def _nothing_happened_that_must_not(self) -> bool:
        kept = [self._is_kept(watch) for watch in self._watches]  # each of them is told
        return all(kept)

    def _is_kept(self, watch: _Watch) -> bool:
        """Whether it never happened in the window so far; else it is told, at the moment when it did."""
        stage, never = self._stage, watch.step.never
        to_ms = min(watch.to_ms, stage.now_ms)
        match violation(never, stage.log.entries, watch.from_ms, to_ms):
            case Broken(at_ms=at_ms, happened=happened):
                window = "" if never.for_ is None else f" within {never.for_} ms"
                expected = f"never{window}: {describe(never)}"
                stage.fail(at_ms, watch.number, _title(watch.step), expected, happened)
                return False
            case Unreadable(hint=hint):
                raise TargetError(f"step {watch.number}: {hint}")
        return True


def _expectation(step: Step) -> Expectation | None:
    match step:
        case ExpectStep(expect=expect):
            return expect
        case NeverStep(never=never):
            return never
    return None


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
