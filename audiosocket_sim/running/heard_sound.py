"""What the ear heard of the bot, put into the call's log: speech with its wait, hold audio, faults, losses.

Judges nothing but what the limits of `quality` make a defect of a single stretch; `checks` does the rest.
"""

import asyncio
from dataclasses import replace
from typing import Protocol

from audiosocket_sim.call_log import events as log
from audiosocket_sim.call_log import voices
from audiosocket_sim.call_log.events import CallLog, Entry, LogEvent, Source
from audiosocket_sim.call_log.resumption import add_speech
from audiosocket_sim.checks import GRACE_MS
from audiosocket_sim.checks.lateness import LatenessRecord
from audiosocket_sim.checks.quality import defects_of
from audiosocket_sim.hearing import (
    Fact,
    HeardDamage,
    HeardHoldStarted,
    HeardHoldStopped,
    HeardHole,
    HeardSpeech,
    HeardSpeechStarted,
    PhoneLost,
    SentAhead,
)
from audiosocket_sim.running.call_end import sent_ahead
from audiosocket_sim.running.defects import DefectCollector
from audiosocket_sim.running.readings import Readings
from audiosocket_sim.scenario import Scenario
from audiosocket_sim.virtual_time import VirtualLoop

__all__ = ["HeardSound"]
_ITS_ECHO = ": it may have stopped for its own echo"


class _CallInProgress(Protocol):
    """What is needed of the call: its log and its clock (`CallFixture`)."""

    log: CallLog

    @property
    def t0(self) -> float: ...
    def ms(self, loop_time: float) -> int: ...
    def record(self, loop_time: float, source: Source, event: LogEvent) -> None: ...
    def lateness(self) -> LatenessRecord: ...
    def notify(self) -> None: ...


class HeardSound:
    """Takes the ear's facts of one call. `virtual`: whether the running loop's clock is virtual."""

    def __init__(
        self, call: _CallInProgress, scenario: Scenario, defects: DefectCollector, readings: Readings, *, virtual: bool
    ) -> None:
        self._call = call
        self._scenario = scenario
        self._defects = defects
        self._readings = readings
        self._virtual = virtual

    def take(self, fact: Fact) -> None:
        """Log a fact."""
        record = self._call.record
        match fact:
            case HeardSpeechStarted():
                self._call.notify()
            case HeardSpeech():
                self._speech(fact)
            case HeardHole():
                self._defects.hole(fact)
            case SentAhead(at=at, ahead_ms=ahead, lost_ms=lost, lasted_ms=lasted):
                record(at, Source.DEFECT, log.DefectFound("ahead", sent_ahead(ahead, lost), ahead, lasted))
            case PhoneLost(at=at, lost_ms=lost, lasted_ms=lasted, why=why):
                record(at, Source.PEER, log.PhoneLostSound(self._scenario.ear.model, lost, lasted, why))
            case HeardDamage(fault="paused") if self._defects.heard_something(self._call.log, self._call.t0, fact.at):
                pass  # so may a bot, and how it went on is measured
            case HeardDamage(at=at, kind=kind, what=what, amount=amount, duration_ms=duration, fault=fault):
                places = fact.places_ms, fact.more_places
                what += _ITS_ECHO if fault == "paused" and self._scenario.line.echo is not None else ""
                record(at, Source.DEFECT, log.DefectFound(kind, what, amount, duration, fault, *places))
            case HeardHoldStarted(at=at, file=file):
                record(at, Source.HOLD, log.HoldStarted(self._into_waiting_ms(self._call.ms(at)), file or None))
            case HeardHoldStopped(at=at, duration_ms=duration, seamless=seamless, file=file):
                record(at, Source.HOLD, log.HoldStopped(duration, seamless, file or None))

    def _speech(self, fact: HeardSpeech) -> None:
        level = None if self._scenario.line.gain_db else fact.level_dbfs  # a line with a gain changes the bot's level
        at_ms = self._call.ms(fact.at)
        own_gap, own_ahead = self._own_part(at_ms, fact.lasted_ms, fact.gap_ms, fact.ahead_ms)
        spoke = log.BotSpoke(
            fact.text,
            fact.heard_ms,
            fact.whole_ms,
            fact.voice,
            fact.gap_ms,
            fact.ahead_ms,
            fact.hole_ms,
            level,
            own_gap,
            own_ahead,
            fact.parts_ms,
            skipped_ms=fact.skipped_ms,
            sound=fact.sound,
            holes_ms=fact.holes_ms,
            pauses_ms=fact.pauses_ms,
            twice_ms=fact.twice_ms,
        )
        self._log(add_speech(self._call.log, at_ms, self._with_its_wait(at_ms, spoke)), fact)
        for defect in defects_of(spoke, self._scenario.quality):
            self._call.record(fact.at, Source.DEFECT, defect)

    def _own_part(self, at_ms: int, whole_ms: int, gap_ms: int, ahead_ms: int) -> tuple[int, int]:
        """How much of the gaps in a speech, and of how far it was ahead, this machine can have made; in ms."""
        if self._virtual or not (gap_ms or ahead_ms):
            return 0, 0
        late, end_ms = self._call.lateness(), at_ms + whole_ms
        return min(gap_ms, late.hole_ms(at_ms - GRACE_MS, end_ms)), min(ahead_ms, late.hole_ms(0, end_ms))

    def _log(self, spoke: log.BotSpoke, fact: HeardSpeech) -> None:
        """Log speech, and have its words read if the ear does not know the voice."""
        if not self._readings.reads(spoke):
            self._call.record(fact.at, Source.BOT, spoke)
        elif (known := self._readings.known(spoke, fact.pcm)) is not None:
            self._call.record(fact.at, Source.BOT, known)
        else:
            entry: Entry = self._call.log.add(self._call.ms(fact.at), Source.BOT, spoke)
            self._readings.begin(entry, spoke, fact.pcm)
            self._call.notify()

    def _with_its_wait(self, at_ms: int, spoke: log.BotSpoke) -> log.BotSpoke:
        """Return speech with the time that the caller had waited for it, if it is an answer."""
        wait_ms = voices.wait_ms(self._call.log.entries, at_ms, spoke)
        if wait_ms is None:
            return spoke
        loop, at = asyncio.get_running_loop(), self._call.t0 + at_ms / 1000
        unmeasured = isinstance(loop, VirtualLoop) and loop.worked_outside(at - wait_ms / 1000, at)
        return replace(spoke, wait_ms=wait_ms, wait_measured=not unmeasured)

    def _into_waiting_ms(self, at_ms: int) -> int | None:
        """Milliseconds since the bot entered the state WAITING; None if its last reported state is another."""
        changes = [e for e in self._call.log.entries if isinstance(e.event, log.StateTold) and e.at_ms <= at_ms]
        if not changes or not isinstance(event := changes[-1].event, log.StateTold) or event.after != "WAITING":
            return None
        return at_ms - changes[-1].at_ms
