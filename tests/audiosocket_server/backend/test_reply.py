"""The reply JSON: what is taken, what is warned about, what is refused."""

import contextlib
import json

import pytest
from audiosocket_server.backend.reply import BackendReply, ReplyError, parse_reply, read_reply
from audiosocket_server.events import CallState
from hypothesis import given
from hypothesis import strategies as st

DOCUMENTED = {
    "content": {"mensagem": "Pode entrar.", "dados": {"intent_type": "visita"}, "valid_for_action": False},
    "timestamp": "2025-04-15T19:17:59.052067",
    "set_call_status": "STANDBY",
}


def test_the_documented_answer_is_read_and_kept_whole() -> None:
    reply = read_reply(json.dumps(DOCUMENTED).encode())
    assert reply == BackendReply("Pode entrar.", CallState.STANDBY, DOCUMENTED)
    assert reply.raw["content"] == DOCUMENTED["content"]


@pytest.mark.parametrize(
    ("top", "nested", "status"),
    [
        ("WAITING", None, CallState.WAITING),
        (None, "IA_TURN", CallState.IA_TURN),
        ("STANDBY", "WAITING", CallState.STANDBY),
        (None, None, CallState.USER_TURN),
    ],
)
def test_status_at_the_top_level_wins_over_content(top: str | None, nested: str | None, status: CallState) -> None:
    reply = parse_reply({"content": {"mensagem": "a", "set_call_status": nested}, "set_call_status": top})
    assert (reply.status, reply.warnings) == (status, ())


def test_an_absent_status_is_user_turn_without_a_warning() -> None:
    assert parse_reply({"content": {}}) == BackendReply("", CallState.USER_TURN, {"content": {}})


@pytest.mark.parametrize("value", ["HANGUP", "user_turn", "", 7, False, ["WAITING"], {"a": 1}])
def test_an_unknown_status_is_user_turn_with_a_warning(value: object) -> None:
    reply = parse_reply({"content": {"set_call_status": "WAITING"}, "set_call_status": value})
    assert reply.status is CallState.USER_TURN
    assert reply.warnings == (f"unknown set_call_status {json.dumps(value)}, taken as USER_TURN",)


@pytest.mark.parametrize("content", [{}, {"mensagem": None}, {"mensagem": ""}, {"mensagem": "  \n"}])
def test_a_missing_or_blank_mensagem_is_an_empty_message(content: dict[str, object]) -> None:
    assert parse_reply({"content": content}).message == ""


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ([], "expected a JSON object, not a list"),
        (None, "expected a JSON object, not null"),
        ({}, "content is missing"),
        ({"content": "olá"}, "content: expected an object, not text"),
        ({"content": None}, "content: expected an object, not null"),
        ({"content": {"mensagem": 5}}, "content.mensagem: expected text, not a number"),
        ({"content": {"mensagem": ["a"]}}, "content.mensagem: expected text, not a list"),
    ],
)
def test_a_wrong_shape_says_what_was_expected(answer: object, why: str) -> None:
    with pytest.raises(ReplyError) as caught:
        parse_reply(answer)
    assert str(caught.value) == why


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "not valid JSON: Expecting value (line 1, column 1)"),
        (b'{"content": }', "not valid JSON: Expecting value (line 1, column 13)"),
        (b'{"content": {"mensagem": "\xe7"}}', "not valid JSON: not UTF-8 text"),
        (b'{"content": {}, "x": NaN}', "not valid JSON: NaN is not JSON"),
        (b'{"content": {}, "x": -1e999}', "not valid JSON: a number is too large"),
    ],
)
def test_bytes_that_are_no_json_say_where(body: bytes, why: str) -> None:
    with pytest.raises(ReplyError) as caught:
        read_reply(body)
    assert str(caught.value) == why


def test_json_nested_too_deep_is_an_error_and_no_crash() -> None:
    with pytest.raises(ReplyError, match="not valid JSON"):
        read_reply(b"[" * 200_000)


def test_half_a_surrogate_pair_cannot_break_what_is_sent_on() -> None:
    assert read_reply(rb'{"content": {"mensagem": "a\ud800b"}}').message == "a?b"


@given(st.binary(max_size=60))
def test_any_bytes_are_a_reply_or_a_reply_error(body: bytes) -> None:
    with contextlib.suppress(ReplyError):
        read_reply(body)
