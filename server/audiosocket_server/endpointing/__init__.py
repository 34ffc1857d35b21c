"""Endpointing: when does the caller begin to speak, and when has he finished? Pure.

Parts: `vad` (the protocol of a voice activity detector, and WebRTC's), `silero` (the second detector), `silero_batch`
(its model for many calls at once), `endpointer` (verdicts per frame to utterances), `levels` (how loud the caller is,
and others are), `own_voice` (what he sounds like), `lasting` (a voice that speaks on, and does not laugh),
`nearest_voice` (babble and a television are not the caller), `echo` (the bot's own voice is not the caller's). Which
detector a call gets is decided in `audiosocket_server.detectors`, which needs an event loop.
"""

from audiosocket_server.endpointing.echo import LineEchoGuard
from audiosocket_server.endpointing.endpointer import (
    Endpointer,
    EndpointingFact,
    IsEcho,
    SpeechPaused,
    SpeechWentOn,
    UtteranceClosed,
    UtteranceOpened,
)
from audiosocket_server.endpointing.lasting import LastingVoice
from audiosocket_server.endpointing.levels import VoiceLevels
from audiosocket_server.endpointing.nearest_voice import GradedVad, NearestVoice, Surroundings
from audiosocket_server.endpointing.silero import SileroModel, SileroVad, SileroWindow
from audiosocket_server.endpointing.silero_batch import SileroBatch, SileroRun, SileroStream
from audiosocket_server.endpointing.vad import Vad, WebRtcVad

__all__ = [
    "Endpointer",
    "EndpointingFact",
    "GradedVad",
    "IsEcho",
    "LastingVoice",
    "LineEchoGuard",
    "NearestVoice",
    "SileroBatch",
    "SileroModel",
    "SileroRun",
    "SileroStream",
    "SileroVad",
    "SileroWindow",
    "SpeechPaused",
    "SpeechWentOn",
    "Surroundings",
    "UtteranceClosed",
    "UtteranceOpened",
    "Vad",
    "VoiceLevels",
    "WebRtcVad",
]
