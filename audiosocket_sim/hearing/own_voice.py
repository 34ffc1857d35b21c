"""Tells whether what the bot sends is the caller's own sound, come back: an echo server. Pure."""

import numpy as np

__all__ = ["LONGEST_ECHO_SECONDS", "is_echo"]

LONGEST_ECHO_SECONDS = 1.0
_RATE_HZ = 8000
_LIKE = 0.5
"""The correlation from which on two sounds are the same. Two voices stay below 0.3, G.711 and gain above 0.95."""


def is_echo(bot: bytes, caller: bytes) -> bool:
    """Return whether `bot` is in `caller`: SLIN of 8 kHz, where `caller` begins `LONGEST_ECHO_SECONDS` before `bot`.

    The correlation is that of the best place, from 0 to 1: neither gain nor delay counts.
    """
    heard, said = (np.frombuffer(pcm, "<i2", count=len(pcm) // 2).astype(np.float64) for pcm in (bot, caller))
    if len(heard) == 0 or len(said) < len(heard):
        return False
    size = 1 << (len(said) + len(heard)).bit_length()
    product = np.fft.irfft(np.fft.rfft(said, size) * np.conj(np.fft.rfft(heard, size)), size)
    running = np.concatenate(([0.0], np.cumsum(said * said)))
    places = len(said) - len(heard) + 1
    energy = (running[len(heard) :] - running[:places]) * float(heard @ heard)
    alike = np.abs(product[:places]) / np.sqrt(np.maximum(energy, 1.0))
    return bool(alike.max() >= _LIKE)
