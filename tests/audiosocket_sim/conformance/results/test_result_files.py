"""A run as JUnit, as a badge, as data for its page and as a picture."""

from xml.etree import ElementTree

import pytest
from helpers.check_results import SILENCE, SOUND, UUID, a_call, a_case, a_result, a_run, outcomes

from audiosocket_core.messages import encode
from audiosocket_sim.conformance.case import CaseOutcome, LegSeen, SeenCase, Statement
from audiosocket_sim.conformance.features import Features
from audiosocket_sim.conformance.results.badge import badge_json
from audiosocket_sim.conformance.results.drawing import Drawing, drawing
from audiosocket_sim.conformance.results.junit import junit_xml
from audiosocket_sim.conformance.results.page import check_page
from audiosocket_sim.conformance.results.page_data import page_data
from audiosocket_sim.conformance.results.result_json import result_json
from audiosocket_sim.conformance.seen_call import ConnectionEnd
from audiosocket_sim.conformance.verdicts import CaseResult


def repeat(name: str) -> str:
    return f"check --only {name}"


def test_junit_has_a_suite_a_section() -> None:
    root = ElementTree.fromstring(junit_xml(a_run(*outcomes()), repeat).partition("\n")[2])
    assert {key: root.get(key) for key in ("tests", "failures", "errors", "skipped")} == {
        "tests": "7",
        "failures": "2",
        "errors": "1",
        "skipped": "2",
    }
    assert [suite.get("name") for suite in root] == ["HS handshake", "FR framing on input", "AO audio out"]
    found = {
        case.get("name", "")[:5]: [(part.tag, part.get("message")) for part in case] for case in root.iter("testcase")
    }
    assert found == {
        "HS-01": [],
        "HS-02": [("failure", "closes its end, but it was open")],
        "FR-01": [("system-out", None)],
        "FR-02": [("error", "inconclusive: closes its end, but it was open")],
        "AO-01": [("skipped", "not tried")],
        "AO-02": [("skipped", "expected failure: mended soon")],
        "AO-03": [("failure", "it passes, and is listed as known to fail: mended soon")],
    }


def test_junit_holds_no_character_that_xml_cannot() -> None:
    odd = a_result(a_case(title="a\x00b"), [Statement(False, "is a \x1b[31mtrap\ud800")], [a_call()])
    text = junit_xml(a_run(odd), repeat)
    assert ElementTree.fromstring(text.partition("\n")[2])[0][0].get("name") == "HS-02 a�b"


@pytest.mark.parametrize(
    ("places", "code", "message", "colour"),
    [
        ((0,), 0, "1 of 1 pass", "brightgreen"),
        ((0, 2), 0, "1 of 2 pass", "yellowgreen"),
        ((0, 1, 4), 1, "1 of 2 pass, 1 fail", "red"),
        ((0, 3), 4, "1 of 2 pass", "lightgrey"),
        ((4,), 4, "not run", "lightgrey"),
    ],
)
def test_the_badge(places: tuple[int, ...], code: int, message: str, colour: str) -> None:
    run = a_run(*(outcomes()[place] for place in places))
    expected = {"schemaVersion": 1, "label": "AudioSocket", "message": message, "color": colour}
    assert badge_json(run, code) == expected


def shapes(picture: Drawing) -> list[tuple[str, list[str], list[str]]]:
    return [
        (lane.label, [bar.look for bar in lane.bars], [mark.words for mark in lane.marks]) for lane in picture.lanes
    ]


def test_a_picture_of_sound_silence_pieces_and_ends() -> None:
    call = a_call(
        [(0.0, UUID[:3]), (0.5, UUID[3:]), *((1 + 0.02 * n, SILENCE) for n in range(5))],
        [
            *((0.02 * n, SOUND) for n in range(10)),
            *((0.2 + 0.02 * n, SILENCE) for n in range(10)),
            *((1.2 + 0.02 * n, SILENCE) for n in range(10)),
            (1.5, encode(0x10, bytes(321))),
            (1.6, encode(0x77, b"a")),
            (1.7, encode(0, b"")),
        ],
        ConnectionEnd("server", "reset", 1.8),
    )
    picture = drawing(call, Statement(False, "", at=1.5))
    assert shapes(picture) == [
        ("the peer", ["silence"], ["bytes 1 to 3 of 19", "bytes 4 to 19 of 19"]),
        ("the server", ["sound", "silence", "silence", "odd"], ["unknown kind 0x77, 1 byte", "hang-up", "RST"]),
    ]
    assert picture.fault[1] == "1.500 s"
    assert picture.words == "0.00 s to 1.84 s of the call; the fault is at 1.500 s"
    place, words = picture.ticks[0]
    assert words == "0.0 s"
    assert place == pytest.approx(99.7, abs=3)
    server = picture.lanes[1]
    assert [mark.look for mark in server.marks] == ["odd", "other", "end"]
    assert len({mark.row for mark in server.marks}) == 3  # the words of one would cover those of another


