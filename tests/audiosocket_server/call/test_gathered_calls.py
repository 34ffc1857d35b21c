"""Calls whose audio is judged together hear the same as calls of which each is judged by itself. Virtual time."""

import asyncio
from collections import deque

import pytest
from audiosocket_server.gathering import LEAST_CALLS, Gathering
from helpers.call_bench import SIM, Bench, Caller, Engine, bench, types, virtual

pytest.importorskip("onnxruntime")

CALLS = LEAST_CALLS + 2
Told = list[tuple[float, str]]


def settings(gathered_ms: int) -> dict[str, dict[str, object]]:
    return {"endpointing": {"engine": "silero", "silero_batch_ms": gathered_ms}}


async def calls(b: Bench) -> list[Caller]:
    made = []
    for _ in range(CALLS):
        made.append(await b.call())
        await asyncio.sleep(0.0027)  # frames of the calls come at all places of the 20 ms
    return made


async def conversations(gathered_ms: int) -> tuple[list[Told], list[bytes], bool]:
    """Each caller says a word, and is answered. Returns events, recognised audio, and whether it gathered."""
    engine = Engine(hears=deque(["sim"] * CALLS))
    async with bench(settings(gathered_ms), engine=engine) as b:
        callers = await calls(b)
        for caller in callers:
            await caller.until(2.2)
            caller.say()
        await callers[-1].until(5.0)
        told = [[(e.at_seconds, e.type) for e in caller.record.events()] for caller in callers]
        return told, sorted(engine.fed), b.server._detectors.gathering is not None


@pytest.mark.long("28 calls, 14 of them with a model of their own")
@virtual
async def test_calls_that_are_judged_together_hear_what_each_hears_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    together: list[int] = []
    judge = Gathering._judge
    monkeypatch.setattr(Gathering, "_judge", lambda self: (together.append(len(self._waiting)), judge(self))[1])
    alone, recognised_alone, gathers = await conversations(0)
    assert not gathers
    assert not together
    gathered, recognised, gathers = await conversations(10)
    assert gathers
    assert max(together) > 3
    assert sum(together) > 500
    assert [[kind for _, kind in told] for told in gathered] == [[kind for _, kind in told] for told in alone]
    flat, flat_alone = ([at for told in each for at, _ in told] for each in (gathered, alone))
    late = [at - before for at, before in zip(flat, flat_alone, strict=True)]
    assert min(late) > -0.001
    assert 0.001 < max(late) < 0.041  # by the wait itself, and by the tick after it
    assert recognised == recognised_alone  # to the sample


@virtual
async def test_no_frame_comes_behind_a_later_one() -> None:
    """Frames that come in one piece, as after a hold-up of the network, end the wait of those before."""
    async with bench(settings(10)) as b:
        callers = await calls(b)
        await callers[0].until(3.0)
        late = callers[0]
        late.muted = True
        await asyncio.sleep(0.1)
        late.send(0x10, SIM[:320])
        for at in range(320, len(SIM) - 320, 320):
            late.send(0x10, SIM[at : at + 320])
        late.muted = False
        await late.until_event("speech_started")
        await late.until_event("speech_ended", reason="silence")
        whole = b"".join(b.engine.fed)
        assert whole.strip(b"\0")[:4000] in SIM
        assert SIM[4000:8000] in whole


@virtual
async def test_a_call_that_ends_while_its_audio_waits_is_over() -> None:
    async with bench(settings(10)) as b:
        callers = await calls(b)
        await callers[0].until(3.0)
        for caller in callers:
            caller.hang_up()
        await asyncio.sleep(0.5)
        for caller in callers:
            assert types(caller.record)[-1] == "call_ended"
        assert b.server._detectors.gathering is not None
        assert b.server._detectors.gathering.calls == 0


@virtual
async def test_an_error_ends_the_call_whose_audio_it_is_and_no_other() -> None:
    async with bench(settings(10)) as b:
        callers = await calls(b)
        await callers[0].until(3.0)
        broken = next(iter(b.server._door.connections))

        def fail(pcm: bytes) -> None:
            raise ZeroDivisionError

        broken._input._endpointer.audio = fail  # type: ignore[method-assign, assignment]
        await asyncio.sleep(0.5)
        ends = [types(caller.record)[-1] == "call_ended" for caller in callers]
        assert ends.count(True) == 1
