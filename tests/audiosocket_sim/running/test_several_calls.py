"""Several calls of one scenario: a good bot passes whatever its callers do; each bad one fails for its true cause."""

import json
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from audiosocket_sim.call_log.events import BackendReplied, BotSpoke, CallBegan, CallEnded, Entry
from audiosocket_sim.call_log.in_progress import CallInProgress
from audiosocket_sim.running.runner import Options, Outcome, Result, run
from audiosocket_sim.scenario import Scenario
from audiosocket_sim.scenario.loading import load_text
from audiosocket_sim.scenario.repeats import run_of, seeds_of

ROOT = Path(__file__).resolve().parents[3]
GREETING = "Condomínio Apoena, em que posso ajudar?"
ANA = "pt-br/quero_falar_com_o_apartamento_202"
BRUNO = "pt-br/sim_pode_confirmar"
TO_ANA, TO_BRUNO = "Vou verificar, aguarde um momento.", "Pode subir."
HEARS = "{expect: {bot_speaks: 400ms, within: 4s}}"
LONG = pytest.mark.long("other bots are called in the same way")


def more(fault: str, *causes: str) -> Any:
    return pytest.param(fault, list(causes), id=fault, marks=LONG)


def caller(name: str, says: str, answer: str, *more: str, starts: str = "0ms") -> str:
    steps = ", ".join([HEARS, f"{{say: {says}}}", HEARS, *more])
    ai = f"[{{says: '{answer}', set_call_status: USER_TURN}}]"
    return f"{{name: {name}, starts: {starts}, ai: {ai}, steps: [{steps}]}}"


def two(starts: str = "700ms") -> str:
    ana, bruno = caller("ana", ANA, TO_ANA, "{wait: 3s}"), caller("bruno", BRUNO, TO_BRUNO, "{wait: 4s}", starts=starts)
    return f"callers:\n  - {ana}\n  - {bruno}\n"


def one_after_the_other(*more: str) -> str:
    first, following = caller("ana", ANA, TO_ANA, *more), caller("bruno", BRUNO, TO_BRUNO)
    return f"callers: [{first}]\nthen: {following}\n"


def load(keys: str, *, fault: str = "", **bot: Any) -> Scenario:
    server = json.dumps({"bot": {"fault": fault, "asks": True, **bot}})
    return load_text(f"summary: x\nserver: {server}\n{keys}", "calls", file="calls.yaml", folder=ROOT / "scenarios")


def call(keys: str, fault: str = "", *, options: Options | None = None, **bot: Any) -> Result:
    return run(load(keys, fault=fault, **bot), replace(options or Options(), target="helpers.several_bot:serve"))


def passed(result: Result) -> None:
    assert result.outcome is Outcome.PASSED, "\n".join([*result.problems, result.transcript])


# --- good bots


@pytest.mark.long("other calls at a time are made")
def test_two_callers_at_a_time_and_one_after_them() -> None:
    result = call(two() + f"then: {caller('carla', ANA, TO_BRUNO)}\n")
    passed(result)
    assert [made.caller for made in result.calls] == ["ana", "bruno", "carla"]
    assert [made.name for made in result.calls] == ["calls, ana", "calls, bruno", "calls, carla"]
    assert len({made.uuid for made in result.calls}) == 3
    ana, bruno, carla = result.calls
    assert (ana.began_ms, bruno.began_ms) == (0, 700)
    assert carla.began_ms == max(one.began_ms + one.duration_ms for one in (ana, bruno))
    assert [made.passed for made in result.calls] == [True] * 3
    heard = [entry.event.text for entry in carla.entries if isinstance(entry.event, BotSpoke)]
    assert heard == [GREETING, TO_BRUNO]


