"""An expectation against a log at a moment: met, pending or failed, to the millisecond. Arithmetic, no call."""

from dataclasses import replace

import pytest
from helpers.logs import entries, expectation, moment

from audiosocket_sim.call_log.events import (
    BackendAsked,
    BotSpoke,
    CallEnded,
    HoldStarted,
    HoldStopped,
    LogEvent,
    StateTold,
)
from audiosocket_sim.checks import Failed, Met, Pending, evaluate, unread_voice

HELLO = "Condomínio Apoena, em que posso ajudar?"


def test_bot_says_is_met_at_its_start_and_completed_at_its_end() -> None:
    log = entries((2300, BotSpoke(HELLO, 2300, 2300, "prompt")))
    assert evaluate(expectation(bot_says="condominio apoena em que posso ajudar"), log, moment(5000)) == Met(
        2300, 4600, 1
    )


def test_bot_says_waits_for_speech_that_began_in_time() -> None:
    says = expectation(bot_says=HELLO)
    assert evaluate(says, [], moment(4500, open_speech_at_ms=3900)) == Pending()
    assert isinstance(evaluate(says, [], moment(4500, open_speech_at_ms=4100)), Failed)


def test_bot_says_another_thing_fails_at_the_deadline_and_says_what_was_said() -> None:
    log = entries((1000, BotSpoke("Pode subir.", 970, 970, "prompt")))
    assert evaluate(expectation(bot_says=HELLO), log, moment(3999)) == Pending(recheck_ms=4020)
    failed = evaluate(expectation(bot_says=HELLO), log, moment(4020))
    assert isinstance(failed, Failed)
    assert failed.expected == f"the bot says “{HELLO}”, from 0.000 until 4.000"
    assert failed.happened == ("1.000 the bot said “Pode subir.”",)


def test_a_sentence_cut_off_is_not_said() -> None:
    log = entries((1000, BotSpoke(HELLO, 900, 2300, "prompt")))
    failed = evaluate(expectation(bot_says=HELLO), log, moment(4020))
    assert isinstance(failed, Failed)
    assert failed.happened == (f"1.000 the bot said “{HELLO}”, cut off: 0.90 s of 2.30 s",)


PAUSED = BotSpoke(HELLO, 900, 2300, "prompt", paused_ms=800)
REST = BotSpoke(HELLO, 1400, 2300, "prompt", skipped_ms=900, resumed_ms=800)


def test_a_sentence_that_was_paused_and_said_to_its_end_is_said() -> None:
    log = entries((1000, PAUSED), (2700, REST))
    assert evaluate(expectation(bot_says=HELLO), log, moment(4200)) == Met(1000, 4100, 1, also=(2,))
    again = replace(REST, heard_ms=500, paused_ms=600)
    log = entries((1000, PAUSED), (2700, again), (3800, replace(REST, heard_ms=900, skipped_ms=1400)))
    assert evaluate(expectation(bot_says=HELLO), log, moment(5000)) == Met(1000, 4700, 1, also=(2, 3))


@pytest.mark.parametrize(
    "log",
    [
        [(1000, PAUSED)],
        [(1000, PAUSED), (2700, replace(REST, heard_ms=500))],
        [(2700, REST)],
        [(1000, replace(PAUSED, skipped_ms=500)), (2700, REST)],
    ],
    ids=["not yet", "abandoned", "the rest alone", "without its beginning"],
)
def test_a_part_of_a_sentence_is_not_said(log: list[tuple[int, LogEvent]]) -> None:
    assert not isinstance(evaluate(expectation(bot_says=HELLO), entries(*log), moment(3500)), Met)


def test_another_sentence_or_one_that_was_said_before_is_not_it() -> None:
    log = entries((1000, PAUSED), (2700, REST))
    for taken in ({1}, {2}):
        found = evaluate(expectation(bot_says=HELLO), log, moment(4200, taken=frozenset(taken)))
        assert not isinstance(found, Met)
    assert not isinstance(evaluate(expectation(bot_says="Pode subir."), log, moment(4200)), Met)


def test_a_sentence_that_is_broken_off_in_time_may_go_on_after_the_deadline() -> None:
    says, broken = expectation(bot_says=HELLO), BotSpoke(HELLO, 900, 2300, "prompt")
    log = entries((3000, broken))
    assert evaluate(says, log, moment(4100)) == Pending(5400)
    assert evaluate(says, log, moment(5500, open_speech_at_ms=5000)) == Pending(5520)
    assert isinstance(evaluate(says, log, moment(5400)), Failed)
    other = entries((3000, replace(broken, text="Pode subir.")))
    assert isinstance(evaluate(says, other, moment(4100)), Failed)
    done = entries((3000, PAUSED), (4700, REST))
    assert evaluate(says, done, moment(6200)) == Met(3000, 6100, 1, also=(2,))


