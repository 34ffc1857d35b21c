"""What a phone keeps of sound that is sent ahead, what it loses, and what is never heard. Arithmetic."""

import numpy as np
import pytest

from audiosocket_sim.hearing.phone_buffer import PhoneBuffer, SentAhead
from audiosocket_sim.hearing.playout import Playout

FRAME = np.tile(np.array([6000, -6000], "<i2"), 80).tobytes()
SILENT = bytes(320)


def sent(frames: int, every: float, *, endless: bool = False, frame: bytes = FRAME, lead_ms: int = 300) -> PhoneBuffer:
    """A buffer that was sent so many frames, one every so many seconds, and then a frame long after."""
    buffer = PhoneBuffer(endless=endless, lead_ms=lead_ms)
    playout = Playout(buffer)
    for number in range(frames):
        playout.queue(1 + number * every, 8000, frame)
    playout.queue(60.0, 8000, frame)
    return buffer


@pytest.mark.parametrize(
    ("frames", "every", "leads"),
    [
        (200, 0.02, []),  # in time
        (15, 0.0, []),  # as much as the phone holds, and what is playing
        (50, 0.0, [SentAhead(1.0, 980, 680, 0)]),
        (100, 0.004, [SentAhead(1.072, 1584, 1250, 324)]),
    ],
)
def test_what_exceeds_the_phones_buffer_is_lost(frames: int, every: float, leads: list[SentAhead]) -> None:
    found = sent(frames, every).leads
    assert [(lead.at, lead.ahead_ms) for lead in found] == [
        (pytest.approx(lead.at, abs=0.01), pytest.approx(lead.ahead_ms, abs=20)) for lead in leads
    ]
    assert [lead.lost_ms for lead in found] == [pytest.approx(lead.lost_ms, abs=40) for lead in leads]
    assert [lead.lasted_ms for lead in found] == [pytest.approx(lead.lasted_ms, abs=20) for lead in leads]


def test_an_endless_phone_loses_nothing_and_says_so_all_the_same() -> None:
    assert sent(50, 0.0, endless=True).leads == [SentAhead(1.0, 980, 0, 0)]
    assert sent(50, 0.0, endless=True, lead_ms=2000).leads == []


def test_silence_that_is_sent_ahead_is_no_fault() -> None:
    assert sent(50, 0.0, frame=SILENT).leads == []


def test_a_message_is_cut_at_the_packet_that_does_not_fit() -> None:
    playout = Playout(PhoneBuffer(endless=False))
    playout.queue(1.0, 8000, FRAME * 40)
    assert playout.played(99.0) == 16 * 160
    playout.queue(1.1, 8000, FRAME * 40)  # 100 ms later there is room for five packets
    assert playout.played(99.0) == 21 * 160


def test_a_wideband_message_is_measured_in_its_own_rate() -> None:
    playout = Playout(PhoneBuffer(endless=False))
    playout.queue(1.0, 16000, FRAME * 80)  # 800 ms
    playout.advance(3.0)
    assert [hole for hole, _ in playout.holes(0, 10**6)] == [16 * 160]


def test_a_lead_that_lasts_to_the_end_is_reported_by_close() -> None:
    buffer = PhoneBuffer(endless=False, lead_ms=300)
    Playout(buffer).queue(1.0, 8000, FRAME * 50)
    assert buffer.leads == []
    buffer.close()
    assert [lead.ahead_ms for lead in buffer.leads] == [980]


@pytest.mark.parametrize("endless", [False, True])
@pytest.mark.parametrize(("rate_hz", "per_frame"), [(8000, 1), (16000, 2)])
def test_what_was_sent_and_not_played(endless: bool, rate_hz: int, per_frame: int) -> None:
    """Also where the phone had lost it already; not once it would have been played."""
    buffer = PhoneBuffer(endless=endless)
    playout = Playout(buffer)
    for _ in range(50):
        playout.queue(1.0, rate_hz, FRAME * per_frame)
    for at, left in ((1.0, 1000), (1.1, 900), (1.5, 500), (2.0, 0), (9.0, 0)):
        since, unheard_ms = buffer.unheard(playout.position_at(at))
        assert unheard_ms == pytest.approx(left, abs=2)
        assert since == (1.0 if left else None)


def test_silence_that_was_not_played_is_not_missed() -> None:
    buffer = PhoneBuffer(endless=True)
    playout = Playout(buffer)
    playout.queue(1.0, 8000, SILENT * 50)
    assert buffer.unheard(playout.position_at(1.1)) == (None, 0)
    playout.queue(1.2, 8000, FRAME)
    assert buffer.unheard(playout.position_at(1.3)) == (1.2, 20)