@pytest.mark.long("quicker tests of this file are run")
def test_the_log_of_all_has_each_entry_with_its_caller_on_one_clock() -> None:
    result = call(two())
    passed(result)
    assert [entry.number for entry in result.entries] == list(range(1, len(result.entries) + 1))
    assert [entry.at_ms for entry in result.entries] == sorted(entry.at_ms for entry in result.entries)
    began = [(entry.at_ms, entry.caller) for entry in result.entries if isinstance(entry.event, CallBegan)]
    assert began == [(0, "ana"), (700, "bruno")]
    for made in result.calls:
        own = [(entry.at_ms + made.began_ms, entry.event) for entry in made.entries]
        of_all = [(entry.at_ms, entry.event) for entry in result.entries if entry.caller == made.caller]
        assert own == [one for one in of_all if not isinstance(one[1], CallBegan)]


@pytest.mark.long("two callers are called")
def test_each_call_has_files_of_its_own_and_all_have_one_transcript(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "call.wav").write_bytes(b"of an earlier run")
    result = call(two(), options=Options(artefacts=tmp_path / "run"))
    passed(result)
    found = sorted(str(path.relative_to(tmp_path / "run")) for path in (tmp_path / "run").rglob("*") if path.is_file())
    own = ("call.jsonl", "call.wav", "result.json", "transcript.txt")
    assert found == sorted([*(f"{name}/{file}" for name in ("ana", "bruno") for file in own), "transcript.txt"])
    assert (tmp_path / "run" / "transcript.txt").read_text(encoding="utf-8") == result.transcript
    of_bruno = (tmp_path / "run" / "bruno" / "transcript.txt").read_text(encoding="utf-8")
    assert of_bruno.startswith("calls, bruno · Asterisk 22.10, app · µ-law\n")
    assert result.calls[1].artefacts is not None
    assert result.calls[1].artefacts.recording == tmp_path / "run" / "bruno" / "call.wav"


@pytest.mark.long("two callers are called")
def test_the_transcript_names_each_caller_and_what_is_other_with_him() -> None:
    keys = two().replace("name: bruno,", "name: bruno, line: {codec: alaw, noise_dbfs: -60},")
    result = call(keys)
    passed(result)
    lines = result.transcript.splitlines()
    assert lines[:4] == [
        "calls · 2 calls · Asterisk 22.10, app · µ-law",
        "  bruno · Asterisk 22.10, app · A-law, noise −60 dBFS",
        "    0.000  ana       begin    the call begins",
        "    0.700  bruno     begin    the call begins",
    ]
    assert lines[4].split() == [
        "0.807",
        "ana",
        "bot",
        "“Condomínio",
        "Apoena,",
        "em",
        "que",
        "posso",
        "ajudar?”",
        "2.33",
        "s",
    ]
    assert call(keys).transcript == result.transcript


@LONG
def test_whoever_looks_on_sees_all_calls() -> None:
    seen = []
    run(
        load(two()),
        Options(target="helpers.several_bot:serve"),
        lambda entry, calls: seen.append((entry.caller, entry.at_ms, calls.now_ms, calls.ear.open_speech_at)),
    )
    assert {name for name, *_ in seen} == {"ana", "bruno"}
    assert all(at_ms <= now_ms for _, at_ms, now_ms, _ in seen)


@pytest.mark.every(9)
@pytest.mark.parametrize("starts", [pytest.param("0ms", marks=LONG), "700ms"])
@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("Echo", (ANA, ANA)),
        pytest.param("Echo", (ANA, BRUNO), marks=LONG),
        pytest.param("Announces", ("sounds/cough_low", "sounds/cough_low"), marks=LONG),
        pytest.param("", (ANA, ANA), marks=LONG),
        pytest.param("", (BRUNO, ANA), marks=LONG),
    ],
)
def test_a_good_bot_passes_whatever_its_callers_have_in_common(fault: str, says: tuple[str, str], starts: str) -> None:
    """An echo of oneself, the same sentence of both, the same greeting for both, also at the same instant."""
    steps = "{say: {recording: %s, blocks: false}, after: 3s}, {expect: {bot_speaks: 300ms, within: 8s}}, {wait: 4s}"
    callers = [
        f"{{name: {name}, starts: {later}, steps: [{{wait: 100ms}}, {steps % sound}]}}"
        for name, later, sound in (("ana", "0ms", says[0]), ("bruno", starts, says[1]))
    ]
    quality = "quality: {premature: allowed}\n"
    passed(call(f"{quality}callers: [{', '.join(callers)}]\n", fault, asks=False))


