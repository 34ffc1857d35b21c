"""The synthesis of one message, chunk by chunk as the audio arrives, and the pool of connected synthesizers.

A synthesizer speaks one message at a time and keeps its connection, so synthesizers are pooled. After a complete
message its synthesizer returns to the pool. After a message that was stopped or failed, the connection is lost, and the
synthesizer is dropped.
"""

import asyncio
import re
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

from audiosocket_server.speech.azure.native import NativeVoice
from audiosocket_server.speech.azure.threads import Threads
from audiosocket_server.speech.base import SpeechError, SpeechUnavailable, Synthesised, WordEnd

__all__ = ["SynthesisMessage", "Voices"]

MOST_IDLE = 16
NEXT_AUDIO_SECONDS = 4.0  # longest time between two chunks; playback ends a message after 5 s without audio
MOST_BYTES = 9_600_000  # ten minutes, which is also Azure's limit for one message

_SPACE = re.compile(r"\s")
_IN_WORD = re.compile(r"\w")
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Voices:
    """The pool of synthesizers, by the name of their voice. `make`: makes a synthesizer that is not open yet."""

    def __init__(self, threads: Threads, make: Callable[[str], NativeVoice]) -> None:
        self._threads = threads
        self._make = make
        self._idle: deque[tuple[str, NativeVoice]] = deque()  # the most recently used last
        self._being_made = 0
        self._in_trouble = False  # the last message failed
        self._closed = False

    async def take(self, voice: str) -> NativeVoice:
        """Take a synthesizer from the pool, or make one. Raises RuntimeError, as the SDK does."""
        for idle in reversed(self._idle):
            if idle[0] == voice:
                self._idle.remove(idle)
                return idle[1]
        return await self._new(voice)

    async def give_back(self, voice: str, native: NativeVoice) -> None:
        """Return a synthesizer to the pool, after a complete message."""
        self._in_trouble = False
        await self._keep(voice, native)

    async def _keep(self, voice: str, native: NativeVoice) -> None:
        if self._closed or len(self._idle) >= MOST_IDLE:
            await self._threads.end(native.end)
        else:
            self._idle.append((voice, native))

    def failed(self) -> None:
        """Note that a message failed: until one succeeds, no synthesizer is made in advance (Azure may throttle)."""
        self._in_trouble = True

    def lacks(self, ready: int) -> bool:
        """Return True if fewer than `ready` synthesizers are in the pool or being made for it."""
        if self._closed or self._in_trouble:
            return False
        return len(self._idle) + self._being_made < min(ready, MOST_IDLE)

    async def add(self, voice: str) -> None:
        """Add a synthesizer with an open connection to the pool."""
        with suppress(RuntimeError):  # the message that needs the next one reports the error
            await self._keep(voice, await self._new(voice))

    async def close(self) -> None:
        """End every synthesizer in the pool; those in use are ended after their message."""
        self._closed = True
        idle, self._idle = self._idle, deque()
        await asyncio.gather(*(self._threads.end(native.end) for _, native in idle))

    async def _new(self, voice: str) -> NativeVoice:
        native = self._make(voice)
        self._being_made += 1
        try:
            await self._threads.start(native.open)
            return native
        except RuntimeError:
            await self._threads.end(native.end)
            raise
        finally:
            self._being_made -= 1


