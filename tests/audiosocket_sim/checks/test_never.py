"""What must never happen, against a log: what broke it first, and when. Arithmetic, no call."""

import pytest
from helpers.logs import entries, expectation

from audiosocket_sim.call_log.events import (
    BackendAsked,
    BotSpoke,
    CallEnded,
    HoldStarted,
    HoldStopped,
    LogEvent,
    StateTold,
)
from audiosocket_sim.checks import Broken, Watched, violation
from audiosocket_sim.scenario import Never

HELLO = "Condomínio Apoena, em que posso ajudar?"


@pytest.mark.parametrize(
    ("keys", "broken"),
    [
        ({"bot_speaks": {"at_least": "200ms"}}, True),
        ({"bot_speaks": {"at_least": "2s"}}, False),
        ({"bot_says": "Pode subir."}, True),
        ({"bot_says": "Até logo."}, False),
        ({"hold_audio": "playing"}, True),
        ({"state": "WAITING"}, True),
        ({"state": "STANDBY"}, False),
        ({"hangs_up": "server"}, False),
        ({"backend_asked": "202"}, False),
    ],
)
def test_never(keys: dict[str, object], broken: bool) -> None:
    log = entries(
        (500, StateTold("USER_TURN", "WAITING")),
        (800, HoldStarted()),
        (1500, HoldStopped(700, True)),
        (2000, BotSpoke("Pode subir.", 970, 970, "prompt")),
        (9000, CallEnded("server", "hangup_message", "continues", "")),
        (9500, BackendAsked(1, "id", "Apartamento 202.")),
    )
    assert (violation(expectation(**keys), log, Watched(600, 4000)) is not None) is broken


def test_never_outside_its_window() -> None:
    log = entries((800, HoldStarted()), (1500, HoldStopped(700, True)), (2000, BotSpoke("Pode subir.", 970)))
    assert violation(expectation(hold_audio="playing"), log, Watched(1600, 4000)) is None
    assert violation(expectation(bot_speaks={"at_least": "200ms"}), log, Watched(3000, 4000)) is None
    assert violation(expectation(hold_audio="playing"), log[:1], Watched(1600, 4000)) is not None


@pytest.mark.parametrize(
    ("from_ms", "to_ms", "at_least", "broken_at"),
    [
        (0, 5000, "1s", 0),
        (0, 5000, "2s", None),  # 1.0 to 2.0 is spoken, and 2.4 to 3.4; the call is over at 4.5
        (1000, 5000, "1s", 3400),
        (1000, 4300, "1s", None),
        (1500, 2300, "200ms", 2000),
        (1200, 1900, "100ms", None),
        (4000, 9000, "600ms", None),
    ],
)
def test_never_silent(from_ms: int, to_ms: int, at_least: str, broken_at: int | None) -> None:
    log = entries(
        (1000, BotSpoke(None, 900, gap_ms=100)),
        (2400, BotSpoke(HELLO, 1000, 2300, "prompt")),
        (4500, CallEnded("server", "hangup_message", "continues", "")),
    )
    broken = violation(expectation(bot_silent={"at_least": at_least}), log, Watched(from_ms, to_ms))
    assert (broken.at_ms if isinstance(broken, Broken) else broken) == broken_at


def test_never_says_where_it_happened() -> None:
    log = entries((800, HoldStarted()), (1500, HoldStopped(700, True)), (2000, BotSpoke("Pode subir.", 970)))
    assert violation(expectation(hold_audio="playing"), log, Watched(900, 4000)) == Broken(
        900, "0.900 hold audio played"
    )
    assert violation(expectation(bot_says="Pode subir."), log, Watched(2500, 4000)) == Broken(
        2500, "2.000 the bot said “Pode subir.”"
    )


def test_sound_that_cannot_be_read_breaks_no_words_and_ends_nothing() -> None:
    log = entries((1000, BotSpoke(None, 900)), (2000, BotSpoke(HELLO, 2300, 2300)))
    assert violation(expectation(bot_says=HELLO), log[:1], Watched(0, 4000)) is None
    assert violation(expectation(bot_says=HELLO), log, Watched(0, 4000)) == Broken(
        2000, f"2.000 the bot said “{HELLO}”"
    )


# --- each event counts once, and effects of the caller's hanging up do not count


