"""One turn's messages on their way out: each at its time, past the faults of its step. asyncio; no sound and no texts.

A drop ends the connection, a stall shuts the gate through which all messages go; the client's messages are read on.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from audiosocket_sim.fake_azure.frames import pack
from audiosocket_sim.fake_azure.messages import ServiceMessage, frame_of, path_of
from audiosocket_sim.fake_azure.plan import Drop, PlanStep
from audiosocket_sim.fake_azure.plan_progress import AFTER, BEFORE, START, TurnMoment, is_at

__all__ = ["ConnectionGone", "Delivery", "Socket"]


class ConnectionGone(Exception):
    """The connection is over, whoever ended it."""


class Socket(Protocol):
    """What a turn needs of its connection."""

    async def send(self, data: str | bytes) -> None:
        """Raises Gone."""

    async def close(self, code: int, reason: str = "") -> None:
        """End it with a close code."""

    def reset(self) -> None:
        """End it with a TCP reset."""


class Delivery:
    """Of one turn. `tell` is called with the outcome where a fault decides it."""

    def __init__(self, socket: Socket, request_id: str, step: PlanStep, tell: Callable[[str], None]) -> None:
        self._socket = socket
        self._request_id = request_id
        self._step = step
        self._tell = tell
        self._loop = asyncio.get_running_loop()
        self._gate = asyncio.Event()
        self._gate.set()
        self._stalled = False

    async def begin(self) -> None:
        """The turn begins. Raises Gone."""
        await self._happens(TurnMoment(START))

    async def send(self, message: ServiceMessage, due: float) -> None:
        """At `due` (the loop's time) or as soon as the messages before it are out. Raises Gone."""
        await asyncio.sleep(max(0.0, due - self._loop.time()))
        await self._happens(TurnMoment(BEFORE, path_of(message)))
        await self._gate.wait()
        await self._socket.send(pack(frame_of(message, self._request_id)))
        await self._happens(TurnMoment(AFTER, path_of(message)))

    async def audio_passed(self, now: TurnMoment) -> None:
        """So much audio came, or was sent. Raises Gone."""
        await self._happens(now)

    async def _happens(self, now: TurnMoment) -> None:
        step = self._step
        if step.drop is not None and is_at(step.drop, now):
            await self._drop(step.drop)
        if step.stall is not None and not self._stalled and is_at(step.stall, now):
            self._stalled = True
            self._gate.clear()
            if step.stall.for_ is not None:
                self._loop.call_later(step.stall.for_ / 1000, self._gate.set)

    async def _drop(self, drop: Drop) -> None:
        if drop.with_ == "reset":
            self._tell("reset by the plan")
            self._socket.reset()
        else:
            self._tell(f"closed with {drop.with_} by the plan")
            await self._socket.close(drop.with_, "as the plan of this key says")
        raise ConnectionGone
