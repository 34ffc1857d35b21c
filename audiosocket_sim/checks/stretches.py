"""Joins stretches of speech that a reader has read: a voice pauses between the sentences of a text. Pure.

Stretches belong together if the pause between them is at most 1.5 s and the caller did not speak in it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from audiosocket_sim.call_log.events import BotSpoke, CallerSpoke, Entry
from audiosocket_sim.checks.said import READ

__all__ = ["LONGEST_PAUSE_MS", "joined", "runs"]

LONGEST_PAUSE_MS = 1500
_MOST = 8
"""So many stretches are taken together at most."""


def runs(entries: Sequence[Entry], first: int) -> Iterator[tuple[Entry, ...]]:
    """Yield the stretches from the one at `first` on: two of them, three, and so on, while they belong together."""
    run: list[Entry] = []
    for entry in entries[first:]:
        if isinstance(entry.event, CallerSpoke) and run:
            return
        if not isinstance(entry.event, BotSpoke):
            continue
        if entry.event.text is None or len(run) == _MOST:
            return
        if run and entry.at_ms - _end_ms(run[-1]) > LONGEST_PAUSE_MS:
            return
        run.append(entry)
        if len(run) > 1 and any(isinstance(one.event, BotSpoke) and one.event.voice == READ for one in run):
            yield tuple(run)


def joined(run: Sequence[Entry]) -> Entry:
    """Return several stretches as one, with the number of the first."""
    events = [entry.event for entry in run if isinstance(entry.event, BotSpoke)]
    first, last = run[0], run[-1]
    heard_ms = sum(event.heard_ms for event in events)
    whole = replace(
        events[0],
        text=" ".join(event.text or "" for event in events),
        heard_ms=heard_ms,
        whole_ms=None,
        gap_ms=_end_ms(last) - first.at_ms - heard_ms,
        voice=READ,
        words=tuple(
            replace(
                word, start_ms=word.start_ms + entry.at_ms - first.at_ms, end_ms=word.end_ms + entry.at_ms - first.at_ms
            )
            for entry, event in zip(run, events, strict=True)
            for word in event.words
        ),
    )
    return replace(first, event=whole)


def _end_ms(entry: Entry) -> int:
    assert isinstance(entry.event, BotSpoke)
    return entry.at_ms + entry.event.lasted_ms
