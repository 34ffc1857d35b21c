"""The plug-in's options and ini keys: prefixed, so that a project of others keeps the names that it has taken."""

from pathlib import Path

import pytest
from helpers.plugin_bench import CALL, TRANSCRIPT, configure, project, run, write

from audiosocket_sim.pytest_plugin.options import INI_KEYS

__all__ = ["project"]

pytest_plugins = ["pytester"]

OWN_OPTIONS = """
def pytest_addoption(parser):
    parser.addoption("--target", default="staging")
    parser.addoption("--peer", default="nobody")
    parser.addoption("--kernel", action="store_true")
    parser.addoption("--real-time", action="store_true")
    parser.addoption("--artefacts")
    parser.addoption("--control-url")
"""
OWN_TEST = """
def test_own(pytestconfig):
    assert pytestconfig.getoption("target") == "production"
    assert pytestconfig.getoption("kernel")
"""


@pytest.mark.long("other options are given")
def test_a_project_keeps_its_own_options_of_our_old_names(project: pytest.Pytester) -> None:
    project.makeconftest(OWN_OPTIONS)
    project.makepyfile(test_own=OWN_TEST)
    both = run(project, "--target", "production", "--kernel", "--peer=nobody", "-p", "no:syrupy")
    both.assert_outcomes(passed=2)


@pytest.mark.every(4)
@pytest.mark.parametrize(
    ("arguments", "old"),
    [
        (["--target", "bot:serve"], "target"),
        (["--target=bot:serve"], "target"),
        (["--real-time"], "real-time"),
        (["--peer", "asterisk"], "peer"),
        (["--kernel"], "kernel"),
        (["--artefacts", "here"], "artefacts"),
        (["--control-url", "http://127.0.0.1:1"], "control-url"),
    ],
)
def test_an_old_option_is_answered_with_its_new_name(arguments: list[str], old: str, project: pytest.Pytester) -> None:
    wrong = run(project, *arguments)
    assert wrong.ret == pytest.ExitCode.USAGE_ERROR
    assert wrong.stderr.lines == [f"ERROR: --{old} is now --audiosocket-{old}", ""]


def test_an_old_option_in_addopts_is_answered_too(project: pytest.Pytester) -> None:
    configure(project, "addopts = --real-time")
    assert run(project).stderr.lines[0] == "ERROR: --real-time is now --audiosocket-real-time"


@pytest.mark.long("options of the command line are tried")
def test_the_ini_keys(project: pytest.Pytester) -> None:
    configure(
        project,
        "audiosocket_target = helpers.scripted_bot:serve",
        "audiosocket_artefacts = out",
        "audiosocket_kernel = true",
    )
    run(project, "-p", "no:syrupy", target=None).assert_outcomes(passed=1)
    assert (project.path / "out" / "scenarios" / "short" / "call.wav").exists()


@pytest.mark.long("quicker tests of this file are run")
def test_the_command_line_goes_before_the_ini_keys(project: pytest.Pytester) -> None:
    configure(project, "audiosocket_target = no_such_bot:serve", "audiosocket_artefacts = out")
    run(project, "-p", "no:syrupy", "--audiosocket-artefacts", "there").assert_outcomes(passed=1)
    assert (project.path / "there" / "scenarios" / "short" / "call.wav").exists()
    assert not (project.path / "out").exists()


@pytest.mark.long("other options are given")
def test_a_phone_of_the_command_line_goes_before_the_scenario_and_its_snapshot(project: pytest.Pytester) -> None:
    write(project, "scenarios/transcripts/short.txt", TRANSCRIPT)
    run(project).assert_outcomes(passed=1)
    run(project, "--audiosocket-ear", "fifo 200ms").assert_outcomes(passed=1)
    log = (project.path / "runs" / "pytest" / "scenarios" / "short" / "call.jsonl").read_text(encoding="utf-8")
    assert '"model": "fifo 200 ms, holds 400 ms"' in log


