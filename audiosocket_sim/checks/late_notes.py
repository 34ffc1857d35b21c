"""What this machine can have done to the bot, as notes for the transcript: our late packets, its own stalls. Pure."""

from collections.abc import Iterator, Sequence

from audiosocket_sim.call_log.events import CallerSpoke, Entry
from audiosocket_sim.checks.lateness import LatenessRecord, WasLate
from audiosocket_sim.checks.margin import turns_that_ended_early, words_end_ms
from audiosocket_sim.checks.words import clock, seconds

__all__ = ["late_notes"]

_ONE_HOLE_MS = 200
"""Late packets that follow one another so closely are one note."""


def late_notes(entries: Sequence[Entry], late: LatenessRecord) -> list[tuple[int, str]]:
    """Return the notes, with their times in ms since the UUID, for late packets that were the caller's words, and for
    the stalls of a bot that was kept from running.

    `entries`: the call log, in the order of time.
    """
    spoken = [(e.at_ms, words_end_ms(e.at_ms, e.event)) for e in entries if isinstance(e.event, CallerSpoke)]
    early = turns_that_ended_early(entries, late)
    found: list[tuple[int, str]] = []
    for start, end in spoken:
        for most in _holes(late.bot_holes(start, end)):
            at_ms = round(most.due_ms)
            line = f"our own packets left up to {seconds(round(most.late_ms))} late"
            line += ": a hole in the caller's words for the bot"
            found.append((at_ms, line + _reaction(early, most.due_ms)))
    last_ms = max((entry.at_ms for entry in entries), default=0)
    for start, end in late.bot_stalls(0, last_ms):
        line = f"this machine kept the bot from running for {seconds(end - start)}"
        line += " (no processor, stopped, or waiting for a disk)"
        in_words = any(start <= until and end >= since for since, until in spoken)
        found.append((max(0, start), line + (_reaction(early, start) if in_words else "")))
    return found


def _reaction(early: Sequence[int], at_ms: float) -> str:
    """What the bot made of a hole at `at_ms`; "" if it did not react to it."""
    reaction = next((turn for turn in early if at_ms < turn), None)
    return "" if reaction is None else f", which may have taken it for their end: it reacted at {clock(reaction)}"


def _holes(packets: Sequence[WasLate]) -> Iterator[WasLate]:
    """The latest packet of each hole. After a hole the packets that were due in it leave at once, each less late."""
    most: WasLate | None = None
    last_ms = 0.0
    for packet in packets:
        if most is not None and packet.due_ms - last_ms > _ONE_HOLE_MS:
            yield most
            most = None
        most = packet if most is None or packet.late_ms > most.late_ms else most
        last_ms = packet.at_ms
    if most is not None:
        yield most
