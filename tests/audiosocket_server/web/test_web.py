"""The control API over real HTTP, in virtual time and in memory: lists, streams, pushes, and a prompt end."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from audiosocket_server.admission import Expected
from audiosocket_server.backend.reply import BackendReply
from audiosocket_server.events import (
    CallEndedEvent,
    CallEvent,
    CallStartedEvent,
    CallState,
    DtmfReceivedEvent,
    Recorded,
    StateChangedEvent,
    TranscriptFinalEvent,
)
from audiosocket_server.registry.calls import Calls
from audiosocket_server.registry.vitals import Vitals
from audiosocket_server.web import streams as web_streams
from audiosocket_server.web.api import CALLS_AT_ONCE, MAX_BODY_BYTES, ControlServer
from audiosocket_server.web.sliced import JSON_PIECES_AT_ONCE
from audiosocket_server.web.streams import EVENTS_AT_ONCE
from helpers.web_bench import REPLY, FakeCall, FakeCalls, read_events, serving

from audiosocket_core.lanes import FILES
from audiosocket_sim import virtual_time

PAGE = Path(__file__).parents[3] / "server" / "audiosocket_server" / "web" / "page"


def test_calls_are_listed_and_shown() -> None:
    async def client(http: httpx.AsyncClient) -> None:
        listed = (await http.get("/calls")).json()
        ago = {"began_seconds_ago": asyncio.get_running_loop().time()}
        assert listed == {"calls": [{**call.summary(), **ago} for call in calls.calls]}
        shown = (await http.get("/calls/b")).json()
        assert shown == {
            **calls.calls[1].summary(),
            **ago,
            "transcript": [{"at": 0.1, "origin": "caller", "text": "Olá."}],
            "last_answer": {"content": {"mensagem": "half a pair: ?"}},
        }
        assert (await http.get("/health")).json() == {"status": "ok", "live_calls": 2}

    calls = FakeCalls(FakeCall("a"), FakeCall("b"))
    serving(calls, client)


@pytest.mark.parametrize("path", ["/calls/x", "/calls/x/events", "/nothing", "/calls/a/b/c"])
def test_what_is_not_there_is_404_in_json(path: str) -> None:
    async def client(http: httpx.AsyncClient) -> None:
        answer = await http.get(path)
        assert answer.status_code == 404
        assert list(answer.json()) == ["error"]

    serving(FakeCalls(FakeCall("a")), client)


def test_a_stream_replays_goes_on_live_and_ends_with_the_call() -> None:
    async def client(http: httpx.AsyncClient) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(40, call.record, TranscriptFinalEvent("Sim,\nclaro."))
        loop.call_later(41, call.record, CallEndedEvent("caller", "hung up", 41_000))
        events = await read_events(http, "/calls/a/events")
        assert [(e["id"], e["event"]) for e in events] == [
            ("1", "call_started"),
            ("2", "state_changed"),
            ("3", "transcript_final"),
            ("4", "call_ended"),
        ]
        assert [e["data"] for e in events] == [recorded.to_json() for recorded in call.events()]
        assert events[2]["data"]["text"] == "Sim,\nclaro."
        assert loop.time() == pytest.approx(41, abs=0.01)

    call = FakeCall("a", CallStartedEvent("a", "127.0.0.1:9"), StateChangedEvent(CallState.STANDBY, CallState.IA_TURN))
    serving(FakeCalls(call), client)


def test_a_client_that_comes_back_gets_what_it_missed_and_no_more() -> None:
    async def client(http: httpx.AsyncClient) -> None:
        events = await read_events(http, "/calls/a/events", **{"Last-Event-ID": "1"})
        assert [e["id"] for e in events] == ["2"]
        events = await read_events(http, "/calls/a/events", **{"Last-Event-ID": "nonsense"})
        assert [e["id"] for e in events] == ["1", "2"]
        # 204 is how an EventSource learns that it need not come back again.
        assert (await http.get("/calls/a/events", headers={"Last-Event-ID": "2"})).status_code == 204

    call = FakeCall("a", CallStartedEvent("a", "127.0.0.1:9"), CallEndedEvent("caller", "hung up", 100))
    serving(FakeCalls(call), client)


def test_a_client_that_goes_leaves_nothing_behind() -> None:
    async def client(http: httpx.AsyncClient) -> None:
        async with http.stream("GET", "/calls/a/events") as answer:
            await anext(answer.aiter_lines())
            assert len(call.watchers) == 1
        await asyncio.sleep(0.1)
        assert call.watchers == []

    call = FakeCall("a", CallStartedEvent("a", "127.0.0.1:9"))
    serving(FakeCalls(call), client)


def test_the_list_of_calls_is_told_as_it_changes() -> None:
    async def client(http: httpx.AsyncClient) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(5, calls.add, FakeCall("b"))
        seen: list[list[str]] = []
        async with http.stream("GET", "/events") as answer:
            async for line in answer.aiter_lines():
                if line.startswith("data: "):
                    seen.append([call["id"] for call in json.loads(line.removeprefix("data: "))["calls"]])
                if len(seen) == 2:
                    break
        assert seen == [["a"], ["b"]]
        assert loop.time() == pytest.approx(5, abs=0.01)
        await asyncio.sleep(0.5)

    calls = FakeCalls(FakeCall("a"))
    serving(calls, client)


def test_a_pushed_message_reaches_its_call() -> None:
    async def client(http: httpx.AsyncClient) -> None:
        answer = await http.post("/calls/a/messages", json=REPLY)
        assert (answer.status_code, answer.json()) == (202, {"accepted": True, "warnings": []})
        answer = await http.post("/calls/a/messages", json={"content": {}, "set_call_status": "BYE"})
        assert answer.json()["warnings"] == ['unknown set_call_status "BYE", taken as USER_TURN']

    call = FakeCall("a")
    serving(FakeCalls(call), client)
    assert [(reply.message, reply.status) for reply in call.pushed] == [("Pode entrar.", "STANDBY"), ("", "USER_TURN")]


@pytest.mark.parametrize(
    ("state", "waiting", "code", "why"),
    [
        (CallState.USER_TURN, 0, 409, "call a is in USER_TURN: messages are accepted only in WAITING or IA_TURN"),
        (CallState.STANDBY, 0, 409, "call a is in STANDBY: messages are accepted only in WAITING or IA_TURN"),
        (CallState.IA_TURN, 2, 409, "call a is in IA_TURN: its queue of messages is full"),
    ],
)
def test_a_message_that_the_call_does_not_take_is_409(state: CallState, waiting: int, code: int, why: str) -> None:
    async def client(http: httpx.AsyncClient) -> None:
        answer = await http.post("/calls/a/messages", json=REPLY)
        assert (answer.status_code, answer.json()) == (code, {"error": why})

    call = FakeCall("a")
    call.state = state
    call.pushed = [BackendReply("", CallState.WAITING, {})] * waiting
    serving(FakeCalls(call), client)


def test_a_message_for_an_unknown_or_ended_call_is_404() -> None:
    async def client(http: httpx.AsyncClient) -> None:
        assert (await http.post("/calls/b/messages", json=REPLY)).status_code == 404
        answer = await http.post("/calls/a/messages", json=REPLY)
        assert (answer.status_code, answer.json()) == (404, {"error": "call a has ended"})

    serving(FakeCalls(FakeCall("a", CallEndedEvent("caller", "hung up", 100))), client)


@pytest.mark.every(5)
@pytest.mark.parametrize(
    ("body", "code", "why"),
    [
        (b"{", 422, "not valid JSON: Expecting property name enclosed in double quotes (line 1, column 2)"),
        (b"", 422, "not valid JSON: Expecting value (line 1, column 1)"),
        (b'{"mensagem": "Pode entrar."}', 422, "content is missing"),
        (b'{"content": {"mensagem": 1}}', 422, "content.mensagem: expected text, not a number"),
        (b" " * (MAX_BODY_BYTES + 1), 413, f"a message may have at most {MAX_BODY_BYTES} bytes"),
    ],
)
def test_a_bad_message_is_refused_with_the_reason(body: bytes, code: int, why: str) -> None:
    async def client(http: httpx.AsyncClient) -> None:
        answer = await http.post("/calls/a/messages", content=body)
        assert (answer.status_code, answer.json()) == (code, {"error": why})

    call = FakeCall("a")
    serving(FakeCalls(call), client)
    assert call.pushed == []


def test_a_page_of_another_origin_may_not_speak_into_a_call() -> None:
    async def client(http: httpx.AsyncClient) -> None:
        answer = await http.post("/calls/a/messages", json=REPLY, headers={"Origin": "http://evil.test"})
        assert answer.status_code == 403
        own = {"Origin": str(http.base_url).rstrip("/")}
        assert (await http.post("/calls/a/messages", json=REPLY, headers=own)).status_code == 202

    serving(FakeCalls(FakeCall("a")), client)


def test_the_debug_page_is_served_whole_and_asks_nobody_else() -> None:
    kinds = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}

    async def client(http: httpx.AsyncClient) -> None:
        html = (await http.get("/")).text
        for file in (*FILES, *sorted(PAGE.iterdir())):
            answer = await http.get(f"/page/{file.name}" if file.suffix != ".html" else "/")
            assert answer.status_code == 200
            assert answer.headers["content-type"] == f"{kinds[file.suffix]}; charset=utf-8"
            assert "default-src 'none'" in answer.headers["content-security-policy"]
            addresses = re.findall(r"https?://[^\"']+", answer.text)
            assert set(addresses) <= {"http://www.w3.org/2000/svg"}  # a name, which nobody asks
            assert not re.search(r"innerHTML|outerHTML|document\.write|insertAdjacentHTML|eval\(", answer.text)
            for name in re.findall(r'(?:src|href)="([^#"]+)"', answer.text):
                assert name.startswith("data:") or (await http.get(f"/{name}")).status_code == 200
            for name in re.findall(r'(?:from|import) "\./([^"]+)"', answer.text):
                assert (await http.get(f"/page/{name}")).status_code == 200
            for element in re.findall(r'\bat\("([^"]+)"\)', answer.text):
                assert f'id="{element}"' in html

    serving(FakeCalls(), client)


@pytest.mark.parametrize(("file", "table"), [("words.js", "LINES"), ("timeline.js", "MARKS")])
def test_the_page_knows_only_events_that_exist(file: str, table: str) -> None:
    script = (PAGE / file).read_text(encoding="utf-8")
    named = set(re.findall(r"^  (\w+): ", script.split(f"const {table} = {{")[1].split("\n};")[0], re.MULTILINE))
    assert named <= {Recorded("", 0, 0, make).type for make in _one_of_each()}
    assert len(named) >= 7


def _one_of_each() -> list[Any]:
    from typing import get_args

    return [kind.__new__(kind) for kind in get_args(CallEvent)]


@pytest.mark.parametrize("split", ["none", "seeded"])
def test_the_end_is_prompt_with_streams_open(split: Any) -> None:
    async def scene() -> None:
        calls = FakeCalls(FakeCall("a", CallStartedEvent("a", "127.0.0.1:9")))
        server = ControlServer(calls)
        url = await server.start("127.0.0.1", 0)
        async with httpx.AsyncClient(base_url=url, trust_env=False, verify=False) as http:
            stream = asyncio.create_task(read_events(http, "/calls/a/events"))
            lists = asyncio.create_task(read_events(http, "/events"))
            await asyncio.sleep(1)
            before = asyncio.get_running_loop().time()
            await server.aclose()
            assert asyncio.get_running_loop().time() - before < 0.5
            # Both end as a stream ends, not as one that breaks off.
            assert [e["event"] for e in await stream] == ["call_started"]
            assert [e["event"] for e in await lists] == ["calls"]
        assert asyncio.all_tasks() == {asyncio.current_task()}

    loop = virtual_time.new_loop(split=split)
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(scene())


def test_the_registry_of_the_server_is_what_is_asked_for() -> None:
    async def scene() -> None:
        calls = Calls()
        taken: list[BackendReply] = []
        record = calls.open("0-1", "127.0.0.1:9", lambda reply: not taken.append(reply))
        record.record(CallStartedEvent("0-1", "127.0.0.1:9"), 0.0)
        server = ControlServer(calls)
        url = await server.start("127.0.0.1", 0)
        async with httpx.AsyncClient(base_url=url, trust_env=False, verify=False) as http:
            stream = asyncio.create_task(read_events(http, "/calls/0-1/events"))
            assert (await http.get("/calls")).json()["calls"][0]["state"] == "STANDBY"
            assert (await http.post("/calls/0-1/messages", json=REPLY)).status_code == 202
            record.record(DtmfReceivedEvent("5"), 1.0)
            record.record(CallEndedEvent("caller", "hung up", 2000), 2.0)
            assert [e["event"] for e in await stream] == ["call_started", "dtmf_received", "call_ended"]
            shown = (await http.get("/calls/0-1")).json()
            assert [entry["origin"] for entry in shown["transcript"]] == ["caller", "system"]
            assert (await http.post("/calls/0-1/messages", json=REPLY)).status_code == 404
        await server.aclose()
        assert [reply.message for reply in taken] == ["Pode entrar."]

    virtual_time.run(scene)


@pytest.mark.long("each test has a server of its own")
def test_many_servers_one_after_the_other_each_on_a_loop_of_its_own() -> None:
    for _ in range(60):
        serving(FakeCalls(FakeCall("a", CallEndedEvent("caller", "hung up", 1))), lambda http: _one_stream(http))


async def _one_stream(http: httpx.AsyncClient) -> None:
    assert len(await read_events(http, "/calls/a/events")) == 1


@pytest.mark.kernel
async def test_over_kernel_sockets_a_reader_that_sleeps_cannot_hold_the_end_up() -> None:
    call = FakeCall("a", *(TranscriptFinalEvent("x" * 10_000) for _ in range(100)))
    server = ControlServer(FakeCalls(call))
    url = await server.start("127.0.0.1", 0)
    port = int(url.rsplit(":", 1)[1])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    writer.write(b"GET /calls/a/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
    while not call.watchers:  # noqa: ASYNC110
        await asyncio.sleep(0)
    async with asyncio.timeout(10):
        await server.aclose()
    assert call.watchers == []
    writer.close()
    del reader


@pytest.mark.kernel
async def test_a_port_in_use_is_an_oserror_and_no_exit() -> None:
    first, second = ControlServer(FakeCalls()), ControlServer(FakeCalls())
    url = await first.start("127.0.0.1", 0)
    with pytest.raises(OSError, match="in use"):
        await second.start("127.0.0.1", int(url.rsplit(":", 1)[1]))
    await second.aclose()
    await first.aclose()


def test_a_last_event_id_that_is_no_number_of_ours_replays_all() -> None:
    async def client(http: httpx.AsyncClient) -> None:
        for wrong in ("9" * 5000, "-1", "1.5"):
            events = await read_events(http, "/calls/a/events", **{"Last-Event-ID": wrong})
            assert [e["id"] for e in events] == ["1", "2"]

    serving(FakeCalls(FakeCall("a", CallStartedEvent("a", ""), CallEndedEvent("caller", "hung up", 100))), client)


def test_a_call_that_ends_while_a_message_is_on_its_way_is_404() -> None:
    async def client(http: httpx.AsyncClient) -> None:
        async def slowly() -> AsyncIterator[bytes]:
            body = json.dumps(REPLY).encode()
            yield body[:5]
            await asyncio.sleep(1)
            call.state = CallState.STANDBY
            call.record(CallEndedEvent("caller", "hung up", 1000))
            yield body[5:]

        answer = await http.post("/calls/a/messages", content=slowly())
        assert answer.status_code == 404

    call = FakeCall("a")
    serving(FakeCalls(call), client)


def test_streams_are_bounded_and_pushes_go_through_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_streams, "MOST_STREAMS", 3)

    async def client(http: httpx.AsyncClient) -> None:
        async with AsyncExitStack() as streams:
            for _ in range(3):
                opened = await streams.enter_async_context(http.stream("GET", "/calls/a/events"))
                assert opened.status_code == 200
            for path in ("/calls/a/events", "/events"):
                refused = await http.get(path)
                assert (refused.status_code, list(refused.json())) == (503, ["error"])
            assert (await http.post("/calls/a/messages", json=REPLY)).status_code == 202
        await asyncio.sleep(0.1)
        async with http.stream("GET", "/calls/a/events") as again:
            assert again.status_code == 200

    serving(FakeCalls(FakeCall("a", CallStartedEvent("a", ""))), client)


def test_a_client_that_says_nothing_costs_no_more_than_a_connection() -> None:
    async def scene() -> None:
        server = ControlServer(FakeCalls())
        url = await server.start("127.0.0.1", 0)
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        writer.write(b"POST /calls/a/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 50\r\n\r\n")
        await asyncio.sleep(1)
        began = asyncio.get_running_loop().time()
        await server.aclose()
        assert asyncio.get_running_loop().time() - began <= 2.1
        writer.close()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        del reader

    virtual_time.run(scene)


def test_a_call_is_announced_where_only_expected_ones_come_in() -> None:
    uuid = "40325ec2-5efd-4bd3-805f-53576e581d13"

    async def client(http: httpx.AsyncClient, expected: Expected) -> None:
        answer = await http.post("/expected", json={"uuid": uuid.upper()})
        if expected.takes_any:
            assert answer.status_code == 409
            return
        assert (answer.status_code, answer.json()) == (201, {"uuid": uuid, "valid_seconds": 60})
        assert expected.take(UUID(uuid), asyncio.get_running_loop().time())
        for body in (b"x", b"[]", b"[" * 50_000, b'{"uuid": "x"}', b"\xff"):
            refused = await http.post("/expected", content=body)
            assert (refused.status_code, list(refused.json())) == (422, ["error"])

    async def scene() -> None:
        for listed in ((), None):
            expected = Expected(listed, 60)
            server = ControlServer(FakeCalls(), expected=expected)
            url = await server.start("127.0.0.1", 0)
            async with httpx.AsyncClient(base_url=url, trust_env=False, verify=False) as http:
                await client(http, expected)
            await server.aclose()

    virtual_time.run(scene)


async def _turns_and_most_at_once(work: "asyncio.Future[Any]", counted: list[int]) -> tuple[int, int]:
    """Count the turns of the loop until `work` is done, and the most that was added to `counted` in one of them."""
    n_turns, most, before = 0, 0, sum(counted)
    while not work.done():
        await asyncio.sleep(0)
        n_turns, most, before = n_turns + 1, max(most, sum(counted) - before), sum(counted)
    return n_turns, most


@pytest.mark.every(2)
@pytest.mark.parametrize("path", ["/calls", "/metrics"])
def test_a_long_list_of_calls_leaves_the_loop_to_others(path: str) -> None:
    async def client(http: httpx.AsyncClient) -> None:
        asking = asyncio.ensure_future(http.get(path))
        _, most = await _turns_and_most_at_once(asking, counted)
        assert (await asking).status_code == 200
        assert sum(counted) == 300
        assert most <= CALLS_AT_ONCE

    class Counted(FakeCall):
        def summary(self) -> Mapping[str, object]:
            counted.append(1)
            return super().summary()

        def vitals(self) -> Vitals:
            counted.append(1)
            return super().vitals()

    counted: list[int] = []
    serving(FakeCalls(*(Counted(f"{number}") for number in range(300))), client)


def test_a_long_answer_is_written_in_many_turns_of_the_loop() -> None:
    async def client(http: httpx.AsyncClient) -> None:
        asking = asyncio.ensure_future(http.get("/calls/a"))
        n_turns, _ = await _turns_and_most_at_once(asking, [])
        assert (await asking).json()["last_answer"] == call.last_answer
        assert n_turns >= 2 * 10_000 / JSON_PIECES_AT_ONCE

    call = FakeCall("a")
    call.last_answer = {"numbers": [[] for _ in range(10_000)]}
    serving(FakeCalls(call), client)


def test_a_client_that_comes_late_gets_the_events_in_many_turns_of_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    async def client(http: httpx.AsyncClient) -> None:
        reading = asyncio.ensure_future(read_events(http, "/calls/a/events"))
        _, most = await _turns_and_most_at_once(reading, counted)
        assert len(await reading) == len(counted) == 301
        assert most <= EVENTS_AT_ONCE

    def to_json(recorded: Recorded) -> dict[str, object]:
        counted.append(1)
        return written(recorded)

    counted: list[int] = []
    written = Recorded.to_json
    monkeypatch.setattr(Recorded, "to_json", to_json)
    events = [*[DtmfReceivedEvent("1")] * 300, CallEndedEvent("caller", "hung up", 100)]
    serving(FakeCalls(FakeCall("a", *events)), client)
