"""What the capture adds to a frame: calls through it beside calls that go straight, at the same time.

Frames of 20 ms go to a server that sends each back, and come home through the capture twice. The capture runs alone on
its core; callers and the echo on the other. Added is the 99th percentile of the round trips through it, less that of
the round trips straight: for one way at most that much.
"""

import asyncio
import itertools
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import cast

from audiosocket_core.messages import Kind, encode
from audiosocket_core.slin import read_audio
from benchmarks.load import GENERATOR_CORE, SERVER_CORE, processor_seconds
from benchmarks.machine import PROJECT, pin, put_first
from benchmarks.report import Row

__all__ = ["ABOUT", "run"]

ABOUT = "what the capture adds to a frame, both ways together"
_FRAME_SECONDS = 0.02
_MOST_MS = 2.0
_SPEECH = PROJECT / "recordings" / "pt-br" / "boa_tarde_vim_visitar_a_dona.wav"


def run(quick: bool = False) -> list[Row]:
    seconds = 4.0 if quick else 20.0
    pin(GENERATOR_CORE)
    put_first()
    return asyncio.run(_all(seconds))


async def _all(seconds: float) -> list[Row]:
    loop = asyncio.get_running_loop()
    echo = await loop.create_server(_Echo, "127.0.0.1", 0)
    port = echo.sockets[0].getsockname()[1]
    rows = []
    with tempfile.TemporaryDirectory() as folder, _capturing(port, folder) as (through, pid):
        for calls, ended in ((1, 0), (50, 0), (50, 20)):
            await _make_work(through, ended)
            before = processor_seconds(pid)
            straight, captured = await _measure(port, through, calls, seconds)
            rows.append(_row(calls, ended, straight, captured))
            if calls > 1 and not ended:
                us = 1e6 * (processor_seconds(pid) - before) / (2 * len(captured))
                rows.append(Row(f"{calls} calls: processor time of a frame", us, "µs", "one way"))
    echo.close()
    return rows


def _row(calls: int, ended: int, straight: Sequence[float], captured: Sequence[float]) -> Row:
    name = f"{calls} call{'' if calls == 1 else 's'}" + (f", {ended} others being written" if ended else "")
    added = _percentile(captured, 99) - _percentile(straight, 99)
    told = [f"p{p} {_percentile(captured, p):.2f} against {_percentile(straight, p):.2f}" for p in (50, 99)]
    note = f"round trip: {', '.join(told)} ms; {len(captured)} frames"
    return Row(f"{name}: p99 added", added, "ms", note, f"< {_MOST_MS:g}", added < _MOST_MS)


async def _measure(port: int, through: int, calls: int, seconds: float) -> tuple[list[float], list[float]]:
    """Round trips in ms, straight and through the capture, each of as many calls."""
    callers = [_Caller() for _ in range(2 * calls)]
    loop = asyncio.get_running_loop()
    for number, caller in enumerate(callers):
        await loop.create_connection(partial(_the, caller), "127.0.0.1", (port, through)[number % 2])
    begins = loop.time() + 0.2
    await asyncio.gather(*(c.speak(begins + _FRAME_SECONDS * n / len(callers), seconds) for n, c in enumerate(callers)))
    await asyncio.sleep(0.2)
    for caller in callers:
        caller.transport.close()
    straight = list(itertools.chain.from_iterable(c.round_trips for c in callers[::2]))
    return straight, list(itertools.chain.from_iterable(c.round_trips for c in callers[1::2]))


async def _make_work(through: int, calls: int) -> None:
    """Calls of a minute, sent in a moment, that have just ended: the capture is writing them from now on."""
    pcm = read_audio(_SPEECH)
    speech = b"".join(encode(Kind.SLIN8, pcm[at : at + 320]) for at in range(0, len(pcm) - 320, 320))
    for number in range(calls):
        _, writer = await asyncio.open_connection("127.0.0.1", through)
        writer.write(encode(Kind.UUID, number.to_bytes(16, "big")) + speech * 12)
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.close()


def _the(caller: "_Caller") -> "_Caller":
    return caller


class _Echo(asyncio.Protocol):
    """Sends back what comes."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._transport.write(data)


class _Caller(asyncio.Protocol):
    """Sends a frame every 20 ms, and notes when it comes home. Frames come home in their order."""

    def __init__(self) -> None:
        self._now = asyncio.get_running_loop().time
        self._sent: list[float] = []
        self._came = 0
        self.round_trips: list[float] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(encode(Kind.UUID, id(self).to_bytes(16, "big")))

    def data_received(self, data: bytes) -> None:
        now = self._now()
        before, self._came = self._came, self._came + len(data)
        for number in range(_frames_in(before), _frames_in(self._came)):
            self.round_trips.append((now - self._sent[number]) * 1000)

    async def speak(self, begins: float, seconds: float) -> None:
        for number in range(int(seconds / _FRAME_SECONDS)):
            await asyncio.sleep(max(0.0, begins + number * _FRAME_SECONDS - self._now()))
            self._sent.append(self._now())
            self.transport.write(_FRAME)


_FRAME = encode(Kind.SLIN8, bytes(320))


def _frames_in(n_bytes: int) -> int:
    """Whole frames in what came, behind the UUID."""
    return max(0, n_bytes - 19) // len(_FRAME)


@contextmanager
def _capturing(port: int, folder: str) -> Iterator[tuple[int, int]]:
    """The command itself, on its own core; its port, and its process."""
    words = f"-m audiosocket_sim capture --listen 127.0.0.1:0 --to 127.0.0.1:{port} --at-once 200 --out"
    command = [sys.executable, *words.split(), str(Path(folder) / "captured")]

    def place() -> None:
        pin(SERVER_CORE)
        put_first()

    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=PROJECT, preexec_fn=place
    ) as it:
        try:
            assert it.stdout is not None
            found = re.search(r"capture on 127\.0\.0\.1:(\d+)", it.stdout.readline())
            if found is None:
                raise RuntimeError("the capture ended before it was ready")
            yield int(found[1]), it.pid
        finally:
            it.terminate()
            it.communicate(timeout=120)


def _percentile(values: Sequence[float], percent: int) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]
