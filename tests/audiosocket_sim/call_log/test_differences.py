"""Two calls compared for people: what counts as moved, changed, new and gone, and in which words."""

from dataclasses import replace

import pytest
from helpers.logs import entries

from audiosocket_sim.call_log.comparison import by_likeness
from audiosocket_sim.call_log.differences import CLASSES, Difference, Tolerances, difference_lines, differences
from audiosocket_sim.call_log.events import (
    BackendReplied,
    BotSpoke,
    CallerSpoke,
    DefectFound,
    ExpectationJudged,
    HoldStarted,
    LogEvent,
    Noted,
    StateTold,
)
from audiosocket_sim.call_log.happenings import of_entries, of_transcript
from audiosocket_sim.call_log.transcript import line_of

Call = list[tuple[int, LogEvent]]
TURN, WAIT = StateTold("IA_TURN", "USER_TURN"), StateTold("USER_TURN", "WAITING")
CALL: Call = [
    (1000, BotSpoke("Bom dia.", 900, 900)),
    (3000, CallerSpoke("Apartamento 202.", "apartamento_202", 1500)),
    (3100, TURN),
    (5500, WAIT),
    (6000, BackendReplied(1, "Um momento.", "WAITING", 500)),
    (6100, BotSpoke("Um momento.", 1200, 1200, level_dbfs=-22.0, wait_ms=1600)),
    (8000, HoldStarted()),
]


def later(call: Call, from_number: int, by_ms: int) -> Call:
    """The call, with all events from one on (counted from 0) later."""
    return [(at + by_ms if n >= from_number else at, event) for n, (at, event) in enumerate(call)]


def found(first: Call, second: Call, tolerances: Tolerances | None = None) -> list[Difference]:
    return differences(of_entries(entries(*first)), of_entries(entries(*second)), tolerances)


def short(first: Call, second: Call) -> list[tuple[str, int, str, int]]:
    return [(one.kind, one.at_ms, one.word, one.by_ms) for one in found(first, second)]


def changed(number: int, **fields: object) -> Call:
    event = replace(CALL[number][1], **fields)  # type: ignore[arg-type]
    return [*CALL[:number], (CALL[number][0], event), *CALL[number + 1 :]]


def test_a_call_is_the_same_as_itself() -> None:
    assert found(CALL, CALL) == []


def test_what_comes_later_moves_once_and_all_that_follows_it_not_again() -> None:
    assert short(CALL, later(CALL, 4, 300)) == [("moved", 6300, "backend", 300)]
    line = found(CALL, later(CALL, 4, 300))[0].details[0]
    assert line == "300 ms later: 0.800 s after state USER_TURN → WAITING, 0.500 s before"


def test_what_comes_sooner_moves_too_and_a_frame_is_no_move() -> None:
    assert short(CALL, later(CALL, 4, -21)) == [("moved", 5979, "backend", -21)]
    assert found(CALL, later(CALL, 4, -20)) == []


def test_one_event_that_is_late_moves_alone() -> None:
    """The hold audio counts from the state, not from the speech that was late."""
    late = [(at + 300 if n == 5 else at, event) for n, (at, event) in enumerate(CALL)]
    assert short(CALL, late) == [("moved", 6400, "bot", 300)]


def test_the_first_event_of_a_call_moves_from_its_beginning() -> None:
    assert short(CALL, later(CALL, 0, 500)) == [("moved", 1500, "bot", 500)]


def test_a_second_slow_answer_moves_again() -> None:
    both = later(later(CALL, 4, 300), 6, 200)
    assert [one.by_ms for one in found(CALL, both)] == [300, 200]


def test_one_event_more_is_new_and_one_less_is_gone_and_neither_shifts_others() -> None:
    more = sorted([*CALL, (5000, BotSpoke("Alô?", 400))], key=lambda one: one[0])
    assert short(CALL, more) == [("new", 5000, "bot", 0)]
    assert short(more, CALL) == [("gone", 5000, "bot", 0)]


