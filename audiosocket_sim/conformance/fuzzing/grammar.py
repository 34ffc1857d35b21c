"""Draws odd streams from a seed: the same seed gives the same stream. Pure.

Each stream has its own mix: of the faults below it draws a few, and leaves the others alone. So some streams are all
about cuts, others about lengths, and a fault that only shows where another one is absent shows too.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from audiosocket_core.messages import Kind
from audiosocket_sim.conformance.fuzzing.odd_stream import LEGAL_KEY, Actions, OddStream, seconds_without_sign
from audiosocket_sim.conformance.script import (
    Announce,
    Close,
    FinishSending,
    Pause,
    PeerAction,
    ReadAgain,
    Reset,
    Send,
    SignOfLife,
    StopReading,
    WaitForEnd,
)

__all__ = ["MOST_SECONDS", "draw"]

MOST_SECONDS = 2.5
"""Of one stream, but for its sign of life."""
_SIGN_SECONDS = 8.0
_WELL_FORMED = 0.33
_CUTS = ("whole", "merged", "bytes", "header", "pieces", "across")
_GAPS = (0.0, 0.0, 0.001, 0.004, 0.02, 0.1, 0.3)
_LEGAL_LENGTHS = (320, 320, 160, 480, 640, 960, 2, 4, 100, 1_448, 3_200, 16_000, 65_534)
_ODD_LENGTHS = (0, 1, 2, 3, 15, 16, 17, 255, 256, 319, 321, 1_461, 4_096, 8_193, 16_384, 32_767, 32_768, 65_535)
_SMALL_LENGTHS = (0, 0, 1, 2, 5, 16, 300)
_ODD_KINDS = (
    0x00,
    0x01,
    0x02,
    0x03,
    0x03,
    0x04,
    0x0F,
    0x11,
    0x12,
    0x13,
    0x14,
    0x15,
    0x16,
    0x17,
    0x18,
    0x19,
    0x7F,
    0x80,
    0xFF,
)
_KEYS = b"0123456789*#ABCDaX\x00\xff"
_STARTS = ("no UUID", "short UUID", "long UUID", "half a UUID", "text UUID", "junk first", "nothing", "two UUIDs")
_ENDS = ("close", "close", "reset", "inside", "inside", "half-close", "wait", "at once")
T = TypeVar("T")
_HEADER_LIKE = b"\x10\x01\x40\x00\x00\x00\x01\x00\x10\x03\x00\x01"


@dataclass(frozen=True, slots=True)
class _Mix:
    """Which faults a stream has. Of each tuple one is drawn each time."""

    well_formed: bool
    cuts: tuple[str, ...]
    gaps: tuple[float, ...]
    lengths: tuple[int, ...]
    kinds: tuple[int, ...]
    start: str
    end: str
    lies: bool
    junk: bool
    keys: bool
    stops_reading: bool
    messages: int


def draw(seed: str) -> OddStream:
    """Return the stream of a seed, such as `7/23`."""
    rng = random.Random(seed)
    mix = _mix(rng)
    actions: list[PeerAction] = list(_first(mix, rng))
    sound = keys = 0
    for _ in range(mix.messages):
        message = _message(mix, rng, key=mix.keys and keys < 2)
        keys += message[:1] == b"\x03"
        sound += len(message)
        if mix.well_formed and sound > 66_000:
            break
        actions += _written(message, mix, rng, lambda: _message(mix, rng, key=False, small=True))
        if seconds_without_sign(tuple(actions)) > MOST_SECONDS - 0.8:
            break
    if mix.stops_reading:
        place = rng.randint(0, len(actions))
        actions[place:place] = [StopReading(), Pause(rng.choice((0.1, 0.4))), ReadAgain()]
    return OddStream(seed, (*actions, *_last(mix, rng)))


def _mix(rng: random.Random) -> _Mix:
    well_formed = rng.random() < _WELL_FORMED
    odd = not well_formed
    return _Mix(
        well_formed=well_formed,
        cuts=_some(_CUTS, rng),
        gaps=_some(_GAPS, rng),
        lengths=_some((*_LEGAL_LENGTHS, *_ODD_LENGTHS) if odd and rng.random() < 0.6 else _LEGAL_LENGTHS, rng),
        kinds=_some(_ODD_KINDS, rng) if odd and rng.random() < 0.6 else (),
        start=rng.choice(_STARTS) if odd and rng.random() < 0.3 else "",
        end=rng.choice(_ENDS) if odd else "close",
        lies=odd and rng.random() < 0.3,
        junk=odd and rng.random() < 0.2,
        keys=rng.random() < 0.3,
        stops_reading=odd and rng.random() < 0.15,
        messages=rng.choice((0, 1, 1, 2, 3, 5, 8, 20, 50)),
    )


def _some(choices: tuple[T, ...], rng: random.Random) -> tuple[T, ...]:
    """Return a few of them, one at least."""
    return tuple(rng.sample(choices, rng.randint(1, min(4, len(choices)))))


def _first(mix: _Mix, rng: random.Random) -> list[PeerAction]:
    match mix.start:
        case "no UUID":
            return []
        case "short UUID":
            return [Send(b"\x01\x00\x0f" + bytes(15))]
        case "long UUID":
            return [Send(b"\x01\x00\x11" + bytes(17))]
        case "half a UUID":
            return [Send(b"\x01\x00\x10" + bytes(7)), Pause(rng.choice((0.0, 0.3)))]
        case "text UUID":
            return [Send(b"\x01\x00\x24" + b"40325ec2-5efd-4bd3-805f-53576e581d13")]
        case "junk first":
            return [Send(rng.randbytes(rng.choice((1, 3, 40)))), Announce()]
        case "nothing":
            return [Send(b"\x01\x00\x00")]
        case "two UUIDs":
            return [Announce(), Announce()]
    whole = rng.random() < 0.7
    return [Announce() if whole else Announce(gap=rng.choice((0.001, 0.02)))]


def _message(mix: _Mix, rng: random.Random, *, key: bool, small: bool = False) -> bytes:
    """Return one message; of an odd stream perhaps with a length that is not true, or no message at all."""
    if mix.junk and rng.random() < 0.3:
        return rng.randbytes(rng.choice((1, 2, 3, 10, 300, 5_000)))
    if key and rng.random() < 0.4:
        if mix.well_formed:
            return b"\x03\x00\x01" + LEGAL_KEY
        digits = bytes(rng.choice(_KEYS) for _ in range(rng.choice((0, 1, 1, 1, 2, 300))))
        return b"\x03" + len(digits).to_bytes(2, "big") + digits
    kind = rng.choice(mix.kinds) if mix.kinds and rng.random() < 0.5 else int(Kind.SLIN8)
    if kind != Kind.SLIN8 and rng.random() < 0.6:
        length = rng.choice(_SMALL_LENGTHS)
    else:
        length = rng.choice((2, 160, 320)) if small else rng.choice(mix.lengths)
    payload = _payload(mix, rng, length)
    if mix.lies and rng.random() < 0.4:
        length = rng.choice((0, 1, max(0, length - 1), min(65_535, length + 1), 65_535))
    return bytes([kind]) + length.to_bytes(2, "big") + payload


def _payload(mix: _Mix, rng: random.Random, length: int) -> bytes:
    """Return silence, or sound too soft to be a voice, in a well-formed stream: it must not answer for the caller."""
    choice = rng.random()
    if choice < 0.5:
        return bytes(length)
    if mix.well_formed:
        return b"".join(rng.randint(-90, 90).to_bytes(2, "little", signed=True) for _ in range(100)) * (
            length // 200
        ) + bytes(length % 200)
    if choice < 0.75:
        return (_HEADER_LIKE * (length // len(_HEADER_LIKE) + 1))[:length]
    return rng.randbytes(length)


def _written(message: bytes, mix: _Mix, rng: random.Random, another: Callable[[], bytes]) -> list[PeerAction]:
    """Return how a message is written: at once, in pieces, together with others."""
    gap = rng.choice(mix.gaps)
    pause: list[PeerAction] = [Pause(gap)] if gap and rng.random() < 0.7 else []
    match rng.choice(mix.cuts):
        case "merged":
            more = b"".join(another() for _ in range(rng.choice((1, 2, 8))))
            return [Send(message + more), *pause]
        case "bytes":
            count = min(len(message), 24)
            return [Send(message, (1,) * (count - 1), min(gap, 0.02)), *pause]
        case "header":
            return [Send(message, rng.choice(((1,), (2,), (3,), (1, 1), (1, 1, 1), (4,))), gap), *pause]
        case "pieces":
            return [Send(message, _pieces(len(message), rng), min(gap, 0.1)), *pause]
        case "across":
            both = message + another()
            return [Send(both, (max(1, len(message) - rng.choice((1, 2, 100))), rng.choice((2, 3, 4))), gap), *pause]
    return [Send(message), *pause]


def _pieces(length: int, rng: random.Random) -> tuple[int, ...]:
    """Return the lengths of all pieces but the last."""
    places = sorted({rng.randrange(1, length) for _ in range(rng.randint(1, 5))}) if length > 1 else []
    return tuple(b - a for a, b in zip([0, *places], places, strict=False))


def _last(mix: _Mix, rng: random.Random) -> Actions:
    if mix.well_formed:
        return (SignOfLife(_SIGN_SECONDS), Close())
    inside = rng.choice((b"\x10", b"\x10\x01", b"\x10\x01\x40", b"\x10\x01\x40" + bytes(100), b"\x10\xff\xff\x00"))
    match mix.end:
        case "reset":
            return (Reset(),)
        case "inside":
            return (Send(inside), Pause(rng.choice((0.0, 0.05, 0.4))), rng.choice((Close(), Reset())))
        case "half-close":
            return (FinishSending(), WaitForEnd(0.5), Close())
        case "wait":
            return (Pause(0.5), Close())
        case "at once":
            return (Close(),)
    return (Pause(0.02), Close())
