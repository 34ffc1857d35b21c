"""Echo, on the project's own AudioSocketServer. python ava.py CODE PORT."""

import asyncio
import sys

sys.path.insert(0, sys.argv[1])
from src.audio.audiosocket_server import AudioSocketServer


async def main():
    """Take every UUID, send each frame back in the format it came in."""

    async def on_uuid(connection, uuid):
        return True

    async def on_audio(connection, frame):
        await server.send_audio(connection, frame.payload, encoding=frame.encoding, sample_rate=frame.sample_rate)

    server = AudioSocketServer("127.0.0.1", int(sys.argv[2]), on_uuid=on_uuid, on_audio=on_audio)
    await server.start()
    await asyncio.Event().wait()


asyncio.run(main())
