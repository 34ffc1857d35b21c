"""Ten good calls beside random attacks of every kind: none loses a frame or a word, and nothing is left afterwards."""

import asyncio
import os
import random
from pathlib import Path

import pytest
from helpers.chaos_bench import (
    CLOSES_WITHIN_SECONDS,
    SAYS,
    GoodCall,
    Server,
    attacked,
    backend,
    no_room,
    server,
    words_of,
)

GOOD_CALLS = 10
MEMORY_MB = 80


@pytest.mark.long("tests of each limit, in memory and on kernel sockets")
@pytest.mark.real_time
@pytest.mark.kernel
@pytest.mark.timeout(180)
@pytest.mark.parametrize("loop_name", ["asyncio", "uvloop"])
async def test_no_call_hurts_another(loop_name: str, tmp_path: Path, one_at_a_time: None) -> None:
    """Frames and words are counted; how late they come says something of the machine only."""
    if loop_name == "uvloop":
        pytest.importorskip("uvloop")
    seed = int(os.environ.get("CHAOS_SEED", "1"))
    draw = random.Random(f"{seed}/{loop_name}")
    log_path = tmp_path / "log"
    with backend() as backend_port, log_path.open("w") as log, server(loop_name, log, backend_port) as under:
        at_ease = asyncio.Event()
        at_ease.set()
        short = SAYS[1:]
        assert await GoodCall(1, short).run(under, at_ease) == words_of(short)
        before = await at_rest(under)
        await good_calls_beside_attacks(under, draw)
        after = await at_rest(under)
        assert after[0] <= before[0], "descriptors"
        assert after[1] <= before[1], "tasks"
        assert under.memory_mb <= before[2] + MEMORY_MB
        written = log_path.read_text()
        assert "Traceback" not in written
        assert "internal error" not in written

        # It dies in the midst of calls, and another one takes its place, whose log has no room on its disk.
        calls = [asyncio.create_task(GoodCall(100 + n, SAYS).run(under, asyncio.Event())) for n in range(3)]
        await asyncio.sleep(1)
        under.process.kill()
        ends = await asyncio.gather(*calls, return_exceptions=True)
        assert all(isinstance(end, (asyncio.IncompleteReadError, ConnectionError)) for end in ends), ends
        with no_room() as full, server(loop_name, full, backend_port, under.port) as second:
            again = [asyncio.create_task(GoodCall(200 + n, short).run(second, at_ease)) for n in range(3)]
            for seconds in (86_400, -2 * 86_400, 3_600):
                await asyncio.sleep(0.5)
                await second.tasks(f"jump {seconds}")
            assert await asyncio.gather(*again) == [words_of(short)] * 3


async def good_calls_beside_attacks(under: Server, draw: random.Random) -> None:
    attacks_are_over = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        calls = [group.create_task(GoodCall(10 + n, SAYS).run(under, attacks_are_over)) for n in range(GOOD_CALLS)]
        async with attacked(under, draw, at_a_time=3):
            await asyncio.sleep(draw.uniform(2, 5))
            with under.stopped():
                await asyncio.sleep(1)
        attacks_are_over.set()
    assert [call.result() for call in calls] == [words_of(SAYS)] * GOOD_CALLS


async def at_rest(under: Server) -> tuple[int, int, float]:
    """Descriptors, tasks and memory (MB) of the server, when nothing is left of its connections."""
    least = (10**6, 10**6, 0.0)
    try:
        async with asyncio.timeout(CLOSES_WITHIN_SECONDS):
            while True:
                now = (under.descriptors, await under.tasks(), under.memory_mb)
                if now[:2] == least[:2]:
                    return now
                least = now
                await asyncio.sleep(1.5)
    except TimeoutError:
        return least
