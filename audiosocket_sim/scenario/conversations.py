"""Which part of a cassette is whose: of several conversations in one, each call plays its own. Pure.

An exchange names its conversation by the UUID of the call, or by the caller's name. One that names none is for each
call. So is a cassette of a single call, which one UUID names or none, as `capture` writes it: each plays it anew.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from audiosocket_sim.scenario.cassette import RawExchange

__all__ = ["parts_of"]

_MOST_NAMED = 5


def parts_of(exchanges: Sequence[RawExchange], calls: Mapping[str, UUID]) -> dict[str, tuple[RawExchange, ...]]:
    """Return what each call plays of a cassette. `calls`: the UUIDs by the callers' names; "" is a call alone.

    Raises ValueError with a line for people if a conversation is nobody's.
    """
    marks = list(dict.fromkeys(exchange.conversation for exchange in exchanges if exchange.conversation))
    whose = {mark: _owner(mark, calls) for mark in marks}
    strangers = [mark for mark, owner in whose.items() if owner is None]
    if not marks or (len(marks) == 1 and not _by_name(marks[0], calls)):
        return dict.fromkeys(calls, tuple(exchanges))
    if strangers and (len(calls) > 1 or len(strangers) == len(marks)):
        raise ValueError(_nobodys(strangers, calls))
    return {
        name: tuple(each for each in exchanges if not each.conversation or whose[each.conversation] == name)
        for name in calls
    }


def _by_name(mark: str, calls: Mapping[str, UUID]) -> str | None:
    return next((name for name in calls if name and name.casefold() == mark.casefold()), None)


def _owner(mark: str, calls: Mapping[str, UUID]) -> str | None:
    return _by_name(mark, calls) or next((name for name, uuid in calls.items() if uuid == _uuid(mark)), None)


def _nobodys(strangers: Sequence[str], calls: Mapping[str, UUID]) -> str:
    shown = [f"“{mark}”" for mark in strangers[:_MOST_NAMED]]
    shown += [f"{len(strangers) - _MOST_NAMED} more"] if len(strangers) > _MOST_NAMED else []
    has = "its conversation" if len(strangers) == 1 else "its conversations"
    if list(calls) == [""]:
        return f"{has} {', '.join(shown)}: none is of this call, whose UUID is {calls['']} (asterisk: {{uuid: …}})"
    names = ", ".join(list(calls)[:_MOST_NAMED]) + (", …" if len(calls) > _MOST_NAMED else "")
    return f"{has} {', '.join(shown)}: of no caller here. Expected the name or the uuid of one of {names}"


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
