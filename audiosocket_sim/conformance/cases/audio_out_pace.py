"""AO, from one recording: the pace of what a server sends, the pieces that it comes in, and its sizes."""

from collections.abc import Iterator

from audiosocket_core.messages import Kind
from audiosocket_sim.conformance.case import Case, Judge, Level, SeenCase, Statement
from audiosocket_sim.conformance.heard import is_sound
from audiosocket_sim.conformance.judging import hex_of, lengths_are_reversed, within
from audiosocket_sim.conformance.pace import holes_in, splits_in, stretches_of
from audiosocket_sim.conformance.script import (
    Announce,
    Script,
    SendSound,
)
from audiosocket_sim.conformance.seen_call import SeenCall, SeenMessage

__all__ = ["CASES", "of_pace"]

AHEAD_SECONDS = 0.2
DRIFT_SHARE, DRIFT_SECONDS = 0.005, (0.05, 0.1)
"""The drift that is allowed: a share of the time, but at least and at most so much."""
PAYLOAD_GAP_SECONDS = 0.005
STALL_SECONDS = (0.03, 0.052)
"""How long a message waits for a delayed acknowledgement of Linux: 40 ms."""
LONGEST_SAMPLES = 8_096
_SETTLES = 0.5
_FEW = 3
"""So many splits, holes or stalls are needed before a server is blamed: one may be chance."""
_SENT_AGAIN_SHARE = 0.1
"""Of so many messages there may be a piece too many because TCP sent it again (a loss probe behind several at once)."""
_LONG_ENOUGH = 4.0
_NO_AUDIO = "it sent no sound that could be judged"


# --- pace, pieces and sizes: all from one recording


def _keeps_pace(seen: SeenCase) -> Iterator[Statement]:
    for stretch in stretches_of(seen.call().audio):
        at, ahead = stretch.worst
        late = seen.late(stretch.began - 1.0, at)
        ok = within(ahead, AHEAD_SECONDS, late)
        but = "" if ok else f", but was {ahead * 1000:.0f} ms ahead {at - stretch.began:.2f} s after this sound began"
        yield Statement(ok, f"is at most {AHEAD_SECONDS * 1000:.0f} ms ahead of the clock{but}", at=at)


def _does_not_drift(seen: SeenCase) -> Iterator[Statement]:
    if seen.features.echoes:  # its clock is ours
        return
    for stretch in stretches_of(seen.call().audio):
        sent, elapsed = stretch.drift(_SETTLES)
        if (
            stretch.ended - stretch.began < _LONG_ENOUGH + _SETTLES or stretch.worst[1] > AHEAD_SECONDS
        ):  # AO-01 has said it
            continue
        drift = sent - elapsed
        limit = min(DRIFT_SECONDS[1], max(DRIFT_SECONDS[0], DRIFT_SHARE * elapsed))
        late = seen.late(stretch.began, stretch.ended)
        ok = within(abs(drift), limit, late)
        but = (
            "" if ok else f", but sent {sent:.2f} s, {'ahead' if drift > 0 else 'behind'} by {abs(drift) / elapsed:.1%}"
        )
        says = f"sends {elapsed:.2f} s of sound in {elapsed:.2f} s, give or take {limit * 1000:.0f} ms{but}"
        yield Statement(ok, says, at=stretch.ended)


def _has_no_gap_inside(seen: SeenCase) -> Iterator[Statement]:
    """All messages are one statement; each is judged for itself, so that one that is surely late is not excused."""
    call = seen.call()
    says = f"sends a message within {PAYLOAD_GAP_SECONDS * 1000:.0f} ms after its header"
    if not call.messages:
        return
    worst: tuple[float, SeenMessage] | None = None
    unsure = False
    for message in call.messages:
        gap = message.longest_gap
        if gap <= PAYLOAD_GAP_SECONDS:
            continue
        if within(gap, PAYLOAD_GAP_SECONDS, seen.late(message.began - 0.05, message.ended or message.began)) is None:
            unsure = True
        elif worst is None or gap > worst[0]:
            worst = gap, message
    if worst is not None:
        gap, message = worst
        but = f", but one waited {gap * 1000:.1f} ms inside: {hex_of(message)}"
        yield Statement(False, says + but, at=message.began)
    else:
        yield Statement(None if unsure else True, says)


def _writes_at_once(seen: SeenCase) -> Iterator[Statement]:
    call = seen.call()
    if not call.audio or not any(chunk.pieces is not None for chunk in call.received):
        return
    splits = list(splits_in(call.messages, call.received))
    counted = [split for split in splits if not split.after]
    if len(counted) <= _SENT_AGAIN_SHARE * len(call.messages):
        splits = [split for split in splits if split.after]
    says = "sends each message in one write"
    if len(splits) < _FEW:
        yield Statement(True, says)
        return
    first = splits[0]
    where = f": the first after {first.after} of its bytes" if first.after else ""
    message = call.messages[first.message]
    part = "its header alone" if first.after == 3 else f"in pieces{where}"
    but = f", but {len(splits)} of {len(call.messages)} came in pieces, the first {part}: {hex_of(message)}"
    yield Statement(False, says + but, at=message.began)


