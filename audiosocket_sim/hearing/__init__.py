"""Hears what came out of the caller's phone. `ear` is the door, `facts` what it reports; the others are its parts."""

from audiosocket_sim.hearing.ear import Ear
from audiosocket_sim.hearing.facts import (
    Fact,
    HeardDamage,
    HeardHoldStarted,
    HeardHoldStopped,
    HeardHole,
    HeardSpeech,
    HeardSpeechStarted,
    PhoneLost,
    SentAhead,
)

__all__ = [
    "Ear",
    "Fact",
    "HeardDamage",
    "HeardHoldStarted",
    "HeardHoldStopped",
    "HeardHole",
    "HeardSpeech",
    "HeardSpeechStarted",
    "PhoneLost",
    "SentAhead",
]
