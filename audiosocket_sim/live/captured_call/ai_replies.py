"""Turn the cassette into the scenario's `ai:` replies, in the same order. Pure.

If the backend was not captured, its answers are guessed from what the bot was heard to say.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from audiosocket_core.phrase_book.book import normalise
from audiosocket_sim.live.captured_call.bot_hearing import HoldStretch, Sentence
from audiosocket_sim.live.captured_call.model import Answer, CapturedCall, CapturedPush, Exchange
from audiosocket_sim.live.captured_call.text_pairing import Turn
from audiosocket_sim.scenario import format_duration

__all__ = ["Replies", "captured_replies", "guessed_replies", "message_text"]

_STATUSES = ("USER_TURN", "WAITING", "IA_TURN", "STANDBY")
_PLAIN_CONTENT = frozenset({"mensagem", "dados", "valid_for_action", "set_call_status"})
_PLAIN_BODY = frozenset({"content", "timestamp", "set_call_status"})


@dataclass(frozen=True, slots=True)
class Replies:
    """The entries of `ai:`, and descriptions, for people, of what could not be expressed there."""

    replies: tuple[Mapping[str, Any], ...]
    left_out: tuple[str, ...] = ()


def captured_replies(call: CapturedCall) -> Replies:
    """Return every exchange of the call as a reply, with each push attached to the last answer before it.

    An exchange in another protocol is none: the scenario names the whole cassette instead.
    """
    asked = [e for e in call.exchanges if e.raw is None and not _is_redirect(e)]
    left_out: list[str] = []
    if asked and all(e.answer is not None and e.answer.fault == "refused" for e in asked):
        return Replies(({"fault": "refused"},))
    written = [_reply(exchange, call.ending.at_ms) for exchange in asked]
    for push in call.pushes:
        before = [i for i, e in enumerate(asked) if e.answer is not None and e.answer.at_ms <= push.at_ms]
        if push.at_ms >= call.ending.at_ms:
            left_out.append("a push that came after the end of the call")
        elif not before or written[before[-1]].get("fault") == "no_answer":
            left_out.append("a push that came before any answer")
        else:
            _attach_push(written[before[-1]], asked[before[-1]], push, call.pushes)
    return Replies(tuple(written), tuple(left_out))


def guessed_replies(
    call: CapturedCall, understood: Sequence[Turn], sentences: Sequence[Sentence], holds: Sequence[HoldStretch]
) -> Replies:
    """Return one reply for each turn, from the first sentence after it; the status is inferred from what followed.

    A turn after which no sentence was recognised gets no reply.
    """
    written: list[Mapping[str, Any]] = []
    for index, turn in enumerate(understood):
        until = understood[index + 1].at_ms if index + 1 < len(understood) else call.ending.at_ms
        after = [s for s in sentences if turn.at_ms <= s.start_ms < until and s.text is not None]
        last = index + 1 == len(understood)
        status = "STANDBY" if last and call.ending.who == "server" else "USER_TURN"
        if any(turn.at_ms < hold.start_ms < until for hold in holds) and len(after) > 1:
            status = "WAITING"
        if not after:
            continue
        reply: dict[str, Any] = {"hears": turn.text, "says": after[0].text, "set_call_status": status}
        if status == "WAITING":
            reply["then_pushes"] = _guessed_pushes(after, last=last and call.ending.who == "server")
        written.append(reply)
    missing = len(understood) - len(written)
    answers = "1 answer" if missing == 1 else f"{missing} answers"
    left_out = f"{answers} of the backend: no words of the bot were recognised after the question"
    return Replies(tuple(written), (left_out,) if missing else ())


def message_text(body: Mapping[str, Any] | None) -> str | None:
    """Return the `mensagem` of a backend's answer or push, or None if there is none or it is not text."""
    content = None if body is None else body.get("content")
    says = content.get("mensagem") if isinstance(content, Mapping) else None
    return says if isinstance(says, str) else None


def _guessed_pushes(sentences: Sequence[Sentence], *, last: bool) -> list[dict[str, Any]]:
    pushes: list[dict[str, Any]] = []
    for before, sentence in itertools.pairwise(sentences):
        after = max(0, sentence.start_ms - before.start_ms)
        pushes.append({"after": format_duration(after), "says": sentence.text, "set_call_status": "WAITING"})
    if pushes:
        pushes[-1]["set_call_status"] = "STANDBY" if last else "USER_TURN"
    return pushes


def _is_redirect(exchange: Exchange) -> bool:
    status = exchange.answer.http_status if exchange.answer is not None else None
    return status is not None and 300 <= status < 400


def _reply(exchange: Exchange, end_ms: int) -> dict[str, Any]:
    reply: dict[str, Any] = {"hears": exchange.text} if normalise(exchange.text) else {}
    answer = exchange.answer
    if answer is None or answer.fault == "no_answer":
        return {**reply, "fault": "no_answer"}
    after = max(0, answer.at_ms - exchange.at_ms)
    reply["after"] = format_duration(after)
    fault = _fault(answer)
    if fault is not None:
        return {**reply, "fault": fault}
    return {**reply, **_message(answer.body or {})}


def _fault(answer: Answer) -> str | None:
    if answer.fault is not None:
        return "reset"  # "refused" too: a scenario has that fault only for a backend that never answers
    status = answer.http_status or 0
    if status == 404:
        return "http_404"
    if not 200 <= status < 300:
        return "http_500"
    return "invalid_json" if answer.body is None else None


def _message(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body in the scenario's words: `says` and `set_call_status` if they are all of it, else `body`."""
    content, status = body.get("content"), body.get("set_call_status")
    if not _is_plain(body):
        return {"body": dict(body)}
    assert isinstance(content, Mapping)
    message: dict[str, Any] = {"says": content["mensagem"]} if "mensagem" in content else {}
    nested = content.get("set_call_status")
    if status is not None or nested is not None:
        message["set_call_status"] = nested if status is None else status
    if status is None and nested is not None:
        message["nested_status"] = True
    return message


def _is_plain(body: Mapping[str, Any]) -> bool:
    content = body.get("content")
    if not isinstance(content, Mapping) or set(body) - _PLAIN_BODY or set(content) - _PLAIN_CONTENT:
        return False
    both = "set_call_status" in body and "set_call_status" in content
    texts = [content.get("mensagem", ""), body.get("set_call_status", ""), content.get("set_call_status", "")]
    return not both and all(isinstance(text, str) for text in texts) and not content.get("dados")


def _attach_push(reply: dict[str, Any], exchange: Exchange, push: CapturedPush, pushes: Sequence[CapturedPush]) -> None:
    """Add the push to the reply's `then_pushes`; its `after` counts from the push or the answer before it."""
    assert exchange.answer is not None
    attached: list[dict[str, Any]] = reply.setdefault("then_pushes", [])
    before = [p.at_ms for p in pushes if exchange.answer.at_ms <= p.at_ms < push.at_ms]
    sent_at = before[-1] if attached and before else exchange.answer.at_ms
    message = _message(push.body)
    body = message.get("body")
    if body is not None:  # a scenario's push has no `body`: keep the message and the status
        status = body.get("set_call_status")
        message = {} if message_text(body) is None else {"says": message_text(body)}
        message |= {"set_call_status": status} if isinstance(status, str) else {}
    written = {"after": format_duration(push.at_ms - sent_at), **message}
    if push.http_status != 202:
        written["expect_http"] = push.http_status
    attached.append(written)
