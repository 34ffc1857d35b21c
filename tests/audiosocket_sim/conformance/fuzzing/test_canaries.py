"""Servers with a fault that only an odd stream brings out: each is found within so many streams, and made small."""

import gc
import warnings
from collections.abc import Iterator

import pytest
from planted import odd_streams as planted
from planted.good_server import Call, Server
from planted.ways import KINDS

from audiosocket_sim.conformance.features import Features
from audiosocket_sim.conformance.fuzzing.findings import FuzzFinding, FuzzResult
from audiosocket_sim.conformance.fuzzing.harms import Harm, Observation, observations, worst
from audiosocket_sim.conformance.fuzzing.odd_stream import Actions, OddStream
from audiosocket_sim.conformance.fuzzing.rounds import good_call, new_call, script_of
from audiosocket_sim.conformance.fuzzing.running import run_fuzz
from audiosocket_sim.conformance.fuzzing.search import Limits
from audiosocket_sim.conformance.fuzzing.trial_server import TrialServer
from audiosocket_sim.conformance.script import Announce, Close, Send, SignOfLife
from audiosocket_sim.conformance.suite import Suite
from audiosocket_sim.parties.target import parse_target

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
"""A server that goes down in the middle of its work leaves connections behind, which is no matter here."""
TARGET = "planted.good_server:serve"
DOORMAN = Features(two_calls=True, speaks_first=True, sends_always=True, answers=True, echoes=False)
SIGN = SignOfLife(8.0)
HARMFUL: list[tuple[type[Call] | type[Server], Harm, Actions, int]] = [
    (planted.DiesOfAnEmptyKey, Harm.GONE, (Announce(), Send(b"\x03\x00\x00")), 22),
    (planted.LeavesTheLoop, Harm.GONE, (Announce(), Send(b"\x7f\x00\x00")), 22),
    (planted.SpinsForEver, Harm.GONE, (Announce(), Send(b"\x10\x00\x01\x00")), 23),
    (planted.HoldsUpAll, Harm.OTHER_STALLED, (Announce(), Send(b"\xff\x00\x00")), 22),
    (planted.DrowsyAfterAnError, Harm.NO_NEW_CALL, (Announce(), Send(b"\xff\x00\x00")), 22),
    (planted.ReadsAHeaderAtOnce, Harm.DROPPED, (Announce(), Send(b"\x03\x00\x015", (1,), 0.05), SIGN), 24),
    (planted.ForgetsToClose, Harm.STAYS_OPEN, (Send(b"\x00"), Close()), 1),
    (planted.DeafAfterACutKey, Harm.UNANSWERED, (Announce(), Send(b"\x03\x00\x015", (3,), 0.1), SIGN), 23),
]
"""A fault, what it is found as, the smallest stream that shows it, and to how many bytes it is shrunk at least."""
FOUND = (planted.DiesOfAnEmptyKey, planted.LeavesTheLoop, planted.HoldsUpAll, planted.ReadsAHeaderAtOnce)
"""Those that are searched for from a seed: one of each way to show."""
IDS = [fault.__name__ for fault, *_ in HARMFUL]


@pytest.fixture(autouse=True, scope="module")
def broken_servers_leave_connections_behind() -> Iterator[None]:
    """They go here, and not in the middle of another file's test."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def suite(fault: type[Call] | type[Server] | None, kind: str = "doorman") -> Suite:
    settings = {"planted": {"ways": KINDS[kind], "fault": fault}}
    return Suite(parse_target(TARGET), TARGET, (), stated=KINDS[kind].stated, settings=settings)


def seen_of(fault: type[Call] | type[Server] | None, actions: Actions) -> Iterator[Observation]:
    with TrialServer(suite(fault), DOORMAN) as server:
        lanes = ((script_of(OddStream("1/1", actions)),),)
        return observations(server.play(lanes, beside=good_call(2.0), after=new_call()))


@pytest.mark.every(4)
@pytest.mark.parametrize(("fault", "harm", "actions", "size"), HARMFUL, ids=IDS)
def test_a_planted_fault_is_seen_for_what_it_is(
    fault: type[Call] | type[Server], harm: Harm, actions: Actions, size: int
) -> None:
    assert worst(seen_of(fault, actions))[0].harm is harm


@pytest.mark.every(4)
@pytest.mark.parametrize("actions", [actions for _, _, actions, _ in HARMFUL], ids=IDS)
def test_a_good_server_bears_it(actions: Actions) -> None:
    seen = list(seen_of(None, actions))
    assert worst(seen) == []
    assert all(one.statement.ok for one in seen)


def fuzzed(
    fault: type[Call] | type[Server] | None, *, seed: int = 1, kind: str = "doorman", most: int = 300
) -> FuzzResult:
    kept: list[FuzzFinding] = []
    limits = Limits(at_once=16, most_streams=most, most_findings=1, shrink_seconds=1e9)
    return run_fuzz(suite(fault, kind), 1e9, seed, kept.append, clock=lambda: 0.0, limits=limits)


@pytest.mark.one_python
@pytest.mark.long("test_a_planted_fault_is_seen_for_what_it_is and test_search stand in")
@pytest.mark.parametrize(
    ("fault", "harm", "actions", "size"), [pytest.param(*one, id=one[0].__name__) for one in HARMFUL if one[0] in FOUND]
)
def test_a_planted_fault_is_found_and_made_small(
    fault: type[Call] | type[Server], harm: Harm, actions: Actions, size: int
) -> None:
    result = fuzzed(fault)
    finding = result.findings[0]
    assert finding.harm is harm
    assert finding.n_bytes[1] <= size
    assert result.exit_code == 1


@pytest.mark.one_python
@pytest.mark.long("test_search's same seed stands in")
def test_the_same_seed_has_the_same_outcome() -> None:
    one, other = fuzzed(planted.DiesOfAnEmptyKey), fuzzed(planted.DiesOfAnEmptyKey)
    assert one == other
    assert one.findings


@pytest.mark.one_python
@pytest.mark.long("test_a_good_server_bears_it stands in")
@pytest.mark.parametrize("kind", ["doorman", "terse", "echo", "brief", "one_at_a_time"])
def test_no_good_server_is_blamed(kind: str) -> None:
    result = fuzzed(None, kind=kind, seed=7, most=60)
    assert result.findings == ()
    assert result.not_repeated == ()
