"""The mock AI backend over HTTP in virtual time: its answers, their times, its events and its failures."""

import asyncio
import contextlib
import json
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from audiosocket_sim import virtual_time
from audiosocket_sim.call_log.events import BackendAsked, BackendPushed, BackendReplied
from audiosocket_sim.cli.mock_ai import _show, _show_failure
from audiosocket_sim.mock_ai.backend import MockAi, answer_json
from audiosocket_sim.net.control_client import ControlError
from audiosocket_sim.scenario import Push, Reply
from audiosocket_sim.scenario.cassette import RawAnswer, RawExchange


class Room:
    """A mock AI, a client of it, and all events with their times in ms."""

    def __init__(self, replies: list[dict[str, Any]], *, each_call: bool = False) -> None:
        self.loop = asyncio.get_running_loop()
        self.ai = MockAi([Reply(**reply) for reply in replies], self.tell, self.push, each_call=each_call)
        self.http = httpx.AsyncClient(trust_env=False, verify=False, timeout=None)
        self.events: list[tuple[int, object]] = []
        self.pushes: list[tuple[int, str, dict[str, Any]]] = []
        self.push_status: int | Exception = 202

    @property
    def now_ms(self) -> int:
        return round(self.loop.time() * 1000)

    def tell(self, event: object) -> None:
        self.events.append((self.now_ms, event))

    async def push(self, conversation_id: str, body: dict[str, Any]) -> int:
        self.pushes.append((self.now_ms, conversation_id, body))
        if isinstance(self.push_status, Exception):
            raise self.push_status
        return self.push_status

    async def ask(self, content: str, conversation_id: str = "call-1") -> httpx.Response:
        return await self.http.post(self.url, json={"id": conversation_id, "content": content})

    async def __aenter__(self) -> "Room":
        self.url = await self.ai.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.aclose()
        await self.ai.aclose()
        assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []


Play = Callable[[Room], Awaitable[None]]


def play(replies: list[dict[str, Any]], act: Play, *, each_call: bool = False, memory: bool = True) -> Room:
    """Run `act` in a room in virtual time, and return the closed room with its events."""

    async def main() -> Room:
        async with Room(replies, each_call=each_call) as room:
            await act(room)
        return room

    return virtual_time.run(main, memory_network=memory)


@pytest.mark.parametrize("memory", [True, False], ids=["in memory", "kernel loopback"])
def test_answers_after_its_think_time_and_reports_question_and_answer(memory: bool) -> None:
    answers: list[dict[str, Any]] = []

    async def act(room: Room) -> None:
        await asyncio.sleep(3)
        answers.append((await room.ask("Quero falar com o APARTAMENTO 202, por favor.")).json())

    reply = {"hears": "apartamento 202", "after": "1.2s", "says": "Vou verificar.", "set_call_status": "WAITING"}
    room = play([reply], act, memory=memory)
    assert room.events == [
        (3000, BackendAsked(1, "call-1", "Quero falar com o APARTAMENTO 202, por favor.")),
        (4200, BackendReplied(1, "Vou verificar.", "WAITING", 1200)),
    ]
    assert answers[0]["content"]["mensagem"] == "Vou verificar."
    assert answers[0]["set_call_status"] == "WAITING"
    assert set(answers[0]) == {"content", "timestamp", "set_call_status"}
    assert room.ai.failures == []
    assert room.ai.unused() == []


def test_takes_the_first_unused_reply_that_fits() -> None:
    said: list[str] = []

    async def act(room: Room) -> None:
        for words in ("sim", "SIM!", "não, obrigado", "sim"):
            said.append((await room.ask(words)).json()["content"]["mensagem"])

    replies = [
        {"hears": "Não", "says": "no"},
        {"hears": "sim", "says": "yes", "times": 2},
        {"says": "anything"},
        {"hears": "nunca", "says": "never", "optional": True},
        {"hears": "porteiro", "says": "never too"},
    ]
    room = play(replies, act)
    assert said == ["yes", "yes", "no", "anything"]
    assert room.ai.unused() == ["5 (hears “porteiro”)"]


def test_a_request_that_fits_nothing_is_answered_500_and_held_against_the_bot() -> None:
    answers: list[httpx.Response] = []

    async def act(room: Room) -> None:
        answers.append(await room.ask("apartamento 203"))

    room = play([{"hears": "apartamento 202", "says": "x"}], act)
    assert answers[0].status_code == 500
    assert answers[0].text == (
        "request 1, “apartamento 203”, fits no reply of the scenario (not used so far: 1 (hears “apartamento 202”))"
    )
    assert room.ai.failures == [answers[0].text]
    assert room.ai.unmatched == [BackendAsked(1, "call-1", "apartamento 203")]
    assert room.events[-1] == (0, BackendReplied(1, None, None, 0, fault="no_reply_fits"))


