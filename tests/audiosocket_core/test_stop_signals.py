"""Signals that end something in order: heeded while it runs, and as they were before when it is over."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from types import FrameType

import pytest

from audiosocket_core.stop_signals import stop_signals

BOTH = [signal.SIGINT, signal.SIGTERM]


@pytest.fixture(autouse=True)
def _ours(request: pytest.FixtureRequest) -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (*BOTH, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def mine(number: int, frame: FrameType | None) -> None:
    """A handler of the host program."""


@pytest.mark.parametrize("number", BOTH)
async def test_each_signal_stops(number: signal.Signals) -> None:
    stopped = asyncio.Event()
    with stop_signals(stopped.set):
        signal.raise_signal(number)
        await asyncio.wait_for(stopped.wait(), 10)


@pytest.mark.parametrize("before", [mine, signal.SIG_IGN, signal.SIG_DFL], ids=["a handler", "ignored", "default"])
async def test_afterwards_the_signals_do_what_they_did_before(before: Callable[[int, FrameType | None], None]) -> None:
    for number in BOTH:
        signal.signal(number, before)
    with stop_signals(lambda: None):
        assert not {mine, before} & {signal.getsignal(number) for number in BOTH}
    assert [signal.getsignal(number) for number in BOTH] == [before, before]


async def test_only_the_named_signals_are_taken_and_a_name_that_is_nowhere_is_passed_over() -> None:
    before = signal.getsignal(signal.SIGTERM)
    stopped = asyncio.Event()
    with stop_signals(stopped.set, ("SIGHUP", "SIGNOTHING")):
        assert signal.getsignal(signal.SIGTERM) is before
        signal.raise_signal(signal.SIGHUP)
        await asyncio.wait_for(stopped.wait(), 10)


async def test_in_another_thread_nothing_is_changed_and_nothing_fails() -> None:
    before = signal.getsignal(signal.SIGINT)

    async def work() -> object:
        with stop_signals(lambda: None):
            return signal.getsignal(signal.SIGINT)

    assert await asyncio.to_thread(asyncio.run, work()) is before
    assert signal.getsignal(signal.SIGINT) is before
