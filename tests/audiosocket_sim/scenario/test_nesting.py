# ruff: noqa: E501 - a case stands on a line
"""Steps that hold steps, as data: where each stands, what it may hold, and the place of each mistake."""

from pathlib import Path

import pytest

from audiosocket_sim.scenario import Scenario, StepPlace, all_steps, expectation_at, expectations_in, says_in, step_at
from audiosocket_sim.scenario.loading import ScenarioError, load_text

FOLDER = Path(__file__).resolve().parents[3] / "scenarios"
NESTED = """
  - repeat:
      times: 2
      steps:
        - say: pt-br/sim
        - any_of:
            - expect: {bot_says: Oi.}
            - - expect: {bot_speaks: 1s}
              - say: pt-br/nao
  - if_heard: {bot_says: Tchau.}
    then: {hang_up: close}
    else: [{optional: {expect: {hold_audio: playing}}}]
"""


def loaded(steps: str) -> Scenario:
    return load_text(f"summary: Nested.\nsteps:{steps}", file="n.yaml", folder=FOLDER)


def problems(steps: str) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        loaded(steps)
    return [str(problem).removeprefix("n.yaml:") for problem in caught.value.problems]


def test_every_step_is_found_with_its_path() -> None:
    steps = loaded(NESTED).steps
    assert [path for path, _ in all_steps(steps)] == [
        ("steps", 0),
        ("steps", 0, "repeat", "steps", 0),
        ("steps", 0, "repeat", "steps", 1),
        ("steps", 0, "repeat", "steps", 1, "any_of", 0, 0),
        ("steps", 0, "repeat", "steps", 1, "any_of", 1, 0),
        ("steps", 0, "repeat", "steps", 1, "any_of", 1, 1),
        ("steps", 1),
        ("steps", 1, "then", 0),
        ("steps", 1, "else", 0),
        ("steps", 1, "else", 0, "optional", 0),
    ]
    assert [step.say.recording for step in says_in(steps)] == ["pt-br/sim", "pt-br/nao"]
    assert [expected.key for _, expected in expectations_in(steps)] == [
        *("bot_says", "bot_speaks", "bot_says", "hold_audio")
    ]


def test_a_step_is_found_at_its_place() -> None:
    steps = loaded(NESTED).steps
    branch = StepPlace(1).within(("repeat", "steps"), "round 2 of 2", 1).within(("any_of", 1), "branch 2", 0)
    assert branch.named("expect bot_speaks") == "step 1, round 2 of 2, step 2, branch 2, step 1 (expect bot_speaks)"
    found = expectation_at(steps, branch.number, branch.path)
    assert found is not None
    assert found.key == "bot_speaks"
    assert expectation_at(steps, 1) is None
    assert expectation_at(steps, 3) is None
    assert expectation_at(steps, 2) is not None
    assert step_at(steps, 2, ("then", 0)) == steps[1].then[0]  # type: ignore[union-attr]
    assert step_at(steps, 2, ("then", 1)) is None


def test_a_place_in_the_file_is_that_of_the_step_also_where_it_stands_without_a_list() -> None:
    written = loaded(NESTED).written
    assert written.line("steps", 0, "repeat", "steps", 1, "any_of", 0, 0) == "n.yaml:8"
    assert written.line("steps", 0, "repeat", "steps", 1, "any_of", 1, 1) == "n.yaml:10"
    assert written.line("steps", 1, "then", 0) == "n.yaml:12"
    assert written.line("steps", 1, "else", 0, "optional", 0) == "n.yaml:13"
    assert written.line("steps", 7) == "n.yaml"


def test_a_single_step_of_a_repeat_stands_for_a_list_of_one() -> None:
    one, many = (loaded(f" [{{repeat: {{times: 2, steps: {it}}}}}]").steps for it in ("{wait: 1s}", "[{wait: 1s}]"))
    assert one == many


