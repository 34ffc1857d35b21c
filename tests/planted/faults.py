"""All planted faults, section by section."""

from planted import asterisk_versions, audio_in, audio_out, ending, framing, handshake, keys, load
from planted.table import Planted

__all__ = ["PLANTED"]

PLANTED: tuple[Planted, ...] = (
    *handshake.PLANTED,
    *framing.PLANTED,
    *audio_in.PLANTED,
    *audio_out.PLANTED,
    *keys.PLANTED,
    *ending.PLANTED,
    *load.PLANTED,
    *asterisk_versions.PLANTED,
)
