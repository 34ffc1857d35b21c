"""All planted faults, section by section."""

from planted import audio_out, ending, handshake, load
from planted.table import Planted

__all__ = ["PLANTED"]

PLANTED: tuple[Planted, ...] = (*handshake.PLANTED, *audio_out.PLANTED, *ending.PLANTED, *load.PLANTED)
