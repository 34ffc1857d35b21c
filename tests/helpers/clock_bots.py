"""Bots that pace their sound by Python's own clocks, as most bots do: `helpers.clock_bots:serve`.

The scenario's `server: {manner: …}` says by which. Half a second after the UUID each says "Pode subir.", 20 ms at a
time on a grid of its own clock, then a second of silence, and hangs up. No frame is sent before its time.
"""
# ruff: noqa: ASYNC110, ASYNC251, TID251 - what these bots read is what is tested

import asyncio
import contextlib
import datetime
import os
import queue
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime as named_datetime
from functools import cache
from pathlib import Path
from time import monotonic, perf_counter, sleep
from typing import Any

from audiosocket_core.messages import Kind, encode
from audiosocket_core.slin import read_audio

PROMPT = Path(__file__).resolve().parents[2] / "audio" / "prompts" / "pt-br" / "pode_subir.wav"
FRAME_BYTES = 320
bound_now = named_datetime.now


class Clocks:
    of_class = monotonic
    ns_of_class = time.perf_counter_ns


def default_argument(clock: Callable[[], float] = perf_counter) -> float:
    return clock()


def closure_over(clock: Callable[[], float]) -> Callable[[], float]:
    return lambda: clock()


CLOSED = closure_over(time.time)


def read_until(clock: Callable[[], float], until: float) -> None:
    while clock() < until:
        pass


CLOCKS: dict[str, Callable[[], float]] = {
    "loop": lambda: asyncio.get_running_loop().time(),
    "monotonic": lambda: time.monotonic(),
    "time": lambda: time.time(),
    "perf_counter": lambda: time.perf_counter(),
    "monotonic_ns": lambda: time.monotonic_ns() / 1e9,
    "time_ns": lambda: time.time_ns() / 1e9,
    "perf_counter_ns": lambda: time.perf_counter_ns() / 1e9,
    "datetime": lambda: datetime.datetime.now().timestamp(),
    "today": lambda: named_datetime.today().timestamp(),
    "bound name": lambda: monotonic(),
    "class attribute": lambda: Clocks().of_class(),
    "class attribute, ns": lambda: Clocks.ns_of_class() / 1e9,
    "default argument": lambda: default_argument(),
    "closure": lambda: CLOSED(),
    "bound datetime": lambda: bound_now(datetime.UTC).timestamp(),
}
"""By the manner: a clock that is read between waits of the event loop."""


@cache
def frames() -> list[bytes]:
    """Half a second of silence, the prompt, a second of silence: messages of 20 ms."""
    pcm = bytes(25 * FRAME_BYTES) + read_audio(PROMPT)
    pcm += bytes(-len(pcm) % FRAME_BYTES) + bytes(50 * FRAME_BYTES)
    return [encode(Kind.SLIN8, pcm[at : at + FRAME_BYTES]) for at in range(0, len(pcm), FRAME_BYTES)]


Send = Callable[[bytes], None]


async def paced_by(clock: Callable[[], float], send: Send) -> None:
    began = clock()
    for number, frame in enumerate(frames()):
        while (left := began + number * 0.02 - clock()) > 1e-6:
            await asyncio.sleep(left)
        send(frame)


async def paced_by_sleep(send: Send) -> None:
    """Blocks the loop for a frame at a time, and lets others run in between."""
    began = monotonic()
    for number, frame in enumerate(frames()):
        if (left := began + number * 0.02 - monotonic()) > 0:
            sleep(left)
        send(frame)
        await asyncio.sleep(0)


async def paced_by_reading(send: Send) -> None:
    """Sleeps through most of a frame, and reads the clock until the rest of it is over."""
    began = perf_counter()
    for number, frame in enumerate(frames()):
        if (left := began + number * 0.02 - perf_counter()) > 0.003:
            await asyncio.sleep(left - 0.003)
        read_until(perf_counter, began + number * 0.02)
        send(frame)


async def paced_by_a_thread(send: Send) -> None:
    """A thread of the bot's own, which wakes the loop for each frame."""
    loop, done = asyncio.get_running_loop(), asyncio.Event()

    def pace() -> None:
        began = monotonic()
        with contextlib.suppress(RuntimeError):  # the loop may be closed before the thread has ended
            for number, frame in enumerate(frames()):
                sleep(max(0, began + number * 0.02 - monotonic()))
                loop.call_soon_threadsafe(send, frame)
            loop.call_soon_threadsafe(done.set)

    threading.Thread(target=pace, name="pacer", daemon=True).start()
    await done.wait()


async def fed_by_a_thread(send: Send) -> None:
    """A thread of the bot's own makes the sound, with work; the loop looks now and then whether it is there."""
    made: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def make() -> None:
        until = time.thread_time() + 0.03
        while time.thread_time() < until:
            pass
        for frame in frames():
            made.put(frame)

    threading.Thread(target=make, name="synthesiser", daemon=True).start()
    began, number = monotonic(), 0
    while number < len(frames()):
        with contextlib.suppress(queue.Empty):
            send(made.get_nowait())
            number += 1
        await asyncio.sleep(max(0, began + number * 0.02 - monotonic()) or 0.02)


async def paced_by_writing_from_a_thread(send: Send) -> None:
    """A thread of the bot's own, which writes to the connection itself."""
    done, stop = threading.Event(), threading.Event()

    def pace() -> None:
        for frame in frames():
            if stop.wait(0.02):
                break
            send(frame)
        done.set()

    threading.Thread(target=pace, name="writer", daemon=True).start()
    try:
        while not done.is_set():
            await asyncio.sleep(0.1)
    finally:
        stop.set()


