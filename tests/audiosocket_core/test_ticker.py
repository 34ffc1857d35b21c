"""The shared clock: on a made-up loop tick by tick, and on real loops without looking at the wall clock."""

import asyncio
import heapq
import itertools
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from audiosocket_core import ticker as ticker_module
from audiosocket_core import timerfd
from audiosocket_core.pacing import Lateness
from audiosocket_core.ticker import Ticker, TickHandle


class FakeLoop:
    """As much of a loop as the ticker needs. `stall` moves the clock without letting anything run."""

    def __init__(self, virtual: bool) -> None:
        self.clock_is_virtual = virtual
        self.now = 100.0
        self.faults: list[dict[str, Any]] = []
        self.readers: dict[int, Callable[[], None]] = {}
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._order = itertools.count()

    def time(self) -> float:
        return self.now

    def is_closed(self) -> bool:
        return False

    def get_debug(self) -> bool:
        return False

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None: ...

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        self.faults.append(context)

    def call_at(self, when: float, callback: Callable[[], None]) -> asyncio.TimerHandle:
        timer = asyncio.TimerHandle(when, callback, (), self)  # type: ignore[arg-type]
        heapq.heappush(self._timers, (when, next(self._order), timer))
        return timer

    def add_reader(self, fd: int, callback: Callable[[], None]) -> None:
        self.readers[fd] = callback

    def remove_reader(self, fd: int) -> None:
        del self.readers[fd]

    @property
    def pending(self) -> int:
        return sum(not timer.cancelled() for _, _, timer in self._timers)

    def run_until(self, end: float) -> None:
        while self._timers and self._timers[0][0] <= end:
            when, _, timer = heapq.heappop(self._timers)
            self.now = max(self.now, when)
            if not timer.cancelled():
                timer._run()
        self.now = max(self.now, end)

    def stall(self, seconds: float) -> None:
        self.now += seconds


class KernelTimer:
    """Stands for `timerfd`: expirations follow from the fake loop's clock, as the kernel counts them."""

    def __init__(self, loop: FakeLoop) -> None:
        self.loop = loop
        self.first_at = self.period = 0.0
        self.read = 0
        self.arms: list[tuple[float, float]] = []
        self.descriptors: list[int] = []

    def create(self) -> int:
        self.descriptors.append(os.open(os.devnull, os.O_RDONLY))
        return self.descriptors[-1]

    def arm(self, fd: int, first_at: float, period: float) -> None:
        self.first_at, self.period, self.read = first_at, period, 0
        self.arms.append((first_at, period))

    def expirations(self, fd: int) -> int:
        past = self.loop.now - self.first_at + 1e-9
        total = int(past / self.period) + 1 if past >= 0 else 0
        new, self.read = total - self.read, total
        return new

    def run_until(self, end: float) -> None:
        """Wake the loop at each expiry, as a loop with nothing else to do."""
        while self.loop.readers and (at := self.first_at + self.read * self.period) <= end + 1e-9:
            self.loop.now = max(self.loop.now, at)
            self.wake()
        self.loop.now = max(self.loop.now, end)

    def wake(self) -> None:
        for callback in list(self.loop.readers.values()):
            callback()


@pytest.fixture
def virtual(monkeypatch: pytest.MonkeyPatch) -> FakeLoop:
    loop = FakeLoop(virtual=True)
    monkeypatch.setattr(asyncio, "get_running_loop", lambda: loop)
    return loop


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> KernelTimer:
    loop = FakeLoop(virtual=False)
    timer = KernelTimer(loop)
    monkeypatch.setattr(asyncio, "get_running_loop", lambda: loop)
    monkeypatch.setattr(ticker_module, "timerfd", timer)
    return timer


def fails(deadline: float) -> None:
    raise RuntimeError("this call is broken")


