"""`bot_goes_on`, `resumes` and `asks_again` against a log and a moment: met, pending or failed. Arithmetic, no call."""

import pytest
from helpers.logs import entries, moment, within

from audiosocket_sim.call_log.events import BotSpoke, CallEnded, CallerAction, CallerSpoke
from audiosocket_sim.checks import Failed, Met, Pending, describe, evaluate
from audiosocket_sim.checks.going_on import own_window

COUGH = CallerSpoke(None, "sounds/cough_low", 500, ((100, 400),), "vocal_tic")  # at 2000: from 2.100 to 2.400
SAID = CallerSpoke("Sim.", "pt-br/sim", 1000, ((200, 700),))
GOES_ON = within(bot_goes_on={})
RESUMES = within(resumes="1s")
ASKS = within(asks_again="8s")
HUNG_UP = CallEnded("caller", "fin", "ends", "the caller hung up")


def speech(ms: int, *parts_ms: tuple[int, int]) -> BotSpoke:
    return BotSpoke(None, ms, parts_ms=parts_ms)


def words(heard_ms: int, whole_ms: int = 4000, skipped_ms: int = 0, text: str = "Alô.") -> BotSpoke:
    return BotSpoke(text, heard_ms, whole_ms, "prompt", skipped_ms=skipped_ms)


# --- bot_goes_on


def test_a_bot_that_goes_on_for_2_s_meets_it_as_soon_as_that_is_known() -> None:
    log = entries((2000, COUGH))
    assert isinstance(evaluate(GOES_ON, log, moment(4219, open_speech_at_ms=1000)), Pending)
    assert evaluate(GOES_ON, log, moment(4220, open_speech_at_ms=1000)) == Met(4100, 4100, took_ms=0)
    assert evaluate(GOES_ON, entries((1000, speech(5000)), (2000, COUGH)), moment(9000, 8000)) == Met(
        4100, 8000, took_ms=0
    )


def test_the_end_of_its_sentence_meets_it() -> None:
    log = entries((1000, words(1500, 1500)), (2000, COUGH))
    assert evaluate(GOES_ON, log, moment(2720)) == Met(2500, 2500, took_ms=0)


def test_a_bot_that_stops_fails_after_900_ms_and_the_failure_says_when() -> None:
    log = entries((1000, words(1500)), (2000, COUGH))
    assert isinstance(evaluate(GOES_ON, log, moment(3519)), Pending)
    assert isinstance(evaluate(GOES_ON, log, moment(3600, open_speech_at_ms=3380)), Pending)
    verdict = evaluate(GOES_ON, log, moment(3520))
    assert verdict == Failed(
        "the bot goes on speaking but for pauses of 900 ms, when the caller makes a sound at 2.100",
        ("2.500 the bot stopped, 400 ms after the sound began",),
    )


def test_of_an_unread_voice_the_failure_says_what_is_not_known() -> None:
    verdict = evaluate(GOES_ON, entries((1000, speech(1500)), (2000, COUGH)), moment(3520))
    assert isinstance(verdict, Failed)
    assert "its voice cannot be read" in verdict.happened[1]


def test_a_sentence_begun_anew_is_no_going_on_and_that_is_known_at_its_end() -> None:
    open_again = entries((1000, words(1500)), (2000, COUGH))
    assert isinstance(evaluate(GOES_ON, open_again, moment(4200, open_speech_at_ms=3100)), Pending)
    closed = entries((1000, words(1500)), (2000, COUGH), (3100, words(4000)))
    verdict = evaluate(GOES_ON, closed, moment(8000))
    assert isinstance(verdict, Failed)
    assert verdict.happened[1] == "it went on 600 ms later, with its sentence anew"
    other = entries((1000, words(1500)), (2000, COUGH), (3100, words(900, 900, text="Oi?")))
    verdict = evaluate(GOES_ON, other, moment(8000))
    assert isinstance(verdict, Failed)
    assert verdict.happened[1] == "it went on 600 ms later, with other words"


@pytest.mark.parametrize(("pause", "is_met"), [("600ms", True), ("599ms", False), ("0ms", False)])
def test_a_pause_up_to_the_limit_is_none(pause: str, is_met: bool) -> None:
    log = entries((1000, words(1500)), (2000, COUGH), (3100, words(2500, skipped_ms=1500)))
    verdict = evaluate(within(bot_goes_on=pause), log, moment(8000))
    assert isinstance(verdict, Met) is is_met
    if isinstance(verdict, Failed):
        assert verdict.happened == ("the bot was silent for 600 ms, and then went on",)


def test_with_a_short_limit_the_end_of_the_stretch_is_waited_for() -> None:
    log = entries((2000, COUGH))
    assert isinstance(evaluate(within(bot_goes_on="300ms"), log, moment(4200, open_speech_at_ms=1000)), Pending)
    paused = entries((1000, speech(5000, (0, 1400), (1900, 5000))), (2000, COUGH))
    assert isinstance(evaluate(within(bot_goes_on="300ms"), paused, moment(7000)), Failed)


