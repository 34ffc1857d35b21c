"""However a call ends: CallEnded once and last, and nothing is left (the `virtual` decorator looks at the loop)."""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable

import pytest
from audiosocket_server.events import CallState
from helpers.call_bench import UUID_TEXT, Backend, Bench, Caller, Engine, Turn, bench, fault, reply, types, virtual

STANDBY, USER_TURN, WAITING, IA_TURN = CallState.STANDBY, CallState.USER_TURN, CallState.WAITING, CallState.IA_TURN


def assert_ended_once(call: Caller, by: str) -> None:
    assert types(call.record).count("call_ended") == 1
    assert types(call.record)[-1] == "call_ended"
    assert call.record.ended is not None
    assert call.record.ended.by == by
    assert call.record.state is STANDBY
    assert not call.record.live


async def reach(b: Bench, where: str) -> Caller:
    """A call in one of the situations in which a caller may hang up."""
    call = await b.call()
    if where == "greeting is made":
        await call.until(0.2)
    elif where == "greeting plays":
        await call.until(0.8)
    else:
        await call.until_state(USER_TURN)
        if where != "listening":
            call.say()
            await call.until_event("speech_started")
        if where in ("waiting", "hold", "reply plays", "recognising"):
            await call.until_state(WAITING)
        if where == "hold":
            await call.until_event("hold_started")
        if where == "reply plays":
            await call.until_event("playback_started")
            await asyncio.sleep(0.3)
    return call


SITUATIONS = [
    "greeting is made",
    "greeting plays",
    "listening",
    "caller speaks",
    "recognising",
    "waiting",
    "hold",
    "reply plays",
]


def scripted(where: str) -> tuple[Engine, Backend]:
    engine = Engine(hears=deque([None] if where == "recognising" else []))
    if where == "greeting is made":
        engine.after_seconds = 5.0
    return engine, Backend(after_seconds=0.2 if where == "reply plays" else 20.0)


@pytest.mark.every(4)
@pytest.mark.parametrize("how", ["close", "reset", "hangup message"])
@pytest.mark.parametrize("where", SITUATIONS)
@virtual
async def test_the_caller_goes(where: str, how: str) -> None:
    engine, backend = scripted(where)
    async with bench(engine=engine, backend=backend) as b:
        call = await reach(b, where)
        if how == "reset":
            call.writer.transport.abort()
        elif how == "hangup message":
            call.send(0, b"")
        call.hang_up()
        await asyncio.sleep(0.1)
        assert_ended_once(call, "caller")
        assert not b.server._connections


@pytest.mark.every(2)
@pytest.mark.parametrize("where", SITUATIONS)
@virtual
async def test_the_server_stops(where: str) -> None:
    engine, backend = scripted(where)
    async with bench(engine=engine, backend=backend) as b:
        call = await reach(b, where)
        closing = asyncio.create_task(b.server.close())
        assert await call.ended() == "hangup"
        await closing
        assert_ended_once(call, "server")
        with pytest.raises(OSError):
            await asyncio.open_connection(b.server.host, b.server.port)


@virtual
async def test_the_server_stops_and_the_other_side_does_not_close() -> None:
    async with bench() as b:
        call = await b.call()
        await call.until(1.0)
        began = asyncio.get_running_loop().time()
        await b.server.close()
        assert asyncio.get_running_loop().time() - began <= 3.0
        assert_ended_once(call, "server")


@virtual
async def test_a_connection_without_a_byte_is_no_call_and_no_error(caplog: pytest.LogCaptureFixture) -> None:
    async with bench() as b:
        call = await b.caller().connect(uuid=False)
        call.hang_up()
        await asyncio.sleep(0.1)
        assert b.server.calls.all() == ()
        assert not b.server._connections
    assert [r for r in caplog.records if r.levelno > logging.INFO] == []


@virtual
async def test_a_uuid_may_take_its_time_but_not_for_ever() -> None:
    async with bench() as b:
        early = await b.caller().connect(uuid=False)
        late = await b.caller().connect(uuid=False)
        await asyncio.sleep(8.0)
        early.begin()
        await asyncio.sleep(3.0)
        assert [call.live for call in b.server.calls.all()] == [True]
        assert late.ended_by == "hangup"


@virtual
async def test_anything_but_a_uuid_first_is_an_error_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async with bench() as b:
        call = await b.caller().connect(uuid=False)
        call.send(0x10, bytes(320))
        await call.ended()
        assert b.server.calls.all() == ()
    (error,) = [r for r in caplog.records if r.levelno > logging.INFO]
    assert error.levelno == logging.ERROR
    assert "the connection ended before a call began: the first message must be a UUID" in error.getMessage()


@virtual
async def test_two_live_calls_of_one_uuid_are_two_calls() -> None:
    async with bench() as b:
        first = await b.call()
        second = await b.call()
        assert [call.id for call in b.server.calls.all()] == [UUID_TEXT, f"{UUID_TEXT}-2"]
        second.say()
        await second.until_state(USER_TURN)
        first.hang_up()
        await second.until(5.0)
        assert first.record.ended is not None
        assert second.record.live
        third = await b.call()
        assert third.record.id == UUID_TEXT


@virtual
async def test_a_call_too_many_is_refused_orderly() -> None:
    async with bench({"limits": {"calls": 2}}) as b:
        first = await b.call()
        await b.call()
        third = await b.call()
        assert await third.ended() == "hangup"
        assert len(b.server.calls.all()) == 2
        first.hang_up()
        await asyncio.sleep(0.1)
        fourth = await b.call()
        await fourth.until_state(IA_TURN)


