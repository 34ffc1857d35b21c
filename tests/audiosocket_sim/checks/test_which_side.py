"""On which side an answer was lost: a line for each place where it can have been. Arithmetic, no call."""

import pytest
from helpers.logs import entries, moment

from audiosocket_sim.call_log.events import (
    BackendAsked,
    BackendPushed,
    BackendReplied,
    BotSpoke,
    CallEnded,
    CallerSpoke,
    LogEvent,
    MessageCount,
)
from audiosocket_sim.checks import Failed, Moment, Sent, evaluate, which_side
from audiosocket_sim.checks.which_side import before_the_first_word, refused_uuid, silent_wire, stalled
from audiosocket_sim.scenario import Expectation

ONE_KIND = (MessageCount(0x10, 148, 320, 320),)
SPOKE = (3380, CallerSpoke("Sim.", "pt-br/sim", 1050))
ASKED = (5000, BackendAsked(1, "id", "Sim."))
ANSWERED = (7460, BackendReplied(1, "Pode subir.", None, 2460))
HELLO = (500, BotSpoke("Olá.", 900, 900, "prompt"))


def sent(counts: tuple[MessageCount, ...] = ONE_KIND, messages: int = 100, **more: object) -> Sent:
    fields = {"loudest_dbfs": -60.0, "since_ms": 4430, "loudest_since_dbfs": None, "pause_ms": (5000, 5020), **more}
    return Sent(counts, messages=messages, **fields)  # type: ignore[arg-type]


def at(**more: object) -> Moment:
    """A step that counts from the caller's last word."""
    return moment(9000, 4430, 8000, **{"asks_backend": True, **more})


@pytest.mark.parametrize(
    ("events", "line"),
    [
        ([SPOKE], "the backend has not been asked since the caller spoke (3.380–4.430)"),
        ([(2000, ASKED[1]), SPOKE], "the backend has not been asked since the caller spoke (3.380–4.430)"),
        ([SPOKE, ASKED], "the backend was asked at 5.000, and has not answered"),
        ([SPOKE, ASKED, ANSWERED], "the backend answered “Pode subir.” at 7.460, and nothing of it was heard"),
        ([ASKED, ANSWERED], "the backend answered “Pode subir.” at 7.460, and nothing of it was heard"),
        (
            [SPOKE, ASKED, ANSWERED, (7800, BotSpoke(None, 860))],
            "the backend answered “Pode subir.” at 7.460; heard since then: unread speech of 860 ms at 7.800",
        ),
        (
            [SPOKE, ASKED, ANSWERED, (7800, BotSpoke("Pode subir.", 300, 900))],
            "the backend answered “Pode subir.” at 7.460; heard since then: “Pode subir.”, cut off after 300 ms, "
            "at 7.800",
        ),
        (
            [SPOKE, ASKED, ANSWERED, (7800, BotSpoke("Pode subir.", 300, 900, skipped_ms=100, paused_ms=700))],
            "the backend answered “Pode subir.” at 7.460; heard since then: “Pode subir.”, paused at 400 ms, at 7.800",
        ),
        (
            [SPOKE, (4300, ASKED[1]), (4310, ANSWERED[1]), (4400, BotSpoke("Pode subir!", 900, 900))],
            "the backend answered “Pode subir.” at 4.310, and the bot said it at 4.400",
        ),
        (
            [SPOKE, ASKED, (7460, BackendReplied(1, None, None, 2460, fault="http_500"))],
            "the backend answered at 7.460 with a fault: http 500",
        ),
        (
            [SPOKE, ASKED, (7460, BackendReplied(1, "Oi.", None, 2460, delivered=False))],
            "the backend answered at 7.460, and the bot had gone away by then",
        ),
        ([SPOKE, ASKED, (7460, BackendReplied(1, "", "WAITING", 0))], "the backend answered at 7.460 without a text"),
        (
            [SPOKE, ASKED, ANSWERED, (7900, BackendPushed("Entre.", None, 202))],
            "the backend answered “Entre.” at 7.900, and nothing of it was heard",
        ),
    ],
)
def test_the_way_over_the_backend(events: list[tuple[int, LogEvent]], line: str) -> None:
    assert which_side(entries(*events), at())[0] == line