@pytest.mark.long("callers who differ are called")
def test_callers_who_are_alike_are_a_number() -> None:
    steps = f"ai: [{{says: {TO_BRUNO}, set_call_status: USER_TURN}}]\nsteps: [{HEARS}, {{say: {BRUNO}}}, {HEARS}]\n"
    result = call(f"callers: 5\n{steps}")
    passed(result)
    assert [made.caller for made in result.calls] == [f"call-{number}" for number in range(1, 6)]
    replied = [sum(isinstance(entry.event, BackendReplied) for entry in made.entries) for made in result.calls]
    assert replied == [1] * 5  # each used up the reply anew


@LONG
def test_in_one_call_after_the_other_a_bot_needs_no_uuid_to_ask() -> None:
    passed(call(one_after_the_other(), "NoIds"))


# --- bad bots: what is said of them


@pytest.mark.long("cross-talk is found in logs, and the scenario needs/serves_five_callers is called")
@pytest.mark.every(9)
@pytest.mark.parametrize(
    ("fault", "causes"),
    [
        ("Broadcasts", ["ana heard “Pode subir.”: the AI backend had answered bruno so 0.32 s before, and not ana"]),
        ("OneAtATime", ["bruno, step 1", "sent no audio since the UUID; meanwhile it serves ana: can it serve one"]),
        ("TakesOne", ["bruno, callers: expected the bot to take this call too", "it had taken the call of ana"]),
        more("DiesAtTheSecond", "bruno, step 1", "had sent nothing; the bot has not", "it has taken the call of ana"),
        more("Swaps", "bruno heard “Vou verificar, aguarde um momento.”: the AI backend had answered ana so"),
        more("Forgets", "ana heard “Pode subir.”: the AI backend had answered bruno so"),
        more("OneConversation", "bruno heard “Vou verificar, aguarde um momento.”: the AI backend had answered ana"),
        more("OneUuid", "bruno, ai: expected the AI's script to fit; request 2", "ana, step 3"),
        more("NoIds", "its id, “zoo”, is no call's UUID, so it may belong to another call"),
        more("OneWriter", "ana, step 1", "nothing here from 0.680 on, when bruno's call began: does it send all to"),
        more("LeaksVoices", "bruno heard ana: “Quero falar com o apartamento 202, por favor.”, 1.01 s after ana had"),
        more("Conference", "bruno heard ana: “Quero falar com o apartamento 202, por favor.”, 0.01 s after ana had"),
        more("OneQueue", "ana and bruno each heard every other 20 ms", "their calls share a queue"),
    ],
)
def test_of_two_calls_at_a_time(fault: str, causes: list[str]) -> None:
    result = call(two(), fault)
    assert result.outcome is Outcome.FAILED
    told = "\n".join(result.problems)
    assert [cause for cause in causes if cause not in told] == [], told
    assert "does it refuse the UUID" not in told


@pytest.mark.long("quicker tests of this file are run")
@pytest.mark.parametrize(
    ("fault", "causes"),
    [
        ("Forgets", ["bruno heard “Vou verificar, aguarde um momento.”: the AI backend had answered ana so"]),
        ("DiesAtTheSecond", ["bruno, step 1", "it has taken the call of ana"]),
        more("OneConversation", "ana, ai: expected no request after", "with the UUID of ana; bruno called then"),
        more("LeavesItsWords", "bruno heard “Vou verificar, aguarde um momento.”: the AI backend had answered ana so"),
        more("KeepsTheTurn", "bruno, step 1 (expect bot_speaks)"),
        more("TakesOne", "bruno, then: expected the bot to take this call too", "it had taken the call of ana"),
    ],
)
def test_of_one_call_after_the_other(fault: str, causes: list[str]) -> None:
    result = call(one_after_the_other("{hang_up: close}"), fault)
    assert result.outcome is Outcome.FAILED
    told = "\n".join(result.problems)
    assert [cause for cause in causes if cause not in told] == [], told


