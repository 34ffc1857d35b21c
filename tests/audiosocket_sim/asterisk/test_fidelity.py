"""The simulated Asterisk, case by case against docs/protocol.md, section 9: what a server would see and suffer.

Each test is one call in virtual time with a scripted server, a bare asyncio protocol without any of our decoders. Where
it matters what TCP does (resets, short writes) the same call also runs over kernel loopback.
"""

import asyncio
import itertools
import socket
from typing import Any

import pytest
from helpers.fidelity_bench import (
    EVERY,
    FRAME,
    ID,
    NETWORKS,
    STRICT,
    Script,
    Session,
    after,
    call,
    in_pieces,
    leg,
    listening,
    nothing,
    quiet,
    speaking,
)

from audiosocket_sim.asterisk import CallLeg, ConnectFailed, LegEnd
from audiosocket_sim.asterisk.faults import PacketDelays
from audiosocket_sim.asterisk.profiles import profile
from audiosocket_sim.virtual_time import run

# --- the beginning


@pytest.mark.parametrize("version", EVERY)
def test_fid_01_the_uuid_comes_first_in_one_write_of_19_bytes(version: str) -> None:
    """FID-01: 01 00 10 and the 16 bytes in text order, before anything else, once; no reply is waited for."""
    done = call(version=version, hang_up_at=0.1)
    assert done.session.reads[0] == (0.0, bytes.fromhex("010010 40325ec25efd4bd3805f53576e581d13"))
    assert [kind for _, kind, _ in done.session.messages].count(1) == 1
    assert done.leg.t0 == 0.0


@NETWORKS
def test_fid_02_an_unanswered_channel_connects_and_closes_without_a_byte(in_memory: bool) -> None:
    """FID-02: the application looks at the channel's state only after the connect."""
    done = call(answered=False, in_memory=in_memory)
    assert (done.session.received, done.session.end) == (b"", "fin")
    assert done.outcome == ("asterisk", "unanswered", "ends")
    assert done.leg.t0 is None


def test_fid_02_only_the_application_can_find_the_channel_unanswered() -> None:
    """FID-02: the channel driver answers by itself."""

    async def make() -> None:
        with pytest.raises(ValueError, match="answered"):
            leg(attach="chan", answered=False)

    run(make)


def test_fid_03_the_channel_driver_may_pause_between_connect_and_uuid() -> None:
    """FID-03: Dial runs its pre-dial handlers in between. `connect` returns with the UUID, the call's zero."""
    done = call(attach="chan", connect_pause_ms=8000, hang_up_at=8.105)
    assert done.session.reads[0][0] == 8.0
    assert done.leg.t0 == 8.0
    assert done.session.audio_at == pytest.approx([8.02, 8.04, 8.06, 8.08, 8.1])


def test_fid_03_what_the_server_says_before_the_uuid_waits_unread() -> None:
    """FID-03, docs/protocol.md 2.2: anything sent early just waits in the socket."""
    done = call(lambda s: s.write_at(0.1, FRAME), attach="chan", connect_pause_ms=500, hang_up_at=1)
    assert done.heard == [(0.5, 8000, FRAME[3:])]


@NETWORKS
@pytest.mark.parametrize(("how", "seen"), [("close", "fin"), ("mid_frame", "fin"), ("reset", "reset")])
def test_fid_03_the_caller_hangs_up_before_the_uuid(how: str, seen: str, in_memory: bool) -> None:
    """FID-03: the connection ends without a byte, and `connect` returns."""
    done = call(attach="chan", connect_pause_ms=500, hang_up_at=0.2, how=how, in_memory=in_memory)
    assert (done.session.received, done.session.end, done.session.ended_at) == (b"", seen, 0.2)
    assert done.outcome == ("caller", "reset" if how == "reset" else "fin", "channel_ends")


@NETWORKS
@pytest.mark.parametrize(("attach", "dialplan"), [("app", "ends"), ("chan", "continues")])
def test_fid_05_refused_at_once_and_never_tried_again(attach: str, dialplan: str, in_memory: bool) -> None:
    """FID-05: the application returns -1; Dial goes on with CHANUNAVAIL."""

    async def refused() -> LegEnd:
        async with listening() as (port, _):
            pass
        peer = leg(attach=attach)
        with pytest.raises(ConnectFailed, match="refused") as failed:
            await peer.connect("127.0.0.1", port)
        assert await peer.wait_ended() == failed.value.end
        assert asyncio.get_running_loop().time() == 0.0
        return failed.value.end

    end = run(refused, memory_network=in_memory)
    assert (end.who, end.how, end.dialplan) == ("server", "refused", dialplan)


