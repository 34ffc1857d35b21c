"""A bot with an AI backend of another protocol is captured, and the cassette plays that backend in the replay."""

import json
from collections import Counter
from pathlib import Path

import pytest
from helpers import chat_bot
from helpers.chat_bot import ANSWERS, Behaviour

from audiosocket_sim.live.capture import CaptureOptions
from audiosocket_sim.running.runner import Options as RunOptions
from audiosocket_sim.running.runner import Outcome, Result, run
from audiosocket_sim.scenario.loading import load

CALL = """
summary: Two turns with a bot that is not ours.
steps:
  - expect: {bot_says: "Condomínio Apoena, em que posso ajudar?", within: 4s}
  - say: pt-br/quero_falar_com_o_apartamento_202
  - expect: {bot_says: "Qual é o seu nome?", within: 6s}
  - say: pt-br/meu_nome_e_joao_da_silva
  - expect: {bot_says: "A autorização foi confirmada, pode entrar.", within: 6s}
  - expect: {hangs_up: server, within: 3s}
"""


@pytest.fixture
def behaviour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Behaviour:
    made = Behaviour(options=CaptureOptions(("", 0), ("", 0), tmp_path / "out"))
    monkeypatch.setattr(chat_bot, "behaviour", made)
    (tmp_path / "first.yaml").write_text(CALL, encoding="utf-8")
    return made


def called(path: Path, target: str = "serve") -> Result:
    return run(load(path), RunOptions(target=f"helpers.chat_bot:{target}"))


@pytest.mark.long("an exchange of another protocol is kept, and a call of ours is made again")
@pytest.mark.parametrize(
    "streams",
    [pytest.param(False, id="whole"), pytest.param(True, id="as events", marks=pytest.mark.long("it is sent whole"))],
)
def test_a_chat_backend_is_kept_and_answers_again(streams: bool, behaviour: Behaviour, tmp_path: Path) -> None:
    behaviour.streams = streams
    first = called(tmp_path / "first.yaml", "serve_captured")
    assert first.outcome is Outcome.PASSED, first.problems
    assert behaviour.troubles == []
    written = tmp_path / "out" / "call.yaml"
    text = written.read_text(encoding="utf-8")
    assert "ai_cassette: call/cassette.json" in text
    assert load(written).server == {}
    asked = json.loads((tmp_path / "out" / "call" / "cassette.json").read_text(encoding="utf-8"))["exchanges"]
    assert [each["request"]["json"]["messages"][-1] for each in asked] == [{"role": "user", "content": "(audio)"}] * 2
    assert ("pieces" in asked[0]["answer"]) is streams

    again = called(written)
    assert again.outcome is Outcome.PASSED, again.problems

    behaviour.swaps = {ANSWERS[0]: "Até logo, tenha um bom dia."}
    changed = called(written)
    assert changed.outcome is Outcome.FAILED
    line = next(n for n, each in enumerate(text.splitlines(), 1) if f"bot_says: {ANSWERS[0]}" in each)
    assert f"call.yaml:{line}" in "\n".join(changed.problems), changed.problems


@pytest.mark.long("the texts and sounds of redaction are tried")
def test_redacted_nothing_of_such_a_backend_is_left(behaviour: Behaviour, tmp_path: Path) -> None:
    behaviour.options = CaptureOptions(("", 0), ("", 0), tmp_path / "out", redact=True)
    assert called(tmp_path / "first.yaml", "serve_captured").outcome is Outcome.PASSED
    text = (tmp_path / "out" / "call.yaml").read_text(encoding="utf-8")
    assert "# left out: 2 questions to the AI backend, whose protocol cannot be redacted" in text
    assert "ai_cassette" not in text
    assert json.loads((tmp_path / "out" / "call" / "cassette.json").read_text(encoding="utf-8"))["exchanges"] == []