def test_a_picture_of_a_long_call_is_of_14_seconds() -> None:
    call = a_call(
        [(0.0, UUID)], [(float(n), encode(3, b"5")) for n in range(60)], ConnectionEnd("peer", "fin", 60.0, 61.0)
    )
    picture = drawing(call, Statement(False, "", at=30.0))
    assert picture.words.startswith("22.86 s to 37.28 s")
    assert len(picture.lanes[1].marks) <= 16


def test_pictures_of_other_ends() -> None:
    assert shapes(drawing(a_call(refused="refused"), None))[1][2] == ["no connection"]
    both = shapes(drawing(a_call(), None))
    assert [lane[2] for lane in both] == [["UUID", "FIN"], ["FIN"]]
    open_one = a_call(end=ConnectionEnd("nobody", "open", 2.0))
    assert shapes(drawing(open_one, None))[1][2] == []


def test_words_without_room_are_left_out() -> None:
    keys = [(0.001 * n, encode(3, b"5")) for n in range(400)]
    lane = drawing(a_call(received=keys, end=ConnectionEnd("nobody", "open", 2.0)), None).lanes[1]
    assert len(lane.marks) == 300
    assert sum(mark.row == -1 for mark in lane.marks) > 250
    odd = a_call(received=[(0.5, encode(0, bytes(70)) + encode(2, bytes(9)))])
    assert all(len(mark.words) <= 34 for mark in drawing(odd, None).lanes[1].marks)


def test_the_data_of_the_page() -> None:
    leg = LegSeen("22.10", "app", True, "odd", 1.0, 3)
    seen = SeenCase((), Features(), leg_ends=(leg,))
    whole = CaseResult(a_case("AV-01"), CaseOutcome.FAIL, (Statement(False, "is kept, but dropped"),), observed=seen)
    features = Features(two_calls=True, echoes=False, stated=frozenset({"echoes"}), lives=3.0)
    run = a_run(*outcomes(), whole, features=features, trouble="it ended with code 1")
    made = {"version": "1.0", "heavy": True, "only": ["HS-*"]}
    data = page_data(run, 1, made, repeat)
    assert (data["headline"], data["verdict"], data["mark"]) == ("2 cases of 7 fail, and 1 warns", "failed", "failed")
    assert [one["id"] for one in data["failed"]] == ["HS-02", "AV-01", "AO-03", "FR-01", "FR-02", "AO-02"]
    assert data["failed"][1]["legs"][0].startswith("Asterisk 22.10, app: Asterisk drops the call")
    assert ("sends the caller's sound back", "no (stated in check.yaml)") in data["features"]
    assert ("ends a call by itself after", "3.0 s") in data["features"]
    assert data["made"].endswith("with --heavy · only HS-* · audiosocket-sim 1.0")
    page = check_page(run, 1, made, repeat)
    assert "it ended with code 1" in page
    assert 'id="AV-01"' in page


def test_the_headline_of_a_run_without_a_failure() -> None:
    good = outcomes()[0]
    assert page_data(a_run(good), 0, {}, repeat)["headline"] == "1 cases of 1 pass"
    assert page_data(a_run(good, outcomes()[5]), 0, {}, repeat)["headline"] == "1 cases of 2 pass, 1 fail as expected"
    assert "Nothing failed" in check_page(a_run(good), 0, {}, repeat)
    assert page_data(a_run(outcomes()[1]), 1, {}, repeat)["headline"] == "1 case of 1 fails"


def test_the_bytes_of_a_statement_of_an_unknown_call_are_those_of_the_first() -> None:
    odd = a_result(a_case(), [Statement(False, "is so, but not", call="no such call")], [a_call()])
    assert result_json(a_run(odd), 1, {})["cases"][0]["around"][0]["call"] == "the call"


def test_a_failure_of_which_nothing_was_seen_has_no_bytes_around_it() -> None:
    gone = a_result(a_case(), [Statement(False, "takes calls, but the server is gone")])
    (case,) = result_json(a_run(gone), 1, {})["cases"]
    assert case["around"] == []
