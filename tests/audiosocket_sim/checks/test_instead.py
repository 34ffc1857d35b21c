"""What a failure says of what happened instead: the nearest thing, in few lines. Arithmetic, no call."""

import pytest

from audiosocket_sim.call_log.events import (
    BackendAsked,
    BotSpoke,
    CallEnded,
    CallerAction,
    CallerSpoke,
    CallLog,
    Entry,
    HoldStarted,
    HoldStopped,
    LogEvent,
    Source,
    StateTold,
)
from audiosocket_sim.checks import Failed, Moment, evaluate
from audiosocket_sim.scenario import Expectation


def said(text: str | None, heard_ms: int = 900) -> BotSpoke:
    return BotSpoke(text, heard_ms, heard_ms, "prompt")


def happened(expected: dict[str, object], *events: tuple[int, LogEvent], **moment: object) -> tuple[str, ...]:
    """Of a step that counts from 1 s and gives up at 4 s."""
    log = CallLog()
    entries: list[Entry] = []
    for at_ms, event in events:
        log.add(at_ms, Source.BOT, event)
    entries = log.entries
    at = Moment(**{"now_ms": 9000, "base_ms": 1000, "deadline_ms": 4000, **moment})  # type: ignore[arg-type]
    verdict = evaluate(Expectation.model_validate(expected), entries, at)
    assert isinstance(verdict, Failed)
    return verdict.happened


WANTED = {"bot_says": "Pode subir."}
ENDED = CallEnded("server", "fin", "continues", "the server closed the connection")


def test_of_several_the_nearest_is_marked() -> None:
    assert happened(WANTED, (1500, said("Pode sair.")), (3000, said("Até logo."))) == (
        "1.500 the bot said “Pode sair.”  ← the nearest",
        "3.000 the bot said “Até logo.”",
    )


def test_few_lines_and_the_nearest_among_them_wherever_it_stands() -> None:
    others = [(1600 + 100 * i, said("Bom dia.")) for i in range(9)]
    lines = happened(WANTED, (1500, said("Pode descer.")), *others, (3900, ENDED))
    assert lines[0] == "1.500 the bot said “Pode descer.”  ← the nearest"
    assert lines[-2:] == ("and 6 more: see the transcript", "3.900 the server closed the connection")
    assert len(lines) == 6


def test_what_came_before_the_step_began_is_told_as_such() -> None:
    assert happened(WANTED, (200, said("Pode subir.", 700)))[0] == (
        "0.200 the bot said “Pode subir.”: before this step began"
    )
    taken = happened(WANTED, (200, said("Pode subir.", 700)), taken={1})
    assert taken[0] == "0.200 the bot said “Pode subir.”: an earlier step has already taken it"
    assert happened({"state": "WAITING"}, (200, StateTold("", "WAITING")), (900, StateTold("", "STANDBY")))[0] == (
        "0.200 state WAITING: before this step began"
    )


@pytest.mark.parametrize("caller", [CallerSpoke("Sim.", "pt-br/sim", 300), CallerAction("dtmf", "4", 100)])
def test_what_came_before_the_caller_s_last_words_is_no_cause_and_stands_last(caller: LogEvent) -> None:
    said_before = (200, said("Pode subir.", 300))
    assert happened(WANTED, said_before, (600, caller)) == (
        "the bot said nothing new in that time",
        "0.200 the bot said “Pode subir.”: before this step began",
    )
    assert happened(WANTED, said_before, (600, caller), (1500, said("Bom dia.")), (3900, ENDED)) == (
        "1.500 the bot said “Bom dia.”",
        "3.900 the server closed the connection",
        "0.200 the bot said “Pode subir.”: before this step began",
    )
    assert happened(WANTED, (610, said("Pode subir.", 300)), (600, caller))[0] == (
        "0.610 the bot said “Pode subir.”: before this step began"
    )
    silence = (600, CallerAction("silence", "", 300))
    assert happened(WANTED, said_before, silence)[0].endswith("“Pode subir.”: before this step began")


def test_what_was_still_being_said_when_the_step_began() -> None:
    assert happened(WANTED, (200, said("Bom dia.", 1200))) == ("0.200 the bot said “Bom dia.”",)


