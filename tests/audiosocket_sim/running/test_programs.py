"""The command line with programs of its own: bots that start late, die or hang, Ctrl-C, SIGTERM, the mock AI alone."""

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from audiosocket_sim.asterisk import CallLeg
from audiosocket_sim.parties import command_target
from audiosocket_sim.running.runner import Options, Outcome, Result, run
from audiosocket_sim.scenario.loading import load_text

ROOT = Path(__file__).resolve().parents[3]
BOT = ROOT / "tests" / "helpers" / "scripted_bot.py"

pytestmark = pytest.mark.real_time


def command(*script: list[Any], before: str = "", control: bool = False, **bot: Any) -> str:
    """A target: the scripted bot as a program of its own."""
    settings = json.dumps({"script": list(script), "control": control, **bot})
    program = f"PYTHONPATH={shlex.quote(str(ROOT))} exec {{python}} {shlex.quote(str(BOT))}"
    shell = f"{before} {program} {{port}} {'{control_port}' if control else 0} {shlex.quote(settings)}"
    return f"command: sh -c {shlex.quote(shell)}"


def call(serve: str, steps: str, folder: Path) -> Result:
    scenario = load_text(f"summary: A call.\nsteps: {steps}\n", "call", folder=ROOT / "scenarios")
    return run(scenario, Options(target=serve, real_time=True, artefacts=folder / "run"))


@pytest.mark.long("programs that do not start are tried")
def test_a_program_that_is_slow_to_start(tmp_path: Path) -> None:
    result = call(command(before="sleep 0.3;"), "[{wait: 100ms}]", tmp_path)
    assert result.outcome is Outcome.PASSED, result.problems


@pytest.mark.every(3)
@pytest.mark.parametrize(
    ("start", "line"),
    [
        ("exit 7;", "the command ended with code 7 before it listened on port "),
        ("kill -9 $$;", "the command was ended by SIGKILL before it listened on port "),
        ("sleep 60;", "the command did not listen on port "),
    ],
)
def test_a_program_that_does_not_start(start: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command_target, "_START_SECONDS", 0.3)
    result = call(command(before=start), "[{wait: 100ms}]", tmp_path)
    assert result.outcome is Outcome.SET_UP
    assert result.problems[0].startswith(line)
    assert (tmp_path / "run" / "call.jsonl").exists()


@pytest.mark.every(9)
@pytest.mark.parametrize(
    "control",
    [
        pytest.param(False, id=""),
        pytest.param(True, id="with a control URL", marks=pytest.mark.long("programs without a control URL die")),
    ],
)
@pytest.mark.parametrize(
    ("end", "how"), [(["die", 3], "ended with code 3"), (["signal", signal.SIGSEGV], "was ended by SIGSEGV")]
)
def test_a_program_that_dies_in_mid_call(
    control: bool, end: list[Any], how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CallLeg, "own_lateness_ms", 99.0)  # which is no excuse for a program that is gone
    result = call(command([0.1, *end], control=control), "[{expect: {bot_speaks: 1s}}]", tmp_path)
    assert result.outcome is Outcome.FAILED, result.problems
    (died,) = [failure for failure in result.failures if failure.what == "target"]
    assert (died.expected, died.happened) == ("the command to run to the end of the call", (f"it {how}",))
    assert result.artefacts is not None
    assert how in result.artefacts.transcript.read_text(encoding="utf-8")


@pytest.mark.long("programs that die are called")
def test_a_program_that_serves_one_call_and_goes(tmp_path: Path) -> None:
    script = command([0.1, "hang_up"], [0.15, "die", 0])
    result = call(script, "[{expect: {hangs_up: server}}, {wait: 200ms}]", tmp_path)
    assert result.outcome is Outcome.PASSED, result.problems