@pytest.mark.parametrize(
    ("keys", "event"),
    [
        ({"hold_audio": "stopped"}, HoldStopped(700, True)),
        ({"backend_asked": "202"}, BackendAsked(1, "id", "Apartamento 202.")),
        ({"state": "WAITING"}, StateTold("", "WAITING")),
        ({"hangs_up": "server"}, CallEnded("server", "fin", "continues", "")),
    ],
)
def test_what_completed_the_step_before_does_not_count_again(keys: dict[str, object], event: LogEvent) -> None:
    log, never = entries((1000, event), (1000, event)), expectation(**keys)
    assert violation(never, log[:1], Watched(1000, 4000)) is not None
    assert violation(never, log[:1], Watched(1000, 4000, {1}, 1)) is None
    assert violation(never, log, Watched(1000, 4000, {1}, 1)) is not None
    assert violation(never, entries((1000, HoldStarted()), (1000, event)), Watched(1000, 4000, {1}, 1)) is not None


@pytest.mark.parametrize(
    ("keys", "began", "again"),
    [
        ({"hold_audio": "playing"}, HoldStarted(), (HoldStopped(700, True), HoldStarted())),
        ({"state": "WAITING"}, StateTold("", "WAITING"), (StateTold("WAITING", "IA_TURN"), StateTold("", "WAITING"))),
    ],
)
def test_a_condition_that_completed_the_step_before_must_not_begin_again(
    keys: dict[str, object], began: LogEvent, again: tuple[LogEvent, LogEvent]
) -> None:
    never, log = expectation(**keys), entries((500, began))
    assert violation(never, log, Watched(1000, 4000)) is not None
    assert violation(never, log, Watched(1000, 4000, completed_by=1)) is None
    assert violation(never, log, Watched(1000, 4000, {1})) is not None  # an earlier step: it goes on, and must not
    more = entries((500, began), (2000, again[0]), (3000, again[1]))
    broken = violation(never, more, Watched(1000, 4000, completed_by=1))
    assert broken is not None
    assert broken.at_ms == 3000


@pytest.mark.parametrize(
    ("keys", "event", "counts"),
    [
        ({"hangs_up": "caller"}, CallEnded("caller", "fin", "ends", ""), False),
        ({"hangs_up": "server"}, CallEnded("server", "fin", "ends", ""), True),
        ({"hold_audio": "stopped"}, HoldStopped(700, True), False),
        ({"state": "STANDBY"}, StateTold("USER_TURN", "STANDBY"), False),
        ({"state": "WAITING"}, StateTold("USER_TURN", "WAITING"), True),
        ({"backend_asked": "202"}, BackendAsked(1, "id", "Apartamento 202."), True),
    ],
)
def test_what_the_callers_hanging_up_brings_about_does_not_count(
    keys: dict[str, object], event: LogEvent, counts: bool
) -> None:
    never = expectation(**keys)
    for at_ms in (2960, 3000, 3500):
        log = entries((at_ms, event))
        assert violation(never, log, Watched(1000, 4000)) is not None
        assert (violation(never, log, Watched(1000, 4000, hung_up_ms=3000)) is not None) is counts
    assert violation(never, entries((2959, event)), Watched(1000, 4000, hung_up_ms=3000)) is not None
    assert (violation(never, entries((900, event)), Watched(1000, 4000, hung_up_ms=900)) is not None) is (
        keys == {"state": "WAITING"}
    )


def test_silence_ends_where_the_caller_hangs_up() -> None:
    never = expectation(bot_silent="2s")
    assert violation(never, [], Watched(1000, 4000)) == Broken(1000, "1.000 silence began")
    assert violation(never, [], Watched(1000, 4000, hung_up_ms=2999)) is None
    assert violation(never, [], Watched(1000, 4000, hung_up_ms=3000)) == Broken(1000, "1.000 silence began")


ENDED = CallEnded("server", "fin", "continues", "the server closed the connection")


@pytest.mark.every(3)
@pytest.mark.parametrize(("at_ms", "broken"), [(999, False), (1000, True), (1001, True), (4000, True), (4001, False)])
@pytest.mark.parametrize(
    ("keys", "event", "line"),
    [
        ({"hold_audio": "stopped"}, HoldStopped(700, True), "hold audio stopped"),
        (
            {"backend_asked": "202"},
            BackendAsked(1, "id", "Apartamento 202."),
            "the backend was asked “Apartamento 202.”",
        ),
        ({"hangs_up": "server"}, ENDED, "the server closed the connection"),
    ],
)
def test_an_instant_counts_from_the_window_s_first_millisecond_to_its_last(
    keys: dict[str, object], event: LogEvent, line: str, at_ms: int, broken: bool
) -> None:
    found = violation(expectation(**keys), entries((at_ms, event)), Watched(1000, 4000))
    assert found == (Broken(at_ms, f"{at_ms / 1000:.3f} {line}") if broken else None)


