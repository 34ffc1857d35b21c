"""Whose request it is: by the UUID of a call, and where the bot tells none, by what is known of the calls."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any
from uuid import UUID

import httpx
import pytest

from audiosocket_sim import virtual_time
from audiosocket_sim.call_log.events import BackendAsked
from audiosocket_sim.mock_ai.backend import MockAi
from audiosocket_sim.mock_ai.switchboard import Conversation, Switchboard
from audiosocket_sim.scenario import Reply
from audiosocket_sim.scenario.cassette import RawAnswer, RawExchange

ANA, BRUNO = UUID(int=1), UUID(int=2)


class Desk:
    """Two calls at one switchboard, with what is known of them; `asked` has whose each request was."""

    def __init__(self) -> None:
        self.board = Switchboard(any_method=True)
        self.live = {"ana": True, "bruno": True}
        self.spoke = {"ana": 0.0, "bruno": 0.0}
        self.asked: list[str] = []
        self.failures: list[str] = []
        self.http = httpx.AsyncClient(trust_env=False, verify=False, timeout=None)

    def add(self, name: str, uuid: UUID, *replies: str, cassette: Sequence[RawExchange] | None = None) -> None:
        def tell(event: object) -> None:
            if isinstance(event, BackendAsked):
                self.asked.append(name)

        async def push(conversation_id: str, body: dict[str, Any]) -> int:
            return 202

        script = [Reply(says=text) for text in replies]
        ai = MockAi(script, tell, push, cassette=cassette, on_failure=self.failures.append)
        self.board.add(Conversation(uuid, ai, lambda: self.live[name], lambda: self.spoke[name], name))

    async def ask(self, id_: object) -> httpx.Response:
        return await self.http.post(self.url, json={"id": id_, "content": "Oi"})

    async def __aenter__(self) -> "Desk":
        self.url = await self.board.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.aclose()
        await self.board.aclose()


def at_the_desk(play: Callable[[Desk], Coroutine[Any, Any, None]]) -> None:
    async def main() -> None:
        async with Desk() as desk:
            await play(desk)

    with asyncio.Runner(loop_factory=virtual_time.new_loop) as runner:
        runner.run(main())


def test_a_call_is_known_by_its_uuid_in_any_form() -> None:
    async def play(desk: Desk) -> None:
        desk.add("ana", ANA, "a", "a2")
        desk.add("bruno", BRUNO, "b")
        told = [await desk.ask(id_) for id_ in (str(BRUNO), ANA.hex.upper(), f"urn:uuid:{ANA}")]
        assert [one.json()["content"]["mensagem"] for one in told] == ["b", "a", "a2"]
        assert desk.asked == ["bruno", "ana", "ana"]

    at_the_desk(play)


def test_without_one_it_is_the_only_call_in_progress() -> None:
    async def play(desk: Desk) -> None:
        desk.add("ana", ANA, "a")
        desk.add("bruno", BRUNO, "b")
        desk.live["ana"] = False
        await desk.ask("mine")
        desk.live = {"ana": True, "bruno": False}
        await desk.ask("mine")
        assert desk.asked == ["bruno", "ana"]
        await desk.ask("mine")  # no reply is left
        assert "is no call's UUID" not in desk.failures[0]

    at_the_desk(play)


def test_of_several_it_is_the_one_that_had_the_same_id_or_spoke_last() -> None:
    async def play(desk: Desk) -> None:
        desk.add("ana", ANA, *"abc")
        desk.add("bruno", BRUNO, "b")
        desk.spoke = {"ana": 2.0, "bruno": 1.0}
        await desk.ask("first")
        desk.spoke["bruno"] = 3.0
        await desk.ask("second")
        await desk.ask("first")
        await desk.ask("second")
        assert desk.asked == ["ana", "bruno", "ana", "bruno"]
        assert desk.failures[0].endswith("; its id, “second”, is no call's UUID, so it may belong to another call")

    at_the_desk(play)


@pytest.mark.parametrize("body", [b"", b"[1]", b"{", b'{"id": 7, "content": "Oi"}'])
def test_what_is_no_request_is_a_failure_of_the_call_in_progress(body: bytes) -> None:
    async def play(desk: Desk) -> None:
        desk.add("ana", ANA)
        desk.add("bruno", BRUNO)
        desk.live["bruno"] = False
        answer = await desk.http.post(desk.url, content=body)
        assert answer.status_code == 422
        assert len(desk.failures) == 1

    at_the_desk(play)


def test_before_any_call_there_is_nobody_to_answer_and_then_the_only_one_does() -> None:
    async def play(desk: Desk) -> None:
        assert (await desk.ask(str(ANA))).status_code == 404
        desk.add("ana", ANA, "a")
        assert (await desk.ask("whatever")).status_code == 200

    at_the_desk(play)


# --- a cassette, whose protocol may say of no request whose it is


def said(*words: str, of: str) -> list[RawExchange]:
    """A part of a cassette in which these words are asked, and answered with the conversation and their number."""
    return [
        RawExchange("POST", "/chat", f'{{"text": "{text}"}}'.encode(), RawAnswer(0, 200, "", ((0, of.encode()),)), of)
        for text in words
    ]


async def chat(desk: Desk, text: str, **more: Any) -> str:
    headers = more.pop("headers", {})
    path = more.pop("path", "/chat")
    url = desk.url.removesuffix("/messages") + path
    answer = await desk.http.post(url, json={"text": text, **more}, headers=headers)
    return answer.text if answer.status_code == 200 else str(answer.status_code)


def test_a_request_is_of_the_part_that_has_it_next() -> None:
    async def play(desk: Desk) -> None:
        desk.add("ana", ANA, cassette=said("Oi.", "Sim.", of="ana"))
        desk.add("bruno", BRUNO, cassette=said("Alô?", "Sim.", of="bruno"))
        desk.spoke = {"ana": 2.0, "bruno": 1.0}
        assert [await chat(desk, text) for text in ("alô", "Oi!")] == ["bruno", "ana"]
        desk.spoke["bruno"] = 3.0
        assert [await chat(desk, "Sim.") for _ in range(2)] == ["bruno", "ana"]
        assert desk.failures == []

    at_the_desk(play)


def test_a_uuid_anywhere_goes_before_the_words() -> None:
    async def play(desk: Desk) -> None:
        desk.add("ana", ANA, cassette=said("Oi.", of="ana"))
        desk.add("bruno", BRUNO, cassette=said("Tchau.", of="bruno"))
        assert await chat(desk, "Tchau.", headers={"X-Call": ANA.hex}) == "ana"
        assert desk.failures == [
            "the bot asked “Tchau.”; question 1 of the cassette (POST /chat) is “Oi.”; "
            "the cassette has this question for bruno"
        ]
        desk.live["bruno"] = False  # a late question, after his call
        assert await chat(desk, "Tchau.", path=f"/chat/{BRUNO}") == "bruno"

    at_the_desk(play)


def test_who_asks_nothing_has_an_empty_part_and_a_request_of_his_says_whose_it_would_be() -> None:
    async def play(desk: Desk) -> None:
        desk.add("ana", ANA, cassette=said("Oi.", of="ana"))
        desk.add("bruno", BRUNO, cassette=[])
        assert await chat(desk, "Oi.", call=str(BRUNO)) == "500"
        assert desk.failures == [
            "request 1, “Oi.”, fits no answer of the cassette (not used so far: none); "
            "the cassette has this question for ana"
        ]
        assert await chat(desk, "Oi.") == "ana"

    at_the_desk(play)


def test_what_nothing_tells_is_of_who_spoke_last_and_a_failure_says_so() -> None:
    async def play(desk: Desk) -> None:
        desk.add("ana", ANA, cassette=said("Oi.", of="ana"))
        desk.add("bruno", BRUNO, cassette=said("Oi.", of="bruno"))
        desk.spoke["bruno"] = 1.0
        assert await chat(desk, "Quem?") == "bruno"
        (failure,) = desk.failures
        assert failure.endswith("is “Oi.”; nothing in it says whose it is, so it may belong to another call")
        desk.live["bruno"] = False
        assert await chat(desk, "Quem?") == "ana"

    at_the_desk(play)


def test_beside_a_cassette_a_script_is_asked_with_its_uuid() -> None:
    async def play(desk: Desk) -> None:
        desk.add("ana", ANA, cassette=said("Oi.", of="ana"))
        desk.add("bruno", BRUNO, "Pode subir.")
        assert (await desk.ask(str(BRUNO))).json()["content"]["mensagem"] == "Pode subir."
        assert await chat(desk, "Oi.") == "ana"

    at_the_desk(play)
