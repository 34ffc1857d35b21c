"""The recordings that stand in for an engine that cannot speak: where they are played, and where nothing is."""

from collections import deque

import pytest
from audiosocket_server.events import CallState
from audiosocket_server.settings.settings import PROJECT_ROOT
from audiosocket_server.speech.fallback import StandIns
from audiosocket_server.turns.machine import COULD_NOT_CONNECT, ERROR_OCCURRED
from helpers.call_bench import HOLD, SILENCE, VOICE, Backend, Engine, bench, fault, reply, types, virtual

GREETING = "Condomínio Apoena, em que posso ajudar?"
RECORDED = b"\x33\x33" * 8 * 600  # 600 ms
STAND_INS = StandIns({GREETING: RECORDED, ERROR_OCCURRED: RECORDED})


def test_a_text_much_longer_than_any_recorded_is_not_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(text: str) -> str:
        raise AssertionError

    monkeypatch.setattr("audiosocket_server.speech.fallback.normalise", slow)
    assert STAND_INS.of("\ufdfa" * 3_333) is None


@pytest.mark.parametrize("pieces", [[fault()], []])
@virtual
async def test_a_greeting_that_cannot_be_made_is_played_from_its_recording(
    pieces: list[int | Exception | None],
) -> None:
    async with bench(engine=Engine(speech={GREETING: pieces}), stand_ins=STAND_INS) as b:
        call = await b.call()
        ended = await call.until_event("playback_finished", complete=True)
        assert ended.to_json()["played_ms"] == 600
        assert ended.at_seconds == pytest.approx(0.5 + 0.6)
        assert types(call.record).count("synthesis_failed") == 1
        await call.until_state(CallState.USER_TURN)
        assert b"".join(pcm for _, pcm in call.heard).strip(b"\0") == RECORDED


@virtual
async def test_an_engine_that_is_gone_altogether_leaves_the_apology() -> None:
    engine = Engine(hears=deque([fault("no key")]), speech={GREETING: [fault()], ERROR_OCCURRED: [fault()]})
    async with bench(engine=engine, stand_ins=STAND_INS) as b:
        call = await b.call()
        await call.until_state(CallState.USER_TURN)
        call.say()
        told = await call.until_event("transcript_final", failed=True)
        assert told.to_json()["detail"] == "no key"
        assert "warned" not in types(call.record)  # one event for one failure
        await call.until_event("playback_started", purpose="apology", text=ERROR_OCCURRED)
        await call.until_state(CallState.USER_TURN)
        assert b.backend.asked == []


@virtual
async def test_a_text_without_a_recording_is_skipped_and_its_status_done() -> None:
    backend = Backend(deque([reply("Texto nunca gravado.", CallState.STANDBY)]))
    async with bench(
        engine=Engine(speech={"Texto nunca gravado.": [fault()]}), backend=backend, stand_ins=STAND_INS
    ) as b:
        call = await b.call()
        await call.until_state(CallState.USER_TURN)
        call.say()
        assert await call.ended() == "hangup"
        assert types(call.record).count("playback_started") == 1  # the greeting
        assert "synthesis_failed" in types(call.record)


@virtual
async def test_what_breaks_off_is_not_begun_anew() -> None:
    async with bench(engine=Engine(speech={GREETING: [400, fault()]}), stand_ins=STAND_INS) as b:
        call = await b.call()
        assert (await call.until_event("playback_finished")).to_json()["played_ms"] == 400
        assert {pcm for _, pcm in call.heard} <= {SILENCE, VOICE * 160, HOLD[:320]}


@virtual
async def test_what_stood_in_is_not_kept_as_the_engines_own() -> None:
    engine = Engine(speech={GREETING: [fault()]})
    async with bench(engine=engine, stand_ins=STAND_INS) as b:
        await (await b.call()).until_event("playback_finished", played_ms=600)
        engine.speech.clear()
        await (await b.call()).until_event("playback_finished", played_ms=1000)


def test_every_sentence_that_a_fault_needs_has_its_recording() -> None:
    stand_ins = StandIns.load(PROJECT_ROOT / "audio/prompts", "pt-BR")
    for text in (GREETING, ERROR_OCCURRED, COULD_NOT_CONNECT):
        assert len(stand_ins.of(text) or b"") > 16_000
    assert stand_ins.of("Goodbye.") is None  # of another language
    assert stand_ins.of("condominio apoena em que posso ajudar") is not None
