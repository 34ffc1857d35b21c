"""RB: many calls, floods, and peers that do not read. No call loses anything by another one."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from audiosocket_core.messages import Kind, encode
from audiosocket_sim.conformance.case import Case, SeenCase, Statement
from audiosocket_sim.conformance.cases.good_call import GOOD, NEXT, all_close, good_call, loses_nothing
from audiosocket_sim.conformance.heard import likeness
from audiosocket_sim.conformance.judging import MAY_HINDER_SECONDS, connects, is_kept, within
from audiosocket_sim.conformance.script import (
    Announce,
    Close,
    Pause,
    ReadAgain,
    Script,
    SendPaced,
    SendSound,
    StopReading,
)
from audiosocket_sim.conformance.seen_call import SeenCall

__all__ = ["CASES"]

_ACCEPT_SECONDS = 1.0
_LIKE = 0.7
_CYCLES, _CYCLES_HEAVY = 20, 250
_ROUNDS = 4
_CALLS, _CALLS_HEAVY = 40, 200
_LEAST_LEFT = 0.4
"""Of the cycles of a round: so many descriptors or threads more after each round are no chance."""
_MEMORY_A_CALL = 200_000
_FLOOD_SECONDS = 1.5


# --- many calls


def _own_sound(n: int) -> tuple[bytes, ...]:
    """Ten packets of noise that only this call sends, quiet enough to be no speech."""
    noise = np.random.default_rng(n).integers(-300, 300, 1600).astype("<i2").tobytes()
    return tuple([encode(Kind.SLIN8, noise[place : place + 320]) for place in range(0, len(noise), 320)])


def _many_calls(count: int, seconds: float) -> tuple[Script, ...]:
    """So many calls, begun within a second."""
    rounds = round(seconds / 0.2)
    return tuple(
        Script((Announce(), SendPaced(_own_sound(n) * rounds)), name=f"call {n + 1}", starts=n / count)
        for n in range(count)
    )


def _each_gets_its_own(seen: SeenCase) -> Iterator[Statement]:
    """Each is served, or refused in order at once; of a server that echoes: with its own sound."""
    served = [call for call in seen.calls if is_kept(seen, call, "").ok]
    for call in seen.calls:
        if call.connected_at is None:
            yield connects(call)
            return
        if call.end.by == "server" and call.end.how == "reset":
            says = "serves each call, or refuses it in order, but closed one with a reset"
            yield Statement(False, says, "ending", call.script.name, call.end.at)
            return
    refused = len(seen.calls) - len(served)
    yield Statement(bool(served), f"takes {len(seen.calls)} calls within a second, and serves {len(served)} of them")
    if refused:
        yield Statement(True, f"refuses in order the {refused} that it does not serve", "ending")
    if seen.features.echoes:
        yield _not_mixed(served)
    elif seen.features.sends_always:
        mute = next((call for call in served if not call.received), None)
        if mute is None:
            yield Statement(True, "sends in each of them")
        else:
            late = seen.late(mute.connected_at or 0.0, mute.end.at)
            says = "sends in each of them, but one got no byte in its whole time"
            yield Statement(
                None if late > MAY_HINDER_SECONDS else False, says, call=mute.script.name, at=mute.connected_at
            )


def _not_mixed(served: list[SeenCall]) -> Statement:
    for call, other in zip(served, served[1:] + served[:1], strict=True):
        heard = b"".join(message.payload for message in call.audio if message.kind == Kind.SLIN8)
        own, others = (likeness(_sound_of(one), heard) for one in (call, other))
        if own < _LIKE or (others > own and call is not other):
            name = call.script.name
            what = f"that of {other.script.name}" if others > own else "nothing like it"
            return Statement(False, f"sends each caller his own sound back, but {name} got {what}", call=name)
    return Statement(True, "sends each caller his own sound back")


def _sound_of(call: SeenCall) -> bytes:
    sent = [chunk.data[3:] for chunk in call.sent if chunk.data[0] == Kind.SLIN8]
    return b"".join(sent[:10])


# --- connect and close, again and again


def _cycles(count: int, round_seconds: float) -> tuple[Script, ...]:
    short = (Announce(), SendSound(0.06, "silence"), Close())
    return tuple(
        Script(short, name=f"call {r * count + n + 1}", starts=r * round_seconds + n * 0.6 / count)
        for r in range(_ROUNDS)
        for n in range(count)
    )


def _nothing_grows(seen: SeenCase) -> Iterator[Statement]:
    refused = next((call for call in seen.calls if call.connected_at is None), None)
    yield connects(refused or seen.calls[-1])
    yield from all_close(seen)
    looks = seen.looks
    if len(looks) < _ROUNDS:
        return
    cycles = len(seen.calls) // _ROUNDS
    for what, unit, held, least in (
        ("descriptors", 1, [look.descriptors for look in looks], _LEAST_LEFT * cycles),
        ("threads", 1, [look.threads for look in looks], _LEAST_LEFT * cycles),
        ("MB of memory", 1_000_000, [look.memory for look in looks], _MEMORY_A_CALL * cycles),
    ):
        grew = min(after - before for before, after in pairwise(held)) >= least
        says = f"holds no more {what} after each round of {cycles} calls"
        course = ", ".join(f"{value / unit:.0f}" for value in held)
        yield Statement(not grew, says + (f", but held {course}" if grew else ""))


# --- one call slows, or floods; others lose nothing


def _slow_readers(seen: SeenCase) -> Iterator[Statement]:
    for call in seen.calls:
        if call.script.name.startswith("the good"):
            yield from loses_nothing(seen, call, "beside calls that do not read", 1.0, 9.0)


def _beside_a_flood(seen: SeenCase) -> Iterator[Statement]:
    yield from loses_nothing(seen, seen.call(GOOD), "beside a flood", 1.0, 1.0 + _FLOOD_SECONDS)


def _flood(*messages: bytes, times: int = 1, seconds: float = _FLOOD_SECONDS) -> tuple[Script, ...]:
    """A call that sends 200 messages each 20 ms, or more, and a good one beside it."""
    chunk = b"".join(messages) * (200 * times // len(messages))
    flood = SendPaced((chunk,) * round(seconds / 0.02))
    return Script((Announce(), Pause(1.0), flood, Close()), name="the flood"), good_call(seconds + 1.5, sparing=True)


def _takes_calls_while_busy(seen: SeenCase) -> Iterator[Statement]:
    """How long the first message of a call takes, while ten others last, and without them."""
    first, busy = seen.calls[0], seen.call(NEXT)
    yield connects(busy)
    if busy.connected_at is None or not first.received:
        return
    usual = first.received[0].at - (first.announced_at or 0.0)
    begun = busy.announced_at or 0.0
    says = f"begins to send in a new call within {_ACCEPT_SECONDS:g} s of its usual time while ten others last"
    if not busy.received:
        if busy.end.by != "server":
            yield Statement(False, f"{says}, but sent nothing", call=NEXT, at=begun)
        return
    took = busy.received[0].at - begun
    ok = within(took - usual, _ACCEPT_SECONDS, seen.late(begun, busy.received[0].at))
    yield Statement(ok, says + ("" if ok else f", but took {took:.2f} s instead of {usual:.2f} s"), call=NEXT, at=begun)


def _takes_all(seen: SeenCase) -> Iterator[Statement]:
    call = seen.call("the full call")
    yield connects(call)
    sent = sum(len(chunk.data) for chunk in call.sent)
    if call.end.by == "server":
        return
    left = call.unsent
    says = f"reads all of {sent / 1e6:.0f} MB of sound, whatever it makes of it"
    yield Statement(left == 0, says + (f", but left {left / 1e6:.1f} MB unread" if left else ""))


CASES = (
    Case(
        id="RB-01",
        title="more sound than it can use",
        level="must",
        peer="sends four minutes of sound within three seconds",
        good="reads it all: what it cannot use, it drops",
        why="Asterisk never waits: a server that reads no more for minutes loses the call inside a message",
        section="3.6",
        only_heavy=True,
        judge=_takes_all,
        scripts=(
            Script(
                (Announce(), SendPaced((encode(Kind.SLIN8, bytes(320)) * 80,) * 150), Pause(6.0)), name="the full call"
            ),
        ),
    ),
    Case(
        id="RB-02",
        title="a peer that vanishes",
        level="should",
        peer="is gone without a FIN: its machine is off, or the network is",
        good="notices by its own unacknowledged data, or by a longest time for a call",
        why="nothing comes from a machine that is off, nor from a caller who is silent: the second one must be kept",
        section="3.4",
        cannot="only a network that loses packets can show it: limit unacknowledged data (TCP_USER_TIMEOUT)",
        judge=lambda seen: (),
    ),
    Case(
        id="RB-04",
        title="many calls at once",
        level="must",
        peer=f"makes {_CALLS} calls within a second (with --heavy {_CALLS_HEAVY}), each with a sound of its own",
        good="serves each with its own sound, or refuses in order those that it does not serve",
        why="an office calls at nine o'clock; what two calls share by mistake shows when there are many",
        section="2.1",
        alone=True,
        two_at_once=True,
        judge=_each_gets_its_own,
        scripts=_many_calls(_CALLS, 1.6),
        heavy=_many_calls(_CALLS_HEAVY, 6.0),
    ),
    Case(
        id="RB-05",
        title="connect and close, again and again",
        level="must",
        peer=f"makes {_ROUNDS} rounds of {_CYCLES} short calls (with --heavy of {_CYCLES_HEAVY})",
        good="holds no more descriptors, threads and memory after each round",
        why="what each call leaves behind ends a server after a few days, when it may open no more sockets",
        section="3.4",
        alone=True,
        two_at_once=True,
        looks_at=(2.3, 4.7, 7.1, 9.5),
        judge=_nothing_grows,
        scripts=(*_cycles(_CYCLES, 2.4),),
        heavy=(*_cycles(_CYCLES_HEAVY, 2.4),),
    ),
    Case(
        id="RB-06",
        title="slow readers among good calls",
        level="must",
        peer="has three calls in which it reads nothing for 9 s, its kernel neither, and two good ones",
        good="loses nothing of the good ones",
        why="one caller's bad network must not stop the loop that sends to all",
        section="3.6",
        two_at_once=True,
        only_real="the network in memory takes all that is sent within minutes",
        judge=_slow_readers,
        scripts=(
            *[
                Script(
                    (Announce(), StopReading(), SendSound(9.0, "silence"), ReadAgain(), Pause(0.5)),
                    name=f"the slow call {n}",
                    narrow=True,
                )
                for n in (1, 2, 3)
            ],
            good_call(10.0, sparing=True),
            good_call(10.0, name="the good call 2", sparing=True),
        ),
    ),
    Case(
        id="RB-09",
        title="a new call while ten others last",
        level="should",
        peer="has ten calls, and makes another one",
        good="takes it as soon as any",
        why="a caller who hears nothing for a second thinks that the line is dead; after two seconds Asterisk gives up",
        section="2.1",
        needs=("speaks_first|sends_always",),
        two_at_once=True,
        judge=_takes_calls_while_busy,
        scripts=(
            good_call(7.0, name="call 1", sparing=True),
            *[good_call(4.0, name=f"call {n}", starts=3.0, sparing=True) for n in range(2, 11)],
            good_call(3.5, name=NEXT, starts=4.5, sparing=True),
        ),
    ),
    Case(
        id="RB-14",
        title="a flood of keys",
        level="should",
        peer="sends 10,000 key messages a second in one call (with --heavy 100,000), and has a good call beside it",
        good="loses nothing of the good call",
        why="each message costs a server more than a byte costs the peer; one broken peer then takes all calls with it",
        section="3.2",
        alone=True,
        two_at_once=True,
        judge=_beside_a_flood,
        scripts=_flood(encode(Kind.DTMF, b"5")),
        heavy=_flood(encode(Kind.DTMF, b"5"), times=10, seconds=3.0),
    ),
    Case(
        id="RB-15",
        title="a flood of tiny audio",
        level="should",
        peer="sends 10,000 messages a second of one sample (with --heavy 100,000), and has a good call beside it",
        good="loses nothing of the good call",
        why="Asterisk sends what it gets: in an echo test messages of one byte came back as they were",
        section="1.4",
        alone=True,
        two_at_once=True,
        judge=_beside_a_flood,
        scripts=_flood(encode(Kind.SLIN8, b"\0\0")),
        heavy=_flood(encode(Kind.SLIN8, b"\0\0"), times=10, seconds=3.0),
    ),
    Case(
        id="RB-16",
        title="a flood of kinds in turn",
        level="should",
        peer="changes the audio kind 10,000 times a second (with --heavy 100,000), and has a good call beside it",
        good="loses nothing of the good call",
        why="a resampler that is made anew for each change costs a server thousands of times what the message does",
        section="4.3",
        alone=True,
        two_at_once=True,
        judge=_beside_a_flood,
        scripts=_flood(encode(Kind.SLIN12, b"\0\0"), encode(Kind.SLIN192, b"\0\0")),
        heavy=_flood(encode(Kind.SLIN12, b"\0\0"), encode(Kind.SLIN192, b"\0\0"), times=10, seconds=3.0),
    ),
)
