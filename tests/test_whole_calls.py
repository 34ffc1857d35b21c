"""Whole calls, run again: the same transcript each time, in memory and over the kernel; the same call in real time."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.logs import entries_of_file

from audiosocket_sim.call_log.agreement import disagreements
from audiosocket_sim.call_log.events import BackendAsked, BotSpoke
from audiosocket_sim.running.runner import LATE_MS, Options, Outcome, Result, run
from audiosocket_sim.scenario.loading import load, load_all

ROOT = Path(__file__).resolve().parent.parent
SCENARIOS = ROOT / "scenarios"
AGAIN = ("greeting_then_hold", "barge_in", "status_ia_turn_two_messages", "dtmf", "jittered_caller", "noise_only")
EACH = [AGAIN[1], *(pytest.param(n, marks=pytest.mark.long("one call is run again")) for n in AGAIN if n != AGAIN[1])]
LIVE = {
    "short": ("hang_up_while_greeting",),
    "middling": ("reset_by_the_caller_side", "ends_in_mid_frame", "hang_up_in_user_turn", "no_greeting"),
    "long": ("greeting_then_hold", "barge_in", "dtmf", "two_turns", "jittered_caller", "packets_of_60_ms"),
}

LONG_CALLS = pytest.mark.long("other tests call on the real clock; these take up to 25 s")


def snapshot(name: str) -> str:
    return (SCENARIOS / "transcripts" / f"{name}.txt").read_text(encoding="utf-8")


def run_scenario(name: str, options: Options | None = None) -> Result:
    return run(load(SCENARIOS / f"{name}.yaml"), options)


@pytest.mark.long("each scenario is held to its snapshot")
@pytest.mark.parametrize("name", EACH)
def test_again_and_again_the_same_bytes(name: str) -> None:
    assert {run_scenario(name).transcript for _ in range(2)} == {snapshot(name)}


@pytest.mark.long("the scenario over_kernel_loopback is called, with a snapshot of its own")
@pytest.mark.kernel
@pytest.mark.parametrize("name", AGAIN)
def test_over_kernel_loopback_the_same_bytes(name: str) -> None:
    assert run_scenario(name, Options(kernel=True)).transcript == snapshot(name)


@pytest.mark.long("calls are run again in one process")
@pytest.mark.parametrize("seed", ["4242", pytest.param("1", marks=pytest.mark.long("one seed is enough"))])
def test_under_any_hash_seed_the_same_bytes(seed: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "audiosocket_sim", "run", *AGAIN[:3], "--artefacts", str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": seed})
    for name in AGAIN[:3]:
        assert (tmp_path / name / "transcript.txt").read_text(encoding="utf-8") == snapshot(name)


@pytest.mark.long("a scenario without a snapshot fails, and pytest lists a snapshot without one")
def test_every_snapshot_has_its_scenario() -> None:
    for folder, fewest in ((SCENARIOS, 30), (SCENARIOS / "needs", 12)):
        names = {call.name for path in folder.glob("*.yaml") for call in load_all(path)}
        assert {path.stem for path in (folder / "transcripts").glob("*.txt")} == names
        assert len(names) >= fewest


@pytest.mark.real_time
@pytest.mark.timeout(300)  # where the machine is busy each call is made up to four times
@LONG_CALLS
@pytest.mark.parametrize("calls", LIVE)
def test_in_real_time_the_same_calls(calls: str, tmp_path: Path) -> None:
    """All at once, each in a process of its own; what the machine was late by is allowed for, and said.

    Where they disagree on a busy machine, one quiet repetition decides (docs/targets.md, In real time).
    """
    runs = {name: _start_live(name, tmp_path) for name in LIVE[calls]}
    printed = {name: process.communicate(timeout=100) for name, process in runs.items()}
    found = {name: _compare(name, process.returncode, *printed[name]) for name, process in runs.items()}
    for name in [name for name, (lines, disturbed_ms) in found.items() if lines and disturbed_ms > LATE_MS]:
        process = _start_live(name, tmp_path)
        out, err = process.communicate(timeout=100)
        found[name] = _compare(name, process.returncode, out, err)
    wrong = {name: told for name, told in found.items() if told[0]}
    no_verdict = "this machine was too late to judge" if all(ms == math.inf for _, ms in wrong.values()) else "differ"
    assert not wrong, "\n".join([no_verdict, *(line for lines, _ in wrong.values() for line in lines)])


def _start_live(name: str, folder: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "audiosocket_sim", "run", "--real-time", "--json", "--artefacts", folder, name]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, text=True, encoding="utf-8"
    )


def _compare(name: str, code: int, out: str, err: str) -> tuple[list[str], float]:
    """What a run in real time tells otherwise than the virtual one, and how much the machine disturbed it, in ms."""
    if code == Outcome.INCONCLUSIVE:
        return [err], math.inf
    assert code == Outcome.PASSED, err
    told = json.loads(out)
    disturbed_ms = told["own_lateness_ms"] + told["loop_late_ms"]
    real = entries_of_file(Path(told["artefacts"]["call_log"]))  # of the second run, where that decided
    return disagreements(run_scenario(name).entries, real, 20 + disturbed_ms), disturbed_ms


PLAIN = """
summary: A call to a server that somebody else started.
steps:
  - expect: {bot_says: "Condomínio Apoena, em que posso ajudar?", within: 5s}
  - expect: {state: USER_TURN, within: 2s}
