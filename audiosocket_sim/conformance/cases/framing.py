"""FR: framing on input. A message is where its header says, however the stream is cut, whatever its kind and length."""

import random
from collections.abc import Iterator

from audiosocket_core.messages import Kind, encode
from audiosocket_sim.conformance.case import Case
from audiosocket_sim.conformance.cases.in_step import PLAIN, audio, call_with, empty, stays_in_step
from audiosocket_sim.conformance.exact_echo import EchoStretch
from audiosocket_sim.conformance.line_noise import in_messages, line_noise
from audiosocket_sim.conformance.script import Pause, Send, SendPaced

__all__ = ["CASES"]

_HEADERS_CUT = (1, 2, 320, 2, 1, 320, 1, 1, 1, 320, 1, 322, 2, 321)
"""Five messages of 320 bytes, the header in pieces; the last two with audio behind it in the same piece."""
_CUT_NOISE = line_noise(5 * 320, 11)
_BURST = line_noise(4000, 13)
_LARGEST = line_noise(65_534, 15)
_KEPT_OF_IT = 4_000
"""A quarter of a second of 4 s: a server may drop what has waited too long."""
_PALINDROMES = line_noise(6 * 514, 16)
"""Sound for messages of 514 bytes, whose length is 02 02 in either byte order."""
_ODD = line_noise(320, 18) + b"\x55"
_SIZES = (160, 480, 2, 640, 960, 2, 320, 80, 2, 1920)
_SIZES_NOISE = line_noise(sum(_SIZES), 25)
_SEGMENTS = line_noise(4 * 1920, 26)
_TINY = line_noise(400, 28)
_TINY_HEAVY = line_noise(6000, 29)
_LATE = line_noise(2 * 320, 30)


def _cut_everywhere(sound: bytes, payload: int) -> Send:
    """Messages of one size, each in two pieces, cut at another place."""
    pieces = [length for at in range(1, payload + 3) for length in (at, payload + 3 - at)]
    return Send(b"".join(audio(sound, payload)), tuple(pieces), 0.01)


_PLACES, _PLACES_HEAVY = line_noise(42 * 40, 12), line_noise(322 * 320, 12)


def _cut_anywhere(sound: bytes, gap: float, largest_piece: int) -> Send:
    """Messages of any even size up to 158 bytes, in pieces of any size."""
    draw = random.Random(14)
    sizes: list[int] = []
    left = len(sound)
    while left > 0:
        sizes.append(min(draw.randrange(2, 160, 2), left))
        left -= sizes[-1]
    data = b"".join(in_messages(sound, sizes))
    pieces: list[int] = []
    left = len(data)
    while left > largest_piece:
        pieces.append(draw.randint(1, largest_piece))
        left -= pieces[-1]
    return Send(data, tuple(pieces), gap)


_ANYWHERE, _ANYWHERE_HEAVY = line_noise(16_000, 14), line_noise(800_000, 14)


def _unknown_kinds() -> Iterator[int]:
    known = {int(kind) for kind in Kind}
    return (kind for kind in range(256) if kind not in known)


