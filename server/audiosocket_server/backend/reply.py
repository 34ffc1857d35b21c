"""The AI backend's reply as data: reads the JSON that docs/server.md describes. Pure.

The answer to a question and a message that the backend pushes later have the same form.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

from audiosocket_server.events import CallState

__all__ = ["BackendReply", "ReplyError", "parse_reply", "read_reply"]

MOST_MESSAGE_BYTES = 10_000
"""Of `mensagem`, in UTF-8: ten minutes of speech. A longer text would hold up all calls while it is looked up."""
MOST_DEPTH = 64
"""Of objects and lists. Python reads and writes JSON by recursion, and fails in the midst of it."""
MOST_PARTS = 4_000
"""Brackets and commas outside of texts. Reading ten times as many takes milliseconds, in which no call gets frames."""
MOST_DIGITS = 100
"""Of a number. Reading 1 MB of numbers of thousands of digits takes 20 ms."""

_PART = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[\]{},]', re.DOTALL)  # a text that does not end is one, too
_SENTENCE_END = re.compile(r"[.!?…][\"'”’)\]]{0,3}(?=\s)")


class ReplyError(ValueError):
    """The bytes are no valid reply. The message is one line: where, and what was expected; never what was said."""


@dataclass(frozen=True, slots=True)
class BackendReply:
    """A reply of the backend.

    `message`: the text to say, "" for nothing; `status`: the state that follows; `raw`: the complete JSON object as it
    arrived; `warnings`: one line for each fault that was tolerated.
    """

    message: str
    status: CallState
    raw: Mapping[str, object]
    warnings: tuple[str, ...] = ()


def read_reply(body: bytes) -> BackendReply:
    """Read a reply from JSON in UTF-8, UTF-16 or UTF-32. Raises ReplyError, and nothing else."""
    try:
        text = body.decode(json.detect_encoding(body), "surrogatepass")
    except UnicodeDecodeError:
        raise ReplyError("not valid JSON: not UTF-8 text") from None
    _check_structure(text)
    try:
        answer = json.loads(text, parse_constant=_no_constant, parse_float=_finite, parse_int=_whole)
    except json.JSONDecodeError as error:
        raise ReplyError(f"not valid JSON: {error.msg} (line {error.lineno}, column {error.colno})") from None
    except ValueError as error:  # NaN, or a number that is too large
        raise ReplyError(f"not valid JSON: {error}") from None
    return parse_reply(answer)


def parse_reply(answer: object) -> BackendReply:
    """Read a reply from decoded JSON. Raises ReplyError.

    `set_call_status` at the top level takes precedence over the one inside `content`. If both are missing or null, the
    status is USER_TURN; an unknown value gives USER_TURN and a warning. `mensagem` may be missing, null or blank: then
    the message is empty.
    """
    if not isinstance(answer, dict):
        raise ReplyError(f"expected a JSON object, not {_kind(answer)}")
    if "content" not in answer:
        raise ReplyError("content is missing")
    content = answer["content"]
    if not isinstance(content, dict):
        raise ReplyError(f"content: expected an object, not {_kind(content)}")
    message = content.get("mensagem")
    if message is not None and not isinstance(message, str):
        raise ReplyError(f"content.mensagem: expected text, not {_kind(message)}")
    status, warnings = _status(answer, content)
    text, more_warnings = _shortened(message or "")
    return BackendReply(text, status, answer, (*warnings, *more_warnings))


def _check_structure(text: str) -> None:
    """Raise ReplyError if `text` is nested too deeply or has too many parts. Quick for texts with few of either."""
    if _has_few_brackets(text) and text.count(",") <= MOST_PARTS - MOST_DEPTH:
        return
    depth = parts = 0
    for part in _PART.finditer(text):
        character = text[part.start()]
        depth += (character in "[{") - (character in "]}")
        parts += character in "[{,"
        if depth > MOST_DEPTH:
            raise ReplyError(f"not valid JSON: nested more than {MOST_DEPTH} deep")
        if parts > MOST_PARTS:
            raise ReplyError(f"not valid JSON: more than {MOST_PARTS} values")


def _has_few_brackets(text: str) -> bool:
    """Return True if there are at most `MOST_DEPTH`. To count a million of them would take two milliseconds."""
    found = 0
    for bracket in "[{":
        at = text.find(bracket)
        while at >= 0:
            found += 1
            if found > MOST_DEPTH:
                return False
            at = text.find(bracket, at + 1)
    return True


def _shortened(message: str) -> tuple[str, tuple[str, ...]]:
    """Return the message to say, cut where a sentence ends if it is too long, and a warning if so."""
    start = message[: MOST_MESSAGE_BYTES + 1]
    encoded = start.encode("utf-8", "replace")
    if len(encoded) <= MOST_MESSAGE_BYTES:
        return _clean(message), ()
    start = encoded[:MOST_MESSAGE_BYTES].decode("utf-8", "ignore")
    ends = [end.end() for end in _SENTENCE_END.finditer(start)] or [start.rfind(" ")]
    kept = _clean(start[: ends[-1]] if ends[-1] > 0 else start)
    return kept, (
        f"mensagem of more than {MOST_MESSAGE_BYTES} bytes, cut after {len(kept)} of {len(message)} characters",
    )


def _status(answer: dict[str, object], content: dict[str, object]) -> tuple[CallState, tuple[str, ...]]:
    given = answer.get("set_call_status")
    if given is None:
        given = content.get("set_call_status")
    if given is None:
        return CallState.USER_TURN, ()
    if isinstance(given, str) and given in CallState.__members__:
        return CallState(given), ()
    shown = json.dumps(given)
    shown = shown if len(shown) <= 40 else f"{shown[:39]}…"
    return CallState.USER_TURN, (f"unknown set_call_status {shown}, taken as USER_TURN",)


def _clean(text: str) -> str:
    """Strip blanks, and replace unpaired surrogates, which JSON can hold but UTF-8 cannot."""
    return text.encode("utf-8", "replace").decode("utf-8").strip()


def _finite(text: str) -> float:
    """Read a number. 1e999 would become infinity, which the control API could not send as JSON. Raises ValueError."""
    number = float(text) if len(text) <= MOST_DIGITS else math.inf
    if math.isinf(number):
        raise ValueError("a number is too large")
    return number


def _whole(text: str) -> int:
    if len(text) > MOST_DIGITS:
        raise ValueError("a number is too large")
    return int(text)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_KINDS = {dict: "an object", list: "a list", str: "text", bool: "true or false", int: "a number", float: "a number"}


def _kind(value: object) -> str:
    return _KINDS.get(type(value), "null")
