"""Python's own clocks in a virtual run: what they show to whom, from where they go on, and that all is put back."""
# ruff: noqa: ASYNC110, ASYNC251, TID251 - these clocks are what is tested

import asyncio
import datetime
import functools
import sched
import threading
import time
import types
from collections.abc import Callable
from time import monotonic
from typing import Any

import pytest

from audiosocket_sim.virtual_time import Livelock, new_loop, run, sleeps_are_noted
from audiosocket_sim.virtual_time.callers import is_bots

CLOCKS: dict[str, Callable[[], float]] = {
    "time": time.time,
    "time_ns": lambda: time.time_ns() / 1e9,
    "monotonic": time.monotonic,
    "monotonic_ns": lambda: time.monotonic_ns() / 1e9,
    "perf_counter": time.perf_counter,
    "perf_counter_ns": lambda: time.perf_counter_ns() / 1e9,
    "now": lambda: datetime.datetime.now().timestamp(),
    "now with a zone": lambda: datetime.datetime.now(datetime.UTC).timestamp(),
    "today": lambda: datetime.datetime.today().timestamp(),
}


class Later(datetime.datetime):
    pass


class Keeps:
    now = datetime.datetime.now
    today = Later.now

    @staticmethod
    def default(*, clock: Callable[..., Any] = datetime.datetime.now) -> Any:
        return clock()


def keeps(clock: Callable[[], Any]) -> Callable[[], Any]:
    return lambda: clock()


CLOSED = keeps(datetime.datetime.now)
BOUND = datetime.datetime.now
PARTIAL = functools.partial(time.monotonic)


@pytest.mark.parametrize("name", CLOCKS)
def test_a_clock_goes_on_from_what_it_showed_by_the_loop_s_time(name: str) -> None:
    clock, before = CLOCKS[name], CLOCKS[name]()

    async def main() -> None:
        first = clock()
        assert before <= first < before + 60
        await asyncio.sleep(3600)
        assert clock() - first == pytest.approx(3600, abs=1e-4)
        time.sleep(7)
        assert clock() - first == pytest.approx(3607, abs=1e-4)
        assert asyncio.get_running_loop().time() == 3607

    run(main)
    assert before <= clock() < before + 60


@pytest.mark.parametrize("ask", [PARTIAL, monotonic, types.SimpleNamespace(clock=time.monotonic).clock])
def test_a_name_bound_earlier_follows(ask: Callable[[], float]) -> None:
    async def main() -> float:
        before = ask()
        await asyncio.sleep(1000)
        return ask() - before

    assert run(main) == pytest.approx(1000)


@pytest.mark.parametrize("ask", [BOUND, Keeps().now, Keeps.default, CLOSED, Keeps.today])
def test_a_datetime_now_bound_earlier_follows(ask: Callable[[], datetime.datetime]) -> None:
    async def main() -> tuple[type, datetime.timedelta]:
        before = ask()
        await asyncio.sleep(86_400)
        return type(ask()), ask() - before

    kind, passed = run(main)
    assert passed == datetime.timedelta(days=1)
    assert kind is (Later if ask == Keeps.today else datetime.datetime)
    assert abs(ask() - datetime.datetime.now()) < datetime.timedelta(hours=1)


def test_a_name_bound_during_a_run_is_a_clock_afterwards_and_in_the_next_run() -> None:
    async def bind() -> Any:
        return datetime.datetime.now

    now = run(bind)
    assert abs(now() - datetime.datetime.now()) < datetime.timedelta(hours=1)

    async def main() -> datetime.timedelta:
        before = now(datetime.UTC)
        await asyncio.sleep(7200)
        return now(datetime.UTC) - before  # type: ignore[no-any-return]

    assert run(main) == datetime.timedelta(hours=2)


@pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")
def test_utcnow_and_the_days_follow() -> None:
    async def main() -> None:
        day, moment = datetime.date.today(), datetime.datetime.utcnow()
        assert abs(moment - datetime.datetime.now(datetime.UTC).replace(tzinfo=None)) < datetime.timedelta(seconds=1)
        await asyncio.sleep(86_400 * 3)
        assert datetime.date.today() - day == datetime.timedelta(days=3)
        assert datetime.datetime.utcnow() - moment == datetime.timedelta(days=3)

    run(main)
    assert abs(datetime.datetime.utcnow() - datetime.datetime.now(datetime.UTC).replace(tzinfo=None)).days == 0


def test_wrong_arguments_are_refused_as_ever() -> None:
    async def main() -> None:
        for wrong, error in ((-1, ValueError), ("1", TypeError), (1e30, OverflowError), (float("nan"), ValueError)):
            with pytest.raises(error):
                time.sleep(wrong)  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            datetime.datetime.now(5)  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            BOUND(5)  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            time.monotonic(5)  # type: ignore[call-arg]
        time.sleep(0)
        time.sleep(True)
        assert asyncio.get_running_loop().time() == 1

    run(main)