def test_too_late_says_how_late() -> None:
    log = entries((5000, BotSpoke(HELLO, 2300, 2300, "prompt")))
    failed = evaluate(expectation(bot_says=HELLO), log, moment(7400))
    assert isinstance(failed, Failed)
    assert failed.happened == ("it came at 5.000, 1.00 s too late",)


def test_sound_that_cannot_be_read_ends_no_waiting_for_words() -> None:
    log = entries((1000, BotSpoke(None, 900)), (2500, BotSpoke(HELLO, 2300, 2300, "prompt")))
    assert evaluate(expectation(bot_says=HELLO), log[:1], moment(2000)) == Pending(4020)
    failed = evaluate(expectation(bot_says=HELLO), log[:1], moment(4020))
    assert isinstance(failed, Failed)
    assert failed.happened[0].startswith("1.000 unread speech of 900 ms")
    assert evaluate(expectation(bot_says=HELLO), log, moment(4800)) == Met(2500, 4800, 2)


@pytest.mark.parametrize(
    ("spoken", "unread"),
    [
        ([], False),
        ([BotSpoke(None, 900)], True),
        ([BotSpoke(None, 199)], False),  # a click is no voice
        ([BotSpoke(None, 199), BotSpoke(None, 200)], True),
        ([BotSpoke(None, 900), BotSpoke(HELLO, 2300, 2300)], False),
    ],
)
def test_a_voice_is_unread_if_nothing_of_the_whole_call_was_read(spoken: list[BotSpoke], unread: bool) -> None:
    log = entries(*((1000 * number, event) for number, event in enumerate(spoken, 1)))
    assert (unread_voice(log) is not None) is unread


def test_the_hint_for_an_unread_voice_says_what_to_do() -> None:
    assert unread_voice(entries((1000, BotSpoke(None, 2390)))) == (
        "nothing that the bot said in this call could be read, first at 1.000 for 2.39 s: its voice is not in the "
        "phrase book, so name a reader (reader: local), use bot_speaks, or add its prompts (docs/targets.md)"
    )


def test_the_hint_for_a_tone_or_music_names_no_reader() -> None:
    log = entries((1000, BotSpoke(None, 500, sound="tone")), (2000, BotSpoke(None, 900, sound="music")))
    assert unread_voice(log) == (
        "nothing that the bot said in this call could be read, first at 1.000 for 500 ms: it was a tone and music, "
        "in which there are no words; use bot_speaks"
    )
    spoken = entries((1000, BotSpoke(None, 500, sound="tone")), (2000, BotSpoke(None, 900)))
    assert "first at 2.000 for 900 ms: its voice is not in the phrase book" in str(unread_voice(spoken))


def test_a_part_of_what_the_bot_says() -> None:
    log = entries((1000, BotSpoke(HELLO, 2300, 2300, "prompt")))
    part = expectation(bot_says={"text": "posso ajudar", "part": True})
    assert evaluate(part, log, moment(3400)) == Met(1000, 3300, 1)


def test_bot_speaks_completes_after_its_least_length() -> None:
    speaks = expectation(bot_speaks={"at_least": "1s"})
    assert evaluate(speaks, [], moment(2500, speaking_since_ms=2000)) == Pending(recheck_ms=3000)
    assert evaluate(speaks, [], moment(3000, speaking_since_ms=2000)) == Met(2000, 3000)
    assert evaluate(speaks, entries((2000, BotSpoke(None, 1500))), moment(4000)) == Met(2000, 3000)


def test_speech_that_goes_on_counts_from_the_base() -> None:
    log = entries((1000, BotSpoke(None, 1500)))
    speaks = expectation(bot_speaks={"at_least": "1s"})
    assert evaluate(speaks, log, moment(3000, base_ms=2000, deadline_ms=9000)) == Pending(recheck_ms=9020)


def test_silence_counts_from_the_base() -> None:
    silent = expectation(bot_silent={"at_least": "500ms"})
    assert evaluate(silent, [], moment(1200, base_ms=1000, silent_since_ms=100)) == Pending(recheck_ms=1500)
    assert evaluate(silent, [], moment(1500, base_ms=1000, silent_since_ms=100)) == Met(1000, 1500)


