"""The recognition of one utterance: fed live from the event loop, recognised by the SDK, ended within a time limit.

The SDK has no time limit in continuous recognition, and never reports a service that falls silent. At the limit, the
text so far counts, even if it is interim; only if there is none, the recognition has failed.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

from audiosocket_server.speech.azure.native import NativeRecognition
from audiosocket_server.speech.azure.threads import Threads
from audiosocket_server.speech.base import SpeechError, SpeechUnavailable

__all__ = ["AzureTurn"]

log = logging.getLogger("audiosocket_server.speech.azure")

# If the stream is closed sooner after the start, the SDK sometimes takes half a second longer.
SHORTEST_SESSION_SECONDS = 0.05


class AzureTurn:
    """The `Recognition` of one utterance. The engine runs `live` as a task: start, wait for the end, clean up.

    `on_interim`: called on the event loop; `patience_seconds`: time limit of the final text.
    """

    def __init__(self, threads: Threads, on_interim: Callable[[str], None], patience_seconds: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._threads = threads
        self._on_interim_text = on_interim
        self._patience_seconds = patience_seconds
        self._native: NativeRecognition | None = None
        self._started_at = 0.0
        self._started = asyncio.Event()
        self._ended = asyncio.Event()  # by the SDK
        self._over = asyncio.Event()  # finished or cancelled by the call
        self._failure: SpeechError | None = None
        self._finals: list[str] = []
        self._interim = ""

    def begin(self, native: NativeRecognition) -> None:
        """Use this recognizer; from now on audio may be fed. Call `live` next."""
        self._native = native

    async def live(self) -> None:
        """Start the recognizer, wait until the recognition is over, and clean up."""
        native = self._native
        assert native is not None
        try:
            await self._threads.start(native.start)
            self._started_at = self._loop.time()
            self._started.set()
            await self._over.wait()
        except RuntimeError as error:  # as the SDK raises
            self.fail(SpeechError(f"the Azure Speech SDK cannot start a recognition: {error}"))
        finally:
            await self._threads.end(native.end)

    # --- the protocol -------------------------------------------------------------------------------------------------

    def feed(self, pcm: bytes) -> None:
        """Take caller audio. See `Recognition`."""
        if self._native is not None and not self._over.is_set():
            with suppress(RuntimeError):  # a failure is reported by `finish`
                self._native.write(pcm)

    async def finish(self) -> str:
        """End the audio, and return the text, within `patience_seconds`. See `Recognition`."""
        try:
            async with asyncio.timeout(self._patience_seconds):
                await self._started.wait()
                await asyncio.sleep(self._started_at + SHORTEST_SESSION_SECONDS - self._loop.time())
                if self._native is not None:
                    self._native.close()
                await self._ended.wait()
        except TimeoutError:
            self.fail(SpeechUnavailable(f"Azure gave no final text within {self._patience_seconds:g} s"))
        except RuntimeError as error:
            self.fail(SpeechError(f"the Azure Speech SDK cannot end a recognition: {error}"))
        finally:
            self._over.set()
        return self._understood()

    def cancel(self) -> None:
        """Discard the recognition. See `Recognition`."""
        self._over.set()

    def fail(self, error: SpeechError) -> None:
        """Mark the recognition as failed; the first error counts."""
        self._failure = self._failure or error
        self._started.set()
        self._ended.set()

    def _understood(self) -> str:
        if self._failure is None:
            return " ".join(self._finals)
        so_far = self._with_interim()
        if not so_far:
            raise self._failure
        log.warning("%s; the text understood so far counts", self._failure)
        return so_far

    def _with_interim(self) -> str:
        return " ".join([*self._finals, self._interim]).strip()

    # --- callbacks, on threads of the SDK -----------------------------------------------------------------------------

    def on_interim(self, text: str) -> None:
        """Hand an interim text over to the event loop. See `RecognitionListener`."""
        self._hand_over(self._interim_came, text)

    def on_final(self, text: str) -> None:
        """Hand a final text over to the event loop. See `RecognitionListener`."""
        self._hand_over(self._final_came, text)

    def on_end(self, error: SpeechError | None) -> None:
        """Hand the end over to the event loop. See `RecognitionListener`."""
        self._hand_over(self._end_came, error)

    def _hand_over(self, callback: Callable[..., None], *args: object) -> None:
        with suppress(RuntimeError):  # the loop is closed, so nothing waits for the result
            self._loop.call_soon_threadsafe(callback, *args)

    def _interim_came(self, text: str) -> None:
        if self._ended.is_set() or self._over.is_set():
            return
        self._interim = text
        self._on_interim_text(self._with_interim())

    def _final_came(self, text: str) -> None:
        if not self._ended.is_set():
            self._interim = ""
            if text.strip():
                self._finals.append(text.strip())

    def _end_came(self, error: SpeechError | None) -> None:
        if error is not None and not self._ended.is_set():
            self.fail(error)
        self._ended.set()
