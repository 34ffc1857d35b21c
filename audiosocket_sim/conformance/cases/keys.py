"""DT: keys. What a server makes of 0x03, whether it does anything with it or not."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from audiosocket_core.messages import Kind, encode
from audiosocket_sim.conformance.case import Case, Judge, SeenCase, Statement
from audiosocket_sim.conformance.cases.in_step import QUIET, audio, call_with, stays_in_step
from audiosocket_sim.conformance.exact_echo import EchoStretch
from audiosocket_sim.conformance.heard import is_sound
from audiosocket_sim.conformance.judging import (
    MAY_HINDER_SECONDS,
    connects,
    ended_by_server,
    hex_of,
    is_kept,
    serves_still,
)
from audiosocket_sim.conformance.line_noise import line_noise
from audiosocket_sim.conformance.script import (
    Announce,
    Pause,
    Script,
    Send,
    SendPaced,
    SendSound,
    SignOfLife,
    WaitForQuiet,
    WaitForSound,
)
from audiosocket_sim.conformance.seen_call import SeenCall, messages_in

__all__ = ["CASES"]

_KEYS = "1234567890*#ABCD"
_SOME_KEYS = "70*#D"
_SINCE = "20.14, 21.9, 22.4, 23.0"
_BETWEEN = line_noise(640, 61)
_AFTER_HOLE = line_noise(640, 62)
_IN_PIECES = line_noise(960, 63)


def _key(digit: str) -> bytes:
    return encode(Kind.DTMF, digit.encode("ascii"))


def _sends_no_key(call: SeenCall) -> Iterator[Statement]:
    key = next((message for message in call.messages if message.kind == Kind.DTMF), None)
    if call.messages:
        says = "sends no key back" + ("" if key is None else f", but sent {hex_of(key)}")
        yield Statement(key is None, says, at=None if key is None else key.began)


def _in_step(what: str, *stretches: EchoStretch) -> Judge:
    """As `stays_in_step`; and no key is sent back, for which Asterisk hangs up the caller.

    A server that plays a sound for a key may do so between the caller's packets, over them, or instead of them.
    One that takes a key for the end of the call may end it with 00 00 00.
    """
    stays = stays_in_step(what, *stretches)
    packets = [replace(one, sound=part, covered=True) for one in stretches for part in _packets(one.sound)]
    stays_and_sounds = stays_in_step(what, *packets, covered=True)

    def judge(seen: SeenCase) -> Iterator[Statement]:
        call = seen.call()
        if _hung_up_at_a_key(call):
            yield Statement(True, "ends the call with 00 00 00 at a key", "ending", at=call.hangup_at)
        else:
            yield from stays(seen) if seen.features.takes_keys is False else stays_and_sounds(seen)
        yield from _sends_no_key(call)

    return judge


def _hung_up_at_a_key(call: SeenCall) -> bool:
    """Whether the server said 00 00 00 after the first key."""
    pressed = next((message.began for message in messages_in(call.sent) if message.kind == Kind.DTMF), None)
    return pressed is not None and call.hangup_at is not None and call.hangup_at >= pressed


def _packets(sound: bytes) -> list[bytes]:
    return [sound[at : at + 320] for at in range(0, len(sound), 320)]


def _each_key_sounds(seen: SeenCase) -> Iterator[Statement]:
    """Of a server that plays a sound for each key: one follows each."""
    call = seen.call()
    if call.connected_at is None:
        yield connects(call)
        return
    yield is_kept(seen, call, "after keys")
    ended = ended_by_server(call)
    waits = list(call.actions(WaitForSound))
    for pressed, wait in zip(call.actions(Send), waits, strict=False):
        if ended is not None and ended[0] <= wait.ended:
            return
        assert isinstance(pressed.action, Send)
        digit = pressed.action.data[3:].decode("ascii")
        says = f"plays a sound for the key {digit}, as its role is"
        if wait.met:
            yield Statement(True, says, at=wait.ended)
        else:
            ok = None if seen.late(pressed.began, wait.ended) > MAY_HINDER_SECONDS else False
            yield Statement(ok, f"{says}, but nothing came within {wait.ended - wait.began:.1f} s", at=pressed.began)


def _sounds_for(call: SeenCall, since: float, until: float) -> float:
    """How many seconds of sound it sent in between."""
    return sum(
        len(message.payload) / 16_000
        for message in call.audio
        if message.kind == Kind.SLIN8 and since < (message.ended or 0.0) <= until and is_sound(message.payload)
    )


def _twice_is_two(seen: SeenCase) -> Iterator[Statement]:
    """Of a server that plays a sound for each key: a key pressed twice sounds for longer than one pressed once."""
    call = seen.call()
    if call.connected_at is None:
        yield connects(call)
        return
    yield is_kept(seen, call, "after the same key twice")
    presses = list(call.actions(Send))
    if len(presses) < 3 or ended_by_server(call) is not None:
        return
    once = _sounds_for(call, presses[0].began, presses[1].began)
    twice = _sounds_for(call, presses[1].began, float("inf"))
    if once == 0.0:
        yield Statement(False, "plays a sound for the key 5, as its role is, but none came", at=presses[0].began)
        return
    ok = twice >= once + 0.6 * min(once, 0.1)
    says = "takes a key that is pressed twice as two keys"
    seen_too = "" if ok else f", but its sound lasted {twice:.2f} s, and {once:.2f} s when it was pressed once"
    yield Statement(ok, says + seen_too, at=presses[1].began)


def _while_it_speaks(seen: SeenCase) -> Iterator[Statement]:
    call = seen.call()
    waits = list(call.actions(WaitForSound))
    if call.connected_at is not None and not any(wait.met for wait in waits):
        return
    if _hung_up_at_a_key(call):
        yield Statement(True, "ends the call with 00 00 00 at a key", "ending", at=call.hangup_at)
    else:
        yield from serves_still(seen, call, "after keys that were pressed while it spoke")
    yield from _sends_no_key(call)


def _presses(digits: Sequence[str]) -> Script:
    actions = [action for digit in digits for action in (Send(_key(digit)), WaitForSound(1.0), WaitForQuiet(0.3, 2.0))]
    return Script((Announce(), SendSound(0.3, "silence"), QUIET, *actions))


CASES = (
    Case(
        id="DT-01",
        title="each key",
        level="must",
        peer=f"presses the keys {' '.join(_SOME_KEYS)}, one after the other (--heavy: all sixteen)",
        good="takes each key once, and the right one",
        why="Asterisk sends a key once, when it is released: what is missed is lost",
        section="3.2",
        since=_SINCE,
        needs=("dtmf",),
        judge=_each_key_sounds,
        scripts=(_presses(_SOME_KEYS),),
        heavy=(_presses(_KEYS),),
    ),
    Case(
        id="DT-02",
        title="a key between audio, in one segment",
        level="must",
        peer="sends an audio message, a key and an audio message in one write",
        good="takes all three and stays in step, unless a key means the end of the call: then it says 00 00 00",
        why="a key comes at its place in the stream; one read may hold it and the audio around it",
        section="3.2",
        since=_SINCE,
        prefers="echo",
        judge=_in_step("after a key between audio", EchoStretch("the audio on both sides of a key", _BETWEEN)),
        scripts=(call_with(Send(_key("4").join(audio(_BETWEEN)))),),
    ),
    Case(
        id="DT-03",
        title="a key that is held",
        level="must",
        peer="stops its audio for 600 ms, sends the key, and goes on",
        good="takes the hole for what it is: no end of the call, no time limit",
        why="while a key is down Asterisk sends no audio; 0x03 comes when it is released",
        section="3.2",
        since=_SINCE,
        prefers="echo",
        judge=_in_step("after a key that was held for 600 ms", EchoStretch("the audio after a held key", _AFTER_HOLE)),
        scripts=(call_with(Pause(0.6), Send(_key("6")), SendPaced(audio(_AFTER_HOLE))),),
    ),
    Case(
        id="DT-04",
        title="the same key twice",
        level="must",
        peer="presses 5; then presses 5 twice, 125 ms apart, as close as Asterisk lets keys come",
        good="takes it for two keys",
        why="4411 is a PIN: a server that joins equal keys, or drops one that comes soon, loses digits",
        section="3.2",
        since=_SINCE,
        needs=("dtmf",),
        judge=_twice_is_two,
        scripts=(
            Script(
                (
                    Announce(),
                    SendSound(0.3, "silence"),
                    QUIET,
                    Send(_key("5")),
                    WaitForSound(1.0),
                    WaitForQuiet(0.5, 3.0),
                    Send(_key("5")),
                    Pause(0.125),
                    Send(_key("5")),
                    WaitForSound(1.0),
                    WaitForQuiet(0.6, 4.0),
                )
            ),
        ),
    ),
    Case(
        id="DT-05",
        title="keys of odd form",
        level="should",
        peer="sends 0x03 with no byte, with two, with 'f', with 0x00 and with 0xe9",
        good="ignores them, or reports them as they are, and stays in step",
        why="the byte is whatever the driver of the phone line delivers; it may be no digit",
        section="3.2",
        since=_SINCE,
        prefers="echo",
        judge=_in_step("after keys of odd form"),
        scripts=(
            call_with(
                *[
                    action
                    for payload in (b"", b"12", b"f", b"\x00", b"\xe9")
                    for action in (Send(encode(Kind.DTMF, payload)), Pause(0.1))
                ]
            ),
        ),
    ),
    Case(
        id="DT-06",
        title="a key right after the UUID",
        level="should",
        peer="sends the UUID, and a key before any audio",
        good="takes it and serves the call",
        why="an impatient caller presses a key before the bot has spoken",
        section="3.2",
        since=_SINCE,
        prefers="echo",
        judge=_in_step("after a key that came first"),
        scripts=(call_with(announce=Announce(then=_key("1"))),),
    ),
    Case(
        id="DT-07",
        title="keys, to a server that has no use for them",
        level="must",
        peer="sends 5 three times, 350 ms apart, while its audio goes on",
        good="takes them, or skips them by their length, and stays in step; it may end the call with 00 00 00 at a key",
        why="any caller can press a key: a server that knows no 0x03 ends the call, or is out of step from there on",
        section="3.2",
        since=_SINCE,
        prefers="echo",
        judge=_in_step("after keys", EchoStretch("the audio between keys", line_noise(1920, 64))),
        scripts=(
            call_with(
                *[
                    action
                    for part in range(3)
                    for action in (
                        SendPaced(audio(line_noise(1920, 64)[640 * part : 640 * (part + 1)])),
                        Pause(0.31),
                        Send(_key("5")),
                    )
                ]
            ),
        ),
    ),
    Case(
        id="DT-08",
        title="a key in pieces",
        level="must",
        peer="sends keys cut after 1, 2 and 3 bytes of 4, 30 ms apart, with audio behind each",
        good="puts the pieces together and stays in step",
        why="TCP may cut the shortest message too; a server that reads a key in one go is out of step",
        section="1.1",
        since=_SINCE,
        prefers="echo",
        judge=_in_step("after keys in pieces", EchoStretch("the audio behind keys in pieces", _IN_PIECES)),
        scripts=(
            call_with(
                *[
                    Send(_key("8") + message, (at,), 0.03)
                    for at, message in zip((1, 2, 3), audio(_IN_PIECES), strict=True)
                ]
            ),
        ),
    ),
    Case(
        id="DT-09",
        title="keys while the server speaks",
        level="should",
        peer="presses keys while the server speaks, by itself or after a sentence of the caller's",
        good="keeps the call and serves it afterwards",
        why="whoever knows the menu does not wait for its end",
        section="3.2",
        since=_SINCE,
        judge=_while_it_speaks,
        unseen="the server did not speak",
        scripts=(
            Script(
                (
                    Announce(),
                    WaitForSound(1.2),
                    Send(_key("5")),
                    SendSound(2.0, "words"),
                    WaitForSound(6.0, silence=True),
                    Send(_key("5")),
                    Pause(0.125),
                    Send(_key("5")),
                    SignOfLife(),
                )
            ),
        ),
    ),
    Case(
        id="DT-10",
        title="sixteen keys in two seconds",
        level="should",
        peer="presses all sixteen keys, 125 ms apart, without audio in between",
        good="keeps the call, or ends it with 00 00 00 if a key means that, and stays in step",
        why="a phone that dials a stored card number sends its digits as fast as Asterisk lets them come",
        section="3.2",
        since=_SINCE,
        prefers="echo",
        judge=_in_step("after sixteen keys"),
        scripts=(call_with(SendPaced(tuple(map(_key, _KEYS)), 0.125)),),
    ),
)
