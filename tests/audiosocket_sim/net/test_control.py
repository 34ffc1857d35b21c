"""The control URL as somebody else's server may answer it: every wrong answer is a ControlError of one line."""

from collections.abc import Callable

import httpx
import pytest
import respx
from pydantic import SecretStr

from audiosocket_sim.net.control_client import ControlClient, ControlError, ControlEvent

URL = "http://control.test"
STREAM = {"content-type": "text/event-stream; charset=utf-8"}


@pytest.fixture
async def client() -> ControlClient:
    return ControlClient(f"{URL}/")


@pytest.mark.every(3)
@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json=[]),
        httpx.Response(200, json={"calls": 5}),
        httpx.Response(200, json={"calls": ["a"]}),
        httpx.Response(200, json={"calls": [{"uuid": "u", "peer": "p:1"}]}),
        httpx.ConnectError("refused"),
        httpx.ReadTimeout(""),
    ],
)
@respx.mock
async def test_a_list_of_calls_that_is_none(answer: httpx.Response | Exception, client: ControlClient) -> None:
    respx.get(f"{URL}/calls").mock(side_effect=[answer])
    with pytest.raises(ControlError, match=f"^{URL}/calls") as caught:
        await client.find("u", "p:1")
    assert len(str(caught.value)) > len(f"{URL}/calls: ")
    await client.aclose()


@respx.mock
async def test_our_call_is_found_by_its_address_else_by_its_uuid(client: ControlClient) -> None:
    calls = [{"id": "1", "uuid": "u", "peer": "p:1"}, {"id": "2", "uuid": "u", "peer": "p:2"}]
    respx.get(f"{URL}/calls").respond(json={"calls": calls})
    assert await client.find("u", "p:2") == "2"
    respx.get(f"{URL}/calls").respond(json={"calls": [{"id": "u"}]})
    assert await client.find("u", "p:9") == "u"
    await client.aclose()


@pytest.mark.every(3)
@pytest.mark.parametrize(
    "data",
    [
        "no JSON",
        "[]",
        '{"at": 1}',
        '{"type": "x"}',
        '{"type": "x", "at": "soon"}',
        '{"type": "x", "at": NaN}',
        '{"type": "x", "at": 1e999}',
    ],
)
@respx.mock
async def test_an_event_that_is_none(data: str, client: ControlClient) -> None:
    respx.get(f"{URL}/calls/1/events").respond(text=f"data: {data}\n\n", headers=STREAM)
    with pytest.raises(ControlError, match=r"is not as docs/targets\.md says"):
        await client.follow("1", lambda event: None)
    await client.aclose()


@respx.mock
async def test_events_are_told_and_their_fields_asked_for(client: ControlClient) -> None:
    text = 'id: 1\nevent: x\ndata: {"type": "x", "at": 1.5, "n": 2}\n\n'
    respx.get(f"{URL}/calls/a%2Fb/events").respond(text=text, headers=STREAM)
    told: list[ControlEvent] = []
    tell: Callable[[ControlEvent], None] = told.append
    await client.follow("a/b", tell)
    assert (told[0].type, told[0].at_seconds, told[0].text("n")) == ("x", 1.5, "2")
    with pytest.raises(ControlError, match="an event x of the control URL has no 'm'"):
        told[0].text("m")
    assert (told[0].ms("n"), told[0].ms_or_none("n"), told[0].ms_or_none("m")) == (2, 2, None)
    with pytest.raises(ControlError, match="'at_all' of an event x of the control URL is 'soon', no number of milli"):
        ControlEvent("x", 0, {"at_all": "soon"}).ms("at_all")
    await client.aclose()


@pytest.mark.every(2)
@pytest.mark.parametrize(
    "text",
    [
        'data: {"type": "x",\ndata:  "at": 1, "text": "a"}\n\n',
        'id: 7\n\ndata: {"type": "x", "at": 1, "text": "a"}\n\n',
        'retry: 3000\n\n: a comment\n\ndata: {"type": "x", "at": 1, "text": "a"}\nid: 8\n\n\n\n',
        'event: ping\ndata:\n\ndata:{"type": "x", "at": 1, "text": "a"}\n\n',
        'data: {"type": "x", "at": 1, "text": "a"}\r\n\r\n',
        'data: {"type": "x", "at": 1, "text": "a"}\n\ndata: {"type": "cut off by the end of the stream"',
    ],
    ids=["several data lines", "an id alone", "retry and comments", "no data", "CRLF", "the end of the stream"],
)
@respx.mock
async def test_every_form_of_an_event_stream_is_read(text: str, client: ControlClient) -> None:
    """WHATWG HTML, 9.2.6: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream"""
    respx.get(f"{URL}/calls/1/events").respond(text=text, headers=STREAM)
    events: list[ControlEvent] = []
    await client.follow("1", events.append)
    assert events == [ControlEvent("x", 1.0, {"text": "a"})]
    await client.aclose()


@pytest.mark.parametrize("character", ["\u2028", "\u2029", "\x85"])
@respx.mock
async def test_only_line_feeds_and_carriage_returns_end_a_line(character: str, client: ControlClient) -> None:
    """A JSON text may hold these as they are, and `str.splitlines` would cut the event there."""
    text = f'data: {{"type": "x", "at": 1, "text": "one{character}two"}}\n\n'
    respx.get(f"{URL}/calls/1/events").respond(text=text, headers=STREAM)
    events: list[ControlEvent] = []
    await client.follow("1", events.append)
    assert events[0].text("text") == f"one{character}two"
    await client.aclose()


@respx.mock
async def test_an_answer_that_is_no_event_stream_is_said_to_be_none(client: ControlClient) -> None:
    respx.get(f"{URL}/calls/1/events").respond(json={"events": []})
    with pytest.raises(ControlError, match=f"^{URL}/calls/1/events: .*text/event-stream.*'application/json'"):
        await client.follow("1", lambda event: None)
    await client.aclose()


@respx.mock
async def test_a_push_goes_to_its_conversation_whatever_its_id(client: ControlClient) -> None:
    route = respx.post(f"{URL}/calls/a%2F%3Fb%0A/messages").respond(409)
    assert await client.push("a/?b\n", {}) == 409
    assert route.called
    respx.post(f"{URL}/calls/x/messages").mock(side_effect=httpx.ReadTimeout("slow"))
    with pytest.raises(ControlError, match="slow"):
        await client.push("x", {})
    await client.aclose()


@respx.mock
async def test_a_token_is_sent_with_every_request() -> None:
    client = ControlClient(URL, SecretStr("a-token-of-the-tests"))
    calls = respx.get(f"{URL}/calls").respond(json={"calls": [{"id": "1", "uuid": "u", "peer": "p:1"}]})
    events = respx.get(f"{URL}/calls/1/events").respond(text="", headers=STREAM)
    pushed = respx.post(f"{URL}/calls/1/messages").respond(202)
    assert await client.answers()
    await client.follow(await client.find("u", "p:1"), lambda event: None)
    assert await client.push("1", {}) == 202
    for route in (calls, events, pushed):
        assert route.calls.last.request.headers["Authorization"] == "Bearer a-token-of-the-tests"
    await client.aclose()


@respx.mock
async def test_without_the_right_token_the_error_says_which_flag(client: ControlClient) -> None:
    respx.get(f"{URL}/calls").respond(401, json={"error": "a token is needed"})
    assert not await client.answers()
    with pytest.raises(ControlError, match="it needs a token, or another one: --control-token, or CONTROL_TOKEN"):
        await client.find("u", "p:1")
    assert "Authorization" not in respx.calls.last.request.headers
    await client.aclose()