@pytest.mark.long("a chat backend is kept and answers again")
def test_a_bot_that_asks_its_backend_something_else_fails_at_the_cassette(behaviour: Behaviour, tmp_path: Path) -> None:
    assert called(tmp_path / "first.yaml", "serve_captured").outcome is Outcome.PASSED
    written = tmp_path / "out" / "call.yaml"
    behaviour.asks = "(silence)"
    changed = called(written)
    assert changed.outcome is Outcome.FAILED
    line = next(n for n, each in enumerate(written.read_text(encoding="utf-8").splitlines(), 1) if "cassette" in each)
    problems = "\n".join(changed.problems)
    assert f"call.yaml:{line}" in problems, problems
    assert "the bot asked “(silence)”; question 1 of the cassette (POST /v1/chat/completions) is “(audio)”" in problems


# --- several calls at a time

GREETED = '{expect: {bot_says: "Condomínio Apoena, em que posso ajudar?", within: 4s}}'
SEVERAL = f"""
summary: Two callers at a time, and a bot that is not ours.
callers:
  - name: ana
    steps:
      - {GREETED}
      - say: pt-br/quero_falar_com_o_apartamento_202
      - expect: {{bot_says: "{ANSWERS[0]}", within: 6s}}
      - say: pt-br/meu_nome_e_joao_da_silva
      - expect: {{bot_says: "{ANSWERS[1]}", within: 6s}}
      - expect: {{hangs_up: server, within: 3s}}
  - name: bruno
    starts: 8s
    steps:
      - {GREETED}
      - say: pt-br/sim_pode_confirmar
      - expect: {{bot_says: "{ANSWERS[1]}", within: 6s}}
      - expect: {{hangs_up: server, within: 3s}}
"""


def answer_of(messages: list[dict[str, str]]) -> str:
    """The first turn of who speaks for long, ana, is asked for a name."""
    return ANSWERS[0] if len(messages) == 2 and int(messages[1]["content"].split()[1]) > 2000 else ANSWERS[1]


@pytest.fixture
def joined(behaviour: Behaviour, tmp_path: Path) -> Path:
    """Two calls at a time were captured: a scenario of both, beside the cassettes of both in one."""
    behaviour.asks, behaviour.replies = "(audio {ms} ms)", answer_of
    (tmp_path / "several.yaml").write_text(SEVERAL, encoding="utf-8")
    first = called(tmp_path / "several.yaml", "serve_captured")
    assert first.outcome is Outcome.PASSED, first.problems
    assert behaviour.troubles == []
    names = {str(made.uuid): made.caller for made in first.calls}
    written = [json.loads(path.read_text(encoding="utf-8")) for path in (tmp_path / "out").rglob("cassette.json")]
    exchanges = [exchange for cassette in written for exchange in cassette["exchanges"]]
    assert Counter(names[exchange["conversation"]] for exchange in exchanges) == {"ana": 2, "bruno": 1}
    (tmp_path / "both.json").write_text(json.dumps({"exchanges": exchanges}), encoding="utf-8")
    replayed = tmp_path / "replayed.yaml"
    uuids = {made.caller: made.uuid for made in first.calls}
    text = SEVERAL.replace("callers:", "ai_cassette: both.json\ncallers:")
    for name, uuid in uuids.items():
        text = text.replace(f"name: {name}\n", f"name: {name}\n    uuid: {uuid}\n")
    replayed.write_text(text, encoding="utf-8")
    return replayed


@pytest.mark.long("each caller's part is found (test_switchboard.py) and played in its order (test_cassette_order.py)")
def test_each_conversation_of_several_at_a_time_plays_its_own_part(joined: Path) -> None:
    again = called(joined)
    assert again.outcome is Outcome.PASSED, again.problems


@pytest.mark.long("a request out of its order is named, by its caller's conversation (test_cassette_order.py)")
def test_a_request_in_the_wrong_conversation_fails_with_the_caller_and_what_was_expected(
    joined: Path, behaviour: Behaviour
) -> None:
    behaviour.asks = "(nothing)"
    told = "\n".join(called(joined).problems)
    for name in ("ana", "bruno"):
        assert f"replayed, {name}, ai_cassette: " in told, told
    assert "expected the requests that the cassette has, and no others" in told
    assert "the bot asked “(nothing)”; question 1 of the cassette (POST /v1/chat/completions) is “(audio " in told
