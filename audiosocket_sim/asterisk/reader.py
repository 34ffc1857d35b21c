"""How Asterisk reads what the server sends: the rules of one era as arithmetic (docs/protocol.md, 4 and 6).

Sans-I/O: bytes, an end of stream and the time go in; audio, a verdict and the next deadline come out. It is not the
package's own decoder on purpose: `audiosocket_core.connection` is right, this one is wrong in all the ways of the
original. It must not be made tolerant.

A *piece* is what one read of Asterisk's finds. The caller of `feed` passes on what one read of its own found, and says
`more=True` where that read filled its buffer, so that the edge of a buffer is never taken for a gap on the wire.
"""

from dataclasses import dataclass
from typing import NamedTuple

from audiosocket_core.messages import RATE_HZ, Kind
from audiosocket_sim.asterisk.profiles import Era, HeaderRule

__all__ = ["CLOSED_INSIDE", "AsteriskReader", "BotAudio", "ReaderVerdict"]

CLOSED_INSIDE = "the server closed inside a message («Insufficient payload read»)"
"""The reason of a FIN that is no orderly end."""

_HEADER_BYTES = 3
_KINDS = frozenset(Kind)
_NO_KIND = ". AudioSocket has no such kind: it may be sound, read as a header behind a length that is wrong"
_UNKNOWN_LENGTH = 0xFFFF
"""Stands for two length bytes that were never read (TAKEN_WHOLE). In Asterisk they are leftovers of the stack."""
_EDGE_SECONDS = 0.001
"""The patience of an era that has none, if only our own buffer was full."""
_ROUNDING = 1e-6
_new = tuple.__new__  # makes an Audio without its own constructor, which is a function in Python


class BotAudio(NamedTuple):
    """One audio message: `payload` is 16-bit little-endian mono, an odd last byte is cut off, so it may be empty."""

    rate_hz: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class ReaderVerdict:
    """Why Asterisk leaves the connection. `orderly`: the application returns 0 and the dialplan goes on."""

    who: str
    how: str
    orderly: bool
    reason: str