@pytest.mark.parametrize("expected", [GOES_ON, RESUMES])
def test_there_must_be_a_sound_and_speech_under_it(expected: object) -> None:
    def verdict(*events: object, **more: object) -> object:
        return evaluate(expected, entries(*events), moment(5000, **more))  # type: ignore[arg-type]

    nothing = verdict((500, speech(900)))
    assert isinstance(nothing, Failed)
    assert nothing.happened == ("the caller has made no sound yet",)
    silent = verdict((500, speech(900)), (2000, COUGH))
    assert isinstance(silent, Failed)
    assert silent.happened == ("the bot was not speaking when the caller's sound began, at 2.100",)
    assert isinstance(verdict((5000, COUGH)), Pending)


def test_speech_that_has_just_begun_is_waited_for() -> None:
    log = entries((2000, COUGH))
    assert evaluate(GOES_ON, log, moment(2200, open_speech_at_ms=2000)) == Pending(2300)
    in_a_pause = moment(2500, open_speech_at_ms=1000, silent_since_ms=2050)
    assert isinstance(evaluate(GOES_ON, log, in_a_pause), Pending)


def test_the_end_of_the_call_and_the_caller_end_it_too() -> None:
    over = evaluate(GOES_ON, entries((1000, speech(2000)), (2000, COUGH), (3000, HUNG_UP)), moment(5000))
    assert isinstance(over, Failed)
    assert over.happened == ("3.000 the call ended, 900 ms after the sound",)
    key = CallerAction("dtmf", "4", 100)
    both = entries((1000, speech(4500)), (2000, COUGH), (3000, key))
    assert isinstance(evaluate(GOES_ON, both, moment(9000)), Met)  # the key is his last sound


def test_any_sound_counts_a_noise_and_words_too() -> None:
    noise = entries((1000, speech(5000)), (2000, CallerAction("noise", "white", 300, "non_directed")))
    assert isinstance(evaluate(GOES_ON, noise, moment(9000)), Met)
    assert isinstance(evaluate(GOES_ON, entries((1000, speech(5000)), (2000, SAID)), moment(9000)), Met)
    inaudible = entries((1000, speech(5000)), (2000, CallerAction("noise", "white", 300)))
    assert isinstance(evaluate(GOES_ON, inaudible, moment(9000)), Failed)


# --- resumes


def test_a_bot_that_resumes_in_time_where_it_stopped_or_anew() -> None:
    for again in (words(2500, skipped_ms=1500), words(4000)):
        log = entries((1000, words(1500)), (2000, COUGH), (3500, again))
        assert evaluate(RESUMES, log, moment(9000)) == Met(3500, 3500, took_ms=1000)


def test_a_bot_that_was_not_stopped_has_nothing_to_resume() -> None:
    assert evaluate(RESUMES, entries((1000, words(4000)), (2000, COUGH)), moment(9000)) == Met(4100, 4100, took_ms=0)
    paused = entries((1000, words(1500)), (2000, COUGH), (3100, words(2500, skipped_ms=1500)))
    assert evaluate(RESUMES, paused, moment(9000)) == Met(4100, 4100, took_ms=600)
    assert isinstance(evaluate(within(resumes="500ms"), paused, moment(9000)), Failed)


def test_it_is_judged_by_the_words_with_which_it_goes_on() -> None:
    log = entries((1000, words(1500)), (2000, COUGH))
    assert isinstance(evaluate(RESUMES, log, moment(4000, open_speech_at_ms=3500)), Pending)
    other = entries((1000, words(1500)), (2000, COUGH), (3500, words(900, 900, text="Oi?")))
    verdict = evaluate(RESUMES, other, moment(9000))
    assert isinstance(verdict, Failed)
    assert verdict.happened == (
        "2.500 the bot stopped, 400 ms after the sound began",
        "3.500 it went on with other words",
    )
    unread = entries((1000, speech(1500)), (2000, COUGH))
    assert evaluate(RESUMES, unread, moment(5900, open_speech_at_ms=3500)) == Met(3500, 3500, took_ms=1000)


def test_late_and_never_are_told_apart() -> None:
    late = evaluate(RESUMES, entries((1000, words(1500)), (2000, COUGH), (3501, words(4000))), moment(9000))
    assert isinstance(late, Failed)
    assert late.happened[1] == "3.501 it went on, 1.00 s later"
    log = entries((1000, words(1500)), (2000, COUGH))
    assert isinstance(evaluate(RESUMES, log, moment(12_519)), Pending)
    never = evaluate(RESUMES, log, moment(12_520))
    assert isinstance(never, Failed)
    assert never.happened[1] == "it said nothing more within 10.02 s"
    over = evaluate(RESUMES, entries((1000, words(1500)), (2000, COUGH), (6000, HUNG_UP)), moment(9000))
    assert isinstance(over, Failed)
    assert over.happened[1] == "6.000 the call ended, and it had said nothing more"


# --- asks_again


