"""All planted faults, section by section."""

from planted import audio_out, ending, framing, handshake, keys, load
from planted.table import Planted

__all__ = ["PLANTED"]

PLANTED: tuple[Planted, ...] = (
    *handshake.PLANTED,
    *framing.PLANTED,
    *audio_out.PLANTED,
    *keys.PLANTED,
    *ending.PLANTED,
    *load.PLANTED,
)
