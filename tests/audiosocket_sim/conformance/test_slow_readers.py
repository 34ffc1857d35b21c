"""A peer that does not read, over the kernel's TCP and on the real clock: memory has no small windows."""

import asyncio

import pytest
from planted.good_server import Server, server_of
from planted.load import DrainsForAll
from planted.ways import KINDS

from audiosocket_sim.conformance.case import SeenCase
from audiosocket_sim.conformance.cases.catalogue import CASES
from audiosocket_sim.conformance.features import Features
from audiosocket_sim.conformance.player import Player
from audiosocket_sim.conformance.sounds import CallerSounds

FEATURES = Features(sends_always=True, speaks_first=True)
RB_06 = next(case for case in CASES if case.id == "RB-06")


def seen_of(fault: type[Server] | None) -> SeenCase:
    async def play() -> SeenCase:
        server = await server_of(KINDS["doorman"], fault).start("127.0.0.1", 0)
        began, sounds = asyncio.get_running_loop().time(), CallerSounds()
        players = [Player(one, bytes(16), began=began, features=FEATURES, sounds=sounds) for one in RB_06.scripts]
        calls = await asyncio.gather(*(player.play(server.host, server.port) for player in players))
        await server.close()
        return SeenCase(tuple(calls), FEATURES)

    return asyncio.run(play())


@pytest.mark.long("the case is tried in virtual time")
@pytest.mark.real_time
def test_a_server_that_waits_for_each_reader_costs_good_calls_their_sound() -> None:
    judged = list(RB_06.judge(seen_of(DrainsForAll)))
    late = any(one.ok is None for one in judged)
    told = "this machine was too late to judge" if late else [one.says for one in judged if one.ok is False]
    assert any("was silent for" in one.says for one in judged if one.ok is False), told


@pytest.mark.long("the case is tried in virtual time")
@pytest.mark.real_time
def test_a_good_server_serves_the_others_as_ever() -> None:
    said = [one.says for one in RB_06.judge(seen_of(None)) if one.ok is False and "was silent for" not in one.says]
    assert said == []  # how long a frame takes on a busy machine is no matter of this test
