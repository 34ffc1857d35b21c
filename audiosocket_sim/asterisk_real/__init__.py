"""A real Asterisk for tests: fetch it, run it, place calls, read what it says. A leaf: the simulator needs none of it.

`packages` finds, chooses or fetches one, `process` runs it in a folder of its own, `phone` is a telephone over RTP on
loopback, `leg` plays a scenario's caller with it. Nothing here needs root, and nothing of it is open to the network.
"""

from audiosocket_sim.asterisk_real.packages import (
    HOW_TO_GET_IT,
    AsteriskMissing,
    Installation,
    choose,
    fetch,
    find,
    installations,
)
from audiosocket_sim.asterisk_real.process import ConsoleLine, RealAsterisk

__all__ = [
    "HOW_TO_GET_IT",
    "AsteriskMissing",
    "ConsoleLine",
    "Installation",
    "RealAsterisk",
    "choose",
    "fetch",
    "find",
    "installations",
]
