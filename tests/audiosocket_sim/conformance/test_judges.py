"""Judges of the handshake, of framing and of keys, on calls that are written down: what no planted fault shows."""

from collections.abc import Sequence
from dataclasses import replace

from audiosocket_core.messages import Kind, encode
from audiosocket_sim.conformance import features as known
from audiosocket_sim.conformance.aftermath import was_too_late
from audiosocket_sim.conformance.case import SeenCase, Statement
from audiosocket_sim.conformance.cases.catalogue import CASES
from audiosocket_sim.conformance.cases.in_step import PLAIN
from audiosocket_sim.conformance.exact_echo import EchoStretch, comes_back
from audiosocket_sim.conformance.features import Features
from audiosocket_sim.conformance.heard import is_byte_swapped, samples_of
from audiosocket_sim.conformance.judging import (
    closes_within,
    connects,
    ended_by_server,
    is_kept,
    late_after_end,
    said_goodbye,
)
from audiosocket_sim.conformance.line_noise import line_noise
from audiosocket_sim.conformance.script import Announce, Close, PeerAction, Script, SignOfLife
from audiosocket_sim.conformance.seen_call import Chunk, ConnectionEnd, Delays, Done, SeenCall
from audiosocket_sim.conformance.sounds import CallerSounds

BY_ID = {case.id: case for case in CASES}
ECHO = Features(two_calls=True, echoes=True)
LOUD = encode(Kind.SLIN8, b"\x00\x20" * 160)


def seen_call(
    script: Script,
    *,
    connected: bool = True,
    received: Sequence[tuple[float, bytes]] = (),
    end: ConnectionEnd | None = None,
    until: type | None = None,
    met: bool = True,
) -> SeenCall:
    """A call whose actions take a second each. `until`: the last action that was carried out."""
    done: list[Done] = []
    for at, action in enumerate(script.actions if connected else ()):
        done.append(Done(action, float(at), float(at + 1), met))
        if until is not None and isinstance(action, until):
            break
    return SeenCall(
        script,
        bytes(16),
        0.0 if connected else None,
        "" if connected else "refused",
        received=tuple([Chunk(at, data) for at, data in received]),
        done=tuple(done),
        end=end or ConnectionEnd("peer", "fin", 99.0, 99.0),
    )


def judged(name: str, features: Features = ECHO, **seen: object) -> list[Statement]:
    case = BY_ID[name]
    calls = tuple([seen_call(script, **seen) for script in case.scripts])  # type: ignore[arg-type]
    return list(case.judge(SeenCase(calls, features)))


def said(statements: Sequence[Statement]) -> list[tuple[bool | None, str]]:
    return [(one.ok, one.says) for one in statements]


def server_fin(at: float) -> ConnectionEnd:
    return ConnectionEnd("server", "fin", at, at)


def test_a_server_that_refuses_the_connection_fails_each_case() -> None:
    for case in CASES:
        if case.id[:2] in ("HS", "FR", "DT") and case.id != "HS-14":
            statements = judged(case.id, connected=False)
            assert any(
                one.ok is False and "takes the connection, but got: refused" in one.says for one in statements
            ), case.id


def test_a_connection_that_came_to_nothing_while_this_machine_stood_still_is_inconclusive() -> None:
    call = replace(
        seen_call(Script((Announce(),), starts=1.0), connected=False), why_not_connected="no answer within 2 s"
    )
    still = Delays(((2.0, 0.4), (3.0, 0.4)))
    assert was_too_late(call, still)
    assert not was_too_late(call, Delays(((0.5, 0.4), (3.0, 0.4))))
    assert not was_too_late(replace(call, why_not_connected="refused"), still)
    assert not was_too_late(replace(call, connected_at=1.5), still)
    assert connects(call).ok is False
    late = connects(replace(call, late_to_connect=True))
    assert (late.ok, late.says) == (None, "takes the connection, but got: no answer within 2 s")


def test_a_close_that_many_small_delays_put_off_is_inconclusive() -> None:
    """As when hundreds of calls end at once on a busy machine."""
    call = replace(seen_call(Script((Announce(), Close()))), end=ConnectionEnd("peer", "fin", 1.0, 3.4))
    call = replace(call, done=(Done(Close(), 1.0, 3.4),))
    small = SeenCase((call,), ECHO, delays=Delays(tuple((1.0 + n / 10, 0.05) for n in range(20))))
    assert [one.ok for one in closes_within(call, 2.0, late_after_end(small, call))] == [None]
    quiet = SeenCase((call,), ECHO)
    assert [one.ok for one in closes_within(call, 2.0, late_after_end(quiet, call))] == [False]


