"""Turn-taking in whole calls, in virtual time, against bots that report no states: waits, interruptions, dead air."""

from pathlib import Path
from typing import Any

import pytest

from audiosocket_core.wav import wav_bytes
from audiosocket_sim.call_log.events import BotSpoke, VoicesOverlapped
from audiosocket_sim.call_log.voices import measures
from audiosocket_sim.phone.line import noise, tone
from audiosocket_sim.running.runner import Options, Outcome, Result, run
from audiosocket_sim.scenario.loading import load_text

ROOT = Path(__file__).resolve().parents[3]
HELLO = [0.5, "say", "pt-br/condominio_apoena_em_que_posso_ajudar"]  # heard from 0.808 to 3.140, if it is not cut off
GREETED = "expect: {bot_speaks: 500ms}"
SIM = "{say: pt-br/sim, after: 0ms}"  # heard from 351 to 731 ms of it


def call(steps: str, *script: list[Any], limits: str = "{}") -> Result:
    lines = "\n".join(f"  - {line.strip()}" for line in steps.strip().splitlines())
    text = f"summary: A call.\nturn_taking: {limits}\nsteps:\n{lines}\n"
    scenario = load_text(text, "call", folder=ROOT / "scenarios")
    scenario = scenario.model_copy(update={"server": {"script": list(script)}})
    return run(scenario, Options(target="helpers.scripted_bot:serve"))


def spoken(result: Result) -> list[BotSpoke]:
    return [entry.event for entry in result.entries if isinstance(entry.event, BotSpoke)]


def overlaps(result: Result) -> list[VoicesOverlapped]:
    return [entry.event for entry in result.entries if isinstance(entry.event, VoicesOverlapped)]


def test_the_wait_for_each_answer_is_told_without_a_control_url() -> None:
    result = call("say: pt-br/sim\nexpect: {responds: 2s}", [3, "say", "pt-br/pode_subir"])
    assert result.outcome is Outcome.PASSED, result.problems
    said_ms = next(entry.at_ms for entry in result.entries if type(entry.event).__name__ == "CallerSpoke")
    heard_ms = next(entry.at_ms for entry in result.entries if isinstance(entry.event, BotSpoke))
    (answer,) = spoken(result)
    assert answer.wait_ms == heard_ms - (said_ms + 731)
    assert answer.wait_measured
    assert f"{answer.wait_ms / 1000:.2f} s after the last word" in result.transcript


@pytest.mark.every(2)
@pytest.mark.parametrize(("within", "outcome"), [("1.9s", Outcome.PASSED), ("1.8s", Outcome.FAILED)])
def test_an_answer_counts_from_the_last_word_and_not_from_the_end_of_the_recording(
    within: str, outcome: Outcome
) -> None:
    result = call(f"say: pt-br/sim\nexpect: {{responds: {within}}}", [3, "say", "pt-br/pode_subir"])
    assert result.outcome is outcome, result.transcript
    if outcome is Outcome.FAILED:
        assert "1.85 s after the caller's last word" in "\n".join(result.problems)


def test_a_bot_that_never_answers() -> None:
    result = call("say: pt-br/sim\nexpect: {responds: 1s}")
    assert result.outcome is Outcome.FAILED
    assert "the bot said nothing within 10.02 s of the caller's last word" in result.problems[0]


@pytest.mark.every(3)
@pytest.mark.parametrize(
    ("within", "script", "outcome", "told"),
    [
        ("400ms", [HELLO, [2.0, "flush"]], Outcome.PASSED, "the bot stops after 0.3"),
        ("300ms", [HELLO, [2.0, "flush"]], Outcome.FAILED, "the bot stops after 0.3"),
        ("400ms", [HELLO], Outcome.FAILED, "its sentence is over after 1.4"),
    ],
    ids=["it stops", "it stops too late", "it cannot be interrupted"],
)
def test_bot_stops_shows_the_time_met_or_not(within: str, script: list[Any], outcome: Outcome, told: str) -> None:
    result = call(f"{GREETED}\n{SIM}\nexpect: {{bot_stops: {within}}}", *script)
    assert result.outcome is outcome, result.transcript
    assert told in result.transcript
    assert [overlap.began for overlap in overlaps(result)] == ["caller"]


