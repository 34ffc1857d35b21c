"""The caller's actions in order of time: utterances, key presses and mutes. Pure; times are ms since the UUID."""

from collections.abc import Sequence
from dataclasses import dataclass

from audiosocket_sim.live.captured_call.model import CapturedUtterance, Ending, KeyPressed, Muted
from audiosocket_sim.live.captured_call.segmentation import MUTE_MS
from audiosocket_sim.live.captured_call.track import Track

__all__ = ["Action", "KeyPresses", "Muted", "Spoke", "caller_actions"]

_SHORTEST_TONE_MS = 80
_SHORTEST_GAP_MS = 45
_USUAL_TONE_MS = 100
_LONGEST_TONE_MS = 2_000
_STEP_MS = 10
_PACKET_MS = 20


@dataclass(frozen=True, slots=True)
class Spoke:
    """The caller said one utterance; `number` counts from 1."""

    number: int
    utterance: CapturedUtterance

    @property
    def start_ms(self) -> int:
        """The start of the utterance's cut, ms since the UUID."""
        return self.utterance.start_ms

    @property
    def end_ms(self) -> int:
        """The end of the utterance's cut, ms since the UUID."""
        return self.utterance.end_ms


@dataclass(frozen=True, slots=True)
class KeyPresses:
    """The caller held one key from `start_ms` to `end_ms`."""

    start_ms: int
    end_ms: int
    digit: str


Action = Spoke | KeyPresses | Muted


def caller_actions(
    utterances: Sequence[CapturedUtterance],
    keys: Sequence[KeyPressed],
    track: Track,
    ending: Ending,
    mutes: Sequence[Muted] | None = None,
) -> tuple[Action, ...]:
    """Return every action of the caller, sorted by its start.

    mutes: None if they are not known; then a gap in `track` that lasts longer than `MUTE_MS` is a mute, unless a
    pressed key explains it.
    """
    pressed: list[KeyPresses] = []
    for key in keys:
        pressed.append(_key(key, track, pressed[-1].end_ms if pressed else None))
    found: list[Action] = [Spoke(number, utterance) for number, utterance in enumerate(utterances, 1)]
    found += pressed
    if mutes is None:
        found += _mutes(track, pressed, ending)
    else:
        found += mutes
    return tuple(sorted(found, key=lambda action: action.start_ms))


def _mutes(track: Track, pressed: Sequence[KeyPresses], ending: Ending) -> list[Muted]:
    found: list[Muted] = []
    held = [(key.start_ms, key.end_ms) for key in pressed]
    for gap in track.gaps:
        of_a_key = any(start - MUTE_MS < gap.end_ms and gap.start_ms < end for start, end in held)
        if gap.length_ms > MUTE_MS and not (of_a_key and gap.length_ms <= _LONGEST_TONE_MS):
            found.append(Muted(gap.start_ms, gap.end_ms))
    if ending.at_ms - track.end_ms > MUTE_MS:
        found.append(Muted(track.end_ms, None))
    return found


def _key(key: KeyPressed, track: Track, last_up_ms: int | None) -> KeyPresses:
    """Return when the key was pressed and released.

    Asterisk reports a key when it is released, and the phone sends no sound while the key is held: the gap before the
    release shows how long that was. Several keys in one gap are separated by their releases; `last_up_ms` is the
    release of the key before, None for the first key.
    """
    gaps = [gap for gap in track.gaps if gap.start_ms < key.at_ms <= gap.end_ms + _PACKET_MS]
    held_ms = _USUAL_TONE_MS
    if gaps and last_up_ms is not None and last_up_ms > gaps[-1].start_ms:
        held_ms = min(key.at_ms - last_up_ms - _SHORTEST_GAP_MS, _USUAL_TONE_MS)
    elif gaps:
        held_ms = min(gaps[-1].length_ms, key.at_ms - gaps[-1].start_ms + _PACKET_MS)
    tone_ms = min(max(held_ms // _STEP_MS * _STEP_MS, _SHORTEST_TONE_MS), _LONGEST_TONE_MS)
    return KeyPresses(key.at_ms - tone_ms, key.at_ms, key.digit)
