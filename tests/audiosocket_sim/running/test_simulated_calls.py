"""Whole calls against a bot of a few lines, in virtual time: each step and expectation, apart from any server."""

import asyncio
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audiosocket_sim.call_log.events import CallEnded, ExpectationJudged, StepFailed, WireSummary
from audiosocket_sim.running.call_fixture import CallFixture
from audiosocket_sim.running.runner import Options, Outcome, Result, run
from audiosocket_sim.scenario.loading import load_text

ROOT = Path(__file__).resolve().parents[3]
HELLO = [0.5, "say", "pt-br/pode_subir"]  # heard from 0.81 to 1.80
HELLO_TEXT = "Pode subir."


def call(steps: str, *script: list[Any], keys: str = "", artefacts: Path | None = None, **bot: Any) -> Result:
    """One call; `steps` as YAML, a step a line."""
    lines = "\n".join(f"  - {line.strip()}" for line in steps.strip().splitlines())
    text = f"summary: A call to a bot that follows a script.\n{keys}\nsteps:\n{lines}\n"
    scenario = load_text(text, "call", folder=ROOT / "scenarios")
    scenario = scenario.model_copy(update={"server": {"script": list(script), **bot}})
    return run(scenario, Options(target="helpers.scripted_bot:serve", artefacts=artefacts))


@dataclass(frozen=True)
class Case:
    """Steps, the bot's script, and words of the transcript or of the problems (without runs of spaces)."""

    steps: str
    script: tuple[list[Any], ...] = ()
    told: tuple[str, ...] = ()
    problem: str | None = None
    outcome: Outcome | None = None
    keys: str = ""
    control: bool = False
    quiet: bool = False


