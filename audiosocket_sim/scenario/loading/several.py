"""Takes a scenario with `callers` or `then` apart: a tree for each call, as if it were the only one. Pure.

What a caller does not say himself is what the scenario has for all, joined key by key; each part keeps its place.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from audiosocket_sim.scenario import Scenario
from audiosocket_sim.scenario.callers import (
    CALLERS,
    MOST_AT_ONCE,
    MOST_CALLS,
    NAME,
    OF_A_CALLER,
    OWN_KEYS,
    SECOND_RUN,
    THEN,
    CallerPlace,
)
from audiosocket_sim.scenario.fields import parse_duration_ms
from audiosocket_sim.scenario.loading.merging import merged
from audiosocket_sim.scenario.loading.yaml_tree import MalformedYaml, Place, Tree
from audiosocket_sim.scenario.written import KeyPath

__all__ = ["CallTree", "calls_in", "with_voice"]

_LONGEST_SHOWN = 60
_MOST_VALUES = 200_000
_TOO_LARGE = f"more than {_MOST_VALUES} values together: make fewer, or several files"
_SCENARIO_KEYS = tuple(info.alias or name for name, info in Scenario.model_fields.items() if not info.exclude)


@dataclass(frozen=True, slots=True)
class CallTree:
    """One call of several: its tree, laid out as that of a scenario with this call only, and which one it is.

    `at`: where its caller is written.
    """

    tree: Tree
    caller: CallerPlace
    at: Place


@dataclass(slots=True)
class _Reader:
    main: Tree
    calls: list[CallTree] = field(default_factory=list)
    problems: list[tuple[Place, str]] = field(default_factory=list)
    names: dict[str, Place] = field(default_factory=dict)
    n_values: int = 0

    def fail(self, path: KeyPath, message: str, *, of_key: bool = False) -> None:
        self.problems.append((self.main.place(path, of_key=of_key), message))


def calls_in(main: Tree) -> tuple[list[CallTree], list[tuple[Place, str]]]:
    """Return the calls of a scenario with `callers` or `then`, in the order in which they are written, and what is
    wrong with these keys; no calls for any other scenario. Raises MalformedYaml if they are too large together."""
    if not isinstance(main.data, dict) or not (CALLERS in main.data or THEN in main.data):
        return [], []
    reader = _Reader(main)
    base = _without(main, (CALLERS, THEN))
    if CALLERS in main.data:
        _at_once(reader, base, (CALLERS,), 0)
    else:
        _add(reader, base, CallerPlace(_next_name(reader)), main.place(()))
    for group, path in enumerate(_items_of_then(reader), 1):
        item = _at(main.data, path)
        if not _is_caller(reader, path, item):
            continue
        if CALLERS in item:
            _refuse_own_keys(reader, path, item)
            own = _without(_part(main, path), (CALLERS, *OWN_KEYS))
            _at_once(reader, _joined(base, own), (*path, CALLERS), group)
        else:
            _one(reader, base, path, item, group)
    if len(reader.calls) > MOST_CALLS:
        reader.fail((), f"{len(reader.calls)} calls: at most {MOST_CALLS} are taken")
    _check_unused_steps(reader)
    return reader.calls, reader.problems


def with_voice(tree: Tree) -> Tree:
    """Return the tree with the scenario's `voice` at each text that the caller says and that names none."""
    voice = tree.data.get("voice") if isinstance(tree.data, dict) else None
    if isinstance(voice, str):
        place = tree.place(("voice",))
        made = Tree(problems=tree.problems, values=dict(tree.values), keys=dict(tree.keys))
        made.data = {**tree.data, "steps": _spoken(made, tree.data.get("steps"), ("steps",), voice, place)}
        return made
    return tree


def _spoken(made: Tree, value: Any, path: KeyPath, voice: str, place: Place) -> Any:
    if isinstance(value, list):
        return [_spoken(made, item, (*path, index), voice, place) for index, item in enumerate(value)]
    if not isinstance(value, dict):
        return value
    result = {key: _spoken(made, inner, (*path, key), voice, place) for key, inner in value.items()}
    say = value.get("say")
    if isinstance(say, dict) and "text" in say and "file" not in say and "voice" not in say:
        result["say"] = {**say, "voice": voice}
        made.values[*path, "say", "voice"] = made.keys[*path, "say", "voice"] = place
    return result


def _at_once(reader: _Reader, base: Tree, path: KeyPath, group: int) -> None:
    """Read the callers of one group: a list of them, or their number."""
    value = _at(reader.main.data, path)
    if isinstance(value, int) and not isinstance(value, bool):
        if not 1 <= value <= MOST_AT_ONCE:
            reader.fail(path, f"{CALLERS}: from 1 to {MOST_AT_ONCE} at a time, not {value}")
            return
        for _ in range(value):
            _add(reader, base, CallerPlace(_next_name(reader), group), reader.main.place(path))
    elif not isinstance(value, list) or not value:
        what = "a mapping" if isinstance(value, dict) else _shown(value)
        reader.fail(path, f"{CALLERS}: needs a list of callers (lines that begin with `- `), or how many, not {what}")
    elif len(value) > MOST_AT_ONCE:
        reader.fail(path, f"{CALLERS}: at most {MOST_AT_ONCE} at a time, not {len(value)}")
    else:
        for index, item in enumerate(value):
            if _is_caller(reader, (*path, index), item):
                _one(reader, base, (*path, index), item, group)


def _items_of_then(reader: _Reader) -> list[KeyPath]:
    if THEN not in reader.main.data:
        return []
    value = reader.main.data[THEN]
    if isinstance(value, dict):
        return [(THEN,)]
    if not isinstance(value, list) or not value:
        reader.fail((THEN,), f"{THEN}: needs a caller (a mapping), or a list of them, not {_shown(value)}")
        return []
    if len(value) > MOST_CALLS:
        reader.fail((THEN,), f"{THEN}: at most {MOST_CALLS} after one another, not {len(value)}")
        return []
    return [(THEN, index) for index in range(len(value))]


