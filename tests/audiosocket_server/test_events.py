"""What callers and the AI say is private: which fields of the events the log may show, one by one."""

import logging
from collections import deque
from dataclasses import fields
from typing import get_args

import pytest
from audiosocket_server import events as e
from audiosocket_server.backend.client import BackendError
from audiosocket_server.events import CallState, LatencyStage
from helpers.call_bench import SIM, Backend, Engine, bench, fault, reply, types, virtual

# Of text, and yet public: whoever adds a field decides here.
PUBLIC_TEXT = {
    ("PlaybackResumed", "why"),
    ("CallStarted", "uuid"),
    ("CallStarted", "peer"),
    ("SpeechEnded", "reason"),
    ("BackendAnswered", "set_call_status"),
    ("BackendFailed", "kind"),
    ("BackendFailed", "detail"),
    ("MessagePushed", "set_call_status"),
    ("PlaybackStarted", "purpose"),
    ("SynthesisFailed", "detail"),
    ("TranscriptFinal", "detail"),
    ("Warned", "what"),
    ("CallEnded", "by"),
    ("CallEnded", "reason"),
}


def test_every_field_of_text_is_private_unless_it_is_known_to_be_public() -> None:
    public = {
        (kind.__name__.removesuffix("Event"), field.name)
        for kind in get_args(e.CallEvent)
        for field in fields(kind)
        if field.type in (str, "str", str | None) and not field.metadata.get("private")
    }
    assert public == PUBLIC_TEXT


@pytest.mark.every(3)
@pytest.mark.parametrize("kind", get_args(e.CallEvent))
def test_the_log_shows_no_private_field(kind: type) -> None:
    values = {
        str: "segredo",
        int: 1,
        int | None: 1,
        str | None: "segredo",
        bool: False,
        CallState: CallState.WAITING,
        LatencyStage: LatencyStage.BACKEND,
    }
    event = kind(*(values[field.type] for field in fields(kind)))
    recorded = e.Recorded("c", 1, 0.0, event)
    private = {field.name for field in fields(kind) if field.metadata.get("private")}
    assert set(recorded.to_json()) - set(recorded.loggable()) == private


@virtual
async def test_whole_calls_with_every_fault_put_no_word_into_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    seen: set[str] = set()
    replies = [
        reply("palavra secreta", CallState.WAITING),
        reply("palavra secreta", CallState.STANDBY),
        BackendError("http_error", "HTTP 500"),
    ]
    for hears, says in (
        ("palavra", replies[0]),
        (fault(), replies[1]),
        ("palavra", replies[2]),
        ("palavra", replies[1]),
    ):
        engine = Engine(hears=deque([hears]), speech={"palavra secreta": [200, fault()]})
        async with bench(engine=engine, backend=Backend(deque([says]))) as b:
            call = await b.call()
            await call.until_state(CallState.USER_TURN)
            call.send(3, b"7")
            call.send(0x42, b"palavra")
            call.say(SIM)
            await call.until_event("transcript_final")
            await call.until_event("playback_finished")
            call.record.push(reply("palavra secreta", CallState.STANDBY))
            await call.until(30)
            seen |= set(types(call.record))
    assert {"message_pushed", "backend_failed", "synthesis_failed", "warned", "dtmf_received"} <= seen
    said = [r.getMessage() + (r.exc_text or "") for r in caplog.records]
    assert any("backend_asked" in line for line in said)
    assert [line for line in said if "palavra" in line or "digit" in line] == []