@pytest.mark.every(2)
@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'{"id": "a"}', b'{"id": 1, "content": "x"}', b"[" * 100_000, b"\xff", b"x" * 1_000_001],
    ids=["empty", "cut off", "a list", "no content", "a number", "deep", "no text", "huge"],
)
def test_a_request_that_is_not_a_question_gets_422_and_uses_no_reply(body: bytes) -> None:
    async def act(room: Room) -> None:
        assert (await room.http.post(room.url, content=body)).status_code == 422

    room = play([{"says": "x"}], act)
    assert room.ai.failures == ['the AI backend got a request that is not {"id": "…", "content": "…"}']
    assert room.ai.unused() == ["1 (hears anything)"]
    assert room.events == []


def test_a_request_that_does_not_end_is_refused_at_its_limit_and_not_kept() -> None:
    async def act(room: Room) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", httpx.URL(room.url).port)
        writer.write(b"POST /messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: 600000000\r\n\r\n")
        sent = 0
        with contextlib.suppress(ConnectionError):
            while sent < 600_000_000 and not reader.at_eof():
                writer.write(bytes(50_000))
                sent += 50_000
                await writer.drain()
                await asyncio.sleep(0)
        assert sent < 5_000_000
        writer.close()

    room = play([{"says": "x"}], act)
    assert room.ai.failures == ['the AI backend got a request that is not {"id": "…", "content": "…"}']


def test_a_client_that_goes_away_within_its_request_is_no_error() -> None:
    errors: list[Exception] = []

    async def act(room: Room) -> None:
        room.ai._on_error = errors.append
        _, writer = await asyncio.open_connection("127.0.0.1", httpx.URL(room.url).port)
        writer.write(b"POST /messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60\r\n\r\n{")
        await writer.drain()
        await asyncio.sleep(1)
        writer.close()
        await asyncio.sleep(1)

    room = play([{"says": "x"}], act)
    assert (errors, room.ai.failures, room.events) == ([], [], [])


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "rebind.evil"}, 403),
        ({"Host": "rebind.evil", "Origin": "http://rebind.evil"}, 403),
        ({"Origin": "http://page.evil"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Host": "host.docker.internal:8000"}, 200),
        ({"Host": "localhost"}, 200),
    ],
)
def test_web_pages_get_no_answer(headers: dict[str, str], status: int) -> None:
    async def act(room: Room) -> None:
        answer = await room.http.post(room.url, json={"id": "1", "content": "Sim."}, headers=headers)
        assert answer.status_code == status

    room = play([{"says": "x"}], act)
    assert len(room.events) == (2 if status == 200 else 0)
    assert room.ai.failures == []


def test_beyond_loopback_a_bot_may_call_it_by_any_name() -> None:
    async def act(room: Room) -> None:
        ai = MockAi([Reply(says="x", times=2)], room.tell, room.push)
        port = httpx.URL(await ai.start(host="0.0.0.0")).port
        for headers, status in (({"Host": "ci.example.com"}, 200), ({"Origin": "http://page.evil"}, 403)):
            asked = {"id": "1", "content": "Sim."}
            answer = await room.http.post(f"http://127.0.0.1:{port}/", json=asked, headers=headers)
            assert answer.status_code == status
        await ai.aclose()

    play([], act)


def test_no_escape_sequence_of_a_bot_reaches_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    _show(BackendAsked(1, "id\x1b[2J", "a\x1b]0;title\x07\n  1  answered\u202eb\ud800"))
    _show(BackendReplied(1, "\x1b[1m", "\x9b", 0))
    _show_failure("a\rb")
    shown = capsys.readouterr().out
    assert len(shown.splitlines()) == 3
    assert shown.replace("\n", "").isprintable()
    assert shown.encode()


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ({}, {"content": {"dados": {}, "valid_for_action": False}}),
        ({"says": ""}, {"content": {"mensagem": "", "dados": {}, "valid_for_action": False}}),
        ({"says": "a", "set_call_status": "PARADO"}, {"set_call_status": "PARADO"}),
        (
            {"says": "a", "set_call_status": "STANDBY", "nested_status": True},
            {"content": {"mensagem": "a", "dados": {}, "valid_for_action": False, "set_call_status": "STANDBY"}},
        ),
        ({"body": {"content": 5, "x": [1]}}, {"content": 5, "x": [1]}),
        ({"fault": "missing_content", "set_call_status": "STANDBY"}, {"set_call_status": "STANDBY"}),
    ],
)
def test_the_answers_json(reply: dict[str, Any], expected: dict[str, Any]) -> None:
    async def act(room: Room) -> None:
        body = (await room.ask("x")).json()
        assert {key: body[key] for key in expected} == expected
        assert ("content" in body) == (reply.get("fault") != "missing_content")
        assert body.get("set_call_status") == expected.get("set_call_status")

    play([reply], act)


