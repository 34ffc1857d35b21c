"""One real Asterisk for all calls of a run: booted before the first of them is placed, and stopped after the last.

A leg says with `add` what it needs in the dialplan, which is read once, at the boot; `enter` before its call is placed,
and `leave` when it is over.
"""

import asyncio
from collections.abc import Callable

from audiosocket_sim.asterisk_real.packages import Installation
from audiosocket_sim.asterisk_real.process import RealAsterisk

__all__ = ["SharedAsterisk"]


class SharedAsterisk:
    """The Asterisk of a run. `dialling`: is held from the dial until the connection is there.

    Asterisk does not say which of its connections is that of which call, so one call dials after the other.
    """

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.dialling = asyncio.Lock()
        self._parts: list[str] = []
        self._changing = asyncio.Lock()
        self._running: RealAsterisk | None = None
        self._users = 0

    def add(self, part: Callable[[int], str]) -> int:
        """Return the number of a new call. `part`: makes the call's part of the dialplan of that number."""
        assert self._running is None, "the dialplan has been read"
        number = len(self._parts) + 1
        self._parts.append(part(number))
        return number

    async def enter(self) -> RealAsterisk:
        """Return the Asterisk, which is booted if nobody uses it yet. Raises AsteriskMissing."""
        async with self._changing:
            if self._running is None:
                asterisk = RealAsterisk(self.installation, "".join(self._parts))
                self._running = await asterisk.__aenter__()
            self._users += 1
            return self._running

    async def leave(self) -> None:
        """Stop the Asterisk if nobody else has entered."""
        async with self._changing:
            self._users -= 1
            if not self._users and self._running is not None:
                running, self._running = self._running, None
                await running.__aexit__(None, None, None)