PASS = {
    # --- what the caller does
    "say: the reaction time after the bot fell silent": Case(
        "expect: {bot_speaks: 200ms}\nsay: pt-br/sim",
        (HELLO,),
        ("2.508 caller “Sim.” 1.05 s", "3.558 end caller hung up"),
    ),
    "say: its own reaction time": Case(
        "expect: {bot_speaks: 200ms}\nsay: pt-br/sim", (HELLO,), ("2.108 caller “Sim.”",), keys="reaction: 300ms"
    ),
    "say after a time, over the bot": Case("{say: pt-br/sim, after: 1s}", (HELLO,), ("1.008 caller “Sim.”",)),
    "say after no time": Case(
        "expect: {bot_speaks: 500ms}\n{say: pt-br/sim, after: 0ms}", (HELLO,), ("1.328 caller “Sim.”",)
    ),
    "say, and go on": Case(
        "{say: {recording: pt-br/sim, blocks: false}, after: 1s}\nexpect: {bot_says: Pode subir.}\nwait: 100ms",
        ([1.2, "say", "pt-br/pode_subir"],),
        ("1.008 caller “Sim.” 1.05 s", "1.510 bot “Pode subir.” 0.99 s"),
    ),
    "say a part": Case(
        "{say: {recording: pt-br/sim, start: 100ms, for: 300ms}, after: 1s}",
        (),
        ("1.008 caller “Sim.” 0.30 s", "1.308 end"),
    ),
    "wait": Case("wait: 1.23s\ndtmf: '1'", (), ("1.230 caller dtmf 1", "1.430 end")),
    "wait after a time": Case("{wait: 1s, after: 500ms}", (), ("1.500 end",)),
    "dtmf": Case(
        "{dtmf: '2#', tone: 150ms, gap: 80ms, after: 1s}", (), ("1.000 caller dtmf 2 0.15 s", "1.230 caller dtmf #")
    ),
    "noise": Case(
        "noise: {for: 400ms, dbfs: -18, color: pink}", (), ("0.008 caller noise pink, −18 dBFS 0.40 s", "0.408 end")
    ),
    "tone": Case("tone: {for: 1s, hz: 1000, dbfs: -12}", (), ("caller tone 1000 Hz, −12 dBFS 1.00 s", "1.008 end")),
    "silence": Case("silence: 2s", (), ("0.008 caller silence 2.00 s", "2.008 end")),
    "mute for a time": Case("mute: 500ms\nwait: 100ms", (), ("0.000 caller mute 0.50 s", "0.600 end")),
    "mute on and off": Case(
        "mute: 'on'\nwait: 500ms\nmute: 'off'\nwait: 1s", (), ("0.000 caller mute", "0.500 caller unmute", "1.500 end")
    ),
    "mute on for 3 s with a quiet bot ends the call": Case(
        "mute: 'on'\nexpect: {hangs_up: {who: asterisk, how: protocol, dialplan: ends}, within: 3s}",
        (),
        ("2.000 end Asterisk ended the call: nothing from either side for 2 s",),
        quiet=True,
    ),
    "hang up by close": Case(
        "{hang_up: close, after: 1s}\nexpect: {hangs_up: caller}", (), ("1.000 end caller hung up",)
    ),
    "hang up by reset": Case(
        "{hang_up: reset, after: 1s}\nexpect: {hangs_up: {who: caller, how: reset}}", (), ("caller hung up (reset)",)
    ),
    "hang up in mid-frame": Case(
        "{hang_up: mid_frame, after: 1s}\nexpect: {hangs_up: caller}", (), ("caller hung up",)
    ),
    "hang up before the UUID": Case(
        "hang_up: {before_uuid: true}\nexpect: {hangs_up: caller}",
        (),
        ("0.500 end caller hung up",),
        keys="asterisk: {connect_pause: 1s}",
    ),
    "hang up before the UUID, after a time": Case(
        "{hang_up: {before_uuid: true}, after: 300ms}",
        (),
        ("0.300 end caller hung up",),
        keys="asterisk: {connect_pause: 1s}",
    ),
    "hang up before the UUID, at once": Case(
        "{hang_up: {before_uuid: true}, after: 0ms}",
        (),
        ("0.000 end caller hung up",),
        keys="asterisk: {connect_pause: 1s}",
    ),
    "time passes after the end too": Case(
        "{hang_up: close, after: 1s}\nwait: 5s\nexpect: {backend_asked: tarde, within: 100ms}",
        ([4.0, "ask", "Tarde demais."],),
        ("4.000 heard “Tarde demais.”",),
        keys="ai: [{says: Pois não.}]",
    ),
    "a sound that the end cuts": Case("tone: {for: 3s, hz: 440}", ([1, "hang_up"],), ("0.008 caller tone",)),
    "a last key that the end cuts": Case("{dtmf: '12', tone: 400ms}", ([0.7, "hang_up"],)),
    # --- expectations
    "bot_says": Case(
        "expect: {bot_says: 'pode SUBIR', within: 900ms}\ndtmf: '1'", (HELLO,), ("0.810 bot “Pode subir.”",)
    ),
    "bot_says of what was sent all at once": Case(
        "expect: {bot_says: Pode subir.}",
        ([0.5, "ahead", "pt-br/pode_subir"],),
        ("bot “Pode subir.” 0.99 s, sent 1.30 s ahead: a phone drops it",),
        quiet=True,
        keys="ear: endless\nquality: {ahead: allowed}",
    ),
    "bot_says a part": Case("expect: {bot_says: {text: subir, part: true}}", (HELLO,)),
    "bot_speaks in a voice that nobody can read": Case(
        "expect: {bot_speaks: {at_least: 1s}, within: 1s}", ([0.5, "say", "recordings/pt-br/apartamento_202"],)
    ),
    "bot_speaks goes on at its instant": Case(
        "expect: {bot_speaks: 300ms}\ndtmf: '1'", (HELLO,), ("1.110 caller dtmf 1",)
    ),
    "bot_silent": Case(
        "expect: {bot_speaks: 300ms}\nexpect: {bot_silent: 100ms}\ndtmf: '1'", (HELLO,), ("1.901 caller dtmf 1",)
    ),
    "bot_silent that begins in time and is complete later": Case(
        "expect: {bot_speaks: 300ms}\nexpect: {bot_silent: 300ms, within: 600ms}\ndtmf: '1'",
        ([0.5, "say", "pt-br/condominio_apoena_em_que_posso_ajudar"], [1.3, "flush"]),
        ("1.600 caller dtmf 1",),
    ),
    "bot_silent from the start": Case("expect: {bot_silent: 400ms}\ndtmf: '1'", (), ("0.408 caller dtmf 1",)),
    "hold_audio": Case(
        "expect: {hold_audio: playing, within: 1s}\nexpect: {hold_audio: stopped, within: 4s}",
        ([1, "hold"], [3, "hold_off"]),
        ("1.000 hold starts", "3.000 hold stops after 2.00 s seamless"),
    ),
    "state": Case(
        "expect: {state: WAITING, within: 1s}\ndtmf: '1'\nexpect: {state: WAITING, within: 0ms}",
        ([1, "state", "WAITING"],),
        ("1.000 state STANDBY → WAITING", "1.000 caller dtmf 1"),
        control=True,
    ),
    "state when told, where nobody tells": Case(
        "expect: {state: {is: WAITING, when_told: true}}\nnever: {state: {is: WAITING, when_told: true}}",
        (),
        ("note step 1 passed over: no control URL", "note step 2 passed over: no control URL"),
    ),
    "a state of the very end": Case(
        "expect: {state: STANDBY, within: 3s}\nexpect: {hangs_up: server}",
        ([1, "state", "WAITING"], [2, "state", "STANDBY"], [2, "hang_up"]),
        control=True,
    ),
    "backend_asked": Case(
        "expect: {backend_asked: '202', within: 2s}\nexpect: {bot_says: Pode subir.}",
        ([1, "ask", "Apartamento 202."], [1.5, "say", "pt-br/pode_subir"]),
        ("1.000 heard “Apartamento 202.”", "1.300 backend no status “Oi.” 0.30 s, reply 1"),
        keys="ai: [{hears: apartamento, after: 300ms, says: Oi.}]",
    ),
    "hangs_up": Case(
        "expect: {hangs_up: {who: server, how: hangup_message, dialplan: continues}, within: 2s}",
        ([2, "hang_up"],),
        ("2.000 end server hung up (00 00 00); the dialplan continues",),
    ),
    "a plain end of the connection": Case("expect: {hangs_up: {who: server, how: fin}}", ([2, "close"],)),
    "a reset by the server": Case("expect: {hangs_up: {who: server, how: reset}}", ([2, "reset"],)),
    "not answered": Case(
        "expect: {hangs_up: {who: asterisk, how: unanswered, dialplan: ends}}", keys="asterisk: {answered: false}"
    ),
    # --- never
    "never, in a time": Case("never: {bot_speaks: 200ms, for: 700ms}\nwait: 3s", (HELLO,)),
    "never, to the end": Case("never: {hold_audio: playing}\nwait: 3s", (HELLO,)),
    "never silent": Case("never: {bot_silent: 1s, for: 1.5s}\nwait: 2s", (HELLO,)),
    # --- the AI's script
    "an optional reply": Case("wait: 1s", keys="ai: [{says: Oi., optional: true}]"),
    "a push": Case(
        "wait: 5s",
        ([1, "ask", "Oi"],),
        ("4.000 backend pushes WAITING “Um.”",),
        control=True,
        keys="ai: [{says: Oi., then_pushes: [{after: 3s, says: Um., set_call_status: WAITING}]}]",
    ),
    "a push to a caller who hung up": Case(
        "{hang_up: close, after: 2s}",
        ([1, "ask", "Oi"],),
        control=True,
        keys="ai: [{says: Oi., then_pushes: [{after: 3s, says: Um.}]}]",
    ),
    "a push that comes too late to be taken": Case(
        "expect: {hangs_up: server}\nwait: 3s",
        ([1, "ask", "Oi"], [2, "hang_up"]),
        ("4.000 backend pushes no status “Um.” answered 404",),
        control=True,
        keys="ai: [{says: Oi., then_pushes: [{after: 3s, says: Um., expect_http: 404}]}]",
    ),
}

