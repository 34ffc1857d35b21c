"""The command line as a person meets it: what is printed, and the exit code. Bad input is one clear line."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from audiosocket_sim.asterisk import CallLeg
from audiosocket_sim.asterisk_real import Installation
from audiosocket_sim.checks.lateness import LateBy, LatenessRecord, WasLate
from audiosocket_sim.cli.main import main
from audiosocket_sim.running.call_fixture import CallFixture

ROOT = Path(__file__).resolve().parents[3]

PICKY = """
class Refused(ValueError):
    keys, words = [("log", "folder")], ["folder: is missing"]


async def serve(**_):
    raise Refused("nowhere to log to")
"""
PYPROJECT = '[tool.audiosocket-sim]\ntarget = "audiosocket_server:serve"\n'
SHORT = """
summary: A short call.
server: {greeting: {delay_seconds: 0.2}}
steps:
  - expect: {bot_speaks: {at_least: 300ms}, within: 2s}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
    return tmp_path


def write(folder: Path, text: str, name: str = "call.yaml") -> str:
    (folder / name).write_text(text, encoding="utf-8")
    return name


def test_a_call_that_passes_says_where_its_files_lie(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", write(folder, SHORT)]) == 0
    out = capsys.readouterr().out
    assert "call · Asterisk 22.10, app · µ-law" in out
    assert "STANDBY → IA_TURN" in out
    assert "passed: call" in out
    for name in ("transcript.txt", "call.jsonl", "call.wav"):
        assert (folder / "runs" / "call" / name).stat().st_size > 40
        assert f"runs/call/{name}" in out


def test_a_bare_name_is_found_in_scenarios(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "hang_up_in_standby.yaml"]) == 0
    assert "caller hung up" in capsys.readouterr().out


def test_json_alone_on_stdout(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--json", write(folder, SHORT)]) == 0
    captured = capsys.readouterr()
    told = json.loads(captured.out)
    assert told["outcome"] == "passed"
    assert told["events"][0] == {
        "at_ms": 200,
        "source": "state",
        "type": "StateTold",
        "before": "STANDBY",
        "after": "IA_TURN",
    }
    assert "passed: call" in captured.err


@pytest.mark.long("quicker tests of this file are run")
def test_a_failure_is_told_below_the_call(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = SHORT + '  - expect: {bot_says: "Boa noite.", within: 3s}\n'
    assert main(["run", write(folder, wrong)]) == 1
    out = capsys.readouterr().out
    assert "FAILED: call" in out
    assert out.count("“Condomínio Apoena, em que posso ajudar?”") == 2  # in the call, and in what was instead
    assert (folder / "runs" / "call" / "call.jsonl").read_text(encoding="utf-8").count("StepFailed") == 1


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("summary: [\n", "call.yaml:"),
        ("summary: A call.\nstep: []\n", "call.yaml:2:1: "),
        ("summary: A call.\nsteps:\n  - say: pt-br/sinn\n", "call.yaml:3:"),
        ("summary: A call.\nsteps:\n  - expect: {bot_sais: Oi}\n", "bot_says"),
        ("summary: A call.\nsteps:\n  - wait: 3\n", "a duration needs a number and a unit"),
    ],
)
def test_an_invalid_scenario_is_named_with_its_line(
    folder: Path, capsys: pytest.CaptureFixture[str], text: str, line: str
) -> None:
    assert main(["run", write(folder, text)]) == 2
    captured = capsys.readouterr()
    assert line in captured.err
    assert "Traceback" not in captured.err
    assert captured.out == ""


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--asterisk-version", "22.10"], "--asterisk-version names a real Asterisk: it needs --peer asterisk"),
        (
            ["--peer", "asterisk", "--asterisk-version", "newest"],
            "--asterisk-version: 'newest' is no version of Asterisk: one looks like 22.10, 22.10.1 or 24.0.0-rc1",
        ),
    ],
)
def test_an_asterisk_that_cannot_be_meant_is_a_usage_error(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, options: list[str], line: str
) -> None:
    one = Installation(("asterisk",), folder, folder, "22.10.1")
    monkeypatch.setattr("audiosocket_sim.asterisk_real.leg.installations", lambda: [one])
    assert main(["run", *options, write(folder, SHORT)]) == 2
    captured = capsys.readouterr()
    assert line in captured.out + captured.err