def test_an_expectation_beside_the_callers_words_waits_for_his_first_sound() -> None:
    said = "{say: {recording: pt-br/sim, blocks: false}, after: 0ms}"
    result = call(f"{GREETED}\n{said}\nexpect: {{bot_stops: 400ms}}", HELLO, [2.0, "flush"])
    assert result.outcome is Outcome.PASSED, result.transcript


@pytest.mark.long("quicker tests of this file are run")
def test_a_bot_that_talks_over_the_caller_breaks_never_talk_over() -> None:
    steps = "never: talk_over\nsay: {recording: pt-br/quero_falar_com_o_apartamento_202}\nexpect: {bot_speaks: 500ms}"
    early = call(steps, [2, "say", "pt-br/pode_subir"])
    assert early.outcome is Outcome.FAILED
    assert any("the bot began over the caller: both spoke for" in problem for problem in early.problems)
    assert [overlap.began for overlap in overlaps(early)] == ["bot"]
    good = call(steps, [5, "say", "pt-br/pode_subir"])
    assert good.outcome is Outcome.PASSED, good.problems
    assert overlaps(good) == []


@pytest.mark.every(2)
@pytest.mark.parametrize(("never", "outcome"), [("3s", Outcome.FAILED), ("3.3s", Outcome.PASSED)])
def test_dead_air_counts_while_it_is_the_bots_turn(never: str, outcome: Outcome) -> None:
    steps = f"never: {{dead_air: {never}}}\nexpect: {{bot_says: Pode subir.}}\nwait: 5s\nsay: pt-br/sim\nwait: 4s"
    script = ([0.2, "say", "pt-br/pode_subir"], [10, "say", "pt-br/pode_subir"])
    result = call(steps, *script)
    assert result.outcome is outcome, result.transcript


@pytest.mark.every(2)
@pytest.mark.parametrize(("thinks_at", "measured"), [(2.5, False), (0.1, True)])
def test_a_wait_during_which_a_thread_worked_is_not_measured_in_virtual_time(thinks_at: float, measured: bool) -> None:
    script = ([thinks_at, "think"], [3, "say", "pt-br/pode_subir"])
    result = call("say: pt-br/sim\nexpect: {responds: 2s}", *script)
    assert result.outcome is Outcome.PASSED, result.problems
    (answer,) = spoken(result)
    assert answer.wait_measured is measured
    assert ("(not measured: threads)" in result.transcript) is not measured
    responses = measures(result.entries)["responses"]
    assert isinstance(responses, dict)
    assert [wait["measured"] for wait in responses["waits"]] == [measured]


COUGH = "{noise: {for: 300ms, dbfs: -20}, after: 0ms}"  # from about 1.3 s on, in the midst of HELLO
RESUMED = "pt-br/condominio_apoena_em_que_posso_ajudar"


