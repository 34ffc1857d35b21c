"""A bare server, as the measure of the whole one: a detector looks at each frame, and silence goes out.

No turns, no recogniser, no backend, no events: what any bot on this transport and this clock pays.
`python -m benchmarks.bare [uvloop]` prints its port and serves until it is ended.
"""

import asyncio
import gc
import sys

import webrtcvad

from audiosocket_core.connection import Connection, Role
from audiosocket_core.messages import Kind
from audiosocket_core.ticker import Ticker, TickHandle
from audiosocket_core.transport import AudioSocketProtocol, EndCause

__all__: list[str] = []

_FRAME_BYTES = 320
_SILENCE = bytes(_FRAME_BYTES)


class _BareCall:
    def __init__(self) -> None:
        self._is_speech = webrtcvad.Vad(2).is_speech
        self._ticks: TickHandle | None = None

    def on_connected(self, shell: AudioSocketProtocol) -> None:
        self._shell = shell

    def on_message(self, kind: int, payload: bytes) -> None:
        if kind == Kind.SLIN8 and len(payload) == _FRAME_BYTES:
            self._is_speech(payload, 8000)
        elif kind == Kind.UUID:
            self._ticks = Ticker.of(asyncio.get_running_loop()).add(self._send)

    def _send(self, deadline: float) -> None:
        self._shell.send(Kind.SLIN8, _SILENCE)

    def on_end(self, cause: EndCause) -> None:
        if self._ticks is not None:
            self._ticks.cancel()


async def _main() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: AudioSocketProtocol(Connection(Role.SERVER), _BareCall()), "127.0.0.1", 0, backlog=4096
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    gc.freeze()
    await server.serve_forever()


if __name__ == "__main__":
    if "uvloop" in sys.argv[1:]:
        import uvloop

        uvloop.run(_main())
    else:
        asyncio.run(_main())