"""
BRIEF = """
summary: A call to a server that listens already, as far as the first words.
steps:
  - expect: {state: IA_TURN, within: 2s}
  - expect: {bot_speaks: 300ms, within: 2s}
"""


@pytest.fixture
def _embedded_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is started as a program takes the best engine that is installed, unless it is told."""
    monkeypatch.setenv("SPEECH_ENGINE", "embedded")
    monkeypatch.setenv("GREETING__DELAY_SECONDS", "0.1")


@pytest.mark.long("test_programs calls commands")
@pytest.mark.real_time
@pytest.mark.usefixtures("_embedded_engine")
def test_a_command_as_target(tmp_path: Path) -> None:
    (tmp_path / "plain.yaml").write_text(PLAIN, encoding="utf-8")
    target = "command: {python} -m audiosocket_server --port {port} --control-port {control_port}"
    result = run(load(tmp_path / "plain.yaml"), Options(target=target, real_time=True, artefacts=tmp_path / "out"))
    assert result.outcome is Outcome.PASSED, result.problems


@pytest.mark.long("other tests call addresses")
@pytest.mark.real_time
@pytest.mark.usefixtures("_embedded_engine")
def test_an_address_as_target(tmp_path: Path) -> None:
    (tmp_path / "brief.yaml").write_text(BRIEF, encoding="utf-8")
    command = [sys.executable, "-m", "audiosocket_server", "--port", "0", "--control-port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT) as server:
        try:
            assert server.stdout is not None
            ready = server.stdout.readline()
            port, control_url = ready.split("127.0.0.1:")[1].split()[0].rstrip(",;"), _url(ready)
            options = Options(target=f"tcp://127.0.0.1:{port}", control_url=control_url, real_time=True)
            result = run(load(tmp_path / "brief.yaml"), options)
            assert result.outcome is Outcome.PASSED, result.problems
        finally:
            server.terminate()
            server.communicate(timeout=10)
    assert server.returncode == 0


def _url(ready: str) -> str:
    return next(word.rstrip(".,;") for word in ready.split() if word.startswith("http://"))


def test_the_backend_is_told_what_the_caller_had_heard_when_he_interrupted() -> None:
    """The server's own account of it agrees with the caller's ear, which knows nothing of the server."""
    result = run_scenario("barge_in")
    asked = [entry.event for entry in result.entries if isinstance(entry.event, BackendAsked)]
    spoken = [entry.event for entry in result.entries if isinstance(entry.event, BotSpoke)]
    (cut,) = (event for event in spoken if event.whole_ms and event.heard_ms < event.whole_ms - 500)
    told = asked[-1].interrupted
    assert asked[0].interrupted is None
    assert told is not None
    assert told == {"text": cut.text, "heard": "O apartamento não", "said_ms": told["said_ms"], "of_ms": 3900}
    lead_ms = 300  # the prompt begins with so much silence
    said_ms = told["said_ms"]
    assert isinstance(said_ms, int)
    assert said_ms - lead_ms == pytest.approx(cut.heard_ms, abs=100)