def _is_caller(reader: _Reader, path: KeyPath, item: object) -> bool:
    if not isinstance(item, dict):
        reader.fail(path, f"a caller is a mapping, such as {{name: ana, steps: […]}}, not {_shown(item)}")
        return False
    takes = (*OWN_KEYS, *OF_A_CALLER, *((CALLERS,) if path[0] == THEN and CALLERS not in path else ()))
    for key in [key for key in item if key not in takes]:
        reader.fail((*path, key), _unknown(key, takes), of_key=True)
        del item[key]
    return True


def _unknown(key: str, takes: tuple[str, ...]) -> str:
    if key in _SCENARIO_KEYS:
        return f"{key}: is the same for all calls: it belongs to the scenario, and not to a caller"
    near = get_close_matches(key, takes, n=1)
    return f"unknown key {key!r}; " + (f"did you mean {near[0]!r}?" if near else f"a caller has {', '.join(takes)}")


def _refuse_own_keys(reader: _Reader, path: KeyPath, item: Mapping[str, Any]) -> None:
    for key in OWN_KEYS:
        if key in item:
            reader.fail((*path, key), f"{key}: belongs to each of the {CALLERS} here", of_key=True)


def _one(reader: _Reader, base: Tree, path: KeyPath, item: Mapping[str, Any], group: int) -> None:
    """Read one caller who is a mapping."""
    name = _name(reader, path, item) if "name" in item else _next_name(reader)
    tree = _joined(base, _without(_part(reader.main, path), OWN_KEYS))
    if "uuid" in item:
        tree = merged(tree, _uuid_of(reader.main, path, item["uuid"]))
    starts_ms = 0
    if "starts" in item:
        try:
            starts_ms = parse_duration_ms(item["starts"])
        except ValueError as error:
            reader.fail((*path, "starts"), f"starts: {error}")
    _add(reader, tree, CallerPlace(name, group, starts_ms), reader.main.place(path))


def _joined(base: Tree, own: Tree) -> Tree:
    """Return what is for all with a caller's own laid over it. Of `ai` and `ai_cassette` his own replaces the other."""
    for key, other in (("ai", "ai_cassette"), ("ai_cassette", "ai")):
        if key in own.data and other not in own.data:
            base = _without(base, (other,))
    return merged(base, own)


def _add(reader: _Reader, tree: Tree, caller: CallerPlace, at: Place) -> None:
    """Add a call. Raises MalformedYaml if all calls together are too large."""
    reader.n_values += len(tree.values)
    if reader.n_values > _MOST_VALUES:
        raise MalformedYaml(at, f"{len(reader.calls) + 1} calls with {_TOO_LARGE}")
    reader.names[caller.name.casefold()] = at
    reader.calls.append(CallTree(tree, caller, at))


def _name(reader: _Reader, path: KeyPath, item: Mapping[str, Any]) -> str:
    name = item["name"]
    if not isinstance(name, str) or not NAME.fullmatch(name):
        reader.fail((*path, "name"), f"name: up to 30 letters, digits, _ and -, such as ana, not {_shown(name)}")
        return _next_name(reader)
    if name.casefold() == SECOND_RUN:
        reader.fail((*path, "name"), f"name: {name!r} is the folder of a run that is made again: choose another")
        return _next_name(reader)
    if name.casefold() in reader.names:
        first = reader.names[name.casefold()].line
        reader.fail((*path, "name"), f"name: {name!r} is here twice (first in line {first}): each caller has his own")
        return _next_name(reader)
    return name


def _next_name(reader: _Reader) -> str:
    """The name of a caller who has none: his number among all calls."""
    number = len(reader.calls) + 1
    while f"call-{number}" in reader.names:
        number += 1
    return f"call-{number}"


def _check_unused_steps(reader: _Reader) -> None:
    """Report steps for all callers where each has his own."""
    main = reader.main
    if CALLERS not in main.data or "steps" not in main.data or not reader.calls:
        return
    shared = main.place(("steps",), of_key=True)
    if all(call.tree.keys.get(("steps",)) != shared for call in reader.calls):
        reader.fail(("steps",), "steps: are nobody's: every caller has his own", of_key=True)


def _uuid_of(main: Tree, path: KeyPath, uuid: Any) -> Tree:
    place = main.place((*path, "uuid"))
    at: dict[KeyPath, Place] = {("asterisk",): place, ("asterisk", "uuid"): place}
    return Tree({"asterisk": {"uuid": uuid}}, values=dict(at), keys=dict(at))


def _part(tree: Tree, path: KeyPath) -> Tree:
    """Return the part of a tree below a path, as a tree of its own."""
    length = len(path)
    return Tree(
        _at(tree.data, path),
        values={at[length:]: place for at, place in tree.values.items() if at[:length] == path},
        keys={at[length:]: place for at, place in tree.keys.items() if at[:length] == path and len(at) > length},
    )


def _without(tree: Tree, keys: tuple[str, ...]) -> Tree:
    """Return a tree of a mapping without some of its keys."""
    return Tree(
        {key: value for key, value in tree.data.items() if key not in keys},
        values={at: place for at, place in tree.values.items() if not at or at[0] not in keys},
        keys={at: place for at, place in tree.keys.items() if not at or at[0] not in keys},
    )


def _at(data: Any, path: KeyPath) -> Any:
    for part in path:
        data = data[part]
    return data


def _shown(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    return repr(value)[:_LONGEST_SHOWN]
