"""What the caller heard: `ear` is the door; playout, loudness, the hold loop and stretches of speech are its parts."""

from audiosocket_sim.hearing.ear import (
    Ear,
    Fact,
    HeardHoldStarted,
    HeardHoldStopped,
    HeardSpeech,
    HeardSpeechStarted,
)

__all__ = [
    "Ear",
    "Fact",
    "HeardHoldStarted",
    "HeardHoldStopped",
    "HeardSpeech",
    "HeardSpeechStarted",
]
