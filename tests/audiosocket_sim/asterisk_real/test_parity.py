"""The same scenarios twice: the simulated Asterisk in virtual time, a real one on the real clock. The same calls.

Where they disagree the simulator is wrong. All calls of a group are made at the same time. What is allowed on top of a
frame is the server's compute time and the machine's lateness, as the runs measured it. Where they disagree, one quiet
repetition decides: that call alone.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from helpers.logs import entries_of_file

from audiosocket_sim.asterisk_real import Installation, installations
from audiosocket_sim.asterisk_real.misfits import misfits
from audiosocket_sim.call_log.agreement import disagreements
from audiosocket_sim.call_log.events import BotSpoke, CallEnded, CallLog, Entry, Noted, Source, StateTold
from audiosocket_sim.running.runner import Options, Outcome, run
from audiosocket_sim.scenario.loading import load

ROOT = Path(__file__).resolve().parents[3]
SCENARIOS = ROOT / "scenarios"
COMPUTE_MS = 20
LONGEST_SECONDS = 60
MOST_REPEATED = 3
"""More than that is no lateness of the machine's."""
GROUPS = {
    "short": (
        "channel_driver",
        "hang_up_while_greeting",
        "no_greeting",
        "phone_stops_sending_after_speech",
        "without_c_slin",
    ),
    "long": (
        "barge_in",
        "dtmf",
        "jittered_caller",
        "packets_of_10_ms",
        "packets_of_60_ms",
        "quiet_caller_kept_alive",
    ),
}


@pytest.mark.asterisk
@pytest.mark.real_time
@pytest.mark.timeout(300)
@pytest.mark.parametrize("group", GROUPS)
def test_the_same_call_by_the_simulated_and_by_a_real_asterisk(
    group: str, installation: Installation, one_at_a_time: None, tmp_path: Path
) -> None:
    found, disturbed_ms = _compare(GROUPS[group], tmp_path / "together")
    for name in list(found)[:MOST_REPEATED]:
        again, disturbed_ms = _compare([name], tmp_path / "alone")
        found.pop(name)
        found |= again
    late = all("this machine was too late to judge" in lines[0] for lines in found.values())
    told = "this machine was too late to judge" if late else f"disturbed by {disturbed_ms:.0f} ms"
    assert not found, "\n".join([told, *(f"{name}: {line}" for name, lines in found.items() for line in lines)])


def _compare(names: Sequence[str], folder: Path) -> tuple[dict[str, list[str]], float]:
    """What differs, by scenario; and the most that the machine disturbed any of the runs, in ms."""
    running = {name: _start(name, folder) for name in names}
    results = {name: _finished(process) for name, process in running.items()}
    disturbed_ms = max(float(r["own_lateness_ms"]) + float(r["loop_late_ms"]) for r in results.values())
    found = {}
    for name, result in results.items():
        lines = list(result["problems"])
        if result["exit_code"] == Outcome.PASSED:
            virtual = run(load(SCENARIOS / f"{name}.yaml")).entries
            real = entries_of_file(Path(result["artefacts"]["call_log"]))  # of the second run, where that decided
            lines = disagreements(virtual, real, COMPUTE_MS + disturbed_ms, real_asterisk=True)
        if lines:
            found[name] = lines
    return found, disturbed_ms


def _start(name: str, folder: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "audiosocket_sim", "run", "--peer", "asterisk", "--json"]
    return subprocess.Popen(
        [*command, "--artefacts", str(folder), name],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        text=True,
        encoding="utf-8",
    )