def test_a_phone_that_cannot_be_meant_is_a_usage_error(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--ear", "fifo", write(folder, SHORT)]) == 2
    assert "--ear: fifo needs its delay: fifo 120ms" in capsys.readouterr().err


@pytest.mark.long("an option replaces the phone of a scenario")
def test_another_phone_for_all_scenarios(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["run", "--ear", "fifo 120ms", write(folder, SHORT)])
    assert " · ear: fifo 120 ms, holds 240 ms" in capsys.readouterr().out


def test_an_asterisk_that_is_not_here_is_a_set_up_error(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = Installation(("asterisk",), folder, folder, "22.10.1")
    monkeypatch.setattr("audiosocket_sim.asterisk_real.leg.installations", lambda: [one])
    assert main(["run", "--peer", "asterisk", "--asterisk-version", "23", write(folder, SHORT)]) == 3
    assert "there is no Asterisk 23 here, only 22.10.1: python -m " in capsys.readouterr().out


def test_a_missing_scenario_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "greeting_then_hole.yaml"]) == 2
    assert "did you mean greeting_then_hold.yaml?" in capsys.readouterr().err


def test_settings_that_are_none_are_told_as_any_other_key(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The server knows what is wrong with them, the loader where they stand."""
    settings = "server: {greting: {}, system: {\n  barge_inn: true,\n  hold_after_seconds: -3}}"
    wrong = SHORT.replace("server: {greeting: {delay_seconds: 0.2}}", settings)
    assert main(["run", write(folder, wrong)]) == 2
    out = capsys.readouterr().out
    assert [line.strip() for line in out.splitlines() if "call.yaml:" in line] == [
        "call.yaml:3:10: unknown key 'greting'; did you mean 'greeting'?",
        "call.yaml:4:3: unknown key 'barge_inn'; did you mean 'barge_in'?",
        "call.yaml:5:3: hold_after_seconds: -3: expected 0 or more",
    ]
    assert "did not start" not in out


def test_a_setting_that_is_not_the_scenarios_own_is_a_fault_of_the_set_up(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(folder)
    (folder / "picky_bot.py").write_text(PICKY, encoding="utf-8")
    assert main(["run", "--target", "picky_bot:serve", write(folder, SHORT)]) == 3
    assert "picky_bot:serve did not start: nowhere to log to" in capsys.readouterr().out


def test_the_mock_ais_port_in_use(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["run", "--real-time", "--ai-port", str(port), write(folder, SHORT)]) == 3
    assert f"the mock AI: port {port} on 127.0.0.1 is in use: end what listens there" in capsys.readouterr().out


def test_nobody_at_the_address(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    plain = "summary: A call.\nsteps:\n  - wait: 1s\n"
    assert main(["run", "--target", f"tcp://127.0.0.1:{port}", write(folder, plain)]) == 3
    assert f"nobody answers at 127.0.0.1:{port}" in capsys.readouterr().out


def test_settings_for_a_target_that_takes_none(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--target", "tcp://127.0.0.1:9", write(folder, SHORT)]) == 2
    told = capsys.readouterr().out
    assert "this target takes none" in told
    assert "Delete `server:` from the scenario" in " ".join(told.split())


@pytest.mark.long("quicker tests of this file are run")
def test_a_server_that_never_speaks(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(folder)
    (folder / "mute_bot.py").write_text(BOT.format(answer=""), encoding="utf-8")
    text = 'summary: A call.\nsteps:\n  - expect: {bot_says: "Oi", within: 2s}\n'
    assert main(["run", "--target", "mute_bot:serve", write(folder, text)]) == 1
    out = capsys.readouterr().out
    assert "the bot has not been heard at all since the call began" in out
    assert (folder / "runs" / "call" / "call.wav").exists()


def test_a_server_that_sends_garbage(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(folder)
    answer = 'writer.write(b"HTTP/1.1 400 Bad Request")'
    (folder / "garbage_bot.py").write_text(BOT.format(answer=answer), encoding="utf-8")
    text = 'summary: A call.\nsteps:\n  - expect: {bot_says: "Oi", within: 2s}\n'
    assert main(["run", "--target", "garbage_bot:serve", write(folder, text)]) == 1
    out = capsys.readouterr().out
    assert "Asterisk ended the call" in out
    assert "0x48" in out


BOT = """
import asyncio
from types import SimpleNamespace

async def serve(*, host, port, control_port, settings):
    async def call(reader, writer):
        {answer}
        try:
            while await reader.read(4096):
                pass
        except ConnectionError:
            pass
        writer.close()
    server = await asyncio.start_server(call, host, port)
    async def close():
        server.close()
        await server.wait_closed()
    return SimpleNamespace(host=host, port=server.sockets[0].getsockname()[1], control_url=None, close=close)
"""


def test_a_state_needs_a_control_url(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(folder)
    (folder / "stateless_bot.py").write_text(BOT.format(answer=""), encoding="utf-8")
    text = "summary: A call.\nsteps:\n  - expect: {state: USER_TURN, within: 2s}\n"
    assert main(["run", "--target", "stateless_bot:serve", write(folder, text)]) == 2
    assert "the target has no control URL" in capsys.readouterr().out
    told = text.replace("state: USER_TURN", "state: {is: USER_TURN, when_told: true}")
    assert main(["run", "--target", "stateless_bot:serve", write(folder, told)]) == 0
    assert "step 1 passed over" in capsys.readouterr().out


def test_a_call_that_does_not_end_says_who_waits_for_what(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "summary: A call.\nmax_duration: 3s\nsteps:\n  - wait: 1min\n"
    assert main(["run", write(folder, text)]) == 1
    assert "it still waited for step 1 (wait)" in capsys.readouterr().out


@pytest.mark.long("a program is interrupted while it starts")
@pytest.mark.real_time
def test_interrupted_it_leaves_its_log(folder: Path) -> None:
    write(folder, SHORT + "  - wait: 1min\n")
    command = [sys.executable, "-m", "audiosocket_sim", "run", "--real-time", "call.yaml"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
        text=True,
    ) as run:
        assert run.stdout is not None
        for line in run.stdout:
            if "STANDBY → IA_TURN" in line:
                run.send_signal(signal.SIGINT)
                break
        rest = run.stdout.read()
    assert run.returncode == 4
    assert "interrupted, while waiting for step" in rest
    assert "Traceback" not in rest
    assert (folder / "runs" / "call" / "call.jsonl").stat().st_size > 0
    assert (folder / "runs" / "call" / "call.wav").stat().st_size > 44


def test_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    for command in (["run"], ["mock-ai"], ["fake-azure"], ["schema"], ["add-recording"], ["completion"], []):
        with pytest.raises(SystemExit) as left:
            main([*command, "--help"])
        assert left.value.code == 0
        assert "example: python -m audiosocket_sim" in capsys.readouterr().out


def test_help_says_where_the_docs_are_that_other_texts_name(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert f"docs/… are in {project['urls']['Source']}\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("command", "codes"),
    [
        ("run", "exit codes: 0 pass, 1 failed, "),
        ("doctor", "exit codes: 0 nothing to change, 1 something to change, "),
        *((name, "exit codes: 0 done, 2 ") for name in ("capture", "mock-ai", "fake-azure", "schema", "completion")),
        *((name, "exit codes: 0 done, 2 ") for name in ("add-recording", "learn-voice")),
    ],
)
def test_help_has_the_exit_codes_of_the_command_itself(
    command: str, codes: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A command that judges no call promises no 1 for a failed one."""
    with pytest.raises(SystemExit):
        main([command, "--help"])
    assert codes in capsys.readouterr().out


def test_usage_errors_exit_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["run"])
    assert left.value.code == 2


