"""The calendar of timers: order, cancelling, and that cancelled ones do not pile up."""

import asyncio

from audiosocket_sim.virtual_time import VirtualLoop, new_loop


def nothing() -> None:
    """What these timers do."""


def times(loop: VirtualLoop) -> list[float]:
    return [timer.when() for timer in loop.timers.pending]


async def on_this_loop() -> VirtualLoop:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return loop


def test_pending_timers_are_told_in_the_order_in_which_they_fire() -> None:
    async def main() -> list[float]:
        loop = await on_this_loop()
        for when in (3.0, 1.0, 2.0, 1.0):
            loop.call_at(when, nothing)
        loop.call_at(1.5, nothing).cancel()
        return times(loop)

    with asyncio.Runner(loop_factory=new_loop) as runner:
        assert runner.run(main()) == [1.0, 1.0, 2.0, 3.0]


def test_the_clock_does_not_stop_at_a_cancelled_timer() -> None:
    async def main() -> tuple[int, float]:
        loop = await on_this_loop()
        kept = asyncio.Event()
        loop.call_at(1.0, nothing).cancel()
        loop.call_at(2.0, nothing).cancel()
        loop.call_at(2.0, kept.set)
        before = loop.jumps
        await kept.wait()
        return loop.jumps - before, loop.time()

    with asyncio.Runner(loop_factory=new_loop) as runner:
        assert runner.run(main()) == (1, 2.0)


def test_cancelled_timers_are_forgotten_long_before_their_time() -> None:
    async def main() -> int:
        loop = await on_this_loop()
        for second in range(10_000):
            loop.call_at(3600.0 + second, nothing).cancel()
        return len(loop.timers)

    with asyncio.Runner(loop_factory=new_loop) as runner:
        assert runner.run(main()) < 250


def test_what_is_forgotten_does_not_change_the_order_of_the_others() -> None:
    async def main() -> list[int]:
        loop = await on_this_loop()
        fired: list[int] = []
        done = asyncio.Event()
        for number in range(500):
            timer = loop.call_at(1.0, fired.append, number)
            if number % 5:
                timer.cancel()
        loop.call_at(1.0, done.set)
        await done.wait()
        return fired

    with asyncio.Runner(loop_factory=new_loop) as runner:
        assert runner.run(main()) == list(range(0, 500, 5))
