"""For tests of the Azure engine as a process: a live server, many callers who all say the same, and a backend."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import httpx
from audiosocket_server.settings.settings import PROJECT_ROOT

from audiosocket_core.messages import Kind, encode, uuid_message

SILENCE = encode(Kind.SLIN8, bytes(320))


class LiveServer:
    """`python -m audiosocket_server` with the Azure engine. Killed if it still runs when the `async with` ends."""

    def __init__(self, endpoint: str, key: str, backend: "Backend", **environment: str) -> None:
        self._command = [sys.executable, "-m", "audiosocket_server", "--port", "0", "--control-port", "0"]
        self._environment = {
            **os.environ,
            "AZURE_SPEECH_KEY": key,
            "AZURE_SPEECH_ENDPOINT": endpoint,
            "SPEECH_ENGINE": "azure",
            "AI_API_URL": f"http://127.0.0.1:{backend.port}/messages",
            "GREETING__MESSAGE": "Pode subir.",
            "GREETING__DELAY_SECONDS": "0",
            "SYSTEM__SILENCE_THRESHOLD_SECONDS": "0.4",
            "SYSTEM__AFTER_SPEECH_PAUSE_SECONDS": "0.1",
            "ENDPOINTING__ENGINE": "webrtc",
            "MALLOC_ARENA_MAX": "2",  # else each new thread takes memory of its own for a while: that is no leak
            **environment,
        }
        self.port = 0
        self.control_url = ""

    async def __aenter__(self) -> "LiveServer":
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            cwd=PROJECT_ROOT,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._errors = asyncio.ensure_future(_all_of(self._process.stderr))
        assert self._process.stdout is not None
        ready = (await self._process.stdout.readline()).decode()
        if ready:
            self.port = int(ready.split("127.0.0.1:")[1].split(",")[0])
            self.control_url = ready.split()[-1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        await self._errors

    @property
    def pid(self) -> int:
        return self._process.pid

    async def ended(self, how: signal.Signals | None = None) -> tuple[int, str]:
        """Ask it to end, if need be: exit code and what is on stderr."""
        if how is not None:
            self._process.send_signal(how)
        return await self._process.wait(), (await self._errors).decode()

    def holds(self) -> tuple[float, int, int]:
        """Memory (MiB), threads and open files of the process."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        told = dict(line.split(":", 1) for line in status.splitlines())
        return int(told["VmRSS"].split()[0]) / 1024, int(told["Threads"]), len(os.listdir(f"/proc/{self.pid}/fd"))


async def _all_of(stream: asyncio.StreamReader | None) -> bytes:
    assert stream is not None
    return await stream.read()


class Callers:
    """So many calls at once, one clock for all of them."""

    def __init__(self, server: LiveServer, count: int) -> None:
        self._server = server
        self._count = count
        self._writers: list[asyncio.StreamWriter] = []
        self._says: list[bytes] = [b""] * count
        self._sent = asyncio.Condition()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> "Callers":
        for _ in range(self._count):
            reader, writer = await asyncio.open_connection("127.0.0.1", self._server.port)
            writer.write(encode(*uuid_message(uuid4())))
            self._writers.append(writer)
            self._tasks.append(asyncio.ensure_future(_heard_out(reader, writer)))
        self._tasks.append(asyncio.ensure_future(self._talk()))
        self._http = httpx.AsyncClient(trust_env=False, verify=False, timeout=None)
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        for writer in self._writers:
            writer.close()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._http.aclose()

    def say(self, pcm: bytes, count: int | None = None) -> None:
        """All of them, or the first so many."""
        for number in range(self._count if count is None else count):
            self._says[number] += pcm

    async def until_left(self, ms: int) -> None:
        """Until nobody has more than so much left to say."""
        async with self._sent:
            await self._sent.wait_for(lambda: max(map(len, self._says)) <= ms * 16)

    async def until_all(self, state: str) -> None:
        """The server tells of all calls, and then of those that changed."""
        states: dict[str, str] = {}
        async with self._http.stream("GET", f"{self._server.control_url}/events") as events:
            async for line in events.aiter_lines():
                if line.startswith("data:"):
                    calls = json.loads(line.removeprefix("data:"))["calls"]
                    states |= {call["id"]: call["state"] for call in calls}
                    if list(states.values()) == [state] * self._count:
                        return

    async def _talk(self) -> None:
        loop = asyncio.get_running_loop()
        began_at, ticks = loop.time(), 0
        while True:
            ticks += 1
            await asyncio.sleep(began_at + ticks * 0.02 - loop.time())
            for number, writer in enumerate(self._writers):
                says = self._says[number]
                if writer.is_closing():
                    continue
                if says:
                    self._says[number] = says[320:]
                    writer.write(encode(Kind.SLIN8, says[:320].ljust(320, b"\0")))
                else:
                    writer.write(SILENCE)
            async with self._sent:
                self._sent.notify_all()


async def _heard_out(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while await reader.read(65536):
            pass
    except ConnectionError:
        pass
    writer.close()


class Backend:
    """Says «Pode subir» each time, and each time with other marks behind it, so that it is no text of before."""

    def __init__(self) -> None:
        self.port = 0
        self.asked = 0
        self._was_asked = asyncio.Condition()

    async def until_asked(self, times: int) -> None:
        async with self._was_asked:
            await self._was_asked.wait_for(lambda: self.asked >= times)

    async def __aenter__(self) -> "Backend":
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(int(length.split(b":")[1]))
        async with self._was_asked:
            self.asked += 1
            self._was_asked.notify_all()
        marks = f"{self.asked:b}".translate({48: ".", 49: "!"})
        body = json.dumps({"content": {"mensagem": f"Pode subir{marks}"}}).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n")
        writer.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()
        writer.close()


def always_sim(pcm: bytes, rate_hz: int, language: str) -> str:
    """A recogniser for the fake that costs nothing."""
    return "Sim."
