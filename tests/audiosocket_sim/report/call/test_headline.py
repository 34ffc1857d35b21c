"""A problem's first sentence says who did what when: from the words of the checks, as they write them."""

import pytest
from helpers.reported_calls import saved

from audiosocket_sim.call_log.events import (
    BackendAsked,
    BotSpoke,
    CallEnded,
    CallerSpoke,
    DefectFound,
    Entry,
    LogEvent,
    StepFailed,
    VoicesOverlapped,
)
from audiosocket_sim.checks.quality import defects_of
from audiosocket_sim.report.call.call_view import CallPage, call_view
from audiosocket_sim.report.call.headline import defect_headline, on_the_page, step_headline
from audiosocket_sim.report.call.problems import problems_of
from audiosocket_sim.report.call.sides import Side, side_of_defect
from audiosocket_sim.report.saved.saved_call import SavedCall, SavedFailure, ScenarioText
from audiosocket_sim.running.call_end import sent_ahead
from audiosocket_sim.scenario.quality import Quality

BOT = Side("the bot", "its speech")
END = CallEnded("server", "fin", "ends", "the server closed the connection")


@pytest.mark.parametrize(
    ("kind", "what", "sentence"),
    [
        (
            "damage",
            "“Bom dia.” as µ-law bytes labelled as linear samples",
            "The bot sent µ-law bytes labelled as 16-bit linear samples, so that the caller heard noise: “Bom dia.”, "
            "at 0:07.51",
        ),
        (
            "damage",
            "“Bom dia.”: 200 ms are missing in it, in 2 places",
            "The bot left out pieces of “Bom dia.” at 0:07.51: 200 ms in all are missing, in 2 places",
        ),
        ("damage", "cracks", "The bot sent damaged sound, at 0:07.51: cracks"),
        (
            "ahead",
            sent_ahead(2610, 1720),
            "The bot sent its sound too fast from 0:07.51 on, up to 2.61 s ahead of what was playing: a simulated "
            "phone that holds 300 ms lost 1.72 s of it",
        ),
        (
            "ahead",
            sent_ahead(2610, 0),
            "The bot sent its sound too fast from 0:07.51 on, up to 2.61 s ahead of what was playing",
        ),
        (
            "unheard",
            "“Bom dia.” was heard for 0.51 s of 1.78 s: the server ended the call while it was speaking",
            "The bot ended the call at 0:07.51 while it was speaking: “Bom dia.” was heard for 0.51 s of 1.78 s",
        ),
        (
            "unheard",
            "0.61 s of speech were sent and not heard: the server ended the call before they had been played",
            "The bot ended the call at 0:07.51, before the last 0.61 s of its speech had been played",
        ),
        (
            "hold_seam",
            "a hole of 0.30 s where the hold audio begins its next round",
            "The bot's hold audio has a hole of 0.30 s where it begins its next round, at 0:07.51",
        ),
        (
            "pace",
            "20.50 ms for each 20 ms of sound, over 15.9 s of continuous sending: 2.5 % too slow",
            "The bot sends 2.5 % too slowly: 20.50 ms for each 20 ms of sound, over 15.9 s of continuous sending",
        ),
        ("level", "speech at −5.1 dBFS: too loud", "The bot spoke too loudly at 0:07.51: its speech was at −5.1 dBFS"),
        (
            "left_open",
            "the server had not closed its connection 2.0 s after the call had ended",
            "The bot had not closed its connection 2.0 s after the call had ended, at 0:07.51",
        ),
    ],
)
def test_the_sentence_of_a_defect(kind: str, what: str, sentence: str) -> None:
    assert defect_headline(kind, what, 7508, side_of_defect(kind)) == sentence


def test_holes_are_told_as_their_sum() -> None:
    [holes] = defects_of(BotSpoke("Bom dia.", 2570, hole_ms=360, gap_ms=360), Quality())
    told = defect_headline("holes", holes.what, 867, side_of_defect("holes"))
    assert told == "The bot sent too late: its speech at 0:00.87 has holes, 360 ms in all in 2.93 s"
    assert on_the_page(holes.what) == "holes, 360 ms in all, in 2.93 s of speech"


