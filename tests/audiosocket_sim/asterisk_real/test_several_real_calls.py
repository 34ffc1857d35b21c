"""Several calls of one scenario through one real Asterisk: at a time, and one after the other."""

import asyncio
import sys
from pathlib import Path

import pytest

from audiosocket_sim.asterisk_real import AsteriskMissing, Installation
from audiosocket_sim.asterisk_real.dialplan import address_of, mark, part_of_the_dialplan
from audiosocket_sim.asterisk_real.shared import SharedAsterisk
from audiosocket_sim.call_log.events import CallEnded, Noted
from audiosocket_sim.running.again import run_twice_if_inconclusive
from audiosocket_sim.running.runner import Options, Outcome, Result
from audiosocket_sim.scenario import Scenario
from audiosocket_sim.scenario.loading import load_text

ROOT = Path(__file__).resolve().parents[3]
UUIDS = {
    "ana": "a0000000-0000-4000-8000-000000000001",
    "bruno": "b0000000-0000-4000-8000-000000000002",
    "carla": "c0000000-0000-4000-8000-000000000003",
    "last": "d0000000-0000-4000-8000-000000000004",
}
CALLERS = {
    "ana": """
    asterisk: {attach: chan}
    ai: [{hears: apartamento 202, says: "Até logo, tenha um bom dia.", set_call_status: STANDBY}]
    steps:
      - expect: {state: USER_TURN, within: 8s}
      - say: pt-br/quero_falar_com_o_apartamento_202
      - expect: {hangs_up: server, within: 12s}
""",
    "bruno": """
    steps:
      - expect: {state: USER_TURN, within: 8s}
      - dtmf: "4#"
      - hang_up: close
""",
    "carla": """
    asterisk: {absolute_timeout: 6s}
    steps:
      - expect: {state: USER_TURN, within: 8s}
      - expect: {hangs_up: {who: asterisk}, within: 8s}
""",
}
ENDS = {
    "ana": ("server", "the server hung up"),
    "bruno": ("caller", "the caller hung up"),
    "carla": ("asterisk", "TIMEOUT(absolute) of 6 s ended the call"),
    "last": ("caller", "the caller hung up"),
}
THEN = """then:
  name: last
  uuid: {uuid}
  steps:
    - expect: {{state: USER_TURN, within: 8s}}
    - hang_up: close
"""


def scenario_of(names: list[str]) -> Scenario:
    callers = "".join(f"  - name: {name}\n    uuid: {UUIDS[name]}{CALLERS[name]}" for name in names)
    head = "summary: x\nserver: {greeting: {delay_seconds: 0.2}}\n"
    text = f"{head}callers:\n{callers}{THEN.format(uuid=UUIDS['last'])}"
    return load_text(text, "calls", file="calls.yaml", folder=ROOT / "scenarios")


def call(scenario: Scenario) -> Result:
    options = Options(target="audiosocket_server:serve", peer="asterisk", real_time=True)
    return run_twice_if_inconclusive(scenario, options)


@pytest.mark.asterisk
@pytest.mark.real_time
@pytest.mark.timeout(300)
@pytest.mark.parametrize("names", [["ana", "bruno"], ["ana", "bruno", "carla"]], ids=["two", "three"])
def test_callers_at_a_time_and_one_after_them(
    names: list[str], installation: Installation, one_at_a_time: None
) -> None:
    """Each has its UUID and its own end, which the log of the one Asterisk of all tells."""
    result = call(scenario_of(names))
    assert result.outcome is Outcome.PASSED, "\n".join([*result.problems, result.transcript])
    assert {made.caller: str(made.uuid) for made in result.calls} == {name: UUIDS[name] for name in (*names, "last")}
    for made in result.calls:
        (end,) = [entry.event for entry in made.entries if isinstance(entry.event, CallEnded)]
        who, reason = ENDS[made.caller]
        assert (end.who, end.reason[: len(reason)]) == (who, reason), made.caller
        notes = [entry.event.what for entry in made.entries if isinstance(entry.event, Noted)]
        assert any("made by a real Asterisk" in note for note in notes)
    *at_once, last = result.calls
    first_over = min(made.began_ms + made.duration_ms for made in at_once)
    assert all(made.began_ms < first_over for made in at_once)  # none waited for an Asterisk that boots
    assert last.began_ms >= max(made.began_ms + made.duration_ms for made in at_once)


