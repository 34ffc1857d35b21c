"""A tape as a captured call: messages read, times counted from the UUID. Pure."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from uuid import UUID

from audiosocket_core.messages import RATE_HZ, Kind, Message, dtmf_digit, is_audio
from audiosocket_sim.asterisk.profiles import Attach
from audiosocket_sim.live.capture.tape import Tape
from audiosocket_sim.live.captured_call import (
    BotPacket,
    CapturedCall,
    CapturedPush,
    CapturedRecognition,
    Ending,
    Exchange,
    KeyPressed,
    Packet,
    ReportedState,
)
from audiosocket_sim.scenario.model import PACKET_TIMES_MS

__all__ = ["captured_call"]

_BREACH_SECONDS = 0.1
"""An end so soon after what Asterisk does not take is Asterisk's."""


def captured_call(tape: Tape, *, version: str, attach: Attach) -> CapturedCall | None:
    """The call; None where there was none: no UUID came, or the bytes were no AudioSocket."""
    if tape.uuid is None or tape.no_audiosocket is not None or not tape.caller:
        return None
    t0 = tape.caller[0][0]

    def ms(at: float) -> int:
        return max(0, round((at - t0) * 1000))

    caller = list(_messages(tape.caller))
    sound = [(at, message) for at, message in caller if is_audio(message.kind) and message.payload]
    rate_hz = RATE_HZ[sound[0][1].kind] if sound else 8000
    digits = [(at, dtmf_digit(message.payload)) for at, message in caller if message.kind == Kind.DTMF]
    bot = list(_messages(tape.bot))
    seen_until = max(at for at, _ in (*caller[-1:], *bot[-1:]))
    ended_at = seen_until if tape.ended_at is None or tape.is_full else tape.ended_at
    understood = any(
        told.text for told in tape.reported
    )  # and nobody asked through us: the server was not pointed there
    return CapturedCall(
        uuid=UUID(tape.uuid),
        ending=_ending(tape, bot, ms(ended_at)),
        version=version,
        attach=attach if rate_hz == 8000 else "chan",
        rate_hz=rate_hz,
        packet_time_ms=_packet_time_ms([message for _, message in sound], rate_hz),
        caller=tuple(Packet(ms(at), message.payload) for at, message in sound),
        bot=tuple(
            BotPacket(ms(at), RATE_HZ[message.kind], message.payload)
            for at, message in bot
            if is_audio(message.kind) and message.payload
        ),
        keys=tuple(
            KeyPressed(ms(at), digit) for at, digit in digits if digit is not None and digit in "0123456789*#ABCD"
        ),
        recognised=tuple(
            CapturedRecognition(round(t.seconds * 1000), t.text) for t in tape.reported if t.text is not None
        ),
        states=tuple(
            ReportedState(round(t.seconds * 1000), t.before, t.after) for t in tape.reported if t.text is None
        ),
        exchanges=tuple(
            Exchange(
                ms(asked.at),
                asked.content,
                asked.conversation_id,
                None if asked.answer is None else replace(asked.answer, at_ms=ms(asked.answered_at)),
            )
            for asked in tape.asked
        ),
        pushes=tuple(CapturedPush(ms(push.at), push.body, push.http_status) for push in tape.pushed),
        backend_captured=tape.backend_captured and (bool(tape.asked) or not understood),
    )


def _messages(chunks: Sequence[tuple[float, bytes]]) -> Iterator[tuple[float, Message]]:
    """The whole messages of each chunk; a piece at the end of the stream is none."""
    for at, data in chunks:
        start = 0
        while len(data) - start >= 3:
            end = start + 3 + (data[start + 1] << 8 | data[start + 2])
            if data[start] == Kind.HANGUP:
                return
            if end > len(data):
                break
            yield at, Message(data[start], data[start + 3 : end])
            start = end


def _ending(tape: Tape, bot: Sequence[tuple[float, Message]], at_ms: int) -> Ending:
    if tape.is_full:  # the call went on, unseen
        return Ending(at_ms, "nobody", "interrupted")
    last = bot[-1] if bot else None
    breach = last is not None and not (is_audio(last[1].kind) and last[1].payload)
    if tape.who == "caller" and breach and last is not None and (tape.ended_at or 0) - last[0] < _BREACH_SECONDS:
        return Ending(at_ms, "asterisk", "protocol")
    return Ending(at_ms, tape.who, tape.how)


def _packet_time_ms(sound: Sequence[Message], rate_hz: int) -> int:
    """What most of the packets last."""
    lengths = Counter(len(message.payload) // 2 * 1000 // rate_hz for message in sound)
    usual = lengths.most_common(1)[0][0] if lengths else 20
    return usual if usual in PACKET_TIMES_MS else 20
