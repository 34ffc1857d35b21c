"""Attacks by what an AI backend answers and pushes, for `python -m benchmarks abuse`: the longest turn of each.

`python -m benchmarks.backend_attacks NAME` is such a backend; it prints its port, and serves until it is ended.
"""

import asyncio
import contextlib
import functools
import gzip
import select
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import repeat
from typing import Any, Protocol
from uuid import UUID, uuid4

from audiosocket_core.messages import Kind, encode
from audiosocket_core.phrase_book.book import PhraseBook
from audiosocket_core.slin import silence
from audiosocket_sim.cli.console import stopwatch
from benchmarks.machine import PROJECT

__all__ = ["BY_BACKEND", "BackendAttack"]

_CALLS = 5
_QUESTION = "pt-br/quero_falar_com_o_apartamento_202"
_MOST = 990_000  # bytes of an answer that is within its limit
_PUSHES_A_ROUND = 4


class Target(Protocol):
    """A server that is attacked."""

    @property
    def port(self) -> int:
        """Of AudioSocket."""

    @property
    def control_port(self) -> int:
        """Of the control API."""


@dataclass(frozen=True, slots=True)
class BackendAttack:
    """settings: of the server, inside which its backend runs. attack: makes calls for so many seconds."""

    settings: Callable[[], contextlib.AbstractContextManager[Mapping[str, Any]]]
    attack: Callable[[Target, float], None]


def _head(*lines: str) -> bytes:
    return "\r\n".join(["HTTP/1.1 200 OK", *lines, "", ""]).encode()


def _whole(body: bytes, *lines: str) -> Iterable[bytes]:
    return [_head(f"Content-Length: {len(body)}", *lines) + body]


def _said(message: str, dados: str = "{}", status: str = "USER_TURN") -> bytes:
    return f'{{"content": {{"mensagem": "{message}", "dados": {dados}}}, "set_call_status": "{status}"}}'.encode()


def _numbers(number: str) -> bytes:
    return _said("Sim.", f"[{','.join([number] * (_MOST // (len(number) + 1)))}]")


def _pairs() -> bytes:
    return _said("Sim.", "{" + ",".join(f'"{number}":1' for number in range(3_900)) + "}")