def test_instants_are_on_the_clock_and_lengths_stay() -> None:
    told = on_the_page("from 7.508 until 68.128 it was never silent for 0.300 s (7.100–8.000), at 1.500 dBFS of 22.10")
    assert told == "from 0:07.51 until 1:08.13 it was never silent for 0.300 s (0:07.10–0:08), at 1.500 dBFS of 22.10"


def entries(*events: tuple[int, LogEvent]) -> tuple[Entry, ...]:
    return saved(*events).entries


def test_a_backend_that_is_asked_twice_for_one_turn_is_told_so() -> None:
    line = "request 2, “turno 2”, fits no reply of the scenario (not used so far: none)"
    said = (1000, CallerSpoke("Sim.", None, 2000))
    first, second = (3500, BackendAsked(1, "", "turno 1")), (5000, BackendAsked(2, "", "turno 2"))
    told = step_headline("ai", BOT, [line], 5000, entries(said, first, second), is_deadline=False)
    assert told == (
        "The bot asked its backend twice for one turn of the caller, at 0:03.50 and 0:05 (“turno 2”); he had last "
        "spoken until 0:03"
    )
    told = step_headline("ai", BOT, [line], 5000, entries(said, second), is_deadline=False)
    assert told == "The bot asked its backend once more than the scenario has replies, at 0:05: “turno 2”"
    other = line.replace("none", "reply 2")
    told = step_headline("ai", BOT, [other], 5000, entries(said, second), is_deadline=False)
    assert told == "The bot asked its backend “turno 2” at 0:05, which fits no reply that is left: reply 2"


def deaf(folder: str) -> SavedCall:
    asked = "the backend has not been asked since the caller spoke (1.000–2.000)"
    happened = f"the bot said nothing new in that time: {asked}"
    expected = "the bot speaks for at least 400 ms, from 2.000 until 6.000"
    step = StepFailed(5, "expect bot_speaks", expected, (happened,), 2000, 6000)
    failure = SavedFailure(f"{folder}/calls/a.yaml:9", "step 5 (expect bot_speaks)", expected, (happened,), 6020)
    return saved(
        (1000, CallerSpoke("Sim.", None, 1000)),
        (6020, step),
        (6020, END),
        outcome="failed",
        failures=(failure,),
        scenario=ScenarioText(f"{folder}/calls/a.yaml", "steps: []", {}),
    )


def test_a_backend_that_is_not_asked_is_told_with_the_callers_words_and_drawn() -> None:
    [found] = [one for one in problems_of(deaf("/x")) if one.rank == "failure"]
    assert found.sentence == "The bot did not ask its backend after the caller's “Sim.”, which ended at 0:02"
    assert found.measure == "Expected: the bot speaks for at least 400 ms, from 0:02 until 0:06"
    [lane] = [lane for lane in call_view(deaf("/x")).lanes if lane.id == "backend"]
    assert [(item.from_ms, item.to_ms, item.text) for item in lane.items] == [(2000, 6020, "not asked")]
    hidden = call_view(deaf("/x"), redact=True).problems[0]
    assert hidden.sentence == "The bot did not ask its backend, by 0:06: [words]"


def test_the_scenario_is_named_as_others_can_read_it() -> None:
    from pathlib import Path

    def names(page: CallPage) -> tuple[str, str]:
        return page.scenario_file, page.problems[0].where

    assert names(call_view(deaf("/home/a/tests"), here=Path("/home/a"))) == (
        "tests/calls/a.yaml",
        "tests/calls/a.yaml:9",
    )
    assert names(call_view(deaf("/home/a/tests"), here=Path("/srv"))) == ("calls/a.yaml", "calls/a.yaml:9")
    assert names(call_view(deaf("tests"))) == ("tests/calls/a.yaml", "tests/calls/a.yaml:9")