def test_a_state_that_is_already_there_is_met_at_once() -> None:
    log = entries((100, StateTold("STANDBY", "IA_TURN")), (900, StateTold("IA_TURN", "USER_TURN")))
    assert evaluate(expectation(state="USER_TURN"), log, moment(1500, base_ms=1000)) == Met(1000, 1000)
    assert evaluate(expectation(state="IA_TURN"), log, moment(1500, base_ms=1000)) == Pending(recheck_ms=4020)


def test_a_state_of_the_window_is_met_at_its_instant() -> None:
    log = entries((1200, StateTold("USER_TURN", "WAITING")))
    assert evaluate(expectation(state="WAITING"), log, moment(1500, base_ms=1000)) == Met(1200, 1200, 1)


def test_hold_that_plays_already_is_met_at_the_base() -> None:
    playing = expectation(hold_audio="playing")
    assert evaluate(playing, [], moment(1500, base_ms=1000, hold_since_ms=700)) == Met(1000, 1000)
    assert evaluate(expectation(hold_audio="stopped"), [], moment(1500, base_ms=1000)) == Pending(recheck_ms=4400)


def test_a_request_counts_once_whenever_it_came() -> None:
    log = entries((500, BackendAsked(1, "id", "Apartamento 202.")), (3000, BackendAsked(2, "id", "Sim.")))
    asked = expectation(backend_asked="apartamento")
    assert evaluate(asked, log, moment(4000, base_ms=3500, deadline_ms=8000)) == Met(500, 3500, 1)
    assert evaluate(asked, log, moment(4000, base_ms=3500, deadline_ms=8000, taken={1})) == Pending(recheck_ms=8020)


def test_who_hangs_up_and_how_the_dialplan_goes_on() -> None:
    log = entries((900, CallEnded("server", "hangup_message", "continues", "")))
    assert isinstance(evaluate(expectation(hangs_up="server"), log, moment(1000)), Met)
    wrong = evaluate(expectation(hangs_up={"who": "server", "dialplan": "ends"}), log, moment(1000))
    assert isinstance(wrong, Failed)


def test_the_end_of_the_call_fails_what_is_still_expected() -> None:
    log = entries((900, CallEnded("asterisk", "fin", "ends", "no activity for 2 s")))
    failed = evaluate(expectation(bot_says=HELLO), log, moment(1000))
    assert isinstance(failed, Failed)
    assert failed.happened == (
        "0.900 Asterisk ended the call: no activity for 2 s",
        "the bot has not been heard at all since the call began",
    )


def test_holes_belong_to_what_is_said() -> None:
    log = entries((1000, BotSpoke(HELLO, 2300, 2300, "prompt", gap_ms=400)))
    assert evaluate(expectation(bot_says=HELLO), log, moment(4000)) == Met(1000, 3700, 1)
    speaks = expectation(bot_speaks={"at_least": "2.5s"})
    assert evaluate(speaks, log, moment(4000)) == Met(1000, 3500)


def test_a_pause_between_two_words_is_looked_at_again() -> None:
    speaks = expectation(bot_speaks={"at_least": "1s"})
    assert evaluate(speaks, [], moment(3000, open_speech_at_ms=2000)) == Pending(recheck_ms=3020)


def test_while_the_bot_speaks_its_silence_is_looked_for() -> None:
    silent = expectation(bot_silent={"at_least": "100ms"})
    assert evaluate(silent, [], moment(1200, speaking_since_ms=1000, open_speech_at_ms=1000)) == Pending(
        recheck_ms=1220
    )


@pytest.mark.parametrize("keys", [{"state": "STANDBY"}, {"backend_asked": "202"}])
def test_what_needs_no_call_may_come_after_its_end(keys: dict[str, object]) -> None:
    log = entries((900, CallEnded("server", "hangup_message", "continues", "")))
    assert evaluate(expectation(**keys), log, moment(1000)) == Pending(recheck_ms=4020)
    assert isinstance(evaluate(expectation(**keys), log, moment(4020)), Failed)


SAID = BotSpoke("Pode subir.", 900, 900, "prompt")
CUT_OFF = BotSpoke("Pode subir.", 300, 900, "prompt")
ENDED = CallEnded("server", "fin", "continues", "the server closed the connection")
SAYS = {"bot_says": "Pode subir."}


# --- the window of a step that counts from 1,000 and gives up at 4,000


