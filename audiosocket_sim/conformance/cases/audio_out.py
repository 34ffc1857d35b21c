"""AO: audio out. What a server sends while it has nothing to say, and after a time in which it could not."""

from collections.abc import Iterator
from itertools import pairwise
from operator import itemgetter

from audiosocket_sim.conformance.case import Case, SeenCase, Statement
from audiosocket_sim.conformance.cases.audio_out_pace import of_pace
from audiosocket_sim.conformance.heard import is_byte_swapped, is_sound
from audiosocket_sim.conformance.judging import ended_by_server, hex_of, serves_still, within
from audiosocket_sim.conformance.pace import seconds_in, stretches_of
from audiosocket_sim.conformance.script import (
    Announce,
    Pause,
    ReadAgain,
    Script,
    SendSound,
    SignOfLife,
    Starve,
    StopReading,
)
from audiosocket_sim.conformance.seen_call import Done, SeenCall

__all__ = ["CASES"]

AHEAD_SECONDS = 0.2
QUIET_SECONDS = 2.0
FIRST_MESSAGE_SECONDS = 0.5
BARGE_IN_SECONDS = 1.0

# --- what it sends while it has nothing to say


def _gaps(seen: SeenCase, call: SeenCall, since: float, until: float) -> Statement:
    ended = ended_by_server(call)
    until = until if ended is None else min(until, ended[0])
    times = [since, *(m.ended for m in call.messages if m.ended is not None and since < m.ended < until), until]
    at, gap = max(((one, two - one) for one, two in pairwise(times)), key=itemgetter(1))
    says = f"sends a message at least every {QUIET_SECONDS:g} s"
    ok = within(gap, QUIET_SECONDS, seen.delays.densest(at, at + gap + 0.2))
    n = len(times) - 2
    but = "" if ok else f", but {'none came' if n == 0 else 'nothing more came'} for {gap:.2f} s"
    return Statement(ok, says + but, at=at)


def _never_leaves_it_quiet(seen: SeenCase) -> Iterator[Statement]:
    call = seen.call()
    announced = call.announced_at
    pause = next(call.actions(Pause), None)
    if announced is not None and pause is not None and _lasted(call, announced + QUIET_SECONDS):
        yield _gaps(seen, call, announced, pause.ended)


def _fills_the_time_between(seen: SeenCase) -> Iterator[Statement]:
    call = seen.call()
    pause = next(call.actions(Pause), None)
    if pause is None or not _lasted(call, pause.began + QUIET_SECONDS) or not call.audio:
        return
    yield _gaps(seen, call, pause.began, pause.ended)
    between = (message for message in call.audio if pause.began <= message.began <= pause.ended)
    empty = next((message for message in between if message.length == 0), None)
    if empty is not None:
        yield Statement(False, f"fills it with audio, but sent {hex_of(empty)}", at=empty.ended)


def _lasted(call: SeenCall, until: float) -> bool:
    ended = ended_by_server(call)
    return call.connected_at is not None and (ended is None or ended[0] >= until)


def _begins_at_once(seen: SeenCase) -> Iterator[Statement]:
    call = seen.call()
    if call.announced_at is None:
        return
    first = next((message for message in call.messages if message.ended is not None), None)
    says = f"sends its first message within {FIRST_MESSAGE_SECONDS * 1000:.0f} ms after the UUID"
    if first is None:
        yield Statement(False, f"{says}, but sent none while the caller sent nothing", at=call.announced_at)
        return
    took = (first.ended or 0.0) - call.announced_at
    ok = within(took, FIRST_MESSAGE_SECONDS, seen.late(call.announced_at, first.ended or 0.0))
    yield Statement(ok, says if ok else f"{says}, but it came after {took:.2f} s", at=first.ended)


# --- a slow reader, a server that stood still, a caller who interrupts


def _survives_a_slow_reader(seen: SeenCase) -> Iterator[Statement]:
    call = seen.call()
    again = next(call.actions(ReadAgain), None)
    if ended_by_server(call) is not None and seen.features.lives is not None:
        return  # how, cannot be told: what it said before it closed was not read
    yield from serves_still(seen, call, "after 5 s in which nobody read")
    if again is not None and call.audio:
        stopped = next((done.began for done in call.actions(StopReading)), again.began)
        yield from _no_burst(seen, call, again, "after the peer reads again", owed=again.ended - stopped)


