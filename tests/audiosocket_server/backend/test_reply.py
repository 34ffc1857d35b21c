"""The reply JSON: what is taken, what is warned about, what is refused."""

import contextlib
import json

import pytest
from audiosocket_server.backend.reply import (
    MOST_DEPTH,
    MOST_MESSAGE_BYTES,
    MOST_PARTS,
    BackendReply,
    ReplyError,
    parse_reply,
    read_reply,
)
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


def _answer(dados: str) -> bytes:
    return f'{{"content": {{"mensagem": "Sim.", "dados": {dados}}}}}'.encode()


def test_json_is_refused_from_a_depth_on_at_which_writing_it_would_still_work() -> None:
    """Two levels are the answer's own. What is taken can be written again, for GET /calls/ID."""
    deepest = MOST_DEPTH - 2
    reply = read_reply(_answer("[" * deepest + "]" * deepest))
    assert json.loads(json.dumps(reply.raw)) == reply.raw
    for deeper in (deepest + 1, 970, 984, 400_000):
        with pytest.raises(ReplyError, match="not valid JSON: nested more than 64 deep"):
            read_reply(_answer("[" * deeper + "]" * deeper))


@pytest.mark.parametrize("text", ["[" * 1000, r"\"[[{" + "{" * 1000, "," * 100_000, r"a\\"])
@pytest.mark.parametrize("brackets", [0, 100])
def test_brackets_and_commas_of_a_text_do_not_count(text: str, brackets: int) -> None:
    """With as many brackets outside of it that they must be looked at one by one."""
    dados = f'[["{text}"]{", []" * brackets}]'
    assert read_reply(_answer(dados)).message == "Sim."


def test_json_of_very_many_values_is_refused() -> None:
    assert read_reply(_answer(f"[{'0,' * (MOST_PARTS - 4)}0]")).message == "Sim."
    for dados in (f"[{'0,' * MOST_PARTS}0]", "[" + "{}," * MOST_PARTS, '"' + '",' * MOST_PARTS):
        with pytest.raises(ReplyError, match=r"not valid JSON"):
            read_reply(_answer(dados))


@pytest.mark.parametrize("number", ["9" * 101, "-" + "9" * 100, "1." + "0" * 100, "9" * 5000])
def test_a_number_of_very_many_digits_is_refused(number: str) -> None:
    with pytest.raises(ReplyError, match="not valid JSON: a number is too large"):
        read_reply(_answer(number))
    assert read_reply(_answer(number[:100])).message == "Sim."


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("a" * MOST_MESSAGE_BYTES, "a" * MOST_MESSAGE_BYTES),
        ("Uma frase. " * 909 + "a", ("Uma frase. " * 909).strip() + " a"),
        ("Uma frase. " * 2000, ("Uma frase. " * 909).strip()),
        ("“Sim!” disse ele " * 2000, ("“Sim!” disse ele " * 475).strip() + " “Sim!”"),
        ("uma frase " * 2000, ("uma frase " * 1000).strip()),
        ("é" * 6000, "é" * 5000),
        ("." * 900_000, "." * MOST_MESSAGE_BYTES),
        ("a" + "é" * 5000, "a" + "é" * 4999),
    ],
)
def test_a_message_that_is_too_long_is_cut_where_a_sentence_ends(text: str, kept: str) -> None:
    reply = read_reply(json.dumps({"content": {"mensagem": text}}).encode())
    assert reply.message == kept
    assert len(reply.message.encode()) <= MOST_MESSAGE_BYTES
    expected = f"mensagem of more than 10000 bytes, cut after {len(kept)} of {len(text)} characters"
    assert reply.warnings == (() if len(kept) >= len(text.strip()) else (expected,))


def test_half_a_surrogate_pair_cannot_break_what_is_sent_on() -> None:
    assert read_reply(rb'{"content": {"mensagem": "a\ud800b"}}').message == "a?b"


@given(st.binary(max_size=60))
def test_any_bytes_are_a_reply_or_a_reply_error(body: bytes) -> None:
    with contextlib.suppress(ReplyError):
        read_reply(body)
