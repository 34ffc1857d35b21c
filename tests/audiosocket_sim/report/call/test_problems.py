"""The first problem is the cause, with its side and its margin; silence is only dead air where it is the bot's turn."""

from pathlib import Path

import pytest
from helpers.reported_calls import saved, saved_result

from audiosocket_sim.call_log.events import (
    BackendAsked,
    BotSpoke,
    CallEnded,
    CallerSpoke,
    DefectFound,
    LogEvent,
    PhoneLostSound,
    StepFailed,
)
from audiosocket_sim.report.call.lane_items import lanes_of
from audiosocket_sim.report.call.margins import margin_of_defect, margin_of_step
from audiosocket_sim.report.call.problems import CallProblem, problems_of
from audiosocket_sim.report.call.sides import side_of
from audiosocket_sim.report.saved.saved_call import SavedCall, SavedFailure
from audiosocket_sim.running.runner import Options, run
from audiosocket_sim.scenario.loading import load

ROOT = Path(__file__).resolve().parents[4]
END = CallEnded("server", "fin", "ends", "the server closed the connection")


def failed(*events: tuple[int, LogEvent], failures: list[SavedFailure]) -> list[CallProblem]:
    return problems_of(saved(*events, outcome="failed", failures=tuple(failures)))


def test_of_two_requests_for_one_turn_both_are_in_view_where_they_fit() -> None:
    line = "request 2, “turno 2”, fits no reply of the scenario (not used so far: none)"
    for second_ms, from_ms in ((10_800, 5_000), (25_000, 23_000)):
        events: list[tuple[int, LogEvent]] = [
            (4_000, CallerSpoke("Sim.", None, 3_000)),
            (8_000, BackendAsked(1, "x", "turno 1")),
            (second_ms, BackendAsked(2, "x", "turno 2")),
            (40_000, END),
        ]
        [first] = failed(*events, failures=[SavedFailure("", "ai", "the AI's script to fit", (line,), second_ms)])[:1]
        assert first.sentence.startswith("The bot asked its backend twice for one turn of the caller, at 0:08 and ")
        assert first.from_ms == from_ms
        assert first.since_ms == (8_000 if from_ms == 5_000 else second_ms), "both are in the band"
        assert first.to_ms >= second_ms + 2_000


def test_a_defect_is_told_with_its_limit_and_how_far_it_is_beyond() -> None:
    found = DefectFound("holes", "holes of 380 ms in 2.71 s of speech", 380, 2710)
    expected = "holes of 200 ms at the most in one stretch of speech"
    failure = SavedFailure("a.yaml", "quality", expected, (f"0.807 {found.what}",), 807)
    [first] = failed((807, found), (3517, BotSpoke("Sim.", 400)), (9000, END), failures=[failure])[:1]
    assert first.sentence == "The bot sent too late, at 0:00.81: holes of 380 ms in 2.71 s of speech"
    assert first.measure == (
        "Expected: holes of 200 ms in all at the most in one stretch of speech; 180 ms beyond the limit"
    )
    assert (first.at_ms, first.until_ms) == (807, 3517)
    assert first.from_ms == 0
    assert first.to_ms >= 3517 + 1000


@pytest.mark.parametrize(
    ("defect", "expected", "margin"),
    [
        (DefectFound("level", "speech", -48.2), "speech from −45 to −6 dBFS", "3.2 dB below the limit"),
        (DefectFound("level", "speech", -1.0), "speech from −45 to −6 dBFS", "5.0 dB above the limit"),
        (
            DefectFound("pace", "slow", 2.5),
            "sound at the pace of speech, 1 % off at the most",
            "",
        ),
        (DefectFound("premature", "early", 1630), "the bot to let the caller finish", "1.63 s too soon"),
        (DefectFound("damage", "noise", None, 2200), "undamaged sound", "up to 2.20 s long"),
    ],
)
def test_the_margin_of_a_defect(defect: DefectFound, expected: str, margin: str) -> None:
    failure = SavedFailure("", "quality", expected, (f"1.000 {defect.what}",), 1000)
    assert failed((1000, defect), (9000, END), failures=[failure])[0].margin == margin


