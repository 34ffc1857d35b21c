"""`python -m benchmarks.abused_server LOOP SETTINGS`: the server, which tells how long turns of its loop were.

Prints the two ports in one line. A callback runs in each turn of the loop and reads the thread's processor time, so the
loop never sleeps. For each line on stdin, it prints the longest turn since the last one, in ms of processor time.
"""

import asyncio
import json
import logging
import sys
import time

from audiosocket_server.__main__ import allow_open_files, loop_factory, set_up_collector
from audiosocket_server.listener import serve
from audiosocket_server.settings.settings import Settings


async def main(settings: Settings) -> None:
    loop = asyncio.get_running_loop()
    allow_open_files(settings.limits.calls, 1_000)
    server = await serve(settings=settings)
    set_up_collector()  # as the command does
    longest = 0.0
    last = time.thread_time()
    ended = asyncio.Event()

    def turn() -> None:
        nonlocal longest, last
        now = time.thread_time()
        longest = max(longest, now - last)
        last = now
        loop.call_soon(turn)

    def asked() -> None:
        nonlocal longest
        if not sys.stdin.readline():
            ended.set()
            return
        print(1000 * longest, flush=True)
        longest = 0.0

    loop.add_reader(sys.stdin.fileno(), asked)
    loop.call_soon(turn)
    print(server.port, str(server.control_url).rpartition(":")[2], flush=True)
    await ended.wait()
    await server.close()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)  # a line for each event, as anybody has it
    with asyncio.Runner(loop_factory=loop_factory(sys.argv[1])) as runner:
        runner.run(main(Settings.from_overrides(json.loads(sys.argv[2]))))
