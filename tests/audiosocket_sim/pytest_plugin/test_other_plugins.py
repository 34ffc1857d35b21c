"""Scenarios beside pytest's own features and other plug-ins: repetitions, last failed, reruns, junit, html, GitHub."""

import os
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from helpers.plugin_bench import CALL, TRANSCRIPT, configure, project, run, update, write

from audiosocket_sim.running import runner

__all__ = ["project"]

pytest_plugins = ["pytester"]

PASSES = CALL.format(tag="quick", end=2.5)
FAILS = PASSES.replace("hangs_up: server", "hangs_up: caller")

pytestmark = pytest.mark.long("the plug-in is tried without others")


@pytest.fixture
def calls_made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The name of each scenario, once for each call that was really made."""
    made: list[str] = []
    real = runner.run

    def counted(scenario: runner.Scenario, options: runner.Options, on_entry: Any = None) -> runner.Result:
        made.append(scenario.name)
        return real(scenario, options)

    monkeypatch.setattr(runner, "run", counted)
    return made


def plain(project: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return run(project, "-p", "no:syrupy", *arguments)


# --- pytest-repeat


def test_count_makes_the_call_so_often(project: pytest.Pytester, calls_made: list[str]) -> None:
    repeated = plain(project, "-p", "pytest_repeat", "--count", "3", "-v")
    repeated.assert_outcomes(passed=3)
    assert calls_made == ["short"] * 3
    repeated.stdout.fnmatch_lines(["*short.yaml::short[[]1-3[]] PASSED*", "*short[[]3-3[]] PASSED*", "3 calls of *"])
    kept = sorted(path.parent.name for path in (project.path / "runs").rglob("call.wav"))
    assert kept == ["short", "short-2", "short-3"]


@pytest.mark.long("repetitions are counted and kept")
def test_repetitions_share_one_snapshot(project: pytest.Pytester) -> None:
    update(project)
    run(project, "-p", "pytest_repeat", "--count", "3").assert_outcomes(passed=3)
    write(project, "scenarios/short.yaml", end=2.7)
    run(project, "-p", "pytest_repeat", "--count", "3").assert_outcomes(failed=3)
    run(project, "-p", "pytest_repeat", "--count", "3", "--snapshot-update").assert_outcomes(passed=3)
    names = [path.name for path in (project.path / "scenarios" / "transcripts").iterdir()]
    assert names == ["short.txt"]


def test_a_count_of_somebody_elses_is_not_ours(project: pytest.Pytester, calls_made: list[str]) -> None:
    project.makeconftest("def pytest_addoption(parser): parser.addoption('--count', default='many')\n")
    plain(project, "--count", "all").assert_outcomes(passed=1)
    assert calls_made == ["short"]


# --- last failed, reruns


def test_last_failed_runs_the_failed_one(project: pytest.Pytester, calls_made: list[str]) -> None:
    write(project, "scenarios/wrong.yaml", FAILS)
    plain(project).assert_outcomes(passed=1, failed=1)
    calls_made.clear()
    plain(project, "--lf").assert_outcomes(failed=1)
    assert calls_made == ["wrong"]


def test_reruns_make_the_call_again(project: pytest.Pytester, calls_made: list[str]) -> None:
    write(project, "scenarios/short.yaml", FAILS)
    again = plain(project, "-p", "pytest_rerunfailures", "--reruns", "2")
    again.assert_outcomes(failed=1)
    assert calls_made == ["short"] * 3
    again.stdout.fnmatch_lines(["1 call of helpers.scripted_bot:serve*", "*1 failed, 2 rerun*"])


def test_a_rerun_that_passes_is_green(
    project: pytest.Pytester, calls_made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = runner.run

    def mended(scenario: runner.Scenario, options: runner.Options, on_entry: Any = None) -> runner.Result:
        if calls_made:
            scenario = runner_scenario(project)
        return counted(scenario, options)

    def runner_scenario(project: pytest.Pytester) -> runner.Scenario:
        from audiosocket_sim.scenario.loading import load

        return load(write(project, "scenarios/short.yaml", PASSES))

    monkeypatch.setattr(runner, "run", mended)
    write(project, "scenarios/short.yaml", FAILS)
    again = plain(project, "-p", "pytest_rerunfailures", "--reruns", "2", "--junitxml", "junit.xml")
    again.stdout.fnmatch_lines(["*1 passed, 1 rerun*"])
    assert properties(project.path / "junit.xml")["audiosocket_outcome"] == "passed"


def test_a_rerun_forgets_where_the_one_before_failed(
    project: pytest.Pytester, calls_made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = runner.run

    def breaks(scenario: runner.Scenario, options: runner.Options, on_entry: Any = None) -> runner.Result:
        if calls_made:
            raise RuntimeError("broken")
        return counted(scenario, options)

    monkeypatch.setattr(runner, "run", breaks)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)
    write(project, "scenarios/short.yaml", FAILS)
    again = plain(project, "-p", "pytest_rerunfailures", "--reruns", "1")
    (line,) = [line for line in again.outlines if line.startswith("::")]
    assert line.startswith("::error file=scenarios/short.yaml,line=1,title=short%3A failed::")


# --- reports


def properties(path: Path) -> dict[str, str]:
    """Those of the last attempt: pytest-rerunfailures leaves a test case for each."""
    found = ElementTree.parse(path).getroot().findall(".//testcase")[-1].findall("properties/property")
    named = {str(one.get("name")): str(one.get("value")) for one in found}
    assert len(named) == len(found)  # once each
    return named


IN_A_WORKER = pytest.param(
    ["-p", "xdist", "-n", "1"], id="in a worker", marks=pytest.mark.long("a failure in a worker is annotated")
)


@pytest.mark.parametrize(("text", "outcome"), [(PASSES, "passed"), (FAILS, "failed")])
@pytest.mark.parametrize("workers", [pytest.param([], id="here"), IN_A_WORKER])
def test_the_target_stands_in_junit(text: str, outcome: str, workers: list[str], project: pytest.Pytester) -> None:
    write(project, "scenarios/short.yaml", text)
    plain(project, "--junitxml", "junit.xml", *workers)
    assert properties(project.path / "junit.xml") == {
        "audiosocket_target": "helpers.scripted_bot:serve",
        "audiosocket_outcome": outcome,
    }


def test_the_target_stands_in_header_failure_and_summary(project: pytest.Pytester) -> None:
    write(project, "scenarios/short.yaml", FAILS)
    plain(project).stdout.fnmatch_lines(
        [
            "audiosocket target: helpers.scripted_bot:serve (--audiosocket-target)",
            "target: helpers.scripted_bot:serve (--audiosocket-target)",
            "1 call of helpers.scripted_bot:serve (--audiosocket-target)",
        ]
    )


def test_pytest_html_shows_target_and_call(project: pytest.Pytester) -> None:
    write(project, "scenarios/short.yaml", FAILS)
    shown = ["-p", "pytest_metadata.plugin", "-p", "pytest_html.plugin", "--html", "report.html"]
    plain(project, *shown, "--self-contained-html").assert_outcomes(failed=1)
    page = (project.path / "report.html").read_text(encoding="utf-8")
    assert "AudioSocket target" in page
    assert "helpers.scripted_bot:serve (--audiosocket-target)" in page
    assert "scenarios/short.yaml::short" in page
    assert "Pode subir." in page


@pytest.mark.long("GitHub's lines are tried alone")
@pytest.mark.parametrize("workers", [[], ["-p", "xdist", "-n", "1"]], ids=["here", "in a worker"])
def test_in_a_job_of_github(workers: list[str], project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    summary = project.path / "summary.md"
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)
    write(project, "scenarios/wrong.yaml", FAILS)
    lines = [line for line in plain(project, *workers).outlines if line.startswith("::")]
    assert len(lines) == 1
    assert lines[0].startswith(
        "::error file=scenarios/wrong.yaml,line=7,title=wrong%3A failed::scenarios/wrong.yaml:7: "
    )
    text = summary.read_text(encoding="utf-8")
    assert "2 scenarios: 1 failed, 1 passed" in text
    assert "| short | passed |" in text


def test_a_file_that_is_not_valid_is_annotated(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)
    write(project, "scenarios/wrong.yaml", "summary: A call.\nsteps:\n  - sya: pt-br/sim\n")
    lines = [line for line in plain(project).outlines if line.startswith("::")]
    assert [line.split("::")[1] for line in lines] == ["error file=scenarios/wrong.yaml,line=3,title=wrong%3A invalid"]


# --- snapshots


def test_a_snapshot_that_is_not_there_fails_nothing_and_is_mentioned_once(project: pytest.Pytester) -> None:
    write(project, "scenarios/other.yaml")
    lacking = run(project)
    lacking.assert_outcomes(passed=2)
    assert lacking.ret == 0
    text = lacking.stdout.str()
    assert text.count("no snapshot of the transcript yet: other, short (--snapshot-update writes them)") == 1
    assert text.count("snapshot of the transcript") == 1
    assert not (project.path / "scenarios" / "transcripts").exists()


def test_update_writes_what_is_not_there(project: pytest.Pytester) -> None:
    written = run(project, "--snapshot-update")
    written.assert_outcomes(passed=1)
    assert "no snapshot" not in written.stdout.str()
    assert (project.path / "scenarios" / "transcripts" / "short.txt").read_text(encoding="utf-8") == TRANSCRIPT


def test_one_that_is_there_is_compared(project: pytest.Pytester) -> None:
    update(project)
    write(project, "scenarios/other.yaml")
    write(project, "scenarios/short.yaml", end=2.7)
    run(project).assert_outcomes(passed=1, failed=1)


def test_a_required_one_that_is_not_there_fails(project: pytest.Pytester) -> None:
    configure(project, "audiosocket_snapshots = required")
    run(project).assert_outcomes(failed=1)


@pytest.mark.parametrize("syrupy", [[], ["-p", "no:syrupy"]], ids=["with syrupy", "without"])
def test_a_transcript_of_a_scenario_that_is_gone_is_reported(syrupy: list[str], project: pytest.Pytester) -> None:
    write(project, "scenarios/gone.yaml")
    update(project)
    (project.path / "scenarios" / "gone.yaml").unlink()
    (project.path / "scenarios" / "transcripts" / "notes.txt").write_text("not ours\n", encoding="utf-8")
    left = run(project, *syrupy)
    left.stdout.fnmatch_lines(["transcripts without a scenario: scenarios/transcripts/gone.txt"])
    (project.path / "scenarios" / "short.yaml").unlink()
    only = run(project, *syrupy, "--snapshot-update") if not syrupy else run(project, *syrupy)
    assert "scenarios/transcripts/gone.txt" in only.stdout.str()  # also where no scenario is left


def test_outside_of_github_nothing_is_annotated(project: pytest.Pytester) -> None:
    assert "GITHUB_ACTIONS" not in os.environ
    write(project, "scenarios/short.yaml", FAILS)
    assert not [line for line in plain(project).outlines if line.startswith("::")]
