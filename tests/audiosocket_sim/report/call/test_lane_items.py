"""Each lane has what belongs to it, at its time, and only lanes that have something are drawn; tables say the same."""

from pathlib import Path

import pytest
from helpers.reported_calls import saved, shipped_call

from audiosocket_sim.call_log.events import (
    BackendAsked,
    BackendPushed,
    BackendReplied,
    BotSpoke,
    CallEnded,
    CallerAction,
    CallerSpoke,
    DefectFound,
    ExpectationJudged,
    HoldStarted,
    HoldStopped,
    MessageCount,
    Noted,
    PhoneLostSound,
    StageTook,
    StateTold,
    StepFailed,
    VoicesOverlapped,
    WireSummary,
)
from audiosocket_sim.report.call.call_view import call_view
from audiosocket_sim.report.call.clock_text import clock_text
from audiosocket_sim.report.call.envelope import envelope
from audiosocket_sim.report.call.labels import audacity_labels
from audiosocket_sim.report.call.lane_item import LaneItem
from audiosocket_sim.report.call.lane_items import Lane, LeadLine, lanes_of
from audiosocket_sim.report.call.scenario_marks import scenario_lines
from audiosocket_sim.report.call.still_picture import still_picture
from audiosocket_sim.report.call.tables import environment_rows, latency_rows, transcript_rows, wire_rows
from audiosocket_sim.report.call.turn_values import turn_values
from audiosocket_sim.report.saved.call_source import read_saved_call
from audiosocket_sim.report.saved.saved_call import SavedCall, ScenarioText, SentRow

END = CallEnded("server", "hangup_message", "continues", "the server hung up", True)


def lane(call: SavedCall, name: str) -> Lane:
    return next(one for one in lanes_of(call) if one.id == name)


def times(call: SavedCall, name: str) -> list[tuple[int, int | None, str]]:
    return [(one.from_ms, one.to_ms, one.text or one.sign) for one in lane(call, name).items]


def test_the_caller_speaks_presses_makes_noise_and_is_muted() -> None:
    call = saved(
        (1000, CallerSpoke("Sim.", None, 900, ((100, 700),))),
        (3000, CallerSpoke(None, "sounds/cough", 400, (), "vocal_tic")),
        (4000, CallerAction("dtmf", "5", 100)),
        (5000, CallerAction("noise", "white, −30 dBFS", 500)),
        (6000, CallerAction("mute")),
        (7000, CallerAction("unmute")),
        (8000, CallerAction("mute")),
        (9000, END),
    )
    assert times(call, "caller") == [
        (1100, 1700, "Sim."),
        (3000, 3400, "sounds/cough"),
        (4000, 4000, "5"),
        (5000, 5500, "noise white, −30 dBFS"),
        (6000, 7000, "muted"),
        (8000, None, "muted"),
    ]
    assert lane(call, "caller").items[1].title == "the caller (cough): sounds/cough"


def test_the_bot_is_heard_and_its_other_sounds_stand_apart() -> None:
    call = saved(
        (1000, BotSpoke("Pode subir.", 900, 1000, wait_ms=500)),
        (3000, BotSpoke("Até logo, tenha", 600, 1800, gap_ms=100)),
        (5000, BotSpoke(None, 700, sound="tone")),
        (6000, HoldStarted()),
        (7000, HoldStopped(1000, seamless=False)),
        (8000, HoldStarted()),
        (9000, END),
    )
    assert times(call, "bot") == [
        (1000, 1900, "Pode subir. ✂"),
        (1900, 2000, "not heard"),
        (3000, 3700, "Até logo, tenha ✂"),
        (3700, 4900, "not heard"),
    ]
    assert "0.50 s after the last word" in lane(call, "bot").items[0].title
    assert "cut off: 0.60 s of 1.80 s; gaps of 100 ms" in lane(call, "bot").items[2].title
    assert times(call, "other") == [
        (5000, 5700, "tone"),
        (6000, 7000, "hold audio, with a jump"),
        (8000, None, "hold audio"),
    ]