class TestVirtualTime:
    def test_the_first_tick_is_at_the_instant_of_add_and_the_nth_n_periods_later(self, virtual: FakeLoop) -> None:
        ticks: list[tuple[float, float]] = []
        virtual.now = 100.007
        Ticker().add(lambda deadline: ticks.append((virtual.now, deadline)))
        virtual.run_until(101.0)
        assert ticks == [(at, at) for at in (100.007 + n * 0.02 for n in range(50))]

    def test_each_call_has_its_own_phase(self, virtual: FakeLoop) -> None:
        ticker = Ticker()
        ticks: list[tuple[str, float]] = []
        ticker.add(lambda deadline: ticks.append(("a", deadline)))
        virtual.run_until(100.013)
        ticker.add(lambda deadline: ticks.append(("b", deadline)))
        virtual.run_until(100.039)
        assert ticks == [("a", 100.0), ("b", 100.013), ("a", 100.02), ("b", 100.033)]

    def test_calls_of_the_same_instant_tick_in_the_order_of_their_adds(self, virtual: FakeLoop) -> None:
        ticker = Ticker()
        ticks: list[int] = []
        for call in range(5):
            ticker.add(lambda deadline, call=call: ticks.append(call))  # type: ignore[misc]
        virtual.run_until(100.03)
        assert ticks == [0, 1, 2, 3, 4] * 2

    def test_no_timer_is_left_after_the_last_cancel(self, virtual: FakeLoop) -> None:
        ticker = Ticker()
        handles = [ticker.add(lambda deadline: None) for _ in range(3)]
        virtual.run_until(100.05)
        for handle in handles:
            handle.cancel()
            handle.cancel()
        assert virtual.pending == 0

    def test_a_call_may_cancel_itself_in_its_tick(self, virtual: FakeLoop) -> None:
        handle = Ticker().add(lambda deadline: handle.cancel())
        virtual.run_until(100.05)
        assert virtual.pending == 0

    def test_a_stall_is_caught_up_with_three_ticks(self, virtual: FakeLoop) -> None:
        ticker = Ticker()
        ticks: list[float] = []
        ticker.add(ticks.append)
        virtual.run_until(100.0)
        virtual.stall(0.2)  # ten slots
        virtual.run_until(100.2)
        assert ticks == [100.0, *(100.0 + n * 0.02 for n in (8, 9, 10))]
        assert ticker.skipped == 7
        assert ticker.lateness.max == pytest.approx(0.18)

    def test_a_timer_that_fires_early_by_the_clocks_grain_still_ticks(self, virtual: FakeLoop) -> None:
        ticks: list[float] = []
        Ticker().add(ticks.append)
        virtual.time = lambda: 99.9995  # type: ignore[method-assign]
        virtual.run_until(100.0)
        assert ticks == [100.0]


