"""A small bot that does everything right, with a method for each thing that can be done wrong.

It greets, answers the caller's first sentence, says goodbye after his second and hangs up. With `asks` it says what the
AI backend tells it to. A bot of the zoo overrides one method or one value of `Call` (`faults`).
In process: `zoo.small_bot:serve`, with the scenario's `server: {bot: …}`. As a program:
`small_bot.py PORT SETTINGS-AS-JSON`.
"""

import asyncio
import contextlib
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

if __name__ == "__main__":  # as a program it finds its own package, and the project's
    sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[2])]

from audiosocket_core.messages import Kind, encode
from audiosocket_core.slin import level_dbfs, read_audio
from zoo.voices import HOLD, TEXTS, sentence

__all__ = ["Bot", "Call", "Setup", "serve"]

FRAME_BYTES = 320
FRAME_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Setup:
    """What a bot is like: the class of its calls, by name; how large its fault is; and its voice."""

    fault: str = ""
    size: float = 0.0
    voice: str = "doorman"
    gain_db: float = 0.0
    asks: bool = False
    """Whether it asks the AI backend what to say."""
    asks_again: float = 0.0
    """After so many seconds without a word of either side it asks whether the caller is still there; 0: never."""
    ai_url: str = ""


class Call:
    """One call. `say` waits until the sentence has been sent; the caller's voice stops it."""

    kind = int(Kind.SLIN8)
    frame_seconds = FRAME_SECONDS
    """From one frame to the next."""
    caller_is_from_dbfs = -42.0
    """The level from which on the caller's sound is his voice."""
    caller_is_from_ms = 60
    turn_ends_ms = 900

    def __init__(self, setup: Setup, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.setup, self.reader, self.writer = setup, reader, writer
        self.size = setup.size
        self.queue = bytearray()
        self.sent_all = asyncio.Event()
        self.finished = asyncio.Event()
        self.utterances: asyncio.Queue[int] = asyncio.Queue()
        self.over = False
        self.caller_speaks = False
        self.turn = 0
        self._spoken_ms = self._quiet_ms = 0
        self._hold: bytes = b""
        self._quiet_since = self.now

    @property
    def now(self) -> float:
        return asyncio.get_running_loop().time()

    # --- the sound

    def sentence(self, name: str) -> bytes:
        return sentence(self.setup.voice, name, self.setup.gain_db)

    def sound(self, pcm: bytes) -> bytes:
        """The bytes that are sent for a sentence."""
        return pcm

    def hold_sound(self) -> bytes:
        """One round of the hold loop."""
        return read_audio(HOLD)

    # --- the wire

    def put(self, kind: int, payload: bytes) -> None:
        """Send one message."""
        if not self.writer.is_closing():
            self.writer.write(encode(kind, payload))

    def next_frame(self) -> bytes | None:
        """Take the next frame from what is to be said; None: send nothing."""
        if not self.queue and self._hold:
            self.queue += self._hold
        frame = bytes(self.queue[:FRAME_BYTES])
        del self.queue[:FRAME_BYTES]
        if not self.queue:
            self.sent_all.set()
        return frame.ljust(FRAME_BYTES, b"\0") if frame else self.idle()

    def idle(self) -> bytes | None:
        """The frame of a bot that has nothing to say."""
        return bytes(FRAME_BYTES)

    async def pause(self, due: float) -> float:
        """Wait until the next frame is due, after the one that was due at `due`; return when that is."""
        due += self.frame_seconds
        await asyncio.sleep(max(0.0, due - self.now))
        return due

    async def send(self) -> None:
        due = self.now
        while not self.over:
            frame = self.next_frame()
            if frame is not None:
                self.put(self.kind, frame)
            due = await self.pause(due)

    async def say(self, name: str) -> None:
        self.sent_all.clear()
        self.queue += self.sound(self.sentence(name))
        await self.sent_all.wait()
        self._quiet_since = self.now

    def hold(self, on: bool) -> None:
        self._hold = self.hold_sound() if on else b""
        if not on:
            self.queue.clear()

    def stop_speaking(self) -> None:
        if not self._hold:
            self.queue.clear()
            self.sent_all.set()

    def hang_up(self) -> None:
        """Say that the call is over; `serve_call` closes the connection."""
        self.put(Kind.HANGUP, b"")
        self.over = True
        self.finished.set()

    # --- the caller

    async def listen(self) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                header = await self.reader.readexactly(3)
                payload = await self.reader.readexactly(int.from_bytes(header[1:], "big"))
                if header[0] == Kind.HANGUP:
                    break
                self.received(header[0], payload)
        self.over = True
        self.finished.set()

    def received(self, kind: int, payload: bytes) -> None:
        if kind == Kind.SLIN8 and payload:
            self.hear(payload)

    def hear(self, pcm: bytes) -> None:
        """A packet of the caller: does his turn begin, go on, end?"""
        ms = len(pcm) // 16
        if level_dbfs(pcm) >= self.caller_is_from_dbfs:
            self._spoken_ms, self._quiet_ms = self._spoken_ms + ms, 0
            if not self.caller_speaks and self._spoken_ms >= self.caller_is_from_ms:
                self.caller_speaks = True
                self.caller_began()
        else:
            self._quiet_ms += ms
            if self.caller_speaks and self._quiet_ms >= self.turn_ends_ms:
                self.caller_speaks = False
                self.caller_ended(self._spoken_ms)
            if not self.caller_speaks:
                self._spoken_ms = 0

    def caller_began(self) -> None:
        self.stop_speaking()

    def caller_ended(self, spoken_ms: int) -> None:
        self._quiet_since = self.now
        self.utterances.put_nowait(spoken_ms)

    # --- the talk

    async def talk(self) -> None:
        await asyncio.sleep(0.5)
        await self.greet()
        while not self.over:
            if not await self.caller_is_done():
                await self.say("still_there")
                continue
            self.turn += 1
            await self.answer()

    async def greet(self) -> None:
        await self.say("greeting")

    async def caller_is_done(self) -> bool:
        """Wait for the end of the caller's sentence; False if nobody has said anything for too long."""
        while True:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self.utterances.get(), self.setup.asks_again or None)
                return True
            if self.nobody_spoke_for() >= self.setup.asks_again and not self.caller_speaks:
                return False

    def nobody_spoke_for(self) -> float:
        return self.now - self._quiet_since

    async def answer(self) -> None:
        says, status = await self.what_to_say()
        if says:
            await self.say(says)
        if status == "STANDBY":
            self.hang_up()
        elif status == "WAITING":
            await self.wait_on_hold()

    async def what_to_say(self) -> tuple[str, str]:
        """The name of the sentence, and the state of the call after it."""
        if self.setup.asks:
            return await self.ask(f"turno {self.turn}")
        return ("answer", "USER_TURN") if self.turn == 1 else ("goodbye", "STANDBY")

    async def ask(self, content: str) -> tuple[str, str]:
        """Ask the AI backend."""
        address, _, path = self.setup.ai_url.removeprefix("http://").partition("/")
        host, _, port = address.rpartition(":")
        body = json.dumps({"id": "zoo", "content": content}).encode()
        head = f"POST /{path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n"
        reader, writer = await asyncio.open_connection(host, int(port))
        try:
            writer.write(f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
            status, _, reply = (await reader.read()).partition(b"\r\n\r\n")
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
        if b" 200 " not in status.splitlines()[0]:
            return "", "USER_TURN"
        told = json.loads(reply)
        return TEXTS.get(told["content"].get("mensagem", ""), ""), told["set_call_status"]

    async def wait_on_hold(self) -> None:
        """Play hold audio for a while, then say how it went."""
        self.hold(True)
        await asyncio.sleep(20)
        self.hold(False)
        await self.say("confirmed")

    # --- the whole

    async def begin(self) -> None:
        """Read who calls."""
        header = await self.reader.readexactly(3)
        await self.reader.readexactly(int.from_bytes(header[1:], "big"))

    async def run(self) -> None:
        await self.begin()
        tasks = [asyncio.ensure_future(work()) for work in (self.listen, self.send, self.talk)]
        await self.finished.wait()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.close()

    async def close(self) -> None:
        self.writer.close()


class Bot:
    """The server of such calls; it ends with the last of them."""

    control_url = None

    def __init__(self, kind: type[Call], setup: Setup) -> None:
        self._kind, self._setup = kind, setup
        self._calls: set[asyncio.Task[None]] = set()

    async def start(self, host: str, port: int) -> "Bot":
        self.server = await asyncio.start_server(self._serve, host, port)
        self.host, self.port = self.server.sockets[0].getsockname()[:2]
        return self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._calls.add(task)
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                await self._kind(self._setup, reader, writer).run()
        except asyncio.CancelledError:  # the bot ends
            pass
        finally:
            self._calls.discard(task)
            writer.close()

    async def close(self) -> None:
        self.server.close()
        for task in list(self._calls):
            task.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)


def call_class(fault: str) -> type[Call]:
    from zoo import faults

    found: type[Call] = getattr(faults, fault) if fault else Call
    return found


async def serve(*, host: str, port: int, control_port: int, settings: Mapping[str, Any]) -> Bot:
    setup = Setup(**settings["bot"], ai_url=settings["ai"]["api_url"])
    return await Bot(call_class(setup.fault), setup).start(host, port)


async def main(port: int, settings: dict[str, Any]) -> None:
    setup = Setup(**settings)
    await (await Bot(call_class(setup.fault), setup).start("127.0.0.1", port)).server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), json.loads(sys.argv[2])))
