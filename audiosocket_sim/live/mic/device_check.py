"""What `mic --check` plays, and what it says of the sound that came back. Pure; times in seconds, sound 8 kHz SLIN.

Three rising tones are played. Where the microphone hears them, the time between giving one to the loudspeaker and
getting it back is the delay of the whole loop: both devices with their buffers, and the air between them. Then the user
speaks, and the level of his voice is compared with the room's noise.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from audiosocket_core.slin import level_dbfs

__all__ = ["SPEAK_SECONDS", "TONES_SECONDS", "Block", "DeviceCheck", "checked", "report", "tones"]

Block = tuple[float, bytes]
"""When sound was handed over, and the sound."""

_RATE_HZ = 8000
_TONE_SECONDS, _EVERY_SECONDS, _FIRST_SECONDS, _TONES = 0.25, 1.2, 0.6, 3
TONES_SECONDS = _FIRST_SECONDS + _TONES * _EVERY_SECONDS
"""How long the tones are played, with the silence after the last of them."""
SPEAK_SECONDS = 3.0
_FOUND = 0.25  # share of the energy of what was heard that is the tone
_LATEST_SECONDS = 1.0
_CLIPPED = 32_700
_SOFT_DBFS, _LOUD_DBFS = -42.0, -9.0
_FRAME = 160
_JUMP_MS = 15.0


@dataclass(frozen=True, slots=True)
class DeviceCheck:
    """Levels in dBFS. `delays_ms`: of each tone that came back. `clipped`: samples at the limit, of all."""

    delays_ms: tuple[float, ...]
    echo_dbfs: float
    noise_dbfs: float
    voice_dbfs: float
    clipped: int
    heard_seconds: float


def tones() -> bytes:
    """Return what is played: `TONES_SECONDS` of it."""
    sound = np.zeros(round(TONES_SECONDS * _RATE_HZ), "<i2")
    for start in _starts():
        sound[start : start + len(_tone())] = _tone()
    return sound.tobytes()


def checked(played: Sequence[Block], captured: Sequence[Block]) -> DeviceCheck:
    """Return what came back. played: `tones`, from its beginning; captured: all until the user has spoken."""
    heard = np.frombuffer(b"".join(pcm for _, pcm in captured), "<i2")
    spoken_at = _sample_at(captured, played[0][0] + TONES_SECONDS) if played else 0
    delays, levels = [], []
    for start in _starts():
        given = _time_of(played, start)
        first = None if given is None else _sample_at(captured, given)
        found = None if first is None else _found(heard[first : first + round(_LATEST_SECONDS * _RATE_HZ)])
        got = None if first is None or found is None else _time_of(captured, first + found)
        if given is not None and first is not None and found is not None and got is not None:
            delays.append(round((got - given) * 1000, 1))
            levels.append(level_dbfs(heard[first + found : first + found + len(_tone())].tobytes()))
    spoken = _levels(heard[spoken_at:])
    return DeviceCheck(
        tuple(delays),
        max(levels, default=-120.0),
        float(np.percentile(spoken, 10)) if len(spoken) else -120.0,
        float(np.percentile(spoken, 90)) if len(spoken) else -120.0,
        int(np.count_nonzero(np.abs(heard.astype(np.int32)) >= _CLIPPED)),
        len(heard) / _RATE_HZ,
    )


def report(check: DeviceCheck) -> list[str]:
    """Return the lines for people: each says what was found and, if it is not good, what to do."""
    if check.heard_seconds < 1:
        return ["microphone   gave no sound, not even silence: choose another with --input (--list-devices)"]
    over = check.voice_dbfs - check.noise_dbfs
    voice = f"voice        {check.voice_dbfs:.0f} dBFS, {over:.0f} dB over the room"
    if over < 10:
        voice += ": nothing was said, or the microphone is muted or the wrong one (--input)"
    elif check.voice_dbfs < _SOFT_DBFS:
        voice += ": you are too soft; go nearer, or raise the microphone's level"
    elif check.voice_dbfs > _LOUD_DBFS:
        voice += ": you are too loud; lower the microphone's level"
    else:
        voice += ": good"
    clipping = "clipping     none"
    if check.clipped:
        clipping = (
            f"clipping     {check.clipped} samples at the limit: lower the microphone's level, or the loudspeaker's"
        )
    if not check.delays_ms:
        return [
            voice,
            clipping,
            "loudspeaker  not heard by the microphone: headphones, or no sound comes out (--output)",
        ]
    delays = check.delays_ms
    loop = f"loop         {median(delays):.0f} ms from loudspeaker to microphone, {check.echo_dbfs:.0f} dBFS"
    if max(delays) - min(delays) > _JUMP_MS:
        loop += f"; it jumps, {min(delays):.0f} to {max(delays):.0f} ms: the echo guard needs a moment after each jump"
    return [voice, clipping, loop]


def _starts() -> list[int]:
    return [round((_FIRST_SECONDS + i * _EVERY_SECONDS) * _RATE_HZ) for i in range(_TONES)]


def _tone() -> "np.ndarray[tuple[int], np.dtype[np.int16]]":
    """A tone that rises from 400 to 2800 Hz, at -12 dBFS, with soft edges: it is like itself at one delay only."""
    at = np.arange(round(_TONE_SECONDS * _RATE_HZ)) / _RATE_HZ
    edges = np.clip(np.minimum(at, at[::-1]) / 0.02, 0, 1)
    wave = np.sin(2 * np.pi * (400 * at + 1200 / _TONE_SECONDS * at * at))
    return np.rint(wave * edges * 11_600).astype(np.int16)


def _found(heard: "np.ndarray[tuple[int], np.dtype[np.int16]]") -> int | None:
    """Return where the tone begins in what was heard, in samples; None if it is not in it."""
    x, y = _tone().astype(np.float64), heard.astype(np.float64)
    if len(y) < len(x):
        return None
    products = np.correlate(y, x, "valid")
    sums = np.concatenate([[0.0], np.cumsum(y * y)])
    energy = sums[len(x) :] - sums[: -len(x)] + len(x)
    shares = products * np.abs(products) / (energy * (x @ x))
    best = int(np.argmax(np.abs(shares)))
    return best if abs(shares[best]) >= _FOUND else None


def _levels(heard: "np.ndarray[tuple[int], np.dtype[np.int16]]") -> list[float]:
    return [level_dbfs(heard[i : i + _FRAME].tobytes()) for i in range(0, len(heard) - _FRAME + 1, _FRAME)]


def _time_of(blocks: Sequence[Block], sample: int) -> float | None:
    """Return when the block with this sample was handed over."""
    for at, pcm in blocks:
        if sample < len(pcm) // 2:
            return at
        sample -= len(pcm) // 2
    return None


def _sample_at(blocks: Sequence[Block], at: float) -> int:
    """Return the first sample of those that were handed over at a time or later."""
    return sum(len(pcm) // 2 for when, pcm in blocks if when < at)
