"""When does the caller speak, and when has he finished: voice activity per 20 ms -> an utterance began, or ended. Pure.

The parts: `vad` (what a detector is, and WebRTC's), `silero` (the second one), `endpointer` (detector's verdicts to
utterances), `echo` (the bot's own voice is no caller's). Which detector a call gets, and the pool of them, is
`server.detectors`: that needs a loop.
"""

from audiosocket_server.endpointing.echo import LineEchoGuard
from audiosocket_server.endpointing.endpointer import (
    Endpointer,
    EndpointingFact,
    IsEcho,
    UtteranceClosed,
    UtteranceOpened,
)
from audiosocket_server.endpointing.silero import SileroVad
from audiosocket_server.endpointing.vad import Vad, WebRtcVad

__all__ = [
    "Endpointer",
    "EndpointingFact",
    "IsEcho",
    "LineEchoGuard",
    "SileroVad",
    "UtteranceClosed",
    "UtteranceOpened",
    "Vad",
    "WebRtcVad",
]