# --- a `never` counts each event once, and no effect of the caller's hanging up or of the scenario's end
PASS |= {
    "hold audio that plays on until the scenario is over": Case(
        "expect: {hold_audio: playing}\nnever: {hold_audio: stopped, for: 2s}", ([0.8, "hold"],), ("2.800 hold stops",)
    ),
    "hold audio that plays on until the caller hangs up": Case(
        "expect: {hold_audio: playing}\nnever: {hold_audio: stopped}\nwait: 2s\nhang_up: close\nwait: 1s",
        ([0.8, "hold"],),
        ("2.800 hold stops",),
    ),
    "hold audio that has stopped once": Case(
        "expect: {hold_audio: stopped}\nnever: {hold_audio: stopped}\nwait: 2s", ([0.2, "hold"], [2.0, "hold_off"])
    ),
    "hold audio that does not play again": Case(
        "expect: {hold_audio: playing}\nnever: {hold_audio: playing}\nwait: 3s", ([0.2, "hold"], [2.0, "hold_off"])
    ),
    "a state that the scenario's end brings about": Case(
        "wait: 1s\nnever: {state: STANDBY, for: 1s}",
        ([0.5, "state", "USER_TURN"], [2.0, "state", "STANDBY"]),
        control=True,
    ),
    "a state that the caller's hanging up brings about": Case(
        "wait: 1s\nnever: {state: STANDBY}\nhang_up: close\nwait: 1s",
        ([0.5, "state", "USER_TURN"], [1.0, "state", "STANDBY"]),
        control=True,
    ),
    "the caller hangs up at the end, and may": Case("never: {hangs_up: caller, for: 1s}"),
    "one request, before the caller hung up": Case(
        "expect: {backend_asked: Oi}\nhang_up: close\nnever: {backend_asked: Oi, for: 2s}",
        ([1, "ask", "Oi"],),
        keys="ai: [{says: Oi.}]",
    ),
    "sound that cannot be read comes first": Case(
        "expect: {bot_says: Pode subir., within: 4s}",
        ([0.2, "say", "recordings/pt-br/sim"], [3.0, "say", "pt-br/pode_subir"]),
    ),
    "never words, and one sound of the call cannot be read": Case(
        "expect: {bot_says: Pode subir.}\nnever: {bot_says: Pode subir.}\nwait: 3s",
        (HELLO, [3.0, "say", "recordings/pt-br/sim"]),
    ),
}