@pytest.mark.long("quicker tests of this file are run")
@pytest.mark.every(4)
@pytest.mark.parametrize(
    ("script", "passes", "told"),
    [
        ([HELLO], (True, True), ""),
        ([HELLO, [1.6, "flush"]], (False, False), "the bot stopped, "),
        ([HELLO, [1.6, "flush"], [2.1, "go_on", [RESUMED, 1.08]]], (True, True), ""),
        ([HELLO, [1.6, "flush"], [3.2, "go_on", [RESUMED, 1.08]]], (False, False), "later"),
        ([HELLO, [1.6, "flush"], [2.0, "say", RESUMED]], (False, True), "with its sentence anew"),
        ([HELLO, [1.6, "flush"], [2.0, "say", "pt-br/pode_subir"]], (False, False), "with other words"),
        ([HELLO, [1.6, "flush"], [8, "hang_up"]], (False, False), "the call ended"),
    ],
    ids=["goes on", "stops for good", "pauses", "resumes late", "begins anew", "says something else", "hangs up"],
)
def test_what_a_bot_makes_of_a_noise_over_its_speech(script: list[Any], passes: tuple[bool, bool], told: str) -> None:
    for expected, is_met in zip(("bot_goes_on", "resumes: 1s"), passes, strict=True):
        expect = expected if ":" not in expected else f"{{{expected}}}"
        result = call(f"{GREETED}\n{COUGH}\nexpect: {expect}", *script)
        assert (result.outcome is Outcome.PASSED) is is_met, (expected, result.transcript)
        if (expected == "resumes: 1s" and not is_met) or told.startswith("with"):
            assert is_met or told in "\n".join(result.problems), result.problems


@pytest.mark.long("quicker tests of this file are run")
@pytest.mark.parametrize(("script", "outcome"), [([[9, "say", RESUMED]], "passed"), ([], "failed")])
def test_a_bot_asks_again_when_nobody_answers(script: list[Any], outcome: str) -> None:
    steps = "expect: {bot_says: Pode subir.}\nexpect: {asks_again: 8s}"
    result = call(steps, [1, "say", "pt-br/pode_subir"], *script)
    assert str(result.outcome) == outcome, result.transcript


@pytest.mark.parametrize(
    ("step", "outcome"), [("noise: {for: 100ms}", Outcome.PASSED), ("silence: 100ms", Outcome.FAILED)]
)
def test_a_pause_in_a_prompt_is_damage_unless_it_is_for_a_sound(step: str, outcome: Outcome) -> None:
    script = [HELLO, [1.62, "flush"], [1.92, "go_on", [HELLO[2], 1.12]]]
    result = call(f"{GREETED}\n{step}\nwait: 3s\nhang_up: close", *script)
    assert result.outcome is outcome, result.transcript
    (heard,) = spoken(result)
    assert not heard.cut_off
    assert "2.33 s, paused at 0.81 s for 0.30 s\n" in result.transcript
    assert ("300 ms are put into it" in result.transcript) is (outcome is Outcome.FAILED)


LINES = {  # what is behind the caller, and whether a bot may pause for it, 0.8 s into its greeting
    "{noise: {file: hum.wav}}": False,
    "{noise: {file: pink.wav, snr_db: 5}}": False,
    "{noise_dbfs: -40}": False,
    "{echo: {gain_db: -12}}": False,
    "{talker: {recording: sounds/talker_a, after: 6s}}": False,
    "{talker: {recording: sounds/talker_a, after: 1s}}": True,
    "{noise: sounds/dog_large}": True,
    "{noise: sounds/television_news}": True,
}


@pytest.mark.every(3)
@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("how", ["silence", "nothing at all"])
def test_a_pause_is_for_what_began_behind_the_caller_and_not_for_noise_or_echo(
    line: str, how: str, tmp_path: Path
) -> None:
    (tmp_path / "hum.wav").write_bytes(wav_bytes(tone(120, 440, -10), 8000))
    (tmp_path / "pink.wav").write_bytes(wav_bytes(noise(20_000, -20, "pink"), 8000))
    script = [HELLO, [1.62, "flush"], [1.92, "go_on", [HELLO[2], 1.12]]]
    if how == "nothing at all":
        script = [HELLO, [1.62, "hole", 1.4]]
    text = f"summary: A call.\nline: {line}\nsteps: [{{wait: 6s}}, {{hang_up: close}}]\n"
    scenario = load_text(text, "call", folder=tmp_path)
    scenario = scenario.model_copy(update={"server": {"script": script, "quiet": how != "silence"}})
    result = run(scenario, Options(target="helpers.scripted_bot:serve"))
    assert (result.outcome is Outcome.PASSED) is LINES[line], result.transcript
    told = "put into it, in one place" if how == "silence" else "in the midst of speech"
    assert (told in result.transcript) is not LINES[line], result.transcript
    if how == "silence":
        assert ("it may have stopped for its own echo" in result.transcript) is ("echo" in line)


