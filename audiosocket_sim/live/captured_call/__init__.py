"""A live call as data, and its conversion to a scenario. `model` holds the data; `write_scenario` is the way in.

No socket, no event loop and no clock. All of it is pure except `writer`, `sound_and_cassette` and `files`, which write
files, and `analysis`, which reads the phrase book and the hold music.
"""

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
    Muted,
    Packet,
    ReportedState,
)
from audiosocket_sim.live.captured_call.redact import redact
from audiosocket_sim.live.captured_call.server_settings import is_reference_server
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
    "Muted",
    "NameTaken",
    "Packet",
    "ReportedState",
    "free_name",
    "is_reference_server",
    "redact",
    "write_scenario",
    "write_sound_and_cassette",
]
