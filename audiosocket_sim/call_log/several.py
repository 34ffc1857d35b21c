"""The logs of several calls as one: each entry with its caller's name, on the clock of the first call. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from audiosocket_sim.call_log.events import CallBegan, Entry, Source

__all__ = ["LoggedCall", "as_one_log"]


@dataclass(frozen=True, slots=True)
class LoggedCall:
    """The log of one of several calls: its caller's name, when it began (ms after the first UUID of all), its entries.

    `uuid`: as it was sent; None if it was not.
    """

    caller: str
    began_ms: int
    uuid: str | None
    entries: Sequence[Entry]


def as_one_log(calls: Sequence[LoggedCall]) -> tuple[tuple[Entry, ...], dict[tuple[str, int], int]]:
    """Return the entries of all calls as one log, numbered anew, and the new number of each by caller and old number.

    Entries of the same instant stand in the order of the calls, and within a call as they stood. Each call that has a
    UUID begins with an entry of its own.
    """
    found: list[tuple[tuple[int, int, int], int, Entry]] = []
    for index, call in enumerate(calls):
        own = list(call.entries)
        if call.uuid is not None:
            began = Entry(0, Source.PEER, 0, CallBegan(call.uuid))
            own.insert(next((at for at, entry in enumerate(own) if entry.at_ms >= 0), len(own)), began)
        for place, entry in enumerate(own):
            at_ms = entry.at_ms + call.began_ms
            found.append(((at_ms, index, place), entry.number, replace(entry, at_ms=at_ms, caller=call.caller)))
    found.sort(key=lambda one: one[0])
    numbers = {(entry.caller, old): number for number, (_, old, entry) in enumerate(found, 1)}
    return tuple(replace(entry, number=number) for number, (_, _, entry) in enumerate(found, 1)), numbers
