"""Pace, holes and pieces of hand-made calls."""

from collections.abc import Sequence

import pytest

from audiosocket_core.messages import Kind, encode
from audiosocket_sim.conformance.case import CaseOutcome, SeenCase
from audiosocket_sim.conformance.cases.catalogue import CASES
from audiosocket_sim.conformance.features import Features
from audiosocket_sim.conformance.pace import holes_in, splits_in, stretches_of
from audiosocket_sim.conformance.script import Announce, Script
from audiosocket_sim.conformance.seen_call import Chunk, Delays, Done, SeenCall
from audiosocket_sim.conformance.verdicts import outcome_of

FRAME = encode(Kind.SLIN8, bytes(320))
LOUD = encode(Kind.SLIN8, b"\x00\x20" * 160)
BY_ID = {case.id: case for case in CASES}


def call_of(received: Sequence[Chunk]) -> SeenCall:
    done = (Done(Announce(), 0.0, 0.0),)
    return SeenCall(Script((Announce(),)), bytes(16), 0.0, received=tuple(received), done=done)


def frames(times: Sequence[float], frame: bytes = FRAME) -> list[Chunk]:
    return [Chunk(at, frame, (len(frame) * (n + 1), n + 1)) for n, at in enumerate(times)]


def outcome(id: str, call: SeenCall, *late: tuple[float, float]) -> CaseOutcome:
    case = BY_ID[id]
    return outcome_of(case, list(case.judge(SeenCase((call,), Features(), Delays(late)))))


STEADY = [n * 0.02 for n in range(400)]
BURST = [*STEADY[:200], *[4.0] * 30, *[4.0 + n * 0.02 for n in range(100)]]


def test_steady_sound_is_one_stretch_and_never_ahead() -> None:
    (stretch,) = stretches_of(call_of(frames(STEADY)).audio)
    assert stretch.worst[1] == pytest.approx(0.0, abs=1e-6)
    sent, elapsed = stretch.drift(0.5)
    assert sent == pytest.approx(elapsed)
    assert outcome("AO-01", call_of(frames(STEADY))) is CaseOutcome.PASS
    assert outcome("AO-02", call_of(frames(STEADY))) is CaseOutcome.PASS


def test_200_ms_at_once_are_allowed() -> None:
    prefilled = [0.0] * 10 + [n * 0.02 for n in range(1, 390)]
    assert outcome("AO-01", call_of(frames(prefilled))) is CaseOutcome.PASS


def test_a_burst_is_ahead_and_owed_to_us_if_we_were_as_late() -> None:
    assert outcome("AO-01", call_of(frames(BURST))) is CaseOutcome.FAIL
    assert outcome("AO-01", call_of(frames(BURST)), (4.0, 0.7)) is CaseOutcome.INCONCLUSIVE
    assert outcome("AO-01", call_of(frames(BURST)), (4.0, 0.05)) is CaseOutcome.FAIL


def test_a_slow_clock_drifts() -> None:
    assert outcome("AO-02", call_of(frames([n * 0.0206 for n in range(400)]))) is CaseOutcome.FAIL


def in_lumps(wakes: Sequence[float], rate: float = 1.0) -> list[Chunk]:
    """A server that at each of these times sends what is due within 180 ms, by a clock that runs so much too fast."""
    times: list[float] = []
    for at in wakes:
        while len(times) * 0.02 <= (at + 0.18) * rate:
            times.append(at)
    return frames(times)


def rough_wakes(last: float) -> list[float]:
    """Wakes 30 to 180 ms apart; the last fills the sound up once more at the very end."""
    wakes = [0.0]
    while wakes[-1] < last:
        wakes.append(wakes[-1] + (0.03, 0.18, 0.11, 0.16, 0.07)[len(wakes) % 5])
    return wakes


@pytest.mark.parametrize("last", [6.0, 8.0, 10.0, 10.1, 10.2, 10.3])
def test_sound_in_lumps_of_up_to_180_ms_does_not_drift(last: float) -> None:
    wakes = rough_wakes(last)
    assert outcome("AO-01", call_of(in_lumps(wakes))) is CaseOutcome.PASS
    assert outcome("AO-02", call_of(in_lumps(wakes))) is CaseOutcome.PASS