def test_an_answer_that_was_heard_whole_in_the_step_was_not_lost() -> None:
    assert which_side(entries(SPOKE, ASKED, ANSWERED, (7800, BotSpoke("Pode subir!", 900, 900))), at()) == []


def test_nothing_is_said_of_a_backend_that_the_bot_does_not_use() -> None:
    assert which_side(entries(SPOKE), at(asks_backend=False)) == []
    assert which_side(entries(SPOKE), at()) != []
    assert which_side(entries(HELLO), at()) == []  # nobody has spoken to the bot yet


@pytest.mark.parametrize(
    ("heard", "what", "line"),
    [
        (False, sent(()), "the server has sent no audio since the UUID"),
        (
            False,
            sent(),
            "the server has sent 148 audio messages since the UUID (kind 0x10, 320 bytes), the loudest sample heard at "
            "−60 dBFS",
        ),
        (
            False,
            sent((MessageCount(0x10, 1, 320, 320),), loudest_dbfs=None),
            "the server has sent 1 audio message since the UUID (kind 0x10, 320 bytes), only digital silence reached "
            "the phone",
        ),
        (
            False,
            sent((MessageCount(0x10, 2, 320, 640), MessageCount(0x12, 3, 640, 640))),
            "the server has sent 5 audio messages since the UUID (kind 0x10, 320 to 640 bytes; kind 0x12, 640 bytes), "
            "the loudest sample heard at −60 dBFS",
        ),
        (True, sent(messages=0), "the server has sent no audio since 4.430"),
        (True, sent(), "the server has sent 100 audio messages since 4.430, only digital silence reached the phone"),
        (
            True,
            sent(loudest_since_dbfs=-0.2, pause_ms=(5000, 5500)),
            "the server has sent 100 audio messages since 4.430, the loudest sample heard at 0 dBFS, and nothing from "
            "5.000 to 5.500",
        ),
        (
            True,
            sent(pause_ms=(5000, 5499)),
            "the server has sent 100 audio messages since 4.430, only digital silence reached the phone",
        ),
    ],
)
def test_what_the_server_sent_though_nothing_was_heard(heard: bool, what: Sent, line: str) -> None:
    log = entries(HELLO) if heard else []
    assert silent_wire(log, at(sent=what)) == [line]
    assert which_side(log, at(sent=what)) == [line]
    assert which_side(log, at(sent=what, open_speech_at_ms=8500)) == []
    assert which_side(entries(HELLO, (3551, HELLO[1])), at(sent=what)) == []
    assert which_side(entries(HELLO, (3550, HELLO[1])), at(sent=what)) == silent_wire(entries(HELLO), at(sent=what))


def test_nothing_is_said_of_a_wire_that_nobody_saw() -> None:
    assert silent_wire([], at()) == []


@pytest.mark.parametrize(
    ("pause_ms", "lines"),
    [
        ((6000, 7500), ["the server sent nothing from 6.000 to 7.500"]),
        ((6000, 6499), []),
        ((4900, 6000), []),  # it had not begun to speak
        ((6000, 9000), []),  # it did not go on
    ],
)
def test_a_bot_that_stalls_in_its_speech(pause_ms: tuple[int, int], lines: list[str]) -> None:
    log = entries((5000, BotSpoke(None, 900)))
    assert stalled(log, at(sent=sent(pause_ms=pause_ms))) == lines
    assert stalled([], at(sent=sent(pause_ms=pause_ms))) == []
    assert stalled(log, at()) == []


FIRST = (720, CallerSpoke("Sim.", "pt-br/sim", 1050))
HINT = (
    "the caller spoke at 0.720, before the bot's first word (2.000): "
    "if the bot greets, expect its greeting before `say`"
)


