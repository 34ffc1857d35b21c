"""The virtual clock: when it moves, when it stands still, and what it says when a program is stuck."""

import asyncio
import concurrent.futures
import gc
import random
import signal
import sys
import threading
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from typing import Any

import anyio.to_thread
import pytest

from audiosocket_sim.virtual_time import Deadlock, HoldTooLong, Livelock, VirtualLoop, new_loop, run


def work(seconds: float) -> float:
    """A thread's work, in real time."""
    time.sleep(seconds)  # noqa: TID251
    return seconds


def virtual_loop() -> VirtualLoop:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return loop


# --- the clock


def test_it_starts_at_zero_and_jumps_exactly_to_each_timer() -> None:
    async def main() -> list[float]:
        loop = asyncio.get_running_loop()
        seen = [loop.time()]
        for when in (0.1, 0.1 + 0.2, 60.02, 3 * 86_400, 1e9 + 0.1):
            reached = loop.create_future()
            loop.call_at(when, reached.set_result, None)
            await reached
            seen.append(loop.time())
        return seen

    assert run(main) == [0, 0.1, 0.1 + 0.2, 60.02, 3 * 86_400, 1e9 + 0.1]


def test_a_timer_never_fires_before_its_instant_not_even_by_one_bit() -> None:
    async def main() -> list[tuple[float, float]]:
        loop = asyncio.get_running_loop()
        seen: list[tuple[float, float]] = []
        for when in (0.1 + 0.2, 0.3, 2e-10, 1e-10):
            loop.call_at(when, lambda when=when: seen.append((when, loop.time())))
        await asyncio.sleep(0)
        await asyncio.sleep(1)
        return seen

    assert run(main) == [(when, when) for when in (1e-10, 2e-10, 0.3, 0.1 + 0.2)]


def test_timers_of_the_same_instant_fire_in_the_order_in_which_they_were_set() -> None:
    async def main() -> list[int]:
        loop = asyncio.get_running_loop()
        fired: list[int] = []
        timers = [loop.call_at(1.0, fired.append, number) for number in range(200)]
        for number in random.Random(1).sample(range(200), 60):
            timers[number].cancel()
            fired.append(-number)  # what is cancelled must not fire
        expected = [number for number in range(200) if -number not in fired]
        fired.clear()
        await asyncio.sleep(2)
        assert fired == expected
        return fired

    run(main)


def test_sleeps_timeouts_and_timers_come_in_order() -> None:
    async def main() -> list[tuple[float, str]]:
        loop = asyncio.get_running_loop()
        log: list[tuple[float, str]] = []

        async def sleeper(seconds: float, name: str) -> None:
            await asyncio.sleep(seconds)
            log.append((loop.time(), name))

        loop.call_later(0.3, lambda: log.append((loop.time(), "call_later")))
        async with asyncio.TaskGroup() as group:
            group.create_task(sleeper(0.5, "long"))
            group.create_task(sleeper(0.2, "short"))
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.4):
                    await asyncio.sleep(86_400)
            log.append((loop.time(), "timeout"))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(loop.create_future(), 0.1)
        log.append((loop.time(), "wait_for"))
        return log

    assert run(main) == [(0.2, "short"), (0.3, "call_later"), (0.4, "timeout"), (0.5, "long"), (0.6, "wait_for")]


def test_days_of_sleep_cost_nothing() -> None:
    async def main() -> float:
        await asyncio.sleep(3 * 86_400)
        return asyncio.get_running_loop().time()

    assert run(main) == 3 * 86_400


def test_it_is_marked_as_virtual_and_the_stock_loop_is_not() -> None:
    assert VirtualLoop.clock_is_virtual
    assert not getattr(asyncio.SelectorEventLoop, "clock_is_virtual", False)


def test_run_takes_a_coroutine_or_what_makes_one_and_returns_its_result() -> None:
    async def answer() -> int:
        return 42

    assert run(answer) == run(answer()) == 42


def test_a_loop_can_be_had_for_a_runner() -> None:
    async def sleep() -> float:
        await asyncio.sleep(5)
        return asyncio.get_running_loop().time()

    with asyncio.Runner(loop_factory=new_loop) as runner:
        assert runner.run(sleep()) == 5
        assert runner.run(sleep()) == 10


# --- work outside the loop


async def in_the_default_executor() -> None:
    await asyncio.get_running_loop().run_in_executor(None, work, 0.05)


async def in_a_thread() -> None:
    await asyncio.to_thread(work, 0.05)


