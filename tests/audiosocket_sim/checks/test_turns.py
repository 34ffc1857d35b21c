"""What is expected of turn-taking, against a log and a moment: met, pending or failed. Arithmetic, no call."""

import pytest
from helpers.logs import entries, moment, never, within

from audiosocket_sim.call_log.events import BotSpoke, CallEnded, CallerAction, CallerSpoke, Entry, HoldStarted
from audiosocket_sim.checks import Broken, Failed, Met, Pending, Watched, describe, evaluate, violation
from audiosocket_sim.checks.turns import window_of

SAID = CallerSpoke("Sim.", "pt-br/sim", 1000, ((200, 700),))  # at 2000: from 2.200 to 2.700
ANSWER = within(responds="1s")
STOPS = within(bot_stops="300ms")
HUNG_UP = CallEnded("caller", "fin", "ends", "the caller hung up")


def speech(ms: int, *parts_ms: tuple[int, int], whole_ms: int | None = None) -> BotSpoke:
    return BotSpoke(None, ms, whole_ms, parts_ms=parts_ms)


# --- responds


@pytest.mark.parametrize(
    ("at_ms", "verdict"),
    [
        (3700, Met(3700, 4000, took_ms=1000)),
        (2650, Met(2650, 4000, took_ms=-50)),
    ],
)
def test_an_answer_in_time_is_met_however_late_one_looks(at_ms: int, verdict: Met) -> None:
    log = entries((2000, SAID), (at_ms, speech(2000)))
    assert evaluate(ANSWER, log, moment(9000, base_ms=4000)) == verdict


@pytest.mark.parametrize(
    ("at_ms", "said"),
    [
        (3701, "3.701 the bot answered, 1.00 s after the caller's last word"),
        (2600, "2.600 the bot began, 100 ms before the caller's last word was over"),
    ],
)
def test_an_answer_that_is_late_or_early_says_by_how_much(at_ms: int, said: str) -> None:
    verdict = evaluate(ANSWER, entries((2000, SAID), (at_ms, speech(2000))), moment(9000))
    assert isinstance(verdict, Failed)
    assert verdict.happened == (said,)
    assert verdict.expected == "the bot answers within 1.00 s of the caller's last word, from 2.700 until 3.700"


def test_no_answer_is_waited_for_so_that_the_failure_can_say_how_late_it_was() -> None:
    log = entries((2000, SAID))
    assert evaluate(ANSWER, log, moment(4000)) == Pending(12_720)
    verdict = evaluate(ANSWER, log, moment(12_720))
    assert verdict == Failed(
        "the bot answers within 1.00 s of the caller's last word, from 2.700 until 3.700",
        ("the bot said nothing within 10.02 s of the caller's last word",),
    )


def test_after_the_end_there_is_no_answer() -> None:
    verdict = evaluate(ANSWER, entries((2000, SAID), (3200, HUNG_UP)), moment(4000))
    assert isinstance(verdict, Failed)
    assert verdict.happened == ("the bot said nothing within 500 ms of the caller's last word", "3.200 the call ended")


def test_speech_that_goes_on_is_an_answer_once_it_is_no_click_and_no_hold_audio() -> None:
    log = entries((2000, SAID))
    assert evaluate(ANSWER, log, moment(3400, open_speech_at_ms=3200)) == Pending(3500)
    assert evaluate(ANSWER, log, moment(3500, open_speech_at_ms=3200)) == Met(3200, 3200, took_ms=500)
    assert isinstance(evaluate(ANSWER, log, moment(4500, open_speech_at_ms=3800)), Failed)


def test_hold_audio_is_no_answer() -> None:
    log = entries((2000, SAID), (3000, HoldStarted()))
    assert isinstance(evaluate(ANSWER, log, moment(4000, hold_since_ms=3000)), Pending)


def test_keys_are_answered_like_words_and_the_last_turn_counts() -> None:
    log = entries((2000, SAID), (5000, CallerAction("dtmf", "4", 100)), (5600, speech(900)))
    assert evaluate(ANSWER, log, moment(7000)) == Met(5600, 5600, took_ms=500)


@pytest.mark.parametrize("expected", [ANSWER, STOPS])
def test_before_the_caller_has_spoken_there_is_nothing_to_wait_for(expected: object) -> None:
    verdict = evaluate(expected, entries((500, speech(900))), moment(4000))  # type: ignore[arg-type]
    assert isinstance(verdict, Failed)
    assert verdict.happened == ("the caller has not spoken yet",)


# --- bot_stops


@pytest.mark.parametrize(
    ("bot", "verdict"),
    [
        (speech(1500), Met(2500, 4000, took_ms=300)),
        (speech(1500, whole_ms=1500), Met(2500, 4000, took_ms=300)),
        (speech(2500, (0, 1400), (2000, 2500)), Met(2400, 4000, took_ms=200)),
    ],
    ids=["it stopped", "its sentence was over", "it stopped, and answered"],
)
def test_a_bot_that_stops_in_time(bot: BotSpoke, verdict: Met) -> None:
    assert evaluate(STOPS, entries((1000, bot), (2000, SAID)), moment(9000, base_ms=4000)) == verdict


