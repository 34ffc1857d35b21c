"""The simulated Asterisk, case by case (docs/protocol.md, section 9): floods, formats, and what never gets through."""

import asyncio
import itertools
import socket
from typing import Any

import pytest
from helpers.fidelity_bench import EVERY, FRAME, Session, after, call, in_pieces, leg, listening, quiet, speaking

from audiosocket_core import slin
from audiosocket_core.messages import AUDIO_KIND, encode
from audiosocket_sim.asterisk import CallLeg
from audiosocket_sim.asterisk.channel import RESAMPLER_DELAY_MS
from audiosocket_sim.hearing.phone_buffer import PHONE_HOLDS_MS, PhoneBuffer
from audiosocket_sim.hearing.playout import Playout
from audiosocket_sim.virtual_time import run


def counting() -> Any:
    """A caller whose every sample is another one, never zero."""
    position = 0

    def source(n_samples: int) -> bytes:
        nonlocal position
        position += n_samples
        return b"".join((1 + i % 30_000).to_bytes(2, "little") for i in range(position - n_samples, position))

    return source


# --- ARI


def test_fid_04_nothing_but_the_uuid_before_the_bridge() -> None:
    """FID-04: both ways: the caller is not heard, and what the server says is read and thrown away."""
    done = call(lambda s: s.talk(4), attach="chan", bridge_after_ms=3000, hang_up_at=4.0005)
    assert done.session.reads[0][0] == 0.0
    assert done.session.audio_at[0] == pytest.approx(3.02)
    assert len(done.session.audio_at) == 50
    assert done.heard[0][0] == pytest.approx(3.0)
    assert len(done.heard) == 50


def test_fid_04_the_server_may_hang_up_before_the_bridge() -> None:
    """FID-04: the channel is read all the same, so the end is noticed; and the bridge never comes."""
    done = call(in_pieces((1.0, b"\0\0\0")), attach="chan", bridge_after_ms=3000)
    assert done.outcome == ("server", "hangup_message", "channel_ends")
    assert done.end.at == 1.0
    assert done.session.audio_at == []


def test_fid_04_the_application_is_in_no_bridge() -> None:
    async def make() -> None:
        with pytest.raises(ValueError, match="bridge"):
            leg(bridge_after_ms=1)

    run(make)


# --- faster than it can be heard


def played_ms(heard: list[tuple[float, int, bytes]]) -> float:
    """How much of what arrived a phone plays."""
    phone = Playout(PhoneBuffer(endless=False))
    for at, rate_hz, payload in heard:
        phone.queue(at, rate_hz, payload)
    gaps = sum(length for _, length in phone.holes(0, 10**9))
    return (phone.played(1e6) - gaps) / 8


def test_fid_20_no_pacing_what_a_phone_would_have_lost_is_lost() -> None:
    """FID-20: 5 s in one go are handed on in one go; a phone keeps 300 ms beyond the frame that it plays."""
    done = call(lambda s: s.write_at(1, FRAME * 250), hang_up_at=2)
    assert [at for at, _, _ in done.heard] == [1.0] * 250
    assert played_ms(done.heard) == PHONE_HOLDS_MS + 20


@pytest.mark.parametrize("frames_at_once", [1, 3, 16])
def test_fid_20_a_phone_keeps_a_few_hundred_ms(frames_at_once: int) -> None:
    """FID-20: in time, after a stall that was caught up, and at the buffer's very size: nothing is lost."""

    def script(session: Session) -> None:
        for n in range(0, 160, frames_at_once):
            session.write_at(1 + n * 0.02, FRAME * frames_at_once)

    done = call(script, hang_up_at=5)
    assert played_ms(done.heard) == 20 * len(done.heard) * len(done.heard[0][2]) // 320


@pytest.mark.long("a server that speaks in time starves nobody, and time goes on beside a flood")
@pytest.mark.parametrize(
    ("attach", "messages", "starved_for"),
    [
        ("app", 20_000, 0.54),
        pytest.param("app", 100_000, 2.7, marks=pytest.mark.long("a smaller flood is sent")),
        pytest.param("chan", 100_000, 0.0, marks=pytest.mark.long("the application's caller is starved")),
    ],
)
def test_fid_21_a_flood_stops_the_callers_audio_which_then_bursts(
    attach: str, messages: int, starved_for: float
) -> None:
    """FID-21: 27 µs a message, the socket first: 100,000 messages hold the application's caller up for 2.7 s."""
    done = call(lambda s: s.write_at(1.001, FRAME * messages), attach=attach, hang_up_at=4.501)
    at = done.session.audio_at
    assert len(at) == 225
    if starved_for:
        assert [when for when in at if 1.001 < when < 1 + starved_for] == []
        assert at.count(pytest.approx(1.001 + starved_for)) == round(starved_for / 0.02)
    else:
        assert max(b - a for a, b in itertools.pairwise(at)) == pytest.approx(0.02)


