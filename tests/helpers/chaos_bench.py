"""Good calls beside attacks, on the real clock: a caller that hears and says sentences, and a server of its own."""

import asyncio
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from pathlib import Path
from typing import IO
from uuid import UUID

import httpx

from audiosocket_core.messages import Kind, encode
from audiosocket_core.phrase_book.book import PhraseBook
from benchmarks.attacks import ATTACKS

ROOT = Path(__file__).resolve().parents[2]
PATHS = os.pathsep.join(str(ROOT / name) for name in (".", "server", "tests"))
REACTION_SECONDS = 0.7
"""From the bot's last word to the caller's first, as in a scenario. The server listens 0.5 s after its last word, and
to 0.3 s before: of who spoke at once it lost the first word, if a busy machine held it up by 0.2 s at that instant."""
ASKS = "Qual é o seu nome?"  # its greeting, and each answer
SAYS = ("Quero falar com o apartamento 202, por favor.", "Meu nome é João da Silva.")
SETTINGS = {
    "greeting": {"message": ASKS, "delay_seconds": 0.2},
    "system": {"silence_threshold_seconds": 2.0},
    "endpointing": {"echo_guard": False},
    "limits": {"no_utterance_seconds": 600, "uuid_seconds": 2},
}
CLOSES_WITHIN_SECONDS = 20.0
GIVES_UP_AFTER_SECONDS = 60.0
ATTACKED_SECONDS = 12.0
_FRAME_HEAD = encode(Kind.SLIN8, bytes(320))[:3]


class Server:
    """A server in a process of its own. `log`: where its log goes."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert process.stdout is not None
        words = process.stdout.readline().split()
        assert len(words) == 2, "the server ended before it was ready"
        self.port, self.control_port = map(int, words)

    @property
    def control_url(self) -> str:
        return f"http://127.0.0.1:{self.control_port}"

    @property
    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    @property
    def memory_mb(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    async def tasks(self, question: str = "tasks") -> int:
        """The number of its tasks; `question` may be a command that is answered with it."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{question}\n")
        self.process.stdin.flush()
        return int(await asyncio.to_thread(self.process.stdout.readline))

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Stand still meanwhile."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)


@contextmanager
def server(loop_name: str, log: IO[str], backend_port: int, port: int = 0) -> Iterator[Server]:
    settings = SETTINGS | {"ai": {"api_url": f"http://127.0.0.1:{backend_port}/messages"}}
    command = [sys.executable, "-m", "helpers.chaos_server", loop_name, str(port), json.dumps(settings)]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": PATHS},
    ) as process:
        try:
            yield Server(process)
        finally:
            process.kill()


@contextmanager
def backend() -> Iterator[int]:
    """An AI backend that answers each question with `ASKS`; its port."""
    command = [sys.executable, "-m", "benchmarks.backend"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline())
        finally:
            process.kill()


class GoodCall:
    """One caller: hears the greeting, and for each sentence that he says, the answer."""

    def __init__(self, number: int, sentences: Sequence[str]) -> None:
        self.uuid = UUID(int=number)
        self.sentences = sentences
        self.heard = bytearray()
        self.late_seconds = 0.0
        self._says = bytearray()
        self._at = 0

    async def run(self, server: Server, hold: asyncio.Event) -> list[str]:
        """Make the call; it goes on until `hold` is set. Returns the transcript. Raises if the call is lost."""
        asks = pcm_of("audio/prompts", ASKS)
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(encode(Kind.UUID, self.uuid.bytes))
        talking = asyncio.create_task(self._talk(writer))
        try:
            async with asyncio.timeout(GIVES_UP_AFTER_SECONDS):
                await self._hear(reader, asks)
                for sentence in self.sentences:
                    self._says += bytes(round(16_000 * REACTION_SECONDS)) + pcm_of("recordings", sentence)
                    await self._hear(reader, asks)
                while not hold.is_set():
                    await self._frame(reader)
            return await transcript(server, self.uuid)
        except TimeoutError:
            words = await transcript(server, self.uuid)
            late = f"the caller himself was up to {self.late_seconds:.1f} s late"
            raise AssertionError(f"call {self.uuid.int} has not heard what it waits for; {words}; {late}") from None
        finally:
            talking.cancel()
            writer.close()

    async def _hear(self, reader: asyncio.StreamReader, pcm: bytes) -> None:
        """Wait until the whole sound was heard, without a frame that is missing or doubled.

        Without the silence at its beginning: to look for zeros among zeros would take most of this process's time.
        """
        pcm = pcm.lstrip(b"\0")
        while (found := self.heard.find(pcm, max(self._at, len(self.heard) - len(pcm) - 640))) < 0:
            await self._frame(reader)
        self._at = found + len(pcm)

    async def _frame(self, reader: asyncio.StreamReader) -> None:
        message = await reader.readexactly(len(_FRAME_HEAD) + 320)
        assert message.startswith(_FRAME_HEAD)
        self.heard += message[len(_FRAME_HEAD) :]

    async def _talk(self, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        began, sent = loop.time(), 0
        while True:
            sent += 1
            await asyncio.sleep(began + sent * 0.02 - loop.time())
            self.late_seconds = max(self.late_seconds, loop.time() - began - sent * 0.02)
            frame = bytes(self._says[:320]).ljust(320, b"\0")
            del self._says[:320]
            with contextlib.suppress(ConnectionError):
                writer.write(encode(Kind.SLIN8, frame))


def words_of(sentences: Sequence[str]) -> list[str]:
    """The transcript of a good call."""
    return [f"ai: {ASKS}", *(line for said in sentences for line in (f"caller: {said}", f"ai: {ASKS}"))]


@contextmanager
def no_room() -> Iterator[IO[str]]:
    """A file on a disk that is full."""
    with open("/dev/full", "w", encoding="utf-8") as full:
        yield full


@cache
def pcm_of(folder: str, text: str) -> bytes:
    return next(phrase.pcm for phrase in PhraseBook.load(ROOT / folder).phrases if phrase.text == text)


async def transcript(server: Server, uuid: UUID) -> list[str]:
    async with httpx.AsyncClient(base_url=server.control_url, trust_env=False, verify=False, timeout=30) as http:
        answer = (await http.get(f"/calls/{uuid}")).json()
    assert answer["live"], answer
    return [f"{line['origin']}: {line['text']}" for line in answer["transcript"] if line["origin"] != "system"]


@asynccontextmanager
async def attacked(server: Server, draw: random.Random, at_a_time: int) -> AsyncIterator[None]:
    """Random attacks meanwhile, of which each takes about a second: of every kind one, if the machine has the time."""
    loop = asyncio.get_running_loop()
    until = loop.time() + ATTACKED_SECONDS

    async def some(names: list[str]) -> None:
        while names and loop.time() < until:
            command = ("-m", "benchmarks.attacks", names.pop(), str(server.port), str(server.control_port))
            times = (f"{draw.uniform(0.5, 1.0)}", str(draw.randrange(1000)))
            attack = await asyncio.create_subprocess_exec(
                "nice", sys.executable, *command, *times, cwd=ROOT, stdout=subprocess.DEVNULL
            )
            try:
                await attack.wait()
            finally:
                with contextlib.suppress(ProcessLookupError):
                    attack.kill()

    names = draw.sample(sorted(ATTACKS), len(ATTACKS))
    async with asyncio.TaskGroup() as group:
        for _ in range(at_a_time):
            group.create_task(some(names))
        yield