def test_a_bot_that_does_not_stop_is_told_with_the_interruption() -> None:
    line = "from 7.508 until 8.128 the bot was never silent for 300 ms"
    over = (7816, VoicesOverlapped("caller", 312))
    told = step_headline("expect bot_silent", BOT, [line], 8108, entries(over), is_deadline=True)
    assert told == "The bot did not stop when the caller spoke over it at 0:07.82: it had not fallen silent by 0:08.11"
    told = step_headline("expect bot_silent", BOT, [line], 8108, (), is_deadline=True)
    assert told == "The bot did not stop: it had not fallen silent by 0:08.11"


def test_hold_audio_that_does_not_stop_is_told_so() -> None:
    lines = ["hold audio started", "hold audio has been playing since 10.220"]

    def told(expected: str) -> str:
        return step_headline("expect hold_audio", BOT, lines, 15220, (), is_deadline=True, expected=expected)

    assert told("hold audio stopped, from 10.220 until 15.220") == (
        "The bot's hold audio had not stopped by 0:15.22: it has been playing since 0:10.22"
    )
    assert told("hold audio playing (jazz.wav), from 10.220 until 15.220").endswith("by 0:15.22: hold audio started")


def test_a_bot_that_stops_and_begins_again_is_not_told_as_one_that_does_not_stop() -> None:
    line = "from 7.508 until 8.128 the bot was never silent for 300 ms"
    over = (7816, VoicesOverlapped("caller", 44, 44))
    assert step_headline("expect bot_silent", BOT, [line], 8108, entries(over), is_deadline=True) == (
        "The bot fell silent at 0:07.86 when the caller spoke over it at 0:07.82, but began to speak again before it "
        "had been silent for 300 ms"
    )


def test_the_rest_of_an_answer_that_was_broken_off_is_told_as_such() -> None:
    line = "the bot said “Um momento.”, cut off: 0.50 s of 2.00 s, without its first 1.50 s"
    before, again = BotSpoke("Um momento.", 880, 2000), BotSpoke("Um momento.", 500, 2000, skipped_ms=1500)
    found = entries((6940, before), (8380, again))
    assert step_headline("never bot_speaks", BOT, [line], 8380, found, is_deadline=False) == (
        "The bot began to speak again at 0:08.38, with the rest of an answer that it had broken off at 0:07.82: "
        "“Um momento.”"
    )
    whole = entries((6940, BotSpoke("Um momento.", 2000, 2000)), (9380, again))
    told = step_headline("never bot_speaks", BOT, [line], 9380, whole, is_deadline=False)
    assert told.startswith("The bot did not speak as expected, at 0:09.38: the bot said")


def test_a_defect_that_failed_the_call_is_not_told_again_as_worth_a_look() -> None:
    first, second = DefectFound("holes", "holes at 1.500", 300, 500), DefectFound("holes", "holes at 3.500", 300, 500)
    failure = SavedFailure("", "quality", "no holes", (f"1.000 {first.what}", f"3.000 {second.what}"), 1000)
    found = problems_of(saved((1000, first), (3000, second), (4000, END), outcome="failed", failures=(failure,)))
    assert [one.rank for one in found if one.kind == "holes"] == ["failure"]
    assert found[0].more == ("0:03 holes at 0:03.50",)
    assert found[0].margin == "such a defect 2 times in the call, up to 300 ms"


def test_a_window_that_opens_with_the_silence_of_a_recording_says_when_the_caller_is_heard() -> None:
    line, expected = "from 7.508 until 8.128 the bot was never silent for 300 ms", "the bot falls silent"
    window = f"{expected}, from 7.508 until 8.108"
    failure = SavedFailure("a.yaml:7", "step 5 (expect bot_silent)", window, (line,), 8128)
    step = StepFailed(5, "expect bot_silent", window, (line,), 7508, 8108)
    said = CallerSpoke("Espera.", None, 1000, ((308, 900),))
    call = saved((7508, said), (8128, step), (8128, END), outcome="failed", failures=(failure,))
    first = problems_of(call)[0]
    assert first.measure == "Expected: the bot falls silent, from an instant between 0:07.51 and 0:08.11 on"
    assert first.more == (
        "0:07.51 is when the caller's recording begins, with silence; his voice is heard from 0:07.82 on",
    )