def _no_burst(seen: SeenCase, call: SeenCall, since: Done, what: str, owed: float) -> Iterator[Statement]:
    """No more sound than real time had room for, what it owed included. An echo has our pace."""
    if seen.features.echoes:
        return
    sound = sum(seconds_in(message) for message in call.audio if (message.ended or 0.0) >= since.began)
    last = max((message.ended or 0.0 for message in call.audio), default=since.ended)
    room = max(0.0, last - since.ended) + owed + AHEAD_SECONDS + 0.1
    late = seen.late(since.began, last)
    ok = within(sound, room, late)
    but = "" if ok else f", but sent {sound:.2f} s of sound where {room:.2f} s would be in time"
    yield Statement(ok, f"does not burst {what}{but}", at=since.ended)


def _catches_up_gently(seen: SeenCase) -> Iterator[Statement]:
    call = seen.call()
    starved = next(call.actions(Starve), None)
    if starved is None or not starved.met or seen.features.echoes:
        return
    after = [message for message in call.audio if (message.ended or 0.0) >= starved.ended - 0.001]
    if not after:
        return
    stretch = stretches_of(after)[0]
    at, ahead = stretch.worst
    late = max(0.0, seen.late(starved.began, at) - 0.3)
    ok = within(ahead, AHEAD_SECONDS, late)
    but = "" if ok else f", but was {ahead * 1000:.0f} ms ahead then"
    yield Statement(ok, f"catches up with at most {AHEAD_SECONDS * 1000:.0f} ms at once{but}", at=at)


def _can_be_interrupted(seen: SeenCase) -> Iterator[Statement]:
    listened, interrupted = seen.call("a caller who listens"), seen.call("a caller who interrupts")
    words = next((d for d in interrupted.actions(SendSound) if d.action == _WORDS), None)
    heard = next(interrupted.actions(SendSound), None)
    began = next((m.ended for m in listened.audio if is_sound(m.payload)), None)
    if words is None or heard is None or not heard.met or began is None:
        return
    onset = next((c.at for c in interrupted.sent if c.at >= words.began and is_sound(c.data[3:])), words.began)
    offset = onset - (next(m.ended for m in interrupted.audio if is_sound(m.payload)) or 0.0)
    if _sound_ends(listened, began) < began + offset + BARGE_IN_SECONDS + 0.5:
        return  # what it says is too short
    went_on = _sound_ends(interrupted, onset) - onset
    late = seen.late(onset, onset + BARGE_IN_SECONDS + 0.5)
    ok = within(went_on, BARGE_IN_SECONDS, late)
    but = "" if ok else f", but spoke on for {went_on:.2f} s"
    says = f"stops within {BARGE_IN_SECONDS:g} s after the caller has begun to speak{but}"
    yield Statement(ok, says, call=interrupted.script.name, at=onset)


def _sound_ends(call: SeenCall, since: float) -> float:
    """Return when the sound that was on at `since` ended: silence of 0.4 s, in messages or as none, ends it."""
    last = since
    for message in call.audio:
        at = message.ended or 0.0
        if at < since or not is_sound(message.payload):
            continue
        if at > last + 0.4:
            break
        last = at
    return last


_WORDS = SendSound(2.5, "words")


def _has_its_bytes_in_order(seen: SeenCase) -> Iterator[Statement]:
    loud = [message for message in seen.call().audio if is_sound(message.payload)]
    if not loud:
        return
    wrong = is_byte_swapped(b"".join(message.payload for message in loud))
    but = (
        f", but it is noise, and a smooth sound with the bytes of each sample swapped: {hex_of(loud[0])}"
        if wrong
        else ""
    )
    yield Statement(not wrong, f"sends its samples with the low byte first{but}", at=loud[0].ended)


