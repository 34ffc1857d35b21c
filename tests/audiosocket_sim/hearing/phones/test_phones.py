"""The models of phones: which packet plays when, and which is lost. Arithmetic on the times of arrivals."""

import statistics
import tracemalloc
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
import pytest

from audiosocket_sim.hearing.phones import Lost, PhonePacket, Played, phone_model
from audiosocket_sim.hearing.phones.asterisk_adaptive import AdaptiveBuffer
from audiosocket_sim.hearing.phones.asterisk_fixed import FixedBuffer
from audiosocket_sim.hearing.phones.asterisk_hook import StampedPacket
from audiosocket_sim.hearing.phones.packets import PhoneModel

LOUD = np.tile(np.array([6000, -6000], "<i2"), 80).tobytes()  # 20 ms
QUIET = bytes(320)
MODELS = {
    "fifo": {"delay_ms": 200, "size_ms": 400},
    "asterisk fixed": {},
    "asterisk adaptive": {},
    "neteq-like": {},
}
EVERY = pytest.mark.parametrize("name", MODELS)


def paced(count: int, start: float = 1.0, every: float = 0.02) -> list[float]:
    return [start + number * every for number in range(count)]


def uneven(count: int) -> list[float]:
    """Each tenth packet comes 70 ms late, and those behind it with it: too little to get into the stamps."""
    arrivals = [1.0]
    for number in range(1, count):
        arrivals.append(max(arrivals[-1], 1 + number * 0.02 + (0.07 if number % 10 == 0 else 0.0)))
    return arrivals