def _is_never_empty(seen: SeenCase) -> Iterator[Statement]:
    audio = seen.call().audio
    if not audio:
        return
    empty = next((message for message in audio if message.length == 0), None)
    but = "" if empty is None else f", but sent {hex_of(empty)}"
    yield Statement(empty is None, f"sends no audio message without audio{but}", at=_ended(empty))


def _has_whole_samples(seen: SeenCase) -> Iterator[Statement]:
    audio = seen.call().audio
    if not audio:
        return
    odd = [message for message in audio if message.length % 2]
    but = f", but {len(odd)} of {len(audio)} messages have an odd length: {hex_of(odd[0])}" if odd else ""
    yield Statement(not odd, f"sends whole samples of two bytes{but}", at=odd[0].ended if odd else None)


def _is_not_too_long(seen: SeenCase) -> Iterator[Statement]:
    audio = seen.call().audio
    if not audio:
        return
    long = next((message for message in audio if message.length // 2 > LONGEST_SAMPLES), None)
    but = "" if long is None else f", but sent {long.length // 2:,}: {hex_of(long)}"
    says = f"sends at most {LONGEST_SAMPLES:,} samples in a message{but}"
    yield Statement(long is None, says, at=_ended(long))


def _has_no_holes(seen: SeenCase) -> Iterator[Statement]:
    call = seen.call()
    if not any(is_sound(message.payload) for message in call.audio):
        return
    holes = list(holes_in(call.audio))
    sure = [hole for hole in holes if seen.late(hole.at - 0.5, hole.at + hole.seconds + 0.2) < hole.seconds]
    says = "sends its speech without holes"
    if len(sure) >= _FEW:
        worst = max(sure, key=lambda hole: hole.seconds)
        but = f", but {len(sure)} times nothing came amid loud sound, for up to {worst.seconds * 1000:.0f} ms"
        yield Statement(False, says + but, at=worst.at)
    else:
        yield Statement(None if len(holes) >= _FEW else True, says)


def _does_not_stall(seen: SeenCase) -> Iterator[Statement]:
    """Nagle shows where acknowledgements come late: in pairs, 40 ms apart, of what comes one by one otherwise.

    Linux acknowledges with its own data; where that is due in 20 ms, a message waits for it no longer than for the next
    tick. Between packets of 60 ms its timer of 40 ms comes first. (To a peer that sends nothing it answers at once.)
    """
    call = seen.call()
    spoken = list(call.actions(SendSound))
    slow = next((done for done in spoken if done.action == _SLOW_PACKETS), None)
    if slow is None or slow.ended - slow.began < 1.0:
        return
    with_acks = _stalled(call, spoken[0].began + 0.2, spoken[0].ended)
    without = _stalled(call, slow.began + 0.1, slow.ended)
    if with_acks is None or without is None:
        return
    says = "does not wait for acknowledgements (TCP_NODELAY)"
    if without < 0.3 or with_acks > 0.1:
        yield Statement(True, says)
        return
    but = f", but {without:.0%} of its messages came in twos or more, about 40 ms apart, between packets of 60 ms"
    late = seen.delays.worst(slow.began, slow.ended)
    yield Statement(None if late > STALL_SECONDS[0] else False, says + but, at=slow.began)


def _stalled(call: SeenCall, since: float, until: float) -> float | None:
    """Return which share of the messages came with others of them, after a wait of about 40 ms. None: too few came."""
    audio = [message for message in call.audio if since <= (message.ended or 0.0) <= until]
    if len(audio) < 20:
        return None
    stalled, last = 0, audio[0].ended or 0.0
    at = 0
    while at < len(audio):
        now = audio[at].ended or 0.0
        together = [message for message in audio[at:] if (message.ended or 0.0) < now + 0.002]
        if len(together) > 1 and STALL_SECONDS[0] <= now - last <= STALL_SECONDS[1]:
            stalled += len(together)
        last = now
        at += len(together)
    return stalled / len(audio)


def _sends_nothing_urgent(seen: SeenCase) -> Iterator[Statement]:
    call = seen.call()
    if call.urgent is None or not call.received:
        return
    but = ", but did: the stream had an urgent byte" if call.urgent else ""
    yield Statement(not call.urgent, f"sends no urgent data{but}")


def _stays_at_8_khz(seen: SeenCase) -> Iterator[Statement]:
    audio = seen.call().audio
    if not audio:
        return
    wide = next((message for message in audio if message.kind != Kind.SLIN8), None)
    but = "" if wide is None else f", but sent kind 0x{wide.kind:02x}: {hex_of(wide)}"
    yield Statement(wide is None, f"answers 0x10 with 0x10{but}", at=_ended(wide))


def _ended(message: SeenMessage | None) -> float | None:
    return None if message is None else message.ended


_SLOW_PACKETS = SendSound(2.4, "silence", packet=0.06)
_PACE = (
    Script(
        (
            Announce(),
            SendSound(3.0, "silence"),
            SendSound(2.0, "words"),
            SendSound(3.5, "silence"),
            _SLOW_PACKETS,
        )
    ),
)
_LONG_PACE = (
    Script(
        (
            Announce(),
            *[
                action
                for _ in range(6)
                for action in (SendSound(4.0, "silence"), SendSound(2.0), SendSound(4.0, "silence"))
            ],
            _SLOW_PACKETS,
        )
    ),
)


def _of_a_readable_stream(judge: Judge) -> Judge:
    """Say nothing of a stream in which no message is found where it is: HS-14 says why."""

    def judged(seen: SeenCase) -> Iterator[Statement]:
        if not lengths_are_reversed(seen.call()):
            yield from judge(seen)

    return judged


def of_pace(
    id: str, title: str, level: Level, good: str, why: str, section: str, judge: Judge, unseen: str = _NO_AUDIO
) -> Case:
    """Return a case that is judged from the one call in which pace is measured."""
    return Case(
        id=id,
        title=title,
        level=level,
        peer="listens to the greeting, says a sentence, listens to the answer, at the end with packets of 60 ms",
        good=good,
        why=why,
        section=section,
        judge=_of_a_readable_stream(judge),
        scripts=_PACE,
        heavy=_LONG_PACE,
        alone=True,
        shares="pace",
        unseen=unseen,
    )


CASES = (
    of_pace(
        "AO-01",
        "real-time pace",
        "must",
        "never sends sound more than 200 ms before it is due",
        "Asterisk has no buffer: what comes early goes to the phone at once, whose buffer drops what is too much; "
        "and no barge-in can take it back",
        "4.4",
        _keeps_pace,
    ),
    of_pace(
        "AO-02",
        "no drift",
        "must",
        "sends a second of sound a second: off by less than 0.5 %, and by less than 100 ms",
        "Asterisk inserts nothing and drops nothing: a slow clock is heard as holes, a fast one as a growing delay",
        "4.4",
        _does_not_drift,
        unseen="it sent no 4 s of sound on end at its own pace (an echo has the caller's)",
    ),
    of_pace(
        "AO-03",
        "no gap inside a message",
        "must",
        "sends all of a message within 5 ms after its header",
        "Asterisk waits 5 ms for the rest of a payload and then ends the call; before 20.15 it does not wait at all",
        "4.2",
        _has_no_gap_inside,
    ),
    of_pace(
        "AO-04",
        "one message, one write",
        "must",
        "never writes the header and the payload apart",
        "releases before 20.15 end the call when a message comes in two pieces, later ones when one is 5 ms late",
        "4.2",
        _writes_at_once,
        unseen="this system does not tell in how many segments a stream comes, or no sound came",
    ),
    of_pace(
        "AO-05",
        "no empty audio",
        "must",
        "sends 1 to 65,535 bytes of audio in a message",
        "since 20.14 Asterisk ends the call at an audio message of length 0",
        "4.3",
        _is_never_empty,
    ),
    of_pace(
        "AO-10",
        "whole samples",
        "should",
        "sends an even number of bytes, also in the last message of a sound",
        "Asterisk drops an odd last byte; if the next message goes on with the other half of a sample, it is noise",
        "4.3",
        _has_whole_samples,
    ),
    of_pace(
        "AO-12",
        "no wait for acknowledgements",
        "must",
        "has Nagle's algorithm off (TCP_NODELAY)",
        "with it a message waits up to 40 ms for an acknowledgement, and the phone hears stutter",
        "4.2",
        _does_not_stall,
        unseen="it sent too little of its own accord",
    ),
    of_pace(
        "AO-13",
        "no urgent data",
        "must",
        "sends no urgent data (MSG_OOB)",
        "Asterisk's thread then waits in its header loop, and the channel driver fills the log with warnings",
        "4.3",
        _sends_nothing_urgent,
        unseen="it sent nothing, or the network was the one in memory, which has no urgent data (--real-time)",
    ),
    of_pace(
        "AO-15",
        "8 kHz to a peer of 8 kHz",
        "should",
        "answers kind 0x10 with kind 0x10",
        "releases before 20.17 know no other kind and end the call; later ones resample for a channel of 8 kHz",
        "6",
        _stays_at_8_khz,
    ),
    of_pace(
        "AO-16",
        "no message of over a second",
        "should",
        "sends at most 8,096 samples in a message, better 20 ms",
        "Asterisk's G.711 encoder takes 8,096 samples at most: a longer message is dropped with a warning",
        "4.4",
        _is_not_too_long,
    ),
    of_pace(
        "AO-17",
        "speech without holes",
        "should",
        "sends its next message before the one before has played",
        "Asterisk inserts nothing where sound is missing: the caller hears a stutter",
        "4.4",
        _has_no_holes,
        unseen="it sent no sound that is no silence",
    ),
)
"""All are judged from one recording."""
