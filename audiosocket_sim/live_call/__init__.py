"""A live call as data, and how it becomes a scenario: `captured` is the data, `write_scenario` the door. Pure but for
the files that `writer` writes: no socket, no loop, no clock. The parts: cutting, pairing, heard, steps, replies,
redact."""

from audiosocket_sim.live_call.captured import (
    Answer,
    BotPacket,
    CapturedCall,
    CapturedPush,
    Ending,
    Exchange,
    KeyPressed,
    Packet,
    Recognised,
    ToldState,
)

__all__ = [
    "Answer",
    "BotPacket",
    "CapturedCall",
    "CapturedPush",
    "Ending",
    "Exchange",
    "KeyPressed",
    "Packet",
    "Recognised",
    "ToldState",
]