def test_fid_21_a_server_that_speaks_in_time_starves_nobody() -> None:
    """FID-21: nor does one that sends a second at once."""
    done = call(lambda s: (s.talk(2), s.write_at(1.001, FRAME * 50)), hang_up_at=2.001)  # type: ignore[arg-type, return-value]
    assert done.session.audio_at == pytest.approx([n * 0.02 for n in range(1, 101)])


# --- what goes on to the phone


def test_fid_23_any_rate_in_any_order_is_taken() -> None:
    """FID-23: nine kinds in turn, handed on with their rates; odd lengths lose their last byte."""
    messages = [(rate, encode(kind, bytes(rate // 50 * 2))) for rate, kind in sorted(AUDIO_KIND.items())]
    script = in_pieces(*((1 + n * 0.02, message) for n, (_, message) in enumerate(messages)))
    done = call(script, hang_up_at=2)
    assert [(rate, len(payload)) for _, rate, payload in done.heard] == [(r, len(m) - 3) for r, m in messages]
    odd = call(in_pieces((1.0, encode(0x10, bytes(321)))), hang_up_at=2)
    assert [len(payload) for _, _, payload in odd.heard] == [320]
    assert "odd length (321 bytes)" in odd.leg.anomalies[0]


@pytest.mark.every(2)
@pytest.mark.parametrize(
    ("rate_hz", "n_bytes", "compressed", "heard"),
    [
        (8000, 16_192, True, True),
        (8000, 16_194, True, False),
        (8000, 65_535, True, False),
        (8000, 65_535, False, True),
        (16000, 32_384, True, True),
        (16000, 32_390, True, False),
        (16000, 46_080, False, True),
        (16000, 46_084, False, False),
    ],
)
def test_fid_23_a_message_too_long_for_a_translator_is_lost(
    rate_hz: int, n_bytes: int, compressed: bool, heard: bool
) -> None:
    """FID-23: 8,096 samples before G.711, 11,520 from the resampler; without translation all pass. The call goes on."""
    message = encode(AUDIO_KIND[rate_hz], bytes(n_bytes))
    done = call(in_pieces((1.0, message), (2.0, FRAME)), compressed=compressed, hang_up_at=3)
    assert done.end.who == "caller"
    assert len(done.heard) == 1 + heard
    assert any("too long" in note for note in done.leg.anomalies) != heard


# --- what the channel driver sends


@pytest.mark.every(3)
@pytest.mark.parametrize(("coding", "decode"), [("ulaw", slin.ulaw_decode), ("alaw", slin.alaw_decode)])
@pytest.mark.parametrize("version", EVERY)
def test_fid_24_without_c_slin_the_callers_g711_is_called_0x10(version: str, coding: str, decode: Any) -> None:
    """FID-24: 160 bytes for 20 ms; in the other direction 0x10 is SLIN all the same."""
    tone = slin.read_audio("recordings/pt-br/sim.wav")[3200:3520]
    done = call(in_pieces((0.5, FRAME)), version, "chan", coding=coding, source=lambda n: tone, hang_up_at=1.0005)
    messages = done.session.messages[1:]
    assert {(kind, len(payload)) for _, kind, payload in messages} == {(0x10, 160)}
    assert len(messages) == 50
    assert decode(messages[0][2]) == decode(slin.ulaw_encode(tone) if coding == "ulaw" else slin.alaw_encode(tone))
    assert done.heard == [(0.5, 8000, FRAME[3:])]


def test_fid_24_the_application_sends_slin_always() -> None:
    async def make() -> None:
        with pytest.raises(ValueError, match="SLIN"):
            leg(coding="ulaw")
        with pytest.raises(ValueError, match="8 kHz"):
            leg(attach="chan", coding="ulaw", rate_hz=16000)

    run(make)


def test_fid_25_the_first_resampled_frame_begins_with_silence() -> None:
    """FID-25: the filter's delay, 5 ms; after it every sample, so that all comes 5 ms later than it was said."""
    done = call(attach="chan", rate_hz=16000, resampled=True, source=counting(), hang_up_at=0.1)
    sent = b"".join(payload for _, _, payload in done.session.messages[1:])
    silence = 2 * 16 * RESAMPLER_DELAY_MS
    assert sent[:silence] == bytes(silence)
    assert sent[silence:] == counting()(len(sent) // 2)[: len(sent) - silence]
    plain = call(attach="chan", rate_hz=16000, source=counting(), hang_up_at=0.1)
    assert plain.session.messages[1][2][:2] != b"\0\0"


@pytest.mark.kernel
@pytest.mark.parametrize("version", EVERY)
def test_fid_26_no_keepalive_and_no_linger(version: str) -> None:
    """FID-26: Asterisk sets neither, in any version."""

    async def options(peer: CallLeg) -> None:
        assert peer._socket is not None
        sock = peer._socket._transport.get_extra_info("socket")
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 0
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8) == bytes(8)

    call(version=version, hang_up_at=0.1, in_memory=False, meanwhile=options)


# --- what is held back, and what is lost


@pytest.mark.parametrize("version", ["22.8", "22.9", "22.10"])
def test_fid_28_the_caller_is_held_back_until_the_servers_first_byte(version: str) -> None:
    """FID-28: #2089: 1.5 s of audio in one burst when the server says its first word; then all is as ever."""
    done = call(in_pieces((1.501, FRAME)), version, stuck_in_header=True, hang_up_at=2.001)
    at = done.session.audio_at
    assert at[:75] == [1.501] * 75
    assert at[75:] == pytest.approx([1.52 + n * 0.02 for n in range(25)])


def test_fid_28_a_server_that_waits_for_audio_waits_for_ever() -> None:
    """FID-28: neither hears a thing, nor does the 2 s limit run: the thread that would look is the one that waits."""
    done = call(version="22.10", stuck_in_header=True, hang_up_at=10)
    assert done.session.audio_at == []
    assert (done.end.who, done.end.at) == ("caller", 10.0)


def test_fid_28_older_versions_do_not_have_it() -> None:
    async def make() -> None:
        for version in ("20.6", "22.4", "22.5"):
            with pytest.raises(ValueError, match="#2089"):
                leg(version, stuck_in_header=True)

    run(make)


def falling_silent() -> Any:
    frames = iter([speaking(160)] * 5 + [None] * 5 + [speaking(160)] * 5)
    return lambda n: next(frames, None)


@pytest.mark.parametrize(
    ("version", "attach", "sizes"),
    [
        ("20.6", "chan", [320] * 5 + [0] + [320] * 5 + [0]),
        ("20.6", "app", [320] * 10),
        ("22.4", "chan", [320] * 5),
        ("22.9", "chan", [320] * 5),
        ("22.9", "app", [320] * 10),
        ("22.10", "chan", [320] * 10),
    ],
)
def test_fid_29_comfort_noise(version: str, attach: str, sizes: list[int]) -> None:
    """FID-29: empty 0x10 (A), no byte more (B1 to D), dropped (E); the application always drops it."""
    done = call(version=version, attach=attach, source=falling_silent(), comfort_noise_bytes=1, hang_up_at=0.5)
    assert [len(payload) for _, kind, payload in done.session.messages if kind == 0x10] == sizes
    assert (done.end.who, done.end.at) == ("caller", 0.5)


def test_fid_29_a_phone_that_just_falls_silent_sends_none() -> None:
    done = call(version="20.6", attach="chan", source=falling_silent(), hang_up_at=0.5)
    assert len(done.session.audio_at) == 10


def connecting(seconds: float, attach: str, during: Any = None, **options: Any) -> tuple[Session, CallLeg]:
    """A call whose connect takes a while; the caller hangs up 0.1 s after it."""

    async def whole() -> tuple[Session, CallLeg]:
        loop: Any = asyncio.get_running_loop()
        connect = loop.create_connection

        async def slow(*args: Any) -> Any:
            await asyncio.sleep(seconds)
            return await connect(*args)

        loop.create_connection = slow
        async with listening() as (port, sessions):
            peer = leg(attach=attach, **options)
            task = loop.create_task(during(peer)) if during is not None else None
            await peer.connect("127.0.0.1", port)
            await asyncio.sleep(0.1005)
            peer.hang_up()
            await peer.wait_ended()
            if task is not None:
                await task
            await asyncio.sleep(0.1)
            return sessions[0], peer

    return run(whole)


def test_fid_30_what_is_said_before_the_connection_is_lost() -> None:
    """FID-30: while the application connects, 1 s here, the caller's packets are read and thrown away."""
    session, _ = connecting(1.0, "app", source=counting())
    first = session.messages[1]
    assert first[:2] == (pytest.approx(1.02), 0x10)
    assert first[2] == counting()(160 * 51)[-320:]


def test_fid_30_what_is_pressed_before_the_connection_is_lost() -> None:
    """FID-30: a key that came up while Asterisk connected; one that comes up later is told."""

    async def press(peer: CallLeg) -> None:
        await asyncio.sleep(0.2)
        await peer.press("1", 100)
        await asyncio.sleep(0.65)
        await peer.press("2", 100)

    session, _ = connecting(1.0, "app", press)
    assert [(at, payload) for at, kind, payload in session.messages if kind == 3] == [(pytest.approx(1.05), b"2")]


def test_fid_30_a_failed_connect_leaves_no_clock_behind() -> None:
    async def whole() -> bool:
        async with listening() as (port, _):
            pass
        peer = leg(source=quiet)
        with pytest.raises(Exception, match="refused"):
            await peer.connect("127.0.0.1", port)
        return peer._channel._running

    assert run(whole) is False


def test_a_key_while_the_caller_is_held_back() -> None:
    """FID-28, FID-09: keys wait in the same line as packets, and keep their place in it."""
    done = call(in_pieces((0.5, FRAME)), stuck_in_header=True, meanwhile=after(0.1, press_five), hang_up_at=0.505)
    kinds = [kind for _, kind, _ in done.session.messages]
    assert kinds == [1, *[0x10] * 5, 3, *[0x10] * (len(kinds) - 7)]


async def press_five(peer: CallLeg) -> None:
    await peer.press("5", 100)
