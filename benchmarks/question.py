"""What one question to the AI backend costs the loop: the server's client against httpx's default transport.

Both ask the same backend, which runs in a process of its own, by turns of 20 questions; each pair of turns has its own
ratio. Processor time of this process, the kernel's part of it included: in that time no call gets its frames.
"""

import asyncio
import contextlib
import ssl
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx
from audiosocket_server.backend.client import AiClient
from audiosocket_server.backend.reply import read_reply
from audiosocket_server.settings.settings import AiSettings

from benchmarks.machine import PROJECT, Unavailable
from benchmarks.report import Row

__all__ = ["ABOUT", "run"]

ABOUT = "processor time of one question to the AI backend, on a new connection"
QUESTIONS_A_TURN = 20
TARGET = 0.3
_SAID = "Quero falar com o apartamento 202, por favor."

Ask = Callable[[], Awaitable[object]]


def run(quick: bool = False) -> list[Row]:
    turns = 20 if quick else 100
    rows: list[Row] = []
    with _backend() as port:
        rows += _rows("asyncio", asyncio.run(_measured(port, turns)))
        try:
            import uvloop
        except ImportError:
            raise Unavailable("uvloop is not installed") from None
        rows += _rows("uvloop", uvloop.run(_measured(port, turns)))
    return rows


def _rows(loop: str, measured: dict[str, list[float]]) -> list[Row]:
    plain, ours, bare = measured["httpx"], measured["server"], measured["bare"]
    ratio = statistics.median(own / its for own, its in zip(ours, plain, strict=True))
    return [
        Row(f"httpx's own transport, {loop}", statistics.median(plain), "µs"),
        Row(f"the server's client, {loop}", statistics.median(ours), "µs"),
        Row(f"a connection, {loop}", statistics.median(bare), "µs", "the same bytes, and nothing read of them"),
        Row(f"the server's client against httpx, {loop}", ratio, "times", "", f"<= {TARGET}", ratio <= TARGET),
    ]


async def _measured(port: int, turns: int) -> dict[str, list[float]]:
    """Microseconds a question, by client, turn by turn."""
    url = f"http://127.0.0.1:{port}/messages"
    client = AiClient(AiSettings(api_url=url))
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    plain = httpx.AsyncClient(
        transport=httpx.AsyncHTTPTransport(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), limits=limits),
        trust_env=False,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        timeout=None,
        headers={"User-Agent": "audiosocket-server", "Accept": "application/json"},
    )
    asked: dict[str, Ask] = {
        "httpx": lambda: _by_httpx(plain, url),
        "server": lambda: client.ask("1", _SAID),
        "bare": lambda: _over_a_bare_connection(port),
    }
    found: dict[str, list[float]] = {name: [] for name in asked}
    for turn in range(turns + 1):
        for name, ask in asked.items():
            before = time.process_time()
            for _ in range(QUESTIONS_A_TURN):
                await ask()
            if turn:  # the first one warms up
                found[name].append(1e6 * (time.process_time() - before) / QUESTIONS_A_TURN)
    await plain.aclose()
    await client.aclose()
    return found


async def _by_httpx(http: httpx.AsyncClient, url: str) -> object:
    """As the server asked until it had a transport of its own."""
    async with asyncio.timeout(30):
        request = http.build_request("POST", url, json={"id": "1", "content": _SAID})
        response = await http.send(request, stream=True, follow_redirects=False)
        try:
            body = bytearray()
            async for piece in response.aiter_bytes():
                body += piece
        finally:
            await response.aclose()
    return read_reply(bytes(body))


class _Connection(asyncio.Protocol):
    def __init__(self) -> None:
        self.answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        if not self.answered.done():
            self.answered.set_result(None)


async def _over_a_bare_connection(port: int) -> None:
    transport, protocol = await asyncio.get_running_loop().create_connection(_Connection, "127.0.0.1", port)
    transport.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}")
    await protocol.answered
    transport.abort()


@contextlib.contextmanager
def _backend() -> Iterator[int]:
    command = [sys.executable, "-m", "benchmarks.backend"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=PROJECT) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline())
        finally:
            process.terminate()