@pytest.mark.parametrize(
    ("events", "asks_backend", "hint"),
    [
        ([FIRST, (2000, BotSpoke("Olá.", 900))], True, HINT),
        ([FIRST, (2000, BotSpoke("Olá.", 900))], False, HINT),  # sooner than an answer can come
        ([FIRST, (2071, BotSpoke("Olá.", 900))], False, None),  # an answer, for all we know
        ([FIRST, (1900, BackendAsked(1, "id", "Sim.")), (2000, BotSpoke("Olá.", 900))], True, None),
        ([(500, BotSpoke("Olá.", 900)), FIRST], True, None),
        ([FIRST], True, None),
        ([(2000, BotSpoke("Olá.", 900))], True, None),
    ],
)
def test_a_hint_for_a_caller_who_spoke_before_the_greeting(
    events: list[tuple[int, LogEvent]], asks_backend: bool, hint: str | None
) -> None:
    assert before_the_first_word(entries(*events), at(asks_backend=asks_backend)) == hint


def test_a_failure_says_first_why_nothing_was_heard() -> None:
    says = Expectation.model_validate({"bot_says": "Pode subir."})
    failed = evaluate(says, entries(HELLO, SPOKE), at(sent=sent(), notes=("1 audio message too long",)))
    assert isinstance(failed, Failed)
    assert failed.happened == (
        "the bot said nothing in that time: the backend has not been asked since the caller spoke (3.380–4.430)",
        "the server has sent 100 audio messages since 4.430, only digital silence reached the phone",
        "the last speech before: 0.500 the bot said “Olá.”",
        "1 audio message too long",
    )
    failed = evaluate(says, [], at(sent=sent(), asks_backend=False, notes=("1 audio message too long: dropped", "Um.")))
    assert isinstance(failed, Failed)
    assert failed.happened[0].endswith("heard at all since the call began: 1 audio message too long: dropped")
    assert failed.happened[1:] == ("Um.", silent_wire([], at(sent=sent()))[0])
    once = entries((500, BotSpoke("Pode subir.", 900, 900)), SPOKE)
    failed = evaluate(says, once, at(taken=frozenset({1})))
    assert isinstance(failed, Failed)
    assert failed.happened == (
        "the bot said nothing new in that time: the backend has not been asked since the caller spoke (3.380–4.430)",
        "0.500 the bot said “Pode subir.”: an earlier step has already taken it",
    )
    failed = evaluate(says, [], at(sent=sent(), asks_backend=False))
    assert isinstance(failed, Failed)
    assert failed.happened == (
        "the bot has not been heard at all since the call began: the server has sent 148 audio messages since the UUID "
        "(kind 0x10, 320 bytes), the loudest sample heard at −60 dBFS",
    )


@pytest.mark.parametrize(
    ("at_ms", "who", "how", "counts", "says_so"),
    [
        (8, "server", "fin", (), True),
        (500, "server", "reset", (), True),
        (501, "server", "fin", (), False),
        (8, "server", "hangup_message", (), False),
        (8, "caller", "fin", (), False),
        (8, "server", "fin", ONE_KIND, False),
    ],
)
def test_a_server_that_closes_upon_the_uuid_may_have_read_it_as_text(
    at_ms: int, who: str, how: str, counts: tuple[MessageCount, ...], says_so: bool
) -> None:
    says = Expectation.model_validate({"bot_says": "Pode subir."})
    log = entries((at_ms, CallEnded(who, how, "continues", "it ended")))
    failed = evaluate(says, log, moment(9000, 0, 8000, sent=sent(counts)))
    assert isinstance(failed, Failed)
    assert failed.happened[0] == f"0.{at_ms:03} it ended"
    line = f"it closed {at_ms} ms after the UUID, and had sent nothing: does it refuse the UUID, which is 16 bytes"
    assert failed.happened[1].startswith(line) is says_so


def test_a_server_of_which_it_is_not_known_what_it_sent_is_not_asked_about_the_uuid() -> None:
    assert refused_uuid(entries((8, CallEnded("server", "fin", "continues", "it ended"))), at()) == []
    assert refused_uuid([], at(sent=sent(()))) == []
