"""Whole calls whose bot has a fault of its sound or on the wire that no step asks for, and calls whose bot has none."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from audiosocket_sim.call_log.events import BotSpoke, CallEnded, DefectFound
from audiosocket_sim.running.runner import Options, Outcome, Result, run
from audiosocket_sim.scenario.loading import load_text

ROOT = Path(__file__).resolve().parents[3]
HELLO = [0.5, "say", "pt-br/pode_subir"]  # heard from 0.81 to 1.80
GREETING = [0.5, "say", "pt-br/condominio_apoena_em_que_posso_ajudar"]  # heard from 0.83 to 3.16
OWN = [0.5, "say", "recordings/pt-br/boa_tarde_vim_visitar_a_dona"]  # the ear cannot read it
ANSWER = [3.0, "say", "pt-br/pode_subir"]
PLAIN = "wait: 5s"


def each_sixth(names: Iterable[str]) -> list[Any]:
    """Each sixth of a table is called in `make test`; the rooms' own tests hold what is common to all."""
    others = pytest.mark.long("each sixth of the table is called")
    return [pytest.param(name, marks=() if at % 6 == 0 else others) for at, name in enumerate(names)]


def call(steps: str, *script: list[Any], keys: str = "", **bot: Any) -> Result:
    """One call; `steps` as YAML, a step a line."""
    lines = "\n".join(f"  - {line.strip()}" for line in steps.strip().splitlines())
    text = f"summary: A call to a bot that follows a script.\n{keys}\nsteps:\n{lines}\n"
    scenario = load_text(text, "call", folder=ROOT / "scenarios")
    scenario = scenario.model_copy(update={"server": {"script": list(script), **bot}})
    return run(scenario, Options(target="helpers.scripted_bot:serve"))


def defects(result: Result) -> list[tuple[int, str, str]]:
    return [
        (entry.at_ms, entry.event.kind, entry.event.what)
        for entry in result.entries
        if isinstance(entry.event, DefectFound)
    ]


BAD = {
    "a sentence at once": (
        (PLAIN, [0.5, "ahead", "pt-br/pode_subir"]),
        "0.500 sound was sent up to 1.28 s ahead of what was playing: a phone that holds 300 ms lost 0.98 s of it",
    ),
    "an unread voice at once": (
        (PLAIN, [0.5, "ahead", OWN[2]]),
        "0.500 sound was sent up to 4.10 s ahead of what was playing: a phone that holds 300 ms lost 3.28 s of it",
    ),
    "a hole in a known phrase": (
        (PLAIN, HELLO, [1.1, "hole", 0.3]),
        "0.810 holes of 300 ms in 1.29 s of speech: nothing had come in time to be played",
    ),
    "a stall in a known phrase, of a bot that sends nothing else": (
        (PLAIN, GREETING, [1.5, "hole", 1.5], {"quiet": True}),
        "1.500 nothing was sent for 1.50 s in the midst of speech",
    ),
    "a stall in an unread voice": (
        (PLAIN, OWN, [1.2, "hole", 1.5]),
        "1.200 nothing was sent for 1.50 s in the midst of speech",
    ),
    "a slow clock": (
        (PLAIN, HELLO, {"tick": 0.02051}),
        "0.021 20.51 ms for each 20 ms of sound, over 5.0 s of continuous sending: 2.5 % too slow",
    ),
    "a fast clock": (
        (PLAIN, HELLO, {"tick": 0.0195}),
        "0.020 19.50 ms for each 20 ms of sound, over 5.0 s of continuous sending: 2.5 % too fast",
    ),
    "a fast clock for so long that a phone's buffer is full": (
        ("wait: 20s", HELLO, [15, "say", "pt-br/pode_subir"], {"tick": 0.0195}),
        "0.020 19.50 ms for each 20 ms of sound, over 20.0 s of continuous sending: 2.5 % too fast",
    ),
    "a phrase that the server's end cuts": (
        (PLAIN, HELLO, [1.3, "hang_up"]),
        "1.300 “Pode subir.” was heard for 0.49 s of 0.99 s: the server ended the call while it was speaking",
    ),
    "a goodbye in one go before the end": (
        (PLAIN, [0.5, "ahead", OWN[2]], [0.6, "hang_up"], {"keys": "quality: {ahead: allowed}"}),
        "0.600 3.39 s of speech were sent and not heard: the server ended the call before they had been played",
    ),
    "the same by a plain close": (
        (PLAIN, [0.5, "ahead", OWN[2]], [0.6, "close"], {"keys": "quality: {ahead: allowed}\near: endless"}),
        "0.600 3.39 s of speech were sent and not heard: the server ended the call before they had been played",
    ),
    "a message too long for Asterisk": (
        (PLAIN, [0.5, "raw", "10fa00" + "001000f0" * 16000]),
        "0.500 an audio message of 4.00 s: too long for Asterisk's translators (over 1 s), dropped: the caller heard "
        "none of it",
    ),
    "audio after the hang-up message": (
        (PLAIN, [0.5, "raw", "000000" + "100002aaaa" * 2]),
        "0.500 3 audio messages came after the hang-up message 00 00 00: nobody hears them",
    ),
    "audio long after the hang-up message": (
        (PLAIN, [0.5, "raw", "000000"], [0.51, "raw", "100002aaaa"]),
        "0.500 1 audio message came after the hang-up message 00 00 00: nobody hears it",
    ),
    "a connection that stays open": (
        ("wait: 1s\nhang_up: close", HELLO, {"keeps_open": True}),
        "1.000 the server had not closed its connection 2.0 s after the call had ended",
    ),
    "a start within the caller's sentence": (
        ("{say: pt-br/quero_falar_com_o_apartamento_202, after: 1s}\nwait: 2s", [2.0, "say", "pt-br/pode_subir"]),
        "2.310 the bot began to speak in the midst of the caller's “Quero falar com o apartamento 202, por favor.”, "
        "2.08 s before its end",
    ),
    "a silent wire where the scenario asks": (
        (PLAIN, HELLO, {"quiet": True, "keys": "quality: {wire_silence: 2s}"}),
        "2.180 nothing at all was sent for 2.82 s",
    ),
}