def test_no_loop_is_left(folder: Path) -> None:
    main(["run", write(folder, SHORT)])
    with pytest.raises(RuntimeError):
        asyncio.get_running_loop()


def told(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def test_json_of_what_is_not_valid(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, "summary: A call.\nstep: []\nsteps: [{wat: 1s}]\n", "wrong.yaml")
    assert main(["run", "--json", write(folder, SHORT), "wrong.yaml", "missing.yaml"]) == 2
    captured = capsys.readouterr()
    wrong, missing = told(captured.out)
    assert (wrong["scenario"], wrong["outcome"], wrong["exit_code"]) == ("wrong", "invalid", 2)
    assert [problem.split(": ")[0] for problem in wrong["problems"]] == ["wrong.yaml:2:1", "wrong.yaml:3:9"]
    assert missing["problems"][0].startswith("missing.yaml: no such scenario")
    assert not (folder / "runs").exists()  # nothing was run


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--target", "nothing"], "expected module:callable"),
        (["--target", "tcp://127.0.0.1:1", "--control-url", "localhost"], "a control URL looks like"),
        (["--control-url", "http://127.0.0.1:1"], "reports its control URL itself"),
    ],
)
def test_json_of_a_wrong_target(
    arguments: list[str], problem: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "--json", *arguments, write(folder, SHORT)]) == 2
    captured = capsys.readouterr()
    assert problem in told(captured.out)[0]["problems"][0]
    assert problem in captured.err