async def in_an_executor_of_its_own() -> None:
    with concurrent.futures.ThreadPoolExecutor(4) as executor:
        await asyncio.get_running_loop().run_in_executor(executor, work, 0.05)


async def in_an_anyio_thread() -> None:
    await anyio.to_thread.run_sync(work, 0.05)


async def in_a_child_process() -> None:
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", "import time; time.sleep(0.05)")
    assert await child.wait() == 0


async def in_a_shell() -> None:
    child = await asyncio.create_subprocess_shell("sleep 0.05; echo done", stdout=asyncio.subprocess.PIPE)
    assert await child.communicate() == (b"done\n", None)


async def in_a_bare_thread_under_a_hold() -> None:
    loop = virtual_loop()
    done = asyncio.Event()
    with loop.hold("a thread of its own"):
        thread = threading.Thread(target=lambda: (work(0.05), loop.call_soon_threadsafe(done.set)))
        thread.start()
        await done.wait()
    thread.join()


@pytest.mark.parametrize(
    "outside",
    [
        in_the_default_executor,
        in_a_thread,
        in_an_executor_of_its_own,
        in_an_anyio_thread,
        in_a_child_process,
        in_a_shell,
        in_a_bare_thread_under_a_hold,
    ],
)
def test_work_outside_the_loop_costs_no_virtual_time(outside: Callable[[], Awaitable[None]]) -> None:
    async def main() -> tuple[float, int]:
        loop = asyncio.get_running_loop()
        ticks = 0

        def tick() -> None:
            nonlocal ticks
            ticks += 1
            loop.call_later(0.02, tick)

        loop.call_later(0.02, tick)
        async with asyncio.timeout(0.01):
            await outside()
        return loop.time(), ticks

    assert run(main) == (0, 0)


def test_the_clock_goes_on_when_the_work_is_done() -> None:
    async def main() -> float:
        await asyncio.to_thread(work, 0.01)
        await asyncio.sleep(1)
        child = await asyncio.create_subprocess_exec("true")
        await child.wait()
        await asyncio.sleep(1)
        await anyio.to_thread.run_sync(work, 0.01)
        await asyncio.sleep(1)
        return asyncio.get_running_loop().time()

    assert run(main) == 3


def test_a_thread_s_error_is_the_caller_s() -> None:
    def fail() -> None:
        raise LookupError("in the thread")

    async def main() -> None:
        with pytest.raises(LookupError, match="in the thread"):
            await asyncio.to_thread(fail)

    run(main)


def test_work_that_nobody_waits_for_any_more_holds_nothing() -> None:
    gate = threading.Event()

    async def main() -> float:
        task = asyncio.create_task(asyncio.to_thread(gate.wait))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.sleep(1)
        gate.set()
        return asyncio.get_running_loop().time()

    assert run(main) == 1


def test_the_end_waits_for_a_worker_that_nobody_waits_for() -> None:
    async def main() -> None:
        task = asyncio.create_task(asyncio.to_thread(work, 0.1))
        await asyncio.sleep(0)
        task.cancel()

    run(main, deadlock_seconds=0.01)


