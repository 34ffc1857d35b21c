"""Situations of the wire, each by every real Asterisk that is here and by the simulated one: the same call twice.

All calls of all versions are made once, at the same time, on the real clock: nothing here asserts how fast anything
was. What both must agree on is what the server saw (kinds, sizes, order, FIN or reset) and how the call ended.
"""

import asyncio
import fcntl
import os
import pickle
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from helpers.fidelity_bench import FRAME, ID
from helpers.real_situations import WireCall, real_calls, simulated_call
from helpers.wire_situations import ALL_SAMPLES, BURST_FRAMES, KEYS, SITUATIONS, TONE_FRAMES

from audiosocket_core import slin
from audiosocket_core.messages import RATE_HZ
from audiosocket_sim.asterisk.codecs import ulaw_encode_as_asterisk
from audiosocket_sim.asterisk_real import Installation, installations
from audiosocket_sim.phone.line import LineModel

pytestmark = [pytest.mark.asterisk, pytest.mark.real_time, pytest.mark.timeout(300)]  # it may wait for other calls

Versions = dict[str, dict[str, WireCall]]


@pytest.fixture(scope="session")
def played(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Versions:
    """Version -> situation -> call. Made by the first of pytest's workers that needs them; the others read them."""
    base = tmp_path_factory.getbasetemp()
    kept = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "situations.pickle"
    with (kept.parent / "calls.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            kept.write_bytes(pickle.dumps(asyncio.run(_play({one.version: one for one in installations()}))))
        found: Versions = pickle.loads(kept.read_bytes())
    return found


async def _play(versions: dict[str, Installation]) -> Versions:
    calls = await asyncio.gather(*(real_calls(one, SITUATIONS) for one in versions.values()))
    return dict(zip(versions, calls, strict=True))


def both(played: Versions, name: str) -> Iterator[tuple[WireCall, WireCall]]:
    """The real and the simulated call, for each version."""
    for version, calls in played.items():
        yield calls[name], simulated_call(SITUATIONS[name], version)


def assert_same(real: WireCall, simulated: WireCall) -> None:
    """What the server saw, and how the call ended. A real Asterisk does not tell 00 00 00 from a close."""
    assert_same_wire(real, simulated)
    who, how, dialplan = simulated.outcome
    assert real.outcome == (who, "orderly" if how in ("hangup_message", "fin") and who == "server" else how, dialplan)


def assert_same_wire(real: WireCall, simulated: WireCall) -> None:
    assert real.received[:19] == simulated.received[:19] == b"\x01\x00\x10" + ID.bytes
    assert (real.shape, real.end) == (simulated.shape, simulated.end)


def assert_whole(call: WireCall) -> None:
    """Each packet of the caller's came once and in order: from the first that came to the last."""
    assert len(call.numbers) > 1
    assert all(after == (before + 1) % 100 for before, after in pairwise(call.numbers))


def test_frames_of_60_ms_stay_frames_of_60_ms(played: Versions) -> None:
    for real, simulated in both(played, "frames_of_60_ms"):
        assert_same(real, simulated)
        assert real.shape == [(0x01, 16), (0x10, 960)]
        assert_whole(real)
        assert_whole(simulated)


def test_the_packets_of_a_phone_that_talks_already_are_not_numbered_from_the_uuid(played: Versions) -> None:
    """The phone's clock knows nothing of the call's (FID-06): what it sent before the connect is gone."""
    for real, simulated in both(played, "a_phone_that_talks_already"):
        assert_same(real, simulated)
        assert real.numbers[0] > 0
        assert_whole(real)


@pytest.mark.parametrize("n", ["1_header_byte", "2_header_bytes"])
@pytest.mark.parametrize("attach", ["", "chan_"])
def test_a_close_inside_a_header_is_a_close(played: Versions, attach: str, n: str) -> None:
    for real, simulated in both(played, f"{attach}closes_after_{n}"):
        assert_same(real, simulated)
        assert real.outcome[:2] == ("server", "orderly")


def test_keys_back_to_back_come_in_order_while_the_server_streams(played: Versions) -> None:
    for real, simulated in both(played, "keys_while_the_server_streams"):
        assert real.keys == simulated.keys == KEYS
        assert set(real.shape) == set(simulated.shape) == {(0x01, 16), (0x10, 320), (0x03, 1)}
        assert (real.outcome, real.end) == (simulated.outcome, simulated.end)
        assert real.heard


@pytest.mark.parametrize("name", ["server_stops_reading_for_10_s", "chan_server_stops_reading_for_10_s"])
def test_a_server_that_stops_reading_for_10_s_misses_nothing(played: Versions, name: str) -> None:
    for real, simulated in both(played, name):
        assert_same(real, simulated)
        assert_whole(real)
        assert_whole(simulated)


def test_a_hang_up_behind_a_burst_of_65_s_ends_the_call_without_playing_it(played: Versions) -> None:
    """The phone got all of it at once: it does not last until the caller hangs up, 15 s later."""
    heard = slin.ulaw_decode(ulaw_encode_as_asterisk(FRAME[3:]))
    for real, simulated in both(played, "hangs_up_behind_a_burst_of_65_s"):
        assert_same(real, simulated)
        assert len(simulated.heard) == BURST_FRAMES
        assert set(real.heard) == {heard}


def test_a_redirect_in_mid_call_is_a_plain_close(played: Versions) -> None:
    """What the server sees is what it sees of a caller who hangs up: FIN, and no 00 00 00."""
    for real, simulated in both(played, "redirected_in_mid_call"):
        assert_same_wire(real, simulated)
        assert real.end == "fin"
        assert any("@elsewhere" in line for line in real.lines)


def test_a_limit_of_dial_is_a_plain_close_and_the_dialplan_goes_on(played: Versions) -> None:
    """`Dial(…,,gL(3000))`. To the server it is what TIMEOUT(absolute) is."""
    for real, simulated in both(played, "dial_with_a_limit_of_3_s"):
        assert_same_wire(real, simulated)
        assert real.end == "fin"
        assert any("@continues" in line for line in real.lines)


def test_mixmonitor_changes_nothing_on_the_wire(played: Versions) -> None:
    for real, simulated in both(played, "mixmonitor"):
        assert_same(real, simulated)
        assert_whole(real)
        assert any(real.recorded["mixmonitor"])


@pytest.mark.parametrize("name", ["a_second_uuid", "chan_a_second_uuid"])
def test_a_second_uuid_from_the_server_ends_the_call(played: Versions, name: str) -> None:
    """A kind that Asterisk does not take; its payload is left unread, which makes a reset of the end."""
    for real, simulated in both(played, name):
        assert_same(real, simulated)
        assert real.outcome[:2] == ("asterisk", "protocol")
        assert real.end == "reset"


def test_on_c_slin16_the_server_may_send_each_kind_in_turn(played: Versions) -> None:
    """The phone hears the tone of 440 Hz in each of them, at its own rate."""
    for real, simulated in both(played, "c_slin16_with_kinds_in_turn"):
        assert_same(real, simulated)
        assert real.shape == [(0x01, 16), (0x12, 640)]
        assert len(real.heard) == len(simulated.heard) == TONE_FRAMES * len(RATE_HZ)
        for n, rate_hz in enumerate(RATE_HZ.values()):
            part = slice(n * TONE_FRAMES, (n + 1) * TONE_FRAMES)
            assert pitch(b"".join(real.heard[part]), 8000) == pytest.approx(440, abs=6)
            assert pitch(b"".join(simulated.heard[part]), rate_hz) == pytest.approx(440, abs=6)


def pitch(pcm: bytes, rate_hz: int) -> float:
    """The frequency of the strongest tone, in Hz."""
    sound = np.frombuffer(pcm, "<i2").astype(np.float64)
    return float(np.abs(np.fft.rfft(sound)).argmax() * rate_hz / len(sound))


@pytest.mark.parametrize("name", ["timeout_absolute", "chan_timeout_absolute"])
def test_timeout_absolute_is_a_plain_close_and_not_called_silence(played: Versions, name: str) -> None:
    for real, simulated in both(played, name):
        assert_same(real, simulated)
        assert real.end == "fin"
        assert real.reason.startswith("TIMEOUT(absolute) of 2.5 s ended the call")
        blames_silence = any("Reached timeout after 2000 ms of no activity" in line for line in real.lines)
        assert blames_silence == ("which is not so" in real.reason)  # not where a packet came at that very moment


def test_a_phone_hears_asterisks_own_mu_law(played: Versions) -> None:
    """Each 16-bit sample once, byte for byte by the table of `ulaw_encode_as_asterisk`; the simulated line likewise."""
    for real, simulated in both(played, "every_sample_to_the_phone"):
        assert_same(real, simulated)
        assert b"".join(real.coded) == ulaw_encode_as_asterisk(ALL_SAMPLES)
        assert b"".join(real.coded) != slin.ulaw_encode(ALL_SAMPLES)
        assert b"".join(map(LineModel("ulaw").receive, simulated.heard)) == b"".join(real.heard)


def test_what_is_compared_differs_where_calls_differ() -> None:
    """The comparison itself, without an Asterisk: another size, another end, another outcome."""
    call = WireCall(b"\x01\x00\x10" + ID.bytes + FRAME, "fin", ("server", "hangup_message", "continues"), "", [])
    real = replace(call, outcome=("server", "orderly", "continues"))
    assert_same(real, call)
    for other in (
        replace(real, received=real.received[:-1]),
        replace(real, received=real.received + b"\x03\x00\x011"),
        replace(real, end="reset"),
        replace(real, outcome=("caller", "fin", "ends")),
    ):
        with pytest.raises(AssertionError):
            assert_same(other, call)