def test_what_was_sent_has_its_lead_its_losses_and_its_holes() -> None:
    sent = (SentRow(0, 900, 1000, 0, False), SentRow(1000, 1000, 2000, 1980, True), SentRow(1200, 1200, 20, 1800, True))
    call = saved(
        (500, DefectFound("holes", "holes of 200 ms", 200, 1000)),
        (2000, PhoneLostSound("fifo", 300, 400, "no room")),
        (9000, END),
        sent=sent,
        lost=((1000, 300), (1200, 200), (8000, 20)),
    )
    found = lane(call, "sent")
    assert [one.title for one in found.items if one.sign] == [
        "the phone had no room: 0.50 s lost",
        "the phone had no room: 0.02 s lost",
        "the phone lost 0.30 s: no room",
    ]
    assert (1000, 1200, "sent: 2.02 s of sound, up to 1.98 s ahead") in [
        (one.from_ms, one.to_ms, one.title) for one in found.items
    ]
    assert found.line is not None
    points = dict(found.line.points)
    assert points[1000] == 1.98
    assert points[1300] == 1.7
    assert max(points) == 3000
    assert min(points.values()) == 0
    assert found.line.to_json()["rules"][0]["at"] == 0.3


def test_a_bot_that_is_never_ahead_has_no_line() -> None:
    call = saved((1000, END), sent=(SentRow(0, 900, 920, 0, True),))
    assert lane(call, "sent").line is None


def test_states_requests_expectations_and_defects_have_their_times() -> None:
    call = saved(
        (100, StateTold("STANDBY", "IA_TURN")),
        (1000, StateTold("IA_TURN", "USER_TURN")),
        (1000, StateTold("USER_TURN", "WAITING")),
        (2000, BackendAsked(1, "c", "Sim.")),
        (2500, BackendReplied(1, "Pode subir.", "STANDBY", 500)),
        (2600, BackendReplied(7, None, None, 100, "http_500")),
        (3000, BackendAsked(2, "c", "Alô?")),
        (3500, BackendPushed("Olá.", "IA_TURN", 202)),
        (2200, ExpectationJudged(1, "expect bot_says", 2000, 6000, 2200)),
        (6000, ExpectationJudged(2, "expect state", 2200, 6000, None)),
        (6020, StepFailed(2, "expect state", "state X", ("state Y",), 2200, 6000)),
        (4000, ExpectationJudged(3, "never bot_speaks", 3000, 5000, None)),
        (4500, ExpectationJudged(4, "never hold_audio", 3000, 5000, 4500)),
        (5000, DefectFound("damage", "noise", None, 300)),
        (9000, END),
    )
    assert times(call, "states") == [(100, 1000, "IA_TURN"), (1000, None, "WAITING")]
    assert times(call, "backend") == [
        (2000, 2500, "STANDBY “Pode subir.”"),
        (2500, 2600, "fault: http_500"),
        (3500, 3500, "↓"),
        (3000, None, "no answer"),
    ]
    assert [(one.text, one.from_ms, one.to_ms) for one in lane(call, "expected").items] == [
        ("✓ expect bot_says", 2000, 2200),
        ("✓ never bot_speaks", 3000, 5000),
        ("✕ never hold_audio", 3000, 5000),
        ("✕ expect state", 2200, 6000),
    ]
    assert times(call, "defects") == [(5000, 5300, "damage"), (6020, 6020, "✕")]
    assert lane(call, "expected").rows == 3


