"""What an odd stream does, in words for people: a comment for each step. Pure."""

from collections.abc import Iterator

from audiosocket_core.messages import HEADER_BYTES, RATE_HZ, Kind
from audiosocket_sim.conformance.fuzzing.odd_stream import Actions, bytes_of
from audiosocket_sim.conformance.script import (
    Announce,
    Close,
    FinishSending,
    Pause,
    PeerAction,
    ReadAgain,
    Reset,
    Send,
    SignOfLife,
    StopReading,
    WaitForEnd,
)

__all__ = ["comments"]

_MOST_NAMED = 3
_NAMES = {
    Kind.HANGUP: "hangup",
    Kind.UUID: "UUID",
    Kind.SILENCE: "silence (0x02)",
    Kind.DTMF: "key",
    Kind.ERROR: "error",
}


def comments(actions: Actions) -> Iterator[str]:
    """Iterate over a comment for each action, which knows where in a message the stream is."""
    rest = 0
    """Bytes of the message before that are still to come."""
    header = b""
    for action in actions:
        data = bytes_of(action)
        if not data:
            yield _of_no_bytes(action)
            continue
        words: list[str] = []
        while data:
            if rest:
                taken = min(rest, len(data))
                data, rest = data[taken:], rest - taken
                words.append(f"{taken} more bytes of its payload" + (f", {rest} are missing" if rest else ""))
                continue
            needed = HEADER_BYTES - len(header)
            header, data = header + data[:needed], data[needed:]
            if len(header) < HEADER_BYTES:
                words.append(f"{len(header)} of the 3 bytes of a header")
                break
            length = int.from_bytes(header[1:], "big")
            sent = min(length, len(data))
            data, rest = data[sent:], length - sent
            words.append(_message(header[0], length, sent))
            header = b""
        yield _joined(words) + _cut(action)


def _message(kind: int, length: int, sent: int) -> str:
    if kind in RATE_HZ:
        name = f"audio at {RATE_HZ[kind] / 1000:g} kHz"
    elif kind in _NAMES:
        name = _NAMES[Kind(kind)]
    else:
        name = f"a message of the unknown kind 0x{kind:02x}"
    missing = "" if sent == length else f", of which {sent} are here"
    return f"{name}, {length} byte{'' if length == 1 else 's'}{missing}"


def _joined(words: list[str]) -> str:
    more = len(words) - _MOST_NAMED
    return "; ".join(words[:_MOST_NAMED]) + (f"; and {more} more" if more > 0 else "")


def _cut(action: PeerAction) -> str:
    if isinstance(action, Send) and action.pieces:
        return f"; in {len(action.pieces) + 1} pieces"
    if isinstance(action, Announce) and action.gap:
        return "; in single bytes"
    return ""


def _of_no_bytes(action: PeerAction) -> str:
    match action:
        case Pause(seconds=seconds):
            return f"nothing for {seconds:g} s"
        case StopReading():
            return "what the server sends stays unread from here on"
        case ReadAgain():
            return "reads again"
        case FinishSending():
            return "closes its sending side (FIN) and reads on"
        case WaitForEnd(at_most=at_most):
            return f"waits for the server's end, {at_most:g} s at most"
        case Close():
            return "closes (FIN)"
        case Reset():
            return "resets the connection (RST)"
        case SignOfLife():
            return "the server has to serve the call still"
        case _:
            return "nothing"
