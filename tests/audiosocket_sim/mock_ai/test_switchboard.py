"""Whose request it is: by the UUID of a call, and where the bot tells none, by what is known of the calls."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any
from uuid import UUID

import httpx
import pytest

from audiosocket_sim import virtual_time
from audiosocket_sim.call_log.events import BackendAsked
from audiosocket_sim.mock_ai.backend import MockAi
from audiosocket_sim.mock_ai.switchboard import Conversation, Switchboard
from audiosocket_sim.scenario import Reply

ANA, BRUNO = UUID(int=1), UUID(int=2)


class Desk:
    """Two calls at one switchboard, with what is known of them; `asked` has whose each request was."""

    def __init__(self) -> None:
        self.board = Switchboard()
        self.live = {"ana": True, "bruno": True}
        self.spoke = {"ana": 0.0, "bruno": 0.0}
        self.asked: list[str] = []
        self.failures: list[str] = []
        self.http = httpx.AsyncClient(trust_env=False, verify=False, timeout=None)

    def add(self, name: str, uuid: UUID, *replies: str) -> None:
        def tell(event: object) -> None:
            if isinstance(event, BackendAsked):
                self.asked.append(name)

        async def push(conversation_id: str, body: dict[str, Any]) -> int:
            return 202

        ai = MockAi([Reply(says=text) for text in replies], tell, push, on_failure=self.failures.append)
        self.board.add(Conversation(uuid, ai, lambda: self.live[name], lambda: self.spoke[name]))

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