def test_fid_05_two_seconds_for_each_address_then_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """FID-05: addresses in the resolver's order, 2.000 s each, no retry."""

    async def reached() -> tuple[float, list[str]]:
        loop: Any = asyncio.get_running_loop()
        tried: list[str] = []
        connect = loop.create_connection

        async def resolve(*_: Any, **__: Any) -> list[Any]:
            return [(2, 1, 6, "", (address, 0)) for address in ("192.0.2.1", "192.0.2.2", "127.0.0.1")]

        async def slow(factory: Any, host: str, port: int) -> Any:
            tried.append(host)
            if host != "127.0.0.1":
                await asyncio.sleep(3600)
            return await connect(factory, host, port)

        monkeypatch.setattr(loop, "getaddrinfo", resolve)
        monkeypatch.setattr(loop, "create_connection", slow)
        async with listening() as (port, _):
            peer = leg()
            await peer.connect("bot.example", port)
            assert peer.t0 is not None
            peer.hang_up()
            await peer.wait_ended()
            return peer.t0, tried

    assert run(reached) == (4.0, ["192.0.2.1", "192.0.2.2", "127.0.0.1"])


def test_fid_05_no_answer_from_any_address() -> None:
    """FID-05: after the last address the call is over."""

    async def unreachable() -> tuple[float, LegEnd]:
        loop: Any = asyncio.get_running_loop()

        async def never(*_: Any) -> Any:
            await asyncio.sleep(3600)

        loop.create_connection = never
        with pytest.raises(ConnectFailed, match="no answer within 2 s") as failed:
            await leg().connect("192.0.2.1", 1)
        return loop.time(), failed.value.end

    at, end = run(unreachable)
    assert (at, end.how, end.dialplan) == (2.0, "refused", "ends")


# --- what the caller's side sends


