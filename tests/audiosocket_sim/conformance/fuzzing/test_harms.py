"""What is a finding, and what is none, in rounds that are only said to have been."""

from dataclasses import replace

from helpers.fuzzed_server import call_of

from audiosocket_sim.conformance.case import Resources, SeenCase
from audiosocket_sim.conformance.features import Features
from audiosocket_sim.conformance.fuzzing.harms import Harm, SeenRound, growth, observations, worst
from audiosocket_sim.conformance.fuzzing.rounds import good_call, new_call, plain_call
from audiosocket_sim.conformance.script import Announce, Close, Script, Send, SignOfLife
from audiosocket_sim.conformance.seen_call import Chunk, ConnectionEnd, Delays, SeenCall

SENDS = Features(two_calls=True, sends_always=True)
FRAME = b"\x10\x01\x40" + bytes(320)


def shown(*calls: SeenCall, features: Features = SENDS, late: float = 0.0) -> list[Harm]:
    delays = Delays(((0.9, late),) if late else ())
    return [one.harm for one in worst(observations(SeenRound(SeenCase(calls, features, delays))))]


def good(*times: float) -> SeenCall:
    """The good call, which lasts from 0 to 1 s, with a frame at each of these times."""
    return replace(call_of(good_call(1.0)), received=tuple(Chunk(at, FRAME) for at in times))


STEADY = tuple(n / 50 for n in range(50))


def test_a_program_that_ends_is_gone_whatever_else_is_seen() -> None:
    seen = SeenCase((call_of(new_call(), refused=True), good()), SENDS)
    found = worst(observations(SeenRound(seen, ended="the program ended with code 1")))
    assert [(one.harm, one.statement.says) for one in found] == [
        (Harm.GONE, "goes on running, but the program ended with code 1")
    ]


def test_the_new_call_has_to_be_taken_kept_and_served() -> None:
    served = replace(call_of(new_call()), received=(Chunk(0.2, FRAME),))
    assert shown(served) == []
    assert shown(call_of(new_call(), refused=True)) == [Harm.GONE]
    assert shown(call_of(new_call(), dropped=True)) == [Harm.NO_NEW_CALL]
    assert shown(call_of(new_call())) == [Harm.NO_NEW_CALL]
    assert shown(call_of(new_call()), features=Features()) == []
    assert shown(call_of(new_call()), late=0.8) == []


def test_the_good_call_has_to_go_on() -> None:
    assert shown(good(*STEADY)) == []
    assert shown(call_of(good_call(1.0), dropped=True)) == [Harm.OTHER_ENDED]
    assert shown(call_of(good_call(1.0), refused=True)) == [Harm.NO_NEW_CALL]


def test_a_gap_in_the_good_call_is_a_trouble_unless_we_were_late() -> None:
    gap = tuple(at for at in STEADY if not 0.2 < at < 0.85)
    assert Harm.OTHER_STALLED in shown(good(*gap))
    assert shown(good(*gap), late=0.7) == []


def test_sound_that_is_lost_is_a_trouble() -> None:
    assert shown(good(*STEADY[::2])) == [Harm.OTHER_STALLED]
    assert shown(good(*STEADY[::2]), late=0.6) == []
    assert shown(good(*STEADY[::2]), features=Features()) == []


def test_no_answer_in_the_good_call_is_a_trouble() -> None:
    call = good(*STEADY)
    unmet = tuple(replace(one, met=False) if isinstance(one.action, SignOfLife) else one for one in call.done)
    assert shown(replace(call, done=unmet)) == [Harm.OTHER_UNANSWERED]


def test_a_short_good_call_is_not_measured_for_lost_sound() -> None:
    call = replace(good(0.1, 0.4, 0.7), end=ConnectionEnd("server", "fin", 0.85))
    lives = Features(two_calls=True, sends_always=True, lives=1.0)
    assert shown(call, features=lives) == []


def test_a_well_formed_call_has_to_be_kept_but_a_key_may_end_it() -> None:
    assert shown(call_of(plain_call(0), dropped=True)) == [Harm.DROPPED]
    assert shown(call_of(plain_call(1), dropped=True)) == [Harm.DROPPED]
    hung_up = replace(
        call_of(plain_call(1)), received=(Chunk(0.5, b"\x00\x00\x00"),), end=ConnectionEnd("server", "fin", 0.6)
    )
    assert shown(hung_up) == []


def test_an_illegal_stream_may_be_ended_but_not_kept_open() -> None:
    script = Script((Announce(), Send(b"\x7f\x00\x00"), Close()), name="stream 1/1")
    assert shown(call_of(script, dropped=True)) == []
    assert shown(call_of(script, refused=True)) == []
    never = replace(call_of(script), end=ConnectionEnd("peer", "fin", 0.7))
    never = replace(never, done=(*never.done[:-1], replace(never.done[-1], began=0.7)))
    assert shown(never) == [Harm.STAYS_OPEN]
    bad_sign = Script((Send(b"\x00"), SignOfLife(8.0), Close()), name="stream 1/2")
    assert shown(replace(call_of(bad_sign), end=ConnectionEnd("peer", "fin", 0.7))) == []


def test_growth_is_what_comes_each_time() -> None:
    before = Resources(10, 4, 50_000_000)
    assert growth(before, Resources(15, 4, 50_000_000), 5) == "5 descriptors"
    assert growth(before, Resources(14, 9, 120_000_000), 5) == "5 threads, 70 MB of memory"
    assert growth(before, Resources(12, 5, 90_000_000), 5) == ""
    assert growth(None, before, 5) == ""


def test_each_trouble_has_a_title() -> None:
    assert len({one.title for one in Harm}) == len(Harm)