FAIL = {
    "nothing is said": Case(
        "expect: {bot_says: Oi, within: 2s}", (), ("2.020 FAILED",), "the bot has not been heard at all"
    ),
    "the wrong thing is said": Case(
        "expect: {bot_says: Oi, within: 2s}", (HELLO,), (), "0.810 the bot said “Pode subir.”"
    ),
    "it comes too late": Case(
        "expect: {hold_audio: playing, within: 700ms}", ([0.8, "hold"],), (), "it came at 0.800, 100 ms too late"
    ),
    "it is cut off": Case(
        "expect: {bot_says: 'Condomínio Apoena, em que posso ajudar?', within: 2s}",
        ([0.5, "say", "pt-br/condominio_apoena_em_que_posso_ajudar"], [2.5, "flush"]),
        (),
        "em que posso ajudar?”, cut off",
    ),
    "it speaks too briefly": Case("expect: {bot_speaks: 3s, within: 1s}", (HELLO,), (), "at least 3.00 s"),
    "it never falls silent": Case(
        "expect: {bot_silent: 1s, within: 1s, }", ([0, "say", "recordings/pt-br/apartamento_202"],), (), "falls silent"
    ),
    "it falls silent too late": Case(
        "expect: {bot_speaks: 300ms}\nexpect: {bot_silent: 300ms, within: 150ms}",
        ([0.5, "say", "pt-br/condominio_apoena_em_que_posso_ajudar"], [1.3, "flush"]),
        (),
        "the bot was never silent for 300 ms",
    ),
    "no hold audio": Case(
        "expect: {hold_audio: playing, within: 1s}", (HELLO,), ("2.000 FAILED",), "hold audio playing"
    ),
    "another state": Case(
        "expect: {state: STANDBY, within: 2s}",
        ([1, "state", "WAITING"],),
        ("2.020 FAILED",),
        "1.000 state WAITING",
        control=True,
    ),
    "nobody asks": Case(
        "expect: {backend_asked: '202', within: 1s}", (), ("1.020 FAILED",), "the backend is asked “202”"
    ),
    "another one hangs up": Case(
        "expect: {hangs_up: server, within: 2s}", ([1, "garbage"],), (), "Asterisk ended the call: "
    ),
    "never, in a time": Case(
        "never: {bot_speaks: 200ms, for: 2s}\nwait: 1s",
        (HELLO,),
        ("0.810 FAILED",),
        "; 0.810 the bot said “Pode subir.”",
    ),
    "never, to the end: told where it happened": Case(
        "never: {bot_says: Pode subir.}\nwait: 5s", (HELLO,), ("0.810 FAILED",), "expected never: the bot says"
    ),
    "never: what began just before the window was over": Case(
        "never: {bot_says: Pode subir., for: 850ms}\nwait: 5s",
        (HELLO,),
        ("0.810 FAILED",),
        "expected never within 850 ms: the bot says",
    ),
    "never silent": Case(
        "never: {bot_silent: 1s}\nwait: 4s",
        (HELLO,),
        ("1.800 FAILED",),
        "expected never: the bot falls silent for at least 1.00 s; 1.800 silence began",
    ),
    "never a state": Case(
        "wait: 500ms\nnever: {state: WAITING, for: 1s}",
        ([1, "state", "WAITING"],),
        (),
        "1.000 state WAITING",
        control=True,
    ),
    "never asked, after the end": Case(
        "{hang_up: close, after: 1s}\nnever: {backend_asked: tarde, for: 4s}",
        ([4.0, "ask", "Tarde demais."],),
        (),
        "4.000 the backend was asked “Tarde demais.”",
        keys="ai: [{says: Pois não.}]",
    ),
    "the caller speaks after the end": Case(
        "wait: 3s\nsay: pt-br/sim", ([1, "hang_up"],), (), "step 2 (say): expected the call to go on; it ended at 1.000"
    ),
    "the caller presses a key after the end": Case("wait: 3s\ndtmf: '1'", ([1, "close"],), (), "the call to go on"),
    "the caller hangs up after the end": Case("wait: 3s\nhang_up: close", ([1, "hang_up"],), (), "the call to go on"),
    "the call ends before the caller would speak": Case(
        "say: pt-br/sim", ([0, "close"],), (), "step 1 (say): expected the call to go on; it ended at 0."
    ),
    "the call ends before the caller would speak, between other steps": Case(
        "never: {bot_says: Oi}\nsay: pt-br/sim\nwait: 1s",
        ([0.5, "hang_up"],),
        (),
        "step 2 (say): expected the call to go on; it ended at 0.500",
    ),
    "the call ends while the bot speaks": Case(
        "expect: {bot_speaks: 200ms}\nsay: {recording: pt-br/sim, blocks: false}",
        (HELLO, [1.2, "hang_up"]),
        (),
        "step 2 (say): expected the call to go on; it ended at 1.200",
    ),
    "the call ends before the first packet of a sound": Case(
        "tone: {for: 1s, hz: 440}",
        ([0.03, "close"],),
        (),
        "step 1 (tone): expected the call to go on; it ended at 0.030",
        keys="asterisk: {packet_time: 60ms, first_packet: 60ms}",
    ),
    "the call ends before all keys are pressed": Case(
        "dtmf: '202#'",
        ([0.25, "hang_up"],),
        ("0.000 caller dtmf 2",),
        "step 1 (dtmf): expected the call to go on; it ended at 0.250",
    ),
    "the UUID was sent before the hang-up": Case(
        "{hang_up: {before_uuid: true}, after: 3s}", (), (), "the UUID", keys="asterisk: {connect_pause: 1s}"
    ),
    "a request that fits no reply, told where it happened": Case(
        "wait: 5s",
        ([1, "ask", "Oi"],),
        ("1.000 FAILED",),
        "request 1, “Oi”, fits no reply",
        keys="ai: [{hears: tchau, says: Oi., optional: true}]",
    ),
    "a reply that is never used": Case(
        "wait: 1s", (), (), "1 (hears anything) was never used", keys="ai: [{says: Oi.}]"
    ),
    "a push that is answered otherwise": Case(
        "wait: 5s",
        ([1, "ask", "Oi"],),
        (),
        "was answered with 202, not 404",
        control=True,
        keys="ai: [{says: Oi., then_pushes: [{after: 1s, says: Um., expect_http: 404}]}]",
    ),
    "a push that was not due when the server hung up": Case(
        "expect: {hangs_up: server}",
        ([1, "ask", "Oi"], [2, "hang_up"]),
        (),
        "push 1 of 1 (hears anything) was never sent",
        control=True,
        keys="ai: [{says: Oi., then_pushes: [{after: 3s, says: Um.}]}]",
    ),
    "a push that was not due when the steps were over": Case(
        "wait: 2s",
        ([1, "ask", "Oi"],),
        (),
        "push 1 of 1 (hears anything) was never sent",
        control=True,
        keys="ai: [{says: Oi., then_pushes: [{after: 3s, says: Um.}]}]",
    ),
    "a request after the call, though one was made before": Case(
        "expect: {backend_asked: Oi}\nhang_up: close\nnever: {backend_asked: Oi, for: 3s}",
        ([1, "ask", "Oi"], [3, "ask", "Oi"]),
        (),
        "3.000 the backend was asked “Oi”",
        keys="ai: [{says: Oi., times: 2}]",
    ),
    "a `never` of which the window is the last step": Case(
        "wait: 1s\nnever: {hold_audio: stopped, for: 2s}", ([0.2, "hold"], [2.9, "hold_off"]), (), "hold audio stopped"
    ),
    "the server hangs up as the step before is completed": Case(
        "expect: {bot_says: Pode subir.}\nnever: {hangs_up: server, for: 1s}", (HELLO, [1.8, "hang_up"]), (), "1.800"
    ),
    "what cannot be read, where other words were read": Case(
        "expect: {bot_says: Pode subir.}\nexpect: {bot_says: Até logo., within: 3s}",
        (HELLO, [3.0, "say", "recordings/pt-br/sim"]),
        (),
        "unread speech of 380 ms",
    ),
    "what cannot be read, and another failure": Case(
        "expect: {bot_says: Até logo., within: 3s}",
        ([1.0, "say", "recordings/pt-br/sim"], [2.0, "ask", "Oi"]),
        (),
        "unread speech of 380 ms",
    ),
    "requests after the end of the call are one failure": Case(
        "{hang_up: close, after: 1s}\nwait: 9s",
        ([3, "ask", "Oi"], [4, "ask", "Oi"], [6, "ask", "Oi"]),
        ("3.000 FAILED ai: expected no request",),
        "the backend was asked “Oi” 2.0 s after the call had ended, and 2 more times until 6.000",
        keys="ai: [{hears: tchau, says: Oi., optional: true}]",
    ),
    "one request after the end of the call": Case(
        "{hang_up: close, after: 1s}\nwait: 9s",
        ([1.3, "ask", "Oi"],),
        (),
        "the backend was asked “Oi” 0.3 s after the call had ended",
        keys="ai: [{hears: tchau, says: Oi., optional: true}]",
    ),
    "the caller spoke before the greeting": Case(
        "say: {recording: pt-br/sim}\nexpect: {bot_says: Pode subir., within: 2s}",
        ([1.0, "say", "pt-br/pode_subir"],),
        (),
        "before the bot's first word (1.310): if the bot greets, expect its greeting before `say`",
    ),
    "nothing was sent at all": Case(
        "expect: {bot_says: Oi, within: 1s}", (), (), "the server has sent no audio since the UUID", quiet=True
    ),
    "the bot did not ask": Case(
        "expect: {bot_says: Pode subir.}\nsay: pt-br/sim\nexpect: {bot_speaks: 1s, within: 2s}",
        (HELLO,),
        (),
        "the backend has not been asked since the caller spoke (2.508–3.558)",
        keys="ai: [{says: Oi., optional: true}]",
    ),
    "the bot did not speak": Case(
        "say: pt-br/sim\nexpect: {bot_speaks: 1s, within: 2s}",
        ([2, "ask", "Oi"],),
        (),
        "the backend answered “Olá.” at 2.000, and nothing of it was heard",
        keys="ai: [{says: Olá.}]",
    ),
    "a message was dropped": Case(
        "expect: {bot_says: Oi, within: 1s}",
        ([0.2, "ahead_at_once", 20_000],),
        (),
        "too long for Asterisk's translators",
    ),
    "the end of the call cuts a step short": Case(
        "mute: 6s\nexpect: {bot_says: Oi, within: 2s}",
        ([1.0, "close"],),
        ("1.000 FAILED step 2",),
        "step 1 (mute) was cut short at 1.000 by the end of the call",
    ),
    "the end of the call comes in the pause before a step": Case(
        "{expect: {bot_says: Oi, within: 2s}, after: 3s}",
        ([1.0, "close"],),
        ("1.000 FAILED step 1",),
        "`after` was cut short at 1.000 by the end of the call",
    ),
    "the longest duration": Case("wait: 1min", (), ("2.000 FAILED",), "step 1 (wait)", keys="max_duration: 2s"),
}

