"""`python -m benchmarks.faulty_bot FAULT --port N --ai URL`: a plain bot with one fault, or with none (`none`).

It greets, waits for 0.8 s of silence after the caller's words, asks the AI backend and says its answer. What must be
found in it by a call in real time on a busy machine: `verdicts`.
"""

import argparse
import asyncio
import json
import struct
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from audiosocket_core.messages import Kind, encode
from audiosocket_core.phrase_book.book import PhraseBook, speech_edges_ms
from audiosocket_core.phrase_book.shipped import SHIPPED
from audiosocket_core.slin import frames, gain, resample, silence, ulaw_encode

__all__ = ["SOUNDS"]

FRAME = 320
FRAME_SECONDS = 0.02
GREETING = "Condomínio Apoena, em que posso ajudar?"
SECOND = "Qual é o seu nome?"
LOUD, STARTS_AFTER, ENDS_AFTER = 400.0, 3, 40  # an energy detector: RMS; frames of speech, frames of silence


def _swapped(pcm: bytes) -> bytes:
    return np.frombuffer(pcm, "<i2").byteswap().tobytes()


def _half_lost(pcm: bytes) -> bytes:
    """Each sixth of a second, the second half is silent."""
    pieces = list(frames(pcm, 8 * FRAME))
    return b"".join(piece[: 4 * FRAME] + silence(80) for piece in pieces)


SOUNDS: dict[str, Callable[[bytes], bytes]] = {
    "swapped bytes": _swapped,
    "ulaw as linear": lambda pcm: ulaw_encode(pcm) + bytes(len(ulaw_encode(pcm)) % 2),
    "24 kHz as 8 kHz": lambda pcm: resample(pcm, 8000, 24_000),
    "clipped": lambda pcm: gain(pcm, 30),
    "half lost": _half_lost,
}
"""The faults of its sound: what becomes of the 8 kHz SLIN of each sentence."""


class FaultyCall:
    """One call of the bot."""

    def __init__(self, fault: str, ai_url: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._fault, self._ai_url = fault, ai_url
        self._reader, self._writer = reader, writer
        self._loop = asyncio.get_running_loop()
        self._book = PhraseBook.load(SHIPPED / "audio" / "prompts")
        self._sound = bytearray()
        self._played = asyncio.Event()
        self._utterances: asyncio.Queue[None] = asyncio.Queue()
        self._began = asyncio.Event()
        self._over = False

    async def carry_out(self) -> None:
        """Talk until either side hangs up."""
        tasks = [asyncio.ensure_future(work) for work in (self._send(), self._talk())]
        try:
            await self._listen()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            for task in tasks:
                task.cancel()
            self._writer.close()

    async def _listen(self) -> None:
        voiced = quiet = 0
        speaks = False
        while True:
            kind, length = struct.unpack(">BH", await self._reader.readexactly(3))
            payload = await self._reader.readexactly(length)
            if kind != Kind.SLIN8 or not payload:
                continue
            loud = float(np.sqrt(np.mean(np.frombuffer(payload, "<i2").astype(float) ** 2))) >= LOUD
            voiced, quiet = (voiced + 1, 0) if loud else (0, quiet + 1)
            if not speaks and voiced == STARTS_AFTER:
                speaks = True
                self._began.set()
                self._loop.call_later(self._talks_on_seconds, self._be_quiet)
            elif speaks and quiet == ENDS_AFTER:
                speaks = False
                self._began.clear()
                self._utterances.put_nowait(None)

    @property
    def _talks_on_seconds(self) -> float:
        return {"talks on": 2.2, "stops late": 1.2}.get(self._fault, 0.0)

    def _be_quiet(self) -> None:
        self._sound.clear()
        self._played.set()

    async def _send(self) -> None:
        due = self._loop.time()
        while not self._over:
            frame = bytes(self._sound[:FRAME]).ljust(FRAME, b"\0")
            del self._sound[:FRAME]
            if not self._sound:
                self._played.set()
            self._writer.write(encode(Kind.SLIN8, frame))
            due += FRAME_SECONDS
            await asyncio.sleep(max(0.0, due - self._loop.time()))

    async def _say(self, text: str, *, without_last_seconds: float = 0.0) -> None:
        phrase = self._book.by_text(text)
        assert phrase is not None, text
        pcm = SOUNDS[self._fault](phrase.pcm) if self._fault in SOUNDS else phrase.pcm
        self._sound += pcm
        self._played.clear()
        if without_last_seconds:
            await asyncio.sleep(speech_edges_ms(pcm)[1] / 1000 - without_last_seconds)
        else:
            await self._played.wait()

    async def _talk(self) -> None:
        await self._say(GREETING)
        turns = 0
        while True:
            await self._utterances.get()
            turns += 1
            if self._fault == "no answer" or (self._fault == "deaf after one turn" and turns > 1):
                continue
            if self._fault == "answers late":
                await asyncio.sleep(1.1)
            answer = await self._ask(f"turn {turns}")
            goodbye = answer.get("set_call_status") == "STANDBY"
            cut = {"hangs up too soon": 1.2, "cuts the last word": 0.25}.get(self._fault, 0.0) if goodbye else 0.0
            await self._say(answer["content"]["mensagem"], without_last_seconds=cut)
            if goodbye and self._fault != "stays on":
                self._hang_up()
            elif self._fault == "stalls" or answer.get("set_call_status") == "SYSTEM_TURN":
                if self._fault == "stalls":
                    await self._began.wait()
                await self._say(SECOND)

    def _hang_up(self) -> None:
        self._writer.write(encode(Kind.HANGUP))
        self._over = True
        self._writer.write_eof()

    async def _ask(self, content: str) -> dict[str, Any]:
        url = urlsplit(self._ai_url)
        reader, writer = await asyncio.open_connection(url.hostname, url.port)
        body = json.dumps({"id": "call", "content": content}).encode()
        head = f"POST {url.path} HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n"
        writer.write(head.encode() + b"Content-Type: application/json\r\n\r\n" + body)
        answer = await reader.read()
        writer.close()
        found: dict[str, Any] = json.loads(answer.partition(b"\r\n\r\n")[2])
        return found


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("fault")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--ai", required=True)
    options = parser.parse_args()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await FaultyCall(options.fault, options.ai, reader, writer).carry_out()

    server = await asyncio.start_server(take, "127.0.0.1", options.port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