@pytest.mark.every(3)
@pytest.mark.parametrize(
    ("steps", "line"),
    [
        (' [{repeat: {times: →0, steps: [{wait: 1s}]}}]', 'times: must be at least 1, not 0'),
        (' [{repeat: {times: →1001, steps: [{wait: 1s}]}}]', 'times: must be at most 1000, not 1001'),
        (' [{repeat: {times: 2, steps: →[]}}]', 'steps: needs one step at least'),
        (' [{repeat: →{times: 2}}]', "repeat: the key 'steps' is missing"),
        (' [{repeat: {times: 2, steps: [→{wiat: 1s}]}}]', "unknown step 'wiat'; did you mean 'wait'?"),
        (' [{repeat: {times: 2, steps: [{wait: →1}]}}]', 'wait: a duration needs a number and a unit (300ms, 1.2s, 5min), not 1'),
        (' [{repeat: {times: 2, steps: {wait: →1}}}]', 'wait: a duration needs a number and a unit (300ms, 1.2s, 5min), not 1'),
        (' [{repeat: {times: 2, steps: [{wait: 1s, →aftr: 1s}]}}]', "unknown key 'aftr'; did you mean 'after'?"),
        (' [{any_of: →[{expect: {bot_speaks: 1s}}]}]', 'any_of: needs 2 to 20 branches, not 1'),
        (' [{any_of: [{expect: {bot_speaks: 1s}}, →{say: pt-br/sim}]}]', 'begins with an expect: what is heard decides'),
        (' [{any_of: [{expect: {bot_speaks: 1s}}, [{expect: {→bot_spaeks: 1s}}]]}]', "unknown key 'bot_spaeks'; did you mean 'bot_speaks'?"),
        (' [{any_of: [{expect: {→bot_spaeks: 1s}}, {expect: {bot_speaks: 1s}}]}]', "unknown key 'bot_spaeks'; did you mean 'bot_speaks'?"),
        (' [{optional: [{expect: {bot_speaks: 1s}, after: →1s}]}]', 'after: the first expect here counts from the step before'),
        (' [{optional: {expect: {bot_speaks: 1s}, at: →bot_stops}}]', 'at: the first expect here counts from the step before'),
        (' [{optional: [{expect: {bot_speaks: 1s}}, {say: →pt-br/simm}]}]', "say: there is no recording 'pt-br/simm' in recordings/; did you mean 'pt-br/sim'?"),
        (' [{if_heard: →{bot_speaks: 1s}}]', 'if_heard: needs `then` or `else`'),
        (' [{if_heard: {bot_speaks: 1s}, then: {say: →pt-br/simm}}]', "say: there is no recording 'pt-br/simm' in recordings/; did you mean 'pt-br/sim'?"),
        (' [{if_heard: {bot_speaks: 1s}, then: →5}]', 'then: needs a list (lines that begin with `- `), not 5'),
        (' [{if_heard: {bot_speaks: 1s, →wihtin: 2s}, then: {wait: 1s}}]', "unknown key 'wihtin'; did you mean 'within'?"),
        (' [{repeat: {times: 2, steps: [{wait: 1s}, {never: →{bot_speaks: 1s}}]}}]', 'never: in a round it would watch nothing: it ends with the round, so write it first, or give it `for`'),
        (' [{repeat: {times: 2, steps: [{wait: 1s}, {if_heard: {bot_speaks: 1s}, then: {never: →{bot_speaks: 1s}}}]}}]', 'never: in a round it would watch nothing: it ends with the round, so write it first, or give it `for`'),
        (' [{repeat: {times: 2, steps: [→{hang_up: close}, {wait: 1s}]}}]', 'after hang_up only expect, never and wait can follow'),
        (' [{if_heard: {bot_speaks: 1s}, then: {hang_up: close}}, →{say: pt-br/sim}]', 'after hang_up only expect, never and wait can follow'),
        (' [{repeat: {times: 1, steps: [{hang_up: {before_uuid: →true}}]}}]', 'before_uuid: only the first step can come before the UUID'),
        (' [{hang_up: {before_uuid: true}, at: →bot_starts}]', 'at: before the UUID nothing can be heard'),
        (' →[{repeat: {times: 1000, steps: [{repeat: {times: 10, steps: [{wait: 1ms}, {wait: 1ms}]}}]}}]', 'steps: more than 10000 steps, rounds counted: too many for a scenario'),
        (' [{repeat: {times: 1, steps: [{repeat: {times: 1, steps: [{repeat: {times: 1, steps: [{repeat: {times: 1, steps: [{repeat: {times: 1, steps: [{repeat: {times: 1, steps: [→{wait: 1s}]}}]}}]}}]}}]}}]}}]', 'nested too deeply: at most 5 blocks within each other'),
        (" [{dtmf: '1', at: →bot_begins}]", "at: must be bot_starts, bot_stops, hold_starts, hold_stops, caller_starts, caller_stops, backend_asked, backend_answers or {state: WAITING}, not 'bot_begins'"),
        (" [{dtmf: '1', at: {after: →{state: WATING}}}]", "after: state: must be STANDBY, USER_TURN, WAITING or IA_TURN, not 'WATING'; did you mean 'WAITING'?"),
        (" [{dtmf: '1', at: bot_starts, after: →1s}]", 'after: a step counts from the step before, or `at` an event: `after` cannot stand beside it'),
        (" [{dtmf: '1', at: →caller_starts}]", 'at: caller_starts: no step before this one lets the caller speak (say)'),
        (' [{never: {talk_over: 1s, while: →caller_speaks}}]', 'while: does not go with talk_over, which is about who speaks itself'),
        (' [{never: {bot_speaks: 1s, while: →bot_speaks}}]', 'while: does not go with bot_speaks, which is about who speaks itself'),
        (' [{never: {bot_silent: 1s, while: →bot_speaks}}]', 'while: who speaks is not silent'),
    ],
)  # fmt: skip
def test_a_mistake_has_its_place_and_a_line(steps: str, line: str) -> None:
    """The arrow marks the place."""
    column = len("steps:") + steps.index("→") + 1
    assert problems(steps.replace("→", "")) == [f"2:{column}: {line}"]


def test_a_hang_up_in_one_round_and_what_may_follow() -> None:
    assert loaded(" [{repeat: {times: 1, steps: [{hang_up: close}]}}, {expect: {hangs_up: caller}}]")
    assert loaded(" [{repeat: {times: 2, steps: [{expect: {bot_speaks: 1s}}, {never: {bot_speaks: 1s, for: 1s}}]}}]")
    assert loaded(" [{repeat: {times: 2, steps: [{if_heard: {bot_speaks: 1s}, then: {wait: 1s}}]}}]")
    assert loaded(" [{repeat: {times: 2, steps: [{wait: 1s}, {repeat: {times: 2, steps: [{wait: 1s}]}}]}}]")