@pytest.mark.long("JSON alone is on stdout")
def test_what_a_program_prints_stays_off_stdout(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    call(command(), "[{wait: 100ms}]", tmp_path)
    captured = capfd.readouterr()
    assert "the bot is ready" in captured.err
    assert captured.out == ""


@pytest.mark.long("programs that do not start are tried")
def test_a_program_where_stderr_is_caught(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = call(command(), "[{wait: 100ms}]", tmp_path)
    assert result.outcome is Outcome.PASSED, result.problems


# --- Ctrl-C and the like


IMPATIENT = """
from audiosocket_sim import __main__
from audiosocket_sim.parties import target
target._STOP_SECONDS = 0.5
__main__.main()
"""
"""`python -m audiosocket_sim`, but a program that does not end when it is asked to is killed sooner."""


def interrupted(
    folder: Path, *arguments: str, at: Callable[[str], bool], signals: list[int], wait: float = 0.0
) -> tuple[int, str]:
    """Run until a line of the output fits, then send the signals; the exit code and the rest of the output."""
    line = [sys.executable, "-c", IMPATIENT, "run", "--real-time", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        line,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
        text=True,
        cwd=folder,
    ) as process:
        assert process.stdout is not None
        for told in process.stdout:
            if at(told):
                break
        for number in signals:
            process.send_signal(number)
            try:
                process.wait(wait)
            except subprocess.TimeoutExpired:
                continue
            break
        rest = process.stdout.read()
    return process.returncode, rest


def write(folder: Path, name: str = "call.yaml", steps: str = "[{wait: 1min}]") -> str:
    (folder / name).write_text(f"summary: A call.\nsteps: {steps}\n", encoding="utf-8")
    return name


def alive(mark: str) -> list[str]:
    found = subprocess.run(["pgrep", "-f", mark], capture_output=True, text=True, check=False)
    return found.stdout.split()


STUBBORN = "command: sh -c \"trap '' TERM; echo started; : {mark}; while :; do sleep 0.1; done\" {port}"


@pytest.mark.long("a call is interrupted while its target starts")
@pytest.mark.parametrize(
    "signals",
    [
        pytest.param([signal.SIGINT], id="Ctrl-C"),
        pytest.param([signal.SIGTERM], id="SIGTERM", marks=pytest.mark.long("Ctrl-C ends a call")),
    ],
)
def test_interrupted_in_mid_call_nothing_else_is_run(signals: list[int], tmp_path: Path) -> None:
    code, rest = interrupted(
        tmp_path,
        "--target",
        command([0.0, "say", "pt-br/pode_subir"]),
        write(tmp_path),
        write(tmp_path, "second.yaml"),
        at=lambda line: "Pode subir" in line,
        signals=signals,
        wait=20,
    )
    assert code == Outcome.INCONCLUSIVE
    assert "inconclusive: call" in rest
    assert "interrupted, while waiting for step 1 (wait)" in rest
    assert "second" not in rest
    assert "Traceback" not in rest
    assert (tmp_path / "runs" / "call" / "call.wav").stat().st_size > 44
    assert (tmp_path / "runs" / "call" / "call.jsonl").stat().st_size > 0


@pytest.mark.long("it starts two processes; calls are interrupted in this one")
@pytest.mark.parametrize("times", [pytest.param(1, marks=pytest.mark.long("twice is tried")), 2])
def test_interrupted_while_the_target_starts(times: int, tmp_path: Path) -> None:
    """Once: it is asked to end and killed a while later. Twice: at once. Nothing of it is left in either case."""
    mark = f"{tmp_path.name}-{os.getpid()}-{times}"
    code, rest = interrupted(
        tmp_path,
        "--target",
        STUBBORN.replace("{mark}", mark),
        write(tmp_path),
        at=lambda line: line == "started\n",
        signals=[signal.SIGINT] * times,
        wait=0.3 if times == 2 else 20,
    )
    assert code == Outcome.INCONCLUSIVE, rest
    assert "interrupted, while waiting for the set-up" in rest
    assert "Traceback" not in rest
    assert alive(mark) == []
    assert (tmp_path / "runs" / "call" / "transcript.txt").exists()


# --- the mock AI alone


@pytest.mark.long("its server is tried within the test's process")
def test_the_mock_ai_alone(tmp_path: Path) -> None:
    (tmp_path / "ai.yaml").write_text(
        "summary: A backend.\n"
        "ai:\n"
        "  - {hears: apartamento, says: Um momento., set_call_status: WAITING, then_pushes: [{says: Pode subir.}]}\n"
        "  - {fault: http_500}\n"
        "steps: [{wait: 1s}]\n",
        encoding="utf-8",
    )
    line = [sys.executable, "-m", "audiosocket_sim", "mock-ai", "--port", "0", "--control-url", "http://127.0.0.1:1"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [*line, "ai.yaml"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment, text=True, cwd=tmp_path
    ) as process:
        assert process.stdout is not None
        ready = process.stdout.readline()
        url = ready.split()[3].rstrip(",")
        try:
            with httpx.Client(trust_env=False) as http:
                for conversation in ("a", "b"):  # each begins with the first reply again
                    first = http.post(url, json={"id": conversation, "content": "Apartamento 202."})
                    assert first.json()["content"]["mensagem"] == "Um momento."
                assert http.post(url, json={"id": "a", "content": "Alô?"}).status_code == 500
        finally:
            process.send_signal(signal.SIGTERM)
        rest = process.stdout.read()
    assert process.returncode == 0
    assert "2 replies of ai" in ready
    assert "a  asked    “Apartamento 202.”" in rest
    assert "answered WAITING “Um momento.”" in rest
    assert "push 1 of 1 (hears “apartamento”) could not be delivered" in rest
    assert "fault    http 500" in rest
    assert "Traceback" not in rest
