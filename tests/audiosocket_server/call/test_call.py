"""Whole calls against the server, byte by byte and in virtual time: what the caller hears and what is recorded."""

import asyncio
from collections import deque
from collections.abc import Callable
from uuid import UUID

import pytest
from audiosocket_server.backend.client import BackendError
from audiosocket_server.backend.question import Interrupted
from audiosocket_server.call.session import Call
from audiosocket_server.events import CallState
from audiosocket_server.turns.machine import COULD_NOT_CONNECT, ERROR_OCCURRED
from helpers.call_bench import HOLD, SILENCE, SIM, VOICE, Backend, Engine, bench, fault, reply, told, types, virtual

from audiosocket_core import fair_share
from audiosocket_core.fair_share import FairShare
from audiosocket_core.messages import Kind

STANDBY, USER_TURN, WAITING, IA_TURN = CallState.STANDBY, CallState.USER_TURN, CallState.WAITING, CallState.IA_TURN


@virtual
async def test_a_whole_call() -> None:
    engine = Engine(hears=deque(["apartamento 202"]))
    backend = Backend(deque([reply("Até logo.", STANDBY)]), after_seconds=0.3)
    async with bench(engine=engine, backend=backend) as b:
        call = await b.call()
        await call.until_state(USER_TURN)
        call.say()
        assert await call.ended() == "hangup"
        assert told(call.record) == [
            "0.00 call_started",
            "0.50 state_changed STANDBY IA_TURN",
            "0.50 playback_started greeting Condomínio Apoena, em que posso ajudar?",
            "1.50 playback_finished 1000 True 1000 None",
            "2.00 state_changed IA_TURN USER_TURN",
            "2.30 speech_started",
            "3.32 speech_ended silence 580",
            "3.32 stage_took endpoint 500 500",
            "3.32 state_changed USER_TURN WAITING",
            "3.32 transcript_final apartamento 202 False",
            "3.32 stage_took recognition 0 500",
            "3.32 backend_asked apartamento 202",
            "3.62 backend_answered Até logo. STANDBY 300",
            "3.62 stage_took backend 300 800",
            "3.64 state_changed WAITING IA_TURN",  # the next frame
            "3.64 playback_started reply Até logo.",
            "3.64 stage_took first_audio 20 820",
            "4.64 playback_finished 1000 True 1000 None",
            "5.14 state_changed IA_TURN STANDBY",
            "5.14 call_ended server the conversation is over 5140",
        ]
        assert backend.asked == [(str(call.uuid), "apartamento 202")]


@virtual
async def test_a_frame_every_20_ms_from_the_uuid_to_the_end() -> None:
    async with bench() as b:
        call = await b.call()
        await call.until(3.001)
        assert [at for at, _ in call.heard] == [round(n * 0.02, 6) for n in range(151)]
        assert {len(frame) for _, frame in call.heard} == {320}


@virtual
async def test_the_utterance_reaches_the_engine_from_before_its_onset() -> None:
    async with bench() as b:
        call = await b.call()
        await call.until_state(USER_TURN)
        call.say()
        await call.until_state(WAITING)
        fed = b.engine.fed[0]
        onset = 360 * 16  # where the manifest says that the word begins
        assert SIM[onset : onset + 360 * 16] in fed
        assert fed.index(SIM[onset : onset + 360 * 16]) >= 200 * 16


@virtual
async def test_the_pre_roll_never_reaches_into_playback() -> None:
    numbered = b"".join(bytes([n, 0]) * 160 for n in range(1, 18))  # too soft for the detector
    async with bench({"endpointing": {"pre_roll_ms": 1000}}) as b:
        call = await b.call()
        await call.until(1.301)
        call.say(numbered + SIM[len(numbered) :])  # the greeting ends at 1.5 s; the word is said in the pause after it
        await call.until_state(WAITING)
        first = b.engine.fed[0][0]
        assert 1.301 + first * 0.02 == pytest.approx(1.5, abs=0.03)


