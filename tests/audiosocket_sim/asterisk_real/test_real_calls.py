"""A real Asterisk calls `python -m audiosocket_server`, by the dialplan of docs/asterisk.md. All calls are
made once, at the same time.

On the real clock: nothing here asserts how fast anything was, only what happened, in which order, and every sample.
"""

import asyncio
import fcntl
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from helpers.real_calls import CALLS, GOODBYE, GREETING_DELAY, LONGEST_SECONDS, Evening, page_dialplan, spend_an_evening

from audiosocket_core.slin import read_audio
from audiosocket_sim.asterisk_real import Installation

pytestmark = [pytest.mark.asterisk, pytest.mark.real_time]

PROMPTS = Path(__file__).resolve().parents[3] / "audio" / "prompts" / "pt-br"
GREETING = read_audio(PROMPTS / "condominio_apoena_em_que_posso_ajudar.wav")
FAREWELL = read_audio(PROMPTS / "ate_logo_tenha_um_bom_dia.wav")
ANSWERED = ("application", "channel", "transfer", "wideband")


@pytest.fixture(scope="session")
def evening(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Evening:
    """The calls, made by the first worker that needs them; the others wait for it, and read what came of it."""
    base = tmp_path_factory.getbasetemp()
    kept = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "evening.pickle"
    with (kept.parent / "calls.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            kept.write_bytes(pickle.dumps(asyncio.run(spend_an_evening(installation))))
        found: Evening = pickle.loads(kept.read_bytes())
    return found


def test_every_call_was_served_and_ended_once(evening: Evening) -> None:
    assert set(evening.calls) == set(CALLS)
    for name, call in evening.calls.items():
        assert call.types().count("call_ended") == 1, name
        assert call.types()[-1] == "call_ended", name


@pytest.mark.parametrize("name", ["application", "channel", "transfer"])
def test_the_caller_hears_what_the_server_meant_to_play_sample_for_sample(evening: Evening, name: str) -> None:
    """Linear samples all the way, so each prompt is in the recording, bit by bit and without a hole."""
    heard = evening.calls[name].heard
    assert heard[f"talks-{name}-1"].count(GREETING) == 1
    assert heard[f"talks-{name}-2"].count(FAREWELL) == 1


@pytest.mark.parametrize("name", ["application", "channel", "transfer"])
def test_around_the_prompts_the_caller_hears_silence(evening: Evening, name: str) -> None:
    """Nothing but zeros from the first sample on: as many as the greeting waits for, to the frame."""
    before, after = evening.calls[name].heard[f"talks-{name}-1"].split(GREETING)
    assert not before.strip(b"\0")
    assert not after.strip(b"\0")
    assert len(before) / 16 == pytest.approx(GREETING_DELAY * 1000, abs=60)  # samples count the time, not the clock


def test_over_c_slin16_the_caller_hears_the_same_sound(evening: Evening) -> None:
    """8 kHz, to 16, and back: the samples are others, the sound is the same (correlation over 0.99)."""
    heard = evening.calls["wideband"].heard
    assert likeness(heard["talks-wideband-1"], GREETING) > 0.99
    assert likeness(heard["talks-wideband-2"], FAREWELL) > 0.99


def likeness(recording: bytes, prompt: bytes) -> float:
    sound, wanted = (np.frombuffer(pcm, dtype="<i2").astype(np.float64) for pcm in (recording, prompt))
    at = int(np.correlate(sound, wanted, "valid").argmax())
    found = sound[at : at + len(wanted)]
    return float(found @ wanted / (np.linalg.norm(found) * np.linalg.norm(wanted)))


@pytest.mark.parametrize("name", ANSWERED)
def test_the_server_understands_the_caller(evening: Evening, name: str) -> None:
    """The recording that the caller plays is recognised: 0x10 of 320 bytes, and 0x12 of 640."""
    call = evening.calls[name]
    assert [event["text"] for event in call.all("transcript_final")] == ["Apartamento 202."]
    assert [event["text"] for event in call.all("playback_started") if event["text"]][-1] == GOODBYE
    assert call.all("warned") == []


@pytest.mark.parametrize(("name", "said"), [("application", "after the bot"), ("channel", "after the bot: ANSWER")])
def test_a_hang_up_by_the_server_continues_the_dialplan(evening: Evening, name: str, said: str) -> None:
    call = evening.calls[name]
    assert call.events[-1]["by"] == "server"
    assert call.said(said)


def test_after_the_bot_the_caller_is_put_through(evening: Evening) -> None:
    assert evening.calls["transfer"].events[-1]["by"] == "server"
    assert "reception answers" in evening.lines


def test_keys_are_told_once_each(evening: Evening) -> None:
    assert [event["digit"] for event in evening.calls["keys"].all("dtmf_received")] == ["4", "2", "#"]


def test_a_quiet_caller_survives_past_two_seconds(evening: Evening) -> None:
    """He sends nothing for 6 s; the server's silence keeps the call, and he is greeted and listened to."""
    call = evening.calls["quiet"]
    assert not call.said("Reached timeout")
    assert call.events[-1]["by"] == "caller"
    assert call.events[-1]["duration_ms"] > 5000
    assert states(evening, "quiet") == ["IA_TURN", "USER_TURN", "STANDBY"]


@pytest.mark.parametrize(
    ("name", "passed"),
    [
        ("leaves_at_once", []),
        ("leaves_while_greeted", ["IA_TURN"]),
        ("leaves_in_mid_word", ["IA_TURN", "USER_TURN"]),
        ("leaves_while_waiting", ["IA_TURN", "USER_TURN", "WAITING"]),
        ("leaves_on_hold", ["IA_TURN", "USER_TURN", "WAITING"]),
    ],
)
def test_the_caller_hangs_up_at_each_point_of_the_call(evening: Evening, name: str, passed: list[str]) -> None:
    """The server notices at once, whatever it was doing; the dialplan does not go on."""
    call = evening.calls[name]
    assert states(evening, name) == [*passed, *(["STANDBY"] if passed else [])]
    assert call.events[-1]["by"] == "caller"
    assert not call.said("after the bot")
    assert ("hold_started" in call.types()) == (name == "leaves_on_hold")


def states(evening: Evening, name: str) -> list[str]:
    return [event["after"] for event in evening.calls[name].all("state_changed")]


def test_an_unanswered_channel_is_no_call(evening: Evening) -> None:
    """Connect, close, no byte: the server counts no call, and its log has no word of complaint."""
    assert any("Channel is not answered" in line for line in evening.lines)
    assert evening.known == len(CALLS)


def test_no_call_made_the_server_complain(evening: Evening) -> None:
    loud = [
        line for line in evening.log.splitlines() if " ERROR " in line or " WARNING " in line or "Traceback" in line
    ]
    assert loud == []


def test_asterisk_dropped_nobody(evening: Evening) -> None:
    """No rule of the protocol was broken, by Asterisk's own account: only callers who hang up are warned of."""
    words = ("Failed to read", "Poll timed out", "other than", "Invalid message", "Reached timeout", "Insufficient")
    assert [line for line in evening.lines if any(word in line for word in words)] == []


def test_asterisk_opened_no_port(evening: Evening) -> None:
    assert evening.ports == set()


def test_the_page_has_every_extension_that_is_called() -> None:
    pasted = page_dialplan()
    for _, context, extension in CALLS.values():
        assert f"exten => {extension},1," in pasted
        assert context in ("bot", "wideband")
    assert LONGEST_SECONDS < 60