class SynthesisMessage:
    """The synthesis of one text. The engine runs `live` as a task, while the call reads `chunks`.

    `first_audio_seconds`: time limit of the first audio.
    """

    def __init__(self, threads: Threads, voices: Voices, text: str, voice: str, first_audio_seconds: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._threads = threads
        self._voices = voices
        self._text = _NOT_IN_XML.sub(" ", text)
        self._voice = voice
        self._first_audio_seconds = first_audio_seconds
        self._made: asyncio.Queue[Synthesised | SpeechError | None] = asyncio.Queue()  # None: the message is complete
        self._told = 0  # characters of the text whose end is known
        self._bytes = 0
        self._odd = b""
        self._whole = False
        self._over = asyncio.Event()

    async def live(self) -> None:
        """Take a synthesizer, speak, wait until the message is over, and return or end the synthesizer."""
        native: NativeVoice | None = None
        try:
            native = taken = await self._voices.take(self._voice)
            if not self._over.is_set():
                await self._threads.start(lambda: taken.start(self._text, self))
            await self._over.wait()
        except RuntimeError as error:  # as the SDK raises
            self._end_came(SpeechError(f"the Azure Speech SDK cannot speak: {error}"))
        finally:
            if native is not None:
                if self._whole:
                    await self._voices.give_back(self._voice, native)
                else:
                    await self._threads.end(native.end)

    async def chunks(self) -> AsyncIterator[Synthesised]:
        """Yield the audio as it arrives (SLIN, 8 kHz, any even length), and where its words end.

        Raises SpeechError if the synthesis fails, stalls, or yields no audio at all.
        """
        seconds, what = self._first_audio_seconds, "no audio"
        due = self._loop.time() + seconds
        while True:
            try:
                async with asyncio.timeout_at(due):
                    received = await self._made.get()
            except TimeoutError:
                self._voices.failed()
                raise SpeechUnavailable(f"Azure sent {what} within {seconds:g} s") from None
            if received is None:
                return
            if isinstance(received, SpeechError):
                raise received
            yield received
            if isinstance(received, bytes):
                seconds, what = NEXT_AUDIO_SECONDS, "no more audio"
                due = self._loop.time() + seconds

    def give_up(self) -> None:
        """Stop the message: no more audio is needed. Idempotent; returns at once."""
        self._over.set()

    # --- callbacks, on threads of the SDK -----------------------------------------------------------------------------

    def on_audio(self, pcm: bytes) -> None:
        """Hand a chunk of audio over to the event loop. See `SynthesisListener`."""
        self._hand_over(self._audio_came, pcm)

    def on_word(self, text: str, ends_ms: int) -> None:
        """Hand the end of a word over to the event loop. See `SynthesisListener`."""
        self._hand_over(self._word_came, text, ends_ms)

    def on_end(self, error: SpeechError | None) -> None:
        """Hand the end over to the event loop. See `SynthesisListener`."""
        self._hand_over(self._end_came, error)

    def _hand_over(self, callback: Callable[..., None], *args: object) -> None:
        with suppress(RuntimeError):  # the loop is closed, so nothing waits for the audio
            self._loop.call_soon_threadsafe(callback, *args)

    def _audio_came(self, pcm: bytes) -> None:
        if self._over.is_set():
            return
        pcm = self._odd + pcm
        self._odd = pcm[len(pcm) & ~1 :]
        pcm = pcm[: len(pcm) & ~1]
        self._bytes += len(pcm)
        if self._bytes > MOST_BYTES:
            self._end_came(SpeechError("the message is longer than ten minutes: its rest is not spoken"))
        elif pcm:
            self._made.put_nowait(pcm)

    def _word_came(self, word: str, ends_ms: int) -> None:
        """Find the word in the text, behind those that came before: what the service says of its place is not used."""
        found = re.compile(rf"(?<!\w){re.escape(word)}(?!\w)").search(self._text, self._told)
        if self._over.is_set() or found is None:
            return
        self._told = found.end()
        space = _SPACE.search(self._text, self._told)
        end = space.start() if space is not None else len(self._text)
        if not _IN_WORD.search(self._text, self._told, end):  # else it is a part of a word, and more of it follows
            self._made.put_nowait(WordEnd(end, ends_ms))

    def _end_came(self, error: SpeechError | None) -> None:
        if self._over.is_set():
            return
        self._whole = error is None
        if error is None and not self._bytes:
            error = SpeechError(f"Azure sent no audio: is there a voice {self._voice} for the language of the text?")
        if error is not None:
            self._voices.failed()
        self._made.put_nowait(error)
        self._over.set()
