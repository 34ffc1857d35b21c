"""A bot that takes several calls, and what such a bot can do wrong: `helpers.several_bot:serve`.

It is the zoo's small bot, which asks the AI backend with the UUID of the call. The scenario's `server:` is
`{bot: {fault: Broadcasts}}`; as a program: `several_bot.py PORT SETTINGS-AS-JSON`.
"""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[2])]

from zoo import small_bot
from zoo.small_bot import FRAME_BYTES, Bot, Setup
from zoo.voices import TEXTS


class Call(small_bot.Call):
    """One call of a good bot, which knows the others and leaves them alone."""

    live: ClassVar[list["Call"]] = []
    made: ClassVar[list["Call"]] = []
    uuid = ""
    said = ""

    async def begin(self) -> None:
        header = await self.reader.readexactly(3)
        self.uuid = str(UUID(bytes=await self.reader.readexactly(int.from_bytes(header[1:], "big"))))
        self.live.append(self)
        self.made.append(self)

    async def close(self) -> None:
        self.live.remove(self)
        await super().close()

    @property
    def others(self) -> list["Call"]:
        return [call for call in self.live if call is not self]

    def caller_ended(self, spoken_ms: int) -> None:
        self.said = f"{spoken_ms} ms"
        super().caller_ended(spoken_ms)

    def asks_as(self) -> str:
        return self.uuid

    async def ask(self, content: str) -> tuple[str, str]:
        address, _, path = self.setup.ai_url.removeprefix("http://").partition("/")
        host, _, port = address.rpartition(":")
        body = json.dumps({"id": self.asks_as(), "content": content}).encode()
        head = f"POST /{path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n"
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
        status, _, reply = (await reader.read()).partition(b"\r\n\r\n")
        writer.close()
        if b" 200 " not in status.splitlines()[0]:
            return "", "USER_TURN"
        told = json.loads(reply)
        return TEXTS.get(told["content"].get("mensagem", ""), ""), told["set_call_status"]


class Echo(Call):
    """Each caller hears himself, half a second later."""

    async def greet(self) -> None:
        pass

    def received(self, kind: int, payload: bytes) -> None:
        asyncio.get_running_loop().call_later(0.5, self.queue.extend, payload)


class Announces(Call):
    """Each caller hears the same, whatever he says."""

    async def talk(self) -> None:
        await asyncio.sleep(0.5)
        for name in ("greeting", "answer", "confirmed", "goodbye"):
            await self.say(name)
            await asyncio.sleep(1)

    def caller_began(self) -> None:
        pass


class Conference(Call):
    """Everybody hears everybody else."""

    def received(self, kind: int, payload: bytes) -> None:
        super().received(kind, payload)
        for call in self.others:
            call.queue += payload

    def idle(self) -> bytes:
        return bytes(FRAME_BYTES)


class LeaksVoices(Call):
    """What one caller says is mixed into what the other hears, a second later."""

    def received(self, kind: int, payload: bytes) -> None:
        super().received(kind, payload)
        for call in self.others:
            asyncio.get_running_loop().call_later(1.0, call.mix, payload)

    def mix(self, payload: bytes) -> None:
        import numpy as np

        if len(self.queue) < len(payload):
            self.queue += bytes(len(payload) - len(self.queue))
        both = np.frombuffer(bytes(self.queue[: len(payload)]), "<i2").astype(int) + np.frombuffer(payload, "<i2")
        self.queue[: len(payload)] = np.clip(both, -32768, 32767).astype("<i2").tobytes()


class Broadcasts(Call):
    """Each answer is sent to all."""

    async def answer(self) -> None:
        says, _ = await self.what_to_say()
        for call in self.others:
            call.queue += call.sound(call.sentence(says))
        await self.say(says)


class Swaps(Call):
    """The answer goes to the caller who is not meant."""

    async def answer(self) -> None:
        says, _ = await self.what_to_say()
        for call in self.others or [self]:
            call.queue += call.sound(call.sentence(says))


class OneAtATime(Call):
    """A second caller waits, unheard, until the first has gone."""

    lock: ClassVar[asyncio.Lock]

    async def run(self) -> None:
        async with self.lock:
            await super().run()


class Forgets(Call):
    """The first answer of all is given to everybody."""

    first: ClassVar[tuple[str, str] | None] = None

    async def what_to_say(self) -> tuple[str, str]:
        mine = await super().what_to_say()
        type(self).first = self.first or mine
        assert self.first is not None
        return self.first


class OneConversation(Call):
    """All questions are asked in the conversation of the first call."""

    def asks_as(self) -> str:
        return self.made[0].uuid


class NoIds(Call):
    """The backend is never told whose question it is."""

    def asks_as(self) -> str:
        return "zoo"


class OneQueue(Call):
    """All calls take their frames from one queue."""

    async def begin(self) -> None:
        await super().begin()
        self.queue = self.made[0].queue


class OneWriter(Call):
    """The connection of the newest call is everybody's."""

    async def begin(self) -> None:
        await super().begin()
        for call in self.live:
            call.writer = self.writer


class OneUuid(Call):
    """The UUID of the newest call is everybody's."""

    def asks_as(self) -> str:
        return self.live[-1].uuid


class StopsAll(Call):
    """Whoever begins to speak stops the bot's words to everybody."""

    def caller_began(self) -> None:
        for call in self.live:
            call.stop_speaking()


class EndsAll(Call):
    """The end of one call is the end of all."""

    async def close(self) -> None:
        for call in self.others:
            call.hang_up()
        await super().close()


class LeavesItsWords(Call):
    """What the first caller did not stay to hear, the next one hears."""

    left: ClassVar[bytearray] = bytearray()

    async def close(self) -> None:
        self.left.extend(self.queue)
        await super().close()

    async def greet(self) -> None:
        self.queue += self.left
        self.left.clear()
        await super().greet()


class KeepsTheTurn(Call):
    """The next call goes on where the one before had ended."""

    turns: ClassVar[int] = 0

    async def greet(self) -> None:
        if not self.turns:
            await super().greet()

    async def answer(self) -> None:
        type(self).turns += 1
        await super().answer()


class DiesAtTheSecond(Call):
    """The second call is more than it can bear."""

    async def begin(self) -> None:
        await super().begin()
        if len(self.made) > 1:
            raise RuntimeError("a second call")


class TakesOne(Call):
    """It listens no more as soon as it has a call."""


class _OneCallBot(Bot):
    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.server.close()
        await super()._serve(reader, writer)


class _Bot(Bot):
    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(RuntimeError):
            await super()._serve(reader, writer)


class Exits(Call):
    """The program ends with its first call."""

    async def close(self) -> None:
        await super().close()
        os._exit(3)


def bot_of(setup: Setup) -> Bot:
    kind: type[Call] = globals()[setup.fault or "Call"]
    for name, value in {"live": [], "made": [], "left": bytearray(), "first": None, "turns": 0}.items():
        setattr(kind, name, value)
    OneAtATime.lock = asyncio.Lock()
    return (_OneCallBot if kind is TakesOne else _Bot)(kind, setup)


async def serve(*, host: str, port: int, control_port: int, settings: Mapping[str, Any]) -> Bot:
    return await bot_of(Setup(**settings["bot"], ai_url=settings["ai"]["api_url"])).start(host, port)


async def main(port: int, settings: dict[str, Any]) -> None:
    setup = Setup(**settings, ai_url=os.environ["AI_API_URL"])
    await (await bot_of(setup).start("127.0.0.1", port)).server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), json.loads(sys.argv[2])))
