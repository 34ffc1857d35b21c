"""The simulated Asterisk: `leg` plays one call; an era's reading, the caller's packets and the socket are its parts."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from audiosocket_sim.asterisk.leg import CallLeg, ConnectFailed, LegEnd

__all__ = ["CallLeg", "ConnectFailed", "LegEnd"]


def __getattr__(name: str) -> object:
    """Import the leg only when one of its names is used: scenarios need `profiles` and play no call."""
    if name in __all__:
        from audiosocket_sim.asterisk import leg

        return getattr(leg, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
