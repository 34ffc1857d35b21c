"""All planted faults, section by section."""

from planted import ending, handshake, load
from planted.table import Planted

__all__ = ["PLANTED"]

PLANTED: tuple[Planted, ...] = (*handshake.PLANTED, *ending.PLANTED, *load.PLANTED)
