"""The server under test on the real clock: a program that ends is seen and replaced; an address has to come back."""

import asyncio
from pathlib import Path

import pytest

from audiosocket_sim.conformance.features import Features
from audiosocket_sim.conformance.fuzzing.harms import Harm, observations, worst
from audiosocket_sim.conformance.fuzzing.odd_stream import OddStream
from audiosocket_sim.conformance.fuzzing.rounds import new_call, script_of
from audiosocket_sim.conformance.fuzzing.search import ServerStaysAway
from audiosocket_sim.conformance.fuzzing.trial_server import TrialServer
from audiosocket_sim.conformance.script import Announce, Pause, Send
from audiosocket_sim.conformance.suite import Suite
from audiosocket_sim.parties.target import parse_target
from audiosocket_sim.parties.target_choice import TargetChoice

GOOD_SERVER = Path(__file__).resolve().parents[3] / "planted" / "good_server.py"
DOORMAN = Features(two_calls=True, sends_always=True)
LANES = ((script_of(OddStream("1/1", (Announce(), Send(b"\x7f\x00\x00"), Pause(0.3)))),),)


def suite(target: str) -> Suite:
    return Suite(parse_target(target), TargetChoice(target, "").visible, ())


@pytest.mark.real_time
@pytest.mark.long("test_search stands in")
def test_a_program_that_ends_is_seen_and_started_anew() -> None:
    target = f"command: {{python}} {GOOD_SERVER} {{port}} doorman planted.odd_streams:LeavesTheLoop"
    with TrialServer(suite(target), DOORMAN) as server:
        quiet = server.play((), after=new_call())
        assert worst(observations(quiet)) == []
        assert quiet.seen.after is not None
        seen = server.play(LANES, after=new_call())
        assert seen.ended == "the program ended with code 7"
        (found,) = worst(observations(seen))
        assert found.harm is Harm.GONE
        server.renew()
        assert worst(observations(server.play((), after=new_call()))) == []
    assert server.n_calls == 4


@pytest.mark.real_time
@pytest.mark.long("test_search stands in")
def test_an_address_has_to_come_back() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async def free_port() -> int:
        async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
            return int(server.sockets[0].getsockname()[1])

    port = asyncio.run(free_port())
    with TrialServer(suite(f"tcp://127.0.0.1:{port}"), DOORMAN) as server:
        (found,) = worst(observations(server.play((), after=new_call())))
        assert found.statement.says == "takes a new call, but got: refused"
        with pytest.raises(ServerStaysAway, match=f"nothing listens any more on 127.0.0.1:{port}"):
            server.renew()
