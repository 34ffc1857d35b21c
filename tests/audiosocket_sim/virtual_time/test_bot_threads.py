"""Threads that a program starts by itself on a strict virtual loop: which of them end the run, and which do not."""

import asyncio
import concurrent.futures
import logging.handlers
import queue
import threading
import time
from collections.abc import Awaitable, Callable
from threading import Thread

import anyio.to_thread
import pytest

from audiosocket_sim.virtual_time import CannotFollow, VirtualLoop, run
from audiosocket_sim.virtual_time.loop import raise_if_bot_cannot_follow


def work(seconds: float = 0.03) -> None:
    """Use so much processor time."""
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


def virtual_loop() -> VirtualLoop:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return loop


def strictly(main: Callable[[VirtualLoop], Awaitable[None]], **options: str) -> None:
    """Run `main` on a strict loop, for a minute of it at least, and wait for its threads as a call does."""

    async def strict() -> None:
        loop = virtual_loop()
        loop.strict = True
        await main(loop)
        for _ in range(3_000):
            await asyncio.sleep(0.02)
        raise_if_bot_cannot_follow(0.5)

    run(strict, **options)


async def a_worker(loop: VirtualLoop) -> None:
    Thread(target=work, name="bot").start()


async def a_worker_s_worker(loop: VirtualLoop) -> None:
    starter = Thread(target=lambda: Thread(target=work, name="bot").start())
    starter.start()
    starter.join()  # on a busy machine the run was over before there was a worker


async def a_waker(loop: VirtualLoop) -> None:
    Thread(target=loop.call_soon_threadsafe, args=(print,), name="bot").start()


async def a_future_of_a_pool_of_its_own(loop: VirtualLoop) -> None:
    go = threading.Event()
    with concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="bot") as pool:
        answer = asyncio.wrap_future(pool.submit(go.wait))
        go.set()  # not before: what is done by then wakes nobody
        await answer


async def a_put_into_a_queue_of_the_loop_s(loop: VirtualLoop) -> None:
    answers: asyncio.Queue[int] = asyncio.Queue()
    waiting = asyncio.create_task(answers.get())
    await asyncio.sleep(0)
    thread = Thread(target=answers.put_nowait, args=(1,), name="bot")
    thread.start()
    thread.join()
    await waiting


@pytest.mark.parametrize(
    ("main", "did"),
    [
        (a_worker, "worked for"),
        (a_worker_s_worker, "worked for"),
        (a_waker, "woke the event loop"),
        (a_future_of_a_pool_of_its_own, "woke the event loop"),
        (a_put_into_a_queue_of_the_loop_s, "gave the event loop work"),
    ],
)
def test_it_ends_the_run_and_is_named(main: Callable[[VirtualLoop], Awaitable[None]], did: str) -> None:
    with pytest.raises(CannotFollow, match=rf"its thread «bot(_0)?» {did}"):
        strictly(main)


async def none(loop: VirtualLoop) -> None:
    pass


async def a_job_of_the_loop_s(loop: VirtualLoop) -> None:
    await asyncio.to_thread(work)


async def a_job_of_another_pool_s(loop: VirtualLoop) -> None:
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        await loop.run_in_executor(pool, work)


async def a_job_that_nobody_waits_for_any_more(loop: VirtualLoop) -> None:
    began = threading.Event()

    def job() -> None:
        began.set()
        work()

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        answer = loop.run_in_executor(pool, job)
        began.wait()
        answer.cancel()
        await asyncio.sleep(5)


async def a_job_of_anyio_s(loop: VirtualLoop) -> None:
    await anyio.to_thread.run_sync(work)


async def a_child(loop: VirtualLoop) -> None:
    await (await asyncio.create_subprocess_exec("true")).wait()


async def a_thread_under_a_hold(loop: VirtualLoop) -> None:
    done = asyncio.Event()

    def job() -> None:
        work()
        loop.call_soon_threadsafe(done.set)

    with loop.hold():
        Thread(target=job).start()
        await done.wait()


async def a_thread_that_sleeps(loop: VirtualLoop) -> None:
    def export() -> None:
        for _ in range(40):
            time.sleep(0.002)  # noqa: TID251

    Thread(target=export).start()


async def a_writer_of_log_records(loop: VirtualLoop) -> None:
    records: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
    slow = logging.NullHandler()
    slow.handle = lambda record: bool(work())  # type: ignore[method-assign]
    listener = logging.handlers.QueueListener(records, slow)
    listener.start()
    records.put(logging.makeLogRecord({}))
    listener.stop()


async def a_thread_that_waits(loop: VirtualLoop) -> None:
    Thread(target=threading.Event().wait, daemon=True).start()


@pytest.mark.every(9)
@pytest.mark.parametrize(
    "main",
    [
        none,
        a_job_of_the_loop_s,
        a_job_of_another_pool_s,
        a_job_that_nobody_waits_for_any_more,
        a_job_of_anyio_s,
        a_child,
        a_thread_under_a_hold,
        a_thread_that_sleeps,
        a_writer_of_log_records,
        a_thread_that_waits,
    ],
)
def test_it_does_no_harm(main: Callable[[VirtualLoop], Awaitable[None]]) -> None:
    strictly(main)


def test_a_thread_of_the_same_bot_that_is_older_than_the_call_counts() -> None:
    go_on, seen = threading.Event(), []

    def job() -> None:
        go_on.wait()
        work()

    async def serve() -> None:
        Thread(target=job, name="bot").start()

    async def other(loop: VirtualLoop) -> None:
        seen.append(len(loop._bot_threads.used))

    async def same(loop: VirtualLoop) -> None:
        go_on.set()

    run(serve, program="bot:serve")
    strictly(other, program="another:serve")
    assert seen == [0]
    with pytest.raises(CannotFollow, match="«bot» worked for"):
        strictly(same, program="bot:serve")


def test_a_loop_that_is_not_strict_allows_it() -> None:
    async def main() -> None:
        done = asyncio.Event()
        loop = virtual_loop()
        Thread(target=lambda: (work(), loop.call_soon_threadsafe(done.set))).start()
        await done.wait()

    run(main)


def test_starting_a_thread_is_as_it_was_afterwards() -> None:
    parts = Thread.start, Thread._bootstrap_inner  # type: ignore[attr-defined]

    async def main() -> None:
        assert Thread.start is not parts[0]

    run(main)
    assert (Thread.start, Thread._bootstrap_inner) == parts  # type: ignore[attr-defined]


def test_a_package_that_wraps_the_start_of_threads_meanwhile_keeps_its_wrapper() -> None:
    original, started = Thread.start, []

    async def wrap() -> None:
        inner = Thread.start

        def start(self: Thread) -> None:
            started.append(self.name)
            inner(self)

        Thread.start = start  # type: ignore[method-assign]

    try:
        run(wrap)
        with pytest.raises(CannotFollow, match="«bot» worked for"):
            strictly(a_worker)
        assert started == ["bot"]
    finally:
        Thread.start = original  # type: ignore[method-assign]
