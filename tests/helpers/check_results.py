"""Runs of `check` as they come out, made by hand: a few messages of a call, a statement, and what follows from them."""

from collections.abc import Sequence

from audiosocket_core.messages import Kind, encode
from audiosocket_sim.conformance.case import Case, CaseOutcome, Level, SeenCase, Statement
from audiosocket_sim.conformance.features import Features
from audiosocket_sim.conformance.script import Announce, PeerAction, Script
from audiosocket_sim.conformance.seen_call import Chunk, ConnectionEnd, Done, SeenCall
from audiosocket_sim.conformance.verdicts import CaseResult, ConformanceResult, outcome_of

__all__ = ["SILENCE", "SOUND", "UUID", "a_call", "a_case", "a_result", "a_run", "outcomes"]

SILENCE = encode(Kind.SLIN8, bytes(320))
SOUND = encode(Kind.SLIN8, b"\x00\x20\x00\xe0" * 80)
UUID = encode(Kind.UUID, bytes(range(16)))
NOTHING = "closes its end, but it was open"


def a_call(
    sent: Sequence[tuple[float, bytes]] = ((0.0, UUID),),
    received: Sequence[tuple[float, bytes]] = (),
    end: ConnectionEnd | None = None,
    *,
    name: str = "the call",
    actions: Sequence[tuple[PeerAction, float, float]] = (),
    refused: str = "",
    unsent: int = 0,
) -> SeenCall:
    """A connection: writes and reads with their times, and how it ended (by default: the peer's FIN after 1 s)."""
    return SeenCall(
        Script((Announce(),), name=name),
        bytes(range(16)),
        None if refused else 0.0,
        refused,
        tuple(Chunk(at, data) for at, data in sent),
        tuple(Chunk(at, data) for at, data in received),
        tuple(Done(action, began, ended, None) for action, began, ended in actions),
        end or ConnectionEnd("peer", "fin", 1.0, 1.01),
        unsent,
    )


def a_case(name: str = "HS-02", level: Level = "must", **more: object) -> Case:
    given = {
        "title": "the UUID in single bytes",
        "peer": "sends the UUID a byte at a time",
        "good": "waits for all of it",
        "why": "TCP may cut a message anywhere",
        "section": "1.1",
        "judge": lambda seen: (),
        "scripts": (Script((Announce(),)),),
    }
    return Case(id=name, level=level, **{**given, **more})  # type: ignore[arg-type]


def a_result(
    case: Case, statements: Sequence[Statement] = (), calls: Sequence[SeenCall] = (), *, why: str = ""
) -> CaseResult:
    seen = SeenCase(tuple(calls), Features()) if calls else None
    return CaseResult(case, outcome_of(case, statements), tuple(statements), why, seen)


def a_run(*results: CaseResult, features: Features | None = None, trouble: str = "") -> ConformanceResult:
    return ConformanceResult(
        results, features or Features(), "tcp://127.0.0.1:8080", 12.5, 7, virtual=False, trouble=trouble
    )


def outcomes() -> list[CaseResult]:
    """A case of each outcome that a run can have before it is compared with a list."""
    bad = Statement(False, NOTHING, "ending", at=1.0)
    return [
        a_result(a_case("HS-01"), [Statement(True, "keeps the call")], [a_call()]),
        a_result(a_case("HS-02"), [bad], [a_call()]),
        a_result(a_case("FR-01", "should"), [bad], [a_call()]),
        a_result(a_case("FR-02"), [Statement(None, NOTHING)], [a_call()]),
        CaseResult(a_case("AO-01"), CaseOutcome.NOT_RUN, why="not tried"),
        CaseResult(
            a_case("AO-02"), CaseOutcome.EXPECTED_FAILURE, (bad,), "mended soon", SeenCase((a_call(),), Features())
        ),
        CaseResult(a_case("AO-03"), CaseOutcome.UNEXPECTED_PASS, (Statement(True, "keeps it"),), "mended soon"),
    ]