def test_other_words_change_an_event_and_do_not_replace_it() -> None:
    (one,) = found(CALL, changed(5, text="Um instante."))
    assert (one.kind, one.word, one.details) == ("changed", "bot", ("“Um momento.” → “Um instante.”",))


def test_a_number_in_what_was_said_is_no_figure_with_a_tolerance() -> None:
    (one,) = found(CALL, changed(1, text="Apartamento 203."))
    assert one.details == ("“Apartamento 202.” → “Apartamento 203.”",)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"heard_ms": 1221}, "heard 1.200 s → 1.221 s (+21 ms)"),
        ({"wait_ms": 1400}, "the caller's wait 1.600 s → 1.400 s (−200 ms)"),
        ({"wait_ms": None}, "the caller's wait 1.600 s → none"),
        ({"level_dbfs": -30.0}, "level −22.0 dBFS → −30.0 dBFS (−8.0 dB)"),
        ({"voice": "prompt"}, "voice unread → prompt"),
        ({"paused_ms": 800}, "paused, and went on after none → 0.800 s"),
        ({"pauses_ms": ((400, 300),)}, "pauses in it none → 0.300 s at 0.400 s"),
    ],
)
def test_a_value_that_changed(fields: dict[str, object], words: str) -> None:
    assert found(CALL, changed(5, **fields))[0].details == (words,)


@pytest.mark.parametrize("fields", [{"heard_ms": 1220}, {"level_dbfs": -22.9}, {"confidence": 0.5}, {"own_gap_ms": 80}])
def test_a_value_that_did_not(fields: dict[str, object]) -> None:
    assert found(CALL, changed(5, **fields)) == []


def test_each_class_has_a_tolerance_of_its_own() -> None:
    slower = later(CALL, 4, 300)
    assert found(CALL, slower, Tolerances({"backend": 300})) == []
    assert found(CALL, slower, Tolerances({"bot": 300})) != []
    assert found(CALL, slower, Tolerances(other_ms=300)) == []


def test_notes_and_the_judges_own_records_are_no_part_of_the_call() -> None:
    judged = ExpectationJudged(1, "expect bot_says", 0, 4000, 1000)
    assert found(CALL, [*CALL, (9000, Noted("late by 30 ms")), (9000, judged)]) == []


def test_a_defect_is_new_and_says_what_it_is() -> None:
    (one,) = found(CALL, [*CALL, (6500, DefectFound("holes", "80 ms of holes in “Um momento.”", 80.0, 80))])
    assert (one.kind, one.word, one.text) == ("new", "defect", "80 ms of holes in “Um momento.”")


def test_every_word_of_a_transcript_is_a_class() -> None:
    words = {of_entries(entries(one))[0].word for one in CALL}
    assert words <= set(CLASSES)
    with_defect = of_entries(entries((1, DefectFound("pace", "too fast"))))
    assert with_defect[0].word in CLASSES


# --- of a transcript


def text_of(call: Call) -> str:
    return "\n".join(["heading · Asterisk", *(line_of(entry) for entry in entries(*call))])


@pytest.mark.parametrize(
    "second",
    [
        CALL,
        later(CALL, 4, 300),
        changed(5, text="Um instante."),
        changed(5, heard_ms=1400),
        CALL[:-1],
        [*CALL, (9000, TURN)],
    ],
)
def test_a_transcript_shows_the_same_differences_as_the_log(second: Call) -> None:
    of_text = differences(of_transcript(text_of(CALL)), of_transcript(text_of(second)))
    assert [(one.kind, one.at_ms, one.word) for one in of_text] == [
        (one.kind, one.at_ms, one.word) for one in found(CALL, second)
    ]


def test_a_time_in_what_was_said_has_no_tolerance() -> None:
    before, now = (of_transcript(f"    1.000  bot      “Espere {n} ms.”") for n in (5, 6))
    assert [one.kind for one in differences(before, now)] == ["changed"]
    before, now = (of_transcript(f"    1.000  hold     stops after 1.{n} s") for n in (74, 75))
    assert differences(before, now) == []