def test_a_child_that_lives_long_need_not_hold() -> None:
    async def main() -> float:
        virtual_loop().children_hold = False
        child = await asyncio.create_subprocess_exec(
            "cat", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        await asyncio.sleep(10)
        with virtual_loop().hold("cat"):
            await child.communicate(b"x")
        return asyncio.get_running_loop().time()

    assert run(main) == 10


@pytest.mark.parametrize("workers", [None, 4])
def test_jobs_are_answered_in_the_order_in_which_they_were_given(workers: int | None) -> None:
    async def main() -> list[int]:
        loop = asyncio.get_running_loop()
        executor = concurrent.futures.ThreadPoolExecutor(workers) if workers else None
        answered: list[int] = []

        async def job(number: int) -> None:
            await loop.run_in_executor(executor, work, 0.02 - 0.004 * number)
            answered.append(number)

        async with asyncio.TaskGroup() as group:
            for number in range(5):
                group.create_task(job(number))
        if executor:
            executor.shutdown()
        return answered

    assert run(main) == [0, 1, 2, 3, 4]


def test_the_default_executor_does_one_job_at_a_time() -> None:
    active: list[int] = []
    most: list[int] = []

    def job() -> None:
        active.append(1)
        most.append(len(active))
        work(0.005)
        active.pop()

    async def main() -> None:
        await asyncio.gather(*(asyncio.to_thread(job) for _ in range(4)))

    run(main)
    assert most == [1, 1, 1, 1]


def test_a_cancelled_job_that_has_not_begun_never_runs() -> None:
    ran: list[str] = []

    async def main() -> None:
        first = asyncio.create_task(asyncio.to_thread(work, 0.05))
        second = asyncio.create_task(asyncio.to_thread(ran.append, "second"))
        await asyncio.sleep(0)
        second.cancel()
        await first

    run(main)
    assert ran == []


def test_a_program_that_spins_until_a_thread_has_spoken_hears_it() -> None:
    async def main() -> None:
        loop = virtual_loop()
        said: list[str] = []
        with loop.hold("a bare thread"):
            thread = threading.Thread(target=lambda: loop.call_soon_threadsafe(said.append, "done"))
            thread.start()
            while not said:  # noqa: ASYNC110
                await asyncio.sleep(0)
            thread.join()

    run(main)


@pytest.mark.parametrize("in_thread", [asyncio.to_thread, anyio.to_thread.run_sync], ids=["asyncio", "anyio"])
def test_a_thread_s_speed_does_not_decide_when_its_answer_is_heard(
    in_thread: Callable[[Callable[[float], float], float], Awaitable[float]],
) -> None:
    """An answer is heard when the loop has nothing else to do, whether the thread was quick or slow."""

    async def order(seconds: float) -> list[str]:
        log: list[str] = []

        async def busy() -> None:
            for turn in range(800):
                log.append(f"turn {turn}")
                await asyncio.sleep(0)

        async def waits() -> None:
            await in_thread(work, seconds)
            log.append("answer")

        await asyncio.gather(waits(), busy())
        return log

    quick, slow = run(order(0)), run(order(0.01))
    assert quick == slow
    assert slow[-1] == "answer"


# --- programs that are stuck


def test_a_deadlock_names_who_waits_for_what() -> None:
    async def waits_for_a_word() -> None:
        await asyncio.Queue[str]().get()

    async def main() -> None:
        await asyncio.sleep(2.5)
        await asyncio.gather(asyncio.create_task(waits_for_a_word(), name="listener"), asyncio.Event().wait())

    with pytest.raises(Deadlock) as stuck:
        run(main, deadlock_seconds=0.01)
    message = str(stuck.value)
    assert "at 2.500 s" in message
    assert "listener: " in message
    assert "waits_for_a_word" in message
    assert "test_virtual_time.py:" in message
    assert "Queue.get" in message
    assert "Event.wait" in message


def test_a_thread_without_a_hold_may_still_speak_before_a_deadlock_is_called_one() -> None:
    async def main() -> str:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[str] = loop.create_future()
        thread = threading.Thread(target=lambda: (work(0.05), loop.call_soon_threadsafe(answer.set_result, "late")))
        thread.start()
        try:
            return await answer
        finally:
            thread.join()

    assert run(main, deadlock_seconds=5) == "late"


def _spin_by_callbacks() -> None:
    asyncio.get_running_loop().call_soon(_spin_by_callbacks)


async def spins_by_callbacks() -> None:
    _spin_by_callbacks()
    await asyncio.Event().wait()


async def spins_by_sleeping_zero() -> None:
    while True:  # noqa: ASYNC110
        await asyncio.sleep(0)


async def spins_by_timers_that_are_due() -> None:
    loop = asyncio.get_running_loop()
    while True:
        reached = loop.create_future()
        loop.call_at(loop.time(), reached.set_result, None)
        await reached


async def spins_by_asking_a_thread() -> None:
    while asyncio.get_running_loop().time() < 1:
        await asyncio.to_thread(int)


@pytest.mark.every(4)
@pytest.mark.parametrize(
    "main", [spins_by_callbacks, spins_by_sleeping_zero, spins_by_timers_that_are_due, spins_by_asking_a_thread]
)
def test_a_livelock_at_one_instant_is_an_error(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    with pytest.raises(Livelock, match=r"3,00\d loop cycles at one instant") as stuck:
        run(main, max_cycles=3_000)
    assert "at 0.000 s" in str(stuck.value)
    assert "spins" in str(stuck.value)


def test_a_livelock_from_timer_to_timer_is_an_error() -> None:
    async def main() -> None:
        while True:  # noqa: ASYNC110
            await asyncio.sleep(0.02)

    with pytest.raises(Livelock, match=r"at 2.0\d\d s: the clock has jumped 101 times"):
        run(main, max_jumps=101)


def test_a_hold_longer_than_its_cap_is_an_error_that_names_it() -> None:
    gate = threading.Event()

    async def main() -> None:
        await asyncio.get_running_loop().run_in_executor(None, gate.wait)

    try:
        with pytest.raises(HoldTooLong, match=r"over 0.05 real seconds by a thread running .*Event.wait"):
            run(main, hold_cap_seconds=0.05)
    finally:
        gate.set()


def test_a_hold_that_only_waits_for_the_clock_is_an_error_too() -> None:
    async def main() -> None:
        with virtual_loop().hold("a held sleep"):
            await asyncio.sleep(1)

    with pytest.raises(HoldTooLong, match="a held sleep"):
        run(main, hold_cap_seconds=0.02)


def test_a_program_that_spins_under_a_hold_meets_the_cap() -> None:
    async def main() -> None:
        with virtual_loop().hold("a spinning hold"):
            while True:  # noqa: ASYNC110
                await asyncio.sleep(0)

    with pytest.raises(HoldTooLong, match="a spinning hold"):
        run(main, hold_cap_seconds=0.05)


# --- the end


def test_everything_is_released_after_an_error() -> None:
    ended: list[str] = []

    async def tidy() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("tidied")

    async def main() -> None:
        task = asyncio.create_task(tidy())
        await asyncio.to_thread(work, 0)
        server = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0)
        async with server:
            await task

    threads = threading.active_count()
    with pytest.raises(Deadlock):
        run(main, deadlock_seconds=0.01)
    assert ended == ["tidied"]
    assert threading.active_count() == threads
    gc.collect()  # whatever was left open would warn here, and warnings are errors


def test_closing_the_loop_closes_what_was_left_open_on_its_network() -> None:
    loop = new_loop()
    assert loop.network is not None
    listener = loop.network.bind("localhost", 0)
    loop.close()
    assert listener.closed


def test_a_keyboard_interrupt_cancels_the_program_and_leaves() -> None:
    ended: list[float] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.call_at(12.0, signal.raise_signal, signal.SIGINT)
        try:
            while True:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        finally:
            ended.append(loop.time())

    with pytest.raises(KeyboardInterrupt):
        run(main)
    assert ended == [12.0]


@pytest.mark.parametrize("busy", [False, True])
def test_a_signal_handler_of_the_loop_is_called(busy: bool) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        told = asyncio.Event()
        loop.add_signal_handler(signal.SIGTERM, told.set)

        def tick() -> None:
            loop.call_later(0.02, tick)

        if busy:
            tick()
        signal.raise_signal(signal.SIGTERM)
        await told.wait()
        loop.remove_signal_handler(signal.SIGTERM)

    run(main, max_jumps=2_000)


# --- the same every time


async def a_small_world(log: list[str]) -> None:
    """Three callers, a server, threads of random length, time-outs: concurrent on purpose."""
    loop = asyncio.get_running_loop()
    real_luck = random.SystemRandom()

    def note(what: str) -> None:
        log.append(f"{loop.time():.6f} {what}")

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            await asyncio.to_thread(work, real_luck.uniform(0, 0.0004))
            note(f"heard {line!r}")
            writer.write(line.upper())
        writer.close()
        await writer.wait_closed()

    async def caller(name: str, port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number in range(5):
            writer.write(f"{name}{number}\n".encode())
            note(f"{name} got {await reader.readline()!r}")
            await asyncio.sleep(0.02)
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, asyncio.TaskGroup() as group:
        for name in "abc":
            group.create_task(caller(name, port))
    await asyncio.sleep(1)


@pytest.mark.long("calls are run twice")
@pytest.mark.parametrize(
    "memory_network",
    [
        pytest.param(True, id="memory"),
        pytest.param(False, id="kernel", marks=[pytest.mark.kernel, pytest.mark.long("they go through memory")]),
    ],
)
def test_two_hundred_runs_give_the_same_log(memory_network: bool) -> None:
    logs: set[tuple[str, ...]] = set()
    for _ in range(200):
        log: list[str] = []
        run(a_small_world(log), memory_network=memory_network)
        logs.add(tuple(log))
    assert len(logs) == 1
    assert len(logs.pop()) == 30


def test_a_generator_that_nobody_closed_is_closed_before_the_loop_is() -> None:
    closed: list[str] = []

    async def numbers(name: str) -> AsyncGenerator[int, None]:
        try:
            while True:
                yield 1
        finally:
            await asyncio.sleep(0)
            closed.append(name)

    async def main() -> None:
        dropped, kept = numbers("dropped"), numbers("kept")
        assert await anext(dropped) == await anext(kept) == 1
        main.kept = kept  # type: ignore[attr-defined]
        del dropped
        for _ in range(4):  # turns, and not one of them idle
            await asyncio.sleep(0)

    run(main)
    gc.collect()
    assert sorted(closed) == ["dropped", "kept"]