@virtual
async def test_a_fault_of_ours_ends_one_call_and_no_other(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Engine):
        def recognise(self, *_: object) -> None:  # type: ignore[override]
            raise ZeroDivisionError

    async with bench(engine=Broken()) as b:
        call, other = await b.call(), await b.call()
        await call.until_state(USER_TURN)
        call.say()
        assert await call.ended() == "hangup"
        assert_ended_once(call, "error")
        assert call.record.ended is not None
        assert call.record.ended.reason == "internal error: ZeroDivisionError"
        await other.until(6.0)
        assert other.record.live
    assert len([r for r in caplog.records if r.levelno == logging.ERROR]) == 1


@virtual
async def test_a_task_that_breaks_ends_its_call() -> None:
    async with bench(engine=Engine(speech={"Pois não.": [KeyError("x")]})) as b:
        call = await b.call()
        await call.until_state(USER_TURN)
        call.say()
        assert await call.ended() == "hangup"
        assert_ended_once(call, "error")


@virtual
async def test_private_words_stay_out_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    engine = Engine(hears=deque(["meu segredo"]))
    async with bench(engine=engine, backend=Backend(deque([reply("nosso segredo", STANDBY)]))) as b:
        call = await b.call()
        await call.until_state(USER_TURN)
        call.send(3, b"7")
        call.say()
        await call.ended()
    lines = [r.getMessage() for r in caplog.records if r.name.startswith("audiosocket_server")]
    assert any("backend_asked" in line for line in lines)
    assert not [line for line in lines if "segredo" in line or "digit=" in line]


@pytest.mark.long("many calls end at one instant")
@virtual
async def test_a_thousand_calls_leave_nothing_but_their_bounded_history() -> None:
    async with bench({"limits": {"history": 10, "events": 5}}) as b:
        for _ in range(100):
            callers = [await b.call() for _ in range(10)]
            for caller in callers:
                caller.hang_up()
            b.callers.clear()
            await asyncio.sleep(0.05)
        assert len(b.server.calls.all()) == 10
        assert not b.server._connections
        assert all(len(call.events()) <= 5 for call in b.server.calls.all())


@virtual
async def test_a_speech_fault_while_the_server_stops() -> None:
    async with bench(engine=Engine(speech={}, after_seconds=1.0)) as b:
        b.engine.speech["Condomínio Apoena, em que posso ajudar?"] = [fault()]
        call = await b.call()
        await call.until(0.1)
        await b.server.close()
        assert_ended_once(call, "server")


@virtual
async def test_an_engine_that_fails_to_let_go_does_not_keep_the_call_open(caplog: pytest.LogCaptureFixture) -> None:
    class Clinging(Engine):
        def recognise(self, language: str, on_interim: Callable[[str], None]) -> Turn:
            turn = super().recognise(language, on_interim)
            turn.cancel = lambda: 1 / 0  # type: ignore[method-assign,assignment,return-value]
            return turn

    async with bench(engine=Clinging()) as b:
        call = await reach(b, "caller speaks")
        call.hang_up()
        await asyncio.sleep(0.1)
        assert_ended_once(call, "error")
        assert not b.server._connections
    assert len([r for r in caplog.records if r.levelno == logging.ERROR]) == 1


@virtual
async def test_an_engine_that_will_not_be_cancelled_does_not_hold_up_the_servers_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    let_go = asyncio.Event()

    class Stubborn(Engine):
        async def synthesise(self, text: str, voice: str) -> AsyncIterator[bytes]:
            try:
                await asyncio.Event().wait()
            finally:
                await let_go.wait()
            yield b""

    async with bench(engine=Stubborn()) as b:
        call = await reach(b, "greeting is made")
        began = asyncio.get_running_loop().time()
        await b.server.close()
        assert asyncio.get_running_loop().time() - began < 10.0
        assert_ended_once(call, "server")
        assert [r.getMessage() for r in caplog.records if "still at work" in r.getMessage()]
        let_go.set()
        await asyncio.sleep(0.1)


@virtual
async def test_who_closes_a_server_that_closes_already_waits_for_its_end() -> None:
    async with bench() as b:
        call = await b.call()
        await call.until(1.0)
        first = asyncio.create_task(b.server.close())
        await asyncio.sleep(0)
        await b.server.close()
        assert not b.server._connections
        await first


@virtual
async def test_a_peer_that_vanished_is_told_from_one_that_hung_up() -> None:
    async with bench() as b:
        call = await b.call()
        (connection,) = b.server._connections
        # What the kernel reports after a minute without an answer (docs/protocol.md, rules for servers).
        connection._shell._transport._fatal_error(TimeoutError(110, "Connection timed out"))  # type: ignore[union-attr]
        await asyncio.sleep(0.1)
        assert_ended_once(call, "caller")
        assert call.record.ended is not None
        assert call.record.ended.reason == "the caller's side no longer answers"


@pytest.mark.long("the seconds of many calls that end at one instant are reported in turns")
@virtual
async def test_many_calls_that_end_at_one_instant_take_turns_and_all_are_told_of() -> None:
    async with bench() as b:
        calls = [await b.call() for _ in range(30)]
        await calls[-1].until_event("playback_started")
        for call in calls:
            call.hang_up()
        await asyncio.sleep(0.1)
        for call in calls:
            assert_ended_once(call, "caller")
        assert not b.server._connections
