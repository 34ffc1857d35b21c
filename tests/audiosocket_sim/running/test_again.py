"""A second run after an inconclusive one: which of the two counts, and that the first is kept with its files."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from audiosocket_sim.call_log.events import StepFailed
from audiosocket_sim.checks.failure import Failure
from audiosocket_sim.running import runner
from audiosocket_sim.running.again import decided, run_twice_if_inconclusive
from audiosocket_sim.running.one_call import OneCall
from audiosocket_sim.running.options import Options
from audiosocket_sim.running.report_lines import report_lines
from audiosocket_sim.running.result import Artefacts, Outcome, Result
from audiosocket_sim.scenario import Scenario
from audiosocket_sim.scenario.loading import load_text

SCENARIO = load_text("summary: A call.\nsteps: [{wait: 1s}]\n", "call", folder=Path(__file__).parent)
IN_PROCESS, COMMAND, ADDRESS = "helpers.scripted_bot:serve", "command: bot {port}", "tcp://127.0.0.1:8080"


def result(outcome: Outcome, *faults: str, what: str = "") -> Result:
    failed = StepFailed(1, what, "speech", ("nothing",))
    failures = (Failure.of(failed, 1000, SCENARIO),) if what else ()
    return Result(SCENARIO, outcome, failures=failures, faults=faults)


LATE = result(Outcome.INCONCLUSIVE, "late", what="expect bot_speaks")


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Options]]:
    """Returns a function that sets the results of the next runs; it returns the options with which they were made."""

    def set_up(*results: Result) -> list[Options]:
        made: list[Options] = []

        def run(scenario: Scenario, options: Options, on_entry: Any = None) -> Result:
            made.append(options)
            return results[len(made) - 1]

        monkeypatch.setattr(runner, "run", run)
        return made

    return set_up


@pytest.mark.parametrize("outcome", [Outcome.PASSED, Outcome.FAILED, Outcome.INVALID, Outcome.SET_UP])
def test_whatever_is_decided_is_not_run_again(outcome: Outcome, runs: Callable[..., list[Options]]) -> None:
    made = runs(result(outcome))
    assert run_twice_if_inconclusive(SCENARIO, Options(target=COMMAND)).outcome is outcome
    assert len(made) == 1


def test_an_interrupted_call_is_not_made_again(runs: Callable[..., list[Options]]) -> None:
    made = runs(replace(LATE, interrupted=True))
    assert run_twice_if_inconclusive(SCENARIO, Options(target=COMMAND)).interrupted
    assert len(made) == 1


@pytest.mark.parametrize(
    ("first", "second", "counts"),
    [
        (Outcome.INCONCLUSIVE, Outcome.PASSED, "second"),
        (Outcome.INCONCLUSIVE, Outcome.FAILED, "second"),
        (Outcome.INCONCLUSIVE, Outcome.INCONCLUSIVE, "first"),
        (Outcome.INCONCLUSIVE, Outcome.SET_UP, "first"),
        (Outcome.FAILED, Outcome.PASSED, "first"),
        (Outcome.PASSED, Outcome.FAILED, "first"),
        (Outcome.SET_UP, Outcome.FAILED, "second"),
    ],
)
def test_which_of_two_runs_counts(first: Outcome, second: Outcome, counts: str) -> None:
    found = decided(result(first, "one"), result(second, "two"))
    assert found.faults == (("one",) if counts == "first" else ("two",))
    ((name, other),) = found.other_runs
    assert (name, other.faults) == (("second run", ("two",)) if counts == "first" else ("first run", ("one",)))


def test_a_second_run_that_is_interrupted_interrupts_the_whole() -> None:
    found = decided(LATE, replace(result(Outcome.INCONCLUSIVE), interrupted=True))
    assert (found.outcome, found.interrupted, found.faults) == (Outcome.INCONCLUSIVE, True, ("late",))


@pytest.mark.parametrize(
    ("target", "allowed", "number"),
    [(IN_PROCESS, False, 2), (COMMAND, False, 2), (ADDRESS, False, 1), (ADDRESS, True, 2)],
)
def test_an_address_is_called_a_second_time_only_where_that_is_asked_for(
    target: str, allowed: bool, number: int, runs: Callable[..., list[Options]]
) -> None:
    made = runs(LATE, result(Outcome.PASSED))
    announced: list[str] = []
    found = run_twice_if_inconclusive(
        SCENARIO, Options(target=target, again=allowed), announce=lambda: announced.append("once more")
    )
    assert len(made) == number
    assert len(announced) == number - 1
    assert found.outcome is (Outcome.PASSED if number == 2 else Outcome.INCONCLUSIVE)
    assert any("--again" in fault for fault in found.faults) is (number == 1)


def test_the_second_run_has_a_folder_inside_that_of_the_first(
    runs: Callable[..., list[Options]], tmp_path: Path
) -> None:
    """Also where the first had to use another folder than that of its options."""
    files = Artefacts(None, tmp_path / "call-2" / "call.jsonl", None)
    made = runs(replace(LATE, artefacts=files), result(Outcome.PASSED))
    run_twice_if_inconclusive(SCENARIO, Options(target=COMMAND, artefacts=tmp_path / "call"))
    assert [options.artefacts for options in made] == [tmp_path / "call", tmp_path / "call-2" / "second-run"]


def test_without_a_folder_there_is_none_for_the_second_run(runs: Callable[..., list[Options]]) -> None:
    made = runs(LATE, result(Outcome.PASSED))
    run_twice_if_inconclusive(SCENARIO, Options(target=COMMAND))
    assert [options.artefacts for options in made] == [None, None]


def test_the_report_has_the_failure_of_both_runs() -> None:
    second = result(Outcome.FAILED, what="expect hangs_up")
    lines = "\n".join(report_lines(decided(LATE, second)))
    assert lines.index("step 1 (expect hangs_up)") < lines.index("first run: inconclusive")
    assert lines.index("first run: inconclusive") < lines.index("step 1 (expect bot_speaks)")


def test_the_files_of_both_runs_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A later run replaces both."""
    verdict = OneCall._verdict
    outcomes = [(Outcome.INCONCLUSIVE, ("late",))]
    monkeypatch.setattr(OneCall, "_verdict", lambda *a: outcomes.pop() if outcomes else verdict(*a))
    bot = {"script": [[0.5, "say", "pt-br/pode_subir"]]}
    made = SCENARIO.model_copy(update={"server": bot})
    options = Options(target=IN_PROCESS, artefacts=tmp_path / "run")
    found = run_twice_if_inconclusive(made, options)
    assert found.outcome is Outcome.PASSED
    assert found.first_run is not None
    for run, folder in ((found, tmp_path / "run" / "second-run"), (found.first_run, tmp_path / "run")):
        assert run.artefacts is not None
        assert run.artefacts.call_log == folder / "call.jsonl"
        assert (folder / "call.wav").exists()
    run_twice_if_inconclusive(made, options)
    assert not (tmp_path / "run" / "second-run").exists()
