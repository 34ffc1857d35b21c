"""Convert a tape into a captured call: parse the messages and count all times from the UUID. Pure."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from uuid import UUID

from audiosocket_core.messages import HEADER_BYTES, RATE_HZ, Kind, Message, dtmf_digit, is_audio
from audiosocket_sim.asterisk.profiles import Attach
from audiosocket_sim.live.capture.tape import AskedAt, Tape
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
"""When the caller's side closes this soon after a message that Asterisk does not accept, Asterisk ended the call."""
_KEYS = "0123456789*#ABCD"

_Timed = tuple[float, Message]
_Milliseconds = Callable[[float], int]
"""Converts a loop time in seconds to whole milliseconds since the UUID, 0 for anything earlier."""


def captured_call(tape: Tape, *, version: str, attach: Attach) -> CapturedCall | None:
    """Return the call on `tape`, or None if there was none: no UUID came, or the first bytes were not AudioSocket.

    `version` and `attach` name the Asterisk whose rules the scenario is replayed by. Audio that is not 8 kHz always
    gives `chan`, since the application sends 8 kHz only.
    """
    never_was_one = tape.no_audiosocket is not None and tape.was_audiosocket_until is None
    if tape.uuid is None or never_was_one or not tape.caller:
        return None
    t0 = tape.caller[0][0]

    def ms(at: float) -> int:
        return max(0, round((at - t0) * 1000))

    caller, bot = list(_messages(tape.caller)), list(_messages(tape.bot))
    sound = _audio(caller)
    rate_hz = RATE_HZ[sound[0][1].kind] if sound else 8000
    return CapturedCall(
        uuid=UUID(tape.uuid),
        ending=_ending(tape, bot, ms(_ended_at(tape, caller, bot))),
        version=version,
        attach=attach if rate_hz == 8000 else "chan",
        rate_hz=rate_hz,
        packet_time_ms=_packet_time_ms([message for _, message in sound], rate_hz),
        caller=tuple(Packet(ms(at), message.payload) for at, message in sound),
        bot=tuple(BotPacket(ms(at), RATE_HZ[message.kind], message.payload) for at, message in _audio(bot)),
        keys=_keys(caller, ms),
        recognised=_recognised(tape),
        states=_states(tape),
        exchanges=_exchanges(tape, ms),
        pushes=tuple(CapturedPush(ms(push.at), push.body, push.http_status) for push in tape.pushed),
        backend_captured=_is_backend_captured(tape),
    )


def _messages(chunks: Sequence[tuple[float, bytes]]) -> Iterator[_Timed]:
    """Yield the whole messages of each chunk with its time, up to a hang-up; an unfinished last message is left out."""
    for at, data in chunks:
        start = 0
        while len(data) - start >= HEADER_BYTES:
            end = start + HEADER_BYTES + (data[start + 1] << 8 | data[start + 2])
            if data[start] == Kind.HANGUP:
                return
            if end > len(data):
                break
            yield at, Message(data[start], data[start + HEADER_BYTES : end])
            start = end


def _audio(messages: Sequence[_Timed]) -> list[_Timed]:
    """The audio messages that have a payload."""
    return [(at, message) for at, message in messages if is_audio(message.kind) and message.payload]


def _keys(caller: Sequence[_Timed], ms: _Milliseconds) -> tuple[KeyPressed, ...]:
    digits = [(at, dtmf_digit(message.payload)) for at, message in caller if message.kind == Kind.DTMF]
    return tuple(KeyPressed(ms(at), digit) for at, digit in digits if digit is not None and digit in _KEYS)


def _recognised(tape: Tape) -> tuple[CapturedRecognition, ...]:
    return tuple(
        CapturedRecognition(round(event.seconds * 1000), event.text)
        for event in tape.reported
        if event.text is not None
    )


def _states(tape: Tape) -> tuple[ReportedState, ...]:
    return tuple(
        ReportedState(round(event.seconds * 1000), event.before, event.after)
        for event in tape.reported
        if event.text is None
    )


def _exchanges(tape: Tape, ms: _Milliseconds) -> tuple[Exchange, ...]:
    """Return the questions in the order in which they were asked.

    Requests that ask nothing (GET) are kept only where there are questions in another protocol than the reference
    server's: a bot may need their answers too. A question of the reference server's protocol among such ones is raw.
    """
    foreign = any(asked.raw is not None and asked.is_question and not asked.is_known for asked in tape.asked)
    return tuple(
        _exchange(asked if foreign else replace(asked, raw=None), ms)
        for asked in sorted(tape.asked, key=lambda asked: asked.at)
        if foreign or asked.is_known
    )


def _exchange(asked: AskedAt, ms: _Milliseconds) -> Exchange:
    answer = None if asked.answer is None else replace(asked.answer, at_ms=ms(asked.answered_at))
    return Exchange(ms(asked.at), asked.content, asked.conversation_id, answer, asked.raw)


def _is_backend_captured(tape: Tape) -> bool:
    """False also if the server recognised words and no question came: then the server asks its backend directly."""
    understood = any(event.text for event in tape.reported)
    return tape.backend_captured and (any(asked.is_question for asked in tape.asked) or not understood)


def _ended_at(tape: Tape, caller: Sequence[_Timed], bot: Sequence[_Timed]) -> float:
    """The loop time of the end, or of the last message on the tape if the end is not on it."""
    if tape.ended_at is None or tape.is_full:
        return max(at for at, _ in (*caller[-1:], *bot[-1:]))
    return tape.ended_at


def _ending(tape: Tape, bot: Sequence[_Timed], at_ms: int) -> Ending:
    if tape.is_full:  # the call went on after the tape was full
        return Ending(at_ms, "nobody", "interrupted")
    if tape.who == "caller" and bot and _is_breach(bot[-1], tape.ended_at or 0):
        return Ending(at_ms, "asterisk", "protocol")
    return Ending(at_ms, tape.who, tape.how)


def _is_breach(last: _Timed, ended_at: float) -> bool:
    """Whether the bot's last message is one that Asterisk does not accept, and the call ended right after it."""
    at, message = last
    return not (is_audio(message.kind) and message.payload) and ended_at - at < _BREACH_SECONDS


def _packet_time_ms(sound: Sequence[Message], rate_hz: int) -> int:
    """The commonest duration of a packet, or 20 if Asterisk has no such packet time."""
    lengths = Counter(len(message.payload) // 2 * 1000 // rate_hz for message in sound)
    usual = lengths.most_common(1)[0][0] if lengths else 20
    return usual if usual in PACKET_TIMES_MS else 20
