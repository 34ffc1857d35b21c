"""Twelve shipped scenarios with the settings that live calls have: Silero's detector and the echo guard.

All scenarios choose WebRTC's detector (`HERMETIC` in the server's settings), whose arithmetic is the same on every
processor. These pass with the other one too; their times may differ by some tens of milliseconds, so no snapshot.
"""

from pathlib import Path

import pytest
from audiosocket_server.settings.settings import HERMETIC, Settings

from audiosocket_sim.running.runner import Outcome, run
from audiosocket_sim.scenario.loading import load

SCENARIOS = Path(__file__).resolve().parent.parent / "scenarios"
TWELVE = (
    "apartment_202_is_not_203",
    "backend_recovers",
    "barge_in",
    "barge_in_over_an_echo",
    "dtmf",
    "greeting_then_hold",
    "jittered_caller",
    "noisy_line",
    "pause_in_mid_sentence",
    "phone_stops_sending_after_speech",
    "two_turns",
    "wideband_caller",
)


def test_scenarios_choose_webrtc_themselves_and_live_calls_silero() -> None:
    assert HERMETIC["endpointing"] == {"engine": "webrtc", "echo_guard": False, "silero_batch_ms": 0}
    assert (Settings().endpointing.engine, Settings().endpointing.echo_guard) == ("silero", True)


@pytest.mark.every(12)
@pytest.mark.parametrize("name", TWELVE)
def test_a_scenario_passes_with_the_settings_of_live_calls(name: str) -> None:
    scenario = load(SCENARIOS / f"{name}.yaml")
    live = Settings().endpointing.model_dump(include={"engine", "echo_guard"})
    endpointing = scenario.server.get("endpointing", {}) | live
    result = run(scenario.model_copy(update={"server": {**scenario.server, "endpointing": endpointing}}))
    assert result.outcome is Outcome.PASSED, result.transcript