@pytest.mark.parametrize(
    ("bot", "said"),
    [
        (speech(1501), "2.501 the bot stopped, 301 ms after the caller's first sound"),
        (speech(3000, whole_ms=3000), "4.000 the bot's sentence was over, 1.80 s after the caller's first sound"),
        (speech(2500, (0, 1300), (1600, 2500)), "3.500 the bot stopped, 1.30 s after the caller's first sound"),
        (speech(1000), "the bot was not speaking when the caller began, at 2.200"),
    ],
    ids=["late", "it did not stop", "it paused and went on over him", "it was silent"],
)
def test_a_bot_that_does_not_stop_in_time_and_how_long_it_went_on(bot: BotSpoke, said: str) -> None:
    verdict = evaluate(STOPS, entries((1000, bot), (2000, SAID)), moment(9000))
    assert isinstance(verdict, Failed)
    assert verdict.happened == (said,)
    assert verdict.expected == "the bot stops within 300 ms of the caller's first sound, from 2.200 until 2.500"


def test_it_is_waited_for_until_a_stop_is_sure() -> None:
    log = entries((1000, speech(1400)), (2000, SAID))
    assert isinstance(evaluate(STOPS, log, moment(2669)), Pending)
    assert evaluate(STOPS, log, moment(2670)) == Met(2400, 2400, took_ms=200)
    assert isinstance(evaluate(STOPS, entries((2000, SAID)), moment(2000, open_speech_at_ms=1000)), Pending)


def test_speech_that_goes_on_is_followed_to_its_end_for_10_s() -> None:
    log = entries((2000, SAID))
    begun = {"open_speech_at_ms": 1000}
    assert isinstance(evaluate(STOPS, log, moment(2600, **begun, silent_since_ms=2400)), Pending)
    assert isinstance(evaluate(STOPS, log, moment(12_199, **begun)), Pending)
    verdict = evaluate(STOPS, log, moment(12_200, **begun))
    assert isinstance(verdict, Failed)
    assert verdict.happened == ("the bot was still speaking at 12.200, 10.00 s later",)


def test_speech_that_has_just_begun_is_no_silence() -> None:
    log = entries((2000, SAID))
    assert evaluate(STOPS, log, moment(2210, open_speech_at_ms=2100)) == Pending(2400)


def test_a_call_that_ends_under_the_bot_is_no_stop() -> None:
    log = entries((1000, speech(1600)), (2000, SAID), (2700, HUNG_UP))
    verdict = evaluate(STOPS, log, moment(4000))
    assert isinstance(verdict, Failed)
    assert verdict.happened == ("the bot was still speaking when the call ended, at 2.700",)


def test_the_window_of_what_counts_from_the_callers_words() -> None:
    log = entries((1000, speech(1400)), (2000, SAID))
    assert window_of(ANSWER, log) == (2700, 3700)
    assert window_of(STOPS, log) == (2200, 2500)
    assert window_of(within(bot_speaks="1s"), log) is None
    assert window_of(STOPS, []) is None


# --- never


def overlapped(at_ms: int, ms: int) -> list[Entry]:
    return entries((2000, SAID), (at_ms, speech(ms)), (9000, HUNG_UP))


@pytest.mark.parametrize(
    ("at_ms", "ms", "broken"),
    [
        (2600, 1000, Broken(2600, "2.600 the bot began over the caller: both spoke for 100 ms")),
        (2601, 1000, None),
        (1000, 1500, Broken(2200, "2.200 the caller began over the bot: both spoke for 300 ms")),
        (3000, 1000, None),
    ],
)
def test_talk_over(at_ms: int, ms: int, broken: Broken | None) -> None:
    assert violation(never(talk_over="100ms"), overlapped(at_ms, ms), Watched(0, 20_000)) == broken


def test_talk_over_outside_the_window_is_not_counted() -> None:
    log = overlapped(2300, 1000)  # both from 2.300 to 2.700
    assert violation(never(talk_over="100ms"), log, Watched(2600, 20_000)) == Broken(
        2600, "2.600 the bot began over the caller: both spoke for 100 ms"
    )
    assert violation(never(talk_over="100ms"), log, Watched(2601, 20_000)) is None
    assert violation(never(talk_over="100ms"), log, Watched(0, 2399)) is None
    assert violation(never(talk_over="401ms"), log, Watched(0, 20_000)) is None


def test_dead_air() -> None:
    log = entries((500, speech(1000)), (2000, SAID), (5700, speech(1000)), (9000, HUNG_UP))
    assert violation(never(dead_air="3s"), log, Watched(0, 20_000)) == Broken(
        2700, "from 2.700 on nobody was heard for 3.00 s, and it was the bot's turn"
    )
    assert violation(never(dead_air="3001ms"), log, Watched(0, 20_000)) is None
    assert violation(never(dead_air="2s"), log, Watched(3701, 20_000)) is None
    assert violation(never(dead_air="2s"), log, Watched(0, 4699)) is None


def test_dead_air_ends_with_the_call_and_with_the_window() -> None:
    assert violation(never(dead_air="3s"), entries((2000, SAID), (5699, HUNG_UP)), Watched(0, 20_000)) is None
    assert violation(never(dead_air="3s"), entries((2000, SAID), (5700, HUNG_UP)), Watched(0, 20_000)) is not None
    assert violation(never(dead_air="3s"), entries((2000, SAID)), Watched(0, 5700)) is not None


def test_words() -> None:
    assert describe(never(talk_over={})) == "both speak at once for 100 ms"
    assert describe(never(dead_air={})) == "nobody is heard for 3.00 s while it is the bot's turn"
