"""A cassette of any protocol: what is written is read again, and people see words where the shape is usual. Pure."""

import json
from pathlib import Path
from typing import Any

import pytest

from audiosocket_sim.scenario.cassette import (
    RawAnswer,
    RawExchange,
    answer_words,
    cassette_entry,
    question_words,
    read_cassette,
)
from audiosocket_sim.scenario.loading import ScenarioError, load, load_text

KEPT = [
    RawExchange("POST", "/ask?a=1", b'{"turn": 1}', RawAnswer(120, 200, "text/json", ((130, b'{"say": "Oi."}'),))),
    RawExchange("POST", "/ask", b"plain", RawAnswer(5, 204)),
    RawExchange("POST", "/audio", b"\xff\x00", RawAnswer(5, 200, "audio/wav", ((6, b"\xfe"),))),
    RawExchange("POST", "/ask", b"NaN", RawAnswer(5, 200, "text/event-stream", ((6, b"data: a"), (80, b"data: \xff")))),
    RawExchange("POST", "/ask", b"", RawAnswer(40, fault="reset")),
    RawExchange("GET", "/health", b""),
]  # fmt: skip
STEPS = "summary: A call.\nsteps:\n  - wait: 1s\n"


def text_of(*exchanges: Any) -> str:
    return json.dumps({"version": 1, "exchanges": exchanges})


@pytest.mark.parametrize("exchange", KEPT, ids=str)
def test_what_is_written_is_read_again(exchange: RawExchange) -> None:
    (again,) = read_cassette(text_of(cassette_entry(exchange)))
    answer = exchange.answer
    if answer is not None and answer.fault is None and len(answer.pieces) < 2:  # one piece comes with the headers
        body = json.dumps(json.loads(answer.body)).encode() if b"{" in answer.body else answer.body
        exchange = RawExchange(
            exchange.method,
            exchange.path,
            exchange.body,
            RawAnswer(answer.at_ms, answer.http_status, answer.content_type, ((answer.at_ms, body),)),
        )
    assert again == exchange


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "not JSON"),
        ("[]", "expected a cassette of `capture`"),
        (text_of(), "expected a cassette of `capture`"),
        (text_of({"id": "x", "content": "Sim."}), "exchange 1 has no request and answer"),
        (
            text_of({"request": {"method": "POST", "path": "/"}, "answer": {"after_ms": 1, "fault": "fire"}}),
            "exchange 1 has no request and answer",
        ),
    ],
)
def test_what_is_no_cassette_is_refused(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        read_cassette(text)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"messages": [{"role": "system", "content": "Be short."}, {"role": "user", "content": "Oi."}]}, "Oi."),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": "Oi."}, 5]}]}, "Oi."),
        ({"messages": [{"role": "user", "content": "Oi."}, {"role": "tool", "content": "{}"}]}, ""),
        ({"call": 7, "text": "Oi."}, "Oi."),
        ({"text": "Oi.", "query": "Não."}, ""),
        ({"turn": 1}, ""),
        ([1], ""),
    ],
)
def test_the_callers_words_are_found_in_the_usual_shapes(asked: Any, words: str) -> None:
    assert question_words(json.dumps(asked).encode()) == words


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b'{"choices": [{"message": {"content": "Oi."}}]}', "Oi."),
        (b'{"choices": [{"message": null}]}', ""),
        (b'{"choices": [{"message": "Oi."}]}', ""),
        (b'{"choices": []}', ""),
        (b'{"reply": "Oi."}', "Oi."),
        (b'{"content": [{"text": "Oi."}]}', "Oi."),
        (b'{"turn": 1}', ""),
        (b'data: {"delta": {"text": "Oi."}}', "Oi."),
        (b"[]", ""),
        (b'data: {"choices": [{"delta": {"content": "O"}}]}\n\ndata: {"choices": [{"delta": {"content": "i."}}]}\n\n'
         b"data: [DONE]\n", "Oi."),
    ],
)  # fmt: skip
def test_the_backends_words_are_found_in_the_usual_shapes(answer: bytes, words: str) -> None:
    assert answer_words(answer) == words


def test_a_scenario_names_its_cassette(tmp_path: Path) -> None:
    (tmp_path / "c.json").write_text(text_of(*map(cassette_entry, KEPT)), encoding="utf-8")
    (tmp_path / "call.yaml").write_text(f"{STEPS}ai_cassette: c.json\n", encoding="utf-8")
    assert len(load(tmp_path / "call.yaml").cassette) == len(KEPT)