def test_turns_overlaps_waits_and_dead_air() -> None:
    call = saved(
        (500, BotSpoke("Olá.", 1000)),
        (1000, CallerSpoke("Espera.", None, 1000)),
        (1000, VoicesOverlapped("caller", 500, 500, natural=False)),
        (3000, BotSpoke("Pois não.", 500)),
        (6000, CallerSpoke("Sim.", None, 1000)),
        (6500, BotSpoke("Certo.", 2000)),
        (6500, VoicesOverlapped("bot", 500, early_ms=500)),
        (9500, VoicesOverlapped("caller", 500, None)),
        (9900, VoicesOverlapped("caller", 500, 300, natural=True)),
        (10000, END),
        late=(("packet", 100, 400), ("bot", 500, 900)),
    )
    assert [one.text for one in lane(call, "turns").items] == ["yield 0.50 s", "bot began", "no stop", "over 0.30 s"]
    assert times(call, "both") == [(1000, 1500, "0.50 s"), (6500, 7000, "0.50 s")]
    assert (2000, 3000, "answer 1.00 s") in times(call, "quiet")
    assert (0, 500, "quiet 0.50 s") in times(call, "quiet")
    assert not any(start >= 8500 for start, _, text in times(call, "quiet")), "the end of the call is no dead air"
    assert times(call, "late") == [(100, 400, "packets late"), (500, 900, "bot had no processor")]


def test_lanes_without_anything_in_them_are_left_out() -> None:
    assert [one.id for one in lanes_of(saved((1000, Noted("x"))))] == ["caller", "bot", "quiet"]


def test_latency_by_stage_and_the_wait_as_it_was_heard() -> None:
    call = saved(
        (0, CallerSpoke("Sim.", None, 1000)),
        (3000, StageTook("endpoint", 2000, 2000)),
        (3300, StageTook("backend", 300, 2300)),
        (3500, BotSpoke("Certo.", 500, wait_measured=False)),
        (5000, CallerSpoke(None, "pt-br/sim", 1000)),
        (6500, CallerSpoke("Alô?", None, 500)),
        (8000, END),
    )
    rows = latency_rows(call.entries)
    assert [(row.from_ms, row.words, dict(row.stages_ms), row.wait_ms, row.unmeasured) for row in rows] == [
        (1000, "Sim.", {"endpoint": 2000, "backend": 300}, 2500, True),
        (6000, "pt-br/sim", {}, None, False),
        (7000, "Alô?", {}, None, False),
    ]
    assert [row.outcome for row in rows] == ["", "the caller spoke again first", "the call was over first"]


def test_the_wire_and_the_environment_in_words() -> None:
    counts = (MessageCount(0x10, 788, 320, 320), MessageCount(0x12, 1, 640, 700), MessageCount(0x77, 2, 0, 0))
    call = saved(
        (100, WireSummary(counts, (MessageCount(0x01, 1, 16, 16),), None)),
        (100, END),
        environment={"target": "bot:serve", "seed": None, "packages": {"numpy": "2.4"}},
        seeds={"line.seed": 3},
        hashes={"audio": "a" * 64},
        own_lateness_ms=12.0,
    )
    assert wire_rows(call.entries)[:5] == [
        ("from the bot: audio, 8 kHz (0x10)", "788 messages of 320 bytes"),
        ("from the bot: audio, 16 kHz (0x12)", "1 message of 640 to 700 bytes"),
        ("from the bot: another kind (0x77)", "2 messages of 0 bytes"),
        ("to the bot: UUID (0x01)", "1 message of 16 bytes"),
        ("loudest sample that reached the phone", "digital silence only"),
    ]
    assert wire_rows(call.entries)[5][1].startswith("server hung up (00 00 00)")
    assert environment_rows(call) == [
        ("bot (target)", "bot:serve"),
        ("seed of the network", "none"),
        ("numpy", "2.4"),
        ("line.seed", "3"),
        ("hash of the audio", "a" * 16),
        ("this machine's own packets", "up to 12 ms late"),
    ]