async def paced_by_a_descriptor(send: Send) -> None:
    """A descriptor of the bot's own, which a thread makes readable for each frame."""
    loop, done, stop = asyncio.get_running_loop(), asyncio.Event(), threading.Event()
    readable, writable = os.pipe()
    waiting = iter(frames())

    def on_readable() -> None:
        os.read(readable, 1)
        frame = next(waiting, None)
        if frame is None:
            loop.remove_reader(readable)
            done.set()
        else:
            send(frame)

    def pace() -> None:
        for _ in range(len(frames()) + 1):
            if stop.wait(0.02):
                break
            os.write(writable, b".")
        os.close(writable)

    loop.add_reader(readable, on_readable)
    threading.Thread(target=pace, name="ticker", daemon=True).start()
    try:
        await done.wait()
    finally:
        stop.set()
        loop.remove_reader(readable)


async def paced_by_the_executor(send: Send) -> None:
    """Each frame is made in the loop's executor, which holds the virtual clock."""
    began = monotonic()
    for number, frame in enumerate(frames()):
        if (left := began + number * 0.02 - monotonic()) > 1e-6:
            await asyncio.sleep(left)
        send(await asyncio.to_thread(bytes, frame))


async def beside_a_thread_that_sleeps(send: Send) -> None:
    """An exporter and a logger, which mostly sleep, beside a bot that is paced by `time.monotonic`."""
    stop, records = threading.Event(), queue.SimpleQueue[str | None]()

    def export() -> None:
        while not stop.wait(0.005):
            pass

    def log() -> None:
        while records.get() is not None:
            pass

    threads = [threading.Thread(target=work, daemon=True) for work in (export, log)]
    for thread in threads:
        thread.start()

    def send_and_log(frame: bytes) -> None:
        records.put("sent")
        send(frame)

    try:
        await paced_by(monotonic, send_and_log)
    finally:
        stop.set()
        records.put(None)


async def beside_a_thread_that_holds(send: Send) -> None:
    """A thread of the bot's own that works under a hold, and then wakes the loop."""
    loop, done = asyncio.get_running_loop(), asyncio.Event()
    hold = getattr(loop, "hold", contextlib.nullcontext)

    def work(under: contextlib.AbstractContextManager[Any]) -> None:
        until = time.thread_time() + 0.01
        while time.thread_time() < until:
            pass
        loop.call_soon_threadsafe(done.set)
        loop.call_soon_threadsafe(under.__exit__, None, None, None)

    under = hold()
    under.__enter__()
    threading.Thread(target=work, args=(under,), daemon=True).start()
    await done.wait()
    await paced_by(monotonic, send)


async def late_by_a_sleep(send: Send) -> None:
    """Blocks the loop for 1.5 s, as a bot does that asks a service in the event loop, and is late by that."""
    sleep(1.5)
    await paced_by(monotonic, send)


FOLLOWS: dict[str, Callable[[Send], Awaitable[None]]] = {
    **{name: (lambda send, clock=clock: paced_by(clock, send)) for name, clock in CLOCKS.items()},
    "sleep": paced_by_sleep,
    "reading": paced_by_reading,
    "executor": paced_by_the_executor,
    "sleeping thread": beside_a_thread_that_sleeps,
    "holding thread": beside_a_thread_that_holds,
}
CANNOT_FOLLOW: dict[str, Callable[[Send], Awaitable[None]]] = {
    "thread": paced_by_a_thread,
    "working thread": fed_by_a_thread,
    "writing thread": paced_by_writing_from_a_thread,
    "descriptor": paced_by_a_descriptor,
}
MANNERS = {**FOLLOWS, **CANNOT_FOLLOW, "late": late_by_a_sleep}


class ClockBot:
    host = "127.0.0.1"
    control_url = None

    def __init__(self, manner: Callable[[Send], Awaitable[None]]) -> None:
        self.manner = manner
        self.port = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(19)
        reading = asyncio.create_task(self.read_on(reader))
        try:
            await self.manner(writer.write)
            writer.write(encode(Kind.HANGUP))
            await writer.drain()
        except ConnectionError:
            pass
        finally:
            reading.cancel()
            writer.close()

    async def read_on(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(ConnectionError):
            while await reader.read(65_536):
                pass

    async def close(self) -> None:
        self.server.close()


class BlockingBot:
    """A whole server in a thread of its own, on the kernel's sockets, which knows no event loop."""

    host = "127.0.0.1"
    control_url = None

    def __init__(self) -> None:
        self.listener = socket.create_server((self.host, 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.answer, daemon=True).start()

    def answer(self) -> None:
        with contextlib.suppress(OSError):
            connection, _ = self.listener.accept()
            with connection:
                connection.recv(19)
                began = monotonic()
                for number, frame in enumerate(frames()):
                    sleep(max(0, began + number * 0.02 - monotonic()))
                    connection.sendall(frame)
                connection.sendall(encode(Kind.HANGUP))

    async def close(self) -> None:
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


async def serve_in_a_thread(**_: Any) -> BlockingBot:
    return BlockingBot()


async def serve(*, host: str, port: int, control_port: int, settings: Mapping[str, Any]) -> ClockBot:
    bot = ClockBot(MANNERS[settings["manner"]])
    bot.server = await asyncio.start_server(bot.answer, host, port)
    bot.port = bot.server.sockets[0].getsockname()[1]
    return bot
