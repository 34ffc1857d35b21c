"""Which call does a request to the AI backend belong to, if its protocol is not known? Pure.

Evidence, the strongest first: the call's UUID anywhere in the request; that just this request is expected of one call
(of a call that is played again); a value that names the conversation (`call`,
`session_id`) and that one call alone has used; a list that continues the list of an earlier request, as the messages of
chat completions do; a connection that one call alone has used; and a call that is the only one in progress. Evidence
that fits two calls decides nothing.
"""

import json
import re
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

__all__ = ["Evidence", "Pairing", "evidence_of"]

_UUID = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}", re.IGNORECASE)
_NAMES_A_CONVERSATION = frozenset(
    f"{word}{end}"
    for word in ("", "call", "session", "conversation", "thread", "dialog", "channel", "chat")
    for end in ("", "id", "uuid")
) - {"", "chat"}
"""Keys, without their punctuation and in lower case. Names of a bot or of its owner (`user`, `agent_id`) are none."""
_MOST_HISTORIES = 20

_Call = TypeVar("_Call", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a request shows of its call.

    uuids: 32 hexadecimal digits each. names: keys with their values that name a conversation. history: the entries of
    its longest list of objects. connection: the client's address.
    """

    uuids: frozenset[str] = frozenset()
    names: frozenset[tuple[str, str]] = frozenset()
    history: tuple[str, ...] = ()
    connection: Hashable = None


@dataclass(slots=True)
class _Seen:
    """What the requests of one call have shown so far."""

    names: dict[str, set[str]] = field(default_factory=dict)
    histories: list[tuple[str, ...]] = field(default_factory=list)
    connections: set[Hashable] = field(default_factory=set)


def evidence_of(path: str, headers: Iterable[str], body: bytes, connection: Hashable) -> Evidence:
    """Return the evidence in a request: its path with the query, the values of its headers, and its body."""
    text = body.decode("utf-8", "replace")
    found = (_UUID.findall(part) for part in (path, *headers, text))
    uuids = frozenset(uuid.replace("-", "").lower() for part in found for uuid in part)
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        asked = None
    if not isinstance(asked, Mapping):
        return Evidence(uuids, connection=connection)
    names = frozenset(
        (key, str(value))
        for key, value in asked.items()
        if _plain(key) in _NAMES_A_CONVERSATION
        and isinstance(value, str | int)
        and not isinstance(value, bool)
        and value != ""
    )
    return Evidence(uuids, names, _history(asked), connection)


class Pairing(Generic[_Call]):
    """Finds the call of each request, and remembers what it showed.

    `uuid_of`: returns the UUID of a call as 32 hexadecimal digits; None if it is not known.
    """

    def __init__(self, uuid_of: Callable[[_Call], str | None]) -> None:
        self._uuid_of = uuid_of
        self._seen: dict[_Call, _Seen] = {}
        self._changing: set[str] = set()
        """Keys that had two values in one call, such as the number of a request: they name no conversation."""
        self._clients_share = False
        """A connection has carried requests of two calls: from then on connections show nothing."""

    def call_of(self, evidence: Evidence, going_on: Sequence[_Call], waiting: Sequence[_Call] = ()) -> _Call | None:
        """Return the call in progress to which the request belongs, None if that is not clear.

        `waiting`: the calls in which just this request is known to come next. Only the UUID goes before that.
        """
        call = self._found(evidence, going_on, waiting)
        self._seen = {known: seen for known, seen in self._seen.items() if known in going_on}
        if call is not None:
            self.remember(call, evidence)
        return call

    def _found(self, evidence: Evidence, going_on: Sequence[_Call], waiting: Sequence[_Call]) -> _Call | None:
        named = [call for call in going_on if self._uuid_of(call) in evidence.uuids]
        if named:
            return _only(named)
        if len(going_on) < 2:
            return _only(going_on)
        going_on = [call for call in going_on if call in waiting] or going_on
        if len(going_on) == 1:
            return going_on[0]
        seen = [(call, self._seen.get(call, _Seen())) for call in going_on]
        named = [call for call, of in seen if self._names_agree(evidence, of) is True]
        if named:
            return _only(named)
        seen = [(call, of) for call, of in seen if self._names_agree(evidence, of) is None]
        if not seen:
            return None
        history = self._by_history(evidence.history, seen)
        if history is not None:
            return history
        fresh = self._fresh(evidence, seen)
        if fresh is not None or self._clients_share:
            return fresh
        return _only([call for call, of in seen if evidence.connection in of.connections])

    def _names_agree(self, evidence: Evidence, seen: _Seen) -> bool | None:
        """Return whether the call has used the names in the request; None if they have no key in common."""
        common = [(key, value) for key, value in evidence.names if key in seen.names and key not in self._changing]
        return all(value in seen.names[key] for key, value in common) if common else None

    @staticmethod
    def _by_history(history: tuple[str, ...], seen: Sequence[tuple[_Call, _Seen]]) -> _Call | None:
        """Return the call of which `history` continues the longest request; None if two calls fit equally."""
        lengths = [
            (max((_continued(history, before) for before in of.histories), default=0), call) for call, of in seen
        ]
        longest = max(length for length, _ in lengths)
        return _only([call for length, call in lengths if length == longest]) if longest else None

    @staticmethod
    def _fresh(evidence: Evidence, seen: Sequence[tuple[_Call, _Seen]]) -> _Call | None:
        """Return the only call that has asked nothing yet, if this request can be none of the others'.

        Those that use another name are out already; the rest are if they all send lists, and this one continues none.
        """
        fresh = [call for call, of in seen if not of.connections]
        others = [of for _, of in seen if of.connections]
        return _only(fresh) if not others or (evidence.history and all(of.histories for of in others)) else None

    def remember(self, call: _Call, evidence: Evidence) -> None:
        """Take the request for one of this call, by which later ones are found."""
        if any(evidence.connection in of.connections for known, of in self._seen.items() if known is not call):
            self._clients_share = True
        seen = self._seen.setdefault(call, _Seen())
        for key, value in evidence.names:
            values = seen.names.setdefault(key, set())
            values.add(value)
            if len(values) > 1:
                self._changing.add(key)
        seen.connections.add(evidence.connection)
        if evidence.history:
            seen.histories = [*seen.histories[-_MOST_HISTORIES + 1 :], evidence.history]


def _plain(key: object) -> str:
    return "".join(c for c in str(key).lower() if c.isalnum())


def _only(calls: Sequence[_Call]) -> _Call | None:
    return calls[0] if len(calls) == 1 else None


def _history(asked: Mapping[str, Any]) -> tuple[str, ...]:
    lists = [value for value in asked.values() if isinstance(value, list) and all(isinstance(e, dict) for e in value)]
    longest = max(lists, key=len, default=[])
    return tuple(json.dumps(entry, sort_keys=True) for entry in longest)


def _continued(history: tuple[str, ...], before: tuple[str, ...]) -> int:
    """Return the length of `before` if `history` continues it, else 0."""
    return len(before) if len(before) < len(history) and history[: len(before)] == before else 0
