"""Scenarios from code: `run` and `arun` beside and within event loops, and how an outcome reads."""

import asyncio
import contextvars
import threading
import warnings
from pathlib import Path
from typing import Any

import pytest

from audiosocket_sim import CallResult, Entry, Options, Outcome, Result, Scenario, arun, run
from audiosocket_sim.running.one_call import OneCall
from audiosocket_sim.scenario.loading import load_text
from audiosocket_sim.virtual_time import run as run_virtually

BOT = Options(target="helpers.scripted_bot:serve")


def scenario(steps: str = "[{expect: {bot_says: Pode subir.}}]", name: str = "short", **keys: Any) -> Scenario:
    more = "".join(f"{key}: {value}\n" for key, value in keys.items())
    server = "server: {script: [[0.5, say, pt-br/pode_subir]]}"
    return load_text(f"summary: A call.\n{more}{server}\nsteps: {steps}\n", name)


def test_run_within_a_loop_names_arun_and_leaves_nothing_behind() -> None:
    async def main() -> None:
        with pytest.raises(RuntimeError, match=r"`await arun\(\.\.\.\)` instead"):
            run(scenario(), BOT)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        asyncio.run(main())


@pytest.mark.every(2)
@pytest.mark.parametrize("runner", [asyncio.run, run_virtually], ids=["real clock", "virtual clock"])
def test_arun_gives_what_run_gives(runner: Any) -> None:
    async def main() -> Any:
        return await arun(scenario(), BOT)

    result = runner(main())
    expected = run(scenario(), BOT)
    assert (result.outcome, result.entries) == (Outcome.PASSED, expected.entries)


@pytest.mark.long("one call at a time is made")
def test_two_at_a_time_are_two_calls_in_virtual_time() -> None:
    async def main() -> list[Any]:
        return await asyncio.gather(
            *(arun(scenario("[{wait: 10min}]", name, max_duration="20min"), BOT) for name in "ab")
        )

    results = asyncio.run(main())
    assert [result.scenario.name for result in results] == ["a", "b"]
    assert {result.outcome for result in results} == {Outcome.PASSED}
    assert {result.duration_ms for result in results} == {600_000}


def test_the_entries_are_seen_in_the_thread_of_the_call() -> None:
    seen: list[tuple[str, bool, str]] = []
    where = contextvars.ContextVar("where", default="nowhere")

    def look(entry: Entry, call: Any) -> None:
        here = threading.current_thread() is threading.main_thread()
        seen.append((type(entry.event).__name__, here, where.get()))

    async def main() -> None:
        where.set("in the test")
        await arun(scenario(), BOT, on_entry=look)

    asyncio.run(main())
    assert ("BotSpoke", False, "in the test") in seen


@pytest.mark.long("calls that are interrupted leave their files")
def test_cancelling_stops_the_call_and_writes_its_files(tmp_path: Path) -> None:
    running = threading.Event()

    def look(entry: Entry, call: Any) -> None:
        running.set()

    async def main() -> None:
        options = Options(target=BOT.target, real_time=True, artefacts=tmp_path)
        task = asyncio.create_task(arun(scenario("[{wait: 60min}]", max_duration="90min"), options, look))
        await asyncio.to_thread(running.wait)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert "somebody cancelled" in (tmp_path / "transcript.txt").read_text(encoding="utf-8")
    assert (tmp_path / "call.wav").stat().st_size > 44
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("virtual-time")]


@pytest.mark.long("it is cancelled once")
def test_cancelling_twice_writes_its_files_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    running, cancelled_twice = threading.Event(), threading.Event()
    real = OneCall.conclude

    def conclude(call: OneCall) -> Result:
        assert cancelled_twice.wait(60)
        return real(call)

    def look(entry: Entry, call: Any) -> None:
        running.set()

    async def main() -> None:
        options = Options(target=BOT.target, real_time=True, artefacts=tmp_path)
        task = asyncio.create_task(arun(scenario("[{wait: 60min}]", max_duration="90min"), options, look))
        await asyncio.to_thread(running.wait)
        for _ in range(3):
            task.cancel("of the test")
            for _ in range(3):
                await asyncio.sleep(0)
        cancelled_twice.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (tmp_path / "call.wav").stat().st_size > 44

    monkeypatch.setattr(OneCall, "conclude", conclude)
    asyncio.run(main())


def test_a_fault_of_the_set_up_is_a_result_too() -> None:
    async def main() -> Any:
        return await arun(scenario(), Options(target="nobody:serve"))

    result = asyncio.run(main())
    assert result.outcome is Outcome.SET_UP
    assert result.calls[0].uuid is not None  # the call had its UUID; it was not placed
    assert result.calls[0].entries == result.entries


@pytest.mark.parametrize(
    ("outcome", "words"),
    list(zip(Outcome, ["passed", "failed", "invalid", "set-up error", "inconclusive"], strict=True)),
)
def test_an_outcome_reads_well_and_is_its_exit_code(outcome: Outcome, words: str) -> None:
    assert str(outcome) == f"{outcome}" == words
    assert int(outcome) == list(Outcome).index(outcome)


def test_a_result_has_one_call(tmp_path: Path) -> None:
    result = run(scenario(), Options(target=BOT.target, artefacts=tmp_path))
    (call,) = result.calls
    assert isinstance(call, CallResult)
    assert (call.name, call.entries, call.failures) == ("short", result.entries, ())
    assert (call.transcript, call.artefacts, call.duration_ms) == (
        result.transcript,
        result.artefacts,
        result.duration_ms,
    )
