"""A run in lines for people: failures, the table, the last line; and a case explained."""

import pytest
from helpers.check_results import SOUND, UUID, a_call, a_case, a_result, a_run, outcomes

from audiosocket_sim.conformance import features as known
from audiosocket_sim.conformance.case import AsteriskCall, CaseOutcome, LegSeen, SeenCase, Statement
from audiosocket_sim.conformance.features import Features
from audiosocket_sim.conformance.planning import Plan
from audiosocket_sim.conformance.results import explain
from audiosocket_sim.conformance.results.failure_text import failure_lines, leg_words
from audiosocket_sim.conformance.results.lines import NO_WRAP, plain
from audiosocket_sim.conformance.results.summary import (
    feature_lines,
    last_line,
    not_run_lines,
    plan_words,
    root_words,
    table_lines,
    time_words,
)
from audiosocket_sim.conformance.script import (
    Announce,
    Close,
    FinishSending,
    Pause,
    PeerAction,
    ReadAgain,
    Reset,
    Script,
    Send,
    SendPaced,
    SendSound,
    SignOfLife,
    Starve,
    StopReading,
    StopServer,
    WaitForEnd,
    WaitForQuiet,
    WaitForSound,
)
from audiosocket_sim.conformance.seen_call import ConnectionEnd
from audiosocket_sim.conformance.verdicts import CaseResult


def block(result: CaseResult, width: int = NO_WRAP) -> list[str]:
    return [plain(line) for line in failure_lines(result, lambda name: f"check --only {name}", width)]


def test_a_failure_with_all_that_does_not_hold() -> None:
    statements = [Statement(True, "takes the connection")]
    statements += [Statement(False, f"does {n}, but did not", at=0.5) for n in range(5)]
    statements += [Statement(None, "is in time, but took 2 s", "ending")]
    call = a_call([(0.0, UUID)], [(0.2, SOUND)], ConnectionEnd("nobody", "open", 1.0))
    lines = block(a_result(a_case(), statements, [call, a_call(name="another")], why="known"))
    assert lines == [
        "✗ HS-02  FAIL  the UUID in single bytes  (must; behaviour fail, ending inconclusive)",
        "  known        known",
        "  the peer     sends the UUID a byte at a time",
        "  good         a good server waits for all of it",
        *[line for n in range(4) for line in (f"  required     the call: does {n}", "  seen         did not")],
        "               … and 2 more statements do not hold",
        "  on the wire           0.000  server takes the connection",
        "                        0.000  peer   UUID 00010203-0405-0607-0809-0a0b0c0d0e0f"
        "  01 00 10 00 01 02 03 04 05 06 07 …",
        "                        0.200  server sound, 20 ms at 8 kHz                    "
        "  10 01 40 00 20 00 e0 00 20 00 e0 …",
        "               ▸        0.500  here",
        "  why          TCP may cut a message anywhere",
        "  read         docs/protocol.md, section 1.1",
        "  again        check --only HS-02",
    ]


def test_what_this_machine_was_too_late_for() -> None:
    lines = block(a_result(a_case(), [Statement(None, "is in time, but took 2 s")], [a_call()]))
    assert lines[0] == "? HS-02  inconclusive  the UUID in single bytes  (must; behaviour inconclusive, ending not run)"
    assert "  seen         took 2 s; this machine was too late to tell" in lines


def test_a_narrow_terminal_keeps_the_first_bytes() -> None:
    call = a_call([(0.0, UUID)], end=ConnectionEnd("server", "fin", 1.0))
    lines = block(a_result(a_case(), [Statement(False, "keeps the call", at=1.0)], [call]), width=80)
    assert "                        0.000  peer   UUID 00010203-0405-0607-0…  01 00 10 00 …" in lines
    assert "  seen         not so" in lines
    assert all(len(line) <= 80 for line in lines[1:])


