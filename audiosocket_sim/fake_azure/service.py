"""The fake Azure Speech service as a whole: started in a running event loop or in a thread of its own, and closed.

It speaks the websocket protocol of the unmodified Speech SDK, for recognition and synthesis. docs/speech.md explains
how to point a client at it, and its limits. It needs the extra `[fake-azure]`.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from audiosocket_core.errors import AudioSocketError
from audiosocket_sim.fake_azure.connection import SpeechServices
from audiosocket_sim.fake_azure.faults_file import read_faults
from audiosocket_sim.fake_azure.plan import Faults
from audiosocket_sim.fake_azure.plan_progress import PlanProgress
from audiosocket_sim.fake_azure.recognisers import Recogniser, load_recogniser, phrase_book, recogniser_from
from audiosocket_sim.fake_azure.request_log import Request, RequestLog
from audiosocket_sim.fake_azure.synthesis import TextToSpeech, phrase_book_synthesiser
from audiosocket_sim.scenario.paths import PROJECT, cache_folder

__all__ = ["FakeAzure", "FakeAzureError"]

_PHRASE_BOOKS = (PROJECT / "recordings", PROJECT / "audio" / "prompts")
_START_SECONDS = 60.0


class FakeAzureError(AudioSocketError):
    """The fake cannot be started. One line that says why and what to do."""


class FakeAzure:
    """The fake. Use `async with FakeAzure() as fake`, or `with FakeAzure.in_thread() as fake`, and `fake.endpoint`.

    faults: the plans as `Faults`, as the path of a YAML file, or as the mapping in such a file; None for no faults.
    host, port: the address to listen on; port 0 for any free port.
    recogniser: `module:callable` or the callable itself (see the module `recognisers`); None for the phrase books.
    phrase_books: folders with a manifest.yaml. Their recordings are recognised, and their texts spoken as recorded.
    on_request: called with each request when it has ended, in the fake's own loop or thread.

    Raises FaultsError for a file of plans that is not valid, and pydantic's ValidationError for a mapping.
    """

    def __init__(
        self,
        faults: Faults | Path | Mapping[str, Any] | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        recogniser: str | Callable[..., Any] | None = None,
        phrase_books: Sequence[Path] = _PHRASE_BOOKS,
        on_request: Callable[[Request], None] | None = None,
    ) -> None:
        self._script = PlanProgress(read_faults(faults))
        self._host, self._port = host, port
        self._recogniser_wanted = recogniser
        self._phrase_books = tuple(phrase_books)
        self._log = RequestLog(on_request)
        self._server: Any = None

    @property
    def endpoint(self) -> str:
        """The URL for the SDK's `endpoint` or `host`, such as `ws://127.0.0.1:40123`."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"ws://{host}:{self._port}"

    @property
    def port(self) -> int:
        """The port; once started, the bound one."""
        return self._port

    @property
    def requests(self) -> tuple[Request, ...]:
        """The last thousand requests, oldest first. May be read from any thread."""
        return self._log.all()

    def script(self, faults: Faults | Path | Mapping[str, Any]) -> None:
        """Replace the plans; the new ones begin with their first steps. A turn in progress keeps its step.

        Raises the same errors as the constructor.
        """
        self._script.replace(read_faults(faults))

    async def start(self) -> Self:
        """Load the phrase books and listen. Raises FakeAzureError, PhraseBookError, RecogniserError, OSError."""
        try:
            from audiosocket_sim.fake_azure.websocket_server import WebsocketServer
        except ModuleNotFoundError as error:
            if error.name is None or error.name.partition(".")[0] != "websockets":
                raise
            raise FakeAzureError(
                "the fake Azure Speech service needs an extra: pip install 'audiosocket-sim[fake-azure]'"
            ) from None
        recogniser, speaker = await asyncio.get_running_loop().run_in_executor(None, self._load)
        server = WebsocketServer(SpeechServices(recogniser, speaker, self._script, self._log))
        self._port = await server.start(self._host, self._port)
        self._server = server
        return self

    async def aclose(self) -> None:
        """End every connection and stop listening."""
        if self._server is not None:
            await self._server.aclose()
            self._server = None

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    @classmethod
    @contextlib.contextmanager
    def in_thread(cls, faults: Faults | Path | Mapping[str, Any] | None = None, **options: Any) -> Generator[Self]:
        """Run the fake in an event loop in a thread of its own, for code that blocks, such as the SDK's waits.

        `options` are the keyword arguments of the constructor. Raises the errors of the constructor and of `start`.
        """
        fake = cls(faults, **options)
        with _LoopThread() as loop:
            asyncio.run_coroutine_threadsafe(fake.start(), loop).result(_START_SECONDS)
            try:
                yield fake
            finally:
                asyncio.run_coroutine_threadsafe(fake.aclose(), loop).result(_START_SECONDS)

    def _load(self) -> tuple[Recogniser, TextToSpeech]:
        """Load the recogniser and the voice. Blocks: the fingerprints of a phrase book take about a second."""
        wanted = self._recogniser_wanted
        if wanted is None:
            recogniser = phrase_book(self._phrase_books)
        else:
            recogniser = load_recogniser(wanted) if isinstance(wanted, str) else recogniser_from(wanted)
        return recogniser, phrase_book_synthesiser(tuple(reversed(self._phrase_books)), cache_folder() / "voice")


class _LoopThread:
    """An event loop that runs in a thread until the end of the `with` block."""

    def __enter__(self) -> asyncio.AbstractEventLoop:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="fake Azure Speech", daemon=True)
        self._thread.start()
        return self._loop

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._loop.close()

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_START_SECONDS)