@pytest.mark.parametrize(
    ("keys", "event"),
    [
        ({"hold_audio": "stopped"}, HoldStarted()),
        ({"backend_asked": "203"}, BackendAsked(1, "id", "Apartamento 202.")),
        ({"hangs_up": "caller"}, ENDED),
        ({"state": "WAITING"}, StateTold("WAITING", "USER_TURN")),
    ],
)
def test_another_event_of_the_kind_breaks_nothing(keys: dict[str, object], event: LogEvent) -> None:
    assert violation(expectation(**keys), entries((2000, event)), Watched(1000, 4000)) is None


@pytest.mark.parametrize(
    ("events", "found"),
    [
        ([(500, "WAITING")], Broken(1000, "0.500 state WAITING, and still at 1.000")),
        ([(1000, "WAITING")], Broken(1000, "1.000 state WAITING, and still at 1.000")),
        ([(1001, "WAITING")], Broken(1001, "1.001 state WAITING")),
        ([(4000, "WAITING")], Broken(4000, "4.000 state WAITING")),
        ([(4001, "WAITING")], None),
        ([(500, "WAITING"), (1000, "USER_TURN")], None),
        ([(500, "WAITING"), (1001, "USER_TURN")], Broken(1000, "0.500 state WAITING, and still at 1.000")),
        (  # it was there, went, and came again: the first time counts
            [(500, "WAITING"), (2000, "USER_TURN"), (3000, "WAITING")],
            Broken(1000, "0.500 state WAITING, and still at 1.000"),
        ),
        ([(500, "USER_TURN"), (600, "WAITING")], Broken(1000, "0.600 state WAITING, and still at 1.000")),
    ],
)
def test_a_state_counts_if_it_was_there_or_came(events: list[tuple[int, str]], found: Broken | None) -> None:
    log = entries(*((at_ms, StateTold("", after)) for at_ms, after in events))
    assert violation(expectation(state="WAITING"), log, Watched(1000, 4000)) == found


def test_a_state_that_was_there_breaks_nothing_else() -> None:
    log = entries((500, StateTold("", "WAITING")))
    assert violation(expectation(hangs_up="server"), log, Watched(1000, 4000)) is None


@pytest.mark.parametrize(
    ("start_ms", "stop_ms", "broken_at"),
    [
        (200, 1000, None),  # its last sample was heard before
        (200, 1001, 1000),
        (1000, 1500, 1000),
        (1200, 1500, 1200),
        (4000, 4500, 4000),
        (4001, 4500, None),
        (4000, None, 4000),
        (4001, None, None),
        (200, None, 1000),
        (200, 9000, 1000),
    ],
)
def test_hold_audio_in_the_window_and_over_its_edges(start_ms: int, stop_ms: int | None, broken_at: int | None) -> None:
    stopped = [] if stop_ms is None else [(stop_ms, HoldStopped(stop_ms - start_ms, True))]
    found = violation(
        expectation(hold_audio="playing"), entries((start_ms, HoldStarted()), *stopped), Watched(1000, 4000)
    )
    assert found == (None if broken_at is None else Broken(broken_at, f"{broken_at / 1000:.3f} hold audio played"))


def test_the_first_hold_audio_in_the_window_counts() -> None:
    held = (100, HoldStarted()), (900, HoldStopped(800, True))
    second = (1500, HoldStarted()), (1800, HoldStopped(300, True))
    third = (2500, HoldStarted()), (2800, HoldStopped(300, True))
    playing = expectation(hold_audio="playing")
    assert violation(playing, entries(*held, *second, *third), Watched(1000, 4000)) == Broken(
        1500, "1.500 hold audio played"
    )
    assert violation(playing, entries(*held), Watched(1000, 4000)) is None


@pytest.mark.parametrize(
    ("at_ms", "heard_ms", "gap_ms", "broken_at"),
    [
        (2000, 300, 0, 2000),
        (2000, 299, 0, None),
        (2000, 200, 100, 2000),  # a hole in it belongs to it
        (500, 800, 0, 1000),  # 300 ms of it lie in the window
        (500, 799, 0, None),
        (3700, 900, 0, 3700),
        (3701, 900, 0, None),
        (1000, 3000, 0, 1000),
        (0, 9000, 0, 1000),
    ],
)
def test_speech_counts_as_far_as_it_lies_in_the_window(
    at_ms: int, heard_ms: int, gap_ms: int, broken_at: int | None
) -> None:
    log = entries((at_ms, BotSpoke("Oi.", heard_ms, gap_ms=gap_ms)))
    found = violation(expectation(bot_speaks={"at_least": "300ms"}), log, Watched(1000, 4000))
    line = f"{at_ms / 1000:.3f} the bot said “Oi.”"
    assert found == (None if broken_at is None else Broken(broken_at, line))