TROUBLE = {
    "bot_says of a voice that nobody can read": Case(
        "expect: {bot_says: Oi, within: 2s}",
        ([0.5, "say", "recordings/pt-br/sim"],),
        ("2.020 end",),
        "step 1: nothing that the bot said in this call could be read, first at 0.851 for 380 ms: its voice is not",
        Outcome.SET_UP,
    ),
    "never bot_says of a voice that nobody can read": Case(
        "never: {bot_says: Oi, for: 2s}",
        ([0.5, "say", "recordings/pt-br/sim"],),
        (),
        "step 1: nothing that the bot said in this call could be read",
        Outcome.SET_UP,
    ),
    "a state that nobody tells": Case(
        "wait: 1s\nexpect: {state: WAITING}", (), (), "step 2 expects a state", Outcome.INVALID
    ),
    "never a state that nobody tells": Case(
        "wait: 1s\nnever: {state: WAITING}", (), (), "step 2 expects a state", Outcome.INVALID
    ),
    "pushes to nobody": Case(
        "wait: 1s",
        (),
        (),
        "the target has no control URL",
        Outcome.INVALID,
        keys="ai: [{says: Oi., then_pushes: [{says: Um.}]}]",
    ),
    "a part of a recording that is not there": Case(
        "say: {recording: pt-br/sim, start: 20s}", (), (), "pt-br/sim is 1.05 s long", Outcome.SET_UP
    ),
    "an event without its fields": Case(
        "wait: 3s", ([1, "tell", {"type_": "state_changed"}],), (), "docs/targets.md", Outcome.SET_UP, control=True
    ),
}


