"""AI: audio in. What a server makes of the caller's sound: its level, its rate, its holes and bursts."""

import math
import random
from collections.abc import Iterator

import numpy as np

from audiosocket_core.messages import AUDIO_KINDS, RATE_HZ, Kind
from audiosocket_sim.conformance.case import Case, Judge, SeenCase, Statement
from audiosocket_sim.conformance.cases.in_step import PLAIN, QUIET, audio, call_with, stays_in_step
from audiosocket_sim.conformance.exact_echo import EchoStretch, is_exact
from audiosocket_sim.conformance.heard import is_sound, likeness
from audiosocket_sim.conformance.judging import ended_by_server, serves_still, within
from audiosocket_sim.conformance.line_noise import in_messages, line_noise
from audiosocket_sim.conformance.pace import seconds_in
from audiosocket_sim.conformance.script import Announce, Pause, Script, Send, SendPaced, SendSound, SignOfLife
from audiosocket_sim.conformance.seen_call import SeenCall

__all__ = ["CASES"]

_ALIKE = 0.7
_ECHO_DELAY_SECONDS = 1.0
_AFTERWARDS = SendSound(2.0, "silence")
_WIDE = line_noise(10 * 640, 41)
_LATE = line_noise(150 * 320, 42)
_KEPT_OF_IT = 4_000
"""A quarter of a second of 3 s: a server may drop what has waited too long."""
_FAST = line_noise(25 * 640, 43)
_G711 = random.Random(44).randbytes(25 * 160)
_EVERY_KIND = tuple(
    message
    for kind in sorted(AUDIO_KINDS)
    for message in in_messages(line_noise(3 * RATE_HZ[kind] // 25, kind), [RATE_HZ[kind] // 25] * 3, kind)
)


def _without_zeros(wave: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> bytes:
    samples = wave.round().astype("<i2")
    samples[samples == 0] = 1
    sound: bytes = samples.tobytes()
    return sound


_TIMES = np.arange(25 * 160) / 8000
_TONE = _without_zeros(np.sin(2 * math.pi * 437 * _TIMES) * 8_000)
_FULL = _without_zeros(np.where(np.sin(2 * math.pi * 190 * _TIMES) >= 0, 32_767.0, -32_768.0))


def _sounds_the_same(what: str, sound: bytes) -> Judge:
    """To the bit where plain messages come back so; otherwise the same sound at another level, and the right way up."""
    in_step = stays_in_step(f"after {what}", EchoStretch(what, sound))

    def judge(seen: SeenCase) -> Iterator[Statement]:
        call = seen.call()
        yield from in_step(seen)
        if seen.features.echoes and not is_exact(seen, call, PLAIN) and ended_by_server(call) is None:
            back = b"".join(message.payload for message in call.audio if message.kind == Kind.SLIN8)
            like = likeness(sound[800:4000], back)
            but = "" if like > _ALIKE else f", but what came is like it by {max(like, 0.0):.0%} only"
            yield Statement(like > _ALIKE, f"sends {what} back as the same sound{but}")

    return judge


def _in_order_or(judge: Judge, what: str) -> Judge:
    """A server may refuse what it does not know, if it does so in order: by 00 00 00 or a FIN."""

    def either(seen: SeenCase) -> Iterator[Statement]:
        call = seen.call()
        ended = ended_by_server(call)
        if ended is None or seen.features.lives is not None:
            yield from judge(seen)
        elif "reset" in ended[1] or _process_has_ended(seen):
            yield Statement(False, f"takes {what}, or ends the call in order, but {ended[1]}", "ending", at=ended[0])
        else:
            yield Statement(True, f"takes {what}, or ends the call in order", "ending", at=ended[0])

    return either


def _process_has_ended(seen: SeenCase) -> bool:
    return seen.before is not None and seen.after is None


def _right_rate(seen: SeenCase) -> Iterator[Statement]:
    call = seen.call()
    yield from serves_still(seen, call, "after audio of 16 kHz")
    words = next(call.actions(SendSound), None)
    if not seen.features.echoes or words is None or ended_by_server(call) is not None:
        return
    sent = sum(0.02 for chunk in call.sent if words.began <= chunk.at <= words.ended and is_sound(chunk.data[3:]))
    until = words.ended + 1.0
    heard = [m for m in call.audio if is_sound(m.payload) and words.began <= (m.ended or 0.0) <= until]
    back = sum(map(seconds_in, heard))
    if back == 0.0:
        return  # it leaves it out
    ok = back < 1.5 * sent
    but = "" if ok else f", but {sent:.2f} s of sound came back as {back:.2f} s"
    yield Statement(ok, f"takes kind 0x12 for 16 kHz{but}", at=words.began)


def _bounded_delay(seen: SeenCase) -> Iterator[Statement]:
    call = seen.call()
    yield from serves_still(seen, call, "with packets up to 140 ms late")
    words = next(call.actions(SendSound), None)
    if not seen.features.echoes or words is None or ended_by_server(call) is not None:
        return
    last = max((c.at for c in call.sent if c.at <= words.ended and is_sound(c.data[3:])), default=None)
    if last is None:
        return
    back = _last_sound(call, words.ended + _AFTERWARDS.seconds)
    ok = within(back - last, _ECHO_DELAY_SECONDS, seen.late(words.began, back))
    but = "" if ok else f", but the last of it came {back - last:.2f} s later"
    yield Statement(ok, f"sends the sound back within {_ECHO_DELAY_SECONDS:g} s{but}", at=back)


def _last_sound(call: SeenCall, until: float) -> float:
    return max((m.ended or 0.0 for m in call.audio if is_sound(m.payload) and (m.ended or 0.0) <= until), default=until)


def _never_pauses(seen: SeenCase) -> Iterator[Statement]:
    yield from serves_still(seen, seen.call(), "after 6 s of sound without a pause")


CASES = (
    Case(
        id="AI-01",
        title="a known sound at 8 kHz",
        level="must",
        peer="sends half a second of a tone, 16-bit samples, little-endian",
        good="takes it as it is",
        why="Asterisk sends its machine's byte order, which is little-endian; read the other way it is loud noise",
        section="1.4",
        prefers="echo",
        judge=_sounds_the_same("a tone", _TONE),
        scripts=(call_with(SendPaced(audio(_TONE))),),
    ),
    Case(
        id="AI-02",
        title="full scale",
        level="must",
        peer="sends samples of +32,767 and −32,768",
        good="takes them without a change of sign",
        why="a caller who shouts reaches full scale; a sample too many there turns into the loudest click there is",
        section="1.4",
        prefers="echo",
        judge=_sounds_the_same("sound at full scale", _FULL),
        scripts=(call_with(SendPaced(audio(_FULL))),),
    ),
    Case(
        id="AI-03",
        title="16 kHz",
        level="should",
        peer="speaks in messages of kind 0x12, 640 bytes each",
        good="takes it for 16 kHz, leaves it out, or ends the call in order",
        why="with c(slin16) the channel driver sends kind 0x12; taken for 8 kHz it is a voice at half its speed",
        section="1.2",
        since="20.17, 22.7, 23.1",
        judge=_in_order_or(_right_rate, "audio of 16 kHz"),
        scripts=(
            Script(
                (
                    Announce(),
                    QUIET,
                    SendSound(2.0, "words", kind=0x12),
                    SendSound(1.0, "silence", kind=0x12),
                    SignOfLife(),
                )
            ),
        ),
    ),
    Case(
        id="AI-04",
        title="another rate in the middle of a call",
        level="should",
        peer="sends ten messages of kind 0x12 between messages of kind 0x10",
        good="goes by the kind of each message, or ends the call in order",
        why="the kind of a message alone says its rate",
        section="1.2",
        since="20.17, 22.7, 23.1",
        prefers="echo",
        judge=_in_order_or(stays_in_step("after messages of 16 kHz"), "messages of 16 kHz"),
        scripts=(call_with(SendPaced(in_messages(_WIDE, [640] * 10, Kind.SLIN16)), Pause(0.04)),),
    ),
    Case(
        id="AI-05",
        title="G.711 that is called SLIN",
        level="should",
        peer="sends 25 messages of kind 0x10 with 160 bytes of G.711",
        good="keeps the call, and best says in its log: add c(slin)",
        why="Dial(AudioSocket/…) without c(slin) sends the caller's own codec as kind 0x10",
        section="1.5",
        prefers="echo",
        judge=stays_in_step("after G.711 that is called SLIN"),
        scripts=(call_with(SendPaced(tuple(in_messages(_G711, [160] * 25))), Pause(0.04)),),
    ),
    Case(
        id="AI-06",
        title="16 kHz that is called 8 kHz",
        level="should",
        peer="sends 25 messages of kind 0x10 with 640 bytes, one every 20 ms",
        good="keeps the call, and best lets its author set the rate",
        why="releases before 20.17 send c(slin16) as kind 0x10",
        section="1.5",
        prefers="echo",
        judge=stays_in_step("after 640 bytes every 20 ms", EchoStretch("640 bytes every 20 ms", _FAST, _KEPT_OF_IT)),
        scripts=(call_with(SendPaced(in_messages(_FAST, [640] * 25)), Pause(0.04)),),
    ),
    Case(
        id="AI-07",
        title="a hole of 3 s, then all at once",
        level="must",
        peer="sends nothing for 3 s, then 150 messages at once",
        good="keeps the call, and takes them",
        why="while Asterisk stands still a phone's packets wait; then all of them come at once",
        section="3.5",
        prefers="echo",
        judge=stays_in_step("after a hole and a burst", EchoStretch("150 messages at once", _LATE, _KEPT_OF_IT)),
        scripts=(call_with(Pause(3.0), Send(b"".join(audio(_LATE))), Pause(0.04)),),
    ),
    Case(
        id="AI-08",
        title="no audio for a while",
        level="must",
        peer="sends no audio for 8 s in the middle of the call (--heavy: 60 s)",
        good="keeps the call",
        why="a phone on hold, on mute or with silence suppression sends nothing: Asterisk then sends nothing either",
        section="3.1",
        prefers="echo",
        judge=stays_in_step("after a time without audio"),
        scripts=(call_with(Pause(8.0)),),
        heavy=(call_with(Pause(60.0)),),
    ),
    Case(
        id="AI-09",
        title="packets up to 140 ms late",
        level="should",
        peer="speaks for 4 s; single packets are up to 140 ms late, and those behind them come at once",
        good="keeps the call, and its delay bounded",
        why="Asterisk has no jitter buffer here: what the network does to the caller's packets reaches the server",
        section="3.1",
        judge=_bounded_delay,
        scripts=(Script((Announce(), QUIET, SendSound(4.0, "words", jitter=0.14), _AFTERWARDS, SignOfLife())),),
    ),
    Case(
        id="AI-10",
        title="all kinds of audio",
        level="should",
        peer="sends three messages of each kind from 0x10 to 0x18, 20 ms each",
        good="takes, or leaves out, those of other rates, or ends the call in order",
        why="the channel driver can have any of these rates; of 192 kHz a message has 7,680 bytes",
        section="1.2",
        since="20.17, 22.7, 23.1",
        prefers="echo",
        judge=_in_order_or(stays_in_step("after messages of all kinds"), "messages of all kinds"),
        scripts=(call_with(SendPaced(_EVERY_KIND), Pause(0.04)),),
    ),
    Case(
        id="AI-11",
        title="a caller who never pauses",
        level="must",
        peer="sends loud sound for 6 s without a pause",
        good="keeps the call, and serves it afterwards",
        why="a television or a street behind the caller has no end: that is no reason to hang",
        section="3.1",
        judge=_never_pauses,
        scripts=(Script((Announce(), SendSound(6.0, "tone"), SendSound(1.0, "silence"), SignOfLife())),),
    ),
)
"""Audio in."""