def test_a_whole_call_of_asterisk() -> None:
    kept = LegSeen("22.10", "app", False, "", 7.0, 300)
    dropped = LegSeen("20.0", "chan", True, "an empty message", 1.25, 3, ("odd kind",))
    assert leg_words(kept) == "Asterisk 22.10, app: the call is kept after 7.00 s; 300 messages of the server read"
    assert leg_words(dropped) == (
        "Asterisk 20.0, chan: Asterisk drops the call after 1.25 s (an empty message); 3 messages of the server read;"
        " odd kind"
    )
    seen = SeenCase((), Features(), leg_ends=(dropped,))
    result = CaseResult(a_case(), CaseOutcome.FAIL, (Statement(False, "is kept, but dropped"),), observed=seen)
    assert any(line.startswith("  call         Asterisk 20.0, chan") for line in block(result))


def test_the_table_and_the_last_line() -> None:
    run = a_run(*outcomes())
    assert [plain(line) for line in table_lines(run)] == [
        "  section               passed  failed    warn  inconclusive  not run  expected failure  unexpected pass",
        "  HS  handshake              1       1       ·             ·        ·                 ·                ·",
        "  FR  framing on input       ·       ·       1             1        ·                 ·                ·",
        "  AO  audio out              ·       ·       ·             ·        1                 1                1",
    ]
    assert [plain(line) for line in not_run_lines(run.results, NO_WRAP)] == ["not run:", "  AO-01: not tried"]
    assert plain(last_line(run, 1)) == (
        "FAILED: 1 passed, 1 failed, 1 passed though known to fail, 1 failed as expected, 1 with a warning, "
        "1 inconclusive, 1 not run; 5 statements judged in 7 calls"
    )
    assert plain(last_line(a_run(), 3)).startswith("set-up error: 0 passed; ")


def test_a_failure_from_which_others_follow_is_said() -> None:
    bad = [Statement(False, "keeps the call")]
    few = [a_result(a_case(f"FR-0{n}"), bad) for n in range(3)]
    many = [a_result(a_case(f"FR-0{n}"), bad) for n in range(4)]
    root = a_result(a_case("HS-01"), bad)
    assert root_words(a_run(*many)) == ""
    assert root_words(a_run(root, *few)) == ""
    assert root_words(a_run(root, *many)) == (
        "HS-01 fails, the plainest call of all: the 4 other failures may follow from it, so mend it first"
    )


def test_what_the_server_does() -> None:
    features = Features(
        two_calls=True, echoes=False, lives=3.0, roles={"echo": known.TestRole()}, stated=frozenset({"echoes", "lives"})
    )
    lines = [plain(line) for line in feature_lines(features, NO_WRAP)]
    assert lines[0] == "  it           serves two calls at once"
    assert lines[1] == "  not seen     sends the caller's sound back (stated)"
    assert lines[2].startswith("  not known    sends sound before the caller says anything; ")
    assert lines[-2:] == [
        "               it ended a call by itself after 3.0 s (stated)",
        "  plays        in a test: echo",
    ]


def test_what_will_be_run() -> None:
    case, other, alone = (a_case(name, scripts=(Script((Announce(), SendSound(2.0))),)) for name in ("a", "b", "c"))
    todo = Plan((case, other), (alone,), 1, ())
    in_turn = "one after the other, the likeliest to fail first"
    assert plan_words(todo, 9, virtual=False) == f"3 of 9 cases, 3 calls, {in_turn}, 6 s at most"
    assert (time_words(200.0), time_words(400.0)) == ("200 s", "7 min")
    assert plan_words(Plan((case,), (), 12, ()), 9, virtual=True) == (
        "1 of 9 cases, 1 call, 12 cases at once, in virtual time"
    )


