"""Steps that hold steps: `repeat`, `any_of`, `optional`, `if_heard`. Whole calls."""

import pytest
from helpers.scripted_calls import HELLO, call, flat

from audiosocket_sim.call_log.events import ExpectationJudged
from audiosocket_sim.running.runner import Outcome

BYE = "pt-br/ate_logo_tenha_um_bom_dia"


@pytest.mark.long("quicker tests of this file are run")
def test_rounds_follow_one_another_and_a_failure_names_its_round() -> None:
    steps = """
- repeat:
    times: 3
    steps:
      - expect: {bot_says: Pode subir., within: 3s}
      - dtmf: "1"
"""
    twice = [HELLO, [3.0, "say", "pt-br/pode_subir"]]
    assert call(steps, *twice, [5.5, "say", "pt-br/pode_subir"]).problems == []
    result = call(steps, *twice)
    (failure,) = result.failures
    assert failure.what == "step 1, round 3 of 3, step 1 (expect bot_says)"
    assert failure.where == "call.yaml:7"
    assert failure.expected.startswith("the bot says “Pode subir.”, from 4.")
    assert "FAILED step 1, round 3 of 3, step 1 (expect bot_says): expected" in flat(result.transcript)
    judged = [entry.event for entry in result.entries if isinstance(entry.event, ExpectationJudged)]
    assert [(one.number, one.path, one.inside) for one in judged[:1]] == [
        (1, ("repeat", "steps", 0), "round 1 of 3, step 1")
    ]


@pytest.mark.long("quicker tests of this file are run")
def test_a_never_in_a_round_ends_with_it() -> None:
    steps = """
- repeat:
    times: 2
    steps:
      - never: {bot_speaks: 100ms}
      - wait: 2s
- wait: 2s
"""
    assert call(steps, [4.2, "say", "pt-br/pode_subir"]).problems == []
    (failure,) = call(steps, [2.5, "say", "pt-br/pode_subir"]).failures
    assert failure.what == "step 1, round 2 of 2, step 1 (never bot_speaks)"


BRANCHES = """
- any_of:
    - expect: {bot_says: "Até logo, tenha um bom dia.", within: 2s}
    - - expect: {bot_says: Pode subir., within: 3s}
      - dtmf: "1"
      - expect: {hangs_up: server}
    - expect: {hold_audio: playing, within: 1s}
- wait: 100ms
"""


@pytest.mark.long("quicker tests of this file are run")
def test_the_branch_whose_first_expectation_is_met_is_taken() -> None:
    ended = [4.0, "hang_up"]
    result = call(BRANCHES, HELLO, ended)
    assert result.problems == []
    assert "note step 1 (any_of): branch 2: the bot says “Pode subir.”" in flat(result.transcript)
    assert "caller dtmf 1" in flat(result.transcript)
    result = call(BRANCHES, [0.5, "say", BYE])
    assert result.problems == []
    assert "branch 1" in result.transcript
    assert "dtmf" not in result.transcript


def test_a_failure_says_what_each_branch_lacked() -> None:
    result = call(BRANCHES, [0.5, "say", "pt-br/qual_e_o_seu_nome"])
    (failure,) = result.failures
    assert failure.what == "step 1 (any_of)"
    assert failure.where == "call.yaml:4"
    assert failure.expected == (
        "one of: (1) the bot says “Até logo, tenha um bom dia.”, from 0.000 until 2.000; "
        "or (2) the bot says “Pode subir.”, from 0.000 until 3.000; or (3) hold audio playing, from 0.000 until 1.000"
    )
    assert list(dict.fromkeys(line[:3] for line in failure.happened)) == ["(1)", "(2)", "(3)"]
    assert "the bot said “Qual é o seu nome?”" in failure.happened[0]


def test_a_failure_behind_the_first_step_of_a_branch_names_the_branch() -> None:
    (failure,) = call(BRANCHES, HELLO).failures
    assert failure.what == "step 1, branch 2, step 3 (expect hangs_up)"
    assert failure.where == "call.yaml:8"


def test_of_two_branches_that_are_met_at_once_the_first_counts() -> None:
    steps = "any_of: [{expect: {bot_speaks: 200ms}}, {expect: {bot_speaks: 200ms}}]"
    assert "branch 1" in call(steps, HELLO).transcript
    steps = "any_of: [{expect: {bot_speaks: 300ms}}, {expect: {bot_speaks: 200ms}}]"
    assert "branch 2" in call(steps, HELLO).transcript


OPTIONAL = """
- optional:
    - expect: {bot_says: Pode subir., within: 2s}
    - dtmf: "1"
- expect: {bot_says: "Até logo, tenha um bom dia.", within: 2s}
"""


