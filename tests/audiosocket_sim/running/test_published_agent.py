"""A published bot that nobody here wrote, paced by `time.monotonic`: its faults are found in virtual and in real time.

The greeting of `asterisk-ai-voice-agent` 0.1.6 cannot be interrupted, since nobody reads the caller meanwhile; its
replies can.
"""

import importlib.util
from pathlib import Path

import pytest

from audiosocket_sim.running.runner import Options, Outcome, Result, run
from audiosocket_sim.scenario.loading import load_text

ROOT = Path(__file__).resolve().parents[3]
GREETING = '{expect: {bot_says: "Condomínio Apoena, em que posso ajudar?", within: 1s}}'
REPLY = '{expect: {bot_says: "Vou verificar, aguarde um momento.", within: 4s}}'
QUESTION = "{say: pt-br/quero_falar_com_o_apartamento_202}"
INTERRUPTION = "{say: {recording: pt-br/espera_espera_nao_e_isso, blocks: false}, after: 0ms}"
STOPS = "{expect: {bot_silent: 300ms, within: 1200ms}}"

pytestmark = [
    pytest.mark.extra,
    pytest.mark.skipif(
        importlib.util.find_spec("asterisk_ai_voice_agent") is None,
        reason="needs the package asterisk-ai-voice-agent, which `make extras` installs",
    ),
]
in_both_times = pytest.mark.parametrize(
    "real_time", [False, pytest.param(True, marks=pytest.mark.real_time)], ids=["virtual", "real"]
)


def call(*steps: str, real_time: bool) -> Result:
    text = f"summary: A published bot.\nsteps: [{', '.join(steps)}]\n"
    made = load_text(text, "published", folder=ROOT / "scenarios")
    return run(made, Options(target="helpers.published_agent:serve", real_time=real_time))


@in_both_times
def test_a_turn(real_time: bool) -> None:
    result = call(GREETING, QUESTION, REPLY, real_time=real_time)
    assert result.outcome is Outcome.PASSED, result.problems


@in_both_times
def test_its_reply_can_be_interrupted(real_time: bool) -> None:
    speaks = "{expect: {bot_speaks: {at_least: 500ms}, within: 4s}}"
    result = call(GREETING, QUESTION, speaks, INTERRUPTION, STOPS, real_time=real_time)
    assert result.outcome is Outcome.PASSED, result.problems


@in_both_times
def test_its_greeting_cannot_be_interrupted(real_time: bool) -> None:
    speaks = "{expect: {bot_speaks: {at_least: 500ms}, within: 2s}}"
    result = call(speaks, INTERRUPTION, STOPS, real_time=real_time)
    assert result.outcome is Outcome.FAILED, result.problems
    assert any("step 3 (expect bot_silent)" in str(failure) for failure in result.failures)


def test_its_sound_has_no_holes_in_virtual_time_and_is_the_same_each_time() -> None:
    transcripts = {call(GREETING, QUESTION, REPLY, real_time=False).transcript for _ in range(5)}
    assert len(transcripts) == 1
    assert "gaps" not in transcripts.pop()
