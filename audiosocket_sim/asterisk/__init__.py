"""The simulated Asterisk: `leg` plays one call; an era's reading, the caller's packets and the socket are its parts."""

from audiosocket_sim.asterisk.leg import (
    CallLeg,
    ConnectFailed,
    LegEnd,
)

__all__ = [
    "CallLeg",
    "ConnectFailed",
    "LegEnd",
]