CASES = (
    Case(
        id="AO-06",
        title="a caller who is quiet from the start",
        level="must",
        peer="sends nothing after the UUID, as for a caller whose phone sends no packets",
        good="sends a message, be it silence, at least every 2 s, better every 20 ms",
        why="since 20.14 AudioSocket() hangs the caller up when nothing comes from either side for 2 s",
        section="4.3",
        since="20.14, 21.9, 22.4",
        judge=_never_leaves_it_quiet,
        scripts=(Script((Announce(), Pause(5.0))),),
        unseen="the server ended the call before 2 s were over",
    ),
    Case(
        id="AO-07",
        title="the server begins",
        level="should",
        peer="sends nothing after the UUID for 0.8 s",
        good="sends its first message within 500 ms, without waiting for audio",
        why="asterisk/asterisk #2089: since 20.17 no caller audio may come until the server has sent a byte",
        section="7",
        since="20.17, 22.7, 23.1",
        judge=_begins_at_once,
        scripts=(Script((Announce(), Pause(0.8))),),
        alone=True,
    ),
    Case(
        id="AO-08",
        title="the server stood still for 300 ms",
        level="should",
        peer="listens while the server gets no processor for 300 ms",
        good="catches up with at most 200 ms at once",
        why="all of a burst goes to the phone at once, whose jitter buffer drops what does not fit",
        section="4.4",
        judge=_catches_up_gently,
        scripts=(Script((Announce(), SendSound(0.8, "silence"), Starve(0.3), SendSound(1.5, "silence"))),),
        unseen="it sent nothing of its own then; on the real clock nobody takes the processor from a server",
    ),
    Case(
        id="AO-09",
        title="a peer that does not read for 5 s",
        level="must",
        peer="leaves what the server sends in the kernel for 5 s, then reads it all",
        good="keeps the call and its pace, and does not catch up in a burst",
        why="Asterisk stands still while its machine is busy; what a server piled up meanwhile bursts to the phone",
        section="3.5",
        judge=_survives_a_slow_reader,
        scripts=(
            Script(
                (
                    Announce(),
                    SendSound(0.8, "silence"),
                    StopReading(),
                    SendSound(5.0, "silence"),
                    ReadAgain(),
                    SendSound(0.5, "silence"),
                    SignOfLife(),
                )
            ),
        ),
    ),
    Case(
        id="AO-11",
        title="a caller who interrupts",
        level="should",
        peer="speaks while the greeting plays; a second caller hears it to its end",
        good="stops speaking within a second",
        why="Asterisk cannot take back what it was sent: barge-in works only if the server stops",
        section="4.4",
        judge=_can_be_interrupted,
        scripts=(
            Script((Announce(), SendSound(7.0, "silence")), name="a caller who listens"),
            Script(
                (Announce(), SendSound(4.0, "silence", until_sound=True), _WORDS, SendSound(0.5, "silence")),
                name="a caller who interrupts",
            ),
        ),
        needs=("speaks_first", "answers", "barge_in"),
        two_at_once=True,
        unseen="its greeting is too short to be interrupted",
    ),
    Case(
        id="AO-14",
        title="quiet after an answer",
        level="must",
        peer="says a sentence, hears the answer, then sends nothing for 3.2 s, as a muted phone does",
        good="sends silence, or at least a message every 2 s, while it waits for the caller",
        why="since 20.14 AudioSocket() hangs the caller up when nothing comes from either side for 2 s",
        section="4.3",
        since="20.14, 21.9, 22.4",
        judge=_fills_the_time_between,
        scripts=(
            Script(
                (
                    Announce(),
                    SendSound(0.6, "silence"),
                    SendSound(2.0, "words"),
                    SendSound(4.0, "silence", until_sound=True),
                    SendSound(1.5, "silence"),
                    Pause(3.2),
                )
            ),
        ),
        unseen="it sent no sound, or ended the call before",
    ),
    of_pace(
        "AO-18",
        "the byte order of samples",
        "must",
        "sends the low byte of each sample first, though the length in the header has its high byte first",
        "Asterisk takes the samples as its host has them: with the bytes swapped the caller hears loud noise",
        "1.4",
        _has_its_bytes_in_order,
        unseen="it sent no sound that is no silence",
    ),
)
"""What it sends while it has nothing to say, and after a time in which it could not."""
