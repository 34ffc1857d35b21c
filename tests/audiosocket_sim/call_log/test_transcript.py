"""The transcript: one line an event, as a person reads it in a diff."""

import pytest

from audiosocket_sim.asterisk.wire_counts import MessageCount
from audiosocket_sim.call_log.events import (
    BackendAsked,
    BackendPushed,
    BackendReplied,
    BotSpoke,
    CallEnded,
    CallerAction,
    CallerSpoke,
    CallLog,
    ExpectationJudged,
    HoldStarted,
    HoldStopped,
    PhoneUsed,
    Source,
    StateTold,
    StepFailed,
    VoicesOverlapped,
    WireSummary,
)
from audiosocket_sim.call_log.transcript import around, heading, line_of, transcript
from audiosocket_sim.scenario import Scenario


def scenario(**keys: object) -> Scenario:
    return Scenario.model_validate({"name": "example", "summary": "An example.", "steps": [{"wait": "1s"}], **keys})


def test_heading_says_who_calls_over_which_line() -> None:
    noisy = scenario(asterisk="22.10", line={"codec": "ulaw", "noise_dbfs": -55})
    assert heading(noisy) == "example · Asterisk 22.10, app · µ-law, noise −55 dBFS"
    odd = scenario(asterisk={"version": "22.10", "packet_time": "30ms"}, line={"codec": "alaw"})
    assert heading(odd) == "example · Asterisk 22.10, app, 30 ms packets · A-law"
    assert heading(scenario(line={"gain_db": -6})).endswith("µ-law, gain −6 dB")


def test_a_wideband_line_has_no_codec() -> None:
    """G.711 is 8 kHz: at every other rate the samples pass as they are."""
    wide = scenario(asterisk={"version": "22.10", "attach": "chan", "rate_hz": 16000}, line={"noise_dbfs": -55})
    assert heading(wide) == "example · Asterisk 22.10, chan, 16000 Hz · no codec, noise −55 dBFS"


def test_an_event_is_one_line_whatever_was_said() -> None:
    entry = CallLog().add(0, Source.HEARD, BackendAsked(1, "id", "a\nb\t\x1b[2J\x85\u2028c – “ã”"))
    assert line_of(entry).endswith(r"“a\nb\t\x1b[2J\x85\u2028c – “ã””")


def test_what_is_no_step_has_no_number() -> None:
    entry = CallLog().add(0, Source.CHECK, StepFailed(0, "max_duration", "the call to end", ("it did not",)))
    assert line_of(entry).endswith("FAILED   max_duration: expected the call to end; it did not")


def test_a_call() -> None:
    log = CallLog()
    log.add(2300, Source.BOT, BotSpoke("Pode subir.", 970, 970, "prompt"))
    log.add(2000, Source.STATE, StateTold("STANDBY", "IA_TURN"))
    log.add(3500, Source.CALLER, CallerSpoke("Sim.", "pt-br/sim", 1050))
    log.add(4000, Source.CALLER, CallerAction("dtmf", "4", 100))
    log.add(6000, Source.HEARD, BackendAsked(1, "id", "Sim."))
    log.add(6000, Source.STATE, StateTold("USER_TURN", "WAITING"))
    log.add(7200, Source.BACKEND, BackendReplied(1, "Pode subir.", "WAITING", 1200))
    log.add(9000, Source.HOLD, HoldStarted(3000))
    log.add(9500, Source.HOLD, HoldStopped(500, True))
    log.add(9500, Source.BACKEND, BackendPushed(None, "STANDBY", 409))
    log.add(9600, Source.BOT, BotSpoke("Pode subir.", 400, 970, "synthetic", 40))
    log.add(9999, Source.END, CallEnded("server", "hangup_message", "continues", "", False))
    assert transcript(scenario(), log.entries) == (
        "example · Asterisk 22.10, app · µ-law\n"
        "    2.000  state    STANDBY → IA_TURN\n"
        "    2.300  bot      “Pode subir.”                                                       0.97 s\n"
        "    3.500  caller   “Sim.”                                                              1.05 s\n"
        "    4.000  caller   dtmf 4                                                              0.10 s\n"
        "    6.000  state    USER_TURN → WAITING\n"
        "    6.000  heard    “Sim.”\n"
        "    7.200  backend  WAITING “Pode subir.”                                               1.20 s, reply 1\n"
        "    9.000  hold     starts                                                              3.00 s into WAITING\n"
        "    9.500  backend  pushes STANDBY nothing                                              answered 409\n"
        "    9.500  hold     stops after 0.50 s                                                  seamless\n"
        "    9.600  bot      “Pode subir.”                                                       "
        "cut off: 0.40 s of 0.97 s, synthetic voice, gaps of 40 ms\n"
        "    9.999  end      server hung up (00 00 00); last word NOT heard; the dialplan continues\n"
    )