@pytest.mark.every(5)
@pytest.mark.parametrize(("packet_time_ms", "size"), [(10, 160), (20, 320), (30, 480), (40, 640), (60, 960)])
def test_fid_06_one_message_for_each_packet_of_the_phone(packet_time_ms: int, size: int) -> None:
    """FID-06: the size follows the packet time; each message is one write, on a grid that starts with the UUID."""
    done = call(nothing, packet_time_ms=packet_time_ms, hang_up_at=60.0005)
    messages = done.session.messages[1:]
    assert {(kind, len(payload)) for _, kind, payload in messages} == {(0x10, size)}
    assert {len(data) for _, data in done.session.reads[1:]} == {size + 3}
    assert [at for at, _, _ in messages] == [n * packet_time_ms / 1000 for n in range(1, 60_000 // packet_time_ms + 1)]
    assert done.leg.own_lateness_ms == 0.0


@pytest.mark.every(3)
@pytest.mark.parametrize(
    ("rate_hz", "kind", "size"),
    [
        (8000, 0x10, 320),
        (12000, 0x11, 480),
        (16000, 0x12, 640),
        (24000, 0x13, 960),
        (32000, 0x14, 1280),
        (44100, 0x15, 1764),
        (48000, 0x16, 1920),
        (96000, 0x17, 3840),
        (192000, 0x18, 7680),
    ],
)
def test_fid_06_the_kind_tells_the_rate_of_the_channel_driver(rate_hz: int, kind: int, size: int) -> None:
    """FID-06, docs/protocol.md 1.4 and 6: kinds 0x11 to 0x18 from era C; before it every rate was labelled 0x10."""
    for version, label in (("22.10", kind), ("22.8", kind), ("22.5", 0x10), ("20.6", 0x10)):
        done = call(version=version, attach="chan", rate_hz=rate_hz, hang_up_at=0.025)
        assert [(k, len(p)) for _, k, p in done.session.messages[1:]] == [(label, size)]


def test_fid_06_the_application_is_8_khz_always() -> None:
    """FID-06, docs/protocol.md 5."""

    async def make() -> None:
        with pytest.raises(ValueError, match="8 kHz"):
            leg(rate_hz=16000)

    run(make)


@pytest.mark.long("quicker tests of this file are run")
def test_fid_07_jitter_keeps_the_mean_and_bursts_after_a_hole() -> None:
    """FID-07: the mean is exact, single gaps go up to the limit, what was due in a hole comes at once; seeded."""
    done = call(delays=PacketDelays(140, 7), hang_up_at=60.2)
    at = done.session.audio_at
    gaps = [after - before for before, after in itertools.pairwise(at)]
    grid = [n * 0.02 for n in range(1, len(at) + 1)]
    late = [came - due for came, due in zip(at, grid, strict=True)]
    assert len(at) >= 3000
    assert min(late) >= -1e-9
    assert 0.1 < max(late) <= 0.14
    assert 0.1 < max(gaps) <= 0.16
    assert gaps.count(0.0) > 50
    assert sum(gaps) / len(gaps) == pytest.approx(0.02, abs=0.14 / len(gaps))
    again = call(delays=PacketDelays(140, 7), hang_up_at=60.2)
    other = call(delays=PacketDelays(140, 8), hang_up_at=60.2)
    assert again.session.audio_at == at
    assert other.session.audio_at != at


def test_fid_08_a_quiet_caller_sends_nothing() -> None:
    """FID-08: silence is absence, in the application as in a two-party bridge; speech goes on at its place in time."""
    frames = iter([speaking(160), None, None, speaking(160), *[None] * 9])
    done = call(attach="chan", source=lambda n: next(frames), hang_up_at=0.25)
    assert done.session.audio_at == [0.02, 0.08]


def test_fid_08_a_conference_sends_zeros_for_a_quiet_caller() -> None:
    """FID-08: the mixer's own clock sends digital silence every 20 ms."""
    done = call(attach="chan", mixed=True, source=quiet, hang_up_at=3.01)
    assert [(kind, payload) for _, kind, payload in done.session.messages[1:]] == [(0x10, bytes(320))] * 150


@pytest.mark.parametrize(("version", "told"), [(version, version != "20.6") for version in EVERY])
def test_fid_09_a_key_silences_the_caller_and_is_told_when_it_comes_up(version: str, told: bool) -> None:
    """FID-09: a hole as long as the key press, then 0x03 with the digit, then audio again; no 0x03 before era B1."""
    done = call(version=version, meanwhile=after(0.495, lambda peer: peer.press("4", 605)), hang_up_at=1.505)
    at = done.session.audio_at
    assert [when for when in at if 0.48 < when < 1.1] == []
    assert (at.count(0.48), at.count(1.1)) == (1, 1)
    keys = [(when, payload) for when, kind, payload in done.session.messages if kind == 0x03]
    assert keys == ([(1.1, b"4")] if told else [])
    if told:  # the key first, then the audio of the same instant
        assert [kind for when, kind, _ in done.session.messages if when == 1.1] == [0x03, 0x10]


def test_fid_09_short_keys_are_stretched_and_kept_apart() -> None:
    """FID-09: at least 80 ms of tone and 45 ms between keys, so two 0x03 are at least 125 ms apart."""

    async def two(peer: CallLeg) -> None:
        await asyncio.sleep(0.1)
        await asyncio.gather(peer.press("1", 10), peer.press("1", 10))
        assert asyncio.get_running_loop().time() == pytest.approx(0.305)

    done = call(meanwhile=two, hang_up_at=1.0)
    assert [at for at, kind, _ in done.session.messages if kind == 3] == pytest.approx([0.18, 0.305])
    assert [at for at in done.session.audio_at if 0.1 < at < 0.3] == pytest.approx([0.18, 0.2, 0.22])


def test_fid_09_all_sixteen_keys() -> None:
    """FID-09: 0-9 * # A-D, one message each."""

    async def all_keys(peer: CallLeg) -> None:
        for digit in "0123456789*#ABCD":
            await peer.press(digit, 100)

    done = call(meanwhile=all_keys, hang_up_at=5.0)
    assert b"".join(payload for _, kind, payload in done.session.messages if kind == 3) == b"0123456789*#ABCD"


def test_fid_09_the_end_of_the_call_lets_go_of_a_held_key() -> None:
    """FID-09: `press` returns, and no 0x03 is sent."""
    done = call(meanwhile=lambda peer: peer.press("5", 5000), hang_up_at=1.0)
    assert done.end.at == 1.0
    assert 3 not in [kind for _, kind, _ in done.session.messages]


@pytest.mark.every(4)
@pytest.mark.parametrize("how", ["close", "reset", "mid_frame"])
@pytest.mark.parametrize("version", EVERY)
def test_fid_10_neither_hang_up_nor_error_is_ever_sent(version: str, how: str) -> None:
    """FID-10: a call's end is close(), nothing else; mid_frame ends in a part of an audio message."""
    done = call(lambda s: s.talk(0.5), version, meanwhile=lambda peer: peer.press("1", 80), hang_up_at=0.511, how=how)
    assert {kind for _, kind, _ in done.session.messages} <= {0x01, 0x03, 0x10}
    length = 19 + 323 * len(done.session.audio_at) + 4 * (version != "20.6")
    assert len(done.session.received) - length in ([0] if how != "mid_frame" else [83 - 323])


# --- the caller hangs up


@NETWORKS
def test_fid_11_close_is_a_fin_where_all_was_read(in_memory: bool) -> None:
    """FID-11: a server that has nothing unread sees all data and then the end of the stream."""
    done = call(lambda s: s.talk(0.4), hang_up_at=0.5, in_memory=in_memory)
    assert (done.session.end, done.session.ended_at) == ("fin", 0.5)
    assert len(done.heard) == 20
    assert done.outcome == ("caller", "fin", "ends")


@NETWORKS
def test_fid_11_close_with_unread_data_is_a_reset(in_memory: bool) -> None:
    """FID-11: the server's last write had not been read when the caller hung up: ECONNRESET instead of EOF."""

    async def whole() -> tuple[str | None, LegEnd]:
        async with listening() as (port, sessions):
            peer = leg()
            await peer.connect("127.0.0.1", port)
            await asyncio.sleep(0.505)
            sessions[0].transport.write(FRAME)
            peer.hang_up()
            await sessions[0].gone.wait()
            return sessions[0].end, await peer.wait_ended()

    seen, end = run(whole, memory_network=in_memory)
    assert seen == "reset"
    assert (end.who, end.how) == ("caller", "fin")


@NETWORKS
def test_fid_11_a_server_that_talks_on_is_reset(in_memory: bool) -> None:
    """FID-11, docs/protocol.md 3.4: the end of most calls. The first write after the close passes, the next fails."""

    async def whole() -> tuple[str | None, float]:
        async with listening(lambda s: s.talk(3), keep_open=True) as (port, sessions):
            peer = leg()
            await peer.connect("127.0.0.1", port)
            await asyncio.sleep(1.005)
            peer.hang_up()
            await peer.wait_ended()
            await sessions[0].gone.wait()
            return sessions[0].end, asyncio.get_running_loop().time()

    seen, gone_at = run(whole, memory_network=in_memory)
    assert seen == "fin"
    assert gone_at == pytest.approx(1.04)


@NETWORKS
def test_fid_11_reset_and_mid_frame(in_memory: bool) -> None:
    """FID-11: a hard reset, and an end inside a message, which a short write of the real one also leaves behind."""
    assert call(hang_up_at=0.5, how="reset", in_memory=in_memory).session.end == "reset"
    done = call(hang_up_at=0.51, how="mid_frame", in_memory=in_memory)
    assert done.session.end == "fin"
    assert done.session.reads[-1] == (0.51, b"\x10\x01\x40" + speaking(40))


# --- Asterisk's own limits


@pytest.mark.parametrize("version", STRICT)
def test_fid_12_the_application_gives_up_after_two_quiet_seconds(version: str) -> None:
    """FID-12: nothing from either side: FIN at 2.000 s, and the dialplan ends."""
    done = call(version=version, source=quiet)
    assert (done.session.end, done.session.ended_at) == ("fin", 2.0)
    assert done.outcome == ("asterisk", "protocol", "ends")
    assert "2000 ms of no activity" in done.end.reason


def test_fid_12_any_message_of_the_server_resets_the_limit() -> None:
    """FID-12: one message every 1.5 s keeps a quiet call alive; 2 s after the last it ends."""
    done = call(in_pieces(*((n * 1.5, FRAME) for n in range(4))), source=quiet)
    assert done.end.at == 6.5


def test_fid_12_any_event_of_the_caller_resets_the_limit() -> None:
    """FID-12: a packet, or a key, also where its audio is dropped."""
    frames = iter([None] * 49 + [speaking(160)])
    done = call(source=lambda n: next(frames, None))
    assert done.end.at == 3.0
    done = call(source=quiet, meanwhile=after(1.5, lambda peer: peer.press("1", 3000)))
    assert done.end.at == 6.5


@pytest.mark.every(2)
@pytest.mark.parametrize(("version", "attach"), [("20.6", "app"), *((version, "chan") for version in EVERY)])
def test_fid_12_neither_the_channel_driver_nor_era_a_has_the_limit(version: str, attach: str) -> None:
    """FID-12."""
    done = call(version=version, attach=attach, source=quiet, hang_up_at=30)
    assert (done.end.who, done.end.at) == ("caller", 30.0)


@pytest.mark.every(3)
@pytest.mark.parametrize("version", ["22.5", "22.8", "22.9", "22.10"])
@pytest.mark.parametrize("attach", ["app", "chan"])
@pytest.mark.parametrize(("gap", "survives"), [(0.001, True), (0.004, True), (0.006, False), (0.02, False)])
def test_fid_13_five_milliseconds_inside_a_payload(version: str, attach: str, gap: float, survives: bool) -> None:
    """FID-13: between the header and each further piece; past 5 ms the call is over, at 5 ms."""
    script = in_pieces((1.0, FRAME[:3]), (1.0 + gap, FRAME[3:100]), (1.0 + 2 * gap, FRAME[100:]))
    done = call(script, version, attach, hang_up_at=2)
    if survives:
        assert done.outcome[0] == "caller"
        assert done.heard == [(pytest.approx(1.0 + 2 * gap), 8000, FRAME[3:])]
    else:
        assert done.outcome == ("asterisk", "protocol", "ends" if attach == "app" else "channel_ends")
        assert done.end.at == pytest.approx(1.005)
        assert "5 ms" in done.end.reason


@pytest.mark.parametrize("version", ["20.6", "22.4"])
def test_fid_13_the_older_ones_have_no_patience_inside_a_payload(version: str) -> None:
    """FID-13, docs/protocol.md 6: any would-block in a payload is fatal up to era B1."""
    done = call(in_pieces((1.0, FRAME[:200]), (1.001, FRAME[200:])), version)
    assert done.outcome == ("asterisk", "protocol", "ends")
    assert done.end.at == 1.0


def test_fid_13_a_gap_inside_a_header_holds_up_the_caller_who_then_bursts() -> None:
    """FID-13: 3 s with half a header: no caller audio, no 2 s limit; then 150 messages at once, one write each."""
    done = call(in_pieces((1.0, FRAME[:2]), (4.001, FRAME[2:])), hang_up_at=4.51)
    at = done.session.audio_at
    assert [when for when in at if 1.0 < when < 4.001] == []
    assert at.count(4.001) == 150
    assert len(at) == 225
    assert {len(data) for _, data in done.session.reads[1:]} == {323, 323 * 150}
    assert done.heard == [(4.001, 8000, FRAME[3:])]


def test_fid_13_the_both_quiet_limit_does_not_run_inside_a_header() -> None:
    """FID-13, FID-12: the thread that would look at the limit is the one that waits for the header."""
    done = call(in_pieces((1.0, FRAME[:2]), (9.0, FRAME[2:])), source=quiet)
    assert done.heard == [(9.0, 8000, FRAME[3:])]
    assert done.end.at == 11.0


def test_fid_13_a_payload_that_trickles_in_holds_up_the_caller_too() -> None:
    """FID-13: reading and writing share a thread."""
    done = call(in_pieces(*((0.999 + n * 0.004, FRAME[n * 20 : n * 20 + 20]) for n in range(17))), hang_up_at=1.2)
    at = done.session.audio_at
    assert [when for when in at if 0.999 < when < 1.06] == []
    assert len([when for when in at if when == pytest.approx(1.063)]) == 4


@pytest.mark.parametrize(
    ("version", "first", "outcome", "said"),
    [
        ("20.6", 1, ("asterisk", "protocol"), "header came in pieces"),
        ("20.6", 2, ("asterisk", "protocol"), "header came in pieces"),
        ("22.4", 1, ("asterisk", "protocol"), "does not wait"),
        ("22.5", 1, ("asterisk", "protocol"), "5 ms"),
        ("22.5", 2, ("asterisk", "protocol"), "5 ms"),
        ("22.8", 1, ("asterisk", "protocol"), "kind 0x01"),
        ("22.8", 2, ("asterisk", "protocol"), "kind 0x40"),
        ("22.9", 1, ("caller", "fin"), "caller"),
        ("22.10", 1, ("caller", "fin"), "caller"),
        ("22.10", 2, ("caller", "fin"), "caller"),
    ],
)
def test_fid_14_a_header_in_pieces(version: str, first: int, outcome: tuple[str, str], said: str) -> None:
    """FID-14: an error (A); taken for whole, with a length from nowhere (B); overwritten (C); waited for (D, E)."""
    done = call(in_pieces((0.5, FRAME[:first]), (0.501, FRAME[first:])), version, hang_up_at=1)
    assert done.outcome[:2] == outcome
    assert said in done.end.reason
    assert bool(done.heard) == (outcome[0] == "caller")


@pytest.mark.every(3)
@NETWORKS
@pytest.mark.parametrize("kind", [0x01, 0x02, 0x03, 0x04, 0x0F, 0x19, 0x7F, 0xFF])
def test_fid_15_a_kind_that_asterisk_does_not_take_ends_the_call(kind: int, in_memory: bool) -> None:
    """FID-15: at once; a reset where the payload was left unread, a FIN where there was none."""
    for payload, seen in ((b"1234", "reset"), (b"", "fin")):
        message = bytes([kind, 0, len(payload)]) + payload
        done = call(lambda s, message=message: s.write_at(0.5, FRAME + message), in_memory=in_memory)
        assert done.outcome == ("asterisk", "protocol", "ends")
        assert (done.session.end, done.session.ended_at) == (seen, 0.5)
        assert f"0x{kind:02x}" in done.end.reason
        assert len(done.heard) == 1


@NETWORKS
@pytest.mark.parametrize("attach", ["app", "chan"])
def test_fid_15_audio_of_length_zero_ends_the_call(attach: str, in_memory: bool) -> None:
    """FID-15: «Invalid message length»."""
    done = call(lambda s: s.write_at(0.5, b"\x10\0\0"), attach=attach, in_memory=in_memory)
    assert done.outcome == ("asterisk", "protocol", "ends" if attach == "app" else "channel_ends")
    assert (done.session.end, done.session.ended_at) == ("fin", 0.5)
    assert "Invalid message length" in done.end.reason


@pytest.mark.parametrize(("version", "known"), [("22.4", False), ("22.5", False), ("22.8", True), ("22.10", True)])
def test_fid_15_wideband_kinds_are_known_from_era_c(version: str, known: bool) -> None:
    """FID-15, docs/protocol.md 6: 0x11 to 0x18 end the call in era B, and are resampled from era C."""
    done = call(lambda s: s.write_at(0.5, b"\x12\x02\x80" + bytes(640)), version, hang_up_at=1)
    assert done.end.who == ("caller" if known else "asterisk")
    assert done.heard == ([(0.5, 16000, bytes(640))] if known else [])


def test_fid_16_era_a_skips_what_it_does_not_know() -> None:
    """FID-16: unknown kinds (also the wideband ones) are read over, empty audio is ignored; both are anomalies."""
    odd = b"\xff\0\1\4" + b"\x10\0\0" + b"\x12\0\2ab" + b"\x03\0\1" + b"5"
    done = call(lambda s: s.write_at(0.5, odd + FRAME), "20.6", hang_up_at=1)
    assert done.outcome == ("caller", "fin", "ends")
    assert done.heard == [(0.5, 8000, FRAME[3:])]
    for what, note in zip(("0xff", "length 0", "0x12", "0x03"), done.leg.anomalies, strict=True):
        assert what in note


# --- the server ends the call


HANGUP = b"\0\0\0"


@pytest.mark.every(3)
@pytest.mark.parametrize("version", STRICT)
@pytest.mark.parametrize(
    ("script", "attach", "outcome", "said"),
    [
        (lambda s: s.write_at(1, HANGUP), "app", ("server", "hangup_message", "continues"), "00 00 00"),
        (lambda s: s.write_at(1, HANGUP), "chan", ("server", "hangup_message", "channel_ends"), "00 00 00"),
        (lambda s: s.at(1, s.transport.write_eof), "app", ("server", "fin", "continues"), "closed"),
        (lambda s: s.at(1, s.transport.write_eof), "chan", ("server", "fin", "channel_ends"), "closed"),
        (lambda s: s.reset_at(1), "app", ("server", "reset", "ends"), "reset"),
        (lambda s: s.reset_at(1), "chan", ("server", "reset", "channel_ends"), "reset"),
    ],
)
def test_fid_17_the_outcome_as_the_dialplan_sees_it(
    version: str, script: Script, attach: str, outcome: tuple[str, str, str], said: str
) -> None:
    """FID-17: who ended it, how, what the dialplan does, and Asterisk's reason in plain words."""
    done = call(script, version, attach)
    assert done.outcome == outcome
    assert done.end.at == pytest.approx(1.0, abs=0.021)
    assert said in done.end.reason


@pytest.mark.parametrize("version", STRICT)
def test_fid_17_a_fin_inside_a_payload_is_an_error(version: str) -> None:
    """FID-17, docs/protocol.md 4.3: the call ends; inside a header it is an orderly end (D and E)."""

    def cut(at: int) -> Script:
        def script(session: Session) -> None:
            session.write_at(1, FRAME[:at])
            session.at(1, session.transport.write_eof)

        return script

    assert call(cut(100), version).end.dialplan == "ends"
    if version in ("22.8", "22.9", "22.10"):
        assert call(cut(2), version).outcome == ("server", "fin", "continues")


@NETWORKS
def test_fid_18_reset_is_failure_but_a_hang_up_before_it_counts(in_memory: bool) -> None:
    """FID-18: RST = -1, FIN or 0x00 = continue, and 0x00 followed by RST = continue, as the 0x00 is read first."""

    def hang_up_then_reset(session: Session) -> None:
        session.write_at(0.505, HANGUP)
        session.reset_at(0.505)

    def rude(session: Session) -> None:  # closes with the caller's audio unread
        session.at(0.505, session.transport.pause_reading)
        session.at(0.705, session.transport.abort)

    assert call(hang_up_then_reset, in_memory=in_memory).outcome == ("server", "hangup_message", "continues")
    assert call(rude, in_memory=in_memory).outcome == ("server", "reset", "ends")
    assert call(lambda s: s.at(0.505, s.transport.close), in_memory=in_memory).outcome[1:] == ("fin", "continues")


@NETWORKS
def test_fid_18_a_failed_write_does_not_hide_a_hang_up_that_lies_unread(in_memory: bool) -> None:
    """FID-18: the server hung up and reset in the instant of a caller packet; Asterisk looks at the socket first."""

    async def break_writing(peer: CallLeg) -> None:
        def fail(_: bytes) -> bool:
            raise ConnectionResetError

        await asyncio.sleep(0.505)
        assert peer._socket is not None
        peer._socket.write = fail  # type: ignore[method-assign]

    done = call(lambda s: s.write_at(0.52, HANGUP), meanwhile=break_writing, in_memory=in_memory)
    assert done.outcome == ("server", "hangup_message", "continues")
    done = call(meanwhile=break_writing, in_memory=in_memory)
    assert (done.outcome, done.end.at) == (("server", "reset", "ends"), 0.52)


@NETWORKS
@pytest.mark.parametrize(("extra", "seen"), [(b"", "fin"), (b"\xaa", "reset"), (FRAME, "reset")])
def test_fid_18_what_follows_the_hang_up_makes_the_end_a_reset(extra: bytes, seen: str, in_memory: bool) -> None:
    """FID-18, FID-11: the dialplan continues all the same, but unread bytes turn the server's FIN into ECONNRESET."""
    done = call(lambda s: s.write_at(0.5, HANGUP + extra), in_memory=in_memory)
    assert done.outcome == ("server", "hangup_message", "continues")
    assert (done.session.end, done.session.ended_at) == (seen, 0.5)


@NETWORKS
def test_fid_19_era_a_answers_a_right_hang_up_with_a_reset(in_memory: bool) -> None:
    """FID-19: it reads one byte of 00 00 00 and closes; and to its dialplan that is an error."""
    done = call(lambda s: s.write_at(0.505, HANGUP), "20.6", in_memory=in_memory)
    assert (done.session.end, done.session.ended_at) == ("reset", 0.505)
    assert done.outcome == ("server", "hangup_message", "ends")


@NETWORKS
@pytest.mark.parametrize(("attach", "last_audio_at"), [("app", 0.5), ("chan", 2.0)])
def test_fid_19_era_a_does_not_notice_a_fin(attach: str, last_audio_at: float, in_memory: bool) -> None:
    """FID-19: the application spins, and sends no more caller audio; the channel driver talks on. Neither ends."""
    done = call(lambda s: s.at(0.505, s.transport.write_eof), "20.6", attach, hang_up_at=2.005, in_memory=in_memory)
    assert (done.end.who, done.end.at) == ("caller", 2.005)
    assert done.session.audio_at[-1] == last_audio_at
    assert any("does not notice" in note for note in done.leg.anomalies)


@NETWORKS
def test_fid_19_the_channel_driver_of_era_a_ends_when_a_write_fails(in_memory: bool) -> None:
    """FID-19, docs/protocol.md 6: after a full close of the server, chan keeps writing until a write fails."""
    done = call(lambda s: s.at(0.505, s.transport.abort), "20.6", "chan", in_memory=in_memory)
    assert done.outcome == ("server", "fin", "channel_ends")
    assert done.end.at == pytest.approx(0.54, abs=0.001)


# --- the server does not read


def deaf(session: Session) -> None:
    session.at(0.001, session.transport.pause_reading)


@pytest.mark.every(2)
@NETWORKS
def test_fid_22_a_short_write_ends_the_application(in_memory: bool) -> None:
    """FID-22: minutes later. The server that reads on gets all that was sent, an unfinished message, then FIN."""

    async def whole() -> tuple[LegEnd, Session]:
        async with listening(deaf) as (port, sessions):
            peer = leg(packet_time_ms=60)
            await peer.connect("127.0.0.1", port)
            end = await peer.wait_ended()
            sessions[0].transport.resume_reading()
            await sessions[0].gone.wait()
            return end, sessions[0]

    end, session = run(whole, memory_network=in_memory)
    assert (end.who, end.how, end.dialplan) == ("asterisk", "protocol", "ends")
    assert end.at > 60
    assert "does not read" in end.reason
    assert len(session.received) > 1_000_000
    whole_messages, rest = divmod(len(session.received) - 19, 963)
    assert rest > 0
    assert end.at == pytest.approx((whole_messages + 1) * 0.06)  # the first write that came up short was the last
    assert session.end == "fin"


@pytest.mark.long("quicker tests of this file are run")
@NETWORKS
def test_fid_22_a_short_write_leaves_the_channel_driver_hanging(in_memory: bool) -> None:
    """FID-22: silent and open, with a truncated message, also after the server reads; its next byte brings a reset."""

    async def whole() -> tuple[list[str], CallLeg, Session, LegEnd]:
        async with listening(deaf) as (port, sessions):
            peer = leg(attach="chan", packet_time_ms=20, rate_hz=192000)
            await peer.connect("127.0.0.1", port)
            await asyncio.sleep(30)
            notes = peer.anomalies
            session = sessions[0]
            session.transport.resume_reading()
            await asyncio.sleep(600)
            assert session.end is None
            session.transport.write(FRAME)
            await session.gone.wait()
            return notes, peer, session, await peer.wait_ended()

    notes, _, session, end = run(whole, memory_network=in_memory)
    assert "came up short" in notes[0]
    assert len(session.received) < 30 * 50 * 7683
    assert (len(session.received) - 19) % 7683 != 0
    assert (end.who, end.dialplan) == ("asterisk", "channel_ends")
    assert end.at == 630.0
    assert session.end == "reset"


@pytest.mark.kernel
@pytest.mark.parametrize(("version", "nodelay"), [("20.6", 0), ("22.4", 0), ("22.5", 1), ("22.10", 1)])
def test_fid_26_tcp_nodelay_from_era_b2(version: str, nodelay: int) -> None:
    """FID-26: Nagle was on before."""

    async def option(peer: CallLeg) -> None:
        assert peer._socket is not None
        sock = peer._socket._transport.get_extra_info("socket")
        assert bool(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)) == bool(nodelay)

    call(version=version, hang_up_at=0.1, in_memory=False, meanwhile=option)


def test_fid_27_the_same_uuid_on_several_connections() -> None:
    """FID-27: nothing makes a UUID unique; two calls at once, and one after them."""

    async def three() -> list[bytes]:
        async with listening() as (port, sessions):
            first, second, third = leg(), leg(), leg()
            await first.connect("127.0.0.1", port)
            await second.connect("127.0.0.1", port)
            assert first.local_address != second.local_address
            await asyncio.sleep(0.1)
            for peer in (first, second):
                peer.hang_up()
                await peer.wait_ended()
            await third.connect("127.0.0.1", port)
            await asyncio.sleep(0.1)
            third.hang_up()
            await third.wait_ended()
            await asyncio.sleep(0.1)
            return [session.reads[0][1] for session in sessions]

    assert run(three) == [b"\1\0\x10" + ID.bytes] * 3


# --- the leg itself


def test_nothing_happens_after_the_end() -> None:
    """Hanging up again, pressing keys and aborting are harmless, and change nothing."""

    async def whole() -> None:
        async with listening() as (port, _):
            peer = leg()
            await peer.connect("127.0.0.1", port)
            peer.hang_up()
            end = await peer.wait_ended()
            peer.hang_up("reset")
            await peer.press("1")
            peer.abort()
            assert await peer.wait_ended() is end

    run(whole)


def test_a_leg_that_never_dialled_can_be_taken_down() -> None:
    async def whole() -> None:
        peer = leg()
        peer.abort()
        assert (await peer.wait_ended()).reason == "the simulation was taken down"

    run(whole)


def test_the_caller_hangs_up_while_the_connect_is_under_way() -> None:
    """The connection that comes of it all the same is closed without a byte."""

    async def whole() -> tuple[bytes, str | None, LegEnd]:
        loop: Any = asyncio.get_running_loop()
        connect = loop.create_connection

        async def slow(*args: Any) -> Any:
            await asyncio.sleep(1)
            return await connect(*args)

        loop.create_connection = slow
        async with listening() as (port, sessions):
            peer = leg()
            loop.call_later(0.5, peer.hang_up)
            await peer.connect("127.0.0.1", port)
            await asyncio.sleep(0.1)
            return sessions[0].received, sessions[0].end, await peer.wait_ended()

    received, seen, end = run(whole)
    assert (received, seen, end.who, end.at) == (b"", "fin", "caller", 0.5)


@NETWORKS
def test_a_connect_that_is_cancelled_leaves_nothing_after_abort(in_memory: bool) -> None:
    async def whole() -> None:
        async with listening() as (port, sessions):
            peer = leg(attach="chan", connect_pause_ms=5000)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(1):
                    await peer.connect("127.0.0.1", port)
            peer.abort()
            await peer.wait_ended()
            await sessions[0].gone.wait()
            assert (sessions[0].received, sessions[0].ended_at) == (b"", 1.0)
            await asyncio.sleep(10)
            assert peer.t0 is None

    run(whole, memory_network=in_memory)


@pytest.mark.parametrize("where", ["source", "on_bot_audio"])
def test_an_error_of_a_callback_ends_the_call_and_comes_out(where: str) -> None:
    """Neither side of the call is blamed for a bug of ours."""

    async def whole() -> None:
        def broken(*_: Any) -> Any:
            raise ZeroDivisionError(where)

        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda *_: None)
        async with listening(lambda s: s.talk(1)) as (port, _):
            callbacks = {"source": speaking, "on_bot_audio": lambda *_: None} | {where: broken}
            peer = CallLeg(profile("22.10"), ID, **callbacks)  # type: ignore[arg-type]
            await peer.connect("127.0.0.1", port)
            with pytest.raises(ZeroDivisionError, match=where):
                await peer.wait_ended()

    run(whole)


@pytest.mark.every(2)
@pytest.mark.kernel
@pytest.mark.parametrize("split", ["bytes", "seeded"])
def test_cut_writes_arrive_in_pieces_and_whole(split: Any) -> None:
    """On kernel sockets each piece is read on its own; nothing is lost or out of order, also at the end."""
    done = call(split=split, seed=3, hang_up_at=0.5, in_memory=False)
    assert done.session.received[:19] == b"\1\0\x10" + ID.bytes
    assert done.session.received[19:] in [(b"\x10\x01\x40" + speaking(160)) * n for n in (24, 25)]
    assert len(done.session.reads) > (7700 if split == "bytes" else 50)
