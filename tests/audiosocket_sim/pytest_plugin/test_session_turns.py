"""What was measured of turn-taking over all calls of a session: the line, the file, the limits; also over processes."""

import json
from typing import Any

import pytest
from helpers import scripted_bot
from helpers.plugin_bench import configure, project, run, write

__all__ = ["project"]

pytest_plugins = ["pytester"]

ANSWERED = """
summary: An answer.
server: {script: [[3, say, pt-br/pode_subir], [5, hang_up]]}
steps:
  - say: pt-br/sim
  - expect: {responds: 5s}
"""
IN_PYTHON = """
import pytest

ANSWERED = [[3, "say", "pt-br/pode_subir"], [5, "hang_up"]]


@pytest.mark.audiosocket(server={"script": ANSWERED})
async def test_a_call(audiosocket_call):
    await audiosocket_call.say("pt-br/sim")
    await audiosocket_call.expect_responds(5)


@pytest.mark.audiosocket(server={"script": ANSWERED})
def test_two_calls(audiosocket_call):
    for _ in range(2):
        audiosocket_call.play([{"say": "pt-br/sim"}, {"expect": {"responds": "5s"}}])
"""


def summary(project: pytest.Pytester) -> Any:
    return json.loads((project.path / "runs/pytest/turn_taking.json").read_text(encoding="utf-8"))


@pytest.mark.long("a limit of the session is broken")
@pytest.mark.parametrize(
    "processes",
    [
        pytest.param((), id="one process"),
        pytest.param(
            ("-p", "xdist", "-n", "2"),
            id="two",
            marks=pytest.mark.long("what one process sends to another is tried alone"),
        ),
    ],
)
def test_all_calls_are_put_together_in_a_line_and_a_file(processes: tuple[str, ...], project: pytest.Pytester) -> None:
    (project.path / "scripted_bot.py").symlink_to(scripted_bot.__file__)  # a target in the folder where pytest runs
    (project.path / "scenarios/short.yaml").unlink()
    for name in ("a", "b"):
        write(project, f"scenarios/{name}.yaml", ANSWERED)
    write(project, "test_calls.py", IN_PYTHON)
    limit = "response_p95: 1.86s, interruptions_by_bot: 0"
    done = run(project, "-p", "no:syrupy", "--audiosocket-turn-taking", limit, *processes, ".")
    done.assert_outcomes(passed=4)
    line = "turn-taking in 5 calls: response p50 1.85 s, p95 1.85 s (5); interruptions by the bot 0"
    done.stdout.fnmatch_lines([line])
    assert done.ret == 0
    found = summary(project)
    assert (found["version"], found["calls"], found["responses"]["window_ms"]) == (4, 5, 10_000)
    assert found["responses"]["rate"] is None


@pytest.mark.long("a limit of turns has its own tests")
def test_a_limit_of_the_session_fails_it_though_all_tests_pass(project: pytest.Pytester) -> None:
    write(project, "scenarios/short.yaml", ANSWERED)
    configure(project, "audiosocket_turn_taking = {response_p95: 1.8s}")
    done = run(project, "-p", "no:syrupy")
    done.assert_outcomes(passed=1)
    assert done.ret == pytest.ExitCode.TESTS_FAILED
    done.stdout.fnmatch_lines(
        ["FAILED: turn_taking: response_p95: expected 1.80 s at the most; it was 1.85 s, of 1 turn"]
    )


@pytest.mark.long("a limit of the session is broken")
def test_without_a_turn_there_is_no_line(project: pytest.Pytester) -> None:
    done = run(project, "-p", "no:syrupy")
    assert "turn-taking" not in done.stdout.str()
    assert summary(project)["responses"]["p95_ms"] is None


@pytest.mark.long("a limit of turns has its own tests")
def test_a_session_without_a_verdict_leaves_no_older_file(project: pytest.Pytester) -> None:
    write(project, "runs/pytest/turn_taking.json", "{}")
    write(project, "test_own.py", "def test_own(): pass\n")
    run(project, "-p", "no:syrupy", "test_own.py")
    assert summary(project) == {}  # no call was made
    write(project, "scenarios/short.yaml", ANSWERED + "before: {get: '{control_url}/'}\n")
    done = run(project, "-p", "no:syrupy")
    done.assert_outcomes(passed=1, failed=1)
    assert "turn-taking" not in done.stdout.str().partition("phone calls")[2]
    assert not (project.path / "runs/pytest/turn_taking.json").exists()


@pytest.mark.long("quicker tests of this file are run")
def test_a_file_that_cannot_be_written_is_named(project: pytest.Pytester) -> None:
    write(project, "scenarios/short.yaml", ANSWERED)
    write(project, "runs/pytest/turn_taking.json/in_the_way", "")
    run(project, "-p", "no:syrupy").stdout.fnmatch_lines(["cannot write to *turn_taking.json*"])


@pytest.mark.parametrize("given", ["option", "ini"])
def test_wrong_limits_are_a_usage_error(given: str, project: pytest.Pytester) -> None:
    if given == "ini":
        configure(project, "audiosocket_turn_taking = respons_p95: 1s")
    option = ("--audiosocket-turn-taking", "respons_p95: 1s") if given == "option" else ()
    wrong = run(project, *option)
    assert wrong.ret == pytest.ExitCode.USAGE_ERROR
    source = "--audiosocket-turn-taking" if given == "option" else "audiosocket_turn_taking"
    wrong.stderr.fnmatch_lines([f"ERROR: {source}: unknown key 'respons_p95'; did you mean 'response_p95'?"])