@pytest.mark.long("other bots are called in the same way")
def test_a_bot_that_stops_to_everybody_when_one_begins_to_speak() -> None:
    (problem,) = call(two("2.5s"), "StopsAll").problems
    assert f"1.600 the bot broke off “{GREETING}” to bruno 0.04 s after ana began to speak" in problem


@LONG
def test_a_bot_that_ends_all_calls_with_one() -> None:
    keys = two().replace("{wait: 3s}", "{hang_up: close}").replace("{wait: 4s}", f"{{wait: 3s}}, {{say: {BRUNO}}}")
    told = "\n".join(call(keys, "EndsAll").problems)
    assert "bruno, step 5 (say): expected the call to go on" in told
    assert "ana's call had ended 0.00 s before: does the end of one call end all?" in told


@LONG
def test_a_bot_may_be_meant_to_let_callers_hear_one_another() -> None:
    passed(call("quality: {cross_talk: allowed}\n" + two(), "Broadcasts"))


@pytest.mark.long("quicker tests of this file are run")
def test_one_call_that_fails_fails_them_all_and_says_which() -> None:
    keys = two().replace("{wait: 3s}", "{expect: {hangs_up: server, within: 100ms}}")
    result = call(keys)
    assert result.outcome is Outcome.FAILED
    assert [made.outcome for made in result.calls] == [Outcome.FAILED, Outcome.PASSED]
    (failure,) = result.failures
    assert failure.headline == "calls.yaml:4: calls, ana, step 4 (expect hangs_up)"
    ended = {entry.caller: entry.at_ms for entry in result.entries if isinstance(entry.event, CallEnded)}
    assert ended["bruno"] > ended["ana"]  # the other call goes on to its end


@LONG
def test_words_that_the_other_caller_heard_are_shown() -> None:
    """Without an AI backend nobody knows for whom an answer is meant; but who heard it is known."""
    keys = two().replace(f"{HEARS}, {{wait: 4s}}", f"{{expect: {{bot_says: '{TO_BRUNO}', within: 4s}}}}")
    told = call(keys, "Swaps").problems
    assert any("bruno, step 3 (expect bot_says)" in line and "ana heard “Pode subir.” at" in line for line in told), (
        told
    )


# --- what is shared, and what is each call's own


def test_a_call_that_could_not_be_made_is_no_failure_of_the_bot() -> None:
    keys = two() + "before: {get: '{ai_url}', status: 200, within: 1s}\n"
    result = call(keys)  # the mock AI takes POST only
    assert result.outcome is Outcome.SET_UP
    assert [made.outcome for made in result.calls] == [Outcome.SET_UP] * 2
    assert all("405" in fault for fault in result.faults)
    assert len(result.faults) == 1


def test_after_a_fault_the_next_calls_are_not_made() -> None:
    keys = two() + f"then: {caller('carla', ANA, TO_ANA)}\nbefore: {{get: '{{ai_url}}', status: 200}}\n"
    result = call(keys)
    assert [made.outcome for made in result.calls] == [Outcome.SET_UP, Outcome.SET_UP, Outcome.INCONCLUSIVE]
    assert result.calls[2].faults == ("this call was not made: there was no verdict on one before it",)


def test_of_a_bot_that_cannot_follow_virtual_time_nothing_is_said_in_any_call() -> None:
    steps = "steps: [{expect: {bot_says: Pode subir., within: 2s}}, {expect: {bot_says: Pode subir., within: 1s}}]"
    text = f"summary: x\nserver: {{manner: thread}}\ncallers: [{{name: ana}}, {{starts: 300ms}}]\n{steps}\n"
    result = run(load_text(text, "calls", folder=ROOT / "scenarios"), Options(target="helpers.clock_bots:serve"))
    assert (result.outcome, result.cannot_follow, result.failures) == (Outcome.SET_UP, True, ())
    (line,) = result.problems
    assert line.startswith("virtual time cannot follow this bot: its thread «pacer» woke the event loop")


