"""A sound over the bot's message in whole calls: the message pauses, and stops for good or goes on where it was."""

from collections import deque
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from audiosocket_server.call.overhearing import Overhearing
from audiosocket_server.detectors import Detectors
from audiosocket_server.events import CallState
from audiosocket_server.speech.base import SpeechError
from audiosocket_server.turns.vocabulary import TurnEvent, VoiceWeighed
from helpers.call_bench import ROOT, SILENCE, SIM, Backend, Engine, bench, told, types, virtual

USER_TURN, WAITING, IA_TURN = CallState.USER_TURN, CallState.WAITING, CallState.IA_TURN
BARGE_IN = {"system": {"barge_in": True}}
ONSET, END = 0.36, 0.72  # of the word in SIM
MY_NAME = (ROOT / "recordings/pt-br/meu_nome_e_joao_da_silva.wav").read_bytes()[44:]
LONG = SIM[: 720 * 16] + SIM[360 * 16 : 720 * 16] * 5  # the word, over and over


def quiet_after(heard: list[tuple[float, bytes]], since: float) -> list[float]:
    """From when to when the bot was silent, after a time, within its message."""
    silent = [at for at, frame in heard if at > since and frame == SILENCE]
    speaks_again = next(at for at, frame in heard if at > silent[0] and frame != SILENCE)
    return [silent[0], speaks_again]


@virtual
@pytest.mark.parametrize(("text", "why"), [("Ahã.", "backchannel"), ("", "not_understood")])
async def test_the_message_goes_on_after_a_back_channel(text: str, why: str) -> None:
    engine = Engine(speaks_ms=3000, hears=deque([text]))
    async with bench(BARGE_IN, engine=engine) as b:
        call = await b.call()
        await call.until(0.8)
        call.say()
        resumed = (await call.until_event("playback_resumed")).to_json()
        assert resumed["why"] == why
        ended = (await call.until_event("playback_finished")).to_json()
        assert (ended["complete"], ended["played_ms"]) == (True, 3000)
        began, again = quiet_after(call.heard, 0.8)
        assert began - (0.8 + ONSET) < 0.12
        assert again - began < 0.9
        assert resumed["from_ms"] == pytest.approx((began - 0.5) * 1000, abs=300)
        assert ["speech_ended", why] in [line.split()[1:3] for line in told(call.record)]
        assert "transcript_final" not in types(call.record)
        assert not b.backend.asked
        await call.until_state(USER_TURN)
        call.say()  # and he is heard as ever
        await call.until_event("backend_answered")
        assert [content for _, content in b.backend.asked] == ["sim"]
        assert b.backend.interrupted == [None]


@virtual
async def test_what_is_too_short_is_no_speech_and_is_not_even_recognised() -> None:
    settings = {**BARGE_IN, "endpointing": {"minimum_speech_ms": 1000}}
    async with bench(settings, engine=Engine(speaks_ms=3000)) as b:
        call = await b.call()
        await call.until(0.8)
        call.say()
        assert (await call.until_event("playback_resumed")).to_json()["why"] == "too_short"
        assert len(b.engine.fed) == 1  # there was no trial


@virtual
async def test_no_word_is_lost_of_a_caller_who_was_tried() -> None:
    """The trial hears «sim» and the call goes on to hear him; the turn's recognition gets all that he said."""
    engine = Engine(speaks_ms=3000, hears=deque(["não", "não, espera"]))
    async with bench(BARGE_IN, engine=engine) as b:
        call = await b.call()
        await call.until(0.8)
        call.say(SIM)
        await call.until_state(USER_TURN)
        call.say(SIM)
        await call.until_event("backend_answered")
        assert [content for _, content in b.backend.asked] == ["não, espera"]
        whole, trial = engine.fed
        word = SIM[360 * 16 : 720 * 16]
        assert (whole.count(word), trial.count(word)) == (2, 1)
        interrupted = b.backend.interrupted[0]
        assert interrupted is not None
        assert interrupted.said_ms == pytest.approx((0.8 + ONSET - 0.5) * 1000, abs=120)


@virtual
async def test_interim_words_stop_the_message_while_he_still_speaks() -> None:
    engine = Engine(speaks_ms=3000, tells_words=True)
    async with bench(BARGE_IN, engine=engine) as b:
        call = await b.call()
        await call.until(0.8)
        call.say(LONG)
        await call.until((await call.until_event("playback_paused")).at_seconds + 0.03)
        assert engine.interim is not None
        engine.interim("aham")
        assert call.record.state is IA_TURN
        engine.interim("aham, espera")
        assert call.record.state is USER_TURN
        assert (await call.until_event("speech_ended")).to_json()["reason"] == "silence"
        await call.until_event("backend_answered")


@virtual
@pytest.mark.parametrize("tells_words", [True, False])
async def test_a_sound_that_lasts_is_a_caller_only_if_no_words_are_to_be_expected(tells_words: bool) -> None:
    engine = Engine(speaks_ms=6000, tells_words=tells_words, hears=deque([""]))
    async with bench(BARGE_IN, engine=engine) as b:
        call = await b.call()
        await call.until(0.8)
        call.say(LONG)
        await call.until_event("playback_resumed" if tells_words else "state_changed", **_to_user_turn(tells_words))
        began, _ = quiet_after([*call.heard, (99.0, b"")], 0.8)
        assert began + 0.8 <= call.record.events()[-1].at_seconds <= began + 0.9
        if tells_words:
            assert (await call.until_event("playback_finished")).to_json()["complete"]


