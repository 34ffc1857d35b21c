"""The agent's own Call and transport, its cloud services replaced. python ictinnovations_agent.py PORT."""

import asyncio
import math
import struct
import sys

from asterisk_ai_voice_agent import agent

TONE = b"".join(struct.pack("<h", int(8000 * math.sin(n * 0.35))) for n in range(160))
PERSONA = {"greeting": "hello", "interrupt_enabled": True}


class Fixed:
    """Hears nothing, thinks nothing, and greets with one second of a tone of 440 Hz."""

    voice_active = False

    def __init__(self, **options):
        self.closed = asyncio.Event()

    async def start(self): ...

    async def close(self):
        self.closed.set()

    async def feed(self, sound): ...

    async def stream(self):
        await self.closed.wait()
        for nothing in ():
            yield nothing

    async def synthesise(self, text, should_stop):
        for _ in range(50):
            yield TONE


class EveryUUID(agent.Registry):
    """Knows every call: the agent refuses those that were not announced by HTTP."""

    def take(self, uid):
        return {"persona": "demo"}


async def on_call(reader, writer):
    """One call, as the agent's own main makes it."""
    await agent.Call(agent.AudioSocketTransport(reader, writer), {}, {"demo": PERSONA}, EveryUUID()).run()


async def main():
    """Listen."""
    server = await asyncio.start_server(on_call, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()


agent.StreamingSTT = agent.LLM = agent.StreamingTTS = Fixed
asyncio.run(main())