@pytest.mark.parametrize("rate", [0.985, 1.015])
def test_a_clock_that_is_off_drifts_in_lumps_too(rate: float) -> None:
    (stretch,) = stretches_of(call_of(in_lumps(rough_wakes(10.0), rate)).audio)
    sent, elapsed = stretch.drift(0.5)
    assert sent / elapsed == pytest.approx(rate, abs=0.004)


def test_a_wait_of_8_ms_inside_fails_unless_we_were_late() -> None:
    received = [Chunk(0.1, FRAME[:100]), Chunk(0.108, FRAME[100:])]
    assert outcome("AO-03", call_of(received)) is CaseOutcome.FAIL
    assert outcome("AO-03", call_of(received), (0.11, 0.01)) is CaseOutcome.INCONCLUSIVE
    close = [Chunk(0.1, FRAME[:100]), Chunk(0.104, FRAME[100:200]), Chunk(0.108, FRAME[200:])]
    assert outcome("AO-03", call_of(close)) is CaseOutcome.PASS


def in_pieces(n: int) -> list[Chunk]:
    """One message, read at once, of which the system says that it came in so many pieces."""
    return [Chunk(k * 0.02, FRAME, (len(FRAME) * (k + 1), n * (k + 1))) for k in range(10)]


def test_a_few_segments_that_tcp_sent_again_are_no_splits() -> None:
    again = {11, 30, 52, 71, 90}
    pieces = [n + 1 + sum(at <= n for at in again) for n in range(100)]
    received = [Chunk(n * 0.02, FRAME, (len(FRAME) * (n + 1), pieces[n])) for n in range(100)]
    assert outcome("AO-04", call_of(received)) is CaseOutcome.PASS


def test_two_segments_a_message_are_seen_though_each_was_one_read() -> None:
    call = call_of(in_pieces(2))
    assert len(list(splits_in(call.messages, call.received))) == 10
    assert outcome("AO-04", call) is CaseOutcome.FAIL


def test_one_split_by_chance_is_no_failure() -> None:
    received = frames(STEADY[:20])
    received.append(Chunk(0.4, FRAME, (21 * len(FRAME), 22)))
    call = call_of(received)
    assert len(list(splits_in(call.messages, call.received))) == 1
    assert outcome("AO-04", call) is CaseOutcome.PASS


def test_several_messages_in_a_segment_are_no_split() -> None:
    received = [Chunk(k * 0.06, FRAME * 3, (3 * len(FRAME) * (k + 1), k + 1)) for k in range(10)]
    call = call_of(received)
    assert list(splits_in(call.messages, call.received)) == []


def test_a_long_message_may_take_several_segments_but_not_its_header_alone() -> None:
    long = encode(Kind.SLIN48, bytes(1920))
    fine = [Chunk(k * 0.02, long, (len(long) * (k + 1), 2 * (k + 1))) for k in range(5)]
    assert list(splits_in(call_of(fine).messages, fine)) == []
    cut = [Chunk(0.0, long[:1448], (1448, 1)), Chunk(0.0, long[1448:], (len(long), 2))]
    assert list(splits_in(call_of(cut).messages, cut)) == []
    header = [Chunk(0.0, long[:3], (3, 1)), Chunk(0.0, long[3:], (len(long), 3))]
    assert [split.after for split in splits_in(call_of(header).messages, header)] == [3]


def test_where_the_system_does_not_tell_nothing_is_said_of_pieces() -> None:
    assert outcome("AO-04", call_of([Chunk(0.0, FRAME)])) is CaseOutcome.NOT_RUN


def test_holes_are_between_loud_messages_only() -> None:
    times = [n * 0.02 + (n // 5) * 0.06 for n in range(50)]
    assert len(list(holes_in(call_of(frames(times, LOUD)).audio))) == 9
    assert list(holes_in(call_of(frames(times)).audio)) == []
    assert outcome("AO-17", call_of(frames(times, LOUD))) is CaseOutcome.WARN
    late = tuple((at, 0.07) for at in times[::5])
    assert outcome("AO-17", call_of(frames(times, LOUD)), *late) is CaseOutcome.INCONCLUSIVE