@pytest.mark.asterisk
@pytest.mark.real_time
@pytest.mark.timeout(300)
def test_a_call_that_is_broken_off_leaves_the_others_alone(installation: Installation, one_at_a_time: None) -> None:
    """One caller's failure is his own; the bot sees his connection close, and Asterisk goes on with the other."""
    text = (
        "summary: x\nserver: {greeting: {delay_seconds: 0.2}}\ncallers:\n"
        "  - {name: ana, steps: [{expect: {hangs_up: server, within: 1s}}]}\n"
        "  - {name: bruno, steps: [{expect: {state: USER_TURN, within: 8s}}, {wait: 1s}, {hang_up: close}]}\n"
    )
    result = call(load_text(text, "calls", file="calls.yaml", folder=ROOT / "scenarios"))
    ana, bruno = result.calls
    assert ana.outcome is Outcome.FAILED, ana.faults
    assert bruno.outcome is Outcome.PASSED, bruno.faults
    (end,) = [entry.event for entry in bruno.entries if isinstance(entry.event, CallEnded)]
    assert end.reason == "the caller hung up"


@pytest.mark.asterisk
def test_which_caller_a_phone_cannot_play_is_said(installation: Installation) -> None:
    text = "summary: x\ncallers:\n  - {name: ana, line: {codec: gsm}}\n  - {name: bruno}\nsteps: [{wait: 1s}]\n"
    result = call(load_text(text, "calls", file="calls.yaml", folder=ROOT / "scenarios"))
    assert result.outcome is Outcome.INVALID
    assert "calls, ana cannot be played" in result.problems[0]


# --- what needs no Asterisk


def part(number: int) -> str:
    return part_of_the_dialplan(number, "u", channel=None, has_keys=False, absolute_timeout_ms=None)


def test_each_call_has_a_part_of_the_dialplan_that_is_told_from_the_others() -> None:
    assert mark(3) in part(3)
    assert mark(3) not in part(13)
    assert "AudioSocket(u,${SERVER_3})" in part(3)
    channel = part_of_the_dialplan(2, "u", channel="/c(slin)", has_keys=True, absolute_timeout_ms=2500)
    assert "Dial(AudioSocket/${SERVER_2}/u/c(slin),,g)" in channel
    assert "Dial(Local/bot@call-2/n)" in channel
    assert "TIMEOUT(absolute)=2.5" in channel
    assert address_of(2, "::1", 8080) == "dialplan set global SERVER_2 [::1]:8080"


class Booting:
    """In the place of `RealAsterisk`: which have been booted, with which dialplan, and how many are up."""

    booted: list[str]
    up = 0
    fails = False

    def __init__(self, installation: Installation, dialplan: str) -> None:
        self._dialplan = dialplan

    async def __aenter__(self) -> "Booting":
        await asyncio.sleep(0)
        if Booting.fails:
            raise AsteriskMissing("Asterisk did not start")
        Booting.booted.append(self._dialplan)
        Booting.up += 1
        return self

    async def __aexit__(self, *_: object) -> None:
        Booting.up -= 1


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> SharedAsterisk:
    Booting.booted, Booting.up, Booting.fails = [], 0, False
    monkeypatch.setattr("audiosocket_sim.asterisk_real.shared.RealAsterisk", Booting)
    return SharedAsterisk(Installation((sys.executable,), Path("modules"), Path("data"), "22.10.1"))


async def test_one_asterisk_is_booted_for_all_calls_and_stopped_after_the_last(shared: SharedAsterisk) -> None:
    assert [shared.add(part) for _ in range(3)] == [1, 2, 3]
    first, second = await asyncio.gather(shared.enter(), shared.enter())
    assert first is second
    assert Booting.booted == [part(1) + part(2) + part(3)]
    await shared.leave()
    third = await shared.enter()
    assert third is first
    await shared.leave()
    assert Booting.up == 1
    await shared.leave()
    assert Booting.up == 0


async def test_an_asterisk_that_does_not_boot_is_nobodys(shared: SharedAsterisk) -> None:
    shared.add(part)
    Booting.fails = True
    with pytest.raises(AsteriskMissing):
        await shared.enter()
    Booting.fails = False
    await shared.enter()
    await shared.leave()
    assert (len(Booting.booted), Booting.up) == (1, 0)
