"""The JSON Schema of a scenario, for editors: completion, descriptions, and errors while one types.

It accepts both the short and the long forms. `scenarios/scenario.schema.json` holds its text; a test keeps the two
equal. It accepts a little more than the loader does: only the loader checks keys against each other.
"""

import json
from typing import Any

from audiosocket_sim.scenario.callers import CALLERS, MOST_AT_ONCE, MOST_CALLS, OF_A_CALLER, THEN
from audiosocket_sim.scenario.expectations import EXPECT_KEYS, NEVER_KEYS
from audiosocket_sim.scenario.fields import DURATION_PATTERN, format_duration
from audiosocket_sim.scenario.model import Scenario
from audiosocket_sim.scenario.step_models import IncludeStep
from audiosocket_sim.scenario.written import NAME_PATTERN

__all__ = ["schema", "schema_text"]

_VARIABLE = "Variable"
_CALLER, _NEXT_CALLER = "Caller", "NextCaller"
_HOLDS_ONE_EXPECTATION = {"Within": EXPECT_KEYS, "Never": NEVER_KEYS}


def schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 7) as data that `json.dumps` can write."""
    made = Scenario.model_json_schema(by_alias=True)
    for name, keys in _HOLDS_ONE_EXPECTATION.items():
        made["$defs"][name]["oneOf"] = [{"required": [key]} for key in keys]
    made["$defs"][IncludeStep.__name__] = IncludeStep.model_json_schema(by_alias=True)
    _let_include(made)
    _let_several_call(made)
    tidy: dict[str, Any] = _tidy(made)
    tidy["properties"] = _with_variables(tidy["properties"])
    for table in tidy["$defs"].values():
        if "properties" in table:
            table["properties"] = _with_variables(table["properties"])
    tidy["$defs"][_VARIABLE] = {
        "description": "a variable of for_each, alone or within a text",
        "type": "string",
        "pattern": rf"\$\{{{NAME_PATTERN}\}}",
    }
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "A scenario of audiosocket_sim: a phone call, or several, as a test",
        "description": tidy.pop("description"),
        # draft 7, which is what editors know best, keeps its parts under `definitions`
        "definitions": tidy.pop("$defs"),
        **tidy,
    }


def schema_text() -> str:
    """Return the JSON Schema as the text of `scenarios/scenario.schema.json`."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def _tidy(node: Any, *, is_names: bool = False) -> Any:
    """Return the schema without pydantic's titles and nulls, and with default durations as one writes them.

    `is_names`: the node maps names of keys (or of definitions) to schemas, so `title` in it is such a name.
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


def _let_include(node: Any) -> None:
    """Add, in place, the step `include` to every list of the kinds of steps."""
    if isinstance(node, dict):
        if {"$ref": "#/$defs/SayStep"} in node.get("oneOf", ()):
            node["oneOf"].append({"$ref": f"#/$defs/{IncludeStep.__name__}"})
        node = list(node.values())
    for inner in node if isinstance(node, list) else ():
        _let_include(inner)


def _let_several_call(made: dict[str, Any]) -> None:
    """Add, in place, what stands below `callers` and `then`: for a caller most keys of a scenario, and some more."""
    own: dict[str, Any] = {
        "name": {
            "description": "of the caller; his number otherwise",
            "type": "string",
            "minLength": 1,
            "maxLength": 30,
        },
        "uuid": {"description": "of his call; made from the names otherwise", "type": "string"},
        "starts": {
            "description": "how long after the others he dials",
            "type": "string",
            "pattern": DURATION_PATTERN,
            "default": "0ms",
        },
    }
    properties = made["properties"]
    own |= {key: properties[key] for key in OF_A_CALLER}
    one = {"type": "object", "additionalProperties": False}
    made["$defs"][_CALLER] = {"description": "One of several callers.", **one, "properties": own}
    many = {"type": "array", "items": {"$ref": f"#/$defs/{_CALLER}"}, "minItems": 1, "maxItems": MOST_AT_ONCE}
    number = {"type": "integer", "minimum": 1, "maximum": MOST_AT_ONCE}
    callers = {"description": properties[CALLERS]["description"], "anyOf": [many, number]}
    what = "Who calls next; with `callers`, several at a time."
    made["$defs"][_NEXT_CALLER] = {"description": what, **one, "properties": {**own, CALLERS: callers}}
    following = {"$ref": f"#/$defs/{_NEXT_CALLER}"}
    after_one_another = {"type": "array", "items": following, "minItems": 1, "maxItems": MOST_CALLS}
    properties[CALLERS] = callers
    properties[THEN] = {"description": properties[THEN]["description"], "anyOf": [following, after_one_another]}
    made["required"].remove("steps")
    made["anyOf"] = [{"required": ["steps"]}, {"required": [CALLERS]}]


def _with_variables(properties: dict[str, Any]) -> dict[str, Any]:
    """Return the properties of one table, where each value and each item of a list may be a variable of `for_each`."""
    return {
        key: value if key == "for_each" else _or_variable(_with_variable_items(value))
        for key, value in properties.items()
    }


def _with_variable_items(node: dict[str, Any]) -> dict[str, Any]:
    if node.get("type") == "array" and "items" in node:
        return {**node, "items": _or_variable(_with_variable_items(node["items"]))}
    choices = node.get("anyOf")
    return node if choices is None else {**node, "anyOf": [_with_variable_items(choice) for choice in choices]}


def _or_variable(node: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a value that may be a variable too; what is said of it stays outside."""
    if _takes_any_text(node):
        return node
    variable = {"$ref": f"#/definitions/{_VARIABLE}"}
    for several in ("anyOf", "oneOf"):
        if several in node:
            return {**node, several: [*node[several], variable]}
    outside: dict[str, Any] = {key: node[key] for key in ("description", "default") if key in node}
    inside = {key: value for key, value in node.items() if key not in outside}
    return {**outside, "anyOf": [inside, variable]}


def _takes_any_text(node: dict[str, Any]) -> bool:
    choices = [choice for key in ("anyOf", "oneOf") for choice in node.get(key, ())]
    if choices:
        return any(_takes_any_text(choice) for choice in choices)
    return not node.keys() - {"description", "default"} or (
        node.get("type") == "string" and not node.keys() & {"pattern", "enum"}
    )


def _is_duration(node: dict[str, Any]) -> bool:
    choices = [node, *(choice for choice in node.get("anyOf", []) if isinstance(choice, dict))]
    return any(choice.get("pattern") == DURATION_PATTERN for choice in choices)


def _without_null(node: dict[str, Any]) -> dict[str, Any]:
    """Replace `anyOf: [x, null]` by x: in a file, the alternative null only means that the key may be left out."""
    choices = node.get("anyOf")
    if not isinstance(choices, list) or {"type": "null"} not in choices:
        return node
    choices = [choice for choice in choices if choice != {"type": "null"}]
    rest = {key: value for key, value in node.items() if key != "anyOf"}
    return {**rest, "anyOf": choices} if len(choices) > 1 else {**rest, **choices[0]}


def _says_nothing(default: Any) -> bool:
    """Whether an editor should not offer this default: null, an empty value, or a whole part written out."""
    return default is None or isinstance(default, dict | list | tuple)
