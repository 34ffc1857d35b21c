"""When this machine was late: how much of it may have delayed one message, and how much longer the peer waits."""

import asyncio
import struct

import pytest

from audiosocket_core.messages import Kind, encode
from audiosocket_sim.conformance.case import CaseOutcome, SeenCase
from audiosocket_sim.conformance.cases.catalogue import CASES
from audiosocket_sim.conformance.features import Features
from audiosocket_sim.conformance.player import Player
from audiosocket_sim.conformance.script import Announce, Pause, Script, WaitForSound
from audiosocket_sim.conformance.seen_call import Chunk, ConnectionEnd, Delays, Done, SeenCall
from audiosocket_sim.conformance.sounds import CallerSounds
from audiosocket_sim.conformance.verdicts import outcome_of
from audiosocket_sim.virtual_time import new_loop

BUSY = Delays(tuple((round(at * 0.1, 1), 0.07) for at in range(1, 60)))
"""A machine on which a third more is wanted than there is: late all the time, and never by much."""


def test_delays_within_a_second_add_up_and_those_long_before_do_not() -> None:
    assert BUSY.total(0.0, 5.0) == pytest.approx(3.5)
    assert BUSY.densest(0.0, 5.0) == pytest.approx(11 * 0.07)
    assert Delays(((1.0, 0.4), (1.5, 0.4), (3.0, 0.5))).densest() == pytest.approx(0.8)
    assert Delays().densest() == 0.0
    assert BUSY.densest(7.0) == 0.0


@pytest.mark.parametrize(
    ("late", "outcome"),
    [(Delays(), CaseOutcome.FAIL), (BUSY, CaseOutcome.FAIL), (Delays(((3.0, 3.2),)), CaseOutcome.INCONCLUSIVE)],
)
def test_five_seconds_without_a_message_are_the_server_s_unless_we_stood_still(
    late: Delays, outcome: CaseOutcome
) -> None:
    case = next(case for case in CASES if case.id == "AO-06")
    pause = next(action for action in case.scripts[0].actions if isinstance(action, Pause))
    call = SeenCall(
        Script(case.scripts[0].actions),
        bytes(16),
        connected_at=0.0,
        sent=(Chunk(0.0, bytes(19)),),
        done=(Done(Announce(), 0.0, 0.0), Done(pause, 0.0, pause.seconds)),
        end=ConnectionEnd("peer", "fin", pause.seconds, pause.seconds),
    )
    assert outcome_of(case, list(case.judge(SeenCase((call,), Features(), late)))) is outcome


def test_a_machine_that_is_late_all_the_time_and_never_by_much_may_have_hindered_an_answer() -> None:
    case = next(case for case in CASES if case.id == "FR-18")
    done = [Done(action, at / 10, at / 10 + 5.0, met=False) for at, action in enumerate(case.scripts[0].actions)]
    end = ConnectionEnd("peer", "fin", 20.0, 20.0)
    call = SeenCall(case.scripts[0], bytes(16), connected_at=0.0, done=tuple(done), end=end)
    speaks = Features(speaks_first=True, answers=True, sends_always=True)
    quiet, busy = (outcome_of(case, list(case.judge(SeenCase((call,), speaks, late)))) for late in (Delays(), BUSY))
    assert (quiet, busy) == (CaseOutcome.FAIL, CaseOutcome.INCONCLUSIVE)


class _Slow(asyncio.Protocol):
    """Sends sound so many seconds after a UUID."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        message = encode(Kind.SLIN8, struct.pack("<h", 9000) * 160)
        asyncio.get_running_loop().call_later(self._seconds, transport.write, message)


@pytest.mark.parametrize(
    ("late", "waited", "met"), [(0.0, 2.0, False), (0.5, 2.5, False), (1.6, 3.5, True), (9.0, 3.5, True)]
)
def test_the_peer_waits_longer_by_what_the_machine_was_late(late: float, waited: float, met: bool) -> None:
    async def wait() -> Done:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Slow(3.5), "127.0.0.1", 8000)
        script = Script((Announce(), WaitForSound(2.0, silence=True)))
        began = loop.time()
        sounds = CallerSounds()
        player = Player(script, bytes(16), began=began, features=Features(), sounds=sounds, late=lambda since: late)
        seen = await player.play("127.0.0.1", 8000)
        server.close()
        return next(seen.actions(WaitForSound))

    with asyncio.Runner(loop_factory=new_loop) as runner:
        done = runner.run(wait())
    assert (done.ended, done.met) == (pytest.approx(waited, abs=0.03), met)
