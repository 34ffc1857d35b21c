"""Its own handler, which only listens, on the loopback address alone. python vs_pm.py CODE PORT."""

import asyncio
import os
import sys
import tempfile

sys.path.insert(0, sys.argv[1])
os.chdir(tempfile.mkdtemp())  # it writes data/rec into the current folder
from v1.audiosocket import handle_client, setup_audio_file


async def main():
    """Listen."""
    server = await asyncio.start_server(handle_client, "127.0.0.1", int(sys.argv[2]))
    await server.serve_forever()


setup_audio_file()
asyncio.run(main())