def test_a_failure_and_what_stands_around_it() -> None:
    log = CallLog()
    for second in range(30):
        log.add(second * 1000, Source.STATE, StateTold("WAITING", "IA_TURN"))
    log.add(20_500, Source.CHECK, StepFailed(3, "expect bot_says", "the bot says “Oi”", ("nothing happened",)))
    lines = around(log.entries, 20_500)
    assert lines[0] == lines[-1] == "     …"
    assert any(line.endswith("FAILED   step 3 (expect bot_says): expected the bot says “Oi”") for line in lines)
    assert len(lines) == 18


def test_ends() -> None:
    def end(*args: object) -> str:
        entry = CallLog().add(0, Source.END, CallEnded(*args))  # type: ignore[arg-type]
        return line_of(entry).split("end      ")[1]

    assert end("caller", "fin", "ends", "the caller hung up", None) == "caller hung up"
    assert end("caller", "reset", "ends", "the caller hung up", False) == "caller hung up (reset); last word NOT heard"
    assert end("asterisk", "protocol", "ends", "no activity for 2 s", None) == (
        "Asterisk ended the call: no activity for 2 s; the dialplan ends"
    )


def test_what_a_bot_sends_too_far_ahead_is_told() -> None:
    def note(ahead_ms: int) -> str:
        return line_of(CallLog().add(0, Source.BOT, BotSpoke(None, 3000, ahead_ms=ahead_ms)))

    assert note(2940).endswith("3.00 s, sent 2.94 s ahead: a phone drops it")
    assert note(60).endswith("3.00 s")


@pytest.mark.parametrize(
    ("used", "words"),
    [
        (PhoneUsed("fifo 120ms", 3000, 0, (120, 120)), "sound was played 0.12 s after it had come, nothing lost"),
        (PhoneUsed("x", 3000, 40, (80, 220)), "sound was played 0.08 s to 0.22 s after it had come, 0.04 s lost"),
        (PhoneUsed("x", 0, 900, None), "nothing was played, 0.90 s lost"),
    ],
)
def test_what_a_model_of_a_phone_did(used: PhoneUsed, words: str) -> None:
    assert line_of(CallLog().add(0, Source.BOT, used)).endswith(f"{used.model} (a model): {words}")


def test_the_wait_for_an_answer() -> None:
    def note(**more: object) -> str:
        spoke = BotSpoke("Pode subir.", 970, 970, **more)  # type: ignore[arg-type]
        return line_of(CallLog().add(0, Source.BOT, spoke)).split("   ")[-1].strip()

    assert note() == "0.97 s"
    assert note(wait_ms=1230) == "0.97 s, 1.23 s after the last word"
    assert note(wait_ms=-400) == "0.97 s, 0.40 s before the last word"
    assert note(wait_ms=1230, wait_measured=False) == "0.97 s, 1.23 s after the last word (not measured: threads)"


def test_what_only_the_call_log_holds_can_be_shown_too() -> None:
    judged = ExpectationJudged(2, "expect bot_says", 1000, 3500, 2400)
    assert " ".join(line_of(CallLog().add(2400, Source.CHECK, judged)).split()) == (
        "2.400 judged step 2 (expect bot_says), from 1.000 until 3.500"
    )
    sums = WireSummary((MessageCount(0x10, 150, 320, 320),), (MessageCount(0x01, 1, 16, 16),), -20.0)
    assert " ".join(line_of(CallLog().add(4000, Source.END, sums)).split()) == (
        "4.000 wire 150 messages from the server, 1 to it"
    )


def test_who_interrupted_whom() -> None:
    def line(*args: object, **more: object) -> str:
        overlap = VoicesOverlapped(*args, **more)  # type: ignore[arg-type]
        return " ".join(line_of(CallLog().add(1000, Source.TURNS, overlap)).split())

    began = "1.000 overlap the caller begins over the bot"
    assert line("caller", 300, 340, False) == f"{began}; the bot stops after 0.34 s both spoke 0.30 s"
    assert line("caller", 300, 340, None) == f"{began}; the bot stops after 0.34 s both spoke 0.30 s"
    assert line("caller", 300, 340, True) == f"{began}; its sentence is over after 0.34 s both spoke 0.30 s"
    assert line("caller", 300) == f"{began}, until the call ends both spoke 0.30 s"
    late = "0.80 s before his last word is over"
    assert line("bot", 700, early_ms=800) == f"1.000 overlap the bot begins over the caller, {late} both spoke 0.70 s"
    assert line("bot", 700) == "1.000 overlap the bot begins over the caller both spoke 0.70 s"


def test_what_a_busy_machine_did_is_not_put_down_to_the_bot() -> None:
    def note(**more: int) -> str:
        entry = CallLog().add(1000, Source.BOT, BotSpoke("Pode subir.", 970, 970, "prompt", **more))
        return line_of(entry).partition("0.97 s")[2]

    assert note(gap_ms=40, own_gap_ms=30) == ", gaps of 40 ms, 30 ms of them this machine's"
    assert note(ahead_ms=400) == ", sent 0.40 s ahead: a phone drops it"
    assert note(ahead_ms=400, own_ahead_ms=200) == ", sent 0.40 s ahead: a phone drops it"
    assert note(ahead_ms=400, own_ahead_ms=201) == ""