class LoudIsSpeech:
    """A detector that knows a voice from noise, as far as these sounds go."""

    adapts = False
    likelihood = 0.9

    def is_speech(self, frame: bytes) -> bool:
        return bool(np.abs(np.frombuffer(frame, "<i2").astype(int)).max() > 300)

    def reset(self) -> None:
        pass


@virtual
async def test_a_voice_that_lasts_is_a_caller_before_anything_of_it_is_understood(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Detectors, "take", lambda *_, **__: LoudIsSpeech())
    monkeypatch.setattr(Detectors, "left", lambda *_: None)
    engine = Engine(speaks_ms=6000, tells_words=True, hears=deque(["meu nome é João"]))
    async with bench(BARGE_IN, engine=engine) as b:
        call = await b.call()
        await call.until(0.8)
        call.say(MY_NAME)
        turned = await call.until_event("state_changed", before=IA_TURN, after=USER_TURN)
        paused = next(one for one in call.record.events() if one.type == "playback_paused")
        assert 0.75 < turned.at_seconds - paused.at_seconds < 0.85
        await call.until_event("backend_answered")
        assert [content for _, content in b.backend.asked] == ["meu nome é João"]
        assert "playback_resumed" not in types(call.record)


@virtual
async def test_who_takes_breath_after_a_short_word_is_waited_for() -> None:
    engine = Engine(speaks_ms=6000, hears=deque(["", "sim, quero"]))
    async with bench(BARGE_IN, engine=engine) as b:
        call = await b.call()
        await call.until(0.8)
        call.say(SIM[: 720 * 16] + bytes(300 * 16) + SIM[360 * 16 : 720 * 16])
        await call.until_event("backend_answered")
        assert "playback_resumed" not in types(call.record)


@virtual
@pytest.mark.parametrize("gap_ms", [300, 340, 360])
async def test_the_bot_does_not_go_on_into_the_next_bark(gap_ms: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would pause again after a few hundredths of a second of speech."""
    monkeypatch.setattr(Detectors, "take", lambda *_, **__: LoudIsSpeech())
    monkeypatch.setattr(Detectors, "left", lambda *_: None)
    bark = np.random.Generator(np.random.PCG64(1)).integers(-9000, 9000, 1280).astype("<i2").tobytes()
    async with bench(BARGE_IN, engine=Engine(speaks_ms=6000, hears=deque(["", ""]))) as b:
        call = await b.call()
        await call.until(0.8)
        call.say(bark + bytes(gap_ms * 16) + bark)
        await call.until_event("playback_finished", complete=True)
        paused, resumed = (
            [one.at_seconds for one in call.record.events() if one.type == f"playback_{kind}"]
            for kind in ("paused", "resumed")
        )
        assert len(paused) == 1
        assert resumed[0] - paused[0] < 0.9


def _to_user_turn(tells_words: bool) -> dict[str, object]:
    return {"why": "in_doubt"} if tells_words else {"before": IA_TURN, "after": USER_TURN}


@virtual
async def test_a_trial_that_fails_or_never_ends_leaves_no_dead_air() -> None:
    engine = Engine(speaks_ms=6000, hears=deque([SpeechError("down"), None]))
    async with bench(BARGE_IN, engine=engine) as b:
        call = await b.call()
        await call.until(0.8)
        call.say()
        assert (await call.until_event("playback_resumed")).to_json()["why"] == "not_understood"
        await call.until(3.0)
        call.say()
        assert (await call.until_event("playback_resumed", why="in_doubt")).at_seconds < 3.0 + ONSET + 1.0
        await call.until_event("playback_finished", complete=True)
        await call.until_state(WAITING)  # what he said is his turn now that the message is over
        assert told(call.record)[-1].split()[1:] == ["stage_took", "endpoint", "500", "500"]


@virtual
async def test_without_a_pause_a_sound_stops_the_message_for_good() -> None:
    settings = {"system": {"barge_in": True, "barge_in_pause_seconds": 0}}
    async with bench(settings, engine=Engine(speaks_ms=3000), backend=Backend()) as b:
        call = await b.call()
        await call.until(0.8)
        call.say()
        await call.until_state(WAITING)
        assert "playback_paused" not in types(call.record)
        assert ["playback_finished", "600"] in [line.split()[1:3] for line in told(call.record)]


@virtual
async def test_a_message_that_was_stopped_for_nothing_is_said_again_and_the_backend_hears_nothing_of_it() -> None:
    engine = Engine(speaks_ms=3000, hears=deque(["não", "", "sim"]))
    async with bench(BARGE_IN, engine=engine) as b:
        call = await b.call()
        await call.until(0.8)
        call.say()
        again = (await call.until_event("playback_started", purpose="reply")).to_json()
        assert again["text"] == "Condomínio Apoena, em que posso ajudar?"
        await call.until_event("playback_finished", complete=True)
        await call.until_state(USER_TURN)
        call.say()
        await call.until_event("backend_answered")
        assert b.backend.interrupted == [None]


def test_a_voice_that_goes_on_after_a_pause_is_weighed_anew_though_nothing_has_changed() -> None:
    told: list[TurnEvent] = []
    caller = SimpleNamespace(is_soft=lambda **_: False, likeness=lambda: (False, False))
    overhearing = Overhearing(cast(Any, None), cast(Any, caller), spawn=cast(Any, None), notify_turns=told.append)
    for over in (True, True, False, False):
        overhearing.weigh(over=over)
    assert told == [VoiceWeighed(soft=False, over=True), VoiceWeighed(soft=False, over=False)]
