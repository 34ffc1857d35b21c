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
    ReportedState,
)
from audiosocket_sim.live.captured_call.redact import redact
from audiosocket_sim.live.captured_call.sound_and_cassette import write_sound_and_cassette
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
    "ReportedState",
    "free_name",
    "redact",
    "write_scenario",
    "write_sound_and_cassette",
]
