"""What 186 further recordings and 42 live situations of real Asterisk corrected: a test a row, named after its FID."""

import asyncio
import importlib.util
import itertools
from typing import Any

import numpy as np
import pytest
from helpers.fidelity_bench import FRAME, ID, NETWORKS, Session, call, in_pieces, leg, listening, nothing, speaking

from audiosocket_core import slin
from audiosocket_sim.asterisk import CallLeg, ConnectFailed
from audiosocket_sim.asterisk.codecs import (
    CodecMissing,
    caller_encoder,
    through_asterisks_ulaw,
    ulaw_encode_as_asterisk,
)
from audiosocket_sim.asterisk.faults import AsteriskStall
from audiosocket_sim.asterisk.profiles import profile
from audiosocket_sim.call_log.events import BotSpoke
from audiosocket_sim.phone.line import LineModel
from audiosocket_sim.running.runner import Options, Outcome
from audiosocket_sim.running.runner import run as run_scenario
from audiosocket_sim.scenario.loading import load_text
from audiosocket_sim.virtual_time import run


def with_codecs(test: Any) -> Any:
    """Mark a test that needs the extra [codecs]."""
    missing = any(importlib.util.find_spec(module) is None for module in ("G722", "soundfile"))
    return pytest.mark.extra(pytest.mark.skipif(missing, reason="needs the extra [codecs]")(test))


def falling_silent() -> Any:
    """Five packets of speech, five without, and so on."""
    frames = iter([speaking(160)] * 5 + [None] * 5 + [speaking(160)] * 5)
    return lambda n: next(frames, None)


# --- comfort noise


@pytest.mark.every(4)
@pytest.mark.parametrize("version", ["22.4", "22.5", "22.8", "22.9"])
def test_fid_29_comfort_noise_silences_the_channel_driver_which_stays_open(version: str) -> None:
    """FID-29, B1 to D: no byte and no FIN, for minutes, until the server sends something, which a reset answers."""
    done = call(
        lambda session: session.write_at(300.0, FRAME),
        version=version,
        attach="chan",
        source=falling_silent(),
        comfort_noise_bytes=1,
        hang_up_at=600,
    )
    assert len(done.session.audio_at) == 5
    assert (done.session.end, done.session.ended_at) == ("reset", 300.0)
    assert (done.end.who, done.end.how, done.end.dialplan, done.end.at) == ("asterisk", "protocol", "channel_ends", 300)
    assert "comfort noise" in done.end.reason
    assert any("comfort noise" in note and "stays open" in note for note in done.leg.anomalies)


@pytest.mark.long("quicker tests of this file are run")
def test_fid_29_a_silenced_channel_ends_when_the_caller_hangs_up() -> None:
    done = call(nothing, version="22.9", attach="chan", source=falling_silent(), comfort_noise_bytes=1, hang_up_at=600)
    assert (done.session.end, done.end.who, done.end.at) == ("fin", "caller", 600)


@pytest.mark.parametrize(("size", "written"), [(1, 0), (2, 1), (11, 10)])
def test_fid_29_era_a_writes_all_but_the_first_byte(size: int, written: int) -> None:
    done = call(
        nothing, version="20.6", attach="chan", source=falling_silent(), comfort_noise_bytes=size, hang_up_at=0.5
    )
    assert [len(payload) for _, kind, payload in done.session.messages if kind == 0x10][5] == written


# --- the phone's clock


@pytest.mark.parametrize(("packet_time_ms", "first_ms"), [(20, 8.0), (20, 5.6), (20, 12.6), (60, 8.0), (10, 3.0)])
def test_fid_06_the_phones_clock_knows_nothing_of_the_uuid(packet_time_ms: int, first_ms: float) -> None:
    done = call(packet_time_ms=packet_time_ms, first_packet_ms=first_ms, hang_up_at=1.0)
    assert done.session.audio_at[:3] == pytest.approx([(first_ms + n * packet_time_ms) / 1000 for n in range(3)])


@NETWORKS
def test_fid_06_audio_may_come_in_the_same_segment_as_the_uuid(in_memory: bool) -> None:
    """`Playback` on the bot's own channel: 0.04 ms after the UUID."""
    done = call(first_packet_ms=0.0, hang_up_at=0.5, in_memory=in_memory)
    at, together = done.session.reads[0]
    assert (at, len(together)) == (0.0, 19 + 323)
    assert done.session.audio_at[1] == pytest.approx(0.02)


