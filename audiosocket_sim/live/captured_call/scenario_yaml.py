"""Write a scenario as YAML for people: short forms, one line for each step, and explaining comments. Pure."""

import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from audiosocket_sim.live.captured_call.steps import WrittenStep

__all__ = ["scenario_yaml"]

_MODELINE = "yaml-language-server: $schema=./scenario.schema.json"
_LONGEST_COMMENT = 160
_ODD_LINE_BREAKS = "\x85\u2028\u2029"
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")
_QUOTED = frozenset({"dtmf", "version"})


def scenario_yaml(
    summary: str,
    asterisk: Mapping[str, Any],
    line: Mapping[str, Any],
    server: Mapping[str, Any],
    ai: Sequence[Mapping[str, Any]],
    steps: Sequence[WrittenStep],
    *,
    ai_cassette: str | None = None,
    max_duration: str | None = None,
    notes: Sequence[str] = (),
) -> str:
    """The text of the file. The modeline stands above it, by which editors and pytest know it; then `notes`, a comment
    line each."""
    whole = CommentedMap(summary=summary)
    whole["asterisk"] = DoubleQuotedScalarString(asterisk["version"]) if len(asterisk) == 1 else _flow(asterisk)
    whole["line"] = _flow(line)
    if server:
        whole["server"] = _flow(_sendable(server))
    if max_duration is not None:
        whole["max_duration"] = max_duration
    if ai_cassette is not None:
        whole["ai_cassette"] = ai_cassette
    if ai:
        whole["ai"] = CommentedSeq([_reply(_sendable(reply)) for reply in ai])
    written = CommentedSeq()
    for index, step in enumerate(steps):
        written.append(CommentedMap({step.key: _value(step.key, _sendable(step.value)), **step.beside}))
        if comment := _comment(step.comment or ""):
            written.yaml_set_comment_before_after_key(index, before=comment, indent=2)
    whole["steps"] = written
    above = [comment for note in notes if (comment := _comment(note))]
    whole.yaml_set_start_comment("\n".join([_MODELINE, *above]))
    return _dumped(whole)


def _sendable(value: Any) -> Any:
    """With U+FFFD for each half of a character: JSON can hold one, and nobody can send it, nor a scenario hold it."""
    if isinstance(value, str):
        return _HALF_CHARACTER.sub("\N{REPLACEMENT CHARACTER}", value)
    if isinstance(value, Mapping):
        return {_sendable(key): _sendable(inner) for key, inner in value.items()}
    return [_sendable(inner) for inner in value] if isinstance(value, list) else value


def _value(key: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return _flow(value)
    return DoubleQuotedScalarString(value) if key in _QUOTED else value


def _flow(value: Any) -> Any:
    """Return `value` with all its mappings, nested ones too, in YAML's flow style: on one line."""
    if not isinstance(value, Mapping):
        return value
    flow = CommentedMap({key: _value(key, inner) for key, inner in value.items()})
    flow.fa.set_flow_style()
    return flow


def _reply(reply: Mapping[str, Any]) -> CommentedMap:
    written = CommentedMap(reply)
    if "body" in written:
        written["body"] = _flow(written["body"])
    if "then_pushes" in written:
        written["then_pushes"] = CommentedSeq([CommentedMap(push) for push in written["then_pushes"]])
    return written


def _comment(text: str) -> str:
    """Return `text` as one line of printable characters, cut to `_LONGEST_COMMENT`."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= _LONGEST_COMMENT else line[: _LONGEST_COMMENT - 1] + "…"


def _quoted(node: Any) -> None:
    """Quote, in place, the texts with an unusual line break: ruamel writes it unquoted, and a YAML reader drops it.

    A `${` that somebody said is no variable of the scenario: it is written `$${`.
    """
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in list(items):
        if isinstance(value, str) and "${" in value:
            node[key] = value = type(value)(value.replace("${", "$${"))
        if isinstance(value, str) and any(c in value for c in _ODD_LINE_BREAKS):
            node[key] = DoubleQuotedScalarString(value)
        else:
            _quoted(value)


def _dumped(whole: CommentedMap) -> str:
    _quoted(whole)
    yaml = YAML()
    yaml.allow_unicode = True
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    text = io.StringIO()
    yaml.dump(whole, text)
    return text.getvalue()
