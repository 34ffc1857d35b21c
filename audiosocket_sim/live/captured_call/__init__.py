"""A live call as data, and how it becomes a scenario: `captured` is the data, `write_scenario` the door. Pure but for
the files that `writer` writes: no socket, no loop, no clock. The parts: cutting, pairing, heard, steps, replies,
redact."""

from audiosocket_sim.live.captured_call.files import NameTaken, free_name
from audiosocket_sim.live.captured_call.model import (
    Answer,
    BotPacket,
    CapturedCall,
    CapturedPush,
    CapturedRecognition,
    CapturedUtterance,
    Ending,
    Exchange,
    KeyPressed,
    Packet,
    ToldState,
)
from audiosocket_sim.live.captured_call.redact import redact
from audiosocket_sim.live.captured_call.sound_and_cassette import write_remains
from audiosocket_sim.live.captured_call.writer import write_scenario

__all__ = [
    "Answer",
    "BotPacket",
    "CapturedCall",
    "CapturedPush",
    "CapturedRecognition",
    "CapturedUtterance",
    "Ending",
    "Exchange",
    "KeyPressed",
    "NameTaken",
    "Packet",
    "ToldState",
    "free_name",
    "redact",
    "write_remains",
    "write_scenario",
]
