"""All planted faults, section by section."""

from planted import audio_out, handshake
from planted.table import Planted

__all__ = ["PLANTED"]

PLANTED: tuple[Planted, ...] = (*handshake.PLANTED, *audio_out.PLANTED)