CASES = (
    Case(
        id="FR-01",
        title="headers in pieces",
        level="must",
        peer="sends messages whose three header bytes arrive in two or three pieces, 50 ms apart",
        good="waits for the whole header and stays in step",
        why="TCP keeps no boundaries: Asterisk's one write may arrive in pieces, which no setting of Asterisk prevents",
        section="1.1",
        prefers="echo",
        judge=stays_in_step("after headers in pieces", EchoStretch("the audio behind headers in pieces", _CUT_NOISE)),
        scripts=(call_with(Send(b"".join(audio(_CUT_NOISE)), _HEADERS_CUT, 0.05)),),
    ),
    Case(
        id="FR-02",
        title="messages cut at each place",
        level="must",
        peer="sends 42 messages in two pieces each, 10 ms apart, cut after 1 byte, after 2, and so on",
        good="puts the pieces together and stays in step",
        why="whoever takes one read for one message is out of step from the first cut on, and hears noise to the end",
        section="1.1",
        prefers="echo",
        judge=stays_in_step(
            "after messages in two pieces",
            EchoStretch("the audio of messages in two pieces", _PLACES),
            heavy=(EchoStretch("the audio of messages in two pieces", _PLACES_HEAVY),),
        ),
        scripts=(call_with(_cut_everywhere(_PLACES, 40)),),
        heavy=(call_with(_cut_everywhere(_PLACES_HEAVY, 320)),),
    ),
    Case(
        id="FR-03",
        title="50 messages in one write",
        level="must",
        peer="sends 50 messages of 80 bytes in one write",
        good="takes all of them, in order",
        why="after a stall of the network or of Asterisk many messages are in one read; a server that takes only the "
        "first of them loses the caller's words",
        section="3.1",
        prefers="echo",
        judge=stays_in_step("after 50 messages in one write", EchoStretch("50 messages in one write", _BURST)),
        scripts=(call_with(Send(b"".join(audio(_BURST, 80)))),),
    ),
    Case(
        id="FR-04",
        title="a stream cut anywhere",
        level="must",
        peer="sends messages of many sizes in pieces that begin and end anywhere (--heavy: 10,000 messages)",
        good="finds each message by its header and stays in step",
        why="TCP keeps no boundaries, and networks, proxies and tunnels cut the stream in their own way",
        section="1.1",
        prefers="echo",
        judge=stays_in_step(
            "after a stream cut anywhere",
            EchoStretch("a stream cut anywhere", _ANYWHERE),
            heavy=(EchoStretch("10,000 messages cut anywhere", _ANYWHERE_HEAVY),),
        ),
        scripts=(call_with(_cut_anywhere(_ANYWHERE, 0.005, 160)),),
        heavy=(call_with(_cut_anywhere(_ANYWHERE_HEAVY, 0.01, 320)),),
    ),
    Case(
        id="FR-05",
        title="the largest message",
        level="must",
        peer="sends a message of 65,535 bytes, the most that a header can say",
        good="takes it whole and stays in step",
        why="real Asterisk sent messages of 65,535 bytes; a length read as signed, or a buffer of fixed size, loses "
        "step here",
        section="1.4",
        prefers="echo",
        judge=stays_in_step(
            "after a message of 65,535 bytes", EchoStretch("a message of 65,535 bytes", _LARGEST, _KEPT_OF_IT)
        ),
        scripts=(call_with(Send(encode(Kind.SLIN8, _LARGEST + b"\x33")), Pause(0.3)),),
    ),
    Case(
        id="FR-06",
        title="the length is big-endian",
        level="must",
        peer="sends messages of 320 bytes (length 01 40) behind some of 514 (02 02, the same both ways)",
        good="reads 01 40 as 320, not as 16,385",
        why="a server that reads the bytes the other way round waits for 16,385 bytes and is out of step for good",
        section="1.1",
        prefers="echo",
        judge=stays_in_step("after lengths of 01 40", plain=_PALINDROMES),
        scripts=(call_with(before=SendPaced(audio(_PALINDROMES, 514), 0.03)),),
    ),
    Case(
        id="FR-07",
        title="empty audio",
        level="must",
        peer="sends audio messages of length 0 between plain ones: one, then three in a row",
        good="ignores them and keeps the call",
        why="the channel driver of releases before 20.14, 21.9 and 22.4 sends one for comfort noise; it is no end",
        section="1.6",
        prefers="echo",
        judge=stays_in_step("after empty audio"),
        scripts=(call_with(Send(empty()), Pause(0.1), Send(empty() * 3), Pause(0.1)),),
    ),
    Case(
        id="FR-08",
        title="audio of odd length",
        level="must",
        peer="sends one audio message of 321 bytes",
        good="keeps the samples of later messages together: each message begins with a whole one",
        why="a byte that is carried into the next message swaps the halves of all later samples: the caller is noise",
        section="1.4",
        prefers="echo",
        judge=stays_in_step("after a message of 321 bytes"),
        scripts=(call_with(Send(encode(Kind.SLIN8, _ODD))),),
    ),
    Case(
        id="FR-09",
        title="an unknown kind",
        level="must",
        peer="sends a message of kind 0x7f with 300 bytes",
        good="skips it by its length and stays in step",
        why="kinds are added: servers that ended the call at unknown ones lost callers who pressed a key, when 20.14 "
        "and 22.4 began to send 0x03",
        section="1.2",
        prefers="echo",
        judge=stays_in_step("after a message of kind 0x7f"),
        scripts=(call_with(Send(encode(0x7F, bytes(range(1, 151)) * 2)), Pause(0.1)),),
    ),
    Case(
        id="FR-11",
        title="kind 0x02",
        level="should",
        peer="sends 0x02, once known as silence, with 0 bytes and with 6",
        good="skips both and stays in step",
        why="libraries know it and Asterisk never sends it; other peers do, some with keys in it",
        section="1.2",
        prefers="echo",
        judge=stays_in_step("after messages of kind 0x02"),
        scripts=(
            call_with(Send(empty(0x02)), Pause(0.1), Send(encode(0x02, b"\x01\x05\x00\xa0\x00\x01")), Pause(0.1)),
        ),
    ),
    Case(
        id="FR-15",
        title="messages of many sizes",
        level="must",
        peer="sends messages of 160, 480, 2, 640, 960, 2, 320, 80, 2 and 1,920 bytes",
        good="takes all bytes, and expects no size",
        why="the size follows the caller's packets: phones send 10, 30, 40 or 60 ms, and a conversion any size",
        section="1.4",
        prefers="echo",
        judge=stays_in_step("after messages of many sizes", EchoStretch("messages of many sizes", _SIZES_NOISE)),
        scripts=(call_with(SendPaced(in_messages(_SIZES_NOISE, _SIZES), 0.03)),),
    ),
    Case(
        id="FR-16",
        title="audio of one byte",
        level="must",
        peer="sends one audio message of a single byte",
        good="keeps the call, and the samples of later messages together",
        why="real Asterisk sent a message of 1 byte; if it is carried into the next one, the caller is noise",
        section="1.4",
        prefers="echo",
        judge=stays_in_step("after a message of one byte"),
        scripts=(call_with(Send(encode(Kind.SLIN8, b"\x21")), Pause(0.04)),),
    ),
    Case(
        id="FR-17",
        title="33 bytes: GSM as 0x10",
        level="must",
        peer="sends 25 messages of 33 bytes at 20 ms, as a GSM caller without c(slin) does",
        good="keeps the call, and the samples of later messages together",
        why="the channel driver calls every codec 0x10; what is no PCM is noise, but no reason to end the call or to "
        "lose step",
        section="1.5",
        prefers="echo",
        judge=stays_in_step("after messages of 33 bytes"),
        scripts=(call_with(SendPaced(tuple([encode(Kind.SLIN8, line_noise(32, 27) + b"\x10")] * 25))),),
    ),
    Case(
        id="FR-18",
        title="a comfort noise packet as audio",
        level="must",
        peer="sends an audio message of 10 bytes, then nothing for 1.5 s",
        good="keeps the call; the rest of the packet is a click, or nothing",
        why="the channel driver of releases before 20.14, 21.9 and 22.4 writes all of such a packet but its first "
        "byte; then the phone is silent",
        section="1.6",
        prefers="echo",
        judge=stays_in_step("after a comfort noise packet"),
        scripts=(call_with(Send(encode(Kind.SLIN8, line_noise(10, 31))), Pause(1.5)),),
    ),
    Case(
        id="FR-19",
        title="messages longer than a segment",
        level="must",
        peer="sends messages of 1,920 bytes in two segments, 1,448 bytes and the rest, 3 ms apart",
        good="waits for the rest and stays in step",
        why="from 44.1 kHz on each message of 20 ms is longer than a segment of Ethernet, as is 120 ms at 8 kHz",
        section="1.4",
        prefers="echo",
        judge=stays_in_step("after messages of two segments", EchoStretch("messages of two segments", _SEGMENTS)),
        scripts=(call_with(Send(b"".join(audio(_SEGMENTS, 1920)), (1448, 475) * 4, 0.003)),),
    ),
    Case(
        id="FR-20",
        title="tiny messages",
        level="must",
        peer="sends 200 messages of one sample, 2 bytes, at 20 ms (--heavy: for a minute)",
        good="keeps the call and stays in step",
        why="no size is promised; a server that counts messages as 20 ms each is seconds ahead of the caller",
        section="1.4",
        prefers="echo",
        judge=stays_in_step(
            "after messages of 2 bytes",
            EchoStretch("200 messages of 2 bytes", _TINY),
            heavy=(EchoStretch("3,000 messages of 2 bytes", _TINY_HEAVY),),
        ),
        scripts=(call_with(SendPaced(audio(_TINY, 2))),),
        heavy=(call_with(SendPaced(audio(_TINY_HEAVY, 2))),),
    ),
    Case(
        id="FR-21",
        title="a pause inside a message",
        level="must",
        peer="stops for 1.5 s after the first byte of a header, and again in the middle of a payload",
        good="waits for the rest and stays in step",
        why="a lost packet is sent again after 0.2 s, then 0.4 s, then 0.8 s; a server whose time limit throws the "
        "half away is out of step for good",
        section="1.1",
        prefers="echo",
        judge=stays_in_step("after pauses inside messages", EchoStretch("messages with a pause inside", _LATE)),
        scripts=(call_with(Send(b"".join(audio(_LATE)), (1, 322 + 160), 1.5)),),
    ),
    Case(
        id="FR-22",
        title="all unknown kinds",
        level="should",
        peer="sends a message of each kind that has no meaning, with 0 to 20 bytes",
        good="skips each by its length and stays in step",
        why="nothing tells today which kind a later release adds; the length is always where it is",
        section="1.2",
        prefers="echo",
        judge=stays_in_step("after each unknown kind"),
        scripts=(
            call_with(
                Send(b"".join(encode(kind, bytes([kind]) * (kind % 21)) for kind in _unknown_kinds())), Pause(0.1)
            ),
        ),
    ),
    Case(
        id="FR-23",
        title="a long unknown message",
        level="should",
        peer="sends a message of kind 0x04 with 40,000 bytes, in pieces of 1,448",
        good="skips all of it and stays in step",
        why="a length above 32,767 is negative to whoever reads it as signed, and what is skipped comes in pieces too",
        section="1.1",
        prefers="echo",
        judge=stays_in_step("after a long unknown message"),
        scripts=(call_with(Send(encode(0x04, PLAIN[:8] * 5000), (1448,) * 27, 0.002), Pause(0.1)),),
    ),
)