@virtual
async def test_hold_audio_starts_after_three_seconds_and_stops_in_the_frame_of_the_first_audio() -> None:
    engine = Engine(after_seconds=0.33)
    async with bench(engine=engine, backend=Backend(after_seconds=4.0)) as b:
        call = await b.call()
        await call.until_state(USER_TURN)
        call.say()
        await call.until_state(WAITING)
        begun = call.record.events()[-1].at_seconds
        await call.until_state(USER_TURN)
        heard = [frame for at, frame in call.heard if at > begun + 0.001]
        kinds = "".join({SILENCE: ".", VOICE * 160: "v", HOLD[:320]: "h"}[frame] for frame in heard)
        held = 67  # one second until the answer, 0.33 until its audio, and the rest of a frame
        assert kinds.startswith("." * 149 + "h" * held + "v" * 50 + ".")
        lines = told(call.record)
        at = [line.split()[0] for line in lines if "hold" in line or "WAITING IA_TURN" in line]
        assert at == [f"{begun + 3:.2f}", f"{begun + 3 + held * 0.02:.2f}", f"{begun + 3 + held * 0.02:.2f}"]


@virtual
async def test_pushed_messages_end_waiting_and_are_taken_in_no_other_state() -> None:
    async with bench(backend=Backend(deque([reply("Um momento.", WAITING)]))) as b:
        call = await b.call()
        await call.until(0.2)
        assert not call.record.push(reply("cedo demais"))
        await call.until_state(USER_TURN)
        assert not call.record.push(reply("cedo demais"))
        call.say()
        await call.until_event("state_changed", before=IA_TURN, after=WAITING)
        assert call.record.push(reply("O apartamento não atendeu.", IA_TURN))
        assert call.record.push(reply("Pode entrar.", STANDBY))
        assert await call.ended() == "hangup"
        spoken = [entry.text for entry in call.record.entries() if entry.origin == "ai"]
        assert spoken[1:] == ["Um momento.", "O apartamento não atendeu.", "Pode entrar."]
        assert types(call.record).count("message_pushed") == 2
        assert call.record.last_answer == reply("Pode entrar.", STANDBY).raw
        assert not call.record.push(reply("tarde demais"))


@pytest.mark.long("quicker tests of this file are run")
@virtual
async def test_a_backend_that_never_comes_back_is_apologised_for_after_thirty_seconds() -> None:
    async with bench(backend=Backend(deque([reply("Um momento.", WAITING)]))) as b:
        call = await b.call()
        await call.until_state(USER_TURN)
        call.say()
        ended = await call.until_event("playback_finished", complete=True)
        apology = await call.until_event("playback_started", purpose="apology")
        assert apology.at_seconds == pytest.approx(ended.at_seconds + 30.0 + 0.02)  # the first frame that can hold it
        assert apology.to_json()["text"] == ERROR_OCCURRED
        await call.until_state(USER_TURN)


@pytest.mark.parametrize(("kind", "apology"), [("http_error", ERROR_OCCURRED), ("unreachable", COULD_NOT_CONNECT)])
@virtual
async def test_backend_faults(kind: str, apology: str) -> None:
    async with bench(backend=Backend(deque([BackendError(kind, "HTTP 500")]))) as b:  # type: ignore[arg-type]
        call = await b.call()
        await call.until_state(USER_TURN)
        call.say()
        spoken = await call.until_event("playback_started")
        assert spoken.to_json()["text"] == apology
        assert "backend_failed" in types(call.record)
        await call.until_state(USER_TURN)


@virtual
async def test_warnings_of_a_reply_are_events() -> None:
    strange = reply("Pois não.")
    strange = type(strange)(strange.message, strange.status, strange.raw, ("unknown set_call_status",))
    async with bench(backend=Backend(deque([strange]))) as b:
        call = await b.call()
        await call.until_state(USER_TURN)
        call.say()
        await call.until_event("warned", what="unknown set_call_status")


