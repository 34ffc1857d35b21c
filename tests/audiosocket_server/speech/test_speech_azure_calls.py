"""Whole calls with the Azure engine, in real time, against the fake: as in virtual time, and whatever fails."""

import asyncio
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from audiosocket_server.events import CallState
from audiosocket_server.listener import serve
from audiosocket_server.settings.settings import PROJECT_ROOT
from audiosocket_server.turns.machine import ERROR_OCCURRED
from helpers.azure_bench import NEEDS_AZURE, recording
from helpers.call_bench import Backend, Bench, Engine, reply

from audiosocket_core.phrase_book.book import PhraseBook
from audiosocket_sim.call_log.agreement import disagreements
from audiosocket_sim.fake_azure import FakeAzure
from audiosocket_sim.running.runner import LATE_MS, Options, Outcome, run
from audiosocket_sim.scenario.loading import load

pytestmark = NEEDS_AZURE

FRAME_MS = 20
GREETING, UNRECORDED = "Pode subir.", "Isto ninguém gravou."
QUERO = "Quero falar com o apartamento 202, por favor."

PLANS: dict[str, list[dict[str, Any]]] = {
    "wrong-key": [{"refuse": 401}],
    "throttled": [{"refuse": 429}],
    "mute": [{"stall": {}}],
    "no-match": [{"status": "NoMatch", "only": "recognition"}],
    "zero-bytes": [{"no_audio": True, "only": "synthesis"}],
    "drops-once": [{"drop": {"with": "reset", "after_audio": "1500ms"}, "only": "recognition"}, {}],
}


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeAzure]:
    with FakeAzure.in_thread({"keys": PLANS}) as fake:
        yield fake


# --- the same call as in virtual time ---------------------------------------------------------------------------------

TWO_TURNS = """
summary: The caller asks, is asked back, answers, and is let in.
server: {system: {silence_threshold_seconds: 0.6}, greeting: {delay_seconds: 0.5}%s}
ai:
  - hears: apartamento 202
    after: 400ms
    says: Qual é o seu nome?
  - hears: João da Silva
    after: 600ms
    says: A autorização foi confirmada, pode entrar.
    set_call_status: STANDBY
steps:
  - expect: {bot_says: "Condomínio Apoena, em que posso ajudar?", within: 4s}
  - say: pt-br/apartamento_202
  - expect: {bot_says: "Qual é o seu nome?", within: 5s}
  - say: pt-br/meu_nome_e_joao_da_silva
  - expect: {bot_says: "A autorização foi confirmada, pode entrar.", within: 5s}
  - expect: {hangs_up: {who: server, dialplan: continues}, within: 1s}
"""


def test_a_call_in_real_time_tells_what_the_virtual_one_does(fake: FakeAzure, tmp_path: Path) -> None:
    """What recognition and synthesis took is measured, and allowed for. Where the machine was late, once more."""
    path = tmp_path / "two_turns.yaml"
    path.write_text(TWO_TURNS % "", encoding="utf-8")
    virtual = run(load(path))
    path.write_text(
        TWO_TURNS % f", speech: {{engine: azure, azure_key: any, azure_endpoint: '{fake.endpoint}'}}", encoding="utf-8"
    )
    for _ in range(2):
        real = run(load(path), Options(real_time=True))
        told = disagreements(virtual.entries, real.entries, FRAME_MS + real.disturbed_ms)
        if not told or real.disturbed_ms <= LATE_MS:
            break
    assert real.outcome is Outcome.PASSED, real.problems
    assert not told
    heard = [request.text for request in fake.requests if request.kind == "recognition"]
    assert heard[-2:] == ["Apartamento 202.", "Meu nome é João da Silva."]


# --- each failure, as the caller meets it -----------------------------------------------------------------------------


