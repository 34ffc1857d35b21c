"""Scenarios as pytest tests, in a pytest of their own: what is collected, chosen, compared, and shown when it fails."""

import os
import signal
from itertools import count, repeat
from typing import Any
from xml.etree import ElementTree

import pytest
from helpers import scripted_bot
from helpers.plugin_bench import CALL, TRANSCRIPT, collected, configure, project, run, update, write

from audiosocket_sim.asterisk import CallLeg
from audiosocket_sim.call_log import agreement
from audiosocket_sim.running import call_setup, real_clock, runner
from audiosocket_sim.running.processor_waits import ProcessorWaits

__all__ = ["project"]

pytest_plugins = ["pytester"]


def test_what_is_a_scenario(project: pytest.Pytester) -> None:
    write(project, "scenarios/other.yml")
    write(project, "scenarios/recordings/manifest.yaml", "- file: a.wav\n")
    write(
        project,
        "calls/with_modeline.yaml",
        "# yaml-language-server: $schema=../scenario.schema.json\n" + CALL.format(tag="a", end=1),
    )
    write(project, "calls/docker-compose.yaml", "services: {}\n")
    (project.path / "dangling.yaml").symlink_to("nowhere")
    assert collected(project) == {
        "scenarios/short.yaml::short",
        "scenarios/other.yml::other",
        "calls/with_modeline.yaml::with_modeline",
    }


@pytest.mark.long("the choice of files has its own tests")
def test_chosen_by_file_name_and_tag(project: pytest.Pytester) -> None:
    write(project, "scenarios/long.yaml", tag="slow")
    assert collected(project, "scenarios/long.yaml") == {"scenarios/long.yaml::long"}
    assert collected(project, "-k", "short") == {"scenarios/short.yaml::short"}
    assert collected(project, "--strict-markers", "-m", "slow") == {"scenarios/long.yaml::long"}
    assert collected(project, "scenarios/long.yaml::long") == {"scenarios/long.yaml::long"}


@pytest.mark.long("the shipped scenarios have snapshots")
def test_snapshots_missing_made_kept_and_changed(project: pytest.Pytester) -> None:
    configure(project, "audiosocket_snapshots = required")
    missing = run(project)
    missing.assert_outcomes(failed=1)
    missing.stdout.fnmatch_lines(["*short.yaml: the transcript differs from its snapshot*", "*does not exist*"])
    update(project)
    assert (project.path / "scenarios" / "transcripts" / "short.txt").read_text(encoding="utf-8") == TRANSCRIPT
    run(project).assert_outcomes(passed=1)
    write(project, "scenarios/short.yaml", end=2.7)
    changed = run(project)
    changed.assert_outcomes(failed=1)
    moved = (
        "moved       2.700  end      server hung up*",
        "*200 ms later: 1.890 s after bot “Pode subir.”, 1.690 s before",
    )
    changed.stdout.fnmatch_lines([*moved, "*-*2.500  end*", "*+*2.700  end*"])
    assert changed.ret == pytest.ExitCode.TESTS_FAILED


@pytest.mark.long("scenarios of the usual kinds are collected")
def test_a_snapshot_without_its_scenario_fails_the_whole_run_only(project: pytest.Pytester) -> None:
    write(project, "scenarios/gone.yaml")
    update(project)
    (project.path / "scenarios" / "gone.yaml").unlink()
    unused = run(project)
    unused.stdout.fnmatch_lines(["*1 snapshot unused*"])
    assert unused.ret != 0
    assert run(project, "scenarios/short.yaml").ret == 0


