"""Virtual time: an event loop whose clock jumps to the next timer, and a loopback network in memory. See `loop`."""

from audiosocket_sim.virtual_time.bot_clock import sleeps_are_noted
from audiosocket_sim.virtual_time.loop import (
    CannotFollow,
    Deadlock,
    HoldTooLong,
    Livelock,
    VirtualLoop,
    VirtualTimeError,
    new_loop,
    run,
)

__all__ = [
    "CannotFollow",
    "Deadlock",
    "HoldTooLong",
    "Livelock",
    "VirtualLoop",
    "VirtualTimeError",
    "new_loop",
    "run",
    "sleeps_are_noted",
]