def test_turn_values_say_how_they_are_defined() -> None:
    call = saved(
        (0, BotSpoke("Olá.", 1000)),
        (500, CallerSpoke("Sim.", None, 1000)),
        (3000, BotSpoke("Certo.", 500)),
        (4000, BotSpoke("Mais uma coisa.", 3000)),
        (5000, CallerSpoke(None, "sounds/cough", 300, (), "vocal_tic")),
        (20000, END),
    )
    version, values = turn_values(call.entries)
    found = {one.name: one.value for one in values}
    assert version == 4
    assert found["Response time (L_R)"] == "1.50 s"
    assert found["Yield time (L_Y)"] == "0.50 s"
    assert found["Goes on for coughs"] == "1 of 1"
    assert found["Talk-over"] == "1 time, 0.50 s in all, 0.50 s the longest"
    assert all(one.definition for one in values)
    many = [
        (2000 * n + at, event)
        for n in range(14)
        for at, event in ((0, CallerSpoke("A.", None, 500)), (900, BotSpoke("B.", 300)))
    ]
    long = {one.name: one.value for one in turn_values(saved(*many, (40000, END)).entries)[1]}
    assert long["Response time (L_R)"].endswith("and 2 more, 0.40 s at the most")


def test_waits_that_virtual_time_cannot_measure_and_answers_that_never_came() -> None:
    call = saved(
        (0, CallerSpoke("Sim.", None, 500)),
        (900, BotSpoke("Certo.", 300, wait_measured=False)),
        (5000, CallerSpoke("Alô?", None, 500)),
        (30000, CallEnded("caller", "fin", "ends", "")),
    )
    found = {one.name: one.value for one in turn_values(call.entries)[1]}
    assert found["Waits not measured"] == "1"
    assert found["Response time (L_R)"] == "1 never answered"


SCENARIO = """\
summary: A call.
steps:
  - expect: {bot_says: "Olá."}
  - say: {text: "Sim."}
  - repeat:
      times: 2
      steps:
        - expect: {bot_speaks: 1s}
  - press: "5"
  - never: {bot_speaks: 1s}
  - expect: {state: WAITING}
"""


def test_the_scenarios_lines_have_marks() -> None:
    lines = {(0,): 3, (1,): 4, (2,): 5, (2, "repeat", "steps", 0): 8, (3,): 9, (4,): 10, (5,): 11}
    call = saved(
        (100, ExpectationJudged(1, "expect bot_says", 0, 500, 100)),
        (200, CallerSpoke("Sim.", None, 100)),
        (300, ExpectationJudged(3, "expect bot_speaks", 0, 500, 300, ("repeat", "steps", 0))),
        (400, CallerAction("dtmf", "5", 100)),
        (500, ExpectationJudged(5, "never bot_speaks", 400, 500, None)),
        (900, StepFailed(6, "expect state", "state WAITING", ("no",))),
        (901, StepFailed(9, "x", "nowhere", ("no",))),
        scenario=ScenarioText("a.yaml", SCENARIO, lines),
    )
    found = {line.number: (line.mark, line.words, line.at_ms) for line in scenario_lines(call) if line.mark}
    assert found == {
        3: ("✓", "met at 0:00.10", 100),
        4: ("✓", "at 0:00.20", 200),
        8: ("✓", "met at 0:00.30", 300),
        9: ("✓", "at 0:00.40", 400),
        10: ("✓", "held", 500),
        11: ("✕", "not met at 0:00.90: expected state WAITING", 900),
    }
    assert scenario_lines(saved((0, Noted("x")))) == []


def test_labels_are_sorted_and_on_one_line_each() -> None:
    call = saved((2000, BotSpoke("two\tlines\n", 500)), (1000, CallerSpoke("Sim.", None, 500)), (3000, HoldStarted()))
    labels = audacity_labels(lanes_of(call), 4000).splitlines()
    assert labels[0] == "1.000\t1.500\tCaller: Sim."
    assert "2.000\t2.500\tBot, as heard: two\\tlines\\n" in labels
    assert "3.000\t4.000\tHold, other sound: hold audio" in labels


def test_rows_of_the_transcript_know_whose_they_are() -> None:
    rows = transcript_rows(
        saved((0, BotSpoke("a", 10, 900)), (1, Noted("n\x1b")), (2, StepFailed(1, "s", "e", ("h",)))).entries
    )
    assert [(row.who, row.tone, row.what) for row in rows] == [
        ("bot", "bad", "“a”"),
        ("note", "rest", "n\\x1b"),
        ("FAILED", "bad", "step 1 (s): expected e"),
    ]


