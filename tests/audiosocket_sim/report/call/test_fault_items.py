"""What was wrong is drawn where it was: each hole, click and piece, and the rest of a sentence that nobody heard."""

import pytest
from helpers.reported_calls import saved
from zoo.keeper import call as zoo_call
from zoo.keeper import setup_of
from zoo.kinds import KINDS

from audiosocket_sim.call_log.events import BotSpoke, CallEnded, DefectFound, LogEvent
from audiosocket_sim.report.call.lane_items import lanes_of
from audiosocket_sim.report.call.problems import problems_of
from audiosocket_sim.report.saved.saved_call import SavedCall, SentRow

END = CallEnded("server", "fin", "ends", "")


def drawn(call: SavedCall, lane: str) -> list[tuple[int, int | None, str, str]]:
    items = next((one.items for one in lanes_of(call) if one.id == lane), ())
    return [(one.from_ms, one.to_ms, one.text or one.sign, one.title) for one in items]


def test_each_click_and_each_piece_is_drawn_where_it_was() -> None:
    clicks = DefectFound("damage", "a click every 20 ms", 4, 2000, "clicks", ((0, 0), (300, 0)), 2)
    cuts = DefectFound("damage", "silence in the midst of words", 40, 300, "cuts", ((0, 20), (280, 20)))
    assert drawn(saved((1000, clicks), (5000, cuts)), "faults") == [
        (1000, 1000, "▾", "click, 1 of 4"),
        (1300, 1300, "▾", "click, 2 of 4"),
        (5000, 5020, "", "silence, 1 of 2: 20 ms"),
        (5280, 5300, "", "silence, 2 of 2: 20 ms"),
    ]
    assert drawn(saved((1000, DefectFound("level", "too quiet", -50.0, 900))), "faults") == []


def test_holes_are_drawn_where_they_were_and_those_of_an_older_log_as_one_bar() -> None:
    holes = DefectFound("holes", "holes of 120 ms in 2.00 s of speech", 120, 2000, "", ((500, 60), (900, 60)))
    assert drawn(saved((1000, holes)), "sent") == [
        (1500, 1560, "", "hole: nothing came for 60 ms"),
        (1900, 1960, "", "hole: nothing came for 60 ms"),
    ]
    rows = (SentRow(900, 3000, 2000, 0, True), SentRow(5000, 5500, 500, 0, True))
    bars = [one[:2] for one in drawn(saved((1000, holes), sent=rows), "sent") if one[3].startswith("sent")]
    assert bars == [(900, 1500), (1560, 1900), (1960, 3000), (5000, 5500)], "a hole is seen between them"
    older = DefectFound("holes", "holes of 120 ms in 2.00 s of speech", 120, 2000)
    assert drawn(saved((1000, older)), "sent") == [(1000, 3000, "holes", older.what)]


def test_a_defect_lasts_from_its_first_place_to_its_last() -> None:
    pieces = DefectFound("damage", "200 ms are missing in it", 200, 200, "lost", ((0, 0), (1400, 0)))
    early = DefectFound("premature", "the bot began to speak in the midst of it", 1630)
    call = saved((1000, pieces), (5000, early), (9000, END))
    assert [one[:2] for one in drawn(call, "defects")] == [(1000, 2400), (5000, 6630)]
    found = {one.kind: (one.at_ms, one.until_ms) for one in problems_of(call)}
    assert (found["damage"], found["premature"]) == ((1000, 2400), (5000, 6630))


def test_the_rest_that_was_not_heard_is_drawn_up_to_what_came_next_or_the_end() -> None:
    said = BotSpoke("Até logo.", 400, 1760)
    title = "not heard: the last 1.36 s of “Até logo.”"

    def rest(*events: tuple[int, LogEvent]) -> list[tuple[int, int | None, str, str]]:
        return [one for one in drawn(saved((1000, said), *events), "bot") if one[2] == "not heard"]

    assert rest((9000, END)) == [(1400, 2760, "not heard", title)]
    assert rest((2000, BotSpoke("Sim.", 300)), (9000, END)) == [(1400, 2000, "not heard", title)]
    assert rest((1400, END)) == [(1400, 1850, "not heard", title)]
    lost = DefectFound("damage", "“Até logo.”: 400 ms are missing in it, in 4 places", 400, 400, "lost")
    assert rest((1100, lost), (9000, END)) == [], "its end was heard"


def test_what_was_sent_and_not_played_is_drawn_behind_the_end() -> None:
    ended = CallEnded("server", "fin", "ends", "", False, 1200)
    title = "sent, and not heard before the call was over: 1.20 s"
    assert drawn(saved((4000, ended)), "sent") == [(4000, 4450, "not heard", title)]


def first_defect(kind: str) -> DefectFound:
    """The first defect of the first bot of this kind in the zoo."""
    bad = next(one for one in KINDS if one.fault == kind)
    entries = zoo_call(bad.call, setup_of(bad, bad.three[0])).entries
    return next(one.event for one in entries if isinstance(one.event, DefectFound))


@pytest.mark.long("the tests of damage find the places")
def test_a_call_logs_the_places_of_holes_clicks_and_pieces() -> None:
    holes = first_defect("Stutters")
    assert sum(length for _, length in holes.places_ms) == holes.amount
    assert all(0 < since < holes.duration_ms for since, _ in holes.places_ms)
    pieces = first_defect("PiecesLost")
    off = [abs(since - 300 * number) for number, (since, _) in enumerate(pieces.places_ms)]
    assert len(off) == 5
    assert max(off) < 80, "each fourth piece of 100 ms was left out"
    clicks = first_defect("ClicksAtSeams")
    assert 0 < len(clicks.places_ms) <= 200
    assert len(clicks.places_ms) + clicks.more_places >= (clicks.amount or 0)