def test_a_body_given_in_full_is_sent_unchanged_and_its_words_are_reported() -> None:
    body = {"content": {"mensagem": "olá", "set_call_status": "STANDBY"}, "more": 1}

    async def act(room: Room) -> None:
        assert (await room.ask("x")).json() == body

    room = play([{"body": body}], act)
    assert room.events[-1][1] == BackendReplied(1, "olá", "STANDBY", 0)


@pytest.mark.parametrize(("fault", "status"), [("http_500", 500), ("http_404", 404)])
def test_http_faults(fault: str, status: int) -> None:
    async def act(room: Room) -> None:
        assert (await room.ask("x")).status_code == status

    room = play([{"fault": fault, "after": "300ms"}], act)
    assert room.events[-1] == (300, BackendReplied(1, None, None, 300, fault=fault))
    assert room.ai.unused() == []


def test_invalid_json_comes_with_200() -> None:
    async def act(room: Room) -> None:
        answer = await room.ask("x")
        assert answer.status_code == 200
        with pytest.raises(json.JSONDecodeError):
            answer.json()

    play([{"fault": "invalid_json"}], act)


@pytest.mark.parametrize("memory", [True, False], ids=["in memory", "kernel loopback"])
def test_reset_breaks_the_connection_without_an_answer(memory: bool) -> None:
    async def act(room: Room) -> None:
        with pytest.raises(httpx.ReadError):
            await room.ask("x")
        assert room.now_ms == 500

    room = play([{"fault": "reset", "after": "500ms"}], act, memory=memory)
    assert room.events[-1] == (500, BackendReplied(1, None, None, 500, fault="reset"))


@pytest.mark.parametrize("memory", [True, False], ids=["in memory", "kernel loopback"])
def test_refused_gives_an_address_at_which_nobody_listens(memory: bool) -> None:
    async def act(room: Room) -> None:
        with pytest.raises(httpx.ConnectError):
            await room.ask("x")

    room = play([{"fault": "refused"}], act, memory=memory)
    assert room.ai.unused() == []
    assert room.ai.refuses


def test_no_answer_ends_when_the_bot_gives_up() -> None:
    async def act(room: Room) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(30):
                await room.ask("x")
        await asyncio.sleep(0.001)

    room = play([{"fault": "no_answer"}], act)
    assert room.events[-1] == (30_000, BackendReplied(1, None, None, 30_000, fault="no_answer", delivered=False))


def test_no_answer_ends_with_the_mock_and_is_then_no_event() -> None:
    async def act(room: Room) -> None:
        asking = asyncio.create_task(room.ask("x"))
        await asyncio.sleep(2)
        await room.ai.aclose()
        with pytest.raises(httpx.TransportError):
            await asking

    room = play([{"fault": "no_answer"}], act)
    assert [type(event) for _, event in room.events] == [BackendAsked]


def test_an_answer_that_nobody_waits_for_is_reported_so_and_has_no_pushes() -> None:
    async def act(room: Room) -> None:
        asking = asyncio.create_task(room.ask("x"))
        await asyncio.sleep(1)
        asking.cancel()
        await asyncio.sleep(60)

    room = play([{"says": "late", "after": "5s", "then_pushes": [Push(after="1s", says="later")]}], act)
    assert room.events[-1] == (1000, BackendReplied(1, "late", None, 1000, delivered=False))
    assert room.pushes == []
    assert room.ai.failures == []


def test_pushes_follow_the_answer_each_counted_from_the_one_before() -> None:
    async def act(room: Room) -> None:
        await room.ask("x")
        await asyncio.sleep(20)

    pushes = [
        Push(after="8s", says="one", set_call_status="WAITING"),
        Push(after="2s", says="two", set_call_status="STANDBY", nested_status=True),
        Push(says="three"),
    ]
    room = play([{"says": "wait", "after": "1s", "then_pushes": pushes}], act)
    assert room.pushes == [
        (9000, "call-1", answer_json("one", "WAITING")),
        (11_000, "call-1", answer_json("two", "STANDBY", nested_status=True)),
        (11_000, "call-1", answer_json("three", None)),
    ]
    assert room.events[2:] == [
        (9000, BackendPushed("one", "WAITING", 202)),
        (11_000, BackendPushed("two", "STANDBY", 202)),
        (11_000, BackendPushed("three", None, 202)),
    ]


