"""A selector that reports a few sockets at a time: all have their turn."""

import asyncio
import socket

from audiosocket_core.few_at_once import MOST_AT_ONCE, FewAtOnce


def test_of_many_ready_sockets_a_few_are_reported_and_all_in_turn() -> None:
    pairs = [socket.socketpair() for _ in range(3 * MOST_AT_ONCE + 5)]
    with FewAtOnce() as selector:
        for number, (one, other) in enumerate(pairs):
            selector.register(one, 1, number)
            other.send(b"x")
        seen: set[int] = set()
        for _ in range(4):  # none of them is read: all are ready at each time
            found = selector.select(0)
            assert len(found) == MOST_AT_ONCE
            seen.update(key.data for key, _ in found)
        assert seen == set(range(len(pairs)))
        for number, (one, _) in enumerate(pairs[MOST_AT_ONCE:]):
            assert one.recv(1) == b"x", number
        assert len(selector.select(0)) == MOST_AT_ONCE
    for one, other in pairs:
        one.close()
        other.close()


def test_timers_come_in_between() -> None:
    """A callback of every turn runs while more sockets are ready than one turn takes."""
    pairs = [socket.socketpair() for _ in range(4 * MOST_AT_ONCE)]
    turns, read_in = 0, []

    async def read_all() -> None:
        nonlocal turns
        loop = asyncio.get_running_loop()
        for one, other in pairs:
            other.send(b"x")
            loop.add_reader(one, lambda one=one: (one.recv(1), read_in.append(turns)))
        while len(read_in) < len(pairs):
            await asyncio.sleep(0)
            turns += 1
        for one, _ in pairs:
            loop.remove_reader(one)

    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(FewAtOnce())) as runner:
        runner.run(read_all())
    assert max(read_in.count(turn) for turn in set(read_in)) == MOST_AT_ONCE
    for one, other in pairs:
        one.close()
        other.close()
