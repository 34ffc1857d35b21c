"""What one call says: its playback, and the making of the message that is being said. The `ear`'s counterpart.

What to say, and when, is decided in `turns`; the clock takes the frames (`call`). Speech is made ahead of its playing
by a bounded amount, and a task of the call does it, so that none outlives the call.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from audiosocket_server import events as e
from audiosocket_server.call.playback import Playback
from audiosocket_server.services import Services
from audiosocket_server.speech.base import SpeechError
from audiosocket_server.turns import vocabulary as t

__all__ = ["SpeechOutput"]

# So much speech is made ahead of its playing; a longer message waits for room. It bounds the memory of a call.
MOST_QUEUED_MS = 20_000
ROOM_FROM_MS = 10_000


class SpeechOutput:
    """One call's. `spawn` makes a task of the call's, `note` records an event, `tell` is heard by `turns`."""

    def __init__(
        self,
        services: Services,
        *,
        spawn: Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"],
        note: Callable[[e.CallEvent], None],
        tell: Callable[[t.TurnEvent], None],
    ) -> None:
        self.playback = Playback(services.hold_pcm)
        self.saying: t.Speak | None = None
        """The message that is being said, from its first sound's making to its last one's playing."""
        self.waits_for_room = False
        """Synthesis waits for playback to catch up: `make_room` is to be called at each tick."""
        self._services = services
        self._spawn = spawn
        self._note = note
        self._tell = tell
        self._synthesis: asyncio.Task[None] | None = None
        self._room = asyncio.Event()

    def say(self, message: t.Speak) -> None:
        """Begin to make it; its first sound begins its playing, or waits for `release` of what is held."""
        self.playback.begin(message.job, held=message.held)
        self.saying = message
        self._synthesis = self._spawn(self._synthesise(message))

    def hush(self) -> None:
        """Nothing more is said of it, from the next frame on."""
        self._stop_making()
        self.saying = None
        self.playback.flush()

    def said(self, complete: bool) -> None:
        """Its playing is over: all of it, or what there was of it."""
        if not complete and self.saying is not None:  # not hushed
            self._stop_making()
            self._note(e.SynthesisFailedEvent("the audio stopped coming"))
        self.saying = None

    def make_room(self) -> None:
        """A frame was taken: synthesis may go on."""
        if self.playback.queued_ms < ROOM_FROM_MS:
            self._room.set()

    def _stop_making(self) -> None:
        if self._synthesis is not None:
            self._synthesis.cancel()

    async def _synthesise(self, message: t.Speak) -> None:
        """What was made before a failure is played; where nothing was, a recording of the same text stands in, if
        there is one."""
        services, out = self._services, self.playback
        made = False
        failure: str | None = None
        chunks = services.engine.synthesise(message.text, services.settings.greeting.voice)
        try:
            async for chunk in chunks:
                made = made or len(chunk) > 1
                out.feed(chunk)
                if out.queued_ms > MOST_QUEUED_MS:
                    await self._until_there_is_room()
        except SpeechError as error:
            failure = str(error)
        finally:
            if (close := getattr(chunks, "aclose", None)) is not None:
                await close()
        if failure is not None or not made:
            self._note(e.SynthesisFailedEvent(failure or "no audio was made"))
        if not made and services.stand_ins is not None and (recording := services.stand_ins.of(message.text)):
            out.feed(recording)
            made = True
        if made:
            out.finish()
        else:
            out.flush()
            self._tell(t.SpeechFailed(message.job))

    async def _until_there_is_room(self) -> None:
        self._room.clear()
        self.waits_for_room = True
        try:
            await self._room.wait()
        finally:
            self.waits_for_room = False