def test_nothing_said_tells_what_was_said_last_and_what_was_done() -> None:
    lines = happened(
        WANTED,
        (200, said("Olá.", 700)),
        (1200, StateTold("", "USER_TURN")),
        (1300, HoldStarted()),
        (1900, StateTold("", "WAITING")),
    )
    assert lines == (
        "the bot said nothing in that time; the last speech before: 0.200 the bot said “Olá.”",
        "1.300 hold audio started",
        "1.900 state WAITING",
    )


def test_speech_that_goes_on_is_told_though_nobody_knows_its_words_yet() -> None:
    assert happened(WANTED, open_speech_at_ms=4500, speaking_since_ms=4500) == (
        "4.500 the bot began to speak, 500 ms too late",
    )


@pytest.mark.parametrize(
    ("expected", "events", "lines"),
    [
        ({"bot_says": "Oi"}, [], ("the bot has not been heard at all since the call began",)),
        ({"bot_speaks": "3s"}, [(1500, said("Olá."))], ("1.500 the bot said “Olá.” (900 ms)",)),
        ({"bot_speaks": "3s"}, [(1500, said(None))], ("1.500 unread speech of 900 ms",)),
        ({"state": "STANDBY"}, [(1500, StateTold("", "WAITING"))], ("1.500 state WAITING",)),
        ({"state": "STANDBY"}, [], ("the target reported no state",)),
        ({"hold_audio": "playing"}, [], ("no hold audio was heard in that time",)),
        ({"hold_audio": "playing"}, [(2000, HoldStopped(3000, True))], ("2.000 hold audio stopped",)),
        (
            {"backend_asked": "apartamento 203"},
            [(1500, BackendAsked(1, "", "Bom dia.")), (1900, BackendAsked(2, "", "Apartamento 202."))],
            (
                "1.500 the backend was asked “Bom dia.”",
                "1.900 the backend was asked “Apartamento 202.”  ← the nearest",
            ),
        ),
        ({"backend_asked": "x"}, [], ("the backend was asked nothing in that time",)),
        (
            {"hangs_up": {"who": "server", "how": "hangup_message"}},
            [(1500, ENDED)],
            ("1.500 the server closed the connection (who: server, how: fin, dialplan: continues)",),
        ),
        (
            {"hangs_up": "server"},
            [(1500, said("Olá."))],
            ("at 9.000 the call was still in progress", "1.500 the bot said “Olá.”"),
        ),
    ],
)
def test_each_kind(expected: dict[str, object], events: list[tuple[int, LogEvent]], lines: tuple[str, ...]) -> None:
    assert happened(expected, *events) == lines


def test_hold_audio_that_does_not_stop() -> None:
    assert happened({"hold_audio": "stopped"}, (500, HoldStarted()), hold_since_ms=500) == (
        "hold audio has been playing since 0.500",
    )


def test_a_state_that_stays() -> None:
    events = [(500, StateTold("", "WAITING"))]
    assert happened({"state": "STANDBY"}, *events, state="WAITING") == ("the state was WAITING all the time",)


UNANSWERED = "the backend was asked at 1.800, and has not answered"
STARTED_LATE = "4.500 the bot began to speak, 500 ms too late"
STARTED, STOPPED, WAITING = HoldStarted(), HoldStopped(700, True), StateTold("", "WAITING")
ASKED, SAID = BackendAsked(1, "id", "Bom dia."), said("Bom dia.")


@pytest.mark.parametrize(
    ("expected", "shown"),
    [
        ({"bot_says": "Pode subir."}, ["1.900 the bot said “Bom dia.”", UNANSWERED]),
        ({"bot_speaks": "3s"}, ["1.900 the bot said “Bom dia.” (900 ms)", UNANSWERED]),
        (
            {"bot_silent": "9s"},
            [
                "1.900 the bot said “Bom dia.” (900 ms)",
                "from 1.000 until 9.000 the bot was never silent for 9.00 s",
            ],
        ),
        ({"hold_audio": "playing"}, ["1.600 hold audio stopped"]),
        ({"state": "STANDBY"}, ["1.700 state WAITING"]),
        ({"backend_asked": "apartamento 202"}, ["1.800 the backend was asked “Bom dia.”"]),
        (
            {"hangs_up": "caller"},
            [
                "at 9.000 the call was still in progress",
                "1.800 the backend was asked “Bom dia.”",
                "1.900 the bot said “Bom dia.”",
            ],
        ),
    ],
)
def test_only_events_of_the_expected_kind_are_shown(expected: dict[str, object], shown: list[str]) -> None:
    events = [(1600, STOPPED), (1700, WAITING), (1800, ASKED), (1900, SAID)]
    assert list(happened(expected, *events)) == shown