@pytest.mark.parametrize(("at_ms", "met"), [(979, False), (980, True), (1000, True), (4000, True), (4001, False)])
def test_words_count_from_a_frame_before_the_base_to_the_deadline(at_ms: int, met: bool) -> None:
    log = entries((at_ms, SAID))
    verdict = evaluate(expectation(**SAYS), log, moment(3999, base_ms=1000))
    assert verdict == (Met(at_ms, at_ms + 900, 1) if met else Pending(4020))


@pytest.mark.parametrize(
    ("keys", "event"),
    [
        ({"hold_audio": "playing"}, HoldStarted()),
        ({"hold_audio": "stopped"}, HoldStopped(700, True)),
        ({"state": "WAITING"}, StateTold("", "WAITING")),
    ],
)
def test_an_instant_counts_from_the_base_to_the_deadline(keys: dict[str, object], event: LogEvent) -> None:
    wanted = expectation(**keys)

    def verdict(at_ms: int, **more: object) -> object:
        return evaluate(wanted, entries((at_ms, event)), moment(5000, base_ms=1000, **more))

    assert isinstance(verdict(4001), Failed)
    assert verdict(4000) == Met(4000, 4000, 1)
    assert verdict(1001) == Met(1001, 1001, 1)
    assert verdict(1000) == (Met(1000, 1000) if "state" in keys else Met(1000, 1000, 1))
    assert verdict(999) == Met(1000, 1000) if "state" in keys else isinstance(verdict(999), Failed)
    assert isinstance(verdict(2000, taken={1}), Failed)
    assert verdict(2000, taken={2}) == Met(2000, 2000, 1)


@pytest.mark.parametrize(
    ("keys", "event"), [({"backend_asked": "sim"}, BackendAsked(1, "id", "Sim.")), ({"hangs_up": "server"}, ENDED)]
)
def test_a_request_and_the_end_count_from_before_as_well(keys: dict[str, object], event: LogEvent) -> None:
    wanted = expectation(**keys)

    def verdict(at_ms: int, **more: object) -> object:
        return evaluate(wanted, entries((at_ms, event)), moment(5000, base_ms=1000, **more))

    assert verdict(0) == Met(0, 1000, 1)
    assert verdict(999) == Met(999, 1000, 1)
    assert verdict(1001) == Met(1001, 1001, 1)
    assert verdict(4000) == Met(4000, 4000, 1)
    assert isinstance(verdict(4001), Failed)
    assert isinstance(verdict(2000, taken={1}), Failed)


@pytest.mark.parametrize(
    ("keys", "event"),
    [
        ({"hold_audio": "playing"}, HoldStopped(700, True)),
        ({"hold_audio": "stopped"}, HoldStarted()),
        ({"state": "WAITING"}, StateTold("WAITING", "USER_TURN")),
        ({"backend_asked": "202"}, BackendAsked(1, "id", "Sim.")),
        ({"hangs_up": "caller"}, ENDED),
        (SAYS, CUT_OFF),
        (SAYS, HoldStarted()),
    ],
)
def test_another_event_meets_nothing(keys: dict[str, object], event: LogEvent) -> None:
    assert isinstance(evaluate(expectation(**keys), entries((2000, event)), moment(5000, base_ms=1000)), Failed)


def test_the_first_that_fits_meets_it_and_what_was_taken_meets_nothing() -> None:
    log = entries((1500, SAID), (2800, SAID))
    assert evaluate(expectation(**SAYS), log, moment(3999)) == Met(1500, 2400, 1)
    assert evaluate(expectation(**SAYS), log, moment(3999, taken={1})) == Met(2800, 3700, 2)
    assert evaluate(expectation(**SAYS), log, moment(3999, taken={1, 2})) == Pending(4020)


# --- when a verdict is known


@pytest.mark.parametrize(
    ("keys", "known_at"),
    [
        (SAYS, 4020),
        ({"bot_speaks": "1s"}, 4020),
        ({"hold_audio": "playing"}, 4400),
        ({"hold_audio": "stopped"}, 4400),
        ({"state": "WAITING"}, 4020),
        ({"backend_asked": "sim"}, 4020),
        ({"hangs_up": "server"}, 4020),
    ],
)
def test_it_has_failed_when_nothing_can_come_any_more(keys: dict[str, object], known_at: int) -> None:
    assert evaluate(expectation(**keys), [], moment(known_at - 1, base_ms=1000)) == Pending(known_at)
    failed = evaluate(expectation(**keys), [], moment(known_at, base_ms=1000))
    assert isinstance(failed, Failed)
    assert failed.expected.endswith(", from 1.000 until 4.000")


