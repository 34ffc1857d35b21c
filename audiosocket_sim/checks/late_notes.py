"""What our own late packets can have done to the bot, as notes for the transcript. Pure."""

from collections.abc import Iterator, Sequence

from audiosocket_sim.call_log.events import CallerSpoke, Entry
from audiosocket_sim.checks.lateness import LatenessRecord, WasLate
from audiosocket_sim.checks.margin import turns_that_ended_early, words_end_ms
from audiosocket_sim.checks.words import clock, seconds

__all__ = ["late_notes"]

_ONE_HOLE_MS = 200
"""Late packets that follow one another so closely are one note."""


def late_notes(entries: Sequence[Entry], late: LatenessRecord) -> list[tuple[int, str]]:
    """Return the notes, with their times in ms since the UUID, for late packets that were the caller's words.

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
            reaction = next((turn for turn in early if most.due_ms < turn), None)
            if reaction is not None:
                line += f", which may have taken it for their end: it reacted at {clock(reaction)}"
            found.append((at_ms, line))
    return found


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