@pytest.mark.parametrize(
    ("expect_http", "failures"),
    [
        (202, ["push 1 of 1 (hears anything) was answered with 409, not 202"]),
        (409, []),
        (None, []),
    ],
)
def test_the_control_apis_answer_to_a_push_is_checked(expect_http: int | None, failures: list[str]) -> None:
    async def act(room: Room) -> None:
        room.push_status = 409
        await room.ask("x")
        await asyncio.sleep(1)

    room = play([{"says": "x", "then_pushes": [Push(says="y", expect_http=expect_http)]}], act)
    assert room.events[-1][1] == BackendPushed("y", None, 409)
    assert room.ai.failures == failures


def test_a_push_that_cannot_be_delivered_is_a_failure() -> None:
    async def act(room: Room) -> None:
        room.push_status = ControlError("nobody there")
        await room.ask("x")
        await asyncio.sleep(1)

    room = play([{"says": "x", "then_pushes": [Push(says="y")]}], act)
    assert room.ai.failures == ["push 1 of 1 (hears anything) could not be delivered: nobody there"]


def test_pushes_that_are_not_yet_due_are_dropped_at_the_end() -> None:
    async def act(room: Room) -> None:
        await room.ask("x")
        await asyncio.sleep(3)

    room = play([{"says": "x", "then_pushes": [Push(after="2s", says="y"), Push(after="2s", says="z")]}], act)
    assert [at for at, _, _ in room.pushes] == [2000]
    assert room.ai.failures == []


def test_for_call_after_call_replies_are_used_up_by_each_alone() -> None:
    async def act(room: Room) -> None:
        assert (await room.ask("x", "call-1")).status_code == 200
        assert (await room.ask("x", "call-2")).status_code == 200
        assert (await room.ask("x", "call-1")).status_code == 500

    play([{"says": "once"}], act, each_call=True)


def test_two_questions_at_once_are_two_answers() -> None:
    async def act(room: Room) -> None:
        first, second = await asyncio.gather(room.ask("um", "a"), room.ask("dois", "b"))
        assert first.json()["content"]["mensagem"] == "1"
        assert second.json()["content"]["mensagem"] == "2"

    replies = [{"hears": "um", "says": "1", "after": "2s"}, {"hears": "dois", "says": "2", "after": "1s"}]
    room = play(replies, act)
    assert [at for at, _ in room.events] == [0, 0, 1000, 2000]


def test_a_trailing_slash_is_the_same_address_and_get_is_not_for_asking() -> None:
    async def act(room: Room) -> None:
        assert (await room.http.post(f"{room.url}/", json={"id": "a", "content": "x"})).status_code == 200
        assert (await room.http.get(room.url)).status_code == 405

    play([{"says": "x"}], act)


def test_a_taken_port_is_an_oserror() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()

        async def main() -> None:
            async def push(conversation_id: str, body: dict[str, Any]) -> int:
                return 202

            ai = MockAi([], lambda event: None, push)
            with pytest.raises(OSError, match="in use"):
                await ai.start(taken.getsockname()[1])
            await ai.aclose()

        virtual_time.run(main, memory_network=False)


def test_an_idle_mock_never_stops_the_clock() -> None:
    """uvicorn's own loop would wake ten times a second, and each wake-up would stop the virtual clock."""

    async def main() -> list[float]:
        async def push(conversation_id: str, body: dict[str, Any]) -> int:
            return 202

        ai = MockAi([], lambda event: None, push)
        await ai.start()
        loop = asyncio.get_running_loop()
        timers = [timer.when() for timer in loop.timers.pending]  # type: ignore[attr-defined]
        await ai.aclose()
        return timers

    assert virtual_time.run(main) == []


# --- a cassette


def played(*exchanges: RawExchange, act: Play) -> Room:
    """Run `act` with a mock AI that plays a cassette."""

    async def whole() -> Room:
        room = Room([])
        room.ai = MockAi([], room.tell, room.push, cassette=exchanges)
        async with room:
            await act(room)
        return room

    return virtual_time.run(whole)