class TestKernelTimer:
    def test_one_call_has_one_wake_up_a_period_and_ticks_soon(self, kernel: KernelTimer) -> None:
        ticks: list[float] = []
        Ticker().add(ticks.append)
        kernel.run_until(100.1)
        assert ticks == pytest.approx([100.001, 100.021, 100.041, 100.061, 100.081])
        assert kernel.period == pytest.approx(0.02)

    @pytest.mark.parametrize(("calls", "slots"), [(16, 1), (17, 4), (200, 4), (201, 20), (1_000, 20)])
    def test_calls_are_spread_over_slots(self, kernel: KernelTimer, calls: int, slots: int) -> None:
        ticker = Ticker()
        ticks: list[float] = []
        for _ in range(calls):
            ticker.add(ticks.append)
        kernel.run_until(100.05)
        assert kernel.period == pytest.approx(0.02 / slots)
        ticks.clear()
        kernel.run_until(kernel.loop.now + 0.02)
        assert len(ticks) == calls  # each one once a period
        assert max(ticks.count(at) for at in ticks) <= (16 if slots == 1 else 50)  # a burst of half a millisecond

    def test_every_call_keeps_its_grid_while_others_come_and_go(self, kernel: KernelTimer) -> None:
        ticker = Ticker()
        ticks: list[float] = []
        ticker.add(ticks.append)
        others: list[TickHandle] = []
        for at in range(300):
            kernel.run_until(100.0 + at * 0.0013)
            others.append(ticker.add(lambda deadline: None))
        for handle in others:
            kernel.run_until(kernel.loop.now + 0.0007)
            handle.cancel()
        kernel.run_until(101.0)
        assert ticks == pytest.approx([100.001 + n * 0.02 for n in range(50)], abs=1e-9)
        assert kernel.period == pytest.approx(0.02)  # back to one slot
        assert (ticker.skipped, ticker.lateness.max) == (0, pytest.approx(0, abs=1e-6))

    def test_a_change_of_slots_loses_no_tick_that_is_due_but_unread(self, kernel: KernelTimer) -> None:
        ticker = Ticker()
        ticks: list[float] = []
        ticker.add(ticks.append)
        kernel.run_until(100.01)
        kernel.loop.stall(0.03)  # the ticks at .021 expired; nobody read them yet
        new: list[float] = []
        for _ in range(20):
            ticker.add(new.append)
        kernel.wake()
        assert ticks == pytest.approx([100.001, 100.021])
        assert new == []  # nothing is due to them from before they came
        kernel.run_until(100.0605)
        assert len(new) == 20
        assert ticks == pytest.approx([100.001, 100.021, 100.041])

    def test_a_stall_is_caught_up_with_three_ticks(self, kernel: KernelTimer) -> None:
        ticker = Ticker()
        ticks: dict[int, list[float]] = {call: [] for call in range(20)}
        for call in ticks:
            ticker.add(ticks[call].append)
        kernel.run_until(100.03)
        before = {call: list(seen) for call, seen in ticks.items()}
        kernel.loop.stall(1.0)
        kernel.wake()
        for call, seen in ticks.items():
            after = seen[len(before[call]) :]
            assert len(after) == 3
            assert after[-1] == pytest.approx(before[call][-1] + 1.0)
            assert after[-1] - after[0] == pytest.approx(0.04)
        assert ticker.skipped == 20 * 47
        assert ticker.lateness.max == pytest.approx(1.0, abs=0.006)

    def test_a_call_cancelled_by_another_in_the_same_tick_gets_no_more(self, kernel: KernelTimer) -> None:
        ticker = Ticker()
        ticks: list[float] = []
        handles: list[TickHandle] = []
        ticker.add(lambda deadline: handles[0].cancel())
        handles.append(ticker.add(ticks.append))
        kernel.run_until(100.05)
        assert ticks == []

    def test_the_last_cancel_gives_the_descriptor_back_also_in_a_tick(self, kernel: KernelTimer) -> None:
        ticker = Ticker()
        for _ in range(2):
            handle = ticker.add(lambda deadline: handle.cancel())  # noqa: B023 - called at once
            kernel.run_until(kernel.loop.now + 0.1)
        assert kernel.loop.readers == {}
        assert len(kernel.descriptors) == 2
        for fd in kernel.descriptors:
            with pytest.raises(OSError, match="Bad file descriptor"):
                os.fstat(fd)

    def test_close_cancels_everything(self, kernel: KernelTimer) -> None:
        ticker = Ticker()
        handles = [ticker.add(lambda deadline: None) for _ in range(30)]
        ticker.close()
        assert all(handle.cancelled for handle in handles)
        assert kernel.loop.readers == {}

    def test_without_a_descriptor_each_call_has_a_timer(
        self, kernel: KernelTimer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(kernel, "create", lambda: None)
        ticks: list[float] = []
        Ticker().add(ticks.append)
        kernel.loop.run_until(100.05)
        assert ticks == [100.0, 100.02, 100.04]


@pytest.mark.parametrize("loop_name", ["virtual", "kernel"])
def test_a_broken_callback_stops_nobody(loop_name: str, request: pytest.FixtureRequest) -> None:
    clock = request.getfixturevalue(loop_name)
    loop: FakeLoop = clock if loop_name == "virtual" else clock.loop
    ticker = Ticker()
    ticks: list[float] = []
    ticker.add(ticks.append)
    ticker.add(fails)
    ticker.add(ticks.append)
    clock.run_until(100.03)
    assert len(ticks) == 4
    assert [type(fault["exception"]) for fault in loop.faults] == [RuntimeError] * 2


class TestLateness:
    def test_percentiles_to_a_twentieth_of_a_millisecond(self) -> None:
        lateness = Lateness()
        assert (lateness.count, lateness.p50, lateness.p99, lateness.max) == (0, 0.0, 0.0, 0.0)
        for n in range(100):
            lateness.add(n / 10_000)
        assert lateness.count == 100
        assert lateness.p50 == pytest.approx(0.0049, abs=0.000_06)
        assert lateness.p99 == pytest.approx(0.0098, abs=0.000_06)
        assert lateness.max == 0.0099

    def test_a_tick_that_comes_early_by_the_clocks_grain_is_not_late(self) -> None:
        lateness = Lateness()
        lateness.add(-0.0005)
        assert (lateness.p50, lateness.max) == (0.0, 0.0)

    def test_beyond_50_ms_the_maximum_stands(self) -> None:
        lateness = Lateness()
        lateness.add(0.2)
        lateness.add(0.4)
        assert lateness.p50 == lateness.max == 0.4


def loop_factories() -> Iterator[Any]:
    yield pytest.param(asyncio.SelectorEventLoop, id="asyncio")
    try:
        import uvloop
    except ImportError:
        return
    yield pytest.param(uvloop.new_event_loop, id="uvloop")


@pytest.mark.kernel
@pytest.mark.parametrize("use_timerfd", [True, False])
@pytest.mark.parametrize("loop_factory", list(loop_factories()))
def test_on_a_real_loop_the_deadlines_lie_on_one_grid(loop_factory: Any, use_timerfd: bool) -> None:
    # Milliseconds of real time, and nothing asserted about how late they are.
    period = 0.004

    async def main() -> None:
        loop = asyncio.get_running_loop()
        ticker = Ticker(period * 1000, use_timerfd=use_timerfd)
        enough = loop.create_future()
        ticks: list[list[float]] = [[] for _ in range(30)]

        def tick(seen: list[float], deadline: float) -> None:
            seen.append(deadline)
            if all(len(other) >= 4 for other in ticks) and not enough.done():
                enough.set_result(None)

        handles = [ticker.add(lambda deadline, seen=seen: tick(seen, deadline)) for seen in ticks]  # type: ignore[misc]
        await enough
        for handle in handles:
            handle.cancel()
        for seen in ticks:
            steps = [(later - seen[0]) / period for later in seen]
            assert steps == pytest.approx([round(step) for step in steps], abs=1e-6)
            assert len({round(step) for step in steps}) == len(steps)  # each slot once
        assert ticker.lateness.count

    def run() -> int:
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(main())
        return len(os.listdir("/proc/self/fd")) if sys.platform == "linux" else 0

    assert run() == run()  # no descriptor is left; the first run also pays for what uvloop keeps for the process


async def test_one_ticker_a_loop() -> None:
    loop = asyncio.get_running_loop()
    assert Ticker.of(loop) is Ticker.of(loop)
    other = asyncio.SelectorEventLoop()
    assert Ticker.of(other) is not Ticker.of(loop)
    other.close()


@pytest.mark.skipif(sys.platform != "linux", reason="Linux has timer descriptors")
@pytest.mark.kernel
def test_a_first_expiry_in_the_past_counts_all_since() -> None:
    fd = timerfd.create()
    assert fd is not None
    try:
        assert timerfd.expirations(fd) == 0
        timerfd.arm(fd, 0.0, 1e-6)  # at boot, then every microsecond
        assert timerfd.expirations(fd) > 1_000_000
        assert not os.get_inheritable(fd)
    finally:
        os.close(fd)
