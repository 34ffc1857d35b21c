"""The phone's playout clock: what plays when, holes, and how far the bot runs ahead."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiosocket_core import slin
from audiosocket_sim.hearing.playout import Playout
from audiosocket_sim.phone.line import tone

ONES = b"\1\0" * 160
TWOS = b"\2\0" * 160


def values(playout: Playout, start: int, end: int) -> list[int]:
    return np.unique(playout.samples(start, end)).tolist()


def test_a_chunk_plays_at_its_arrival_or_after_what_was_queued() -> None:
    playout = Playout()
    playout.advance(10.0)
    playout.queue(10.005, 8000, ONES)  # the first: exactly when it came
    playout.queue(10.006, 8000, TWOS)  # early: after the first
    assert values(playout, 0, 40) == [0]
    assert values(playout, 40, 200) == [1]
    assert values(playout, 200, 360) == [2]
    assert playout.time_of(200) == pytest.approx(10.025)


def test_the_first_chunk_plays_to_the_sample_when_it_comes_and_what_precedes_it_is_no_hole() -> None:
    playout = Playout()
    assert (playout.started_at, playout.played(3.0)) == (None, 0)
    for now in (10.0, 10.0, 10.3, 10.3):
        playout.advance(now)
    playout.queue(10.300125, 8000, ONES)
    assert playout.started_at == 10.0
    assert values(playout, 0, 2401) == [0]
    assert values(playout, 2401, 2561) == [1]
    assert playout.played(99.0) == 2561
    assert playout.holes(0, 10**6) == []
    assert playout.time_of(8) == pytest.approx(10.001)


@pytest.mark.parametrize("sample", [0, 1, 2, 79, 80])
def test_the_first_chunk_may_come_soon_after_the_call_began(sample: int) -> None:
    playout = Playout()
    playout.advance(10.0)
    playout.queue(10.0 + sample / 8000, 8000, ONES)
    assert playout.samples(0, sample + 160).tolist() == [0] * sample + [1] * 160


def test_time_may_begin_at_zero() -> None:
    playout = Playout()
    playout.queue(0.0, 8000, ONES)
    assert playout.started_at == 0.0
    assert playout.time_of(0) == 0.0
    assert playout.time_of(80) == 0.01


def test_what_is_queued_has_not_been_played() -> None:
    playout = Playout()
    playout.queue(5.0, 8000, ONES * 50)
    assert playout.played(5.0) == 0
    assert playout.played(5.1) == 800
    assert playout.played(5.1, lead=160) == 960
    assert playout.played(99.0) == 8000


def test_the_sound_between_two_positions() -> None:
    playout = Playout()
    playout.queue(5.0, 8000, ONES + TWOS)
    assert playout.pcm(158, 163) == b"\1\0\1\0\2\0\2\0\2\0"
    assert playout.samples(158, 163).tolist() == [1, 1, 2, 2, 2]


def test_a_late_chunk_leaves_a_hole_of_silence() -> None:
    playout = Playout()
    playout.queue(1.0, 8000, ONES)
    playout.queue(1.05, 8000, TWOS)
    assert playout.holes(0, 1000) == [(160, 240)]
    assert values(playout, 160, 400) == [0]
    assert values(playout, 400, 560) == [2]


def test_a_hole_is_as_long_whether_or_not_time_was_told_in_it() -> None:
    playout = Playout()
    playout.queue(1.0, 8000, ONES)
    for now in (1.021, 1.033, 1.047):
        playout.advance(now)
    assert playout.played(1.047) == 376  # silent so far
    playout.queue(1.05, 8000, TWOS)
    assert playout.holes(0, 1000) == [(160, 240)]
    assert playout.played(2.0) == 560


@pytest.mark.parametrize(("late", "holes"), [(0.009_875, []), (0.01, [(160, 80)])])
@pytest.mark.parametrize("told", [False, True])
def test_a_hole_is_10_ms_long_at_least_to_the_sample(late: float, holes: list[tuple[int, int]], told: bool) -> None:
    playout = Playout()
    playout.queue(1.0, 8000, ONES)
    if told:
        playout.advance(1.02 + late)
        assert playout.holes(0, 1000) == holes
    playout.queue(1.02 + late, 8000, TWOS)
    assert playout.holes(0, 1000) == holes
    assert playout.played(2.0) == 320 + sum(length for _, length in holes)


def test_holes_between_two_positions_are_those_that_begin_there() -> None:
    playout = Playout()
    for number in range(4):
        playout.queue(1 + 0.05 * number, 8000, ONES)
    assert playout.holes(0, 10**6) == [(160, 240), (560, 240), (960, 240)]
    assert playout.holes(0, 161) == [(160, 240)]
    assert playout.holes(161, 960) == [(560, 240)]
    assert playout.holes(160, 961) == [(160, 240), (560, 240), (960, 240)]
    assert playout.holes(161, 560) == []


def test_each_of_several_holes_grows_until_sound_comes() -> None:
    playout = Playout()
    for start in (1.0, 1.1, 1.2):
        playout.queue(start, 8000, ONES)
        for late in (0.04, 0.06, 0.06, 0.08):
            playout.advance(start + late)
    assert playout.holes(0, 10**6) == [(160, 640), (960, 640), (1760, 480)]


def test_jitter_below_10_ms_is_no_hole_but_being_slow_for_long_is() -> None:
    jittery, slow = Playout(), Playout()
    for frame in range(200):
        jittery.queue(1.0 + 0.02 * frame + 0.009 * (frame % 2), 8000, ONES)
        slow.queue(1.0 + 0.0201 * frame, 8000, ONES)
    assert jittery.holes(0, 10**6) == []
    assert jittery.played(99.0) == 200 * 160
    assert [length for _, length in slow.holes(0, 10**6)] == [80]  # 19.9 ms behind: once
    assert slow.played(99.0) == 200 * 160 + 80


def test_ahead_is_what_was_sent_beyond_one_frame() -> None:
    on_time, bursts = Playout(), Playout()
    for frame in range(50):
        on_time.queue(1.0 + 0.02 * frame, 8000, ONES)
        bursts.queue(1.0 + 0.1 * (frame // 5), 8000, ONES)
    assert on_time.ahead_ms(0, 8000) == 0
    assert bursts.ahead_ms(0, 8000) == 80
    assert bursts.ahead_ms(0, 160) == 0
    at_once = Playout()
    at_once.queue(1.0, 8000, ONES * 50)
    assert at_once.ahead_ms(0, 8000) == 980
    assert at_once.ahead_ms(9000, 9100) == 0


@pytest.mark.parametrize(("samples", "ahead_ms"), [(239, 0), (240, 10), (247, 10), (248, 11), (8160, 1000)])
def test_ahead_is_counted_from_10_ms_on_in_whole_ms(samples: int, ahead_ms: int) -> None:
    playout = Playout()
    playout.queue(1.0, 8000, bytes(2 * samples))
    assert playout.ahead_ms(0, samples) == ahead_ms


def test_ahead_is_that_of_the_chunks_between_two_positions() -> None:
    playout = Playout()
    playout.queue(1.0, 8000, bytes(2 * 400))  # 30 ms
    playout.queue(1.0, 8000, bytes(2 * 400))  # 80 ms
    playout.queue(1.09, 8000, bytes(2 * 400))  # 40 ms
    playout.queue(1.15, 8000, bytes(2 * 160))  # not ahead
    spans = [(0, 400), (0, 401), (399, 400), (400, 800), (799, 801), (800, 801), (400, 1200), (1200, 1360)]
    assert [playout.ahead_ms(*span) for span in spans] == [30, 80, 30, 80, 80, 40, 80, 0]


def test_the_timeline_has_everything_at_its_time() -> None:
    playout = Playout()
    playout.advance(2.0)
    playout.queue(2.01, 8000, ONES)
    playout.queue(2.06, 8000, TWOS)
    heard = np.frombuffer(playout.timeline(1.99, 2.1), "<i2")
    assert len(heard) == 880
    assert np.unique(heard[:160]).tolist() == [0]
    assert np.unique(heard[160:320]).tolist() == [1]
    assert np.unique(heard[320:560]).tolist() == [0]
    assert np.unique(heard[560:720]).tolist() == [2]
    assert playout.timeline(None, 2.1) == playout.timeline(2.0, 2.1)
    assert Playout().timeline(None, 5.0) == b""


def test_the_timeline_of_any_two_times() -> None:
    playout = Playout()
    playout.advance(2.0)
    playout.queue(2.01, 8000, ONES + TWOS)
    assert playout.timeline(1.0, 1.5) == bytes(2 * 4000)  # before the call
    assert playout.timeline(1.5, 2.02) == bytes(2 * 4080) + ONES[:160]
    assert playout.timeline(2.02, 2.04) == ONES[160:] + TWOS[:160]
    assert playout.timeline(2.04, 2.06) == TWOS[160:] + bytes(160)
    assert playout.timeline(3.0, 3.01) == bytes(160)
    assert playout.timeline(2.03, 2.01) == b""
    assert playout.timeline(None, 2.0) == b""


def test_half_a_sample_is_left_out() -> None:
    playout = Playout()
    playout.queue(0.0, 8000, ONES + b"\7")
    playout.queue(0.02, 8000, TWOS)
    assert playout.played(1.0) == 320
    assert values(playout, 160, 320) == [2]


@pytest.mark.parametrize("rate_hz", [12000, 16000, 44100, 48000])
def test_other_rates_are_heard_at_8_khz_and_at_the_same_time(rate_hz: int) -> None:
    playout = Playout()
    pcm = slin.resample(tone(1000, 425, -20), 8000, rate_hz)
    frame = rate_hz // 50 * 2
    for number in range(50):
        playout.queue(3.0 + 0.02 * number, rate_hz, pcm[number * frame : (number + 1) * frame])
    playout.advance(4.5)
    assert playout.holes(0, 8000) == []
    assert playout.played(4.0) == 8000
    heard = playout.samples(800, 7200).astype(float)
    wanted = np.frombuffer(tone(1000, 425, -20), "<i2")[800:7200].astype(float)
    assert float(np.corrcoef(heard, wanted)[0, 1]) > 0.999


@pytest.mark.every(4)
@pytest.mark.parametrize("rate_hz", [12000, 16000, 24000, 32000, 44100, 48000, 96000, 192000])
@pytest.mark.parametrize("count", [1, 1001, 1003])
@pytest.mark.parametrize("chunks", [1, 3])
def test_what_follows_at_8_khz_stands_at_its_place(rate_hz: int, count: int, chunks: int) -> None:
    playout = Playout()
    for _ in range(chunks):
        playout.queue(1.0, rate_hz, b"\7\0" * count)
    playout.queue(1.0, 8000, ONES)
    end = chunks * count * 8000 // rate_hz
    assert playout.played(99.0) == end + 160
    assert values(playout, end, end + 160) == [1]


def test_the_end_of_a_sound_at_another_rate_is_heard_before_what_follows() -> None:
    """Nothing is left in the resampler: before a hole, at 8 kHz, or at a third rate."""
    wanted = np.frombuffer(tone(300, 425, -20), "<i2").astype(float)
    sounds = {rate_hz: slin.resample(tone(300, 425, -20), 8000, rate_hz) for rate_hz in (8000, 16000, 24000)}
    playout = Playout()
    playout.queue(1.0, 16000, sounds[16000])
    playout.queue(1.1, 8000, sounds[8000])
    playout.queue(1.2, 24000, sounds[24000])
    playout.queue(1.3, 16000, sounds[16000])
    playout.advance(2.5)
    assert playout.holes(0, 10**6) == [(9600, 2400)]
    for start in range(0, 9600, 2400):
        heard = playout.samples(start, start + 2400).astype(float)
        assert float(np.corrcoef(heard, wanted)[0, 1]) > 0.99
        assert float(np.abs(heard - wanted)[20:-20].max()) < 100
    assert values(playout, 9600, 12_000) == [0]


@given(st.lists(st.integers(1, 700), min_size=1, max_size=20), st.randoms(use_true_random=False))
def test_sound_is_kept_in_order_and_whole(counts: list[int], random: object) -> None:
    playout, sent, at = Playout(), bytearray(), 0.0
    for number, count in enumerate(counts):
        piece = np.full(count, number + 1, "<i2").tobytes()
        sent += piece
        at += random.random() * 0.1  # type: ignore[attr-defined]
        playout.queue(at, 8000, piece)
    heard = playout.samples(0, playout.played(1e6))
    assert heard[heard != 0].tobytes() == bytes(sent)
    assert playout.played(1e6) == len(sent) // 2 + int(np.count_nonzero(heard == 0))


IN_A_PROCESS_OF_ITS_OWN = """
import hashlib, math, struct
from audiosocket_sim.hearing.playout import Playout
playout = Playout()
sound = struct.pack("<16000h", *(round(7000 * math.sin(n * n / 90_000)) for n in range(16_000)))
for number in range(50):
    playout.queue(1 + number * 0.02, 16_000, sound[number * 640 : (number + 1) * 640])
playout.queue(2.0, 8_000, bytes(320))
print(hashlib.sha256(playout.pcm(0, 8_160)).hexdigest())
"""


@pytest.mark.long("one process hears it")
def test_a_wideband_sound_is_the_same_bytes_in_every_process() -> None:
    """What the ear judges and `call.wav` holds must not depend on a process's random numbers."""
    hashes = {
        subprocess.run([sys.executable, "-c", IN_A_PROCESS_OF_ITS_OWN], check=True, capture_output=True).stdout
        for _ in range(3)
    }
    assert len(hashes) == 1
