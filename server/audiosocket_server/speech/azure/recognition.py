"""One caller turn: fed live from the event loop, recognised by the SDK, ended within our own time limit.

The SDK has no time limit in continuous recognition: a service that falls silent is never reported. What came until the
limit counts, also an interim text; only where nothing came is it a failure.
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

# Closed sooner after its start, the SDK at times takes half a second longer.
SHORTEST_SESSION_SECONDS = 0.05


class AzureTurn:
    """The `Recognition` of one turn. Its `live` is a task of the engine's: start, wait for the end, clean up."""

    def __init__(self, threads: Threads, on_interim: Callable[[str], None], patience_seconds: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._threads = threads
        self._tell_interim = on_interim
        self._patience_seconds = patience_seconds
        self._native: NativeRecognition | None = None
        self._started_at = 0.0
        self._started = asyncio.Event()
        self._ended = asyncio.Event()  # by the SDK
        self._over = asyncio.Event()  # nobody asks for more
        self._failure: SpeechError | None = None
        self._finals: list[str] = []
        self._interim = ""

    def begin(self, native: NativeRecognition) -> None:
        """What it is recognised with; from now on it may be fed. `live` comes next."""
        self._native = native

    async def live(self) -> None:
        """All of the turn's life beside what is asked of it."""
        native = self._native
        assert native is not None
        try:
            await self._threads.start(native.start)
            self._started_at = self._loop.time()
            self._started.set()
            await self._over.wait()
        except RuntimeError as error:  # as the SDK raises
            self.fail(SpeechError(f"the Azure Speech SDK does not start a recognition: {error}"))
        finally:
            await self._threads.end(native.end)

    # --- what is asked of it ------------------------------------------------------------------------------------------

    def feed(self, pcm: bytes) -> None:
        if self._native is not None and not self._over.is_set():
            with suppress(RuntimeError):  # what became of it is told at the end
                self._native.write(pcm)

    async def finish(self) -> str:
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
            self.fail(SpeechError(f"the Azure Speech SDK does not end a recognition: {error}"))
        finally:
            self._over.set()
        return self._understood()

    def cancel(self) -> None:
        self._over.set()

    def fail(self, error: SpeechError) -> None:
        """It has failed, if it had not before."""
        self._failure = self._failure or error
        self._started.set()
        self._ended.set()

    def _understood(self) -> str:
        if self._failure is None:
            return " ".join(self._finals)
        so_far = self._with_interim()
        if not so_far:
            raise self._failure
        log.warning("%s; what was understood until then counts", self._failure)
        return so_far

    def _with_interim(self) -> str:
        return " ".join([*self._finals, self._interim]).strip()

    # --- what the SDK tells, on its threads ---------------------------------------------------------------------------

    def on_interim(self, text: str) -> None:
        self._hand_over(self._interim_came, text)

    def on_final(self, text: str) -> None:
        self._hand_over(self._final_came, text)

    def on_end(self, error: SpeechError | None) -> None:
        self._hand_over(self._end_came, error)

    def _hand_over(self, callback: Callable[..., None], *args: object) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(callback, *args)

    def _interim_came(self, text: str) -> None:
        if self._ended.is_set() or self._over.is_set():
            return
        self._interim = text
        self._tell_interim(self._with_interim())

    def _final_came(self, text: str) -> None:
        if not self._ended.is_set():
            self._interim = ""
            if text.strip():
                self._finals.append(text.strip())

    def _end_came(self, error: SpeechError | None) -> None:
        if error is not None and not self._ended.is_set():
            self.fail(error)
        self._ended.set()