def plain(text: str) -> str:
    return "\n".join(" ".join(line.split()) for line in text.splitlines())


def run_case(case: Case, tmp_path: Path) -> Result:
    return call(
        case.steps, *case.script, keys=case.keys, artefacts=tmp_path / "run", control=case.control, quiet=case.quiet
    )


@pytest.mark.every(3)
@pytest.mark.parametrize(
    ("steps", "outcome"),
    [("wait: 1s", Outcome.PASSED), ("expect: {bot_speaks: 1s}", Outcome.FAILED), ("wait: 1min", Outcome.FAILED)],
)
def test_a_result_says_in_a_condition_whether_it_passed(steps: str, outcome: Outcome) -> None:
    result = call(steps, keys="max_duration: 10s")
    assert result.outcome is outcome
    assert result.passed is (outcome is Outcome.PASSED)


@pytest.mark.every(7)
@pytest.mark.parametrize("name", PASS)
def test_it_passes(name: str, tmp_path: Path) -> None:
    case = PASS[name]
    result = run_case(case, tmp_path)
    assert result.outcome is Outcome.PASSED, (result.problems, result.transcript)
    for line in case.told:
        assert line in plain(result.transcript)


@pytest.mark.every(7)
@pytest.mark.parametrize("name", FAIL)
def test_it_fails_and_says_why(name: str, tmp_path: Path) -> None:
    case = FAIL[name]
    result = run_case(case, tmp_path)
    assert result.outcome is Outcome.FAILED, (result.problems, result.transcript)
    assert case.problem is not None
    assert case.problem in "\n".join(result.problems)
    for line in case.told:
        assert line in plain(result.transcript)