@pytest.mark.parametrize("keys", [SAYS, {"bot_speaks": "9s"}])
def test_speech_that_began_by_the_deadline_is_waited_for(keys: dict[str, object]) -> None:
    wanted = expectation(**keys)
    assert isinstance(evaluate(wanted, [], moment(9000, open_speech_at_ms=4000)), Pending)
    assert isinstance(evaluate(wanted, [], moment(9000, open_speech_at_ms=4001)), Failed)
    assert isinstance(evaluate(wanted, [], moment(9000, open_speech_at_ms=0)), Pending)


@pytest.mark.parametrize(
    "keys", [{"hold_audio": "stopped"}, {"state": "WAITING"}, {"backend_asked": "sim"}, {"hangs_up": "server"}]
)
def test_for_no_other_thing_is_speech_waited_for(keys: dict[str, object]) -> None:
    assert isinstance(evaluate(expectation(**keys), [], moment(4400, open_speech_at_ms=1000)), Failed)


def test_silence_that_began_by_the_deadline_is_waited_for() -> None:
    silent = expectation(bot_silent="500ms")
    assert evaluate(silent, [], moment(4019, silent_since_ms=4000)) == Pending(4020)
    assert evaluate(silent, [], moment(4020, silent_since_ms=4000)) == Pending(4500)
    assert evaluate(silent, [], moment(4499, silent_since_ms=4000)) == Pending(4500)
    assert evaluate(silent, [], moment(4500, silent_since_ms=4000)) == Met(4000, 4500)
    assert isinstance(evaluate(silent, [], moment(4020, silent_since_ms=4001)), Failed)
    assert isinstance(evaluate(silent, [], moment(4300, speaking_since_ms=4200, open_speech_at_ms=4200)), Failed)


def test_silence_that_came_too_late_says_how_much() -> None:
    failed = evaluate(expectation(bot_silent="500ms"), [], moment(9000, silent_since_ms=4100))
    assert isinstance(failed, Failed)
    assert failed.happened == ("it came at 4.100, 100 ms too late",)


def test_a_run_is_looked_at_again_when_it_is_long_enough_or_at_the_deadline() -> None:
    silent = expectation(bot_silent="500ms")
    assert evaluate(silent, [], moment(3000, silent_since_ms=2900)) == Pending(3400)
    assert evaluate(silent, [], moment(3600, silent_since_ms=3500)) == Pending(4000)
    assert evaluate(silent, [], moment(3600, silent_since_ms=3530)) == Pending(4020)


@pytest.mark.parametrize("keys", [SAYS, {"bot_speaks": "1s"}, {"bot_silent": "9s"}, {"hold_audio": "playing"}])
def test_after_the_end_of_the_call_words_may_still_come_and_nothing_else(keys: dict[str, object]) -> None:
    log, wanted = entries((1500, ENDED)), expectation(**keys)
    assert isinstance(evaluate(wanted, [], moment(1600)), Pending)
    assert isinstance(evaluate(wanted, log, moment(1600, open_speech_at_ms=900)), Pending)
    assert isinstance(evaluate(wanted, log, moment(1600)), Failed)


# --- runs of speech and silence


@pytest.mark.parametrize(
    ("at_ms", "heard_ms", "completed_ms"),
    [
        (1000, 1000, 2000),
        (1000, 999, None),
        (500, 1500, 2000),  # what was spoken before the base does not count
        (500, 1499, None),
        (4000, 1000, 5000),
        (4001, 1000, None),
        (2000, 3000, 3000),
    ],
)
def test_speech_of_one_second(at_ms: int, heard_ms: int, completed_ms: int | None) -> None:
    log = entries((at_ms, BotSpoke(None, heard_ms)))
    verdict = evaluate(expectation(bot_speaks="1s"), log, moment(6000, base_ms=1000))
    if completed_ms is None:
        assert isinstance(verdict, Failed)
    else:
        assert verdict == Met(completed_ms - 1000, completed_ms)


def test_speech_that_is_heard_now() -> None:
    speaks = expectation(bot_speaks="1s")

    def verdict(now_ms: int, since_ms: int) -> object:
        return evaluate(speaks, [], moment(now_ms, 1000, speaking_since_ms=since_ms, open_speech_at_ms=since_ms))

    assert verdict(1999, 500) == Pending(2000)
    assert verdict(2000, 500) == Met(1000, 2000)
    assert verdict(4999, 4000) == Pending(5000)
    assert verdict(5000, 4000) == Met(4000, 5000)
    assert isinstance(verdict(5001, 4001), Failed)
    assert verdict(3000, 2500) == Pending(3500)