@pytest.mark.parametrize(
    ("at_ms", "broken_at"), [(99, None), (100, None), (101, 1000), (2000, 2000), (3999, 3999), (4000, None)]
)
def test_words_count_if_one_millisecond_of_them_lies_in_the_window(at_ms: int, broken_at: int | None) -> None:
    log = entries((at_ms, BotSpoke("Pode subir.", 900, 900, "prompt")))
    found = violation(expectation(bot_says="Pode subir."), log, Watched(1000, 4000))
    assert (found.at_ms if isinstance(found, Broken) else found) == broken_at


def test_words_that_are_cut_off_were_said_and_other_words_were_not() -> None:
    log = entries((1200, BotSpoke("Bom dia.", 900, 900)), (2500, BotSpoke("Pode subir.", 300, 900)))
    assert violation(expectation(bot_says="Pode subir."), log, Watched(1000, 4000)) == Broken(
        2500, "2.500 the bot said “Pode subir.”, cut off: 0.30 s of 0.90 s"
    )
    assert violation(expectation(bot_says="Pode descer."), log, Watched(1000, 4000)) is None


def test_the_first_of_several_counts() -> None:
    log = entries((1200, BotSpoke("Oi.", 900)), (2500, BotSpoke("Oi.", 900)), (3000, ENDED), (3100, ENDED))
    for keys, at_ms in (({"bot_says": "Oi."}, 1200), ({"bot_speaks": "300ms"}, 1200), ({"hangs_up": "server"}, 3000)):
        found = violation(expectation(**keys), log, Watched(1000, 4000))
        assert isinstance(found, Broken)
        assert found.at_ms == at_ms


@pytest.mark.parametrize(
    ("from_ms", "to_ms", "broken_at"),
    [
        (0, 999, None),
        (0, 1000, 0),
        (1, 1000, None),
        (1500, 3000, 2000),  # from 2,000 to 3,000 nobody speaks
        (1500, 2999, None),
        (2000, 9000, 2000),
        (2001, 4999, None),
        (4000, 4999, None),
        (4000, 5000, 4000),
        (4000, 5400, 4000),
        (4401, 9000, None),  # the call ends at 5.400
        (4400, 9000, 4400),
    ],
)
def test_silence_of_one_second_to_the_millisecond(from_ms: int, to_ms: int, broken_at: int | None) -> None:
    log = entries(
        (1000, BotSpoke(None, 800, gap_ms=200)), (3000, BotSpoke(None, 300)), (3100, BotSpoke(None, 900)), (5400, ENDED)
    )
    found = violation(expectation(bot_silent={"at_least": "1s"}), log, Watched(from_ms, to_ms))
    line = None if broken_at is None else f"{broken_at / 1000:.3f} silence began"
    assert found == (None if broken_at is None or line is None else Broken(broken_at, line))


def test_a_short_speech_inside_a_longer_one_does_not_shorten_it() -> None:
    log = entries((1000, BotSpoke(None, 2000)), (1200, BotSpoke(None, 100)))
    assert violation(expectation(bot_silent={"at_least": "1s"}), log, Watched(1000, 3900)) is None


def test_hold_audio_goes_on_whatever_else_happens_and_does_not_stop_before_it_starts() -> None:
    playing = expectation(hold_audio="playing")
    log = entries((200, HoldStarted()), (500, BotSpoke("Oi.", 300)), (1500, HoldStopped(1300, False)))
    assert violation(playing, log, Watched(1000, 4000)) == Broken(1000, "1.000 hold audio played")
    assert violation(playing, entries((1500, HoldStopped(1300, False))), Watched(1000, 4000)) is None


@pytest.mark.parametrize(
    ("heard_ms", "whole_ms", "ends_ms", "broken"),
    [
        (590, 990, 1590, True),  # cut off in mid-word
        (580, 990, 1600, True),  # cut off between two words
        (580, 990, 1800, False),  # it had stopped before
        (990, 990, 1990, False),  # said to its end
        (990, 990, 2010, False),
        (990, None, 1990, True),  # of another voice it cannot be known
        (980, None, 2000, False),
    ],
)
def test_the_end_that_cuts_off_a_sentence_comes_while_it_is_spoken(
    heard_ms: int, whole_ms: int | None, ends_ms: int, broken: bool
) -> None:
    text = None if whole_ms is None else "Pode subir."
    spoke = BotSpoke(text, heard_ms, whole_ms)
    log = entries((1000, spoke), (ends_ms, CallEnded("server", "hangup_message", "continues", "")))
    never = Never.model_validate({"hangs_up": "server", "while": "bot_speaks"})
    assert (violation(never, log, Watched(0, 9000)) is not None) is broken
