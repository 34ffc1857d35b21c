"""Somebody speaks over the bot's message: pauses it, finds out what was said so far, and lets it go on.

It carries out what `turns` decides (`turns.yielding`). A trial is a recognition of its own, of all that was heard so
far of the utterance: that of the whole utterance goes on, so that no word is lost if the trial finds a caller.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from audiosocket_server.call.caller_input import CallerInput
from audiosocket_server.services import Services
from audiosocket_server.speech.base import SpeechError, TellsLikely
from audiosocket_server.turns import vocabulary as t

__all__ = ["Overhearing"]


class Overhearing:
    """Trials of one call. `spawn` starts a task of the call; `notify_turns` reports an event to the turns."""

    def __init__(
        self,
        services: Services,
        caller: CallerInput,
        *,
        spawn: Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"],
        notify_turns: Callable[[t.TurnEvent], None],
    ) -> None:
        self._services = services
        self._caller = caller
        self._spawn = spawn
        self._notify_turns = notify_turns
        self._trial: asyncio.Task[None] | None = None
        self._likely = ""
        self._weighed: tuple[bool, ...] | None = None  # of the voice: over, soft, alike, may be his
        self._lasts = False

    def try_it(self, job: int) -> None:
        """Recognise what was heard so far of the utterance; reported as `Tried`."""
        self._end_trial()
        self._trial = self._spawn(self._try(job, self._caller.utterance_so_far()))

    def end(self) -> None:
        """Give up a trial, if there is one: the utterance is over, or has become the caller's turn."""
        self._end_trial()
        self._likely, self._weighed, self._lasts = "", None, False

    def _end_trial(self) -> None:
        trial, self._trial = self._trial, None
        if trial is not None:
            trial.cancel()

    def look_for_sound(self) -> None:
        """Report that a sound may be beginning: call it at each tick before the turns get theirs."""
        if self._caller.stirs:
            self._notify_turns(t.SoundStirs())

    def look(self, *, may_wait: bool) -> None:
        """Report how loud the voice is, that it lasts, and words that are likely by now: call it at each tick.

        `may_wait`: nothing follows yet, so it may be said later.
        """
        if not self._caller.pauses:
            self.weigh(over=False, may_wait=may_wait)
            if not self._lasts and self._caller.lasts():
                self._lasts = True
                self._notify_turns(t.VoiceLasts())
        recognition: object = self._caller.recognition
        if not isinstance(recognition, TellsLikely):
            return
        likely = recognition.likely()
        if likely != self._likely:
            self._likely = likely
            self._notify_turns(t.WordsHeard(likely))

    def weigh(self, *, over: bool, may_wait: bool = False) -> None:
        """Report whether the voice is the caller's, by its level and its sound. `over`: it has ended, or pauses."""
        soft = self._caller.is_soft(over=over, may_wait=may_wait)
        if soft is None:
            return
        weighed = (over, soft, *self._caller.likeness())
        if weighed != self._weighed:
            self._weighed = weighed
            self._notify_turns(t.VoiceWeighed(soft, over, *weighed[2:]))

    async def _try(self, job: int, heard: bytes) -> None:
        recognition = self._services.engine.recognise(self._services.settings.speech.language, lambda _: None)
        text = ""
        try:
            recognition.feed(heard)
            text = await recognition.finish()
        except SpeechError:
            pass  # nothing was understood; what the engine's fault is will show at the end of the utterance
        finally:
            recognition.cancel()
        self._trial = None  # what follows must not cancel this task, which is over
        self._notify_turns(t.Tried(job, text))
