"""Frames of many calls wait for each other a few milliseconds, and are judged at once. Virtual time, no model."""

import asyncio
from collections.abc import Sequence
from typing import cast

import numpy as np
from audiosocket_server.endpointing import SileroBatch, SileroStream, SileroVad, SileroWindow, WebRtcVad
from audiosocket_server.gathering import LEAST_CALLS, MOST_WINDOWS, Gathering
from helpers.call_bench import virtual

FRAME = b"\1\2" * 160


class Batch:
    """Counts how many windows were judged in each run."""

    contexts, states = np.zeros((2, 32), np.float32), np.zeros((2, 2, 128), np.float32)

    def __init__(self) -> None:
        self.runs: list[int] = []

    def judge_ahead(self, windows: Sequence[tuple[SileroStream, SileroWindow]]) -> None:
        self.runs.append(len(windows))
        for stream, window in windows:
            stream.ahead = (window.tobytes(), 0.5)


def gathering(calls: int = LEAST_CALLS) -> tuple[Gathering, Batch]:
    batch = Batch()
    made = Gathering(cast(SileroBatch, batch), 0.01)
    made.calls = calls
    return made, batch


def detector(batch: Batch, *, frames: int = 1) -> SileroVad:
    """A detector that has got some frames of a window."""
    vad = SileroVad(0.5, SileroStream(cast(SileroBatch, batch), 0))
    for _ in range(frames):
        vad.is_speech(FRAME)
    return vad


@virtual
async def test_windows_that_come_within_its_time_are_judged_in_one_run() -> None:
    gathered, batch = gathering()
    loop, taken = asyncio.get_running_loop(), []
    began = loop.time()
    for number in range(3):
        assert gathered.add(detector(batch), FRAME, lambda number=number: taken.append((number, loop.time())))  # type: ignore[misc]
        await asyncio.sleep(0.003)
    assert not taken
    await asyncio.sleep(0.002)
    assert [number for number, _ in taken] == [0, 1, 2]
    assert all(abs(at - began - 0.01) < 0.001 for _, at in taken)
    assert gathered.add(detector(batch), FRAME, lambda: None)
    await asyncio.sleep(0.02)
    assert batch.runs == [3, 1]


@virtual
async def test_when_there_are_many_they_wait_no_longer() -> None:
    gathered, batch = gathering()
    for _ in range(MOST_WINDOWS):
        gathered.add(detector(batch), FRAME, lambda: None)
    await asyncio.sleep(0)
    assert batch.runs == [MOST_WINDOWS]
    await asyncio.sleep(0.02)
    assert batch.runs == [MOST_WINDOWS]


@virtual
async def test_what_need_not_wait_does_not() -> None:
    gathered, batch = gathering()
    no_window = detector(batch, frames=0)
    assert not gathered.add(no_window, FRAME, lambda: None)
    assert not gathered.add(None, FRAME, lambda: None)
    assert not gathered.add(cast(SileroVad, WebRtcVad(2)), FRAME, lambda: None)
    assert not gathered.add(detector(batch), FRAME[:100], lambda: None)
    gathered.calls = LEAST_CALLS - 1
    assert not gathered.add(detector(batch), FRAME, lambda: None)
    await asyncio.sleep(0.02)
    assert batch.runs == []


@virtual
async def test_once_it_is_closed_nothing_is_judged() -> None:
    gathered, batch = gathering()
    gathered.add(detector(batch), FRAME, lambda: None)
    gathered.close()
    await asyncio.sleep(0.02)
    assert batch.runs == []


@virtual
async def test_a_run_that_fails_keeps_nobody_waiting() -> None:
    gathered, batch = gathering()
    told: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context["exception"]))

    def fail(windows: object) -> None:
        raise RuntimeError("the model")

    batch.judge_ahead = fail  # type: ignore[method-assign]
    taken: list[int] = []
    for number in range(2):
        gathered.add(detector(batch), FRAME, lambda number=number: taken.append(number))  # type: ignore[misc]
    await asyncio.sleep(0.02)
    assert taken == [0, 1]
    assert [type(error) for error in told] == [RuntimeError]


@virtual
async def test_of_a_call_that_floods_one_window_is_judged() -> None:
    """The next frame ends the wait of the first, which is then judged by itself."""
    gathered, batch = gathering()
    flood, other = detector(batch), detector(batch)
    taken: list[str] = []
    gathered.add(other, FRAME, lambda: taken.append("other"))
    for _ in range(MOST_WINDOWS):
        gathered.add(flood, FRAME, lambda: taken.append("flood"))
    await asyncio.sleep(0.02)
    assert batch.runs == [2]
    assert taken == ["other", "flood"]
