"""What only the kernel's TCP shows: segments, delayed acknowledgements, urgent data. On the real clock."""

import asyncio

import pytest
from planted.audio_out import HeaderFirst, KernelNagle, Urgent
from planted.good_server import Call, server_of
from planted.ways import KINDS

from audiosocket_sim.conformance.case import CaseOutcome, SeenCase
from audiosocket_sim.conformance.cases.catalogue import CASES
from audiosocket_sim.conformance.features import Features
from audiosocket_sim.conformance.player import Player
from audiosocket_sim.conformance.script import Announce, Script, SendSound
from audiosocket_sim.conformance.sounds import CallerSounds
from audiosocket_sim.conformance.verdicts import outcome_of

pytestmark = [pytest.mark.real_time, pytest.mark.long("the judges are tried on made streams")]

FEATURES = Features(sends_always=True, speaks_first=True)
BY_ID = {case.id: case for case in CASES}
CALL = Script((Announce(), SendSound(1.0, "silence"), SendSound(2.4, "silence", packet=0.06)))


def seen_of(fault: type[Call] | None) -> SeenCase:
    async def play() -> SeenCase:
        server = await server_of(KINDS["doorman"], fault).start("127.0.0.1", 0)
        began = asyncio.get_running_loop().time()
        player = Player(CALL, bytes(16), began=began, features=FEATURES, sounds=CallerSounds())
        seen = SeenCase((await player.play(server.host, server.port),), FEATURES)
        await server.close()
        return seen

    return asyncio.run(play())


def failing(seen: SeenCase, *ids: str) -> set[str]:
    cases = [BY_ID[id] for id in ids]
    return {case.id for case in cases if outcome_of(case, list(case.judge(seen))) is CaseOutcome.FAIL}


def test_a_good_server_writes_each_message_at_once() -> None:
    seen = seen_of(None)
    assert any(chunk.pieces is not None for chunk in seen.call().received)
    assert failing(seen, "AO-04", "AO-12", "AO-13") == set()


def test_a_header_written_by_itself_is_seen_however_late_it_is_read() -> None:
    assert failing(seen_of(HeaderFirst), "AO-04", "AO-13") == {"AO-04"}


def test_nagle_is_seen_where_nobody_acknowledges_at_once() -> None:
    assert failing(seen_of(KernelNagle), "AO-04", "AO-12", "AO-13") == {"AO-12"}


def test_urgent_data_is_seen() -> None:
    assert failing(seen_of(Urgent), "AO-12", "AO-13") == {"AO-13"}
