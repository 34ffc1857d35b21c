"""Compares, when several calls are over, what each caller heard with what belongs to the others, and logs what does not
belong to him: another caller's voice, the bot's words for another, answers that were given for another.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from audiosocket_sim.call_log.events import BotSpoke, DefectFound, Entry, Source
from audiosocket_sim.call_log.recording import caller_track
from audiosocket_sim.checks.cross_talk import CROSS_TALK, CallHeard, broken_off, by_words, has_a_turn_to_answer, said_at
from audiosocket_sim.hearing.dealt_frames import are_dealt_out
from audiosocket_sim.hearing.other_voices import ALIKE, CallSound, Found, Window
from audiosocket_sim.running.call_fixture import CallFixture

__all__ = ["log_cross_talk"]

_MOST_SEARCHED_SECONDS = 30_000
"""How much sound is searched at the most, over all calls: 1.5 to 3 s of computing."""
_MOST_COMPARED = 2000
_MOST_PAIRS = 50
_RATE_HZ = 8000
_LONG_MS = 24 * 60 * 60_000
"""From the first damage on, a shared queue explains all of it."""
_WINDOWS = 3
_SHORTEST_MS = 450
_AS_LIKE = 0.1
"""By how much less like a caller's own voice may be to what he heard, and still explain it."""
_AT_ONCE_SECONDS = 0.045
_OTHER_TIMES_SECONDS = 0.2
"""Two callers who dialled with less than that between them may well be told the same at once."""


def log_cross_talk(calls: Sequence[CallFixture], began: float) -> None:
    """Log, in the call in which it was heard, what belongs to another call. `began`: the loop time (s) from which the
    times of all calls count. The calls are over."""
    made = [fixture for fixture in calls if fixture.leg.t0 is not None]
    if len(made) < 2:
        return
    heard = [CallHeard(fixture.scenario, fixture.log.entries, round((fixture.t0 - began) * 1000)) for fixture in made]
    by_name = {fixture.scenario.caller.name: fixture for fixture in made}
    found = [(by_name[name], at_ms, defect) for name, at_ms, defect in (*by_words(heard), *broken_off(heard))]
    found += _by_sound(made)
    for fixture, at_ms, defect in found:
        fixture.log.add(at_ms, Source.DEFECT, defect)


@dataclass(slots=True)
class _Sides:
    """One call: its running parts, and the sound of its two sides, made when it is needed."""

    fixture: CallFixture
    _said: CallSound | None = None
    _heard: CallSound | None = None

    @property
    def name(self) -> str:
        return self.fixture.scenario.caller.name

    @property
    def entries(self) -> Sequence[Entry]:
        return self.fixture.log.entries

    @property
    def seconds(self) -> float:
        end = self.fixture.end
        return 0.0 if end is None else end.at - self.fixture.t0

    @property
    def said(self) -> CallSound:
        if self._said is None:
            fixture = self.fixture
            pcm = caller_track(fixture.caller.sent, fixture.t0, fixture.scenario.asterisk.rate_hz)
            self._said = CallSound(pcm, fixture.t0)
        return self._said

    @property
    def pcm(self) -> bytes:
        return self.fixture.ear.timeline(self.fixture.t0)

    @property
    def heard(self) -> CallSound:
        if self._heard is None:
            self._heard = CallSound(self.pcm, self.fixture.t0)
        return self._heard

    def speech(self) -> Iterator[tuple[int, BotSpoke]]:
        for entry in self.entries:
            spoke = entry.event
            if isinstance(spoke, BotSpoke) and spoke.sound == "speech" and spoke.heard_ms >= _SHORTEST_MS:
                yield entry.at_ms, spoke

    def windows(self, at_ms: int, spoke: BotSpoke, most: int = _WINDOWS) -> Iterator[Window]:
        start = self.fixture.t0 + at_ms / 1000
        return self.heard.windows(start, start + spoke.lasted_ms / 1000, most)


def _by_sound(calls: Sequence[CallFixture]) -> list[tuple[CallFixture, int, DefectFound]]:
    sides = [_Sides(fixture) for fixture in calls]
    found = [*_shared_queues(sides), *_voices_of_others(sides), *_words_for_others(sides)]
    return [(side.fixture, at_ms, defect) for side, at_ms, defect in found]


# --- one sound dealt out to two callers


def _shared_queues(sides: Sequence[_Sides]) -> Iterator[tuple[_Sides, int, DefectFound]]:
    """Two callers who heard damaged sound at a time may each have heard every other frame of it."""
    damaged = [(side, at_ms) for side in sides if (at_ms := _first_damage_ms(side)) is not None]
    left = _MOST_PAIRS
    for (one, at_ms), (other, other_ms) in combinations(damaged, 2):
        left -= 1
        if left < 0:
            return
        later = round((other.fixture.t0 - one.fixture.t0) * _RATE_HZ)
        if are_dealt_out(one.pcm, other.pcm, later):
            what = f"{one.name} and {other.name} each heard every other 20 ms of what the bot said to one of them"
            for side, ms in ((one, at_ms), (other, other_ms)):
                defect = DefectFound(CROSS_TALK, f"{what}: their calls share a queue", None, _LONG_MS, "dealt")
                yield side, ms, defect