@pytest.mark.long("phones have their own tests")
def test_a_phone_of_the_ini_key_is_for_scenarios_that_name_none(project: pytest.Pytester) -> None:
    configure(project, "audiosocket_ear = fifo 200ms")
    write(project, "scenarios/own.yaml", CALL.replace("tags:", "ear: asterisk fixed\ntags:").format(tag="own", end=2.5))
    run(project, "-p", "no:syrupy").assert_outcomes(passed=2)
    logs = project.path / "runs" / "pytest" / "scenarios"
    assert '"model": "fifo 200 ms' in (logs / "short" / "call.jsonl").read_text(encoding="utf-8")
    assert '"model": "asterisk fixed 200 ms' in (logs / "own" / "call.jsonl").read_text(encoding="utf-8")


@pytest.mark.long("other options are given")
@pytest.mark.parametrize(
    ("ini", "line"),
    [
        ("audiosocket_target = nothing", "ERROR: audiosocket_target: nothing: expected module:callable, *"),
        ("audiosocket_peer = asterix", "ERROR: audiosocket_peer = asterix: expected simulated or asterisk"),
        ("audiosocket_kernel = perhaps", "ERROR: audiosocket_kernel: invalid truth value 'perhaps'"),
        ("audiosocket_ear = fifo", "ERROR: audiosocket_ear: fifo needs its delay: fifo 120ms"),
        ("audiosocket_snapshots = yes", "ERROR: audiosocket_snapshots = yes: expected optional or required"),
    ],
)
def test_a_wrong_ini_key_is_a_usage_error(ini: str, line: str, project: pytest.Pytester) -> None:
    configure(project, ini)
    wrong = run(project, target=None)
    assert wrong.ret == pytest.ExitCode.USAGE_ERROR
    wrong.stderr.fnmatch_lines([line])


@pytest.mark.every(5)
@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("audiosocket_scenario", "did you mean audiosocket_scenarios?"),
        ("audiosocket-target", "did you mean audiosocket_target?"),
        ("audio_socket_peer", "did you mean audiosocket_peer?"),
        ("audioscoket_snapshots", "did you mean audiosocket_snapshots?"),
        ("audiosocket_xyz", "*audiosocket_*"),
    ],
)
def test_a_misspelt_ini_key_is_a_usage_error(key: str, hint: str, project: pytest.Pytester) -> None:
    line = [f"ERROR: unknown ini key {key}; {hint}"]
    overridden = run(project, "-o", f"{key}=x")
    assert overridden.ret == pytest.ExitCode.USAGE_ERROR
    overridden.stderr.fnmatch_lines(line)
    configure(project, f"{key} = x")
    in_file = run(project)
    assert in_file.ret == pytest.ExitCode.USAGE_ERROR
    in_file.stderr.fnmatch_lines(line)


@pytest.mark.long("other options are given")
def test_an_ini_key_of_others_with_our_prefix_is_theirs(project: pytest.Pytester) -> None:
    configure(project, "audiosocket_scenario = x", "audiosocket_bot = y")
    own = "".join(f"    parser.addini('{key}', 'own')\n" for key in ("audiosocket_scenario", "audiosocket_bot"))
    project.makeconftest(f"def pytest_addoption(parser):\n{own}")
    run(project, "-p", "no:syrupy").assert_outcomes(passed=1)


def test_the_list_of_ini_keys_is_whole(project: pytest.Pytester) -> None:
    described = {line.split()[0] for line in run(project, "--help").outlines if line.startswith("  audiosocket_")}
    assert described == set(INI_KEYS)


@pytest.mark.long("quicker tests of this file are run")
def test_the_target_of_pyproject(project: pytest.Pytester) -> None:
    write(project, "pyproject.toml", '[tool.audiosocket-sim]\ntarget = "helpers.scripted_bot:serve"\n')
    run(project, "-p", "no:syrupy", target=None).assert_outcomes(passed=1)


def test_without_a_target_a_scenario_of_ones_own_fails_and_names_the_three_kinds(project: pytest.Pytester) -> None:
    green: Path = project.path / "test_own.py"
    green.write_text("def test_own(): pass\n", encoding="utf-8")
    without = run(project, "-p", "no:syrupy", target=None)
    without.assert_outcomes(passed=1, failed=1)
    without.stdout.fnmatch_lines(
        ["short: no target: say what the scenario calls (module:callable, 'command: PROGRAM … {port}' or tcp://*"]
    )
    assert "Traceback" not in without.stdout.str()