@pytest.mark.every(3)
@pytest.mark.parametrize(
    ("text", "outcome", "code"),
    [
        (SHORT + "  - expect: {bot_says: Oi, within: 1s}\n", "failed", 1),
        (SHORT.replace("greeting:", "greting:"), "invalid", 2),
        (SHORT + "ai: [{says: Oi., optional: true}]\nmax_duration: 100ms\n", "failed", 1),
    ],
)
def test_json_of_every_outcome(
    text: str, outcome: str, code: int, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "--json", write(folder, text)]) == code
    (call,) = told(capsys.readouterr().out)
    assert (call["outcome"], call["exit_code"]) == (outcome, code)
    assert call["problems"]
    assert Path(call["artefacts"]["call_log"]).exists()


@pytest.mark.long("each cell of a scenario is a call with files of its own")
def test_two_scenarios_of_one_name_keep_their_files_apart(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "other").mkdir()
    assert main(["run", write(folder, SHORT), write(folder, SHORT, "other/call.yaml")]) == 0
    out = capsys.readouterr().out
    assert "runs/call/call.wav" in out
    assert "runs/call-2/call.wav" in out


@pytest.mark.every(2)
@pytest.mark.parametrize("name", [".", "", "x" * 300, "x" * 300 + ".yaml"])
def test_what_is_no_name_of_a_scenario(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", name]) == 2
    assert "no such scenario" in capsys.readouterr().err


def test_the_nearest_of_ones_own_scenarios(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "scenarios").mkdir()
    write(folder, SHORT, "scenarios/my_own_call.yaml")
    assert main(["run", "my_own_cal"]) == 2
    assert "did you mean my_own_call.yaml?" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["run", "--ai-port", "70000", "x"], ["mock-ai", "--port", "-1", "x"]])
