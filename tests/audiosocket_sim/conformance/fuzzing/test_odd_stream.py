"""What of a stream is legal, and what is not."""

import pytest

from audiosocket_sim.conformance.fuzzing.odd_stream import Actions, cost, has_key, is_well_formed
from audiosocket_sim.conformance.script import Announce, Close, Pause, Send, SignOfLife, StopReading

SIGN = SignOfLife(8.0)
FRAME = Send(b"\x10\x01\x40" + bytes(320))


@pytest.mark.parametrize(
    "actions",
    [
        (Announce(), SIGN),
        (Announce(gap=0.02), FRAME, SIGN, Close()),
        (Announce(), Send(b"\x10\x00\x02\x00\x00", (1, 1), 0.3), Send(b"\x03\x00\x015"), SIGN),
        (Announce(), Send(b"\x10\x00"), Pause(0.5), Send(b"\x02\x00\x00"), SIGN),
        (Send(b"\x01\x00\x10" + bytes(16)), SIGN),
    ],
)
def test_well_formed(actions: Actions) -> None:
    assert is_well_formed(actions)


@pytest.mark.every(3)
@pytest.mark.parametrize(
    "actions",
    [
        (SIGN,),
        (Announce(),),
        (FRAME, SIGN),
        (Announce(), Announce(), SIGN),
        (Announce(), Send(b"\x10\x00\x01\x00"), SIGN),
        (Announce(), Send(b"\x10\x00\x00"), SIGN),
        (Announce(), Send(b"\x12\x00\x02\x00\x00"), SIGN),
        (Announce(), Send(b"\x03\x00\x017"), SIGN),
        (Announce(), Send(b"\x10\x00\x04\x00\x00"), SIGN),
        (Announce(), Send(b"\x10\x01"), SIGN),
        (Announce(), Pause(1.5), SIGN),
        (Announce(), StopReading(), SIGN),
        (Announce(), *[Send(b"\x03\x00\x015")] * 3, SIGN),
        (Announce(), *[FRAME] * 300, SIGN),
    ],
)
def test_not_well_formed(actions: Actions) -> None:
    assert not is_well_formed(actions)


def test_a_key_is_seen() -> None:
    assert has_key((Announce(), Send(b"\x03\x00\x015")))
    assert not has_key((Announce(), FRAME))


def test_fewer_bytes_count_more_than_anything_else() -> None:
    assert cost((Announce(), Pause(1.0))) < cost((Announce(), Send(b"\x00")))
    assert cost((Announce(),)) < cost((Announce(gap=0.1),))
    assert cost((Send(b"\x00"),)) < cost((Send(b"\x01"),))