@pytest.mark.parametrize(
    ("kind", "events", "margin"),
    [
        ("expect bot_speaks", [(5600, BotSpoke("Sim.", 900))], "600 ms too late"),
        ("expect bot_says", [(5600, BotSpoke("Não.", 900))], ""),
        ("expect bot_speaks", [(3000, END)], "the call was over 2.00 s before the time was up"),
        ("never bot_speaks", [], "2.00 s into the 4.00 s in which it must not"),
    ],
)
def test_the_margin_of_a_step(kind: str, events: list[tuple[int, LogEvent]], margin: str) -> None:
    at_ms = 3000 if kind.startswith("never") else 5020
    step = StepFailed(1, kind, "x", ("nothing",), 1000, 5000)
    failure = SavedFailure("a.yaml:3", f"step 1 ({kind})", "x", ("nothing",), at_ms)
    found = failed((at_ms, step), *events, (9000, BotSpoke("", 1)), failures=[failure])[0]
    assert found.margin == margin
    assert found.where == "a.yaml:3"


@pytest.mark.parametrize(
    ("line", "side"),
    [
        ("the backend has not been asked since the caller spoke (1.0–2.0)", "the bot (it did not ask its backend)"),
        ("the backend was asked at 1.000, and has not answered", "the backend (no answer)"),
        ("the backend answered at 11.288 with a fault: http 500", "the backend (its answer was a fault)"),
        ("the backend answered “Sim.” at 1.000, and nothing of it was heard", "the bot (it did not say the answer)"),
        ("0.005 Asterisk ended the call: more than 5 ms passed", "the bot (what it sent on the wire)"),
        ("at 19.003 the call was still in progress", "the bot (it did not hang up)"),
        ("something else", "the bot (its words)"),
    ],
)
def test_a_step_tells_which_side_broke(line: str, side: str) -> None:
    assert side_of(SavedFailure("", "step 1 (expect bot_says)", "x", (line,), 0), "expect bot_says").words == side


def test_where_there_is_no_verdict_its_reason_comes_first_and_blames_nobody_else() -> None:
    call = saved((0, END), outcome="set_up", faults=("nobody answers at 127.0.0.1:8080",))
    assert [one.sentence for one in problems_of(call)] == [
        "No verdict, the set-up (not the bot): nobody answers at 127.0.0.1:8080"
    ]


def test_what_failed_nothing_is_worth_a_look_and_comes_last() -> None:
    allowed = DefectFound("ahead", "sound was sent 0.50 s ahead", 500, 200)
    failure = SavedFailure("", "step 1 (expect state)", "state WAITING", ("state USER_TURN",), 4000)
    found = failed((1000, allowed), (3000, END), failures=[failure])
    assert [one.rank for one in found] == ["failure", "observation"]
    assert found[1].sentence.startswith("Worth a look, the bot (it sent too far ahead): sound was sent")


def test_a_failure_that_may_be_this_machines_says_so() -> None:
    failure = SavedFailure("", "step 1 (expect state)", "state WAITING", ("state USER_TURN",), 4000, unsure=True)
    assert failed((4000, END), failures=[failure])[0].sentence.endswith(
        "but this machine was late, which may have caused it"
    )


# --- calls that another scorer gets wrong: the caller's turn, and the end of the call, are no dead air


def quiet_items(call: SavedCall) -> list[tuple[int, int | None]]:
    lane = next((lane for lane in lanes_of(call) if lane.id == "quiet"), None)
    return [] if lane is None else [(one.from_ms, one.to_ms) for one in lane.items if one.text.startswith("quiet")]


@pytest.mark.parametrize(
    "name",
    [
        "talking_over_the_bot",
        pytest.param("two_turns", marks=pytest.mark.long("talking_over_the_bot is tried")),
        pytest.param("barge_in", marks=pytest.mark.long("talking_over_the_bot is tried")),
    ],
)
def test_silence_of_the_caller_and_the_end_of_the_call_are_no_dead_air(name: str) -> None:
    call = saved_result(run(load(ROOT / "scenarios" / f"{name}.yaml"), Options("audiosocket_server:serve")))
    spoken = [(one.at_ms, one.event) for one in call.entries if isinstance(one.event, BotSpoke)]
    told = [(one.at_ms, one.event) for one in call.entries if isinstance(one.event, CallerSpoke)]
    quiet = quiet_items(call)
    assert quiet
    for start, end in quiet:
        assert end is not None
        before = [at for at, _ in told if at <= start]
        ended = [at + event.heard_ms + event.gap_ms for at, event in spoken if at <= start]
        assert not ended or (before and max(before) + 100 > max(ended) - 900), "behind the bot's speech it is his turn"
    last = max(at + event.heard_ms for at, event in spoken)
    assert all(start < last for start, _ in quiet), "the end of the call is none"
    assert {one.kind for one in problems_of(call)} <= {"response", "talk_over"}