class AsteriskReader:
    """Reads one connection for one era. After a verdict nothing is read: `unread` counts what came all the same."""

    def __init__(self, era: Era) -> None:
        self._era = era
        self._rates = dict(RATE_HZ) if era.wideband_kinds else {int(Kind.SLIN8): RATE_HZ[Kind.SLIN8]}
        self._buffer = bytearray()
        self._header = bytearray(_HEADER_BYTES)
        self._header_read = 0
        self._length: int | None = None
        self._rate_hz: int | None = None
        self._in_pieces = False
        self.busy = False
        """True within a message: the thread that reads also sends, so no caller audio is sent meanwhile."""
        self.deadline: float | None = None
        """When `timed_out` must be called, in loop time; None if Asterisk would wait for ever."""
        self.verdict: ReaderVerdict | None = None
        self.unread = 0
        """Bytes that Asterisk leaves in its socket: its close() is a reset then (FID-11)."""
        self.left = b""
        """Those of them that came with the message that ended the call."""
        self.fin_unnoticed = False
        self.messages = 0
        """How many messages were read, those without audio too."""
        self.notes: list[str] = []
        """The deviations that Asterisk tolerated, each once, in plain words."""

    def feed(self, data: bytes | bytearray | memoryview, now: float, *, more: bool = False) -> list[BotAudio]:
        """Read a piece of data from the server and return the audio in it. Updates `verdict`, `deadline` and `busy`."""
        if not self.busy and self.verdict is None and len(data) > _HEADER_BYTES:  # a whole message: nearly always
            length = data[1] << 8 | data[2]
            rate_hz = self._rates.get(data[0])
            if length == len(data) - _HEADER_BYTES and rate_hz is not None and not length & 1:
                self.messages += 1
                return [_new(BotAudio, (rate_hz, bytes(data[_HEADER_BYTES:])))]
        if self.verdict is not None:
            self.unread += len(data)
            return []
        self._buffer += data
        heard: list[BotAudio] = []
        while self._read_header(more) if self._length is None else self._read_payload(heard):
            pass
        self._judge_the_wait(now, more)
        return heard

    def timed_out(self, now: float) -> None:
        """Note that the deadline has passed without further data (FID-13)."""
        if self.deadline is None or now < self.deadline - _ROUNDING:
            return
        came, announced = len(self._buffer), self._length
        self._buffer.clear()  # Asterisk has read these bytes; they are lost, not unread
        if self._era.payload_gap_seconds:
            counts = f"; {announced} bytes were announced in big-endian order, and {came} came" if came else ""
            self._drop_call(
                "more than 5 ms passed inside a message, after its header («Poll timed out while waiting for data»): "
                f"a message has to be one write{counts}"
            )
        else:
            self._drop_call(_NO_PATIENCE)

    def end_of_stream(self, now: float) -> None:
        """Note that the server closed its sending side. Era A does not notice it between two messages (FID-19)."""
        self.feed(b"", now)
        if self.verdict is not None:
            return
        if self._length is not None:
            self._buffer.clear()
            self._end("server", "fin", False, CLOSED_INSIDE)
        elif self._era.orderly_end:
            self._end("server", "fin", True, "the server closed the connection")
        else:
            self.fin_unnoticed = True
            self._note("the server closed without 00 00 00: this version does not notice, and the caller hears nothing")

    def reset(self) -> None:
        """Note that the server reset the connection. A 0x00 before it has been read already, and counts (FID-18)."""
        if self.verdict is None:
            self._end("server", "reset", False, "the server reset the connection («Connection reset by peer»)")

    # --- one step each; True: look again

    def _read_header(self, more: bool) -> bool:
        buffer, rule = self._buffer, self._era.header
        if not buffer:
            return False
        if rule is HeaderRule.ENDS_CALL and buffer[0] == Kind.HANGUP:
            del buffer[:1]  # the length bytes stay unread: even a right hang-up is answered with a reset (FID-19)
            self._end("server", "hangup_message", False, "the server hung up (00 00 00), an error to this version")
            self.left = self.left[_HEADER_BYTES - 1 :]
            return False
        if more and self._header_read + len(buffer) < _HEADER_BYTES:
            return False
        overwrites = rule is HeaderRule.OVERWRITTEN
        take = min(_HEADER_BYTES if overwrites else _HEADER_BYTES - self._header_read, len(buffer))
        at = 0 if overwrites else self._header_read
        self._header[at : at + take] = buffer[:take]
        del buffer[:take]
        self._header_read += take
        if self._header_read >= _HEADER_BYTES:
            return self._take_header(self._header[1] << 8 | self._header[2])
        self._in_pieces = True
        if rule is HeaderRule.ENDS_CALL:
            self._drop_call("a header came in pieces («Failed to read data length»): this version does not wait for it")
            return False
        return rule is HeaderRule.TAKEN_WHOLE and self._take_header(_UNKNOWN_LENGTH)

    def _take_header(self, length: int) -> bool:
        kind, self._header_read = self._header[0], 0
        self.messages += 1
        in_pieces, self._in_pieces = self._in_pieces, False
        if in_pieces:
            self._note("a header came in pieces: write each message at once")
        if kind == Kind.HANGUP:
            if length and not in_pieces:
                self._note("the hang-up message announced a payload, which Asterisk does not read")
            self._end("server", "hangup_message", True, "the server hung up (00 00 00)")
            return False
        self._rate_hz = self._rates.get(kind)
        if self._rate_hz is None and self._era.strict:
            cause = ", read from a header that came in pieces" if in_pieces else ""
            known = "hang-up or audio" if self._era.wideband_kinds else "hang-up or audio (0x10 only, before 22.7)"
            why = "" if in_pieces or kind in _KINDS else _NO_KIND
            self._drop_call(f"message of kind 0x{kind:02x}{cause} («other than {known}»): it ends the call{why}")
            return False
        if length == 0:
            if self._era.strict:
                self._drop_call("audio message of length 0 («Invalid message length»): it ends the call")
                return False
            self._note("audio of length 0, which this version ignores and later ones hang up on")
            return True
        self._length = length
        return True

    def _read_payload(self, heard: list[BotAudio]) -> bool:
        length = self._length
        if length is None or len(self._buffer) < length:
            return False
        payload = bytes(self._buffer[: length & ~1])
        del self._buffer[:length]
        self._length = None
        if self._rate_hz is None:
            kind = self._header[0]
            self._note(f"message of kind 0x{kind:02x}, which this version skips and later ones may hang up on")
            return True
        if length & 1:
            self._note(f"audio of an odd length ({length} bytes): Asterisk ignores the last byte")
        heard.append(BotAudio(self._rate_hz, payload))
        return True

    def _judge_the_wait(self, now: float, more: bool) -> None:
        self.deadline = None
        if self._length is not None:
            patience = self._era.payload_gap_seconds or (_EDGE_SECONDS if more else 0.0)
            if patience:
                self.deadline = now + patience
            else:
                self._buffer.clear()
                self._drop_call(_NO_PATIENCE)
        self.busy = self._length is not None or self._header_read > 0 or bool(self._buffer)

    # --- outcomes

    def _drop_call(self, reason: str) -> None:
        self._end("asterisk", "protocol", False, reason)

    def _end(self, who: str, how: str, orderly: bool, reason: str) -> None:
        self.verdict = ReaderVerdict(who, how, orderly, reason)
        self.unread, self.left = len(self._buffer), bytes(self._buffer)
        self._buffer.clear()
        self._length, self._header_read, self.deadline, self.busy = None, 0, None, False

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)


_NO_PATIENCE = "a message came in pieces («Failed to read data»): this version does not wait for the rest"
