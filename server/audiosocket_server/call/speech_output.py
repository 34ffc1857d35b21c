"""The bot's side of one call: its playback queue, and the synthesis of the current message.

What is said and when is decided in `turns`; the session takes the frames (`session`). Synthesis runs ahead of playback
by a bounded amount, in a task of the call, so that it never outlives the call.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from audiosocket_server import events as e
from audiosocket_server.call.heard_words import estimated_ends, heard
from audiosocket_server.call.playback import Playback
from audiosocket_server.call.resuming import quiet_before, resume_at
from audiosocket_server.services import Services
from audiosocket_server.speech.base import SpeechError, WordEnd
from audiosocket_server.turns import vocabulary as t

__all__ = ["SpeechOutput"]

# Synthesis runs at most MOST_QUEUED_MS ahead of playback, and goes on below ROOM_FROM_MS. This bounds a call's memory.
MOST_QUEUED_MS = 20_000
ROOM_FROM_MS = 10_000
BYTES_A_MS = 16
MOST_KEPT_BYTES = 480_000  # of a message's sound, half a minute: only to estimate where its words end


class SpeechOutput:
    """The speech of one call.

    `spawn` starts a task that belongs to the call; `record` records an event of the call; `notify_turns` reports an
    event to the turns.
    """

    def __init__(
        self,
        services: Services,
        *,
        spawn: Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"],
        record: Callable[[e.CallEvent], None],
        notify_turns: Callable[[t.TurnEvent], None],
    ) -> None:
        self.playback = Playback(services.hold_pcm, nearly_over_ms=services.settings.endpointing.early_speech_ms)
        self.current: t.Speak | None = None
        """The current message, from the start of its synthesis to the end of its playback."""
        self.waits_for_room = False
        """True while synthesis waits for playback to catch up: call `make_room` at each tick."""
        self._services = services
        self._spawn = spawn
        self._record = record
        self._notify_turns = notify_turns
        self._text = ""
        self._word_ends: list[WordEnd] = []
        self._sound: list[bytes] = []
        self._synthesis: asyncio.Task[None] | None = None
        self._room = asyncio.Event()
        self._paused_at = 0.0

    def say(self, message: t.Speak) -> None:
        """Start the synthesis of `message`. Playback begins with its first audio, or at `Playback.release` if held."""
        self.playback.begin(message.job, held=message.held)
        self.current = message
        self._text, self._word_ends, self._sound = message.text, [], []
        self._synthesis = self._spawn(self._synthesise(message))

    def stop(self) -> None:
        """Stop the current message, from the next frame on."""
        self._stop_synthesis()
        self.current = None
        self.playback.flush()

    def quiet_ms(self) -> int:
        """Return for how long the current message has been in a pause between its own words."""
        return quiet_before(self.playback.position_ms, b"".join(self._sound))

    def pause(self, now: float) -> None:
        """Pause the current message, from the next frame on. `now`: seconds."""
        self._paused_at = now
        self.playback.pause()
        self._record(e.PlaybackPausedEvent(self.playback.played_ms))

    def resume(self, why: str, now: float) -> None:
        """Play the current message on, from the word or the sound under way when it was paused."""
        at_ms = resume_at(self.playback.position_ms, self._word_ends, b"".join(self._sound))
        self.playback.resume(at_ms)
        paused_ms = round((now - self._paused_at) * 1000)
        self._record(e.PlaybackResumedEvent(why, paused_ms, self.playback.played_ms))

    def playback_ended(self, complete: bool) -> None:
        """Playback of the message ended; `complete` is False if its audio stopped arriving."""
        if not complete and self.current is not None:  # not by `stop`
            self._stop_synthesis()
            self._record(e.SynthesisFailedEvent("the audio stopped coming"))
        self.current = None

    def heard(self, played_ms: int, of_ms: int | None) -> str:
        """Return the words that were said in the first `played_ms` of the newest message. `of_ms`: its whole length."""
        ends = self._word_ends
        if not ends:
            sound = b"".join(self._sound)
            ends = estimated_ends(self._text, sound, whole=of_ms is not None and of_ms <= len(sound) // BYTES_A_MS)
        return heard(self._text, ends, played_ms)

    def make_room(self) -> None:
        """Let synthesis go on if playback has caught up; called after each frame."""
        if self.playback.queued_ms < ROOM_FROM_MS:
            self._room.set()

    def _stop_synthesis(self) -> None:
        if self._synthesis is not None:
            self._synthesis.cancel()

    async def _synthesise(self, message: t.Speak) -> None:
        """Synthesise `message` into the playback queue.

        After a failure the audio made before it is still played. If there is none, a recording of the same text is
        played instead, if there is one.
        """
        services, out = self._services, self.playback
        made = False
        failure: str | None = None
        chunks = services.engine.synthesise(message.text, services.settings.greeting.voice)
        try:
            async for chunk in chunks:
                if isinstance(chunk, WordEnd):
                    self._word_ends.append(chunk)
                    continue
                made = made or len(chunk) > 1
                self._keep(chunk)
                out.feed(chunk)
                if out.queued_ms > MOST_QUEUED_MS:
                    await self._wait_for_room()
        except SpeechError as error:
            failure = str(error)
        finally:
            if (close := getattr(chunks, "aclose", None)) is not None:
                await close()
        if failure is not None or not made:
            self._record(e.SynthesisFailedEvent(failure or "the engine produced no audio"))
        if not made and services.stand_ins is not None and (recording := services.stand_ins.of(message.text)):
            self._word_ends.clear()
            self._keep(recording)
            out.feed(recording)
            made = True
        if made:
            out.finish()
        else:
            out.flush()
            self._notify_turns(t.SpeechFailed(message.job))

    def _keep(self, sound: bytes) -> None:
        if sum(map(len, self._sound)) < MOST_KEPT_BYTES:
            self._sound.append(sound)

    async def _wait_for_room(self) -> None:
        self._room.clear()
        self.waits_for_room = True
        try:
            await self._room.wait()
        finally:
            self.waits_for_room = False
