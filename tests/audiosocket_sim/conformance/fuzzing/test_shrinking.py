"""Streams are made smaller, as long as they still do the harm."""

from collections.abc import Callable, Sequence

from audiosocket_sim.conformance.fuzzing.grammar import draw
from audiosocket_sim.conformance.fuzzing.odd_stream import Actions, bytes_of
from audiosocket_sim.conformance.fuzzing.shrinking import FirstThatShows, shrink
from audiosocket_sim.conformance.script import Announce, Close, Pause, Reset, Send


def sent(actions: Actions) -> bytes:
    return b"".join(map(bytes_of, actions))


def of(does_harm: Callable[[Actions], bool]) -> FirstThatShows:
    def first(candidates: Sequence[Actions]) -> int | None:
        return next((place for place, actions in enumerate(candidates) if does_harm(actions)), None)

    return first


BIG: Actions = (
    Announce(gap=0.02),
    Send(b"\x10\x01\x40" + bytes(range(256)) + bytes(64), (3, 100), 0.1),
    Pause(0.4),
    Send(b"\x7f\x01\x2c" + bytes(300) + b"\x10\x00\x02\x01\x01"),
    Pause(0.3),
    Reset(),
)


def test_what_does_no_harm_goes() -> None:
    shrunk = shrink(BIG, of(lambda actions: b"\x7f" in sent(actions)))
    assert shrunk.actions == (Send(b"\x7f"),)
    assert not shrunk.cut_short


def test_a_message_keeps_a_length_that_is_true_if_the_harm_needs_it() -> None:
    def whole(actions: Actions) -> bool:
        data = sent(actions)
        place = data.find(b"\x7f")
        length = int.from_bytes(data[place + 1 : place + 3], "big")
        return data.startswith(b"\x01\x00\x10") and place > 0 and length > 0 and len(data) >= place + 3 + length

    shrunk = shrink(BIG, of(whole))
    assert sent(shrunk.actions) == b"\x01\x00\x10" + bytes(16) + b"\x7f\x00\x01\x00"


def test_pieces_and_pauses_that_matter_stay() -> None:
    def cut_after_one(actions: Actions) -> bool:
        return any(isinstance(one, Send) and one.pieces[:1] == (1,) and one.gap > 0.05 for one in actions)

    start: Actions = (Announce(), Send(bytes(9), (1, 1, 2, 3), 0.8), Close())
    shrunk = shrink(start, of(cut_after_one))
    assert shrunk.actions == (Send(b"\x00", (1,), 0.1),) or sent(shrunk.actions) in (b"", b"\x00")
    paused = shrink((Announce(), Pause(0.4)), of(lambda actions: Pause in map(type, actions)))
    assert paused.actions == (Pause(0.02),)


def test_two_writes_become_one() -> None:
    start: Actions = (Send(b"\x01\x02"), Send(b"\x03\x04"))
    shrunk = shrink(start, of(lambda actions: b"\x02\x03" in sent(actions)))
    assert shrunk.actions == (Send(b"\x02\x03"),)


def test_bytes_that_do_not_matter_become_zero() -> None:
    shrunk = shrink((Send(b"\x05\x06\x07"),), of(lambda actions: len(sent(actions)) == 3))
    assert shrunk.actions == (Send(bytes(3)),)


def test_a_single_byte_of_a_uuid_is_no_matter() -> None:
    shrunk = shrink((Announce(gap=0.02),), of(lambda actions: Announce in map(type, actions)))
    assert shrunk.actions == (Announce(),)


def test_many_can_be_tried_at_once() -> None:
    tried: list[int] = []

    def first(candidates: Sequence[Actions]) -> int | None:
        tried.append(len(candidates))
        return of(lambda actions: b"\x7f" in sent(actions))(candidates)

    assert shrink(BIG, first, at_once=4).actions == (Send(b"\x7f"),)
    assert max(tried) == 4


def test_it_ends_when_it_has_to() -> None:
    never = of(lambda actions: False)
    assert shrink(BIG, never, most_tries=5).cut_short
    assert shrink(BIG, never, give_up=lambda: True).tries == 0
    assert shrink(BIG, never, most_tries=100_000).actions == BIG


def test_the_smallest_of_drawn_streams_does_the_harm() -> None:
    does = of(lambda actions: sent(actions).count(b"\x10") >= 3)
    for number in range(30):
        actions = draw(f"3/{number}").actions
        if does([actions]) is not None:
            assert sent(shrink(actions, does, most_tries=5_000).actions) == b"\x10" * 3
