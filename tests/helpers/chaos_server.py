"""`python -m helpers.chaos_server LOOP PORT SETTINGS`: the server, which answers questions about itself on stdin.

Prints its two ports. `tasks`: how many tasks it has. `jump N`: its wall clock is N seconds further on from now on (the
machine's is left alone). Each is answered by one line. The end of stdin ends it.
"""

import asyncio
import gc
import json
import logging
import sys
import time

from audiosocket_server.__main__ import allow_open_files
from audiosocket_server.listener import serve
from audiosocket_server.settings.settings import Settings

_jumped = 0.0
_time, _time_ns = time.time, time.time_ns  # noqa: TID251 - what is put out of order here


def _say(*words: object) -> None:
    sys.stdout.write(f"{' '.join(map(str, words))}\n")
    sys.stdout.flush()


async def main(port: int, settings: Settings) -> None:
    allow_open_files(settings.limits.calls, 1_000)
    server = await serve(port=port, settings=settings)
    gc.collect()
    gc.freeze()
    ended = asyncio.Event()

    def asked() -> None:
        global _jumped
        words = sys.stdin.readline().split()
        if not words:
            ended.set()
            return
        if words[0] == "jump":
            _jumped += float(words[1])
        _say(len(asyncio.all_tasks()))

    loop = asyncio.get_running_loop()
    loop.add_reader(sys.stdin.fileno(), asked)
    _say(server.port, str(server.control_url).rpartition(":")[2])
    await ended.wait()
    loop.remove_reader(sys.stdin.fileno())
    await server.close()


if __name__ == "__main__":
    time.time = lambda: _time() + _jumped  # noqa: TID251
    time.time_ns = lambda: _time_ns() + round(1e9 * _jumped)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    factory = None
    if sys.argv[1] == "uvloop":
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(main(int(sys.argv[2]), Settings.from_overrides(json.loads(sys.argv[3]))))
