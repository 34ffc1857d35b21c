"""Judges a sound without knowing what it should be: the faults that can be known of any voice. Pure."""

from collections.abc import Sequence

import numpy as np

from audiosocket_sim.hearing.damage.loudness_faults import clipping, offset, overflow
from audiosocket_sim.hearing.damage.model import Damage, Frames
from audiosocket_sim.hearing.damage.sample_format import file_bytes, text_bytes, wrong_format
from audiosocket_sim.hearing.damage.seams import bad_joints, clicks

__all__ = ["click_faults", "faults_of"]


def click_faults(pcm: bytes) -> list[Damage]:
    """Return what a click is, of less than 30 ms, if that can be known: bytes of a file or of a text."""
    wave = np.frombuffer(pcm, "<i2", len(pcm) // 2).astype(np.float64)
    text = text_bytes(wave)
    return file_bytes(wave) or ([] if text is None else [text])


def faults_of(pcm: bytes, holes: Sequence[tuple[int, int]] = (), *, voice: bool = True) -> list[Damage]:
    """Return the faults of 8 kHz SLIN, the gravest first; `holes`: where nothing was sent, as (sample, length).
    `voice`: False for music and tones, which repeat, and have accents at even distances.

    Samples of another format have no other faults that are worth a word.
    """
    wave = np.frombuffer(pcm, "<i2", len(pcm) // 2).astype(np.float64)
    frames = Frames(wave, holes)
    files = file_bytes(wave)
    if (text := text_bytes(wave)) is not None and not files:
        return [text]
    if (wrong := wrong_format(frames)) is not None:
        return [*files, wrong]
    if not voice:
        found = (offset(frames), clicks(wave, holes, voice=False))
        return [*files, *(fault for fault in found if fault is not None)]
    more = (offset(frames), overflow(wave) or clipping(frames), bad_joints(wave, holes))
    return [*files, *(fault for fault in more if fault is not None)]
