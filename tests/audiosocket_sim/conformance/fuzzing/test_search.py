"""The search, against servers that are only said to be there: what it finds, repeats, makes small and leaves."""

import itertools

import pytest
from helpers.fuzzed_server import FakeServer

from audiosocket_sim.conformance.fuzzing.findings import FuzzFinding, FuzzResult
from audiosocket_sim.conformance.fuzzing.harms import Harm
from audiosocket_sim.conformance.fuzzing.search import Limits, Search

UUID = b"\x01\x00\x10" + bytes(16)


def search(server: FakeServer, *, streams: int = 120, seed: int = 1, **limits: int) -> FuzzResult:
    kept: list[FuzzFinding] = []

    def keep(finding: FuzzFinding) -> FuzzFinding:
        kept.append(finding)
        return finding

    clock = itertools.count()
    chosen = Limits(at_once=8, most_streams=streams, shrink_seconds=1e9, **limits)
    result = Search(server, seed, lambda: next(clock), keep, limits=chosen).run(1e9)
    assert tuple(kept) == result.findings
    return result


def test_nothing_is_found_where_nothing_is_wrong() -> None:
    result = search(FakeServer())
    assert (result.findings, result.not_repeated, result.exit_code) == ((), (), 0)
    assert result.n_streams == 120
    assert result.at_once == 8


def test_a_server_that_dies_of_a_message_is_found_and_the_message_is_left() -> None:
    result = search(FakeServer(dies=lambda sent: b"\x7f\x00\x01" in sent))
    finding = result.findings[0]
    assert finding.harm is Harm.GONE
    assert finding.n_bytes[1] == 3
    assert len(finding.smallest) == 1
    assert finding.repeats == 2
    assert not finding.cut_short
    assert finding.says == "takes a new call, but got: refused"
    assert result.exit_code == 1


@pytest.mark.long("a server that dies and another call that suffers are found")
def test_the_same_again_is_counted_and_not_told_again() -> None:
    result = search(FakeServer(dies=lambda sent: b"\x7f" in sent))
    assert [one.harm for one in result.findings] == [Harm.GONE]
    assert result.more > 0


@pytest.mark.long("quicker tests of this file are run")
def test_what_does_not_come_again_is_told_as_such() -> None:
    result = search(FakeServer(dies=lambda sent: len(sent) > 1_000, most_deaths=1))
    assert result.findings == ()
    assert result.not_repeated[0].startswith("the server is gone: seen once, after ")
    assert result.exit_code == 4
    twice = search(FakeServer(dies=lambda sent: len(sent) > 1_000, most_deaths=2))
    assert "not in try 2" in twice.not_repeated[0]


@pytest.mark.long("quicker tests of this file are run")
def test_a_well_formed_stream_that_is_dropped_stays_well_formed() -> None:
    result = search(FakeServer(drops=lambda sent: b"\x03\x00\x015" in sent and sent.startswith(UUID)))
    assert result.findings == ()  # a key ends plain calls too, so nobody can tell
    other = search(FakeServer(drops=lambda sent: b"\x10\x00\x02" in sent))
    assert [one.harm for one in other.findings] == [Harm.DROPPED]
    assert other.findings[0].n_bytes[1] == 19 + 5


def test_another_call_that_suffers_is_found() -> None:
    result = search(FakeServer(hurts=lambda sent: b"\xff\x00" in sent))
    finding = result.findings[0]
    assert finding.harm is Harm.OTHER_ENDED
    assert finding.n_bytes[1] == 2


@pytest.mark.long("quicker tests of this file are run")
def test_what_is_kept_of_each_call_is_found() -> None:
    result = search(FakeServer(keeps=lambda sent: sent[:1] == b"\x01"), streams=400)
    finding = result.findings[0]
    assert finding.harm is Harm.GROWS
    assert finding.n_bytes[1] == len(UUID)
    assert "descriptors after 5 of them" in finding.says


def test_a_server_that_runs_elsewhere_and_stays_away_ends_the_search() -> None:
    result = search(FakeServer(dies=lambda sent: b"\x7f" in sent, ours=False))
    assert [(one.harm, one.repeats) for one in result.findings] == [(Harm.GONE, 0)]
    assert "192.0.2.1" in result.findings[0].says
    assert result.exit_code == 1
    assert result.n_streams < 120


def test_one_call_at_a_time_has_none_beside_it() -> None:
    result = search(FakeServer(two_calls=False, hurts=lambda sent: True), streams=10)
    assert result.at_once == 1
    assert result.findings == ()
    assert Harm.OTHER_ENDED in result.not_judged


def test_as_many_at_once_as_plain_calls_bear() -> None:
    result = search(FakeServer(at_once=3), streams=10)
    assert result.at_once == 2
    assert result.findings == ()


@pytest.mark.long("a server that dies and another call that suffers are found")
def test_the_tries_are_limited() -> None:
    result = search(FakeServer(dies=lambda sent: b"\x7f" in sent), shrink_tries=3)
    assert result.findings[0].cut_short


@pytest.mark.long("quicker tests of this file are run")
@pytest.mark.parametrize("seed", [1, 2])
def test_the_same_seed_tries_the_same(seed: int) -> None:
    one, other = (FakeServer(dies=lambda sent: b"\x7f" in sent) for _ in range(2))
    assert search(one, seed=seed) == search(other, seed=seed)
    assert one.played == other.played


@pytest.mark.long("a server that dies and another call that suffers are found")
def test_another_seed_tries_something_else() -> None:
    one, other = FakeServer(), FakeServer()
    search(one, seed=1, streams=10)
    search(other, seed=2, streams=10)
    assert one.played != other.played