def _first_damage_ms(side: _Sides) -> int | None:
    return next(
        (
            entry.at_ms
            for entry in side.entries
            if isinstance(entry.event, DefectFound) and entry.event.kind == "damage"
        ),
        None,
    )


# --- the voice of another caller


def _voices_of_others(sides: Sequence[_Sides]) -> Iterator[tuple[_Sides, int, DefectFound]]:
    """What a caller heard and nobody can read is looked for in what the others had said until then."""
    unread = [
        (spoke.heard_ms, side, at_ms, spoke)
        for side in sides
        for at_ms, spoke in side.speech()
        if spoke.voice in ("unread", "recogniser")
    ]
    unread.sort(key=lambda one: -one[0])
    left = float(_MOST_SEARCHED_SECONDS)
    each = sum(side.seconds for side in sides)
    for _, side, at_ms, spoke in unread:
        for window in side.windows(at_ms, spoke):
            left -= each
            if left < 0:
                return
            whose = _whose(window, side, sides)
            if whose is not None:
                yield side, at_ms, _heard_voice(side, *whose, spoke, window)
                break


def _whose(window: Window, side: _Sides, sides: Sequence[_Sides]) -> tuple[_Sides, Found] | None:
    """Return which other caller had said this, and when; None if nobody had, or if it has another explanation."""
    until = window.at + 0.02
    found = [(other, hit) for other in sides if other is not side and (hit := other.said.find(window, until=until))]
    best = max(found, key=lambda one: one[1].likeness, default=None)
    if best is None or best[1].likeness < ALIKE:
        return None
    other, hit = best
    own = side.said.find(window, until=until)
    if own is not None and own.likeness >= hit.likeness - _AS_LIKE:
        return None  # he hears himself
    for one in sides:
        known = one.heard.find(window, until=hit.at - 0.005)
        if known is not None and known.likeness >= ALIKE:
            return None  # the bot had said it before that caller did
    return other, hit


def _heard_voice(side: _Sides, other: _Sides, hit: Found, spoke: BotSpoke, window: Window) -> DefectFound:
    said_ms = round((hit.at - other.fixture.t0) * 1000)
    words = said_at(other.entries, said_ms + round(window.seconds * 500))
    later = f"{max(0.0, window.at - hit.at):.2f} s"
    if words is None:
        what = f"{side.name} heard what came from the phone of {other.name}, {later} later"
    else:
        what = f"{side.name} heard {other.name}: {words}, {later} after {other.name} had said it"
    return DefectFound(CROSS_TALK, what, None, spoke.heard_ms, "voice")


# --- the bot's words for another caller


def _words_for_others(sides: Sequence[_Sides]) -> Iterator[tuple[_Sides, int, DefectFound]]:
    """An answer to one caller that another one heard at the same instant, who had asked nothing."""
    left = _MOST_COMPARED
    for side in sides:
        for at_ms, spoke in side.speech():
            if not has_a_turn_to_answer(side.entries, at_ms):
                continue
            for other in sides:
                if other is side or abs(other.fixture.t0 - side.fixture.t0) < _OTHER_TIMES_SECONDS:
                    continue
                left -= 1
                if left < 0:
                    return
                defect = _overheard(side, at_ms, spoke, other, sides)
                if defect is not None:
                    yield other, round((side.fixture.t0 - other.fixture.t0) * 1000) + at_ms, defect


def _overheard(side: _Sides, at_ms: int, spoke: BotSpoke, other: _Sides, sides: Sequence[_Sides]) -> DefectFound | None:
    at_there_ms = round((side.fixture.t0 - other.fixture.t0) * 1000) + at_ms
    end = other.fixture.end
    if at_there_ms < 0 or (end is not None and at_there_ms > other.fixture.ms(end.at)):
        return None
    if has_a_turn_to_answer(other.entries, at_there_ms):
        return None
    windows = list(side.windows(at_ms, spoke, 2))
    if not windows or not all(_is_there_at(other, window, window.at) for window in windows):
        return None
    window = windows[0]
    if any(_is_elsewhere(one, window) for one in sides):
        return None  # the bot says it to everybody
    what = f"“{spoke.text}”" if spoke.text is not None else f"{spoke.heard_ms / 1000:.2f} s of speech"
    return DefectFound(
        CROSS_TALK,
        f"{other.name} heard the bot's answer to {side.name}, at the same instant: {what}",
        None,
        spoke.heard_ms,
        "overheard",
    )


def _is_there_at(side: _Sides, window: Window, at: float) -> bool:
    hit = side.heard.find(window, at - _AT_ONCE_SECONDS, at + _AT_ONCE_SECONDS)
    return hit is not None and hit.likeness >= ALIKE


def _is_elsewhere(side: _Sides, window: Window) -> bool:
    """Whether this was heard at another time too."""
    around = window.seconds
    hits = (
        side.heard.find(window, until=window.at - around),
        side.heard.find(window, since=window.at + around),
    )
    return any(hit is not None and hit.likeness >= ALIKE for hit in hits)