def _finished(process: "subprocess.Popen[str]") -> dict[str, Any]:
    """What a run told with --json; of one that does not come to an end, that."""
    try:
        out, err = process.communicate(timeout=LONGEST_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        _, err = process.communicate()
        return {
            "exit_code": None,
            "problems": [f"not over after {LONGEST_SECONDS} s", err[-2000:]],
            "own_lateness_ms": 0,
            "loop_late_ms": 0,
        }
    assert out, err
    result: dict[str, Any] = json.loads(out)
    return result


LIMITED = """
summary: TIMEOUT(absolute) ends the call while both sides are heard.
asterisk: {attach: ATTACH, absolute_timeout: 3500ms}
steps:
  - expect: {hangs_up: {who: asterisk}, within: 8s}
"""


@pytest.mark.asterisk
@pytest.mark.real_time
@pytest.mark.timeout(300)
@pytest.mark.parametrize("attach", ["app", "chan"])
def test_timeout_absolute_of_a_scenario_ends_the_call_by_each_version(
    attach: str, installation: Installation, one_at_a_time: None, tmp_path: Path
) -> None:
    """The verdict names the limit, not silence; the call is the simulated one's, and its log names the Asterisk."""
    path = tmp_path / "limited.yaml"
    path.write_text(LIMITED.replace("ATTACH", attach), encoding="utf-8")
    virtual = run(load(path))
    for version in [one.version for one in installations()]:
        real = run(load(path), Options(peer="asterisk", real_time=True, asterisk_version=version))
        assert real.outcome is Outcome.PASSED, real.problems
        allowance_ms = COMPUTE_MS + real.disturbed_ms
        assert not disagreements(virtual.entries, real.entries, allowance_ms, real_asterisk=True)
        (end,) = [entry.event for entry in real.entries if isinstance(entry.event, CallEnded)]
        assert end.reason.startswith("TIMEOUT(absolute) of 3.5 s ended the call")
        notes = [entry.event.what for entry in real.entries if isinstance(entry.event, Noted)]
        assert f"this call was made by a real Asterisk {version}" in notes


# --- what a phone cannot do, and how the end is told (no Asterisk needed)


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("asterisk_20_6", "other rules"),
        ("hang_up_before_uuid", "before_uuid"),
        ("ends_in_mid_frame", "mid_frame"),
        ("reset_by_the_caller_side", "reset"),
        ("unanswered_channel", "answered"),
        ("wideband_caller", "rate_hz"),
        ("split_writes_bytes", "split"),
        ("ari_bridged_late", "bridge_after"),
        ("stuck_in_header", "stuck_in_header"),
    ],
)
def test_what_a_phone_cannot_play_is_refused_by_name(name: str, word: str) -> None:
    assert any(word in line for line in misfits(load(SCENARIOS / f"{name}.yaml"), "22.10.1"))


@pytest.mark.parametrize(
    ("key", "word"),
    [
        ("first_packet: with_uuid", "a phone's clock"),
        ("stall: {at: 1s, for: 400ms}", "stall"),
        ("mixed: true", "mixed"),
    ],
)
def test_what_only_a_simulated_asterisk_can_do_is_refused_by_its_key(tmp_path: Path, key: str, word: str) -> None:
    path = tmp_path / "call.yaml"
    path.write_text(f"summary: A call.\nasterisk: {{attach: chan, {key}}}\nsteps: [{{wait: 1s}}]\n", encoding="utf-8")
    wrong = misfits(load(path), "22.10.1")
    assert len(wrong) == 1
    assert word in wrong[0]


@pytest.mark.parametrize("group", GROUPS)
def test_what_is_compared_can_be_played(group: str) -> None:
    for name in GROUPS[group]:
        assert misfits(load(SCENARIOS / f"{name}.yaml"), "22.10.1") == []


@pytest.mark.asterisk
def test_a_scenario_that_does_not_fit_is_a_usage_error(installation: Installation) -> None:
    result = run(load(SCENARIOS / "ends_in_mid_frame.yaml"), Options(peer="asterisk"))
    assert result.outcome is Outcome.INVALID
    assert "a phone can only hang up" in result.problems[0]


def test_asterisks_words_for_an_end_are_no_disagreement() -> None:
    def ended(who: str, how: str, dialplan: str, reason: str) -> list[Entry]:
        log = CallLog()
        log.add(1000, Source.END, CallEnded(who, how, dialplan, reason, None))
        return log.entries

    ours = ended("server", "hangup_message", "continues", "the server hung up (00 00 00)")
    theirs = ended("server", "orderly", "continues", "the server hung up, somehow")
    assert disagreements(ours, theirs, 0, real_asterisk=True) == []
    assert disagreements(ours, theirs, 0)
    assert disagreements(ours, ended("server", "reset", "continues", ""), 0, real_asterisk=True)
    assert disagreements(ours, ended("server", "orderly", "ends", ""), 0, real_asterisk=True)


def test_speech_that_waited_in_the_phone_comes_later_by_what_had_been_sent_ahead() -> None:
    """A stall that is caught up makes the phone's buffer longer; how much is measured, and allowed for."""

    def spoke(at_ms: int, ahead_ms: int) -> list[Entry]:
        log = CallLog()
        log.add(2000, Source.STATE, StateTold("STANDBY", "IA_TURN"))
        log.add(at_ms, Source.BOT, BotSpoke("Alô?", 600, 600, "prompt", 0, ahead_ms))
        log.add(3000, Source.STATE, StateTold("IA_TURN", "USER_TURN"))  # by the server's clock, not by the phone's
        return log.entries

    assert disagreements(spoke(2300, 0), spoke(2360, 40), 0) == []
    assert disagreements(spoke(2300, 0), spoke(2361, 40), 0)
    assert disagreements(spoke(2300, 40), spoke(2360, 40), 0)