def test_it_counts_from_the_last_that_was_heard_of_either() -> None:
    question = (1000, speech(2000))
    assert evaluate(ASKS, entries(question, (9000, speech(1000))), moment(20_000, 3000)) == Met(
        9000, 9000, took_ms=6000
    )
    cough = entries(question, (4000, COUGH), (9000, speech(1000)))
    assert evaluate(ASKS, cough, moment(20_000, 3000)) == Met(9000, 9000, took_ms=4600)
    late = evaluate(ASKS, entries(question, (11_001, speech(1000))), moment(20_000, 3000))
    assert late == Failed(
        "the bot speaks again within 8.00 s of the last that was heard, from 3.000 until 11.000",
        ("11.001 the bot spoke again, 8.00 s later",),
    )


def test_a_pause_of_the_question_is_no_second_question_unless_the_caller_spoke_in_it() -> None:
    paused = entries((1000, speech(2000)), (3900, speech(1000)), (9000, speech(500)))
    assert evaluate(ASKS, paused, moment(20_000, 3000)) == Met(9000, 9000, took_ms=4100)
    answered = entries((1000, speech(1000)), (2000, SAID), (2750, speech(1000)))
    assert evaluate(ASKS, answered, moment(20_000, 2000)) == Met(2750, 2750, took_ms=50)


def test_silence_is_waited_out_and_the_end_of_the_call_ends_it() -> None:
    log = entries((1000, speech(2000)))
    assert isinstance(evaluate(ASKS, log, moment(11_319, 3000)), Pending)
    silent = evaluate(ASKS, log, moment(11_320, 3000))
    assert isinstance(silent, Failed)
    assert silent.happened == ("the bot said nothing within 8.32 s",)
    over = evaluate(ASKS, entries((1000, speech(2000)), (5000, HUNG_UP)), moment(11_320, 3000))
    assert isinstance(over, Failed)
    assert over.happened == ("the bot said nothing within 2.00 s", "5.000 the call ended")
    assert isinstance(evaluate(ASKS, log, moment(9399, 3000, open_speech_at_ms=7000)), Pending)
    assert evaluate(ASKS, log, moment(9400, 3000, open_speech_at_ms=7000)) == Met(7000, 7000, took_ms=4000)


@pytest.mark.parametrize("sound", ["tone", "music", "noise", "click"])
def test_a_sound_that_is_no_speech_asks_nothing(sound: str) -> None:
    beep = BotSpoke(None, 300, sound=sound)
    log = entries((1000, speech(2000)), (6000, beep))
    assert isinstance(evaluate(ASKS, log, moment(6320, 3000)), Pending)
    silent = evaluate(ASKS, log, moment(11_320, 3000))
    assert isinstance(silent, Failed)
    assert silent.happened == ("the bot said nothing within 8.32 s", f"6.000 {sound} of 300 ms, which is no speech")
    then = entries((1000, speech(2000)), (6000, beep), (9000, speech(900)))
    assert evaluate(ASKS, then, moment(12_000, 3000)) == Met(9000, 9000, took_ms=6000)
    over = evaluate(ASKS, entries((1000, speech(2000)), (6000, beep), (7000, HUNG_UP)), moment(9000, 3000))
    assert isinstance(over, Failed)
    assert over.happened[1:] == (f"6.000 {sound} of 300 ms, which is no speech", "7.000 the call ended")


def test_a_sound_that_is_no_speech_goes_on_with_nothing() -> None:
    beep = BotSpoke(None, 1500, sound="tone")
    log = entries((1000, speech(1500)), (2000, COUGH), (3000, beep))
    for expected in (GOES_ON, RESUMES):
        verdict = evaluate(expected, log, moment(15_000))
        assert isinstance(verdict, Failed)
        assert verdict.happened[0].startswith("2.500 the bot stopped, 400 ms after the sound began")
    open_still = entries((1000, speech(1500)), (2000, COUGH))
    assert isinstance(evaluate(RESUMES, open_still, moment(5399, open_speech_at_ms=3000)), Pending)
    assert isinstance(evaluate(RESUMES, open_still, moment(5400, open_speech_at_ms=3000)), Met)
    under = evaluate(GOES_ON, entries((1000, beep), (2000, COUGH)), moment(9000))
    assert isinstance(under, Failed)
    assert under.happened == ("the bot was not speaking when the caller's sound began, at 2.100",)


def test_if_nothing_was_heard_it_counts_from_the_step_and_a_first_word_is_no_second() -> None:
    assert own_window(ASKS, [], 700) == (700, 8700)
    assert isinstance(evaluate(ASKS, entries((1000, speech(2000))), moment(4000, 0)), Pending)


# --- all three


def test_each_has_its_own_window_and_its_words() -> None:
    log = entries((1000, speech(3000)), (2000, COUGH))
    assert own_window(GOES_ON, log, 0) == (2100, 4100)
    assert own_window(RESUMES, log, 0) == (2100, 5100)
    assert own_window(ASKS, log, 3000) == (4000, 12_000)
    assert own_window(GOES_ON, [], 0) is None
    assert own_window(within(bot_stops="1s"), entries((2000, SAID)), 0) == (2200, 3200)
    assert describe(within(bot_goes_on="0ms")) == "the bot goes on speaking"
    assert describe(RESUMES) == "the bot goes on within 1.00 s of its stop"