def test_a_still_picture_shows_its_time_only_and_cuts_texts() -> None:
    items = (
        LaneItem(0, 900, "before"),
        LaneItem(1000, 1400, "a long text that has no room"),
        LaneItem(1900, None, "on"),
    )
    lanes = [
        Lane("caller", "Caller", "caller", items, 2, "caller"),
        Lane("turns", "Turns", "note", (LaneItem(1500, 1500, "", "x"), LaneItem(9000, 9000, "")), 1),
        Lane("late", "Late", "note", (LaneItem(9000, 9100, ""),), 1),
    ]
    found = still_picture(lanes, {"caller": envelope(b"\x00\x40" * 16000)}, (1000, 2000), (1200, 1300))
    assert [one.label for one in found.lanes] == ["Caller", "Turns"]
    texts = [bar.text for bar in found.lanes[0].bars]
    assert texts == ["a long text that has no room", "on"]
    assert found.lanes[1].bars[0].sign == "•"
    assert found.lanes[0].path.startswith("M130 ")
    assert found.band is not None
    assert [words for _, words in found.ticks][:2] == ["0:01", "0:01.50"]
    narrow = still_picture(lanes, {}, (0, 20_000))
    assert [bar.text for bar in narrow.lanes[0].bars] == ["bef…", "", "on"]


@pytest.mark.parametrize(("ms", "text"), [(0, "0:00"), (61_250, "1:01.25"), (-200, "−0:00.20"), (59_999, "1:00")])
def test_clock(ms: int, text: str) -> None:
    assert clock_text(ms) == text


@pytest.mark.long("quicker tests of this file are run")
def test_all_of_a_call_is_in_the_view(tmp_path: Path) -> None:
    view = call_view(read_saved_call(shipped_call("slow_backend_plays_hold", tmp_path / "call")))
    assert [lane.id for lane in view.lanes] == [
        "caller",
        "bot",
        "sent",
        "other",
        "states",
        "backend",
        "expected",
        "quiet",
    ]
    assert view.stages == ("endpoint", "recognition", "backend", "first_audio")
    assert view.longest_ms >= 10_000
    data = view.to_json()
    assert data["problems"][0]["from"] < data["problems"][0]["at"] < data["problems"][0]["to"]
    assert data["lanes"][0]["level"]["step"] == 0.02
    assert [one.mark for one in view.scenario].count("✓") == 7


def test_the_lead_of_the_bot_is_a_line_in_the_view() -> None:
    call = saved((3000, END), sent=(SentRow(0, 0, 2000, 1980, True),))
    [found] = [one for one in call_view(call).to_json()["lanes"] if one["id"] == "sent"]
    assert found["line"]["unit"] == "s ahead"
    assert found["line"]["points"][0] == [0.0, 1.98]


def test_the_lead_has_a_round_value_as_its_scale() -> None:
    def rules(most: float) -> list[str]:
        return [rule["text"] for rule in LeadLine(((0, 0.0), (100, most))).to_json()["rules"]]

    assert rules(2.75) == ["a phone holds 0.3 s", "2 s ahead"]
    assert rules(0.6) == ["a phone holds 0.3 s"]


def test_a_recording_that_begins_with_silence_says_so_and_an_interruption_ends_with_the_call() -> None:
    said = CallerSpoke("Espera.", None, 1000, ((308, 900),))
    end = CallEnded("caller", "hangup_message", "ends", "x")
    lanes = lanes_of(saved((7508, said), (7816, VoicesOverlapped("caller", 312)), (8128, end)))
    [bar] = next(lane.items for lane in lanes if lane.id == "caller")
    assert (bar.from_ms, bar.title) == (7816, "the caller: Espera.; the recording begins at 0:07.51, with silence")
    [turn] = next(lane.items for lane in lanes if lane.id == "turns")
    assert (turn.from_ms, turn.to_ms, turn.text) == (7816, 8128, "no stop")