@pytest.mark.every(9)
@pytest.mark.parametrize("name", TROUBLE)
def test_it_is_neither(name: str, tmp_path: Path) -> None:
    case = TROUBLE[name]
    result = run_case(case, tmp_path)
    assert result.outcome is case.outcome, (result.problems, result.transcript)
    assert case.problem is not None
    assert case.problem in result.problems[0]
    assert "\n" not in result.problems[0]
    assert result.artefacts is not None
    assert result.artefacts.call_log.exists()
    assert result.artefacts.recording.exists()


def test_both_sides_of_the_recording_begin_with_the_uuid(tmp_path: Path) -> None:
    """The caller's first packet leaves 8 ms after it, the next 60 ms later; a bot that is quiet is listened to then."""
    keys = "asterisk: {packet_time: 60ms}\nline: {codec: none}"
    steps = "{say: pt-br/sim, after: 600ms}\nwait: 1s"
    result = call(steps, HELLO, keys=keys, artefacts=tmp_path, quiet=True)
    with wave.open(str(tmp_path / "call.wav")) as recording:
        sides = np.frombuffer(recording.readframes(recording.getnframes()), "<i2").reshape(-1, 2)
    caller_ms, bot_ms = (int(np.flatnonzero(np.abs(sides[:, side]) > 300)[0]) / 8 for side in (0, 1))
    heard_ms = next(entry.at_ms for entry in result.entries if type(entry.event).__name__ == "BotSpoke")
    assert abs(bot_ms - heard_ms) < 20
    assert 930 < caller_ms < 970  # the recording itself begins with 0.38 s of silence