@pytest.mark.long("quicker tests of this file are run")
def test_ctrl_c_ends_all_calls_and_their_files_are_written(tmp_path: Path) -> None:
    def interrupt(entry: Entry, calls: CallInProgress) -> None:
        if entry.caller == "bruno" and isinstance(entry.event, BotSpoke):
            signal.raise_signal(signal.SIGINT)

    keys = two() + f"then: {caller('carla', ANA, TO_ANA)}\n"
    result = run(load(keys), Options(target="helpers.several_bot:serve", artefacts=tmp_path / "run"), interrupt)
    assert result.outcome is Outcome.INCONCLUSIVE
    assert result.interrupted
    assert {made.outcome for made in result.calls} == {Outcome.INCONCLUSIVE}
    assert result.faults[0] == "interrupted, while waiting for step 2 (say)"
    assert all((tmp_path / "run" / name / "call.wav").exists() for name in ("ana", "bruno"))


@LONG
def test_a_bot_learns_the_texts_of_all_its_callers() -> None:
    """They are in no phrase book, and the embedded recogniser knows only what it was given."""
    said = {
        "ana": "Apartamento duzentos e dois.",
        "bruno": "Sou o entregador.",
        "carla": "Boa noite, é carla.",
    }
    callers = [
        f"{{name: {name}, ai: [{{hears: '{text}', says: {TO_BRUNO}, set_call_status: USER_TURN}}], steps: "
        f"[{{expect: {{bot_speaks: 1s}}}}, {{say: {{text: '{text}'}}}}, {{expect: {{bot_says: {TO_BRUNO}}}}}]}}"
        for name, text in said.items()
    ]
    text = f"summary: x\ncallers: [{callers[0]}, {callers[1]}]\nthen: {callers[2]}\n"
    passed(run(load_text(text, "calls", folder=ROOT / "scenarios"), Options(target="audiosocket_server:serve")))


def test_each_run_has_seeds_of_its_own_for_each_caller() -> None:
    scenario = load(two().replace("name: bruno,", "name: bruno, line: {seed: 7},"))
    assert seeds_of(scenario) == {"line.seed": 1, "bruno: line.seed": 7}
    assert [one.line.seed for one in run_of(scenario, 3).calls] == [3, 9]


@pytest.mark.real_time
@pytest.mark.long("a program and an address are called by several callers, on the real clock")
@pytest.mark.parametrize(("fault", "outcome"), [("", Outcome.PASSED), ("Exits", Outcome.FAILED)])
def test_a_program_is_started_once_for_all_calls(fault: str, outcome: Outcome) -> None:
    program = f"{sys.executable} {ROOT / 'tests' / 'helpers' / 'several_bot.py'}"
    settings = json.dumps({"fault": fault, "asks": True})
    keys = one_after_the_other() if fault else two("300ms")
    scenario = load(keys).model_copy(update={"server": {}})
    calls = tuple(one.model_copy(update={"server": {}}) for one in scenario.calls)
    scenario = scenario.model_copy(update={"made_calls": calls})
    result = run(scenario, Options(target=f"command: {program} {{port}} '{settings}'", real_time=True))
    assert result.outcome in (outcome, Outcome.INCONCLUSIVE), result.problems
    if fault:
        told = "\n".join(result.problems)
        assert "the program ended with code 3" in told
        assert "it had taken the call of ana" in told


@LONG
def test_a_later_message_for_a_caller_who_has_gone_is_sent_to_nobody() -> None:
    """As in a call alone: he hung up before it was due. The other call goes on meanwhile."""
    waiting = "{says: Pode subir., set_call_status: WAITING, then_pushes: [{after: 3s, says: Pode subir.}]}"
    steps = f"{{expect: {{bot_speaks: 1s}}}}, {{say: {BRUNO}}}, {{expect: {{bot_says: {TO_BRUNO}}}}}"
    text = (
        "summary: x\nserver: {greeting: {delay_seconds: 0.2}}\ncallers:\n"
        f"  - {{name: ana, ai: [{waiting}], steps: [{steps}, {{hang_up: close}}]}}\n  - {{steps: [{{wait: 14s}}]}}\n"
    )
    passed(run(load_text(text, "calls", folder=ROOT / "scenarios"), Options(target="audiosocket_server:serve")))
