"""What is known when a call has ended: defects, what was not heard, what the server did afterwards. Judges nothing."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from audiosocket_sim.asterisk import LegEnd
from audiosocket_sim.asterisk.wire_record import says_after_the_end
from audiosocket_sim.call_log import events as log
from audiosocket_sim.call_log import voices
from audiosocket_sim.call_log.events import CallLog, LogEvent, Noted, Source
from audiosocket_sim.checks.quality import unheard_defect
from audiosocket_sim.hearing import Ear
from audiosocket_sim.hearing.peak_level import peak_dbfs
from audiosocket_sim.hearing.phone_buffer import PHONE_HOLDS_MS
from audiosocket_sim.parties.peer import Leg
from audiosocket_sim.running.defects import DefectCollector
from audiosocket_sim.scenario import Quality

__all__ = ["CallFacts", "after_the_end", "asked_too_late", "loudest_dbfs", "sent_ahead"]

_LEFT_OPEN_MS = 2000


@dataclass(frozen=True, slots=True)
class CallFacts:
    """What a call left behind: its log, its leg, what was heard; `sent`: the caller's packets; `notes`: of the wire;
    `ear_title`: the name of the caller's phone."""

    log: CallLog
    leg: Leg
    ear: Ear
    defects: DefectCollector
    sent: list[tuple[float, bytes]]
    notes: Sequence[str]
    ear_title: str

    def at_the_end(self, end: LegEnd, t0: float) -> Iterator[tuple[int, Source, LogEvent]]:
        """Yield each fact that is known at the end, with its time in ms since the UUID, at `t0` (s). Write each into
        the log before the next is asked for: later ones rest on it. The ear must be closed."""
        end_ms = round((end.at - t0) * 1000)
        for note in self.notes:
            yield end_ms, Source.PEER, Noted(note)
        for at_ms, found in self.defects.at_the_end(end.at, t0, self.log, self.ear, self.sent):
            yield at_ms, Source.DEFECT if isinstance(found, log.DefectFound) else Source.PEER, found
        for at, length_ms in self.leg.record.dropped:
            dropped = log.DefectFound("unheard", _too_long(length_ms), round(length_ms))
            yield round((at - t0) * 1000), Source.DEFECT, dropped
        if (use := self.ear.phone_use) is not None:
            yield end_ms, Source.PEER, log.PhoneUsed(self.ear_title, use.played_ms, use.lost_ms, use.delays_ms)
        yield from self._last_words(end, end_ms, t0)
        if (counts := self.leg.counts) is not None and self.leg.t0 is not None:
            loudest = loudest_dbfs(self.ear, t0)
            yield end_ms, Source.END, log.WireSummary(counts.from_server, counts.to_server, loudest)
        for at_ms, overlap in voices.overlaps(self.log.entries):
            yield at_ms, Source.TURNS, overlap

    def _last_words(self, end: LegEnd, end_ms: int, t0: float) -> Iterator[tuple[int, Source, LogEvent]]:
        """The end itself, and before it the speech that it cut off."""
        unheard_ms = self.ear.unheard_ms if self.ear.unheard_ms > log.UNHEARD_MS else 0
        heard = log.last_word_heard(self.log, end.who, end_ms, unheard_ms, mid_word=self.ear.ends_in_mid_word)
        since = self.ear.unheard_since
        since_ms = None if since is None else round((since - t0) * 1000)
        unheard = unheard_defect(self.log.entries, end.who, end_ms, unheard_ms, since_ms)
        if unheard is not None:
            yield end_ms, Source.DEFECT, unheard
        yield end_ms, Source.END, log.CallEnded(end.who, end.how, end.dialplan, end.reason, heard, unheard_ms)


async def after_the_end(end: LegEnd, leg: Leg, quality: Quality) -> list[log.DefectFound]:
    """Return what the server did on the wire after the end of the call. Waits until it has closed its connection, for
    as long as `quality: {left_open: …}` leaves it."""
    loop = asyncio.get_running_loop()
    limit_ms = _LEFT_OPEN_MS if quality.left_open == "allowed" else quality.left_open
    closed = await leg.released(max(0.0, limit_ms / 1000 - (loop.time() - end.at)))
    found = []
    if closed is False:
        open_ms = round((loop.time() - end.at) * 1000)
        what = f"the server had not closed its connection {open_ms / 1000:.1f} s after the call had ended"
        found.append(log.DefectFound("left_open", what, None, open_ms))
    if after := leg.record.after_hang_up:
        found.append(log.DefectFound("after_end", says_after_the_end(after), len(after)))
    return found


def asked_too_late(asked: Sequence[tuple[int, str]], end_ms: int) -> tuple[int, str]:
    """Return when the first of these requests came, and words for all: time in ms and content of each, after `end_ms`,
    the end of the call."""
    (at_ms, content), *more = asked
    late = f"the backend was asked “{content}” {(at_ms - end_ms) / 1000:.1f} s after the call had ended"
    if more:
        late += f", and {len(more)} more time{'s' if len(more) > 1 else ''} until {more[-1][0] / 1000:.3f}"
    return at_ms, late


def loudest_dbfs(ear: Ear, t0: float, since_ms: int = 0) -> float | None:
    """Return the level of the loudest sample that was heard from so many ms after `t0` (s) on; None: all were 0."""
    level = peak_dbfs(ear.timeline(t0 + since_ms / 1000))
    return None if level is None else round(level, 1)


def sent_ahead(ahead_ms: int, lost_ms: int) -> str:
    """Return words for sound that was sent ahead of what was playing, of which the phone lost some."""
    what = f"sound was sent up to {ahead_ms / 1000:.2f} s ahead of what was playing"
    return f"{what}: a phone that holds {PHONE_HOLDS_MS} ms lost {lost_ms / 1000:.2f} s of it" if lost_ms else what


def _too_long(length_ms: float) -> str:
    what = f"an audio message of {length_ms / 1000:.2f} s: too long for Asterisk's translators (over 1 s)"
    return f"{what}, dropped: the caller heard none of it"
