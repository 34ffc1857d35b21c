"""A captured AI backend of any protocol: its raw answers in the order of the call, as `ai_cassette` names them. Pure.

`cassette_text` writes the file and `read_cassette` reads it. Neither knows the protocol. Only `question_words` and
`answer_words` look into the JSON, for people: they know the usual shapes, and return "" for all others.
"""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

__all__ = [
    "RawAnswer",
    "RawExchange",
    "answer_words",
    "cassette_entry",
    "question_words",
    "raw_exchange",
    "read_cassette",
]

_WORD_KEYS = ("content", "text", "message", "utterance", "transcript", "query", "question", "input")
_ANSWER_KEYS = ("answer", "reply", "response", "text", "message", "content", "output", "says", "say", "mensagem")
_EVENT_DATA = "data:"

RawFault = Literal["no_answer", "reset", "refused"]


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """An answer as it came: the pieces of its body with their times in ms since the question, or a `fault`.

    `at_ms`: when its headers came, in ms since the question.
    """

    at_ms: int
    http_status: int = 200
    content_type: str = ""
    pieces: tuple[tuple[int, bytes], ...] = ()
    fault: RawFault | None = None

    @property
    def body(self) -> bytes:
        """All pieces in one."""
        return b"".join(piece for _, piece in self.pieces)


@dataclass(frozen=True, slots=True)
class RawExchange:
    """A request to the backend, and its answer; None if the call was over before one came. `path` has its query.

    `conversation`: the UUID of its call, or the caller's name; "" if it is not said. `number`: its place in the file,
    from 1; 0 if it is in none.
    """

    method: str
    path: str
    body: bytes
    answer: RawAnswer | None = None
    conversation: str = ""
    number: int = field(default=0, compare=False)


def cassette_entry(exchange: RawExchange) -> dict[str, Any]:
    """Return the exchange as JSON. A body stands there as `json` where it is JSON, else as `text`, else as `base64`."""
    of = {"conversation": exchange.conversation} if exchange.conversation else {}
    request = {**of, "request": {"method": exchange.method, "path": exchange.path, **_written(exchange.body)}}
    answer = exchange.answer
    if answer is None:
        return {**request, "answer": None}
    if answer.fault is not None:
        return {**request, "answer": {"after_ms": answer.at_ms, "fault": answer.fault}}
    written: dict[str, Any] = {"after_ms": answer.at_ms, "http_status": answer.http_status}
    written["content_type"] = answer.content_type
    if len(answer.pieces) > 1:
        written["pieces"] = [{"after_ms": at, **_written(piece, as_json=False)} for at, piece in answer.pieces]
    else:
        written |= _written(answer.body)
    return {**request, "answer": written}


def read_cassette(text: str) -> tuple[RawExchange, ...]:
    """Return the raw exchanges of a cassette's text. Raises ValueError with a line for people."""
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not JSON: {error}") from None
    entries = whole.get("exchanges") if isinstance(whole, dict) else None
    if not isinstance(entries, list) or not entries:
        raise ValueError("expected a cassette of `capture`, with `exchanges` in it")
    read = []
    for number, entry in enumerate(entries, 1):
        try:
            read.append(replace(raw_exchange(entry), number=number))
        except (KeyError, TypeError, ValueError, AttributeError, binascii.Error):
            raise ValueError(f"exchange {number} has no request and answer as `capture` writes them") from None
    return tuple(read)


def question_words(body: bytes) -> str:
    """Return what the caller said, from a request of a usual shape; "" if it is not clear.

    The shapes: a list `messages` whose last entry is the user's (chat completions), and one text of a usual name.
    """
    asked = _parsed(body)
    if not isinstance(asked, Mapping):
        return ""
    messages = asked.get("messages")
    if isinstance(messages, list) and messages:
        last = messages[-1]
        is_users = isinstance(last, Mapping) and last.get("role") == "user"
        return _text_of(last.get("content")) if is_users else ""
    found = [asked[key] for key in _WORD_KEYS if isinstance(asked.get(key), str)]
    return found[0] if len(found) == 1 else ""


def answer_words(body: bytes) -> str:
    """Return what the backend said, from an answer of a usual shape; "" if it is not clear.

    The shapes: chat completions, whole or as a stream of events (OpenAI's, Anthropic's), and one text of a usual name.
    """
    whole = _parsed(body)
    if whole is not None:
        return _said(whole).strip()
    lines = body.decode("utf-8", "replace").splitlines()
    events = [line[len(_EVENT_DATA) :].strip() for line in lines if line.startswith(_EVENT_DATA)]
    return "".join(_said(_parsed(event.encode())) for event in events).strip()


def _said(answer: Any) -> str:
    if not isinstance(answer, Mapping):
        return ""
    choices = answer.get("choices")
    if isinstance(choices, list):
        first = choices[0] if choices and isinstance(choices[0], Mapping) else {}
        message = first.get("message") or first.get("delta") or {}
        return _text_of(message.get("content")) if isinstance(message, Mapping) else ""
    delta = answer.get("delta")
    if isinstance(delta, Mapping):
        return _text_of(delta.get("text"))
    texts = (_text_of(answer.get(key)) for key in _ANSWER_KEYS)
    return next((text for text in texts if text), "")


def _text_of(content: Any) -> str:
    """Return a text, or the `text` of each part of a list."""
    if isinstance(content, str):
        return content
    parts: Sequence[Any] = content if isinstance(content, list) else ()
    texts = (part.get("text") for part in parts if isinstance(part, Mapping))
    return " ".join(text for text in texts if isinstance(text, str))


def raw_exchange(entry: Any) -> RawExchange:
    """Return the exchange of an entry that `cassette_entry` wrote. Raises LookupError, TypeError or ValueError."""
    request, answer = entry["request"], entry["answer"]
    of = entry.get("conversation", "")
    if not isinstance(of, str):
        raise TypeError(of)
    return RawExchange(str(request["method"]), str(request["path"]), _body(request), _answer(answer), of)


def _answer(answer: Any) -> RawAnswer | None:
    if answer is None:
        return None
    at_ms = int(answer["after_ms"])
    fault = answer.get("fault")
    if fault is not None:
        if fault not in ("no_answer", "reset", "refused"):
            raise ValueError(fault)
        return RawAnswer(at_ms, fault=fault)
    pieces = answer.get("pieces")
    if pieces is None:
        found: tuple[tuple[int, bytes], ...] = ((at_ms, _body(answer)),)
    else:
        found = tuple((int(piece["after_ms"]), _body(piece)) for piece in pieces)
    return RawAnswer(at_ms, int(answer["http_status"]), str(answer.get("content_type", "")), found)


def _written(body: bytes, *, as_json: bool = True) -> dict[str, Any]:
    if not body:
        return {}
    parsed = _parsed(body) if as_json else None
    if isinstance(parsed, dict | list):
        return {"json": parsed}
    try:
        return {"text": body.decode("utf-8")}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(body).decode("ascii")}


def _body(entry: Mapping[str, Any]) -> bytes:
    if "json" in entry:
        return json.dumps(entry["json"], ensure_ascii=False).encode("utf-8", "backslashreplace")
    if "base64" in entry:
        return base64.b64decode(entry["base64"], validate=True)
    return str(entry.get("text", "")).encode("utf-8", "backslashreplace")


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")
