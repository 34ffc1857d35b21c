"""The list of calls as a stream: what changed, what is gone, levels for who asks; and the hang-up."""

import asyncio
import json
from typing import Any

import httpx
import pytest
from audiosocket_server.events import CallEndedEvent, CallStartedEvent, DtmfReceivedEvent
from audiosocket_server.web.api import ControlServer
from helpers.call_bench import bench, types, virtual
from helpers.web_bench import FakeCall, FakeCalls, read_events, serving


async def told_in(http: httpx.AsyncClient, url: str, seconds: float) -> list[tuple[float, str, Any]]:
    """What a stream tells within so long: when, event, data."""
    told: list[tuple[float, str, Any]] = []
    loop = asyncio.get_running_loop()
    began = loop.time()

    async def read() -> None:
        async with http.stream("GET", url) as answer:
            event = ""
            async for line in answer.aiter_lines():
                if line.startswith("event: "):
                    event = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    told.append((round(loop.time() - began, 2), event, json.loads(line.removeprefix("data: "))))

    reading = asyncio.create_task(read())
    await asyncio.sleep(seconds)
    reading.cancel()
    await asyncio.wait([reading])
    return told


def test_first_the_whole_list_then_what_changed_and_what_is_gone() -> None:
    async def client(http: httpx.AsyncClient) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(1, calls.add, second := FakeCall("b"))
        loop.call_later(2, second.record, DtmfReceivedEvent("1"))
        loop.call_later(2, calls.tell)
        loop.call_later(3, calls.calls.remove, first)
        loop.call_later(3, calls.tell)
        told = await told_in(http, "/events", 4)
        assert [(at, event) for at, event, _ in told] == [(0, "calls"), (1, "changed"), (2, "changed"), (3, "changed")]
        assert [[call["id"] for call in data["calls"]] for _, _, data in told] == [["a"], ["b"], ["b"], []]
        assert [data["gone"] for _, _, data in told] == [[], [], [], [first.number]]
        assert len(told[0][2]["server"]) == 32
        assert told[1][2]["calls"][0]["began_seconds_ago"] == pytest.approx(1, abs=0.1)
        again = await told_in(http, "/events", 0.1)
        assert again[0][2]["server"] == told[0][2]["server"]
        assert [call["id"] for call in again[0][2]["calls"]] == ["b"]

    calls = FakeCalls(first := FakeCall("a"))
    serving(calls, client)


def test_a_burst_of_changes_is_told_five_times_a_second() -> None:
    async def client(http: httpx.AsyncClient) -> None:
        loop = asyncio.get_running_loop()
        for n in range(100):
            loop.call_later(n / 100, call.record, DtmfReceivedEvent("1"))
            loop.call_later(n / 100, calls.tell)
        assert len(await told_in(http, "/events", 2)) <= 7

    calls = FakeCalls(call := FakeCall("a"))
    serving(calls, client)


def test_levels_are_measured_once_for_all_who_ask_and_for_nobody_else() -> None:
    async def client(http: httpx.AsyncClient) -> None:
        await told_in(http, "/events", 2)
        assert call.measured == 0
        several = await asyncio.gather(*(told_in(http, "/events?levels=1", 2.05) for _ in range(3)))
        for told in several:
            levels = [(at, data) for at, event, data in told if event == "levels"]
            assert [at for at, _ in levels] == pytest.approx([n / 5 for n in range(11)], abs=0.02)
            (number, (seconds, caller, bot)) = next(iter(levels[0][1].items()))
            assert (int(number), caller, bot) == (call.number, -30, -20)
            assert seconds == pytest.approx(2, abs=0.1)
        assert call.measured == 11
        assert ended.measured == 0

    calls = FakeCalls(call := FakeCall("a"), ended := FakeCall("b", CallEndedEvent("caller", "gone", 1)))
    serving(calls, client)


def test_hanging_up_ends_the_call_once() -> None:
    async def client(http: httpx.AsyncClient) -> None:
        answer = await http.post("/calls/a/hangup")
        assert (answer.status_code, answer.json()["live"]) == (200, False)
        assert (await http.post("/calls/a/hangup")).status_code == 404
        assert (await http.post("/calls/b/hangup")).status_code == 404
        assert (await http.get("/calls/a/hangup")).status_code == 405

    serving(FakeCalls(call := FakeCall("a", CallStartedEvent("a", ""))), client)
    assert call.hung_up == ["hung up by the control API"]


@virtual
async def test_a_live_call_is_watched_and_hung_up() -> None:
    async with bench() as b:
        control = ControlServer(b.server.calls)
        url = await control.start("127.0.0.1", 0)
        async with httpx.AsyncClient(base_url=url, trust_env=False, verify=False) as http:
            caller = await b.call()
            events = asyncio.create_task(read_events(http, "/calls/1/events"))
            caller.say()
            told = await told_in(http, "/events?levels=1", 2)
            levels = [data["1"] for _, event, data in told if event == "levels"]
            assert max(caller_dbfs for _, caller_dbfs, _ in levels) > -40  # the word
            assert max(bot_dbfs for _, _, bot_dbfs in levels) > -20  # the greeting
            assert levels[0][2] == -120  # which has not begun yet
            caller.muted = True
            await asyncio.sleep(0.5)
            assert (await told_in(http, "/events?levels=1", 0.1))[1][2]["1"][1] == -120
            assert "voicebot_calls_active 1.0" in (await http.get("/metrics")).text
            answer = (await http.post("/calls/1/hangup")).json()
            assert answer["ended"]["reason"] == "hung up by the control API"
            assert await caller.ended() == "hangup"
            assert (await events)[-1]["event"] == "call_ended"
            assert types(b.server.calls.all()[0])[-1] == "call_ended"
            text = (await http.get("/metrics")).text
            assert 'voicebot_calls_total{outcome="hung_up_by_api"} 1.0' in text
            assert "voicebot_calls_active 0.0" in text
        await control.aclose()
