"""The share of an event loop that connections with much to be worked off have: bounded together, a little of each."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable

import pytest

from audiosocket_core.fair_share import SHARE_SECONDS, FairShare


class Loop:
    """A loop that runs its callbacks turn by turn, and whose clock moves on where a test says so."""

    def __init__(self) -> None:
        self.now = 0.0
        self.ready: list[Callable[[], None]] = []
        self.complaints: list[object] = []

    def time(self) -> float:
        return self.now

    def call_soon(self, callback: Callable[[], None]) -> None:
        self.ready.append(callback)

    def call_exception_handler(self, context: dict[str, object]) -> None:
        self.complaints.append(context["exception"])

    def turn(self) -> float:
        """One turn; returns how long it took."""
        began = self.now
        ready, self.ready = self.ready, []
        for callback in ready:
            callback()
        return self.now - began


def test_all_rests_together_get_a_share_of_each_turn_and_none_waits_for_another() -> None:
    loop, done = Loop(), Counter[int]()
    share = FairShare(loop, loop.time)  # type: ignore[arg-type]

    def rest_of(connection: int, pieces: int) -> Callable[[], bool]:
        def work() -> bool:
            loop.now += SHARE_SECONDS / 4
            done[connection] += 1
            return done[connection] < pieces

        return work

    for connection in range(100):
        share.add(rest_of(connection, 5))
    turns = 0
    while loop.ready:
        assert loop.turn() <= SHARE_SECONDS * 1.3
        turns += 1
        assert max(done.values()) - min(done[n] for n in range(100)) <= 1
    assert done == Counter(dict.fromkeys(range(100), 5))
    assert turns >= 100


def test_work_may_add_work_and_nothing_is_scheduled_when_all_is_done() -> None:
    loop = Loop()
    share = FairShare(loop, loop.time)  # type: ignore[arg-type]
    seen: list[str] = []

    def first() -> bool:
        seen.append("first")
        share.add(lambda: bool(seen.append("second")))
        return False

    share.add(first)
    loop.turn()
    assert seen == ["first"]
    loop.turn()
    assert seen == ["first", "second"]
    assert not loop.ready


def test_work_that_fails_stops_no_other() -> None:
    loop, done = Loop(), Counter[str]()
    share = FairShare(loop, loop.time)  # type: ignore[arg-type]

    def fails() -> bool:
        raise KeyError

    def works() -> bool:
        done["work"] += 1
        return done["work"] < 3

    share.add(fails)
    share.add(works)
    while loop.ready:
        loop.turn()
    assert done["work"] == 3
    assert [type(complaint) for complaint in loop.complaints] == [KeyError]


async def test_a_loop_has_one() -> None:
    loop = asyncio.get_running_loop()
    assert FairShare.of(loop) is FairShare.of(loop)


def test_on_uvloop_a_turn_is_measured_though_its_time_stands_still() -> None:
    """uvloop reads its clock once in a turn: by that, no share would ever be used up."""
    uvloop = pytest.importorskip("uvloop")

    async def longest() -> float:
        loop = asyncio.get_running_loop()
        share, worked, turns = FairShare.of(loop), Counter[int](), 0

        def work() -> bool:
            began = time.perf_counter_ns()
            while time.perf_counter_ns() - began < 1e9 * SHARE_SECONDS / 2:
                pass
            worked[turns] += 1
            return False

        for _ in range(20):
            share.add(work)
        while sum(worked.values()) < 20:
            await asyncio.sleep(0)
            turns += 1
        return max(worked.values())

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(longest()) <= 3