def test_fid_06_a_phone_is_8_ms_late_if_nothing_else_is_said() -> None:
    async def first() -> float:
        async with listening() as (port, sessions):
            plain = CallLeg(profile("22.10"), ID, source=speaking, on_bot_audio=lambda *_: None)
            await plain.connect("127.0.0.1", port)
            await asyncio.sleep(0.1)
            plain.hang_up()
            await plain.wait_ended()
            return sessions[0].audio_at[0]

    assert run(first) == pytest.approx(0.008)


STALL = AsteriskStall(at_ms=1000, for_ms=400)


def test_fid_07_after_a_stall_a_phones_packets_come_in_a_burst() -> None:
    done = call(stalls=[STALL], hang_up_at=3.0)
    at = done.session.audio_at
    assert not [t for t in at if 1.0 < t < 1.4]
    assert at.count(1.4) >= 20
    assert len(at) == pytest.approx(150, abs=1)


def test_fid_07_after_a_stall_a_local_callers_ticks_are_lost_for_good() -> None:
    done = call(stalls=[AsteriskStall(1000, 400, loses_ticks=True)], hang_up_at=3.0)
    at = done.session.audio_at
    assert not [t for t in at if 1.0 < t < 1.4]
    assert max(b - a for a, b in itertools.pairwise(at)) == pytest.approx(0.4, abs=0.021)
    assert at.count(1.4) <= 1
    assert len(at) == pytest.approx(130, abs=1)


@pytest.mark.parametrize("attach", ["app", "chan"])
def test_fid_07_while_asterisk_stalls_it_does_not_read(attach: str) -> None:
    """What the server sends meanwhile is heard after it, and 5 ms inside a message are counted from there."""

    def script(session: Session) -> None:
        session.write_at(1.1, FRAME[:100])
        session.write_at(1.2, FRAME[100:])
        session.write_at(1.3, b"\0\0\0")

    done = call(script, attach=attach, stalls=[STALL], hang_up_at=3.0)
    assert [at for at, *_ in done.heard] == [1.4]
    assert (done.end.how, done.end.at) == ("hangup_message", 1.4)


def test_fid_12_a_limit_that_runs_out_in_a_stall_ends_the_call_after_it() -> None:
    done = call(source=lambda n: None, stalls=[AsteriskStall(500, 5000)], hang_up_at=30)
    assert (done.end.who, done.end.at) == ("asterisk", pytest.approx(5.5))


def test_fid_12_what_came_in_a_stall_is_read_before_the_limit_is_judged() -> None:
    script = in_pieces((4.0, FRAME))
    done = call(script, source=lambda n: None, stalls=[AsteriskStall(500, 5000)], hang_up_at=30)
    assert done.end.at == pytest.approx(7.5)


# --- TIMEOUT(absolute)


@pytest.mark.parametrize(("attach", "dialplan"), [("app", "ends"), ("chan", "channel_ends")])
def test_fid_12_timeout_absolute_is_a_close_while_audio_flows(attach: str, dialplan: str) -> None:
    done = call(lambda session: session.talk(5), attach=attach, absolute_timeout_ms=2500, hang_up_at=30)
    assert (done.end.who, done.end.how, done.end.dialplan, done.end.at) == ("asterisk", "protocol", dialplan, 2.5)
    assert "TIMEOUT(absolute) of 2.5 s" in done.end.reason
    assert ("2000 ms of no activity" in done.end.reason) == (attach == "app")


# --- codecs


@with_codecs
@pytest.mark.parametrize(
    ("coding", "packet_time_ms", "size"), [("g722", 20, 160), ("g722", 30, 240), ("gsm", 20, 33), ("gsm", 60, 99)]
)
def test_fid_24_without_c_slin_any_codec_of_the_caller_is_called_0x10(
    coding: str, packet_time_ms: int, size: int
) -> None:
    done = call(attach="chan", coding=coding, packet_time_ms=packet_time_ms, hang_up_at=0.5)
    assert {(kind, len(payload)) for _, kind, payload in done.session.messages[1:]} == {(0x10, size)}


@with_codecs
def test_fid_24_what_is_sent_depends_on_what_is_said() -> None:
    loud, silent = (b"\0\x10\0\xf0" * 80, bytes(320))
    for codec in ("g722", "gsm"):
        assert caller_encoder(codec)(loud) != caller_encoder(codec)(silent)  # type: ignore[arg-type]


@pytest.mark.parametrize(("codec", "module"), [("g722", "G722"), ("gsm", "soundfile")])
def test_fid_24_without_the_extra_the_error_says_so(monkeypatch: pytest.MonkeyPatch, codec: Any, module: str) -> None:
    monkeypatch.setitem(__import__("sys").modules, module, None)
    with pytest.raises(CodecMissing, match=r"needs the extra \[codecs\]"):
        caller_encoder(codec)