@pytest.mark.parametrize(("expected", "event"), [({"hold_audio": "stopped"}, STARTED), ({"state": "STANDBY"}, WAITING)])
def test_an_event_is_shown_from_a_frame_before_the_base(expected: dict[str, object], event: LogEvent) -> None:
    assert happened(expected, (980, event))[0].startswith("0.980 ")
    assert not happened(expected, (979, event))[0].startswith("0.979 ")


@pytest.mark.parametrize(("expected", "event"), [({"hold_audio": "playing"}, STARTED), ({"state": "WAITING"}, WAITING)])
def test_the_right_event_one_millisecond_too_early(expected: dict[str, object], event: LogEvent) -> None:
    other = (3000, STOPPED), (3100, StateTold("", "STANDBY"))
    others = [] if "hold_audio" in expected else [(999, StateTold("", "STANDBY"))]
    assert happened(expected, (999, event), *others, *other)[0].endswith(": before this step began")


def test_what_an_earlier_step_took_in_this_step_s_time_is_told_as_such() -> None:
    asked = (1500, BackendAsked(1, "id", "Sim."))
    assert happened({"backend_asked": "sim"}, asked, taken={1}) == (
        "1.500 the backend was asked “Sim.”: an earlier step has already taken it",
    )


def test_unread_speech_that_was_still_going_on_when_the_step_began() -> None:
    assert happened(WANTED, (200, BotSpoke(None, 1200)), (2500, SAID)) == (
        "0.200 unread speech of 1.20 s",
        "2.500 the bot said “Bom dia.”",
    )


def test_the_nearest_of_long_texts() -> None:
    """difflib leaves letters out that are frequent in a text of 200 and more, if it is let."""
    long = "Não, " * 60
    assert happened({"bot_says": long}, (1200, said("Bom dia.")), (2500, said("Eh, " + long)))[1].endswith(
        "← the nearest"
    )


def test_speech_that_ends_a_frame_before_the_base_is_shown_and_earlier_speech_is_not() -> None:
    assert happened(WANTED, (80, SAID)) == ("0.080 the bot said “Bom dia.”",)
    assert happened(WANTED, (79, SAID)) == (
        "the bot said nothing in that time; the last speech before: 0.079 the bot said “Bom dia.”",
    )


def test_what_came_too_early_is_shown_once_and_first() -> None:
    assert happened(WANTED, (500, said("Pode subir.", 900)), (2000, SAID)) == (
        "0.500 the bot said “Pode subir.”: before this step began",
        "2.000 the bot said “Bom dia.”",
    )
    assert happened(WANTED, (979, said("Pode subir.", 900))) == (
        "0.979 the bot said “Pode subir.”: before this step began",
    )


def test_of_several_that_came_too_early_the_last_is_shown() -> None:
    early = [(100, said("Pode subir.", 200)), (500, said("Pode subir.", 200))]
    assert happened(WANTED, *early) == ("0.500 the bot said “Pode subir.”: before this step began",)


def test_four_lines_are_shown_whole_and_of_five_the_last_four() -> None:
    words = ["Bom dia.", "Boa tarde.", "Boa noite.", "Olá.", "Alô."]
    events = [(1500 + 300 * i, said(text, 200)) for i, text in enumerate(words)]
    four = happened({"bot_speaks": "3s"}, *events[:4])
    assert [line.split()[0] for line in four] == ["1.500", "1.800", "2.100", "2.400"]
    five = happened({"bot_speaks": "3s"}, *events)
    assert [line.split("“")[-1] for line in five] == [
        "Boa tarde.” (200 ms)",
        "Boa noite.” (200 ms)",
        "Olá.” (200 ms)",
        "Alô.” (200 ms)",
        "and 1 more: see the transcript",
    ]


def test_the_nearest_among_the_last_keeps_its_place() -> None:
    texts = ["Bom dia.", "Boa tarde.", "Pode sair.", "Boa noite.", "Olá."]
    lines = happened(WANTED, *((1500 + 300 * i, said(text, 200)) for i, text in enumerate(texts)))
    assert lines == (
        "1.800 the bot said “Boa tarde.”",
        "2.100 the bot said “Pode sair.”  ← the nearest",
        "2.400 the bot said “Boa noite.”",
        "2.700 the bot said “Olá.”",
        "and 1 more: see the transcript",
    )