def test_an_end_in_order_at_an_error_or_at_a_second_uuid_is_fine() -> None:
    assert said(judged("FR-10", end=server_fin(2.5))) == [(True, "ends the call in order at a message of kind 0xff")]
    assert said(judged("HS-11", end=server_fin(3.5))) == [(True, "ends the call in order at a second UUID")]


def test_a_call_that_ended_before_the_hangup_or_the_end_of_the_stream_was_not_kept() -> None:
    early = server_fin(0.5)
    assert said(judged("FR-12", end=early))[0][1].startswith("keeps the call before the hangup, but closed it")
    assert said(judged("FR-13", end=early))[0][1].startswith("keeps the call until the stream ends, but closed it")


def test_how_late_a_server_closes_after_the_stream_has_ended_is_told() -> None:
    late = ConnectionEnd("server", "fin", 8.0, 8.0)
    assert said(judged("FR-14", Features(), end=late)) == [
        (False, "closes the connection within 2 s after the stream has ended inside a header, but it took 3.00 s")
    ]


def test_a_quiet_caller_may_be_hung_up_on_with_a_goodbye() -> None:
    goodbye = [(3.0, LOUD), (3.5, encode(Kind.HANGUP))]
    assert judged("HS-12", received=goodbye) == []
    assert judged("HS-12", received=[(0.5, LOUD), *goodbye[1:]])[0].ok is False


def test_of_a_server_that_says_nothing_it_is_not_known_what_it_sends() -> None:
    assert judged("HS-14") == []


def test_the_second_of_two_calls_with_one_uuid_may_be_refused_in_order() -> None:
    first, second = BY_ID["HS-10"].scripts

    def outcome(how: str) -> list[bool | None]:
        ended = replace(server_fin(1.0), how=how)
        calls = (seen_call(first), seen_call(second, end=ended))
        return [one.ok for one in BY_ID["HS-10"].judge(SeenCase(calls, ECHO)) if one.call == second.name]

    assert outcome("fin") == [True]
    assert outcome("reset") == [False]


def test_a_connection_that_never_sends_may_stay_open_as_long_as_the_short_form_lasts() -> None:
    (script,) = BY_ID["HS-06"].heavy
    call = seen_call(script)
    assert judged("HS-06") == []
    (heavy,) = BY_ID["HS-06"].judge(SeenCase((call,), ECHO, heavy=True))
    assert heavy.ok is False
    (ended,) = judged("HS-06", end=server_fin(10.0))
    assert (ended.ok, ended.says) == (True, "ends a connection without a UUID by itself, after 10.0 s")


def test_keys_are_not_judged_after_the_end_of_the_call() -> None:
    role = Features(roles={"dtmf": known.TestRole()})
    assert [one.ok for one in judged("DT-01", role, end=server_fin(3.5))] == [False]
    assert [one.ok for one in judged("DT-04", role, end=server_fin(3.5))] == [False]


def test_a_key_without_a_sound_cannot_be_told_on_a_late_machine() -> None:
    case = BY_ID["DT-01"]
    call = seen_call(case.scripts[0], met=False)
    late = SeenCase((call,), Features(), Delays(tuple([(second + 0.9, 0.8) for second in range(30)])))
    assert {one.ok for one in case.judge(late)} == {True, None}


def test_two_keys_without_any_sound_are_no_two_keys() -> None:
    statements = said(judged("DT-04"))
    assert (False, "plays a sound for the key 5, as its role is, but none came") in statements


def test_nobody_who_does_not_speak_is_pressed_keys_at() -> None:
    assert judged("DT-09", met=False) == []


def echo(sound: bytes, *actions: PeerAction, sent: bytes = b"") -> SeenCall:
    call = seen_call(Script((Announce(), *actions, SignOfLife())), received=[(1.0, encode(Kind.SLIN8, sound))])
    return replace(call, sent=(Chunk(0.5, sent),))


def test_a_server_that_changes_the_sound_is_not_held_to_the_bit() -> None:
    seen = SeenCase((), ECHO)
    louder = bytes(len(PLAIN)) + b"\x30\x00" * 1600
    assert list(comes_back(seen, echo(louder), PLAIN, EchoStretch("it", line_noise(320, 9)))) == []


def test_a_server_whose_role_is_the_echo_is_held_to_it() -> None:
    seen = SeenCase((), replace(ECHO, roles={"echo": known.TestRole()}))
    (statement,) = comes_back(seen, echo(PLAIN[:320]), PLAIN)
    assert statement.says.startswith("sends plain messages back unchanged, as its role is, but only the first 320 of")