@pytest.mark.long("quicker tests of this file are run")
def test_what_is_optional_may_come_or_not() -> None:
    there = call(OPTIONAL, HELLO, [2.5, "say", BYE])
    assert there.problems == []
    assert "(optional): there: the bot says “Pode subir.”" in there.transcript
    assert "dtmf 1" in there.transcript
    without = call(OPTIONAL, [0.5, "say", BYE])  # said while the other was waited for
    assert without.problems == []
    assert "(optional): not there: the bot says “Pode subir.”" in without.transcript
    assert "dtmf" not in without.transcript
    late = call(OPTIONAL, [3.5, "say", BYE])
    assert late.problems == []


def test_behind_what_was_passed_over_only_an_expect_looks_back() -> None:
    """What comes later counts from when it was given up."""
    steps = "optional: {expect: {bot_says: Pode subir., within: 2s}}\nwait: 1s\nexpect: {bot_speaks: 200ms, within: 1s}"
    (failure,) = call(steps, [0.5, "say", BYE]).failures
    assert failure.expected == "the bot speaks for at least 200 ms, from 3.000 until 4.000"


def test_all_of_an_optional_part_is_needed_once_it_has_begun() -> None:
    steps = "optional: [{expect: {bot_speaks: 200ms}}, {expect: {hold_audio: playing, within: 1s}}]"
    (failure,) = call(steps, HELLO).failures
    assert failure.what == "step 1, optional, step 2 (expect hold_audio)"


IF = """
- if_heard: {bot_says: Pode subir., within: 2s}
  then: [{dtmf: "1"}, {expect: {hangs_up: server, within: 1s}}]
  else:
    dtmf: "2"
"""


def test_how_it_goes_on_depends_on_what_is_heard() -> None:
    heard = call(IF, HELLO, [2.5, "hang_up"])
    assert heard.problems == []
    assert "(if_heard): heard: the bot says" in heard.transcript
    assert "dtmf 1" in heard.transcript
    not_heard = call(IF)
    assert not_heard.problems == []
    assert "(if_heard): not heard: the bot says" in not_heard.transcript
    assert "2.020  caller   dtmf 2" in not_heard.transcript
    (failure,) = call(IF, HELLO).failures
    assert failure.what == "step 1, then, step 2 (expect hangs_up)"
    assert failure.where == "call.yaml:5"


def test_the_end_of_the_call_decides_at_once() -> None:
    result = call(IF, [0.5, "hang_up"])
    (failure,) = result.failures
    assert failure.what == "step 1, else, step 1 (dtmf)"
    assert failure.at_ms < 1000


@pytest.mark.long("quicker tests of this file are run")
@pytest.mark.every(9)
@pytest.mark.parametrize(
    "steps",
    [
        "if_heard: {bot_says: Pode subir., within: 3s}\n",
        "optional: {expect: {bot_says: Pode subir., within: 3s}}\n",
        "any_of: [{expect: {bot_says: Pode subir., within: 3s}}, {expect: {hold_audio: playing, within: 3s}}]\n",
        "any_of: [{expect: {bot_says: Pode subir., within: 3s}}, {expect: {bot_silent: 2s, within: 8s}}]\n",
    ],
)
def test_a_voice_that_cannot_be_read_decides_nothing(steps: str) -> None:
    """Words that the ear cannot read are no sign that they were not said: that is a fault of the set-up."""
    if steps.startswith("if"):
        steps = "{if_heard: {bot_says: Pode subir., within: 3s}, then: {wait: 1s}}"
    result = call(steps, [0.5, "say", "recordings/pt-br/sim"])
    assert result.outcome is Outcome.SET_UP
    assert "could be read" in result.faults[0]


def test_blocks_in_blocks() -> None:
    steps = """
- repeat:
    times: 2
    steps:
      - any_of:
          - - expect: {bot_says: Pode subir., within: 4s}
            - optional: {expect: {backend_asked: nada, within: 100ms}}
          - expect: {bot_says: "Até logo, tenha um bom dia.", within: 4s}
- never: {bot_speaks: 100ms, for: 1s}
"""
    result = call(steps, HELLO, [3.0, "say", BYE])
    assert result.problems == []
    notes = [line for line in flat(result.transcript).splitlines() if " note " in line]
    assert [line.split(" note ")[1] for line in notes] == [
        "step 1, round 1 of 2, step 1 (any_of): branch 1: the bot says “Pode subir.”",
        "step 1, round 1 of 2, step 1, branch 1, step 2 (optional): not there: the backend is asked “nada”",
        "step 1, round 2 of 2, step 1 (any_of): branch 2: the bot says “Até logo, tenha um bom dia.”",
    ]


def test_a_block_that_counts_from_an_event() -> None:
    steps = "{repeat: {times: 2, steps: [{dtmf: '1'}]}, at: {after: bot_stops, by: 1s}}"
    assert "2.800 caller dtmf 1 0.10 s\n3.000 caller dtmf 1" in flat(call(steps, HELLO).transcript)


def test_a_state_in_a_block_needs_a_target_that_reports_it() -> None:
    steps = "wait: 1s\n{if_heard: {state: WAITING}, then: {wait: 1s}}"
    result = call(steps)
    assert result.outcome is Outcome.INVALID
    assert result.faults[0].startswith("step 2 expects a state")