def test_in_a_pause_of_speech_that_began_in_time_it_may_go_on() -> None:
    speaks = expectation(bot_speaks="1s")
    assert evaluate(speaks, [], moment(3000, open_speech_at_ms=2000)) == Pending(3020)
    assert evaluate(speaks, [], moment(4500, open_speech_at_ms=4000)) == Pending(4520)
    assert evaluate(speaks, [], moment(3000)) == Pending(4020)
    assert evaluate(speaks, entries((500, HoldStarted())), moment(3000)) == Pending(4020)


# --- conditions


@pytest.mark.parametrize(
    ("since_ms", "verdict"), [(500, Met(1000, 1000)), (1500, Met(1500, 1500)), (4000, Met(4000, 4000))]
)
def test_hold_audio_that_plays(since_ms: int, verdict: Met) -> None:
    assert evaluate(expectation(hold_audio="playing"), [], moment(4300, 1000, hold_since_ms=since_ms)) == verdict
    assert evaluate(expectation(hold_audio="stopped"), [], moment(4300, 1000, hold_since_ms=since_ms)) == Pending(6400)


def test_sound_that_may_still_prove_to_be_music_is_waited_for() -> None:
    wanted = expectation(hold_audio="playing")
    assert evaluate(wanted, [], moment(4300, 1000, open_speech_at_ms=4000)) == Pending(6400)
    assert evaluate(wanted, [], moment(4300, 1000, open_speech_at_ms=4001)) == Pending(4400)


def test_hold_audio_of_a_file_is_that_music_alone() -> None:
    wanted = expectation(hold_audio={"is": "playing", "file": "one.wav"})
    met, waits = Met(2000, 2000, began_with=1), Pending(4400)
    for file, verdict in (("one.wav", met), ("two.wav", waits), (None, waits)):
        log = entries((2000, HoldStarted(file=file)))
        assert evaluate(wanted, log, moment(4300, 1000, hold_since_ms=2000)) == verdict
        stopped = entries((2000, HoldStopped(700, True, file)))
        gone = evaluate(expectation(hold_audio={"is": "stopped", "file": "one.wav"}), stopped, moment(4300, 1000))
        assert isinstance(gone, Met) is (file == "one.wav")


def test_hold_audio_that_began_too_late() -> None:
    failed = evaluate(expectation(hold_audio="playing"), [], moment(4400, 1000, hold_since_ms=4001))
    assert isinstance(failed, Failed)
    assert failed.happened == ("it came at 4.001, 1 ms too late",)


@pytest.mark.parametrize(
    ("events", "verdict"),
    [
        ([(500, "WAITING")], Met(1000, 1000)),
        ([(1000, "WAITING")], Met(1000, 1000)),
        ([(500, "WAITING"), (1000, "USER_TURN")], Pending(4020)),
        ([(500, "USER_TURN"), (600, "WAITING")], Met(1000, 1000)),
        ([(500, "WAITING"), (1500, "USER_TURN"), (2500, "WAITING")], Met(1000, 1000)),  # it was there at once
        ([(1001, "WAITING")], Met(1001, 1001, 1)),
        ([], Pending(4020)),
    ],
)
def test_a_state_that_is_there_or_comes(events: list[tuple[int, str]], verdict: object) -> None:
    log = entries(*((at_ms, StateTold("", after)) for at_ms, after in events))
    assert evaluate(expectation(state="WAITING"), log, moment(3000, base_ms=1000)) == verdict


def test_a_state_is_there_until_another_comes_whatever_else_happens() -> None:
    log = entries((500, StateTold("", "WAITING")), (600, HoldStarted()))
    assert evaluate(expectation(state="WAITING"), log, moment(3000, base_ms=1000)) == Met(1000, 1000)


def test_of_a_bot_that_was_never_heard_no_last_word_was_heard_either() -> None:
    ended = (900, CallEnded("server", "hangup_message", "continues", "the server hung up"))
    wanted = expectation(hangs_up={"who": "server", "last_word": "heard"})
    failed = evaluate(wanted, entries(ended), moment(1000))
    assert isinstance(failed, Failed)
    assert "the bot has not been heard at all since the call began" in " ".join(failed.happened)