def test_enough_of_a_long_message_is_its_beginning_or_its_end_unless_the_role_says_all() -> None:
    sound = line_noise(2000, 8)
    long = EchoStretch("a long message", sound, enough=400)
    for came in (sound[:500], sound[-500:]):
        (statement,) = comes_back(SeenCase((), ECHO), echo(PLAIN + came), PLAIN, long)
        assert statement.ok
    (short,) = comes_back(SeenCase((), ECHO), echo(PLAIN + sound[:300]), PLAIN, long)
    assert short.ok is False
    promised = SeenCase((), replace(ECHO, roles={"echo": known.TestRole()}))
    (statement,) = comes_back(promised, echo(PLAIN + sound[:500]), PLAIN, long)
    assert statement.ok is False


def test_where_the_sound_broke_off_is_when_its_message_was_sent() -> None:
    first, second = line_noise(320, 6), line_noise(320, 7)
    call = replace(
        echo(PLAIN + first),
        sent=(Chunk(0.5, encode(Kind.SLIN8, first)), Chunk(0.7, encode(Kind.SLIN8, second))),
    )
    (statement,) = comes_back(SeenCase((), ECHO), call, PLAIN, EchoStretch("two messages", first + second))
    assert (statement.ok, statement.at) == (False, 0.7)


def test_a_call_that_ends_at_once_is_not_as_long_as_any() -> None:
    call = seen_call(Script((Announce(), SignOfLife())), end=server_fin(2.2))
    assert is_kept(SeenCase((), replace(ECHO, lives=0.2)), call, "here").ok is False
    assert is_kept(SeenCase((), replace(ECHO, lives=1.2)), call, "here").ok is True


def test_a_close_behind_our_own_reset_is_not_judged() -> None:
    call = seen_call(
        Script((Announce(), Close())), end=ConnectionEnd("peer", "fin", 1.0, None, answered_with_reset=True)
    )
    assert list(closes_within(call, 1.0, 0.0)) == []


def test_a_hangup_behind_our_close_is_not_the_servers_end() -> None:
    call = seen_call(
        Script((Announce(), Close())),
        received=[(2.0, encode(Kind.HANGUP))],
        end=ConnectionEnd("peer", "fin", 1.0, 2.0),
    )
    assert ended_by_server(call) is None
    assert not said_goodbye(call)


def test_of_a_server_of_which_nothing_is_known_the_connection_has_to_stay() -> None:
    assert (True, "keeps the connection after the UUID") in said(judged("HS-01", Features()))
    assert (True, "goes on sending after the UUID") in said(judged("HS-01", Features(sends_always=True)))


def test_little_endian_lengths_are_called_so() -> None:
    frame = bytes.fromhex("104001") + b"\x00\x20" * 160
    received = [(n * 0.02, frame) for n in range(40)]
    (said_so,) = [one for one in judged("HS-14", received=received) if one.ok is False]
    assert said_so.says.startswith("sends its lengths big-endian, but 10 40 01 | 00 20")
    assert judged("AO-04", received=received) == []


def test_big_endian_lengths_are_not() -> None:
    for size in (160, 320, 514, 640, 960):  # 514 is 02 02, the same from both sides
        frames = encode(Kind.SLIN8, b"\x10" * size)
        assert all(one.ok for one in judged("HS-14", received=[(n * 0.02, frames) for n in range(40)]))


def test_an_end_inside_a_message_is_named() -> None:
    (cut_off,) = judged("TD-04", received=[(0.1, LOUD), (0.2, LOUD[:103])], end=server_fin(0.2))
    assert (cut_off.ok, cut_off.says.partition(", but ")[2]) == (
        False,
        "the connection ended with a FIN inside a message: 10 01 40 | 00 20 00 20 00 20 00 20 …, 100 of 320 bytes",
    )


def test_another_kind_in_place_of_a_goodbye_is_named() -> None:
    received = [(0.1, LOUD), (0.2, b"\xff\0\0")]
    (no_goodbye,) = judged("TD-04", received=received, end=server_fin(0.2))
    assert (no_goodbye.ok, no_goodbye.says) == (
        False,
        "sends 00 00 00 before it closes, but sent ff 00 00 and a FIN instead",
    )


def test_swapped_bytes_are_known_by_what_they_would_be_the_other_way_round() -> None:
    smooth = CallerSounds().sound("words", 8000, 0, 8000)
    swapped = samples_of(smooth).byteswap().tobytes()
    noise = line_noise(8000, 5)
    assert [is_byte_swapped(sound) for sound in (smooth, swapped, noise, swapped[:1000])] == [False, True, False, False]
