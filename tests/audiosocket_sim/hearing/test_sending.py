"""What the bot sent is a few rows: bursts with their lead, steady sending as one, holes between."""

from audiosocket_sim.hearing.phone_buffer import PhoneBuffer
from audiosocket_sim.hearing.sending import Sending

LOUD = b"\x00\x20" * 160
QUIET = bytes(320)


def rows(sending: Sending) -> list[tuple[int, int, int, int, bool]]:
    return [
        (round(r.at * 1000), round(r.until * 1000), round(r.seconds * 1000), round(r.ahead * 1000), r.audible)
        for r in sending.rows
    ]


def test_a_clock_is_one_row_for_each_sound_and_silence() -> None:
    sending = Sending()
    for number in range(300):
        sending.take(number * 0.02, 8000, LOUD if 100 <= number < 200 else QUIET)
    assert rows(sending) == [
        (0, 1980, 2000, 0, False),
        (2000, 3980, 2000, 0, True),
        (4000, 5980, 2000, 0, False),
    ]


def test_a_burst_is_one_row_and_ahead_and_what_follows_it_is_another() -> None:
    sending = Sending()
    for _ in range(100):
        sending.take(1.0, 8000, LOUD)
    for number in range(10):
        sending.take(2.5 + number * 0.02, 8000, LOUD)
    assert rows(sending) == [(1000, 1000, 2000, 1980, True), (2500, 2680, 200, 500, True)]


def test_a_hole_ends_a_row() -> None:
    sending = Sending()
    for at in (0.0, 0.02, 0.5, 0.52):
        sending.take(at, 8000, LOUD)
    assert rows(sending) == [(0, 20, 40, 0, True), (500, 520, 40, 0, True)]


def test_other_rates_and_odd_bytes_have_their_length() -> None:
    sending = Sending()
    sending.take(0.0, 16000, LOUD + b"\x01")
    sending.take(1.0, 8000, b"")
    sending.take(3.0, 8000, b"\x07")
    assert rows(sending) == [(0, 0, 10, 0, True), (1000, 1000, 0, 0, False), (3000, 3000, 0, 0, False)]


def test_the_phone_says_when_it_had_no_room_for_sound_and_not_for_silence() -> None:
    buffer = PhoneBuffer(endless=False)
    queued = 0
    for _ in range(30):
        queued += len(buffer.take(1.0, 0, queued, 8000, LOUD)) // 2
    lost = sum(ms for _, ms in buffer.lost)
    assert lost == 600 - queued // 8
    assert {at for at, _ in buffer.lost} == {1.0}
    before = len(buffer.lost)
    buffer.take(1.0, 0, queued, 8000, QUIET)
    assert len(buffer.lost) == before