@pytest.mark.every(2)
@pytest.mark.parametrize("how", ["fails", "never answers"])
@virtual
async def test_recognition_that_fails_is_apologised_for(how: str) -> None:
    engine = Engine(hears=deque([fault() if how == "fails" else None]))
    async with bench(engine=engine) as b:
        call = await b.call()
        await call.until_state(USER_TURN)
        call.say()
        await call.until_state(WAITING)
        begun = asyncio.get_running_loop().time()
        spoken = await call.until_event("playback_started", purpose="apology")
        assert spoken.to_json()["text"] == ERROR_OCCURRED
        assert asyncio.get_running_loop().time() - begun == pytest.approx(0 if how == "fails" else 15.0, abs=0.02)
        told = "warned" if how == "never answers" else "transcript_final"
        assert types(call.record).count(told) == 1
        await call.until_state(USER_TURN)
        assert b.backend.asked == []


@virtual
async def test_nothing_recognised_is_the_callers_turn_again() -> None:
    async with bench(engine=Engine(hears=deque([""]))) as b:
        call = await b.call()
        await call.until_state(USER_TURN)
        call.say()
        await call.until_state(WAITING)
        await call.until_state(USER_TURN)
        assert b.backend.asked == []


GREETING = "Condomínio Apoena, em que posso ajudar?"


@pytest.mark.every(3)
@pytest.mark.parametrize("pieces", [[fault()], [], [None]])
@virtual
async def test_a_greeting_that_cannot_be_made(pieces: list[int | Exception | None]) -> None:
    async with bench(engine=Engine(speech={GREETING: pieces})) as b:
        call = await b.call()
        await call.until_state(USER_TURN)
        assert call.record.events()[-1].at_seconds == pytest.approx(10.5 if pieces == [None] else 0.5)
        assert "playback_started" not in types(call.record)


@virtual
async def test_speech_that_breaks_off_is_played_as_far_as_it_goes() -> None:
    async with bench(engine=Engine(speech={GREETING: [400, fault()]})) as b:
        call = await b.call()
        ended = await call.until_event("playback_finished")
        assert ended.to_json()["played_ms"] == 400
        await call.until_state(USER_TURN)


@virtual
async def test_speech_that_stalls_for_ever_is_over_after_five_seconds() -> None:
    async with bench(engine=Engine(speech={GREETING: [400, None]})) as b:
        call = await b.call()
        ended = await call.until_event("playback_finished", played_ms=400, complete=False)
        assert ended.at_seconds == pytest.approx(0.5 + 0.4 + 5.0)
        assert "synthesis_failed" in types(call.record)
        await call.until_state(USER_TURN)
        (connection,) = b.server._connections
        assert not connection._tasks  # type: ignore[union-attr]  # who made it has been stopped


@pytest.mark.long("quicker tests of this file are run")
@virtual
async def test_a_long_message_is_made_as_it_is_played() -> None:
    async with bench(engine=Engine(speech={GREETING: [1000] * 60})) as b:
        call = await b.call()
        (connection,) = b.server._connections
        await call.until(1.0)
        assert 10_000 < connection._playback.queued_ms < 30_000  # type: ignore[union-attr]
        ended = await call.until_event("playback_finished")
        assert ended.at_seconds == pytest.approx(60.5)
        assert ended.to_json()["complete"]


@virtual
async def test_without_barge_in_the_caller_is_not_heard_over_the_bot() -> None:
    async with bench(engine=Engine(speaks_ms=3000)) as b:
        call = await b.call()
        await call.until(0.8)
        call.say()
        await call.until_state(USER_TURN)
        await call.until(6.0)
        assert "speech_started" not in types(call.record)