ACTIONS: list[tuple[PeerAction, str]] = [
    (Announce(), "sends the UUID"),
    (
        Announce(uuid=bytes(16), gap=0.05, then=b"\x10"),
        "sends the UUID 00000000000000000000000000000000 a byte at a time, 50 ms apart, and in the same write "
        "1 byte: 10",
    ),
    (Announce(pieces=(3,), gap=0.05), "sends the UUID in pieces of 3 bytes and the rest, 50 ms apart"),
    (Send(b"\x00\x00\x00"), "writes 3 bytes: 00 00 00"),
    (
        Send(bytes(30), (1, 2, 3, 4, 5, 6), 0.1),
        "writes 30 bytes: 00 00 00 00 00 00 00 00 00 00 00 … in pieces of 1, 2, 3, 4, 5, … bytes and the rest, "
        "100 ms apart",
    ),
    (Send(bytes(3), (1, 1)), "writes 3 bytes: 00 00 00 in pieces of 1, 1 bytes and the rest, 0 ms apart"),
    (SendPaced((bytes(3), bytes(3))), "sends 2 messages, one every 20 ms, the first one 00 00 00"),
    (SendPaced(()), "sends 0 messages, one every 20 ms"),
    (SendSound(1.0), "sends a caller's words for 1 s in packets of 20 ms"),
    (SendSound(1.0, "tone", 0.06, 0x12), "sends a tone for 1 s in packets of 60 ms, kind 0x12"),
    (Pause(2.0), "sends nothing for 2 s"),
    (WaitForSound(2.0), "waits until the server sends sound, 2 s at most"),
    (WaitForQuiet(1.0, 5.0), "waits until the server is quiet for 1 s, 5 s at most"),
    (WaitForEnd(5.0), "waits until the server ends the connection, 5 s at most"),
    (StopReading(), "stops reading"),
    (ReadAgain(), "reads again"),
    (FinishSending(), "closes its sending side (FIN) and goes on reading"),
    (Close(), "closes the connection (FIN)"),
    (Reset(), "resets the connection (RST)"),
    (StopServer(), "has the server stopped, as whoever runs it does"),
    (Starve(0.3), "takes the processor from everybody for 300 ms (in virtual time)"),
    (SignOfLife(), "looks whether the server still serves the call, 6 s at most"),
]


@pytest.mark.every(3)
@pytest.mark.parametrize(("action", "words"), ACTIONS, ids=lambda part: type(part).__name__)
def test_an_action_in_words(action: PeerAction, words: str) -> None:
    assert explain.action_words(action) == words


def test_a_case_with_everything() -> None:
    scripts = tuple(Script((Announce(),), f"call {n}", starts=n) for n in range(6))
    case = a_case(
        scripts=scripts,
        heavy=(Script((Pause(60.0),)),),
        since="22.9",
        needs=("echo", "answers"),
        two_at_once=True,
        only_heavy=True,
        alone=True,
    )
    lines = [plain(line) for line in explain.explain_lines(case, NO_WRAP)]
    assert "  since        22.9" in lines
    assert "  needs        the role echo in check.yaml: a server that sends the caller's sound back, unchanged" in lines
    assert "  needs        a server that sends sound after the caller has spoken" in lines
    assert "  needs        a server that serves two calls at once" in lines
    assert "  runs         with --heavy only" in lines
    assert "  runs         alone on the real clock: it measures pace" in lines
    assert "  takes        5.0 s at most, 6 calls" in lines
    assert "  steps        call 0:" in lines
    assert "               call 1, which begins after 1 s:" in lines
    assert "               … and 2 more calls" in lines
    assert lines[-2:] == ["  with --heavy:", "  steps        1. sends nothing for 60 s"]
    (section, row) = (plain(line) for line in explain.list_lines([case]))
    assert section == "HS  handshake"
    assert row.startswith(
        "  HS-02  must    the UUID in single bytes  (only with --heavy; the role echo in check.yaml: "
    )


def test_a_case_of_a_whole_call() -> None:
    case = a_case("AV-01", asterisk=AsteriskCall("22.10", "app"), scripts=())
    lines = [plain(line) for line in explain.explain_lines(case, NO_WRAP)]
    assert "  takes        6.0 s at most, 1 call" in lines
    assert lines[-1] == (
        "  call         Asterisk 22.10, app: the caller listens for 1.5 s, speaks for 1.5 s, is quiet for 3 s, "
        "and hangs up"
    )