def test_a_port_that_is_none(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(command)
    assert left.value.code == 2
    assert "is no port: 0 to 65535" in capsys.readouterr().err


@pytest.mark.long("the judge of lateness is tried alone")
@pytest.mark.real_time
@pytest.mark.parametrize(("within", "code", "word"), [("2s", 0, "passed"), ("100ms", 4, "inconclusive")])
def test_own_lateness_is_told(
    within: str, code: int, word: str, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it was late by less than what is missing, the verdict stands (`test_margin`)."""
    monkeypatch.setattr(CallLeg, "own_lateness_ms", 33.3)
    late = LatenessRecord([WasLate(LateBy.PACKET, 900, 850)])
    monkeypatch.setattr(CallFixture, "lateness", lambda self: late)
    text = SHORT.replace("within: 2s", f"within: {within}")
    assert main(["run", "--real-time", "--json", write(folder, text)]) == code
    captured = capsys.readouterr()
    assert f"{word}: call" in captured.err
    assert "the simulator's own packets were up to 33 ms late: a busy machine" in captured.err
    assert captured.err.count("once more") == (0 if code == 0 else 1)
    assert told(captured.out)[0]["own_lateness_ms"] == 33.3


def test_in_virtual_time_nobody_is_late(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CallLeg, "own_lateness_ms", 33.3)
    assert main(["run", write(folder, SHORT.replace("within: 2s", "within: 100ms"))]) == 1
    assert "late" not in capsys.readouterr().out


@pytest.mark.long("other runs are read to their end")
def test_who_stops_reading_does_not_change_the_verdict(folder: Path) -> None:
    write(folder, SHORT + "  - expect: {bot_says: Oi, within: 1s}\n")
    command = [sys.executable, "-m", "audiosocket_sim", "run", "call.yaml"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)}, text=True
    ) as run:
        assert run.stdout is not None
        assert run.stderr is not None
        run.stdout.close()
        err = run.stderr.read()
    assert run.returncode == 1
    assert "Traceback" not in err
    assert "Exception ignored" not in err
    assert (folder / "runs" / "call" / "call.wav").stat().st_size > 44


@pytest.mark.every(4)
@pytest.mark.parametrize("command", [["run", "call.yaml"], ["run", "--json", "call.yaml"], ["schema"], ["--help"]])
def test_a_full_disk_is_one_line_and_code_3(
    command: list[str], folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The call is made all the same, and leaves its files."""
    write(folder, SHORT)
    with open("/dev/full", "w", encoding="utf-8") as full:
        monkeypatch.setattr(sys, "stdout", full)
        try:
            code = main(command)
        except SystemExit as left:
            code = left.code  # type: ignore[assignment]
        assert sys.stdout is full
    assert code == 3
    err = capsys.readouterr().err
    assert err.splitlines()[-1] == "cannot write to stdout: No space left on device"
    assert "Traceback" not in err
    assert command[0] != "run" or (folder / "runs" / "call" / "call.wav").stat().st_size > 44


@pytest.mark.long("quicker tests of this file are run")
def test_without_a_stdout_the_verdict_is_in_the_code(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    assert main(["run", write(folder, SHORT)]) == 0
    assert main(["run", write(folder, SHORT + "  - expect: {bot_says: Oi, within: 1s}\n")]) == 1


def test_a_failure_names_the_line_of_its_step(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = SHORT + "  # not this bot\n" + '  - expect: {bot_says: "Boa noite.", within: 3s}\n'
    name = write(folder, wrong)
    assert main(["run", name]) == 1
    line = wrong.splitlines().index('  - expect: {bot_says: "Boa noite.", within: 3s}') + 1
    out = capsys.readouterr().out
    block = out[out.index(f"  {name}:{line}: call, ") :].splitlines()
    assert block[:3] == [
        f"  {name}:{line}: call, step 2 (expect bot_says)",
        "    expected  the bot says “Boa noite.”, from 0.807 until 3.807",
        "    happened  0.507 the bot said “Condomínio Apoena, em que posso ajudar?”",
    ]
    assert block[3].startswith("  transcript")  # the call itself was just shown


def test_a_failure_in_json_has_the_call_around_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = SHORT + '  - expect: {bot_says: "Boa noite.", within: 3s}\n'
    assert main(["run", "--json", write(folder, wrong)]) == 1
    (call,) = told(capsys.readouterr().out)
    (failure,) = call["failures"]
    assert (failure["where"], failure["what"]) == ("call.yaml:6", "step 2 (expect bot_says)")
    assert failure["expected"].startswith("the bot says “Boa noite.”")
    assert any("FAILED   step 2" in line for line in failure["around"])
    assert call["problems"] == [
        f"call.yaml:6: call, step 2 (expect bot_says): expected {failure['expected']}; {'; '.join(failure['happened'])}"
    ]


@pytest.mark.long("the summary is made alone")
def test_after_all_calls_one_line_of_their_turn_taking_and_a_file(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = "{script: [[3, say, pt-br/pode_subir], [5, hang_up]]}"
    text = f"summary: One.\nserver: {script}\nsteps: [{{say: pt-br/sim}}, {{expect: {{responds: 5s}}}}]\n"
    names, to = (
        [write(folder, text, "a.yaml"), write(folder, text, "b.yaml")],
        ["--target", "helpers.scripted_bot:serve"],
    )
    assert main(["run", *names, *to]) == 0
    line = "turn-taking in 2 calls: response p50 1.85 s, p95 1.85 s (2); interruptions by the bot 0"
    assert line in capsys.readouterr().out.splitlines()
    assert json.loads((folder / "runs/turn_taking.json").read_text(encoding="utf-8"))["calls"] == 2
    assert main(["run", *names, *to, "--json", "--turn-taking", "response_p95: 1.8s"]) == 1
    out, err = capsys.readouterr()
    assert [json.loads(line)["outcome"] for line in out.splitlines()] == ["passed", "passed"]
    assert "FAILED: turn_taking: response_p95: expected 1.80 s at the most; it was 1.85 s, of 2 turns" in err
    write(folder, f"{text}before: {{get: '{{control_url}}/'}}\n", "a.yaml")
    assert main(["run", names[0], *to, "--turn-taking", "response_p95: 1.8s"]) == 2
    assert "turn-taking" not in capsys.readouterr().out
    assert not (folder / "runs/turn_taking.json").exists()  # of the run before


def test_wrong_limits_of_turn_taking_are_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["run", "two_turns", "--turn-taking", "response_p95: fast"])
    assert ended.value.code == 2
    assert "--turn-taking: response_p95: a duration needs a number and a unit" in capsys.readouterr().err
