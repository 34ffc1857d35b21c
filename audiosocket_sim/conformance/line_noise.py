"""A caller's sound by which a case tells each byte from every other: noise too quiet to be heard as a voice. Pure.

16-bit little-endian samples, mono. None of them is zero, so the silence that a server puts in between can be left out
when what it sends back is compared with what was sent.
"""

from collections.abc import Iterable
from functools import cache

import numpy as np

from audiosocket_core.messages import Kind, encode
from audiosocket_sim.conformance.heard import samples_of
from audiosocket_sim.conformance.seen_call import SeenCall

__all__ = ["how_much_is_in", "in_messages", "line_noise", "sent_back"]

_QUIETEST, _LOUDEST = 8, 120
"""−49 dBFS at most: below what counts as sound (`heard.SILENCE_PEAK`), and below what a server takes for a voice."""


@cache
def line_noise(count: int, seed: int) -> bytes:
    """Return `count` bytes of noise, an even number; of each seed another."""
    draw = np.random.default_rng(seed)
    sizes = draw.integers(_QUIETEST, _LOUDEST + 1, count // 2)
    noise: bytes = (sizes * draw.choice((-1, 1), count // 2)).astype("<i2").tobytes()
    return noise


def in_messages(sound: bytes, sizes: Iterable[int], kind: int = Kind.SLIN8) -> tuple[bytes, ...]:
    """Return a sound cut into messages whose payloads have these sizes, and one more with what is left of it."""
    messages, place = [], 0
    for size in sizes:
        messages.append(encode(kind, sound[place : place + size]))
        place += size
    rest = sound[place:]
    return (*messages, encode(kind, rest)) if rest else tuple(messages)


def sent_back(call: SeenCall) -> bytes:
    """Return the samples at 8 kHz that the server sent, without those that are zero.

    Of each message by itself, as Asterisk takes them: an odd last byte is no sample.
    """
    parts = [samples_of(message.payload) for message in call.audio if message.kind == Kind.SLIN8]
    samples = np.concatenate(parts) if parts else np.empty(0, "<i2")
    back: bytes = samples[samples != 0].tobytes()
    return back


def how_much_is_in(whole: bytes, part: bytes, since: int = 0) -> tuple[int, int]:
    """Return where in `whole`, from the byte `since` on, `part` begins, and how many of its bytes stand there.

    A part that is not there in full is looked for by its beginning: (place, bytes) of as much of it as there is,
    (−1, 0) if there is none of it.
    """
    place = _aligned(whole, part, since)
    if place >= 0:
        return place, len(part)
    least, most, best = 0, len(part) // 2, (-1, 0)
    while least < most:  # as many samples from its beginning as can be found
        count = (least + most + 1) // 2
        found = _aligned(whole, part[: 2 * count], since)
        if found >= 0:
            least, best = count, (found, 2 * count)
        else:
            most = count - 1
    return best if best[1] >= 8 else (-1, 0)  # four samples are no chance


def _aligned(whole: bytes, part: bytes, since: int) -> int:
    place = whole.find(part, since)
    while place >= 0 and place % 2:
        place = whole.find(part, place + 1)
    return place
