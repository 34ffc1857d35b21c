"""Calls whose words a judge of the user's is asked about, after the call."""

from pathlib import Path
from typing import Any

import pytest
from helpers import judges

from audiosocket_sim.running.runner import Options, Outcome, Result, run
from audiosocket_sim.scenario.loading import ScenarioError, load_text

ROOT = Path(__file__).resolve().parents[3]
POLITE = "helpers.judges:polite"


@pytest.fixture(autouse=True)
def no_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    judges.asked.clear()


def call(judge: str, *script: list[Any], trust: bool = True) -> Result:
    text = (
        f"summary: A test.\nserver: {{script: {list(script)!r}}}\n"
        f"steps:\n- expect: {{bot_says: {{text: It tells him to go up., judge: '{judge}'}}, within: 2s}}\n- wait: 2s\n"
    )
    scenario = load_text(text, name="judged", folder=ROOT / "scenarios", file="judged.yaml")
    return run(scenario, Options(target="helpers.scripted_bot:serve", trust=trust))


SUBIR, OTHER = [0.5, "say", "pt-br/pode_subir"], [0.5, "say", "pt-br/ate_logo_tenha_um_bom_dia"]


@pytest.mark.long("quicker tests of this file are run")
def test_the_opinion_of_a_judge_counts_and_is_kept() -> None:
    assert call(POLITE, SUBIR).passed
    assert judges.asked == [("Pode subir.", "It tells him to go up.")]
    assert call(POLITE, SUBIR).passed
    assert len(judges.asked) == 1
    assert call("helpers.judges:plain", SUBIR).passed


@pytest.mark.long("quicker tests of this file are run")
def test_a_judge_that_says_no_fails_the_step_and_says_why() -> None:
    result = call(POLITE, OTHER)
    assert result.outcome is Outcome.FAILED, result.problems
    (failure,) = result.failures
    assert failure.headline == "judged.yaml:4: judged, step 1 (judge)"
    assert failure.expected == f"the bot to say something that {POLITE} takes for “It tells him to go up.”"
    assert failure.happened[-1] == f"{POLITE}: it is rude"


@pytest.mark.long("quicker tests of this file are run")
def test_all_that_was_said_until_the_caller_speaks_is_judged() -> None:
    call(POLITE, SUBIR, [2.5, "say", "pt-br/pode_subir"])
    assert judges.asked == [("Pode subir. Pode subir.", "It tells him to go up.")]


@pytest.mark.long("quicker tests of this file are run")
@pytest.mark.every(3)
@pytest.mark.parametrize(
    ("judge", "line"),
    [
        ("helpers.judges:broken", "the judge helpers.judges:broken failed: LookupError: no key"),
        (
            "helpers.judges:undecided",
            "the judge helpers.judges:undecided returned 'perhaps': expected ok (true or false) and reason",
        ),
        (
            "helpers.judges:two",
            "the judge helpers.judges:two: too many positional arguments; expected judge(text, expected, call)",
        ),
        (
            "helpers.judges:attribute",
            "the judge helpers.judges:attribute is not callable: expected judge(text, expected, call)",
        ),
        ("no_such_module:judge", "the judge no_such_module:judge cannot be imported: No module named 'no_such_module'"),
        ("helpers.unusable:judge", "the judge helpers.unusable:judge cannot be imported: KeyError: 'TOKEN'"),
    ],
)
def test_a_judge_that_fails_is_no_fault_of_the_bot(judge: str, line: str) -> None:
    result = call(judge, SUBIR)
    assert result.outcome is Outcome.SET_UP
    assert result.faults == (line,)


@pytest.mark.long("quicker tests of this file are run")
def test_a_bot_that_says_nothing_is_not_judged() -> None:
    result = call(POLITE)
    assert result.outcome is Outcome.FAILED
    assert not judges.asked


def test_a_scenario_names_a_judge_only_if_it_is_trusted() -> None:
    refused = call(POLITE, SUBIR, trust=False)
    assert refused.outcome is Outcome.INVALID
    (line,) = refused.faults
    assert line.startswith("judged.yaml:4:")
    assert line.endswith(
        f"judge: '{POLITE}' names code, which is not taken from a scenario that is not trusted "
        "(docs/scenarios.md, Trust)"
    )


@pytest.mark.parametrize(
    ("says", "line"),
    [
        ("{judge: 'a:b'}", "bot_says needs exactly one of: text, any_of, pattern"),
        (
            "{text: a, judge: polite}",
            "judge: a judge is module:callable, such as my_package.opinions:polite, not 'polite'",
        ),
        ("{text: a, judge: 'a:b', words: 1}", "a judge is asked about a text, and has the only say"),
    ],
)
def test_what_a_judge_may_be(says: str, line: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        load_text(f"summary: A test.\nsteps: [{{expect: {{bot_says: {says}}}}}]\n", folder=ROOT)
    assert line in str(caught.value)
