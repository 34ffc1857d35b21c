"""The player on real sockets, where a server does what only a real network shows."""

import asyncio
import socket
import struct

from audiosocket_sim.conformance.features import Features
from audiosocket_sim.conformance.player import Player
from audiosocket_sim.conformance.script import Announce, Close, Script
from audiosocket_sim.conformance.sounds import CallerSounds

_AT_ONCE = struct.pack("ii", 1, 0)


class _ResetBeforeOurEnd(Player):
    """The server resets its connection after the last look of our loop at the network, before our FIN."""

    def __init__(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        script = Script((Announce(), Close()))
        super().__init__(script, bytes(16), began=loop.time(), features=Features(), sounds=CallerSounds())
        self._listener = listener

    async def _finish(self) -> None:
        taken, _ = self._listener.accept()
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        taken.close()
        await super()._finish()


async def test_a_reset_just_before_our_fin_is_the_servers_end() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        seen = await _ResetBeforeOurEnd(listener).play("127.0.0.1", listener.getsockname()[1])
    assert (seen.end.by, seen.end.how) == ("server", "reset")
    assert seen.end.server_closed_at is not None