def test_a_failure_shows_the_call_around_it(project: pytest.Pytester) -> None:
    text = CALL.format(tag="quick", end=2.5).replace("bot_says: Pode subir.", "bot_says: Pode descer., within: 3s")
    write(project, "scenarios/short.yaml", text)
    failed = run(project, "--junitxml", "junit.xml")
    failed.assert_outcomes(failed=1)
    failed.stdout.fnmatch_lines(
        [
            "*scenario short*",
            "scenarios/short.yaml:6: short, step 1 (expect bot_says)",
            "  expected  the bot says “Pode descer.”, from 0.000 until 3.000",
            "  happened  0.810 the bot said “Pode subir.”",
            "            2.500 the server hung up (00 00 00)",
            "",
            "*0.810  bot      “Pode subir.”*",
            "*FAILED   step 1 (expect bot_says)*",
            "call log: runs/pytest/scenarios/short/call.jsonl",
            "recording: runs/pytest/scenarios/short/call.wav",
        ]
    )
    assert "Traceback" not in failed.stdout.str()
    assert "pytest_plugin.py" not in failed.stdout.str()
    assert (project.path / "runs/pytest/scenarios/short/call.wav").exists()
    case = ElementTree.parse(project.path / "junit.xml").getroot().find(".//testcase")
    assert case is not None
    assert case.get("name") == "short"
    message = case.find("failure")
    assert message is not None
    assert message.get("message", "").startswith("scenarios/short.yaml:6: short, step 1 (expect bot_says)")
    assert "expected  the bot says “Pode descer.”" in (message.text or "")
    short = next(line for line in failed.outlines if line.startswith("FAILED scenarios/short.yaml::short"))
    assert "scenarios/short.yaml:6" in short


@pytest.mark.long("the writing of JUnit has its own tests")
def test_junit_of_what_passes(project: pytest.Pytester) -> None:
    update(project)
    run(project, "--junitxml", "junit.xml")
    suite = ElementTree.parse(project.path / "junit.xml").getroot().find("testsuite")
    assert suite is not None
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("1", "0", "0")


@pytest.mark.long("scenarios of the usual kinds are collected")
def test_two_scenarios_of_one_name_keep_their_files_apart(project: pytest.Pytester) -> None:
    write(project, "other/scenarios/short.yaml")
    update(project)
    assert {path.parent.relative_to(project.path).as_posix() for path in (project.path / "runs").rglob("call.wav")} == {
        "runs/pytest/scenarios/short",
        "runs/pytest/other/scenarios/short",
    }


@pytest.mark.long("scenarios of the usual kinds are collected")
def test_a_file_that_is_no_scenario_is_named_with_its_lines(project: pytest.Pytester) -> None:
    write(project, "scenarios/wrong.yaml", "summary: A call.\nsteps:\n  - sya: pt-br/sim\n  - wait: 1\n")
    wrong = run(project)
    wrong.assert_outcomes(errors=1)
    wrong.stdout.fnmatch_lines(
        [
            "*ERROR collecting scenarios/wrong.yaml*",
            "*wrong.yaml:3:5: unknown step 'sya'; did you mean 'say'?",
            "*wrong.yaml:4:11: wait: a duration needs a number and a unit*",
        ]
    )
    assert "Traceback" not in wrong.stdout.str()
    assert wrong.ret == pytest.ExitCode.INTERRUPTED


@pytest.mark.long("scenarios of the usual kinds are collected")
def test_without_syrupy_the_steps_are_checked(project: pytest.Pytester) -> None:
    run(project, "-p", "no:syrupy").assert_outcomes(passed=1)
    assert not (project.path / "scenarios" / "transcripts").exists()
    write(
        project,
        "scenarios/short.yaml",
        CALL.format(tag="quick", end=2.5).replace("hangs_up: server", "hangs_up: caller"),
    )
    run(project, "-p", "no:syrupy").assert_outcomes(failed=1)


@pytest.mark.long("pytest itself shares the scenarios out over processes")
def test_shared_out_over_processes(project: pytest.Pytester) -> None:
    (project.path / "scripted_bot.py").symlink_to(scripted_bot.__file__)  # a target in the folder where pytest runs
    for name in ("a", "b", "c"):
        write(project, f"scenarios/{name}.yaml")
    update(project)
    shared = run(project, "-p", "xdist", "-n", "2")
    shared.assert_outcomes(passed=4)
    assert shared.ret == 0