def test_the_standard_library_keeps_the_real_time() -> None:
    async def main() -> float:
        await asyncio.sleep(1e6)
        schedule = sched.scheduler()
        scheduled = schedule.enter(0, 0, lambda: None).time
        return time.monotonic() - scheduled

    assert run(main) == pytest.approx(1e6, rel=1e-3)


@pytest.mark.parametrize(
    ("module", "file", "bots"),
    [
        ("my_bot", "/home/me/my_bot.py", True),
        ("__main__", "/home/me/my_bot.py", True),
        ("httpcore._sync.connection", "/venv/lib/python3.11/site-packages/httpcore/_sync/connection.py", True),
        ("audiosocket_server.listener", None, True),
        ("this", "/home/me/this.py", True),
        ("threading", threading.__file__, False),
        ("_pytest.runner", None, False),
        ("pytest_timeout", None, False),
        ("audiosocket_sim.running.runner", None, False),
        (None, None, True),
    ],
)
def test_who_is_the_bot(module: str | None, file: str | None, bots: bool) -> None:
    names = {"__name__": module, "__file__": file}
    scope = {name: value for name, value in names.items() if value is not None}
    exec("def ask(judge):\n    import sys\n    return judge(sys._getframe())", scope)
    assert scope["ask"](is_bots) is bots  # type: ignore[operator]


def test_loops_in_several_threads_have_their_own_clocks_and_other_threads_the_real_one() -> None:
    running, go_on = threading.Barrier(3), threading.Barrier(3)
    passed: dict[float, float] = {}

    def one(seconds: float) -> None:
        async def main() -> None:
            before = time.monotonic()
            await asyncio.sleep(seconds)
            running.wait()
            go_on.wait()
            passed[seconds] = time.monotonic() - before

        run(main)

    before = time.monotonic()
    threads = [threading.Thread(target=one, args=(seconds,)) for seconds in (1000, 2000)]
    for thread in threads:
        thread.start()
    running.wait()
    assert time.monotonic() - before < 500
    go_on.wait()
    for thread in threads:
        thread.join()
    assert passed == {1000: pytest.approx(1000), 2000: pytest.approx(2000)}


def test_all_is_put_back_after_an_error_too() -> None:
    parts = [time.monotonic, time.sleep, datetime.datetime.__dict__["now"], datetime.datetime.__dict__["utcnow"]]

    async def main() -> None:
        time.sleep(5)
        raise KeyError("boom")

    owner = time.monotonic.__self__
    with pytest.raises(KeyError):
        run(main)
    assert parts == [time.monotonic, time.sleep, *(datetime.datetime.__dict__[name] for name in ("now", "utcnow"))]
    assert time.monotonic.__self__ is owner is time
    assert time.sleep.__self__ is time


def test_a_loop_that_runs_again_goes_on_with_the_same_clock() -> None:
    async def read() -> float:
        await asyncio.sleep(500)
        return time.monotonic()

    with asyncio.Runner(loop_factory=new_loop) as runner:
        first = runner.run(read())
        assert runner.run(read()) - first == pytest.approx(500)


def test_timers_that_are_due_while_the_bot_sleeps_fire_afterwards_in_their_order() -> None:
    async def main() -> list[tuple[str, float]]:
        loop = asyncio.get_running_loop()
        fired: list[tuple[str, float]] = []
        for name, when in (("second", 0.3), ("first", 0.1), ("last", 2.0)):
            loop.call_at(when, lambda name=name: fired.append((name, loop.time())))
        time.sleep(0.5)
        assert fired == []
        await asyncio.sleep(2)
        return fired

    assert run(main) == [("first", 0.5), ("second", 0.5), ("last", 2.0)]


def test_on_a_real_loop_the_bot_s_sleeps_are_noted() -> None:
    clock = iter([10, 12, 20, 21, 30, 33, 40, 40])  # when each sleep begins and ends
    with sleeps_are_noted(lambda: next(clock)) as sleeps:
        for _ in range(3):
            time.sleep(0)
        with pytest.raises(ValueError):
            time.sleep(-1)
    time.sleep(0)  # no longer
    assert sleeps.within(0, 5) == 0
    assert sleeps.within(11, 20.5) == 1.5
    assert sleeps.within(21, 30) == 0
    assert sleeps.within(0, 100) == 6


def test_a_bot_that_reads_a_clock_until_an_instant_gets_there() -> None:
    async def main() -> float:
        until = time.perf_counter() + 0.05
        while time.perf_counter() < until:
            pass
        return asyncio.get_running_loop().time()

    assert run(main) == pytest.approx(0.05, abs=0.001)


def test_a_bot_that_polls_a_clock_and_lets_others_run_gets_there() -> None:
    async def main() -> float:
        until = time.monotonic() + 0.05
        while time.monotonic() < until:
            await asyncio.sleep(0)
        return asyncio.get_running_loop().time()

    assert run(main) == pytest.approx(0.05, abs=0.001)


def test_a_bot_that_sleeps_for_ever_without_returning_to_the_loop_is_named() -> None:
    async def main() -> None:
        while True:
            time.sleep(60)

    with pytest.raises(Livelock, match="the bot has slept for 86,400 s without returning to the event loop"):
        run(main)