def test_a_cassette_gives_each_request_its_answer_at_its_time() -> None:
    async def act(room: Room) -> None:
        base = room.url.removesuffix("/messages")
        answer = await room.http.post(f"{base}/v1/chat", json={"turn": "not as captured"})
        assert (answer.status_code, answer.json(), room.now_ms) == (201, {"reply": "Oi."}, 300)
        assert answer.headers["content-type"] == "application/json"
        came = []
        async with room.http.stream("POST", f"{base}/v1/chat", json={"text": "Sim."}) as events:
            async for piece in events.aiter_raw():
                came.append((room.now_ms, piece))
        assert came == [(350, b"data: a"), (400, b"data: b")]
        assert (await room.http.post(f"{base}/v1/chat", content=b"once more")).status_code == 500

    chat = ("POST", "/v1/chat", b"{}")
    room = played(
        RawExchange(*chat, RawAnswer(300, 201, "application/json", ((300, b'{"reply": "Oi."}'),))),
        RawExchange(*chat, RawAnswer(10, 200, "text/event-stream", ((50, b"data: a"), (100, b"data: b")))),
        RawExchange("POST", "/end", b"", RawAnswer(0)),
        act=act,
    )
    told = [event for _, event in room.events]
    assert told[0] == BackendAsked(1, "", "POST /v1/chat")
    assert told[1] == BackendReplied(1, "Oi.", "HTTP 201", 300)
    assert told[2] == BackendAsked(2, "", "Sim.")
    assert room.ai.unused() == ["question 3 of the cassette (POST /end)"]
    assert room.ai.failures == [
        "request 3, “POST /v1/chat”, fits no answer of the cassette (not used so far: question 3 of the cassette "
        "(POST /end))"
    ]


def test_a_question_with_other_words_than_the_captured_one_is_a_failure() -> None:
    async def act(room: Room) -> None:
        assert (await room.http.post(room.url, json={"text": "Boa tarde!"})).content == b"\xff"

    room = played(RawExchange("POST", "/say", b'{"text": "Bom dia!"}', RawAnswer(0, 200, "", ((0, b"\xff"),))), act=act)
    assert room.ai.failures == ["the bot asked “Boa tarde!”; question 1 of the cassette (POST /say) is “Bom dia!”"]
    assert room.events[1] == (0, BackendReplied(1, "1 bytes, of no type", "HTTP 200", 0))


def test_a_bot_that_breaks_off_its_question_to_a_cassette_is_no_error_of_ours() -> None:
    errors: list[Exception] = []

    async def act(room: Room) -> None:
        room.ai._on_error = errors.append
        host, _, port = room.url.removeprefix("http://").partition("/")[0].partition(":")
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"POST /say HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        await asyncio.sleep(1)
        writer.close()
        await asyncio.sleep(1)

    room = played(RawExchange("POST", "/say", b"", RawAnswer(0)), act=act)
    assert (room.events, errors) == ([], [])


def test_faults_of_a_cassette_are_played_too() -> None:
    async def act(room: Room) -> None:
        with pytest.raises(httpx.TransportError):
            await room.http.post(room.url, json={})
        assert room.now_ms == 200
        for _ in range(2):
            with pytest.raises(httpx.TimeoutException):
                await room.http.post(room.url, json={}, timeout=5)
        await asyncio.sleep(1)

    ask = ("POST", "/messages", b"")
    faults = (RawAnswer(200, fault="reset"), RawAnswer(0, fault="no_answer"), None)
    room = played(*(RawExchange(*ask, fault) for fault in faults), act=act)
    told = [event.fault for _, event in room.events if isinstance(event, BackendReplied)]
    assert told == ["reset", "no_answer", "no_answer"]


TOLD = {"text": "Pode subir, por favor.", "heard": "Pode subir,", "said_ms": 1240, "of_ms": 2100}


@pytest.mark.parametrize(
    ("interrupted", "logged"),
    [
        (TOLD, TOLD),
        ({**TOLD, "of_ms": None, "more": 1}, {"text": TOLD["text"], "heard": TOLD["heard"], "said_ms": 1240}),
        ("yes", None),
        (None, None),
    ],
)
def test_what_the_bot_tells_of_an_interruption_is_in_the_log(interrupted: object, logged: object) -> None:
    async def act(room: Room) -> None:
        await room.http.post(room.url, json={"id": "1", "content": "Espera.", "interrupted": interrupted})

    room = play([{"says": "Pois não."}], act)
    (asked,) = (event for _, event in room.events if isinstance(event, BackendAsked))
    assert asked.interrupted == logged
