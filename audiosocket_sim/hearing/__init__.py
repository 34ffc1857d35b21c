"""Hears what came out of the caller's phone. `ear` is the door; the other modules are its parts."""

from audiosocket_sim.hearing.ear import (
    Ear,
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
