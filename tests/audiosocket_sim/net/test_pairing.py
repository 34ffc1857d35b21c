"""Whose question is it? The evidence in a request of an unknown protocol decides, or nothing does. Pure."""

import json
from typing import Any

import pytest

from audiosocket_sim.net.pairing import Evidence, Pairing, evidence_of

A, B = "a" * 32, "b" * 32


def new_pairing() -> Pairing[str]:
    """Of calls that are their UUIDs."""
    return Pairing(lambda call: call)


def asked(body: Any, *, path: str = "/ask", headers: tuple[str, ...] = (), connection: int = 0) -> Evidence:
    return evidence_of(path, headers, json.dumps(body).encode(), ("127.0.0.1", connection))


def chat(*contents: str) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": content} for content in contents]}


@pytest.mark.parametrize(
    "evidence",
    [
        asked({"call": "bbbbbbbb-bbbb-bbbb-bbbb-bbbbbbbbbbbb"}),
        asked({}, path="/calls/BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB/turn?x=1"),
        asked({}, headers=("application/json", "b" * 32)),
        evidence_of("/", (), b"plain text of " + b"b" * 32, None),
    ],
)
def test_a_uuid_anywhere_in_the_request_decides(evidence: Evidence) -> None:
    assert new_pairing().call_of(evidence, [A, B]) is B


def test_without_evidence_the_only_call_in_progress_is_meant_and_of_two_none() -> None:
    pairing = new_pairing()
    assert pairing.call_of(evidence_of("/", (), b"\xff", 1), [A]) is A
    assert new_pairing().call_of(asked({"turn": 1}), [A, B]) is None
    assert new_pairing().call_of(asked({"turn": 1}), []) is None
    assert new_pairing().call_of(asked({"a": "a" * 32, "b": "b" * 32}), [A, B]) is None


def test_a_name_that_one_call_used_decides_also_against_the_connection() -> None:
    pairing = new_pairing()
    assert pairing.call_of(asked({"session_id": "x", "user": "bot", "turn": 1}), [A]) is A
    assert pairing.call_of(asked({"session_id": "y", "user": "bot", "turn": 1}), [A, B]) is B
    assert pairing.call_of(asked({"session_id": "x", "user": "bot", "turn": 2}), [A, B]) is A
    assert pairing.call_of(asked({"session_id": "z", "user": "bot", "turn": 2}), [A, B]) is None


def test_a_number_of_requests_is_no_name() -> None:
    pairing = new_pairing()
    assert pairing.call_of(asked({"id": 1, "call": 7}), [A]) is A
    assert pairing.call_of(asked({"id": 2, "call": 7}), [A]) is A
    assert pairing.call_of(asked({"id": 2, "call": 8}), [A, B]) is B
    assert pairing.call_of(asked({"id": 1, "call": 8}), [A, B]) is B


def test_a_call_with_other_names_is_nobody_elses() -> None:
    pairing = new_pairing()
    for call, name in ((A, 1), (B, 2)):
        assert pairing.call_of(asked({"call": name, "of": call}), [A, B]) is call
    assert pairing.call_of(asked({"call": 3}, connection=7), [A, B]) is None
    assert pairing.call_of(asked({"call": 1}, connection=8), [A, B]) is A


def test_messages_that_go_on_belong_to_the_call_that_began_them() -> None:
    pairing = new_pairing()
    assert pairing.call_of(asked(chat("Hi.")), [A]) is A
    assert pairing.call_of(asked(chat("Hello?"), connection=1), [A, B]) is B
    assert pairing.call_of(asked(chat("Hi.", "And?"), connection=2), [A, B]) is A
    assert pairing.call_of(asked(chat("Hello?", "Yes."), connection=3), [A, B]) is B


def test_messages_that_both_calls_began_alike_decide_nothing() -> None:
    pairing = new_pairing()
    for call in (A, B):
        assert pairing.call_of(asked({**chat("Hi."), "x": call}), [A, B]) is call
    assert pairing.call_of(asked(chat("Hi.", "And?"), connection=5), [A, B]) is None


def test_a_connection_of_one_call_is_that_calls_until_one_has_carried_two() -> None:
    pairing = new_pairing()
    assert pairing.call_of(asked({"turn": 1}, connection=1), [A]) is A
    assert pairing.call_of(asked({"turn": 2}, connection=1), [A, B]) is A
    assert pairing.call_of(asked({"turn": 1}, connection=2), [A, B]) is None
    assert pairing.call_of(asked({"of": "b" * 32}, connection=1), [A, B]) is B
    assert pairing.call_of(asked({"turn": 3}, connection=1), [A, B]) is None


def test_what_an_ended_call_showed_is_forgotten() -> None:
    pairing = new_pairing()
    assert pairing.call_of(asked({"turn": 1}, connection=1), [A]) is A
    assert pairing.call_of(asked({"turn": 1}, connection=1), [B]) is B