@pytest.mark.every(2)
@pytest.mark.parametrize(
    ("target", "line"),
    [
        ("nothing", "ERROR: --audiosocket-target: nothing: expected module:callable, *"),
        ("command: bot", "ERROR: --audiosocket-target: command: bot: the command needs the placeholder {port}"),
    ],
)
def test_a_target_that_is_none_is_a_usage_error(target: str, line: str, project: pytest.Pytester) -> None:
    wrong = run(project, target=target)
    assert wrong.ret == pytest.ExitCode.USAGE_ERROR
    wrong.stderr.fnmatch_lines([line])
    assert "Traceback" not in wrong.stderr.str() + wrong.stdout.str()


def test_a_target_that_does_not_start(project: pytest.Pytester) -> None:
    wrong = run(project, target="no_such_bot:serve")
    wrong.assert_outcomes(failed=1)
    wrong.stdout.fnmatch_lines(
        ["short: set-up error", "no_such_bot:serve cannot be imported: no module 'no_such_bot' in *"]
    )


def test_a_fault_of_the_simulator_shows_where(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any) -> Any:
        raise AssertionError("inside")

    monkeypatch.setattr(call_setup, "hold_music", broken)
    wrong = run(project)
    wrong.assert_outcomes(failed=1)
    wrong.stdout.fnmatch_lines(
        ["short: set-up error", "the simulator failed: AssertionError('inside')*", "*Traceback*"]
    )
    assert "differs from its snapshot" not in wrong.stdout.str()


