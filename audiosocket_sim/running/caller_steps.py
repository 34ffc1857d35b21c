"""Carries out the caller's steps: speaking, pressing keys, making noise, muting the phone; and lets time pass."""

import asyncio

from audiosocket_sim.call_log.events import CallerAction, CallerSpoke, Source
from audiosocket_sim.hearing.spoken_parts import spoken_parts_ms
from audiosocket_sim.phone.caller import Sound
from audiosocket_sim.phone.sounds import Sounds
from audiosocket_sim.running.call_fixture import CallFixture
from audiosocket_sim.running.progress import Progress
from audiosocket_sim.scenario import (
    DtmfStep,
    HangUpStep,
    MuteStep,
    NoiseStep,
    SayStep,
    SilenceStep,
    ToneStep,
)

__all__ = ["OF_THE_CALLER", "CallerStep", "CallerSteps"]

CallerStep = SayStep | DtmfStep | NoiseStep | ToneStep | SilenceStep | MuteStep | HangUpStep
OF_THE_CALLER = (SayStep, DtmfStep, NoiseStep, ToneStep, SilenceStep, MuteStep, HangUpStep)
"""The types of the steps that need a call in progress: after its end they fail."""

_AUDIBLE_DBFS = -50.0
_LOOK_EVERY_SECONDS = 0.02
"""How often to check whether the bot still speaks: there is no immediate report that it fell silent."""


class CallerSteps:
    """The caller's side of one call. Each method returns when its step is completed, or when the call is over."""

    def __init__(self, fixture: CallFixture, sounds: Sounds, progress: Progress) -> None:
        self._fixture = fixture
        self._sounds = sounds
        self._progress = progress
        self._loop = asyncio.get_running_loop()

    async def carry_out(self, step: CallerStep) -> bool:
        """Carry out one step, whose own `after` has passed already. Raises what `Sounds` and `changed` raise.

        Returns False if the call ended before the sound began, or before all keys were pressed. A sound or a last key
        that the end of the call cuts counts as carried out.
        """
        match step:
            case SayStep():
                return await self._say(step)
            case DtmfStep():
                return await self._press(step)
            case NoiseStep(noise=noise):
                what = f"{noise.color}, {_dbfs(noise.dbfs)}"
                event = CallerAction("noise", what, noise.for_, _kind_at(noise.dbfs))
                return await self._sound(event, await self._sounds.noise(noise))
            case ToneStep(tone=tone):
                what = f"{tone.hz:g} Hz, {_dbfs(tone.dbfs)}"
                event = CallerAction("tone", what, tone.for_, _kind_at(tone.dbfs))
                return await self._sound(event, await self._sounds.tone(tone))
            case SilenceStep(silence=ms):
                return await self._sound(CallerAction("silence", "", ms), self._sounds.silence(ms), pure=True)
            case MuteStep(mute=mute):
                await self._mute(mute)
            case HangUpStep(hang_up=hang_up):
                self._progress.hung_up = True
                self._progress.hung_up_at = self._loop.time()
                self._fixture.leg.hang_up(hang_up.how)
                self._progress.completed = self._loop.time()
        return True

    async def until(self, when: float) -> None:
        """Wait until the loop time `when`, in seconds, or the end of the call."""
        while self._loop.time() < when and self._fixture.end is None:
            await self._fixture.changed(when)

    async def let_pass(self, when: float) -> None:
        """Wait until the loop time `when`, in seconds, even after the end of the call."""
        while self._loop.time() < when:
            await self._fixture.changed(when)

    async def _say(self, step: SayStep) -> bool:
        recording = await self._sounds.recording(step.say)
        pcm = await self._sounds.pcm(step.say)
        if step.after is None and step.at is None:
            await self._until_the_caller_would_speak()
        parts_ms = spoken_parts_ms(recording.pcm)
        event = CallerSpoke(recording.text, recording.name, recording.duration_ms, parts_ms, recording.kind)
        return await self._sound(event, pcm, blocks=step.say.blocks)

    async def _until_the_caller_would_speak(self) -> None:
        """Wait until the bot has been silent for the scenario's `reaction`, and the step before is completed."""
        fixture = self._fixture
        reaction = fixture.scenario.reaction / 1000
        while fixture.end is None:
            now, completed = self._loop.time(), self._progress.completed
            since = fixture.ear.silent_since(now)
            ready = completed if since is None else max(since + reaction, completed)
            if since is not None and now >= ready:
                return
            await fixture.changed(max(ready, now + _LOOK_EVERY_SECONDS) if since is None else ready)

    async def _sound(
        self, event: CallerSpoke | CallerAction, pcm: bytes, *, pure: bool = False, blocks: bool = True
    ) -> bool:
        """Send a sound, SLIN at the leg's rate, and log `event` when its first packet leaves. Returns whether it left.

        `pure`: without the line's noise. `blocks`: return at the end of the sound, not at its beginning.
        """
        fixture, progress = self._fixture, self._progress
        if fixture.end is not None:
            return False
        finished: asyncio.Future[float] = self._loop.create_future()
        begun: asyncio.Future[float] = self._loop.create_future()

        def start(at: float) -> None:
            fixture.record(at, Source.CALLER, event)
            if isinstance(event, CallerSpoke) and event.kind == "turn":
                words = event.text or event.recording or ""
                fixture.defects.caller_says(at, words, pcm, fixture.scenario.asterisk.rate_hz)
            progress.began = at
            begun.set_result(at)

        def finish(at: float) -> None:
            if not finished.done():
                finished.set_result(at)
            fixture.notify()

        fixture.caller.play(Sound(pcm, start, finish, pure))
        while not (finished.done() if blocks else begun.done()) and fixture.end is None:
            await fixture.changed(self._loop.time() + 1)
        done = finished if blocks else begun
        progress.completed = done.result() if done.done() else self._loop.time()
        await self.until(progress.completed)
        return begun.done()

    async def _press(self, step: DtmfStep) -> bool:
        """Press the keys one after the other. Returns whether all were pressed."""
        for digit in step.dtmf:
            if self._fixture.end is not None:
                return False
            self._fixture.record(self._loop.time(), Source.CALLER, CallerAction("dtmf", digit, step.tone))
            await self._fixture.leg.press(digit, step.tone)
            await self.until(self._loop.time() + step.gap / 1000)
        self._progress.completed = self._loop.time()
        return True

    async def _mute(self, mute: int | str) -> None:
        caller = self._fixture.caller
        now = self._loop.time()
        if mute == "off":
            caller.muted = False
            self._fixture.record(now, Source.CALLER, CallerAction("unmute"))
            return
        caller.muted = True
        self._fixture.record(now, Source.CALLER, CallerAction("mute", "", None if mute == "on" else int(mute)))
        if mute != "on":
            await self.until(now + int(mute) / 1000)
            self._progress.completed = min(self._loop.time(), now + int(mute) / 1000)
            caller.muted = False


def _kind_at(dbfs: float) -> str | None:
    """What a noise or a tone is in a conversation: directed at nobody, if it is audible at all."""
    return "non_directed" if dbfs > _AUDIBLE_DBFS else None


def _dbfs(level: float) -> str:
    return f"{level:g} dBFS".replace("-", "−")