def test_fid_23_asterisks_mu_law_rounds_negatives_another_way() -> None:
    samples = [0, -1, -4, -5, 1, 3, 4, 32767, -32768]
    pcm = b"".join(sample.to_bytes(2, "little", signed=True) for sample in samples)
    assert ulaw_encode_as_asterisk(pcm).hex() == "ff7f7f7efffffe8000"
    assert slin.ulaw_encode(pcm).hex() == "ff7e7e7efffffe8000"


def test_sound_through_asterisks_ulaw_is_what_its_bytes_decode_to() -> None:
    pcm = np.arange(-32768, 32768).astype("<i2").tobytes()
    assert through_asterisks_ulaw(pcm) == slin.ulaw_decode(ulaw_encode_as_asterisk(pcm))
    assert through_asterisks_ulaw(bytes(320)) == bytes(320) == LineModel().receive(bytes(320))
    assert LineModel().receive(pcm) == through_asterisks_ulaw(pcm)


def test_fid_23_the_caller_hears_the_bot_through_asterisks_table() -> None:
    line = LineModel("ulaw")
    minus_one = b"\xff\xff"
    assert line.receive(minus_one * 160) == slin.ulaw_decode(b"\x7f" * 160)
    assert line.send(minus_one * 160) == slin.ulaw_decode(b"\x7e" * 160)  # a phone's own coder


# --- connecting, and how much fits


def test_fid_05_an_address_that_fails_at_once_ends_the_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    async def tried() -> list[str]:
        loop: Any = asyncio.get_running_loop()
        found: list[str] = []

        async def resolve(*_: Any, **__: Any) -> list[Any]:
            return [(2, 1, 6, "", (address, 0)) for address in ("192.0.2.1", "192.0.2.2", "127.0.0.1")]

        async def connect(factory: Any, host: str, port: int) -> Any:
            found.append(host)
            if host == "192.0.2.1":
                await asyncio.sleep(3600)
            raise ConnectionRefusedError

        monkeypatch.setattr(loop, "getaddrinfo", resolve)
        monkeypatch.setattr(loop, "create_connection", connect)
        with pytest.raises(ConnectFailed, match=r"192\.0\.2\.1: no answer within 2 s; 192\.0\.2\.2: refused"):
            await leg().connect("bot.example", 9)
        assert loop.time() == 2.0
        return found

    assert run(tried) == ["192.0.2.1", "192.0.2.2"]


@pytest.mark.every(2)
@pytest.mark.parametrize(("rate_hz", "size", "messages"), [(8000, 323, 12_084), (192_000, 7_683, 417)])
def test_fid_22_how_much_fits_before_a_short_write(rate_hz: int, size: int, messages: int) -> None:
    """As measured with a real Asterisk over Linux' loopback."""

    def deaf(session: Session) -> None:
        session.transport.pause_reading()

    async def whole() -> int:
        async with listening(deaf) as (port, sessions):
            peer = leg(attach="chan", rate_hz=rate_hz)
            await peer.connect("127.0.0.1", port)
            await asyncio.sleep(400)
            sessions[0].transport.resume_reading()
            await asyncio.sleep(1)
            peer.abort()
            return len(sessions[0].received) - 19

    whole_messages, rest = divmod(run(whole), size)
    assert whole_messages == messages
    assert rest < size


WAITS = """
summary: A bot that waits for more of the caller, whom Asterisk has silenced.
asterisk: {version: "VERSION", attach: chan, comfort_noise: true}
steps:
  - tone: {hz: 440, for: 1s, dbfs: -20}
  - mute: 60s
  - mute: "off"
  - tone: {hz: 440, for: 5s, dbfs: -20}
  - hang_up: {}
"""


@pytest.mark.parametrize(
    ("version", "is_answered"),
    [("22.9", False), pytest.param("22.10", True, marks=pytest.mark.long("the version before is tried"))],
)
def test_fid_29_a_bot_that_waits_for_the_caller_waits_for_ever(version: str, is_answered: bool) -> None:
    scenario = load_text(WAITS.replace("VERSION", version))
    result = run_scenario(scenario, Options(target="helpers.waiting_bot:serve"))
    assert result.outcome is Outcome.PASSED, result.problems
    assert any(isinstance(entry.event, BotSpoke) for entry in result.entries) is is_answered
    assert ("comfort noise silenced the channel" in result.transcript) is not is_answered
    assert result.transcript.splitlines()[-1].split(None, 2)[2] == "caller hung up"