@pytest.mark.long("Ctrl-C ends a call")
def test_ctrl_c_ends_the_whole_session(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    write(project, "scenarios/second.yaml")
    begun: list[str] = []
    real = runner.run

    def interrupted(scenario: Any, options: Any, on_entry: Any = None) -> Any:
        begun.append(scenario.name)
        os.kill(os.getpid(), signal.SIGINT)
        return real(scenario, options)

    monkeypatch.setattr(runner, "run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(project)
    assert len(begun) == 1


THREADED = """\
# yaml-language-server: $schema=./scenario.schema.json
summary: A bot that is paced by a thread of its own.
server: {manner: thread}
steps: [{expect: {bot_says: Pode subir., within: 1s}}]
"""


@pytest.mark.long("it is named without the plug-in, and for a call in Python with it")
def test_a_bot_that_cannot_follow_virtual_time_is_named(project: pytest.Pytester) -> None:
    write(project, "scenarios/short.yaml", THREADED)
    result = run(project, target="helpers.clock_bots:serve")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*virtual time cannot follow this bot: its thread «pacer» woke the event loop*"])


@pytest.mark.long("one is named")
@pytest.mark.real_time
def test_a_bot_that_cannot_follow_virtual_time_is_compared_with_nothing(project: pytest.Pytester) -> None:
    write(project, "scenarios/short.yaml", THREADED)
    result = run(project, "--audiosocket-real-time", target="helpers.clock_bots:serve")
    result.assert_outcomes(passed=1)


@pytest.mark.every(2)
@pytest.mark.parametrize("kind", ["async", "a list of steps"])
def test_a_call_in_python_to_a_bot_that_cannot_follow_is_not_judged(kind: str, project: pytest.Pytester) -> None:
    begins, line = {
        "async": ("async def", "await audiosocket_call.expect_says('Pode subir.', within=1)"),
        "a list of steps": ("def", "audiosocket_call.play([{'expect': {'bot_says': 'Pode subir.', 'within': '1s'}}])"),
    }[kind]
    body = f"{begins} test_it(audiosocket_call):\n    {line}\n"
    mark = "import pytest\n@pytest.mark.audiosocket(server={'manner': 'working thread'})\n"
    write(project, "test_threads.py", mark + body)
    result = run(project, "test_threads.py", target="helpers.clock_bots:serve")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*virtual time cannot follow this bot: its thread «synthesiser» worked*"])


@pytest.mark.real_time
@pytest.mark.parametrize("found", [[], ["BotSpoke at 0.810 came much later"]], ids=["the same", "another"])
@pytest.mark.long("the comparison has tests of its own")
def test_in_real_time_calls_are_compared_with_the_virtual_ones(
    found: list[str], project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[list[str]] = []

    def compare(*runs: Any, **options: Any) -> list[str]:
        compared.append([sorted(type(entry.event).__name__ for entry in entries) for entries in runs[:2]])
        return found

    monkeypatch.setattr(agreement, "disagreements", compare)
    write(project, "scenarios/short.yaml", CALL.format(tag="quick", end=1.5).replace("0.5, say", "0, say"))
    result = run(project, "--audiosocket-real-time")
    assert not (project.path / "scenarios" / "transcripts").exists()
    late = "this machine was too late to judge" in result.stdout.str()
    assert compared, "this machine was too late to judge" if late else result.stdout.str()
    virtual, real = compared[0]
    assert [name for name in virtual if name not in ("ExpectationJudged", "WireSummary")] == ["BotSpoke", "CallEnded"]
    assert "CallEnded" in real
    result.assert_outcomes(passed=not found, failed=len(found))
    if found:
        heading = "short: in real time it is another call than in virtual time"
        result.stdout.fnmatch_lines([heading, "BotSpoke at 0.810 came much later"])


@pytest.mark.real_time
@pytest.mark.long("the comparison has tests of its own")
def test_a_machine_that_kept_us_waiting_is_allowed_for_and_asked_once_more(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The packets left in time, and yet HTTP was held up: 40 ms of a tenth of a second, then nothing."""
    allowed: list[float] = []

    def compare(virtual: Any, real: Any, allowance_ms: float, **_: Any) -> list[str]:
        allowed.append(allowance_ms)
        return ["BackendAsked at 4.160 came 50 ms late"] if len(allowed) == 1 else []

    sums = [count(0, 8_000_000), repeat(0)]
    monkeypatch.setattr(real_clock, "ProcessorWaits", lambda: ProcessorWaits(sums.pop(0).__next__))
    monkeypatch.setattr(ProcessorWaits, "most_late_ms", ProcessorWaits.most_ms)  # not what this machine is late by
    monkeypatch.setattr(CallLeg, "own_lateness_ms", 6.0)
    monkeypatch.setattr(agreement, "disagreements", compare)
    write(project, "scenarios/short.yaml", CALL.format(tag="quick", end=1.5).replace("0.5, say", "0, say"))
    run(project, "--audiosocket-real-time").assert_outcomes(passed=1)
    assert allowed == [20 + 6 + 40, 20 + 6]


@pytest.mark.long("snapshots are made, kept and changed")
def test_an_update_deletes_no_snapshot_of_a_scenario_that_is_there(project: pytest.Pytester) -> None:
    update(project)
    kept = project.path / "scenarios" / "transcripts" / "short.txt"
    write(project, "scenarios/short.yaml", CALL.format(tag="quick", end=2.5).replace("Pode subir.}", "Pode descer.}"))
    run(project, "--snapshot-update").assert_outcomes(failed=1)
    assert kept.read_text(encoding="utf-8") == TRANSCRIPT
    write(project, "scenarios/short.yaml")
    write(project, "scenarios/other.yaml")
    update(project)
    (project.path / "scenarios" / "short.yaml").unlink()
    update(project)
    assert not kept.exists()


@pytest.mark.long("scenarios of the usual kinds are collected")
@pytest.mark.parametrize(
    "more",
    [
        (),
        pytest.param(
            ("-p", "xdist", "-n1"), marks=pytest.mark.long("the outcome is sent as all else of a call"), id="xdist"
        ),
    ],
)
def test_an_inconclusive_call_has_a_word_of_its_own_and_counts_as_failed(
    more: tuple[str, ...], project: pytest.Pytester
) -> None:
    conftest = """
import pytest
from audiosocket_sim.running.one_call import OneCall
from audiosocket_sim.running.runner import Outcome

@pytest.fixture(autouse=True)
def busy(monkeypatch):
    monkeypatch.setattr(OneCall, "_verdict", lambda *a: (Outcome.INCONCLUSIVE, ("the machine was busy",)))
"""
    project.makeconftest(conftest)
    result = run(project, "-v", *more)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*INCONCLUSIVE*", "INCONCLUSIVE scenarios/short.yaml::short*"], consecutive=False)