@pytest.mark.parametrize(
    ("cassette", "told"),
    [
        ("ai_cassette: none.json", r"call.yaml:4:\d+: ai_cassette: there is no file none.json"),
        ("ai_cassette: ../c.json", "leads out of the scenario's folder"),
        ("ai_cassette: bad.json", "ai_cassette: bad.json: not JSON"),
        ("ai_cassette: latin.json", "latin.json is not UTF-8"),
        ("ai_cassette: large.json", r"large.json cannot be read: larger than \d+ MB"),
        ("ai_cassette: c.json\nai:\n  - says: Oi.", "ai cannot stand beside it"),
    ],
)
def test_a_cassette_that_cannot_be_read_is_a_line(cassette: str, told: str, tmp_path: Path) -> None:
    with (tmp_path / "large.json").open("wb") as large:
        large.truncate(1 << 30)
    (tmp_path / "bad.json").write_text("{", encoding="utf-8")
    (tmp_path / "c.json").write_text(text_of(*map(cassette_entry, KEPT)), encoding="utf-8")
    (tmp_path / "latin.json").write_bytes(b"\xe9")
    (tmp_path / "call.yaml").write_text(f"{STEPS}{cassette}\n", encoding="utf-8")
    with pytest.raises(ScenarioError, match=told):
        load(tmp_path / "call.yaml")


def test_a_cassette_needs_a_folder() -> None:
    with pytest.raises(ScenarioError, match="this one lies in no folder"):
        load_text(f"{STEPS}ai_cassette: c.json\n")


# --- several conversations in one


def of(conversation: str, path: str) -> dict[str, Any]:
    return cassette_entry(RawExchange("POST", path, b"", RawAnswer(0), conversation))


def several(tmp_path: Path, keys: str, *exchanges: Any) -> list[list[str]]:
    """The paths that each call's part of the cassette `c.json` has."""
    (tmp_path / "c.json").write_text(text_of(*exchanges), encoding="utf-8")
    (tmp_path / "own.json").write_text(text_of(of("", "/own")), encoding="utf-8")
    (tmp_path / "call.yaml").write_text(f"{STEPS}{keys}", encoding="utf-8")
    return [[exchange.path for exchange in call.cassette] for call in load(tmp_path / "call.yaml").calls]


def test_each_caller_has_his_own_part_or_his_own_cassette(tmp_path: Path) -> None:
    both = [of("ana", "/a"), of("0f3b6c1e-5d2a-4c7e-9b1f-2a6d8e4c0b57", "/b"), of("ana", "/c")]
    keys = (
        "ai_cassette: c.json\ncallers:\n  - name: ana\n  - {name: bruno, uuid: 0f3b6c1e-5d2a-4c7e-9b1f-2a6d8e4c0b57}\n"
    )
    assert several(tmp_path, keys, *both) == [["/a", "/c"], ["/b"]]
    assert several(tmp_path, keys + "then: {ai_cassette: own.json}\n", *both) == [["/a", "/c"], ["/b"], ["/own"]]
    assert several(tmp_path, keys + "then: {ai: []}\n", *both) == [["/a", "/c"], ["/b"], []]
    assert several(tmp_path, "ai: []\nthen: {ai_cassette: own.json}\n", *both) == [[], ["/own"]]


def test_the_cassette_of_a_single_call_is_played_by_each_caller(tmp_path: Path) -> None:
    assert several(tmp_path, "ai_cassette: c.json\ncallers: 2\n", of("", "/a")) == [["/a"], ["/a"]]
    captured = of("0f3b6c1e-5d2a-4c7e-9b1f-2a6d8e4c0b57", "/a")
    assert several(tmp_path, "ai_cassette: c.json\nthen: {}\n", captured) == [["/a"], ["/a"]]


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        (
            "callers: [{name: ana}, {name: bruno}]\n",
            r"call.yaml:4:1: ai_cassette: c.json: its conversation “eva”: of no",
        ),
        ("", r"call.yaml:4:1: ai_cassette: c.json: its conversations “ana”, “eva”: none is of this call"),
    ],
)
def test_a_conversation_that_is_nobodys_is_a_line(keys: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=told):
        several(tmp_path, f"ai_cassette: c.json\n{keys}", of("ana", "/a"), of("eva", "/b"))


def test_a_conversation_is_a_text(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="exchange 1 has no request and answer"):
        several(tmp_path, "ai_cassette: c.json\n", {**of("", "/a"), "conversation": 7})
