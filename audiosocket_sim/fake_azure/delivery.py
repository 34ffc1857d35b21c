"""Send one turn's messages, each at its time, and carry out the faults of the plan's step.

A drop ends the connection. A stall closes the gate through which all messages go out, while the client's messages are
still read.
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
    """The connection is closed, by either side."""


class Socket(Protocol):
    """The part of a connection that a turn needs."""

    async def send(self, data: str | bytes) -> None:
        """Send a text or a binary message. Raises ConnectionGone."""

    async def close(self, code: int, reason: str = "") -> None:
        """Close the connection with a websocket close code."""

    def reset(self) -> None:
        """Close the connection with a TCP reset."""


class Delivery:
    """The delivery of one turn. `on_fault` is called with the outcome if a fault ends the turn."""

    def __init__(self, socket: Socket, request_id: str, step: PlanStep, on_fault: Callable[[str], None]) -> None:
        self._socket = socket
        self._request_id = request_id
        self._step = step
        self._on_fault = on_fault
        self._loop = asyncio.get_running_loop()
        self._gate = asyncio.Event()
        self._gate.set()
        self._stalled = False

    async def begin(self) -> None:
        """Carry out the faults that belong to the beginning of the turn. Raises ConnectionGone."""
        await self._happens(TurnMoment(START))

    async def send(self, message: ServiceMessage, due: float) -> None:
        """Send a message at the loop time `due`, or later if a stall holds it back. Raises ConnectionGone."""
        await asyncio.sleep(max(0.0, due - self._loop.time()))
        await self._happens(TurnMoment(BEFORE, path_of(message)))
        await self._gate.wait()
        await self._socket.send(pack(frame_of(message, self._request_id)))
        await self._happens(TurnMoment(AFTER, path_of(message)))

    async def audio_passed(self, now: TurnMoment) -> None:
        """Carry out the faults that belong to this amount of audio received or sent. Raises ConnectionGone."""
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
            self._on_fault("reset by the plan")
            self._socket.reset()
        else:
            self._on_fault(f"closed with {drop.with_} by the plan")
            await self._socket.close(drop.with_, "as the plan of this key says")
        raise ConnectionGone
