"""What the other calls of a scenario with several tell of a step that failed in this one: lines for people. Pure."""

from collections.abc import Sequence

from audiosocket_core.phrase_book.book import normalise
from audiosocket_sim.call_log.events import CallEnded, Entry
from audiosocket_sim.checks.verdicts import Moment, OtherCalls
from audiosocket_sim.checks.words import clock
from audiosocket_sim.scenario import Expectation

__all__ = ["ended_with_another", "in_other_calls"]

_MOST_LINES = 3
_AT_ONCE_MS = 60
_LONG_MS = 1000


def in_other_calls(expectation: Expectation, entries: Sequence[Entry], moment: Moment) -> list[str]:
    """Return whom the bot serves while it sends nothing here, and who heard the words that were expected here."""
    others = moment.others
    lines = []
    if moment.sent is not None and not moment.sent.messages and others.served:
        over = any(isinstance(entry.event, CallEnded) for entry in entries)
        if others.in_progress and not over:
            lines.append(f"meanwhile it serves {_and(others.in_progress)}: can it serve one call at a time only?")
        elif not moment.sent.counts:
            lines.append(f"it has taken the call{'s' if len(others.served) > 1 else ''} of {_and(others.served)}")
    lines += ended_with_another(entries, others)
    start, end = (0, 0) if moment.sent is None else moment.sent.pause_ms
    for name, began_ms in others.began:
        if began_ms > 0 and abs(start - began_ms) <= _AT_ONCE_MS and end - start >= _LONG_MS:
            since = f"it sent nothing here from {clock(start)} on, when {name}'s call began"
            lines.append(f"{since}: does it send all to its newest call?")
    if expectation.bot_says is not None:
        wanted = {normalise(text) for text in expectation.bot_says.texts}
        found = [one for one in others.heard if normalise(one[1]) in wanted and one[2] >= moment.base_ms]
        lines += [f"{name} heard “{text}” at {clock(at_ms)}" for name, text, at_ms in found[:_MOST_LINES]]
    return lines


def ended_with_another(entries: Sequence[Entry], others: OtherCalls) -> list[str]:
    """Return a line if the server ended this call as soon as another one had ended."""
    ended = next((one for one in entries if isinstance(one.event, CallEnded) and one.event.who == "server"), None)
    if ended is None:
        return []
    before = [(ended.at_ms - at_ms, name) for name, at_ms in others.ended if 0 <= ended.at_ms - at_ms <= _AT_ONCE_MS]
    return [
        f"{name}'s call had ended {ms / 1000:.2f} s before: does the end of one call end all?"
        for ms, name in before[:1]
    ]


def _and(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