@virtual
async def test_with_barge_in_caller_speech_stops_the_bot() -> None:
    async with bench({"system": {"barge_in": True}}, engine=Engine(speaks_ms=3000)) as b:
        call = await b.call()
        await call.until(0.8)
        call.say()
        began = await call.until_event("speech_started")
        assert began.at_seconds == pytest.approx(0.8 + 0.36, abs=0.1)
        await call.until_state(WAITING)
        lines = [line.split()[1:] for line in told(call.record)]
        assert lines[4] == ["playback_paused", "600"]
        assert lines[5] == ["playback_finished", "600", "False", "3000"]
        assert lines[6] == ["state_changed", "IA_TURN", "USER_TURN"]
        assert not [at for at, frame in call.heard if frame != SILENCE and began.at_seconds < at]


@virtual
async def test_the_backend_learns_what_was_heard_of_a_message_that_was_interrupted() -> None:
    async with bench({"system": {"barge_in": True}}, engine=Engine(speaks_ms=3000)) as b:
        call = await b.call()
        await call.until(1.4)
        call.say()
        await call.until_event("backend_answered")
        call_again = await b.call()
        await call_again.until_state(USER_TURN)
        call_again.say()
        await call_again.until_event("backend_answered")
        greeting = "Condomínio Apoena, em que posso ajudar?"
        assert b.backend.interrupted == [Interrupted(greeting, "Condomínio", 1200, 3000), None]
        said = [line for line in call.record.transcript() if line["origin"] == "ai"]
        assert said[0] == {"at": 0.5, "origin": "ai", "text": greeting, "heard": "Condomínio"}


@virtual
async def test_a_message_that_is_heard_to_its_end_is_told_to_nobody_as_interrupted() -> None:
    async with bench({"system": {"barge_in": True}}) as b:
        call = await b.call()
        await call.until(1.6)  # in the pause after the greeting
        call.say()
        await call.until_event("backend_answered")
        assert b.backend.interrupted == [None]
        assert "heard" not in next(line for line in call.record.transcript() if line["origin"] == "ai")


@virtual
async def test_a_phone_that_stops_sending_has_fallen_silent() -> None:
    async with bench({"system": {"silence_threshold_seconds": 1.0}}) as b:
        call = await b.call()
        await call.until_state(USER_TURN)
        call.say(SIM[: 700 * 16])
        await call.until(call.record.events()[-1].at_seconds + 0.7)
        call.muted = True
        await call.until_state(WAITING)
        ended = next(r for r in call.record.events() if r.type == "speech_ended")
        assert ended.at_seconds == pytest.approx(2.0 + 0.7 + 1.0, abs=0.08)


@virtual
async def test_a_hole_around_a_digit_does_not_end_the_turn() -> None:
    async with bench({"system": {"silence_threshold_seconds": 0.8}}) as b:
        call = await b.call()
        await call.until_state(USER_TURN)
        call.say()
        await call.until(3.0)  # silent for 200 ms
        call.muted = True  # a key is down for 500 ms
        await call.until(3.5)
        call.send(3, b"5")
        call.muted = False
        await call.until(3.8)  # and silent for 300 ms more
        assert types(call.record)[-2:] == ["speech_started", "dtmf_received"]
        call.say(SIM)
        ended = await call.until_event("speech_ended")
        assert ended.at_seconds > 4.5
        await call.until_event("transcript_final")
        assert [entry.text for entry in call.record.entries() if entry.origin == "caller"] == ["DTMF 5", "sim"]


@pytest.mark.long("quicker tests of this file are run")
@virtual
async def test_silence_for_two_minutes_ends_the_call() -> None:
    async with bench() as b:
        call = await b.call()
        assert await call.ended() == "hangup"
        assert told(call.record)[-1] == "122.00 call_ended server the caller said nothing for too long 122000"


@virtual
async def test_loud_noise_ends_at_the_longest_utterance() -> None:
    async with bench({"endpointing": {"longest_utterance_seconds": 3.0}}) as b:
        call = await b.call()
        await call.until_state(USER_TURN)
        call.say(SIM[360 * 16 : 720 * 16] * 20)
        ended = await call.until_event("speech_ended")
        assert ended.to_json()["reason"] == "longest"