async def call_of(endpoint: str, key: str) -> dict[str, Any]:
    """One call up to the second USER_TURN: its events by type, and what the caller heard."""
    settings = {
        "speech": {
            "engine": "azure",
            "azure_key": key,
            "azure_endpoint": endpoint,
            "azure_final_text_seconds": 1.0,
            "azure_first_audio_seconds": 1.0,
        },
        "system": {"silence_threshold_seconds": 0.5, "after_speech_pause_seconds": 0.1},
        "greeting": {"message": GREETING, "delay_seconds": 0.1},
    }
    server = await serve(settings=settings, control_port=None)
    backend = Backend(deque([reply(UNRECORDED if key == "zero-bytes" else GREETING, CallState.USER_TURN)]))
    try:
        await server._services.backend.aclose()  # type: ignore[attr-defined]
        server._services = server._door._services = replace(server._services, backend=backend)
        call = await Bench(server, Engine(), backend).call(str(uuid4()))
        await call.until_state(CallState.USER_TURN)
        call.say(recording("quero_falar_com_o_apartamento_202" if key == "drops-once" else "sim"))
        await call.until_event("state_changed", after=CallState.WAITING)
        await call.until_state(CallState.USER_TURN)
        events = [recorded.to_json() for recorded in call.record.events()]
        heard = b"".join(pcm for _, pcm in call.heard)
        live = call.record.live
        call.hang_up()
    finally:
        await server.close()
    return {"events": events, "heard": heard, "live": live, "asked": [content for _, content in backend.asked]}


def words(call: dict[str, Any]) -> list[str]:
    """The events that a failure touches, a line each."""
    told = []
    for event in call["events"]:
        match event["type"]:
            case "playback_started":
                told.append(f"says {event['text']}")
            case "playback_finished":
                told.append("to its end" if event["complete"] else "cut off")
            case "synthesis_failed":
                told.append("cannot speak")
            case "transcript_final":
                told.append("cannot hear" if event["failed"] else f"hears {event['text']}".strip())
            case "backend_asked":
                told.append("asks")
            case "warned":
                told.append(f"warns {event['what']}")
    return told


def pcm(text: str) -> bytes:
    phrase = PhraseBook.load(PROJECT_ROOT / "audio/prompts").by_text(text)
    assert phrase is not None
    return phrase.pcm


GREETED = [f"says {GREETING}", "to its end"]
NO_SERVICE = {"wrong-key": "Azure rejects the key", "throttled": "Azure throttles", "mute": "within 1 s"}


async def test_each_failure_is_what_the_caller_expects(fake: FakeAzure) -> None:
    """All calls at once, each to a server of its own."""
    made = await asyncio.gather(*(call_of(fake.endpoint, key) for key in PLANS))
    calls = dict(zip(PLANS, made, strict=True))
    for key, reason in NO_SERVICE.items():
        greeting_and_apology_come_from_the_disk(calls[key], reason)
    told = {key: words(call) for key, call in calls.items() if key not in NO_SERVICE}
    assert told == {
        "no-match": [*GREETED, "hears"],
        "zero-bytes": ["cannot speak", *GREETED, "hears Sim.", "asks", "cannot speak"],  # skipped, its status done
        "drops-once": [*GREETED, f"hears {QUERO}", "asks", *GREETED],
    }
    assert calls["drops-once"]["asked"] == [QUERO]
    assert [key for key, call in calls.items() if not call["live"]] == []


def greeting_and_apology_come_from_the_disk(call: dict[str, Any], reason: str) -> None:
    assert words(call) == [
        *("cannot speak", *GREETED),
        "cannot hear",
        *("cannot speak", f"says {ERROR_OCCURRED}", "to its end"),
    ]
    assert pcm(GREETING) in call["heard"]
    assert pcm(ERROR_OCCURRED) in call["heard"]
    details = [event["detail"] for event in call["events"] if event.get("detail")]
    assert len(details) == 3
    assert all(reason in detail and "\n" not in detail for detail in details)