def test_a_prompt_that_is_paused_and_gone_on_with_is_told_as_one() -> None:
    script = [HELLO, [1.62, "flush"], [2.72, "go_on", [HELLO[2], 1.0]]]
    result = call(f"{GREETED}\nnoise: {{for: 200ms}}\nwait: 4s\nhang_up: close", *script)
    assert result.outcome is Outcome.PASSED, result.transcript
    first, rest = spoken(result)
    assert first.paused_ms == rest.resumed_ms == 1100
    assert "paused at 0.81 s of 2.33 s\n" in result.transcript
    assert "goes on after 1.10 s, 0.12 s earlier, to its end\n" in result.transcript


def test_what_the_bot_made_of_a_sound_is_in_the_measures() -> None:
    result = call(f"{GREETED}\n{COUGH}\nwait: 5s", HELLO, [1.6, "flush"])
    found = measures(result.entries)
    (sound,) = found["selectivity"]["sounds"]  # type: ignore[index]
    assert (sound["kind"], sound["outcome"]) == ("non_directed", "stopped")
    (stop,) = found["false_stops"]  # type: ignore[misc]
    assert (stop["kind"], stop["resumed_after_ms"]) == ("non_directed", None)


@pytest.mark.every(2)
@pytest.mark.parametrize(("limit", "outcome"), [("1.86s", Outcome.PASSED), ("1.8s", Outcome.FAILED)])
def test_a_limit_of_the_scenario_fails_the_call_at_its_key(limit: str, outcome: Outcome) -> None:
    limits = f"{{response_p95: {limit}, interruptions_by_bot: 0}}"
    result = call("say: pt-br/sim\nexpect: {responds: 5s}", [3, "say", "pt-br/pode_subir"], limits=limits)
    assert result.outcome is outcome, result.problems
    if outcome is Outcome.FAILED:
        (failure,) = result.failures
        assert failure.headline == "<call>:2: call, turn_taking"
        assert failure.block()[1:] == [
            "  expected  response_p95: 1.80 s at the most",
            "  happened  it was 1.85 s, of 1 turn",
        ]
        assert "FAILED   turn_taking: expected response_p95" in result.transcript


def test_a_wait_that_is_not_measured_is_not_judged_and_that_is_noted() -> None:
    script = ([2.5, "think"], [3, "say", "pt-br/pode_subir"])
    result = call("say: pt-br/sim\nexpect: {responds: 5s}", *script, limits="{response_p95: 1ms}")
    assert result.outcome is Outcome.PASSED, result.problems
    assert "1 wait not judged" in result.transcript


@pytest.mark.every(5)
@pytest.mark.parametrize(
    ("wait", "script", "outcome"),
    [
        ("4s", [], Outcome.FAILED),
        ("1s", [], Outcome.PASSED),
        ("4s", [[4, "hang_up"]], Outcome.PASSED),
        ("4s", [[1.5, "hold"]], Outcome.PASSED),
        ("4s", [[2, "say", "pt-br/pode_subir"]], Outcome.PASSED),
    ],
    ids=["left in silence", "over too soon to know", "the bot ends the call", "on hold", "answered"],
)
def test_an_answer_that_had_not_come_when_the_call_was_over_is_too_late(
    wait: str, script: list[Any], outcome: Outcome
) -> None:
    result = call(f"say: pt-br/sim\nwait: {wait}", *script, limits="{response_p95: 2s}")
    assert result.outcome is outcome, result.transcript
    if outcome is Outcome.FAILED:
        assert "without an answer the call was over" in result.problems[0]