@virtual
async def test_a_call_has_a_limit() -> None:
    async with bench({"limits": {"call_seconds": 10}}) as b:
        call = await b.call()
        assert await call.ended() == "hangup"
        assert told(call.record)[-1] == "10.00 call_ended server the call reached its time limit 10000"


@virtual
async def test_audio_of_another_rate_is_heard_and_answered_in_8_khz() -> None:
    from audiosocket_core.slin import resample

    async with bench() as b:
        call = await b.call()
        call.kind, call.frame_bytes = 0x12, 640
        await call.until_state(USER_TURN)
        call.say(resample(SIM, 8000, 16000))
        ended = await call.until_event("speech_ended", reason="silence")
        assert 400 <= ended.to_json()["duration_ms"] <= 700  # type: ignore[operator]
        assert len(b.engine.fed[0]) > 8000
        assert {len(frame) for _, frame in call.heard} == {320}


@pytest.mark.parametrize(("every", "hinted"), [(0.02, True), (0.01, False)])
@virtual
async def test_g711_that_is_labelled_as_pcm_is_hinted_at_once(every: float, hinted: bool) -> None:
    async with bench() as b:
        call = await b.call()
        call.muted = True
        for _ in range(120):
            call.send(0x10, b"\xd5" * 160)
            await asyncio.sleep(every)
        hints = [line for line in told(call.record) if "c(slin)" in line]
        assert len(hints) == hinted


@virtual
async def test_strange_messages_are_told_once_and_do_no_harm() -> None:
    async with bench() as b:
        call = await b.call()
        for _ in range(3):
            call.send(0xFF, b"\1")
            call.send(0x10, b"\1" * 321)
            call.send(0x10, b"")
            call.send(0x01, bytes(16))
            call.send(0x03, b"")
            call.send(0x03, b"12")
        await call.until_state(USER_TURN)
        warnings = [line for line in told(call.record) if "warned" in line]
        assert len([line for line in warnings if "0xff" in line]) == 1
        assert len([line for line in warnings if "DTMF" in line]) == 1
        call.say()
        await call.until_state(WAITING)


@virtual
async def test_a_stall_of_our_own_is_no_silence_of_the_caller() -> None:
    async with bench() as b:
        call = await b.call()
        await call.until_state(USER_TURN)
        call.say(SIM[360 * 16 : 720 * 16] * 3)
        await call.until_event("speech_started")
        (connection,) = b.server._connections
        ticks, loop = connection._ticks, asyncio.get_running_loop()  # type: ignore[union-attr]
        ticks._timer.cancel()  # type: ignore[union-attr]
        loop._now += 0.7  # type: ignore[attr-defined]  # over the threshold; and the clock is served before the socket
        ticks._tick()  # type: ignore[union-attr]
        assert types(call.record)[-1] == "speech_started"
        await call.until_event("speech_ended", reason="silence")


@virtual
async def test_a_stall_in_the_midst_of_a_turn_of_uvloop_is_no_silence_of_the_caller() -> None:
    """Its clock still shows the time of before the stall; the tick is due after it."""
    async with bench() as b:
        call = await b.call()
        await call.until_state(USER_TURN)
        call.say(SIM[360 * 16 : 720 * 16] * 3)
        await call.until_event("speech_started")
        (connection,) = b.server._connections
        clock = asyncio.get_running_loop().time()
        for due in (clock + 0.66, clock + 0.68, clock + 0.7):
            assert connection._input.missing(due, clock) is None  # type: ignore[union-attr]