def test_a_text_is_near_from_half_of_its_letters_on_and_the_first_of_equals_is_nearest() -> None:
    asked = {"backend_asked": "abcd"}
    half, less = BackendAsked(1, "", "abxy"), BackendAsked(2, "", "abxyz")
    assert happened(asked, (1500, half), (1600, less))[0].endswith("← the nearest")
    assert not any("nearest" in line for line in happened(asked, (1500, less), (1600, less)))
    assert happened(asked, (1500, half), (1600, half)) == (
        "1.500 the backend was asked “abxy”  ← the nearest",
        "1.600 the backend was asked “abxy”",
    )


def test_case_and_accents_make_no_text_less_near() -> None:
    far = said("Não, senhor.")
    assert happened(WANTED, (1500, said("PODE SUBIR JÁ")), (1800, far))[0].endswith("← the nearest")


def test_unread_speech_is_near_to_nothing() -> None:
    lines = happened({"bot_speaks": "3s"}, (1500, said(None)), (2700, said(None)))
    assert lines == ("1.500 unread speech of 900 ms", "2.700 unread speech of 900 ms")


def test_of_other_events_the_last_two_are_shown_and_none_of_the_caller() -> None:
    caller = [(3500, CallerAction("dtmf", "4"))]
    lines = happened({"backend_asked": "x"}, (1600, STARTED), (1700, WAITING), (1900, SAID), *caller)
    assert lines == (
        "the backend was asked nothing in that time",
        "1.700 state WAITING",
        "1.900 the bot said “Bom dia.”",
    )


def test_the_end_of_the_call_is_the_last_line_and_says_its_manner_only_of_a_hang_up() -> None:
    assert happened({"state": "STANDBY"}, (1700, WAITING), (3900, ENDED)) == (
        "1.700 state WAITING",
        "3.900 the server closed the connection",
    )
    assert happened({"hangs_up": "caller"}, (1900, SAID), (3900, ENDED)) == (
        "3.900 the server closed the connection (who: server, how: fin, dialplan: continues)",
    )
    assert happened({"backend_asked": "x"}, (1700, WAITING), (3900, ENDED)) == (
        "the backend was asked nothing in that time",
        "1.700 state WAITING",
        "3.900 the server closed the connection",
    )


@pytest.mark.parametrize(
    ("expected", "shown"),
    [
        ({"bot_says": "Oi"}, True),
        ({"bot_speaks": "9s"}, True),
        ({"bot_silent": "9s"}, True),
        ({"hold_audio": "playing"}, False),
        ({"state": "STANDBY"}, False),
        ({"backend_asked": "x"}, False),
        ({"hangs_up": "server"}, False),
    ],
)
def test_speech_in_progress_is_shown_where_speech_was_expected(expected: dict[str, object], shown: bool) -> None:
    lines = happened(expected, open_speech_at_ms=4500, speaking_since_ms=4500)
    spoke = "from 4.500 until 9.000 the bot was never silent for 9.00 s" if "bot_silent" in expected else STARTED_LATE
    assert (spoke in lines) is shown


@pytest.mark.parametrize("expected", [{"state": "STANDBY"}, {"backend_asked": "x"}, {"hangs_up": "server"}])
def test_hold_audio_in_progress_is_shown_only_where_it_was_expected(expected: dict[str, object]) -> None:
    assert not any("hold audio" in line for line in happened(expected, hold_since_ms=500))


@pytest.mark.parametrize("expected", [{"bot_says": "Oi"}, {"bot_speaks": "3s"}, {"hangs_up": "server"}])
def test_a_bot_that_was_never_heard(expected: dict[str, object]) -> None:
    assert happened(expected) == ("the bot has not been heard at all since the call began",)


@pytest.mark.parametrize("expected", [{"bot_says": "Oi"}, {"bot_speaks": "3s"}])
def test_a_bot_that_was_heard_only_before(expected: dict[str, object]) -> None:
    assert happened(expected, (10, said("Um.", 100)), (200, said("Dois.", 100))) == (
        "the bot said nothing in that time; the last speech before: 0.200 the bot said “Dois.”",
    )


def test_no_state_and_a_state_that_stays() -> None:
    assert happened({"state": "STANDBY"}) == ("the target reported no state",)
    assert happened({"hold_audio": "playing"}, state="WAITING") == ("no hold audio was heard in that time",)
