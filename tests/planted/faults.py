"""All planted faults, section by section."""

from planted import handshake
from planted.table import Planted

__all__ = ["PLANTED"]

PLANTED: tuple[Planted, ...] = (*handshake.PLANTED,)
