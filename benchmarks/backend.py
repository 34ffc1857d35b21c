"""An AI backend for load: answers every question at once, in a process of its own, at next to no cost.

`python -m benchmarks.backend` prints its port and serves until it is ended. It reads HTTP only as far as the server
under load writes it: one POST a connection, with a Content-Length.
"""

import asyncio
import json

__all__: list[str] = []

_BODY = json.dumps({"content": {"mensagem": "Qual é o seu nome?"}, "set_call_status": "USER_TURN"}).encode()
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b" % (
    len(_BODY),
    _BODY,
)


class _Question(asyncio.Protocol):
    def __init__(self) -> None:
        self._came = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._came += data
        head, blank, body = self._came.partition(b"\r\n\r\n")
        length = next(
            (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
        )
        if blank and len(body) >= length:
            self._transport.write(_ANSWER)
            self._transport.close()


async def _main() -> None:
    server = await asyncio.get_running_loop().create_server(_Question, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main())