@pytest.mark.long("quicker tests of this file are run")
def test_a_sentence_that_was_over_is_no_stop() -> None:
    call = saved_result(
        run(load(ROOT / "scenarios" / "talking_over_the_bot.yaml"), Options("audiosocket_server:serve"))
    )
    [lane] = [lane for lane in lanes_of(call) if lane.id == "turns"]
    assert [item.text.split()[0] for item in lane.items] == ["over"]
    assert all("its sentence was over" in item.title for item in lane.items)


def test_a_turn_limit_and_a_time_limit_have_neither_step_nor_window() -> None:
    failure = SavedFailure(
        "a.yaml:4", "turn_taking", "response_p50: 1.2 s at the most", ("it was 2.00 s, of 3 turns",), 9000
    )
    found = failed((9000, END), failures=[failure])[0]
    assert found.margin == ""
    assert found.side.words == "the bot (its turn-taking)"
    assert "it was 2.00 s, of 3 turns" in found.sentence


def test_a_defect_within_its_limit_and_a_step_whose_event_never_came_have_no_margin() -> None:
    defect = DefectFound("holes", "holes", 100, 50)
    assert margin_of_defect(defect, [defect], "holes of 200 ms at the most") == ""
    failure = SavedFailure("", "step 1 (expect bot_silent)", "x", ("no",), 5020)
    assert margin_of_step("expect bot_silent", failure, 1000, 5000, []) == ""


def test_what_a_phone_lost_and_this_machines_lateness_are_worth_a_look() -> None:
    call = saved((2000, PhoneLostSound("fifo", 300, 400, "no room")), (3000, END), late=(("thread", 1000, 1400),))
    assert [one.sentence for one in problems_of(call)] == [
        "Worth a look, the phone (its buffer): the caller's phone (a simulated one) lost 0.30 s of sound: no room, "
        "from 0:02 on",
        "Worth a look, this machine (busy): this machine was late by up to 0.40 s, from 0:01 on",
    ]


def test_long_dead_air_talk_over_and_an_early_bot_are_worth_a_look() -> None:
    call = saved(
        (0, CallerSpoke("Sim.", None, 2000)),
        (1000, BotSpoke("Certo.", 3000)),
        (5000, CallerSpoke("Alô?", None, 500)),
        (10_000, BotSpoke("Olá.", 500)),
        (12_000, END),
        outcome="passed",
    )
    found = {one.kind: one for one in problems_of(call)}
    assert set(found) == {"dead_air", "premature", "talk_over", "response"}
    assert found["dead_air"].happened == "nobody was heard for 4.50 s while it was the bot's turn"
    assert found["talk_over"].happened == "both spoke at once for 1.00 s; the bot began over the other"
    assert found["premature"].happened.startswith("the bot began to speak 1.00 s before")
    assert found["response"].happened.startswith("the caller waited 4.50 s")


def test_how_often_a_defect_came_and_who_hung_up_too_late() -> None:
    defect = DefectFound("damage", "noise", None, 300)
    assert (
        margin_of_defect(defect, [defect, defect], "undamaged sound")
        == "such a defect 2 times in the call, up to 300 ms long"
    )
    expected = "the server hangs up, from 1.000 until 5.000"
    failure = SavedFailure("", "step 1 (expect hangs_up)", expected, ("at 5.020 the call was still in progress",), 5020)
    found = failed((6500, END), failures=[failure])[0]
    assert found.margin == "1.50 s too late"
    assert found.sentence == "The bot had not hung up by 0:05"
    assert found.measure == "Expected: the bot hangs up, from 0:01 until 0:05; 1.50 s too late"


def test_who_interrupts_a_call_is_not_told_of_a_busy_machine() -> None:
    stopped = saved((5000, END), outcome="inconclusive", faults=("interrupted, while waiting for step 1 (wait)",))
    late = saved((5000, END), outcome="inconclusive", faults=("this machine was too late to judge what failed",))
    assert [problems_of(call)[0].side.words for call in (stopped, late)] == [
        "the user (who interrupted the call)",
        "this machine (too busy to judge)",
    ]