@pytest.mark.every(3)
@pytest.mark.parametrize(("endless", "seconds"), [(False, 0.0), (True, 2.0)])
@pytest.mark.parametrize("end", ["hang_up", "close", "reset"])
def test_after_the_end_nobody_waits_longer_than_he_must(
    endless: bool, seconds: float, end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    took: list[float] = []
    finish = CallFixture.finish

    async def timed(stage: CallFixture) -> None:
        before = asyncio.get_running_loop().time()
        await finish(stage)
        took.append(asyncio.get_running_loop().time() - before)

    monkeypatch.setattr(CallFixture, "finish", timed)
    result = call("expect: {hangs_up: server}", [1, end], control=True, endless=endless)
    assert result.outcome is Outcome.PASSED, result.problems
    assert took == [pytest.approx(seconds)]
    note = "3.000 note the control URL's stream of events did not end within 2 s of the call"
    assert (note in plain(result.transcript)) is endless


# --- the record of what was judged


def judged(result: Result) -> list[ExpectationJudged]:
    return [entry.event for entry in result.entries if isinstance(entry.event, ExpectationJudged)]


def test_each_expectation_is_logged_with_its_window_and_when_it_was_met() -> None:
    steps = "expect: {bot_says: Pode subir.}\nnever: {hold_audio: playing}\nexpect: {hangs_up: server, within: 1s}"
    result = call(steps, HELLO, [3.0, "hang_up"])
    ended_ms = next(entry.at_ms for entry in result.entries if isinstance(entry.event, CallEnded))
    assert judged(result) == [
        ExpectationJudged(1, "expect bot_says", 0, 5000, 810),
        ExpectationJudged(3, "expect hangs_up", 1800, 2800, None),
        ExpectationJudged(2, "never hold_audio", 1800, ended_ms, None),
    ]
    failed = [entry.event for entry in result.entries if isinstance(entry.event, StepFailed)]
    assert [(one.number, one.opened_ms, one.closed_ms) for one in failed] == [(3, 1800, 2800)]
    assert "judged" not in result.transcript


def test_the_log_ends_with_what_went_over_the_wire() -> None:
    result = call("{dtmf: '5', after: 990ms}\nhang_up: close", HELLO)
    last = result.entries[-1].event
    assert isinstance(last, WireSummary)
    assert [(one.kind, one.longest_bytes) for one in last.from_server] == [(0x10, 320)]
    assert [(one.kind, one.messages) for one in last.to_server if one.kind != 0x10] == [(0x01, 1), (0x03, 1)]
    assert last.from_server[0].messages == pytest.approx(59, abs=2)
    assert last.loudest_dbfs is not None
    assert -20 < last.loudest_dbfs < 0
    assert "wire" not in result.transcript
