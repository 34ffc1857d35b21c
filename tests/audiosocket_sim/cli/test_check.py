"""`check` as a person meets it: what is printed, the files, the exit codes. Virtual time; a few cases at a time."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from audiosocket_sim.cli.main import main
from audiosocket_sim.conformance.suite import Suite, run_suite
from audiosocket_sim.conformance.verdicts import CaseResult

FINE, FAILED, USAGE, SET_UP, INCONCLUSIVE = range(5)
BOT = """
from planted import good_server
from planted.{module} import {fault}
from planted.ways import KINDS


async def serve(**how):
    how["settings"] = {{**how["settings"], "planted": {{"ways": KINDS["sink"], "fault": {fault}}}}}
    return await good_server.serve(**how)
"""


def bot(folder: Path, module: str = "good_server", fault: str = "Call") -> str:
    """Write a bot into the folder, and return its name as a target. Without a fault it is a good one."""
    name = f"bot_{fault.lower()}_{abs(hash(str(folder)))}"
    (folder / f"{name}.py").write_text(BOT.format(module=module, fault=fault), encoding="utf-8")
    return f"{name}:serve"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def faulty(folder: Path) -> str:
    return bot(folder, "handshake", "OneReadIsTheUuid")


def check(*more: str) -> int:
    return main(["check", *more])


def test_a_good_bot_passes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check("--target", bot(folder), "--only", "HS-01,HS-02") == FINE
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith("check  bot_call_")
    assert out[0].endswith("(--target)")
    assert out[1] == "  calls        6 to find out what it can do, then 2 at most"
    assert "calls cost money where the bot asks a paid service" in out[2]
    assert any(line.startswith("  it           serves two calls at once; ") for line in out)
    assert "  runs         2 of 2 cases, 2 calls, 24 cases at once, in virtual time" in out
    assert out[-1].startswith("passed: 2 passed; ")
    assert out[-1].endswith(" statements judged in 8 calls")
    assert out[-2].split() == ["HS", "handshake", "2", "·", "·", "·", "·"]


@pytest.mark.long("quicker tests of this file are run")
def test_a_failure_is_told_with_its_bytes_and_how_to_repeat_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = faulty(folder)
    assert check("--target", target, "--only", "HS-02") == FAILED
    out = capsys.readouterr().out
    assert "✗ HS-02  FAIL  the UUID in single bytes  (must; behaviour pass, ending fail)\n" in out
    assert "  good         a good server waits for all of it and serves the call\n" in out
    assert "  required     keeps the call after a UUID in single bytes\n" in out
    assert "  seen         closed it with a FIN 0.00 s after it was connected\n" in out
    assert "▸        0.000  server closes the connection (FIN)\n" in out
    assert "  why          TCP may cut a message anywhere; one read is not one message\n" in out
    assert "  read         docs/protocol.md, section " in out
    assert f" check --target {target} --only HS-02\n" in out
    assert out.splitlines()[-1].startswith("FAILED: 0 passed, 1 failed; ")


@pytest.mark.long("quicker tests of this file are run")
def test_known_failures_must_fail(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check("--target", faulty(folder), "--only", "HS-02", "--write-known-failing", "known.yaml") == FAILED
    assert "  known        known.yaml\n" in capsys.readouterr().out
    text = Path("known.yaml").read_text(encoding="utf-8")
    assert text.endswith(
        "HS-02: 'keeps the call after a UUID in single bytes, but closed it with a FIN 0.00 s after it was connected'\n"
    )
    assert check("--target", faulty(folder), "--only", "HS-0[12]", "--known-failing", "known.yaml") == FINE
    assert capsys.readouterr().out.splitlines()[-1].startswith("passed: 1 passed, 1 failed as expected; ")
    assert check("--target", bot(folder), "--only", "HS-02", "--known-failing", "known.yaml") == FAILED
    out = capsys.readouterr().out
    assert "✗ HS-02  unexpected pass" in out
    assert out.splitlines()[-1].startswith("FAILED: 0 passed, 1 passed though known to fail; ")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("# none\nHS-2: it is so\n", "known.yaml:2:1: no case 'HS-2'; did you mean HS-02?"),
        ("HS-02:\n", "known.yaml:1:1: HS-02: expected the reason, in words"),
        ("- HS-02\n", "known.yaml:1:1: expected a line `id: reason` for each case, such as `AO-03: …`"),
    ],
)
def test_a_wrong_list_of_known_failures_is_a_usage_error(
    folder: Path, capsys: pytest.CaptureFixture[str], text: str, line: str
) -> None:
    Path("known.yaml").write_text(text, encoding="utf-8")
    assert check("--target", bot(folder), "--known-failing", "known.yaml") == USAGE
    assert capsys.readouterr().err == f"{line}\n"


@pytest.mark.long("quicker tests of this file are run")
def test_a_run_is_what_the_next_one_is_held_to(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check("--target", faulty(folder), "--only", "HS-0[12]", "--json", "run.json") == FAILED
    assert check("--target", faulty(folder), "--only", "HS-0[12]", "--expect", "run.json") == FINE
    assert "all cases came out as in run.json\n" in capsys.readouterr().out
    assert check("--target", bot(folder), "--only", "HS-0[12]", "--expect", "run.json") == FAILED
    assert "  HS-02: pass, and fail in that run\n" in capsys.readouterr().out


def test_what_is_no_run_cannot_be_expected(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("run.json").write_text("{}", encoding="utf-8")
    assert check("--target", bot(folder), "--expect", "run.json") == USAGE
    assert capsys.readouterr().err == "run.json: not a run: expected what `check --json` writes\n"


@pytest.mark.long("quicker tests of this file are run")
def test_the_run_as_json_alone_on_stdout(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check("--target", faulty(folder), "--only", "HS-0[12]", "--json", "-", "--seed", "7") == FAILED
    captured = capsys.readouterr()
    run = json.loads(captured.out)
    assert run["exit_code"] == FAILED
    assert run["clock"] == "virtual"
    assert run["seed"] == 7
    assert run["counts"]["fail"] == 1
    assert run["counts"]["pass"] == 1
    good, bad = run["cases"]
    assert (good["id"], good["outcome"], good["around"]) == ("HS-01", "pass", [])
    assert (bad["outcome"], bad["behaviour"], bad["ending"]) == ("fail", "pass", "fail")
    around = bad["around"][0]
    assert around["lines"][around["here"]]["words"] == "closes the connection (FIN)"
    assert "FAILED: 1 passed, 1 failed" in captured.err


def test_nobody_at_the_address_is_a_fault_of_the_set_up(capsys: pytest.CaptureFixture[str]) -> None:
    assert check("--target", "tcp://127.0.0.1:9", "--only", "HS-01") == SET_UP
    assert "tcp://127.0.0.1:9: nobody takes a call at 127.0.0.1:9: " in capsys.readouterr().err


@pytest.mark.every(3)
@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--only", "HS-2"], "--only: no case HS-2; the nearest is HS-"),
        (["--explain", "HSS-02"], "--explain: no case HSS-02; the nearest is HS-02"),
        ([], "no target: say which bot to call (module:callable, "),
        (["--target", "nonsense"], "nonsense: expected module:callable, "),
        (["--target", "tcp://127.0.0.1:9", "--config", "no.yaml"], "no.yaml: No such file or directory"),
        (["--target", "tcp://127.0.0.1:9", "--known-failing", "no.yaml"], "no.yaml: No such file or directory"),
        (["--target", "tcp://127.0.0.1:9", "--known-failing", "."], ".: Is a directory"),
        (["--target", "tcp://127.0.0.1:9", "--replay", "no.yaml"], "no.yaml: cannot be read: No such file"),
        (["--target", "tcp://127.0.0.1:9", "--cases", "none"], "none: no such folder (--cases)"),
        (["--target", "tcp://127.0.0.1:9", "--expect", "no.json"], "no.json: No such file or directory"),
    ],
)
def test_wrong_arguments_are_one_line(capsys: pytest.CaptureFixture[str], arguments: list[str], line: str) -> None:
    assert check(*arguments) == USAGE
    captured = capsys.readouterr()
    assert captured.err.startswith(line)
    assert captured.err.count("\n") == 1
    assert captured.out == ""


@pytest.mark.long("quicker tests of this file are run")
def test_the_target_is_that_of_pyproject(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = f'[tool.audiosocket-sim]\ntarget = "{bot(folder)}"\n'
    Path("pyproject.toml").write_text(text, encoding="utf-8")
    Path("check.yaml").write_text("features: {wideband: false}\nlimits: {answers_within: 8s}\n", encoding="utf-8")
    assert check("--only", "HS-01") == FINE
    out = capsys.readouterr().out
    assert "(pyproject.toml, [tool.audiosocket-sim])" in out
    assert "  stated       in check.yaml\n" in out
    assert "takes audio of more than 8 kHz, and answers it (stated)" in " ".join(out.split())


@pytest.mark.every(3)
@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("features:\n  echos: true\n", "check.yaml:2:3: unknown key 'echos'; did you mean 'echoes'?"),
        ("features:\n  echoes: 1\n", "check.yaml:2:11: echoes: "),
        ("roles:\n  echo: {}\n", "check.yaml:2:9: echo: needs `uuid:` or `port:`, or both"),
        ("roles:\n  echo: {uuid: me}\n", "check.yaml:2:16: uuid: expected a UUID such as "),
        ("limits: {answers_within: 3}\n", "check.yaml:1:26: answers_within: "),
        ("", "check.yaml:1:1: empty: expected `roles:`, `features:` or `limits:`"),
    ],
)
def test_what_is_wrong_in_check_yaml_has_its_line(
    folder: Path, capsys: pytest.CaptureFixture[str], text: str, line: str
) -> None:
    Path("check.yaml").write_text(text, encoding="utf-8")
    assert check("--target", bot(folder)) == USAGE
    assert capsys.readouterr().err.startswith(line)


def test_the_list_and_one_case_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert check("--list") == FINE
    out = capsys.readouterr().out
    assert "HS  handshake\n" in out
    assert "  HS-02  must    the UUID in single bytes\n" in out
    assert check("--explain", "hs-02") == FINE
    out = capsys.readouterr().out
    assert "HS-02  the UUID in single bytes  (must; handshake)\n" in out
    assert "1. sends the UUID a byte at a time, 50 ms apart\n" in out


def test_a_file_that_cannot_be_written_is_a_fault_of_the_set_up(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check("--target", bot(folder), "--only", "HS-01", "--json", "none/run.json") == SET_UP
    out, err = capsys.readouterr()
    assert err == "cannot write to none/run.json: there is no folder none\n"
    assert out == ""  # no call was made, as calls cost money


@pytest.mark.long("quicker tests of this file are run")
def test_in_a_job_of_github_failures_are_annotations(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "summary.md")
    assert check("--target", faulty(folder), "--only", "HS-0[12]") == FAILED
    line = "::error title=HS-02 the UUID in single bytes%3A failed::keeps the call after a UUID in single bytes, but "
    assert line in capsys.readouterr().err
    summary = Path("summary.md").read_text(encoding="utf-8")
    assert "2 cases: 1 failed, 1 passed" in summary
    assert "| case | outcome | reason | target |" in summary


@pytest.mark.long("Ctrl-C says how far it came")
def test_ctrl_c_shows_what_was_found(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(suite: Suite, *, on_result: Callable[[CaseResult], None], **others: object) -> None:
        run_suite(suite, on_result=on_result)
        raise KeyboardInterrupt

    monkeypatch.setattr("audiosocket_sim.cli.check.run_suite", interrupted)
    target = faulty(folder)
    assert check("--target", target, "--only", "HS-0[12]") == INCONCLUSIVE
    out, err = capsys.readouterr()
    assert "✗ HS-02  FAIL  the UUID in single bytes  (must; behaviour pass, ending fail)\n" in out
    assert f" check --target {target} --only HS-02\n" in out
    assert err == "interrupted, after 2 of 2 cases\n"


@pytest.mark.long("the order of the cases is tried, and a good bot is checked")
def test_of_a_bot_that_takes_one_call_the_first_failure_is_shown_at_once(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "check.yaml").write_text("limits: {calls_at_once: 1}\n", encoding="utf-8")
    assert check("--target", faulty(folder), "--only", "HS-0[12]") == FAILED
    out = capsys.readouterr().out
    assert ", 2 calls, one after the other, the likeliest to fail first, in virtual time\n" in out
    as_it_came, _, at_the_end = out.partition("again        ")
    assert "  seen         closed it with a FIN 0.0" in as_it_came
    assert "  seen         closed it with a FIN 0.0" in at_the_end


def test_ctrl_c_says_how_far_it_came(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(suite: object, **callbacks: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("audiosocket_sim.cli.check.run_suite", interrupted)
    assert check("--target", bot(folder), "--only", "HS-0[12]") == INCONCLUSIVE
    assert capsys.readouterr().err == "interrupted, after 0 of 2 cases\n"


@pytest.mark.long("quicker tests of this file are run")
def test_the_files_that_are_asked_for(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = ("--junit", "check.xml", "--badge", "badge.json", "--page", "check.html")
    assert check("--target", faulty(folder), "--only", "HS-0[12]", *files) == FAILED
    out = capsys.readouterr().out
    assert "  junit        check.xml\n  badge        badge.json\n  page         check.html\nFAILED: " in out
    assert '<testsuite name="HS handshake" tests="2" failures="1"' in Path("check.xml").read_text(encoding="utf-8")
    assert json.loads(Path("badge.json").read_text(encoding="utf-8"))["message"] == "1 of 2 pass, 1 fail"
    assert "1 case of 2 fails" in Path("check.html").read_text(encoding="utf-8")


@pytest.mark.long("quicker tests of this file are run")
def test_what_has_one_cause_is_shown_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check("--target", faulty(folder), "--only", "HS-02,HS-16") == FAILED
    out = capsys.readouterr().out
    assert out.count("  why          ") == 1
    assert "  the same     HS-16 the UUID as header and payload\n" in out


@pytest.mark.long("quicker tests of this file are run")
def test_a_run_in_which_nothing_was_judged_is_no_pass(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check("--target", bot(folder), "--only", "DT-01") == INCONCLUSIVE
    out = capsys.readouterr().out
    assert "  DT-01: check.yaml states no role dtmf: a server that plays a sound for each key\n" in out
    assert out.splitlines()[-1] == "inconclusive: 0 passed, 1 not run; 0 statements judged in 6 calls"
