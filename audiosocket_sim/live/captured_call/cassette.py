"""The text of `cassette.json`: every question to the AI backend, every answer and every push. Pure."""

import json
from dataclasses import replace
from typing import Any
from uuid import UUID

from audiosocket_sim.live.captured_call.model import Answer, CapturedCall, Exchange
from audiosocket_sim.scenario.cassette import cassette_entry

__all__ = ["cassette"]

_VERSION = 1


def cassette(call: CapturedCall) -> str:
    """Return the text of the file: exchanges and pushes with `at_ms` since the UUID and their bodies unchanged.

    An exchange of any protocol has the UUID of its call, so that the cassettes of several calls can be one.
    """
    exchanges = [_exchange(exchange, call.uuid, redacted=call.redacted) for exchange in call.exchanges]
    pushes = [{"at_ms": p.at_ms, "body": dict(p.body), "http_status": p.http_status} for p in call.pushes]
    whole = {"version": _VERSION, "exchanges": exchanges, "pushes": pushes}
    return json.dumps(whole, ensure_ascii=False, indent=2) + "\n"


def _exchange(exchange: Exchange, uuid: UUID, *, redacted: bool) -> dict[str, Any]:
    if exchange.raw is not None:
        whose = "" if redacted else str(uuid)
        return {"at_ms": exchange.at_ms, **cassette_entry(replace(exchange.raw, conversation=whose))}
    return {
        "at_ms": exchange.at_ms,
        "id": exchange.conversation_id,
        "content": exchange.text,
        "answer": None if exchange.answer is None else _answer(exchange.answer),
    }


def _answer(answer: Answer) -> dict[str, Any]:
    if answer.fault is not None:
        return {"at_ms": answer.at_ms, "fault": answer.fault}
    body = None if answer.body is None else dict(answer.body)
    return {"at_ms": answer.at_ms, "http_status": answer.http_status, "body": body}