ARRIVALS = {
    "in time": paced(100),
    "5 s at once": [1.0] * 250 + paced(100, 7.0),
    **{f"a lead of {lead} ms": [1.0] * (lead // 20) + paced(200, 1.02) for lead in (40, 300, 1000, 2000)},
    "a hole of 300 ms": paced(50) + paced(50, 2.3),
    "a pause of 5 s": paced(50) + paced(50, 7.0),
    "each second a hole of 60 ms": [at + 0.06 * (number // 50) for number, at in enumerate(paced(500))],
    "a slow clock": paced(500, every=0.0205),
    "a fast clock": paced(500, every=0.0195),
}
Event = Played | Lost


def events(model: PhoneModel, packets: Iterable[PhonePacket], until: float) -> list[Event]:
    """What the phone does with packets that come in order, and until a time, asked each 20 ms."""
    found: list[Event] = []
    now = 0.0
    for packet in packets:
        while now + 0.02 < packet.at:
            now += 0.02
            found += model.due(now)
        found += model.due(packet.at)
        model.take(packet)
        found += model.due(packet.at)
    return [*found, *model.due(until)]


def heard(name: str, arrivals: Sequence[float], *, frame: bytes = LOUD, until: float = 99.0) -> list[Event]:
    model = phone_model(name, **MODELS[name])
    assert model is not None
    return events(model, [PhonePacket(at, 8000, frame) for at in arrivals], until)


def delays_ms(found: Iterable[Event]) -> list[int]:
    return [round((event.at - event.packet.at) * 1000) for event in found if isinstance(event, Played)]


def lost(found: Iterable[Event]) -> int:
    return sum(isinstance(event, Lost) for event in found)


@pytest.mark.every(3)
@EVERY
@pytest.mark.parametrize("case", ARRIVALS)
def test_every_packet_is_played_or_lost_once_and_never_before_it_came(name: str, case: str) -> None:
    arrivals = ARRIVALS[case]
    found = heard(name, arrivals)
    packets = [id(event.packet) for event in found]
    assert len(set(packets)) == len(packets) == len(arrivals)
    played = [event for event in found if isinstance(event, Played)]
    assert all(event.at >= event.packet.at - 1e-9 for event in played)
    assert all(before.at <= after.at + 1e-6 for before, after in pairwise(played))
    if not name.startswith("asterisk"):  # which passes on at once what it refuses
        assert [event.packet.at for event in played] == sorted(event.packet.at for event in played)


@EVERY
def test_what_comes_in_time_is_played_without_a_hole(name: str) -> None:
    found = heard(name, paced(300))
    assert lost(found) == 0
    late = delays_ms(found)[5:]
    assert max(late) - min(late) <= 20
    assert 20 <= min(late) <= max(late) <= 200


@pytest.mark.every(3)
@pytest.mark.parametrize(
    ("name", "case", "second", "most", "n_lost", "n_at_once"),
    [
        ("fifo", "in time", 200, 200, 0, 0),
        ("fifo", "5 s at once", 220, 400, 239, 0),
        ("fifo", "a lead of 300 ms", 220, 400, 4, 0),
        ("fifo", "a pause of 5 s", 200, 200, 0, 0),
        ("asterisk fixed", "in time", 200, 200, 0, 0),
        ("asterisk fixed", "a lead of 1000 ms", 220, 1180, 0, 0),
        ("asterisk fixed", "a lead of 2000 ms", 0, 1400, 0, 50),
        ("asterisk fixed", "5 s at once", 0, 1400, 0, 189),
        ("asterisk fixed", "a pause of 5 s", 200, 200, 0, 0),
        ("asterisk fixed", "a fast clock", 200, 450, 0, 0),
        ("asterisk adaptive", "in time", 40, 40, 0, 1),
        ("asterisk adaptive", "5 s at once", 0, 480, 1, 270),
        ("asterisk adaptive", "a pause of 5 s", 40, 40, 0, 1),
        ("neteq-like", "in time", 60, 60, 0, 0),
        ("neteq-like", "a lead of 1000 ms", 20, 980, 0, 1),
        ("neteq-like", "5 s at once", 20, 980, 200, 1),
    ],
)
def test_figures(name: str, case: str, second: int, most: int, n_lost: int, n_at_once: int) -> None:
    """How late the second packet is that comes out, how late the latest; how many are lost, how many not late."""
    found = heard(name, ARRIVALS[case])
    delays = delays_ms(found)
    assert delays[1] == pytest.approx(second, abs=1)
    assert max(delays) == pytest.approx(most, abs=1)
    assert (lost(found), delays.count(0)) == (n_lost, n_at_once)


def test_a_fifo_that_has_run_dry_waits_again() -> None:
    assert delays_ms(heard("fifo", [1.0, 1.02, 1.5])) == [200, 200, 200]
    assert delays_ms(heard("fifo", [1.0, 1.02, 1.23])) == [200, 200, 10]  # it has not: this comes just in time


def test_of_a_long_packet_a_fifo_keeps_what_there_is_room_for() -> None:
    found = heard("fifo", [1.0], frame=LOUD * 50)
    assert [(type(event), len(event.payload) // 320) for event in found] == [(Lost, 39), (Played, 11)]
    assert found[0].payload + found[1].payload == LOUD * 50


@EVERY
@pytest.mark.parametrize("case", ["5 s at once", "a lead of 2000 ms"])
def test_a_lost_packet_says_why(name: str, case: str) -> None:
    whys = {event.why for event in heard(name, ARRIVALS[case]) if isinstance(event, Lost)}
    assert all(why and not why.endswith(".") for why in whys)


def test_stamps_that_lag_behind_short_holes_make_a_fixed_buffer_begin_anew() -> None:
    """Asterisk stamps no hole under 80 ms: packets look ever later, until the buffer is empty and begins again."""
    delays = delays_ms(heard("asterisk fixed", ARRIVALS["each second a hole of 60 ms"]))
    assert delays[0] == 200
    assert min(delays) <= 40


def test_an_adaptive_buffer_loses_what_lags_by_more_than_its_size() -> None:
    found = heard("asterisk adaptive", [at + 0.06 * (number // 50) for number, at in enumerate(paced(1000))])
    assert {event.why for event in found if isinstance(event, Lost)} == {"it came too late for its time stamp"}


def test_an_adaptive_buffer_grows_with_the_jitter_and_shrinks_again() -> None:
    delays = delays_ms(heard("asterisk adaptive", [*uneven(200), *paced(1500, 6.0)]))
    assert max(delays[:200]) >= 100
    assert delays[-100] <= 60


def test_what_asterisks_buffer_refuses_passes_it_by() -> None:
    """Of 2 s at once the last part comes out first, and then the beginning."""
    found = heard("asterisk fixed", [1.0] * 100)
    order = {id(event.packet): place for place, event in enumerate(found)}
    assert delays_ms(found) == [0] * 39 + list(range(200, 1420, 20))
    assert len(order) == 100


def test_an_adaptive_buffer_refuses_the_first_three_packets_of_a_jump_in_the_stamps() -> None:
    """A stall of the bot's of 3 s that it makes up for: its stamps jump ahead, and the delay with them."""
    found = heard("asterisk adaptive", [*paced(50), *([5.0] * 3), *paced(50, 5.0)])
    assert lost(found) == 0
    jumped = AdaptiveBuffer(200, 1000)
    frames = [StampedPacket(stamp, 20, PhonePacket(1.0, 8000, LOUD)) for stamp in (20, 5000, 5020, 5040, 5060, 40)]
    assert [jumped.put(frame, now) for now, frame in enumerate(frames)] == [True, False, False, False, True, False]


def test_an_adaptive_buffer_keeps_stamps_that_go_back_in_order() -> None:
    buffer = AdaptiveBuffer(200, 1000)
    for stamp in (20, 60, 40):
        assert buffer.put(StampedPacket(stamp, 20, PhonePacket(1.0, 8000, LOUD)), stamp)
    assert [frame.stamp for frame in buffer.frames] == [20, 40, 60]


def test_a_fixed_buffer_takes_stamps_that_jump_by_a_second_anew() -> None:
    buffer = FixedBuffer(200, 1000)
    frames = [StampedPacket(stamp, 20, PhonePacket(1.0, 8000, LOUD)) for stamp in (20, 40, 60, 5000, 5020, 5600)]
    assert [buffer.put(frame, now) for now, frame in enumerate(frames)] == [True, True, True, True, True, True]
    assert [frame.delivery for frame in buffer.frames] == [200, 220, 240, 260, 280, 860]


def test_a_fixed_buffer_that_is_asked_too_late_loses_the_packet() -> None:
    buffer = FixedBuffer(200, 1000)
    for stamp in (20, 40, 60):
        buffer.put(StampedPacket(stamp, 20, PhonePacket(1.0, 8000, LOUD)), 0)
    assert buffer.get(100, 20) is None
    assert [buffer.get(250, 20), buffer.get(250, 20)] == [
        (StampedPacket(20, 20, PhonePacket(1.0, 8000, LOUD), 200), "it came too late for its time stamp"),
        (StampedPacket(40, 20, PhonePacket(1.0, 8000, LOUD), 220), "it came too late for its time stamp"),
    ]


@pytest.mark.parametrize("name", ["asterisk fixed", "asterisk adaptive"])
def test_a_packet_of_less_than_2_ms_passes_by_asterisks_buffer(name: str) -> None:
    model = phone_model(name)
    assert model is not None
    packets = [PhonePacket(1.0, 8000, LOUD), PhonePacket(1.02, 8000, LOUD), PhonePacket(1.021, 8000, bytes(30))]
    found = events(model, packets, 9.0)
    assert [(event.at, event.packet) for event in found if len(event.payload) == 30] == [(1.021, packets[2])]
    assert found[-1].at > 1.021


@pytest.mark.every(3)
@EVERY
@pytest.mark.parametrize("ms", [5, 10, 12.5, 30, 60, 100, 400])
def test_packets_of_any_size_are_played(name: str, ms: float) -> None:
    frame = bytes(round(16 * ms))
    found = heard(name, paced(40, every=ms / 1000), frame=frame)
    assert len({id(event.packet) for event in found}) == 40
    assert sum(isinstance(event, Played) for event in found) >= 30


@pytest.mark.every(3)
@EVERY
@pytest.mark.parametrize("rate_hz", [16000, 24000, 44100, 48000])
def test_wideband_is_played_as_8_khz_is(name: str, rate_hz: int) -> None:
    model = phone_model(name, **MODELS[name])
    assert model is not None
    wide = events(model, [PhonePacket(at, rate_hz, bytes(2 * rate_hz // 50)) for at in paced(60)], 99.0)
    assert delays_ms(wide) == delays_ms(heard(name, paced(60), frame=QUIET))


def test_pauses_bring_a_neteq_back_to_its_delay() -> None:
    packets = [PhonePacket(1.0, 8000, LOUD)] * 40 + [PhonePacket(at, 8000, QUIET) for at in paced(200, 1.02)]
    model = phone_model("neteq-like")
    assert model is not None
    found = events(model, packets, 99.0)
    assert delays_ms(found)[39] >= 700
    assert delays_ms(found)[-1] <= 60
    assert getattr(model, "target_ms") == 20  # noqa: B009 - only this model has it
    assert all(event.payload == QUIET for event in found if isinstance(event, Lost))


def test_a_neteq_waits_as_long_as_packets_came_late() -> None:
    delays = delays_ms(heard("neteq-like", [*uneven(300), *paced(50, 9.0)]))
    assert delays[300] == 80  # the first after a pause: it waits for 80 ms, the 0.95 quantile


def test_a_neteq_makes_pauses_longer_where_too_little_waits() -> None:
    arrivals = [*paced(100), *(at + 2.0 for at in uneven(300))]
    delays = delays_ms(heard("neteq-like", arrivals, frame=QUIET))
    assert delays[99] == 40  # packets in time need no more
    assert statistics.median(delays[-100:]) == 90  # 80, and what a packet more makes


def test_a_neteq_plays_what_it_has_when_it_has_waited() -> None:
    assert delays_ms(heard("neteq-like", [1.0, 1.02])) == [80, 80]


@EVERY
def test_what_waits_is_known(name: str) -> None:
    model = phone_model(name, **MODELS[name])
    assert model is not None
    events(model, [PhonePacket(1.0, 8000, LOUD)] * 10, 1.0)
    assert len(list(model.waiting)) >= 9
    list(model.due(9.0))
    assert list(model.waiting) == []


@pytest.mark.every(4)
@EVERY
def test_an_hour_takes_no_more_memory_than_a_minute(name: str) -> None:
    model = phone_model(name, **MODELS[name])
    assert model is not None
    packets = [PhonePacket(at, 8000, LOUD) for at in paced(600)]
    events(model, packets, packets[-1].at)
    tracemalloc.start()
    for number in range(600, 1600):
        for _ in model.due(1 + number * 0.02):
            pass
        model.take(PhonePacket(1 + number * 0.02, 8000, LOUD))
    grown = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert grown < 60_000


@pytest.mark.parametrize("name", ["phone", "endless"])
def test_two_phones_delay_nothing(name: str) -> None:
    assert phone_model(name) is None
