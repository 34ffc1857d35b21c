"""Makes a stream that does harm as small as it can be while it still does it: fewer steps, bytes, pieces, pauses. Pure.

Delta debugging: of what is left, large parts are taken away first, then smaller ones; whoever calls says whether a
smaller stream still does the harm. The result is a local minimum: nothing more can be taken away by itself.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from audiosocket_sim.conformance.fuzzing.odd_stream import Actions, cost
from audiosocket_sim.conformance.script import Announce, Pause, PeerAction, Send

__all__ = ["FirstThatShows", "Shrunk", "shrink"]

FirstThatShows = Callable[[Sequence[Actions]], int | None]
"""Tries streams, in this order, and returns the place of the first that still does the harm; None: none does."""
_MOST_BYTES_SINGLY = 64
_SHORTEST_PAUSE = 0.02


@dataclass(frozen=True, slots=True)
class Shrunk:
    """What is left, and how many streams were tried. `is_whole`: it was cut short by the limit of tries."""

    actions: Actions
    tries: int
    cut_short: bool


def shrink(
    actions: Actions,
    first_that_shows: FirstThatShows,
    *,
    at_once: int = 1,
    most_tries: int = 300,
    give_up: Callable[[], bool] = lambda: False,
) -> Shrunk:
    """Return the smallest stream that was found. `at_once`: how many are tried beside one another.

    `give_up` is asked between tries.
    """
    best, tries = actions, 0
    refused: set[Actions] = set()
    progress = True
    while progress:
        progress = False
        for smaller in (_fewer_steps, _fewer_bytes, _simpler):
            candidates = _better(smaller, best, refused)
            while batch := _next(candidates, at_once):
                if tries >= most_tries or give_up():
                    return Shrunk(best, tries, True)
                tries += len(batch)
                found = first_that_shows(batch)
                if found is None:
                    refused.update(batch)
                    continue
                refused.update(batch[:found])
                best, progress = batch[found], True
                candidates = _better(smaller, best, refused)
    return Shrunk(best, tries, False)


def _next(candidates: Iterator[Actions], count: int) -> list[Actions]:
    return list(islice(candidates, count))


def _better(
    smaller: Callable[[Actions], Iterator[Actions]], actions: Actions, refused: set[Actions]
) -> Iterator[Actions]:
    """Iterate over what is truly smaller and was not tried yet, each once."""
    offered: set[Actions] = set()
    for candidate in smaller(actions):
        if candidate not in refused and candidate not in offered and cost(candidate) < cost(actions):
            offered.add(candidate)
            yield candidate


def _spans(count: int, least: int = 1) -> Iterator[tuple[int, int]]:
    """Iterate over parts to leave out: halves, quarters, and so on, down to `least` long."""
    size = count
    while size >= least and size > 0:
        for start in range(0, count, size):
            yield start, min(count, start + size)
        size //= 2


def _fewer_steps(actions: Actions) -> Iterator[Actions]:
    for start, stop in _spans(len(actions)):
        yield actions[:start] + actions[stop:]


def _fewer_bytes(actions: Actions) -> Iterator[Actions]:
    for place, action in enumerate(actions):
        if not isinstance(action, Send):
            continue
        data = action.data
        fine = 1 if len(data) <= _MOST_BYTES_SINGLY else max(1, len(data) // 16)
        for start, stop in _spans(len(data), max(fine, len(data) // 8)):
            yield _with(actions, place, replace(action, data=data[:start] + data[stop:]))
        yield from (_with(actions, place, replace(action, data=less)) for less in _shorter_payloads(data))
        for start, stop in _spans(len(data), fine):
            yield _with(actions, place, replace(action, data=data[:start] + data[stop:]))


def _shorter_payloads(data: bytes) -> Iterator[bytes]:
    """Iterate over the same messages, where one of them has less payload and says so, or is left out."""
    place = 0
    while place + 3 <= len(data):
        length = int.from_bytes(data[place + 1 : place + 3], "big")
        stop = min(len(data), place + 3 + length)
        payload = data[place + 3 : stop]
        yield data[:place] + data[stop:]
        for shorter in sorted({0, 1, 2, length // 4, length // 2, length - 2, length - 1}):
            if 0 <= shorter < length:
                header = data[place : place + 1] + shorter.to_bytes(2, "big")
                yield data[:place] + header + payload[:shorter] + data[stop:]
        place = stop


def _simpler(actions: Actions) -> Iterator[Actions]:
    """Fewer pieces, shorter pauses, zeros instead of what stands there."""
    for place, action in enumerate(actions):
        match action:
            case Send(data=data, pieces=pieces, gap=gap):
                yield _with(actions, place, Send(data))
                for at in range(len(pieces)):
                    yield _with(
                        actions, place, Send(data, (*pieces[:at], sum(pieces[at : at + 2]), *pieces[at + 2 :]), gap)
                    )
                    yield _with(actions, place, Send(data, pieces[:at] + pieces[at + 1 :], gap))
                for less in (0.0, *_shorter(gap)):
                    yield _with(actions, place, Send(data, pieces, less))
                following = actions[place + 1] if place + 1 < len(actions) else None
                if isinstance(following, Send) and not pieces and not following.pieces:
                    yield (*actions[:place], Send(data + following.data), *actions[place + 2 :])
                for start, stop in _spans(len(data), max(1, len(data) // 32)):
                    zeroed = data[:start] + bytes(stop - start) + data[stop:]
                    yield _with(actions, place, Send(zeroed, pieces, gap))
            case Announce():
                yield _with(actions, place, Announce())
            case Pause():
                for less in _shorter(action.seconds):
                    yield _with(actions, place, Pause(less))


def _shorter(seconds: float) -> Iterator[float]:
    yield from (less for less in (_SHORTEST_PAUSE, 0.1, round(seconds / 2, 3)) if _SHORTEST_PAUSE <= less < seconds)


def _with(actions: Actions, place: int, action: PeerAction) -> Actions:
    return (*actions[:place], action, *actions[place + 1 :])