@virtual
async def test_audio_that_waits_for_its_share_of_the_loop_is_no_silence_of_the_caller(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Beside floods the rest of a burst waits for its turn; it has arrived, and only was not looked at."""
    rests: list[Callable[[], bool]] = []
    async with bench() as b:
        call = await b.call()
        await call.until_state(USER_TURN)
        call.say(SIM[360 * 16 : 720 * 16] * 5)
        await call.until_event("speech_started")
        with monkeypatch.context() as patched:
            patched.setattr(FairShare, "add", lambda share, work: rests.append(work))
            for _ in range(8):  # more than are heard at once
                call.send(0x10, SIM[400 * 16 : 420 * 16])
            await asyncio.sleep(0.7)  # over the threshold
            assert types(call.record)[-1] == "speech_started"
        (rest,) = rests
        FairShare.of(asyncio.get_running_loop()).add(rest)
        await call.until_event("speech_ended", reason="silence")


@virtual
async def test_a_key_held_for_longer_than_the_threshold_is_silence_unless_the_settings_say_otherwise() -> None:
    for missing_audio_ms, ended in ((200, True), (1500, False)):
        async with bench({"endpointing": {"missing_audio_ms": missing_audio_ms}}) as b:
            call = await b.call()
            await call.until_state(USER_TURN)
            call.say()
            await call.until_event("speech_started")
            await asyncio.sleep(0.3)
            call.muted = True  # nothing on the wire tells a key that is down from a phone on mute
            await asyncio.sleep(1.2)
            call.send(3, b"5")
            call.muted = False
            await asyncio.sleep(0.1)
            assert ("speech_ended" in types(call.record)) is ended
            assert "dtmf_received" in types(call.record)
            await call.until_event("backend_asked" if not ended else "playback_finished")


@virtual
async def test_a_peer_that_does_not_read_is_told_of_once_and_costs_no_memory() -> None:
    async with bench({"limits": {"no_utterance_seconds": 600}}) as b:
        call = await b.call()
        call.writer.transport.pause_reading()
        call.muted = True
        await call.until(400)  # minutes, until the network is full
        (connection,) = b.server._connections
        assert connection._shell._transport.get_write_buffer_size() < 10_000  # type: ignore[union-attr]
        assert [line for line in told(call.record) if "warned" in line] == [
            line for line in told(call.record) if "does not read" in line
        ]
        assert "warned" in types(call.record)
        assert types(call.record).count("warned") == 1
        assert call.record.live


@pytest.mark.long("a peer that does not read is tried")
@virtual
async def test_a_flood_of_caller_audio_is_heard_and_kept_nowhere() -> None:
    async with bench({"endpointing": {"longest_utterance_seconds": 15}}) as b:
        call, other = await b.call(), await b.call()
        await call.until_state(USER_TURN)
        for _ in range(50):  # 2,000 seconds of it within one
            for _ in range(10):
                call.send(0x10, (SIM[360 * 16 : 720 * 16] * 12)[:65_534])
            await asyncio.sleep(0.02)
        (connection, *_) = (c for c in b.server._connections if c._record is call.record)  # type: ignore[union-attr]
        assert len(b.engine.fed[0]) < 20 * 16_000  # to the longest utterance, and the message in which it ended
        assert len(connection._input._endpointer._recent) < 30  # type: ignore[union-attr]
        assert call.record.live
        gaps = {round(after - before, 3) for (before, _), (after, _) in zip(other.heard, other.heard[1:], strict=False)}
        assert gaps == {0.02}


@pytest.mark.parametrize(
    ("status", "every_ms"),
    [
        (USER_TURN, 60),
        pytest.param(USER_TURN, 10, marks=pytest.mark.long("each sixth instant is tried")),
        *(
            pytest.param(status, 10, marks=pytest.mark.long("one status stands for four"))
            for status in (WAITING, IA_TURN, STANDBY)
        ),
    ],
)
@virtual
async def test_a_push_at_any_instant_is_spoken_or_refused(status: CallState, every_ms: int) -> None:
    engine = Engine(speaks_ms=100, after_seconds=0.05)
    async with bench(
        {"system": {"after_speech_pause_seconds": 0.1}}, engine=engine, backend=Backend(after_seconds=0.1)
    ) as b:
        outcomes = set()
        for after_ms in range(0, 600, every_ms):  # from the end of the utterance to past the end of the turn
            b.backend.says.append(reply("Um momento.", status))
            call = await b.call()
            await call.until_state(USER_TURN)
            call.say()
            await call.until_state(WAITING)
            await asyncio.sleep(after_ms / 1000)
            taken = call.record.push(reply("Pode entrar.", STANDBY))
            outcomes.add(taken)
            await asyncio.sleep(1.5)
            spoken = [entry.text for entry in call.record.entries() if entry.origin == "ai"]
            assert spoken.count("Pode entrar.") == taken
            assert types(call.record).count("message_pushed") == taken
            assert call.record.live is (status is not STANDBY and not taken)
            call.hang_up()
        assert outcomes == ({True, False} if status in (USER_TURN, STANDBY) else {True})


@virtual
async def test_wideband_that_is_labelled_as_8_khz_is_heard_where_the_settings_say_so() -> None:
    from audiosocket_core.slin import resample

    async with bench({"audio": {"caller_sample_rate": 16000}}) as b:  # AI-06
        call = await b.call()
        call.frame_bytes = 640
        await call.until_state(USER_TURN)
        call.say(resample(SIM, 8000, 16000))
        ended = await call.until_event("speech_ended", reason="silence")
        assert 400 <= ended.to_json()["duration_ms"] <= 700  # type: ignore[operator]
        assert {len(frame) for _, frame in call.heard} == {320}


@virtual
async def test_seconds_of_many_calls_that_end_at_one_instant_are_reported_in_turns(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    turn, reported = 0, []
    run_turn = FairShare._turn

    def counted(share: FairShare) -> None:
        nonlocal turn
        turn += 1
        run_turn(share)

    monkeypatch.setattr(fair_share, "SHARE_SECONDS", -1.0)  # one work a turn
    monkeypatch.setattr(FairShare, "_turn", counted)
    monkeypatch.setattr(Call, "_warn", lambda call, what: reported.append(turn))
    async with bench() as b:
        for number in range(8):
            call = await b.caller(str(UUID(int=number + 1))).connect()
            for _ in range(21):
                call.send(Kind.DTMF, b"7")
        await asyncio.sleep(1.5)
    assert len(set(reported)) == len(reported) == 8


@virtual
async def test_keys_beyond_twenty_a_second_are_counted_and_not_reported_one_by_one() -> None:
    async with bench() as b:
        call = await b.call()
        for _ in range(500):
            call.send(3, b"7")
        await call.until(0.9)
        assert types(call.record).count("dtmf_received") == 20
        await call.until(2.5)
        call.send(3, b"8")  # in another second
        await call.until(2.6)
        for _ in range(30):
            call.send(3, b"9")
        await call.until(2.7)
        call.hang_up()
        await call.until_event("call_ended")
        keys = [recorded.to_json() for recorded in call.record.events()]
        assert [key["digit"] for key in keys if key["type"] == "dtmf_received"] == ["7"] * 20 + ["8"] + ["9"] * 19
        assert [(round(float(str(key["at"]))), key["what"]) for key in keys if key["type"] == "warned"] == [
            (1, "more than 20 keys came within a second: 480 more are not reported"),
            (3, "more than 20 keys came within a second: 11 more are not reported"),
        ]


@pytest.mark.long("a flood is heard, and a stall of our own")
@virtual
async def test_audio_faster_than_real_time_is_dropped_and_a_stall_is_made_up_for() -> None:
    async with bench({"greeting": {"message": ""}, "limits": {"no_utterance_seconds": 600}}) as b:
        call = await b.call()
        call.muted = True
        await call.until(50)
        for _ in range(50 * 50):  # all that was held up for 50 s, and then as it comes
            call.send(0x10, bytes(320))
        call.muted = False
        await call.until(100)
        assert "warned" not in types(call.record)
        for _ in range(200):
            call.send(0x10, bytes(65_280))  # a quarter of an hour at once
        await call.until(101)
        call.muted = True
        warnings = [recorded.to_json()["what"] for recorded in call.record.events() if recorded.type == "warned"]
        assert warnings == ["the caller's audio is faster than real time: what is over 30 s ahead is dropped"]
        call.hang_up()
        await call.until_event("call_ended")


@virtual
async def test_the_greeting_waits_for_the_first_audio_of_the_callers_side() -> None:
    async with bench() as b:
        call = b.caller()
        call.muted = True
        await call.connect()
        await call.until(1.19)
        call.muted = False
        await call.until_state(IA_TURN)
        assert told(call.record)[1:3] == [
            "1.22 state_changed STANDBY IA_TURN",
            "1.22 playback_started greeting Condomínio Apoena, em que posso ajudar?",
        ]


@pytest.mark.parametrize(("waits", "begins"), [({}, "3.50"), ({"wait_for_audio_seconds": 0}, "0.50")])
@virtual
async def test_a_phone_that_sends_nothing_is_greeted_all_the_same(waits: dict[str, object], begins: str) -> None:
    async with bench({"greeting": waits}) as b:
        call = b.caller()
        call.muted = True
        await call.connect()
        await call.until(0.1)
        await call.until_state(IA_TURN)
        assert told(call.record)[1] == f"{begins} state_changed STANDBY IA_TURN"


@virtual
async def test_a_caller_who_speaks_first_is_heard_out_and_answered() -> None:
    engine = Engine(hears=deque(["apartamento 202"]))
    async with bench({"greeting": {"delay_seconds": 1.0}}, engine=engine) as b:
        call = await b.call()
        call.say(SIM + SIM)
        await call.until_state(WAITING)
        await call.until_state(IA_TURN)
        lines = "\n".join(told(call.record))
        assert "playback_started reply Pois não." in lines
        assert "greeting" not in lines
        onset = 360 * 16  # where the manifest says that the word begins
        assert SIM[onset : onset + 360 * 16] in engine.fed[0]


@virtual
async def test_a_caller_who_speaks_first_is_greeted_over_where_that_is_set() -> None:
    async with bench({"greeting": {"delay_seconds": 1.0, "caller_first": "greet"}}) as b:
        call = await b.call()
        call.say(SIM + SIM)
        await call.until_state(USER_TURN)
        assert types(call.record)[:4] == ["call_started", "state_changed", "playback_started", "playback_finished"]
        assert "1.00 playback_started greeting Condomínio Apoena, em que posso ajudar?" in told(call.record)


@virtual
async def test_a_noise_before_the_greeting_delays_nothing() -> None:
    async with bench({"greeting": {"delay_seconds": 1.0}}) as b:
        call = await b.call()
        call.say(bytes(4800) + SIM[360 * 16 : 440 * 16])  # 80 ms of a word
        await call.until_state(IA_TURN)
        assert types(call.record) == ["call_started", "state_changed", "playback_started"]
        assert told(call.record)[1] == "1.00 state_changed STANDBY IA_TURN"


@pytest.mark.parametrize("guard", [True, False])
@virtual
async def test_a_caller_who_speaks_in_the_pause_has_his_turn_at_once_where_a_guard_knows_echoes(
    guard: bool,
) -> None:
    async with bench({"endpointing": {"echo_guard": guard}}) as b:
        call = await b.call()
        await call.until(1.45)  # the pause is from 1.5 to 2.0
        call.say(SIM)  # its word begins 360 ms later
        began = await call.until_event("speech_started")
        assert (began.at_seconds < 1.98) is guard
        await call.until_state(WAITING)
        onset_byte = 360 * 16
        assert SIM[onset_byte : onset_byte + 360 * 16] in b.engine.fed[0]