@pytest.mark.parametrize("name", each_sixth(BAD))
def test_a_defect_fails_the_call_that_asks_for_nothing(name: str) -> None:
    (steps, *script), line = BAD[name]
    bot = script.pop() if isinstance(script[-1], dict) else {}
    result = call(steps, *script, **bot)
    assert result.outcome is Outcome.FAILED, result.transcript
    first = result.failures[0]
    assert (first.what, first.happened[0]) == ("quality", line), result.transcript
    assert len(result.failures) == 1, result.problems


GOOD = {
    "a bot that says its sentence": (PLAIN, GREETING),
    "one that sends nothing else": (PLAIN, GREETING, {"quiet": True}),
    "short holes": (PLAIN, HELLO, [1.1, "hole", 0.12]),
    "a hole between two sentences": (PLAIN, HELLO, [1.9, "hole", 1.0], ANSWER),
    "two sentences, of a bot that sends nothing between": (PLAIN, OWN, [4.6, *OWN[1:]], {"quiet": True}),
    "300 ms ahead": (PLAIN, [0.5, "raw", ("100140" + "001000f0" * 80) * 15]),
    "the caller's hang-up in mid-sentence": ("{hang_up: close, after: 1.2s}", HELLO),
    "the caller's hang-up before what was sent ahead": (
        "{hang_up: close, after: 600ms}",
        [0.5, "raw", ("100140" + "001000f0" * 80) * 15],
    ),
    "an end that the caller's interruption caused": (
        "{say: pt-br/espera_espera_nao_e_isso, after: 1s}\nwait: 1s",
        GREETING,
        [1.6, "hang_up"],
    ),
    "a stop that the caller's interruption caused": (
        "{say: pt-br/espera_espera_nao_e_isso, after: 1s}\nwait: 4s",
        GREETING,
        [1.6, "flush"],
        [1.6, "hole", 1.0],
        [2.6, "say", "pt-br/pode_subir"],
    ),
    "speech that goes on after an interruption": (
        "{say: pt-br/quero_falar_com_o_apartamento_202, after: 1s}\nwait: 2s",
        GREETING,
        [1.2, "flush"],
        [2.4, "say", "pt-br/condominio_apoena_em_que_posso_ajudar"],
    ),
    "an echo server": (
        "{say: pt-br/quero_falar_com_o_apartamento_202, after: 1s}\nwait: 2s",
        {"echo": 0.4, "quiet": True},
    ),
    "an answer after the caller's last word": (
        "{say: pt-br/quero_falar_com_o_apartamento_202, after: 1s}\nwait: 3s",
        [4.5, "say", "pt-br/pode_subir"],
    ),
    "what is allowed": (
        PLAIN,
        [0.5, "ahead", "pt-br/pode_subir"],
        [0.6, "hang_up"],
        {"keys": "quality: {ahead: allowed, unheard: allowed}"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", each_sixth(GOOD))
def test_what_is_no_defect(name: str) -> None:
    steps, *script = GOOD[name]
    bot = script.pop() if script and isinstance(script[-1], dict) else {}
    result = call(steps, *script, **bot)
    assert result.outcome is Outcome.PASSED, (result.problems, result.transcript)


def test_a_silent_wire_is_noted_once() -> None:
    result = call("wait: 9s", HELLO, [5, "say", "pt-br/pode_subir"], quiet=True)
    assert result.passed
    assert [line for line in result.transcript.splitlines() if " note " in line] == [
        "    2.180  note     the bot sends nothing at all between its sentences (up to 2.82 s, 2 times, 5.14 s in all):"
        " "
        "under the application Asterisk ends such a call after 2 s if the caller is muted"
    ]


def test_with_an_endless_phone_all_is_heard_in_the_end() -> None:
    result = call("wait: 5s", [0.5, "ahead", "pt-br/pode_subir"], keys="ear: endless\nquality: {ahead: allowed}")
    assert result.passed
    assert [(e.event.text, e.event.cut_off) for e in result.entries if isinstance(e.event, BotSpoke)] == [
        ("Pode subir.", False)
    ]
    assert defects(result) == [(500, "ahead", "sound was sent up to 1.28 s ahead of what was playing")]


@pytest.mark.long("quicker tests of this file are run")
def test_a_line_with_a_gain_does_not_make_the_bot_too_quiet() -> None:
    assert call(PLAIN, GREETING, keys="line: {gain_db: -25}").passed
    assert not call(PLAIN, GREETING, keys="quality: {level_dbfs: [-10, -6]}").passed


@pytest.mark.long("quicker tests of this file are run")
@pytest.mark.every(9)
@pytest.mark.parametrize(
    ("script", "heard", "told"),
    [
        ([OWN, [5.2, "hang_up"]], True, "last word heard"),
        ([OWN, [1.1, "hang_up"]], None, "(00 00 00); the dialplan"),
        ([[0.5, "ahead", OWN[2]], [0.6, "hang_up"]], False, "last word NOT heard: 3.39 s were sent and not heard"),
        ([[0.6, "hang_up"]], None, "(00 00 00); the dialplan"),
        ([HELLO, [3, "ahead", OWN[2]], [3, "hang_up"]], False, "last word NOT heard: 3.39 s were sent and not heard"),
    ],
)  # fmt: skip
def test_whether_the_last_word_was_heard_is_true_for_any_voice(
    script: list[list[Any]], heard: bool | None, told: str
) -> None:
    result = call("wait: 8s", *script, keys="quality: {ahead: allowed, unheard: allowed}")
    (end,) = [entry.event for entry in result.entries if isinstance(entry.event, CallEnded)]
    assert end.last_word_heard is heard
    assert told in result.transcript


@pytest.mark.long("whether it was heard is asked of other calls")
def test_that_the_last_word_is_heard_can_be_demanded() -> None:
    demand = "expect: {hangs_up: {who: server, last_word: heard}, within: 8s}"
    allowed = "quality: {ahead: allowed, unheard: allowed}"
    assert call(demand, OWN, [5.2, "hang_up"]).passed
    burst = call(demand, [0.5, "ahead", OWN[2]], [0.6, "hang_up"], keys=allowed)
    assert not burst.passed
    assert "its last word was heard" in burst.failures[0].expected
    assert "the last word was NOT heard: 3.39 s of it were sent and not heard" in " ".join(burst.failures[0].happened)
    mute = call(demand, [0.6, "hang_up"])
    assert "the bot has not been heard at all since the call began" in " ".join(mute.failures[0].happened)


def test_a_defect_comes_before_the_step_that_it_broke() -> None:
    result = call("expect: {bot_says: Pode subir., within: 3s}", HELLO, [1.3, "hang_up"])
    assert [failure.what for failure in result.failures] == ["quality", "step 1 (expect bot_says)"]
