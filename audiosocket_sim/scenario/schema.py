"""The JSON Schema of a scenario, for editors: completion, descriptions, squiggles while one types.

It takes both the short and the long forms. `scenarios/scenario.schema.json` is this, written out; a test keeps it so.
What it accepts is a little more than the loader does: checks across keys are the loader's alone.
"""

import json
from typing import Any

from audiosocket_sim.scenario.expectations import EXPECTATION_KEYS
from audiosocket_sim.scenario.fields import DURATION_PATTERN, format_duration
from audiosocket_sim.scenario.model import Scenario

__all__ = ["schema", "schema_text"]

_HOLDS_ONE_EXPECTATION = ("Within", "Never")


def schema() -> dict[str, Any]:
    """As data, ready for `json.dumps`."""
    made = Scenario.model_json_schema(by_alias=True)
    for name in _HOLDS_ONE_EXPECTATION:
        made["$defs"][name]["oneOf"] = [{"required": [key]} for key in EXPECTATION_KEYS]
    tidy: dict[str, Any] = _tidy(made)
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "A scenario of audiosocket_sim: one phone call as a test",
        "description": tidy.pop("description"),
        # draft 7, which is what editors know best, keeps its parts under `definitions`
        "definitions": tidy.pop("$defs"),
        **tidy,
    }


def schema_text() -> str:
    """As it stands in `scenarios/scenario.schema.json`."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def _tidy(node: Any, *, is_names: bool = False) -> Any:
    """Without pydantic's titles and nulls; default durations as one writes them.

    `is_names`: the node maps names of keys (or of definitions) to schemas, so `title` would be such a name.
    """
    if isinstance(node, list):
        return [_tidy(item) for item in node]
    if not isinstance(node, dict):
        return node
    if is_names:
        return {name: _tidy(value) for name, value in node.items()}
    node = _without_null(node)
    result: dict[str, Any] = {}
    for key, value in node.items():
        if key == "title" or (key == "default" and _says_nothing(value)):
            continue
        if key == "$ref":
            result[key] = value.replace("#/$defs/", "#/definitions/")
        else:
            result[key] = _tidy(value, is_names=key in ("properties", "$defs"))
    if isinstance(default := result.get("default"), int) and _is_duration(result):
        result["default"] = format_duration(default)
    return result


def _is_duration(node: dict[str, Any]) -> bool:
    choices = [node, *(choice for choice in node.get("anyOf", []) if isinstance(choice, dict))]
    return any(choice.get("pattern") == DURATION_PATTERN for choice in choices)


def _without_null(node: dict[str, Any]) -> dict[str, Any]:
    """`anyOf: [x, null]` is only «may be left out» in a file: the key's schema is then x itself."""
    choices = node.get("anyOf")
    if not isinstance(choices, list) or {"type": "null"} not in choices:
        return node
    choices = [choice for choice in choices if choice != {"type": "null"}]
    rest = {key: value for key, value in node.items() if key != "anyOf"}
    return {**rest, "anyOf": choices} if len(choices) > 1 else {**rest, **choices[0]}


def _says_nothing(default: Any) -> bool:
    """Defaults that an editor should not offer: nothing, empty, or a whole part written out."""
    return default is None or isinstance(default, dict | list | tuple)
