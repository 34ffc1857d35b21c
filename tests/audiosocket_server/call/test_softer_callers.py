"""Somebody speaks more softly over the bot than the caller did in his turn: what becomes of it?"""

from collections import deque

import pytest
from audiosocket_server.events import CallState
from audiosocket_server.turns.machine import KEPT_SECONDS
from helpers.call_bench import ROOT, Bench, Caller, Engine, bench, types, virtual

from audiosocket_core import slin

USER_TURN, WAITING, IA_TURN = CallState.USER_TURN, CallState.WAITING, CallState.IA_TURN
SETTINGS = {"system": {"barge_in": True}, "greeting": {"message": ""}}
TURN = slin.read_audio(ROOT / "recordings/pt-br/quero_falar_com_o_apartamento_202.wav")
AGAIN = slin.gain(slin.read_audio(ROOT / "recordings/pt-br/eu_sou_morador_da_unidade_1504.wav"), -7)
TELEVISION = slin.gain(slin.read_audio(ROOT / "recordings/sounds/television_news.wav"), 1)
"""Both are about 7 dB softer than the turn."""


def engine() -> Engine:
    return Engine(speaks_ms=7000, hears=deque(["o 202", *["não é esse"] * 8]))


async def over_the_bot(b: Bench, said: bytes) -> Caller:
    """A call in which the caller has said `TURN`, and somebody begins to say something over the answer."""
    call = await b.call()
    await call.until_state(USER_TURN)
    call.say(TURN)
    await call.until_event("playback_started")
    call.say(said)
    return call


@virtual
async def test_a_softer_voice_that_sounds_like_the_callers_stops_the_bot() -> None:
    async with bench(SETTINGS, engine=engine()) as b:
        call = await over_the_bot(b, AGAIN)
        finished = (await call.until_event("playback_finished")).to_json()
        assert finished["complete"] is False
        await call.until_event("backend_answered")
        assert [content for _, content in b.backend.asked] == ["o 202", "não é esse"]


@virtual
async def test_what_may_be_the_callers_is_answered_when_the_message_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audiosocket_server.endpointing.levels.ALIKE", 100.0)
    async with bench(SETTINGS, engine=engine()) as b:
        call = await over_the_bot(b, AGAIN)
        assert (await call.until_event("speech_ended")).to_json()["reason"] == "too_soft"
        assert (await call.until_event("playback_finished")).to_json()["complete"] is True
        turned = await call.until_event("state_changed", after=USER_TURN)
        asked = await call.until_event("backend_asked")
        assert asked.at_seconds - turned.at_seconds == pytest.approx(KEPT_SECONDS, abs=0.03)
        await call.until_event("backend_answered")
        assert [content for _, content in b.backend.asked] == ["o 202", "não é esse"]
        assert types(call.record).count("transcript_final") == 1


@virtual
@pytest.mark.parametrize("pause_seconds", [0.65, 0.7, 0.85])
async def test_a_television_is_not_answered(pause_seconds: float) -> None:
    """It is weighed before a pause ends, however short that is. This engine tells no words before an utterance ends."""
    settings = SETTINGS | {"system": {"barge_in": True, "barge_in_pause_seconds": pause_seconds}}
    async with bench(settings, engine=engine()) as b:
        call = await over_the_bot(b, TELEVISION[: 2 * 8 * 2500])
        assert (await call.until_event("playback_finished")).to_json()["complete"] is True
        await call.until_event("state_changed", after=USER_TURN)
        await call.until(20.0)
        assert len(b.backend.asked) == 1
