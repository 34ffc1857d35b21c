"""`pytest --audiosocket-check`: the conformance cases as tests, from one run."""

import planted.handshake  # noqa: F401 - else each session would load it anew, and all that it imports
import pytest
from helpers.plugin_bench import ROOT, project, run

from audiosocket_sim.conformance.cases import catalogue  # noqa: F401 - as above
from audiosocket_sim.conformance.results import failure_text  # noqa: F401
from audiosocket_sim.conformance.stated import ready  # noqa: F401

__all__ = ["project"]
pytest_plugins = ["pytester"]

BOT = """
from planted import good_server
from planted.handshake import OneReadIsTheUuid
from planted.ways import KINDS

started = []


async def serve(**how):
    assert not started, "started twice"
    started.append(how)
    how["settings"] = {**how["settings"], "planted": {"ways": KINDS["sink"], "fault": OneReadIsTheUuid}}
    return await good_server.serve(**how)
"""


@pytest.fixture
def bot(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project with a bot that takes its first read for the UUID. It may be started once."""
    monkeypatch.syspath_prepend(str(ROOT / "tests"))
    (project.path / "bad_bot.py").write_text(BOT, encoding="utf-8")
    return project


def check(project: pytest.Pytester, *arguments: str, target: str | None = "bad_bot:serve") -> pytest.RunResult:
    return run(project, "--audiosocket-check", "--ignore=scenarios", "-p", "no:syrupy", *arguments, target=target)


@pytest.mark.long("quicker tests of this file are run")
def test_each_case_is_a_test_of_one_run(bot: pytest.Pytester) -> None:
    result = check(bot, "-v", "-k", "HS-01 or HS-02")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "audiosocket-check::HS-01 PASSED*",
            "audiosocket-check::HS-02 FAILED*",
            "the UUID in single bytes: keeps the call after a UUID in single bytes, but closed it with a FIN *",
            "  why  * TCP may cut a message anywhere; one read is not one message",
            "  again * pytest --audiosocket-check -k HS-02 --audiosocket-target 'bad_bot:serve'",
        ]
    )


@pytest.mark.long("quicker tests of this file are run")
def test_a_known_failure_is_an_expected_one_and_a_stale_entry_fails(bot: pytest.Pytester) -> None:
    (bot.path / "known.yaml").write_text("HS-01: none\nHS-02: mended soon\n", encoding="utf-8")
    result = check(bot, "-rx", "-k", "HS-01 or HS-02", "--audiosocket-check-known", "known.yaml")
    result.assert_outcomes(failed=1, xfailed=1)
    result.stdout.fnmatch_lines(
        [
            "*XPASS(strict)* it passes, and is listed as known to fail: none",
            "XFAIL audiosocket-check::HS-02 - mended soon",
        ]
    )


def test_a_target_that_takes_no_call_fails_once(bot: pytest.Pytester) -> None:
    result = check(bot, "-k", "HS-01 or HS-02", target="tcp://127.0.0.1:9")
    result.assert_outcomes(failed=1, skipped=1)
    result.stdout.fnmatch_lines(["tcp://127.0.0.1:9: nobody takes a call at 127.0.0.1:9: *"])


@pytest.mark.every(2)
@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("--audiosocket-check-known", "none.yaml"), "none.yaml: No such file or directory"),
        (("--audiosocket-check-config", "none.yaml"), "none.yaml: No such file or directory"),
    ],
)
def test_what_is_wrong_is_a_usage_error(bot: pytest.Pytester, arguments: tuple[str, ...], line: str) -> None:
    result = check(bot, *arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {line}"])


def test_a_target_is_needed(bot: pytest.Pytester) -> None:
    result = check(bot, target=None)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --audiosocket-check needs a target: --audiosocket-target, *"])


def test_workers_that_would_each_make_a_run_are_refused(bot: pytest.Pytester) -> None:
    result = check(bot, "-p", "xdist.plugin", "-n", "2")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --audiosocket-check makes one run for all its tests, and --dist load would *"])


def test_without_the_option_there_are_no_cases(bot: pytest.Pytester) -> None:
    result = run(bot, "--ignore=scenarios", "-p", "no:syrupy", target="bad_bot:serve")
    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED
