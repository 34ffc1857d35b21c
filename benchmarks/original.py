"""The original's way of serving a call, as the yardstick of what we do otherwise: two reads a frame, a queue, a task
that sleeps 20 ms after each frame, VAD in a consumer task. `python -m benchmarks.original` prints its port."""

import asyncio
import contextlib
import sys

import webrtcvad

FRAME_BYTES = 320


async def read_frames(reader: asyncio.StreamReader, queue: "asyncio.Queue[bytes]") -> None:
    while True:
        header = await reader.readexactly(3)
        payload = await reader.readexactly(int.from_bytes(header[1:], "big"))
        if header[0] == 0x10:
            await queue.put(payload)


async def detect(queue: "asyncio.Queue[bytes]") -> None:
    vad = webrtcvad.Vad(2)
    while True:
        frame = await queue.get()
        if len(frame) == FRAME_BYTES:
            vad.is_speech(frame, 8000)


async def send_frames(writer: asyncio.StreamWriter) -> None:
    message = b"\x10" + FRAME_BYTES.to_bytes(2, "big") + bytes(FRAME_BYTES)
    while True:
        writer.write(message)
        await writer.drain()
        await asyncio.sleep(0.02)


async def serve_call(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    queue: asyncio.Queue[bytes] = asyncio.Queue()
    tasks = [asyncio.create_task(work) for work in (read_frames(reader, queue), detect(queue), send_frames(writer))]
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    writer.close()


async def main() -> None:
    server = await asyncio.start_server(serve_call, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    if "uvloop" in sys.argv[1:]:
        import uvloop

        uvloop.run(main())
    else:
        asyncio.run(main())
