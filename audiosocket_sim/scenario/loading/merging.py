"""Lays one part of a scenario over another, key by key, with the places where each was written. Pure."""

from typing import Any

from audiosocket_sim.scenario.loading.yaml_tree import Tree
from audiosocket_sim.scenario.short_forms import short_form_key
from audiosocket_sim.scenario.written import KeyPath

__all__ = ["merged"]


def merged(base: Tree, over: Tree) -> Tree:
    """Return `base` with `over` laid over it. Mappings are joined key by key; any other value of `over` replaces.

    A single value that stands for a mapping (`asterisk: "22.10"`) counts as that mapping where the other side is one.
    """
    made = Tree(problems=[*base.problems, *over.problems])
    made.data = _join(made, base, base.data, over, over.data, ())
    return made


def _join(made: Tree, base: Tree, low: Any, over: Tree, high: Any, path: KeyPath) -> Any:
    if isinstance(low, dict) != isinstance(high, dict):
        key = short_form_key(path)
        if key is not None and _is_single(low):
            low = _long(base, low, path, key)
        elif key is not None and _is_single(high):
            high = _long(over, high, path, key)
    if not (isinstance(low, dict) and isinstance(high, dict)):
        return _copy(made, over, high, path)
    _note(made, over if path in over.values else base, path)
    result = {}
    for key in [*low, *(key for key in high if key not in low)]:
        here = (*path, key)
        if key in low and key in high:
            result[key] = _join(made, base, low[key], over, high[key], here)
        else:
            source, value = (over, high[key]) if key in high else (base, low[key])
            result[key] = _copy(made, source, value, here)
    return result


def _is_single(value: object) -> bool:
    return isinstance(value, str | int | float)


def _long(tree: Tree, value: Any, path: KeyPath, key: str) -> dict[str, Any]:
    """Return the long form of a single value, and note its place in the tree."""
    tree.values[*path, key] = tree.keys[*path, key] = tree.place(path)
    return {key: value}


def _copy(made: Tree, source: Tree, value: Any, path: KeyPath) -> Any:
    _note(made, source, path)
    if isinstance(value, dict):
        return {key: _copy(made, source, inner, (*path, key)) for key, inner in value.items()}
    if isinstance(value, list):
        return [_copy(made, source, inner, (*path, index)) for index, inner in enumerate(value)]
    return value


def _note(made: Tree, source: Tree, path: KeyPath) -> None:
    if path in source.values:
        made.values[path] = source.values[path]
    if path in source.keys:
        made.keys[path] = source.keys[path]
