"""`cassette.json`: what the AI backend was asked and what it answered, whole and in order. Pure; times are ms."""

import json
from typing import Any

from audiosocket_sim.live.captured_call.model import Answer, CapturedCall

__all__ = ["cassette"]

_VERSION = 1


def cassette(call: CapturedCall) -> str:
    """The text of the file: exchanges and pushes, `at_ms` since the UUID, bodies as they were."""
    exchanges = [
        {
            "at_ms": exchange.at_ms,
            "id": exchange.conversation_id,
            "content": exchange.text,
            "answer": None if exchange.answer is None else _answer(exchange.answer),
        }
        for exchange in call.exchanges
    ]
    pushes = [{"at_ms": p.at_ms, "body": dict(p.body), "http_status": p.http_status} for p in call.pushes]
    whole = {"version": _VERSION, "exchanges": exchanges, "pushes": pushes}
    return json.dumps(whole, ensure_ascii=False, indent=2) + "\n"


def _answer(answer: Answer) -> dict[str, Any]:
    told: dict[str, Any] = {"at_ms": answer.at_ms}
    if answer.fault is not None:
        return {**told, "fault": answer.fault}
    return {**told, "http_status": answer.http_status, "body": None if answer.body is None else dict(answer.body)}