_CHUNKED = _head("Transfer-Encoding: chunked")
_ANSWERS: dict[str, Callable[[], Iterable[bytes]]] = {
    "gzip of gzip": lambda: _whole(gzip.compress(gzip.compress(bytes(200_000_000))), "Content-Encoding: gzip, gzip"),
    "chunks of one byte": lambda: (_CHUNKED if not number else b"1\r\n \r\n" * 5_000 for number in range(10_000)),
    "headers without end": lambda: (_head()[:-2] if not number else b"a: b\r\n" * 5_000 for number in range(10_000)),
    "a head of many lines": lambda: [_head()[:-2] + b"a:b\r\n" * 50_000 + b"\r\n"],
    "100 Continue without end": lambda: repeat(b"HTTP/1.1 100 Continue\r\n\r\n" * 1_000),
    "trailers without end": lambda: (_CHUNKED + b"0\r\n" if not n else b"a:b\r\n" * 5_000 for n in range(10_000)),
    "a body without end": lambda: (_head() if not number else b" " * 60_000 for number in range(10_000)),
    "JSON of numbers": lambda: _whole(_numbers("1")),
    "JSON of long numbers": lambda: _whole(_numbers("9" * 4_300)),
    "JSON of fractions": lambda: _whole(_numbers("1." + "9" * 96)),
    "JSON of pairs": lambda: _whole(_pairs()),
    "JSON of brackets": lambda: _whole(_said("Sim.", "[" * _MOST)),
    "JSON of a text of brackets": lambda: _whole(_said("Sim.", '"' + "[" * _MOST + '"')),
    "JSON of escapes": lambda: _whole(_said("Sim.", '"' + r"\n" * (_MOST // 2) + '"')),
    "a long message": lambda: _whole(_said("Uma frase. " * (_MOST // 11))),
    "a long word": lambda: _whole(_said("é" * (_MOST // 2))),
    "letters that are many": lambda: _whole(_said("\ufdfa" * (_MOST // 3))),
    "waiting": lambda: _whole(_said("Um momento.", status="WAITING")),
}


def _push(call: UUID, body: bytes, *lines: str) -> bytes:
    head = "\r\n".join([f"POST /calls/{call}/messages HTTP/1.1", "Host: localhost", *lines, "", ""])
    return head.encode() + body


def _whole_push(body: bytes) -> Callable[[UUID], bytes]:
    return lambda call: _push(call, body, f"Content-Length: {len(body)}", "Connection: close")


_PUSHES: dict[str, Callable[[UUID], bytes]] = {
    "a long message": _whole_push(_said("Uma frase. " * (_MOST // 11), status="WAITING")),
    "letters that are many": _whole_push(_said("\ufdfa" * (_MOST // 3), status="WAITING")),
    "JSON of pairs": _whole_push(_pairs()),
    "chunks of one byte": lambda call: _push(call, b"1\r\n \r\n" * 100_000, "Transfer-Encoding: chunked"),
    "a head of many lines": lambda call: _push(call, b"", *["a:b"] * 10_000),
}


@contextlib.contextmanager
def _backend(name: str) -> Iterator[Mapping[str, Any]]:
    command = [sys.executable, "-m", "benchmarks.backend_attacks", name]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=PROJECT) as process:
        try:
            assert process.stdout is not None
            url = f"http://127.0.0.1:{int(process.stdout.readline())}/messages"
            ai = {"api_url": url, "timeout_seconds": 3}
            yield {
                "ai": ai,
                "system": {"silence_threshold_seconds": 0.4, "after_speech_pause_seconds": 0.1},
                "speech": {"engine": "embedded"},  # which looks each message up among its recordings
            }
        finally:
            process.terminate()


def _call(push: Callable[[UUID], bytes] | None, under: Target, seconds: float) -> None:
    """Make calls that ask and ask, and push meanwhile."""
    speech = _speech()
    calls = [uuid4() for _ in range(_CALLS)]
    with contextlib.ExitStack() as stack:
        phones = [stack.enter_context(socket.create_connection(("127.0.0.1", under.port))) for _ in calls]
        for call, phone in zip(calls, phones, strict=True):
            phone.sendall(encode(Kind.UUID, call.bytes))
        clock, sent = stopwatch(), 0
        while clock() < seconds:
            for phone in phones:
                frame = speech[sent * 320 % len(speech) :][:320]
                with contextlib.suppress(OSError):
                    phone.sendall(encode(Kind.SLIN8, frame))
            sent += 1
            while (rest := sent * 0.02 - clock()) > 0:
                for ready in select.select(phones, [], [], rest)[0]:
                    with contextlib.suppress(OSError):
                        if not ready.recv(65_536):
                            phones.remove(ready)
            if push is not None and sent % 50 == 0:
                for call in calls[:_PUSHES_A_ROUND]:
                    _deliver(push(call), under.control_port)


def _deliver(request: bytes, port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as api:
        api.settimeout(1)
        with contextlib.suppress(OSError):
            api.sendall(request)
            api.recv(65_536)


def _speech() -> bytes:
    phrase = PhraseBook.load(PROJECT / "recordings").by_name(_QUESTION)
    assert phrase is not None
    pcm = phrase.pcm + silence(1_000)
    return pcm[: len(pcm) // 320 * 320]


BY_BACKEND: dict[str, BackendAttack] = {
    **{
        f"answer, {name}": BackendAttack(functools.partial(_backend, name), functools.partial(_call, None))
        for name in _ANSWERS
        if name != "waiting"
    },
    **{
        f"push, {name}": BackendAttack(functools.partial(_backend, "waiting"), functools.partial(_call, push))
        for name, push in _PUSHES.items()
    },
}


async def _serve(name: str) -> None:
    sent = list(answer) if isinstance(answer := _ANSWERS[name](), list) else None

    async def answered(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            for piece in sent or _ANSWERS[name]():
                writer.write(piece)
                await writer.drain()
            await reader.read()
        writer.close()

    server = await asyncio.start_server(answered, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1]))