def test_a_call_log_is_compared_with_a_transcript_by_the_figures_in_it() -> None:
    log = of_entries(entries(*changed(5, heard_ms=1400)))
    (one,) = differences(of_transcript(text_of(CALL)), log)
    assert one.details == ("1.20 s, 1.60 s after the last word → 1.40 s, 1.60 s after the last word",)


@pytest.mark.parametrize("text", ["", "no line of a call", "9" * 5000, "     1.000", "  1.000  bot  “a  b”  x  y"])
def test_any_text_is_read_as_a_transcript(text: str) -> None:
    of_transcript(text)


def test_of_several_calls_each_caller_is_compared_by_himself() -> None:
    names = ("ana", "bruno")
    both = [replace(entry, caller=names[n % 2]) for n, entry in enumerate(entries(*CALL, *later(CALL, 0, 7)))]
    slower = [replace(entry, at_ms=entry.at_ms + 300) if entry.caller == "ana" else entry for entry in both]
    text = "\n".join(line_of(entry) for entry in both)
    assert of_transcript(text)[0].caller == "ana"
    for first in (of_entries(both), of_transcript(text)):
        found = differences(first, of_entries(sorted(slower, key=lambda one: one.at_ms)))
        assert found
        assert all(one.text.startswith("ana: ") for one in found)
        assert all(one.by_ms == 300 or one.kind != "moved" for one in found)


def test_what_is_the_same_between_two_changes_is_paired() -> None:
    same = [BotSpoke(text, 900, 900) for text in ("um", "dois", "três")]
    first = of_entries(entries(*((n * 20, event) for n, event in enumerate((TURN, *same, TURN)))))
    second = of_entries(entries(*((n * 20, event) for n, event in enumerate((WAIT, *same, WAIT)))))
    pairs = by_likeness(first, second, lambda one: one.key, lambda one: one.word)
    assert [(a is None, b is None) for a, b in pairs] == [(False, False)] * 5
    assert [a.text for a, b in pairs[1:4] if a is not None and b is not None and a.text == b.text] == [
        "“um”",
        "“dois”",
        "“três”",
    ]


def test_an_amount_may_differ_a_little_and_a_yes_or_no_not() -> None:
    call: Call = [(500, DefectFound("holes", "holes", 400, 2000))]
    assert found(call, [(500, DefectFound("holes", "holes", 401, 2000))]) == []
    (line,) = found(call, [(500, DefectFound("holes", "holes", 900, 2000))])
    assert line.kind == "changed"
    asked: Call = [(900, BackendReplied(1, "Um momento.", "WAITING", 500))]
    (other,) = found(asked, [(900, BackendReplied(1, "Um momento.", "WAITING", 500, delivered=False))])
    assert any("yes → no" in detail for detail in other.details), other


def test_two_blanks_in_quoted_words_are_no_end_of_the_text() -> None:
    (line,) = of_transcript("    1.000  bot      “a  b”" + " " * 60 + "2.33 s")
    assert (line.text, line.note) == ("“a  b”", "2.33 s")


def test_thousands_of_equal_events_are_compared_in_no_time() -> None:
    many = of_entries(entries(*((n * 20, TURN) for n in range(3000))))
    other = of_entries(entries(*((n * 20, TURN if n % 3 else WAIT) for n in range(3100))))
    pairs = by_likeness(many, other, lambda one: one.key, lambda one: one.word)
    assert len(pairs) == 3100


# --- lines


def test_a_line_says_kind_time_class_text_and_details() -> None:
    short_one = Difference("moved", 6300, "bot", "“Um momento.”", ("300 ms later",), 300)
    assert difference_lines([short_one]) == ["moved       6.300  bot      “Um momento.”  300 ms later"]


def test_details_that_do_not_fit_have_lines_of_their_own() -> None:
    long_one = Difference("moved", 6300, "bot", "“Um momento.”", ("300 ms later", "x" * 100), 300)
    assert difference_lines([long_one]) == [
        "moved       6.300  bot      “Um momento.”",
        f"{'':28}300 ms later",
        f"{'':28}{'x' * 100}",
    ]
