"""What the AI backend says, as data: the reply JSON of docs/server.md, read from its bytes. Pure.

The same reading serves the answer to a question and a message that the backend pushes later.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

from audiosocket_server.events import CallState

__all__ = ["BackendReply", "ReplyError", "parse_reply", "read_reply"]


class ReplyError(ValueError):
    """The bytes are no reply. The message is one line: where, and what was expected; never what the caller said."""


@dataclass(frozen=True, slots=True)
class BackendReply:
    """`message` is what to say, "" for nothing; `status` what comes after it; `raw` the whole answer as it came;
    `warnings` one line for each thing that was off and has been passed over."""

    message: str
    status: CallState
    raw: Mapping[str, object]
    warnings: tuple[str, ...] = ()


def read_reply(body: bytes) -> BackendReply:
    """JSON in UTF-8 (or 16, or 32) -> Reply. Raises ReplyError and nothing else."""
    try:
        answer = json.loads(body, parse_constant=_no_constant, parse_float=_finite)
    except json.JSONDecodeError as error:
        raise ReplyError(f"not valid JSON: {error.msg} (line {error.lineno}, column {error.colno})") from None
    except UnicodeDecodeError:
        raise ReplyError("not valid JSON: not UTF-8 text") from None
    except (ValueError, RecursionError) as error:  # NaN; a number of thousands of digits; nested too deep
        raise ReplyError(f"not valid JSON: {error}") from None
    return parse_reply(answer)


def parse_reply(answer: object) -> BackendReply:
    """The decoded JSON -> Reply. Raises ReplyError.

    `set_call_status` at the top level wins over the one inside `content`; null is absent; absent is USER_TURN; an
    unknown value is USER_TURN with a warning. `mensagem` missing, null or blank is an empty message.
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
    return BackendReply(_clean(message or ""), status, answer, warnings)


def _status(answer: dict[str, object], content: dict[str, object]) -> tuple[CallState, tuple[str, ...]]:
    told = answer.get("set_call_status")
    if told is None:
        told = content.get("set_call_status")
    if told is None:
        return CallState.USER_TURN, ()
    if isinstance(told, str) and told in CallState.__members__:
        return CallState(told), ()
    shown = json.dumps(told)
    shown = shown if len(shown) <= 40 else f"{shown[:39]}…"
    return CallState.USER_TURN, (f"unknown set_call_status {shown}, taken as USER_TURN",)


def _clean(text: str) -> str:
    """Without blanks around it, and without halves of surrogate pairs, which JSON can hold and UTF-8 cannot."""
    return text.encode("utf-8", "replace").decode("utf-8").strip()


def _finite(text: str) -> float:
    """1e999 would become an infinity, which the control API could not tell as JSON."""
    number = float(text)
    if math.isinf(number):
        raise ValueError("a number is too large")
    return number


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_KINDS = {dict: "an object", list: "a list", str: "text", bool: "true or false", int: "a number", float: "a number"}


def _kind(value: object) -> str:
    return _KINDS.get(type(value), "null")
