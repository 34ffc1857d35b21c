"""What goes over the wire, in words and in hex: one message, and any stretch of a stream. Pure."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from audiosocket_core.messages import AUDIO_KINDS, HEADER_BYTES, RATE_HZ, Kind
from audiosocket_sim.conformance.heard import is_sound
from audiosocket_sim.conformance.seen_call import SeenMessage

__all__ = ["hex_bytes", "message_words", "part_words"]

_SHOWN_BYTES = 8


def message_words(message: SeenMessage) -> str:
    """Return what a message is: `silence, 20 ms at 8 kHz`; what is odd in it is said too."""
    words = _kind_words(message)
    if message.is_whole:
        return words
    came = HEADER_BYTES + len(message.payload) if message.header_ended is not None else 0
    if not came:
        return "the beginning of a header"
    return f"{words}, of which {came} of {HEADER_BYTES + message.length} bytes came"


def _kind_words(message: SeenMessage) -> str:
    kind, payload, length = message.kind, message.payload, message.length
    if kind in AUDIO_KINDS:
        return _audio_words(message)
    if kind == Kind.HANGUP:
        return "hang-up" if not length else f"hang-up with a payload of {length} bytes"
    if kind == Kind.UUID:
        return f"UUID {UUID(bytes=payload)}" if len(payload) == length == 16 else f"UUID of {length} bytes"
    if kind == Kind.SILENCE:
        return f"silence (kind 0x02, {_bytes(length)})"
    if kind == Kind.DTMF:
        return f"key {_printable(payload)}" if length == 1 else f"key of {length} bytes: {_printable(payload)}"
    if kind == Kind.ERROR:
        return f"error (kind 0xff, {_bytes(length)})"
    return f"unknown kind 0x{kind:02x}, {_bytes(length)}"


def _audio_words(message: SeenMessage) -> str:
    rate = RATE_HZ[message.kind]
    if not message.length:
        return f"audio at {rate / 1000:g} kHz without any sample"
    seconds = message.length / 2 / rate
    loud = "sound" if is_sound(message.payload) else "silence"
    odd = ", an odd number of bytes" if message.length % 2 else ""
    return f"{loud}, {seconds * 1000:.4g} ms at {rate / 1000:g} kHz{odd}"


def part_words(messages: Iterable[SeenMessage], first: int, stop: int) -> str:
    """Return what the bytes `first` to `stop` (without it) of a stream are. `messages`: all messages of that stream."""
    words: list[str] = []
    for message in messages:
        size = HEADER_BYTES + message.length
        begin, end = max(first, message.place), min(stop, message.place + size)
        if begin >= end:
            continue
        if (begin, end) == (message.place, message.place + size):
            words.append(message_words(message))
        else:
            one, last = begin - message.place + 1, end - message.place
            which = f"byte {one}" if one == last else f"bytes {one} to {last}"
            words.append(
                f"{which} of {size}: {_kind_words(message).partition(',')[0] if message.kind != 1 else 'UUID'}"
            )
    return _joined(words)


def _joined(words: Sequence[str]) -> str:
    """Return the words, with what comes several times in a row said once."""
    parts: list[tuple[str, int]] = []
    for word in words:
        if parts and parts[-1][0] == word:
            parts[-1] = (word, parts[-1][1] + 1)
        else:
            parts.append((word, 1))
    texts = [word if times == 1 else f"{times} × {word}" for word, times in parts]
    if len(texts) > 4:
        texts = [*texts[:3], f"… {len(texts) - 4} more", texts[-1]]
    return " + ".join(texts)


def hex_bytes(data: bytes, at_most: int = _SHOWN_BYTES + HEADER_BYTES) -> str:
    """Return the first bytes as `10 01 40 00 00 …`."""
    return data[:at_most].hex(" ") + (" …" if len(data) > at_most else "")


def _bytes(count: int) -> str:
    return "1 byte" if count == 1 else f"{count} bytes"


def _printable(payload: bytes) -> str:
    return repr(payload[:20].decode("latin-1")) if payload else "''"
