"""HTTP/1.1 as bytes: a request is written, and its answer is read with little work in each step. Pure.

It reads what RFC 9112 allows in an answer to a GET or a POST on a connection that serves only that one. A parser for
all of HTTP takes five times as long, which is a third of a question's time, and in that time no call of the loop gets
its frames; and such a parser's limits are for what is not complete: a head that arrives whole may have any number of
lines. Here each call of `next_part` takes some hundred microseconds at most, whatever arrives, and who calls it decides
how many calls to make before others get their turn. tests/audiosocket_server/backend compares it with h11.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["END", "AnswerEnd", "AnswerHead", "AnswerReader", "BadAnswer", "TooManyPieces", "request_bytes"]

MOST_HEAD_BYTES = 32_000
"""Of a status line with its headers, and of what follows the last chunk. Common servers send a hundredth of it."""
MOST_HEAD_LINES = 200
MOST_INTERIM_ANSWERS = 20
"""Answers such as 100 Continue before the real one."""
MOST_PIECES = 10_000
"""Chunks of one answer. One of a megabyte has a hundred, and one that is streamed word by word a thousand."""
MOST_CHUNK_HEAD_BYTES = 1_000

_BLANK_LINE = re.compile(rb"\n\r?\n")
_STATUS_LINE = re.compile(rb"HTTP/(1\.[01]) ([1-9][0-9][0-9])(?: ([^\0]*))?")
_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_CHUNK_SIZE = re.compile(rb"[0-9A-Fa-f]{1,16}")
_LENGTH = re.compile(rb"[0-9]{1,18}")
_NO_BODY = (204, 304)
_SWITCHING_PROTOCOLS = 101


class BadAnswer(ValueError):
    """What arrived is no HTTP answer, or ended too early. One line."""


class TooManyPieces(ValueError):
    """The answer's body comes in too many chunks. One line."""


class AnswerEnd:
    """The type of `END`: the answer is complete."""


END = AnswerEnd()


@dataclass(frozen=True, slots=True)
class AnswerHead:
    """Status and headers of an answer, in the order of their arrival; `http_version` is 1.0 or 1.1."""

    status: int
    reason: bytes
    headers: list[tuple[bytes, bytes]]
    http_version: bytes


def request_bytes(method: str, target: bytes, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> bytes:
    """Return a request as bytes. Raises ValueError for a line break or a NUL in a header, or a blank in the target."""
    lines = [
        b"%b %b HTTP/1.1" % (method.encode("ascii"), target),
        *(b"%b: %b" % header for header in headers),
        b"",
        b"",
    ]
    head = b"\r\n".join(lines)
    if not head.count(b"\r") == head.count(b"\n") == len(lines) - 1 or b"\0" in head or b" " in target:
        raise ValueError("a header or the address holds a character that HTTP does not allow")
    return head + body


class AnswerReader:
    """Reads one answer: `received` and `ended` are given what arrives, `next_part` reads it."""

    def __init__(self) -> None:
        self._unread = bytearray()
        self._searched = 0
        self._has_ended = False
        self._in_body = False
        self._interim_answers = 0
        self._length: int | None = None
        """Of the body, or of the chunk, what is still to come; None until a chunk's head was read, or for ever."""
        self._is_chunked = False
        self._pieces = 0
        self._after_last_chunk = False

    @property
    def unread_bytes(self) -> int:
        """How much has arrived and is not read yet."""
        return len(self._unread)

    def received(self, data: bytes) -> None:
        """Take what has arrived. Quick: nothing is parsed."""
        self._unread += data

    def ended(self) -> None:
        """Note that nothing more will arrive."""
        self._has_ended = True

    def next_part(self) -> AnswerHead | bytes | AnswerEnd | None:
        """Return the head, then the body in pieces, then END; None until more has arrived.

        Raises BadAnswer and TooManyPieces.
        """
        if not self._in_body:
            return self._next_head()
        if self._is_chunked:
            return self._next_of_chunks()
        if self._length is None:
            return self._rest()
        return END if self._length == 0 else self._next_of_length("answer")

    # --- the head

    def _next_head(self) -> AnswerHead | None:
        while True:
            block = self._block("headers")
            if block is None:
                return None
            head = _head(block)
            if head.status >= 200:
                self._begin_body(head)
                return head
            self._interim_answers += 1
            if head.status == _SWITCHING_PROTOCOLS or self._interim_answers > MOST_INTERIM_ANSWERS:
                raise BadAnswer(f"status {head.status}, which was not asked for")

    def _begin_body(self, head: AnswerHead) -> None:
        self._in_body = True
        codings = _values(head, b"transfer-encoding")
        lengths = set(_values(head, b"content-length"))
        if head.status in _NO_BODY:
            self._length = 0
        elif codings:
            if codings != [b"chunked"]:
                raise BadAnswer("a transfer encoding other than chunked")
            self._is_chunked = True
        elif lengths:
            length = lengths.pop()
            if lengths or not _LENGTH.fullmatch(length):
                raise BadAnswer("a Content-Length that is no number")
            self._length = int(length)

    def _block(self, what: str) -> bytes | None:
        """Take lines up to the blank line that ends them, without it; None until that has arrived."""
        found = _BLANK_LINE.search(self._unread, self._searched)
        self._searched = max(0, len(self._unread) - 2)
        end = found.start() if found else len(self._unread)
        if end > MOST_HEAD_BYTES or self._unread.count(b"\n", 0, end) >= MOST_HEAD_LINES:
            raise BadAnswer(f"{what} of more than {MOST_HEAD_BYTES} bytes or {MOST_HEAD_LINES} lines")
        if found is None:
            self._more_must_come(f"in its {what}" if self._unread else "without an answer")
            return None
        return self._take(end, found.end())

    # --- the body

    def _rest(self) -> bytes | AnswerEnd | None:
        if self._unread:
            return self._take(len(self._unread))
        return END if self._has_ended else None

    def _next_of_length(self, what: str) -> bytes | None:
        assert self._length is not None
        piece = self._take(min(self._length, len(self._unread)))
        self._length -= len(piece)
        if not piece:
            self._more_must_come(f"{self._length} bytes before the end of its {what}")
            return None
        return piece

    def _next_of_chunks(self) -> bytes | AnswerEnd | None:
        if self._after_last_chunk:
            return self._end_of_chunks()
        if self._length is None:
            line = self._line()
            if line is None:
                return None
            self._length = self._size_of_chunk(line)
            if self._length == 0:
                self._after_last_chunk = True
                self._unread[:0] = b"\n"  # so that the blank line ends a block of no trailers as well
                return self._end_of_chunks()
        if self._length:
            return self._next_of_length("chunk")
        line = self._line()  # the one that ends the chunk
        if line is None:
            return None
        if line:
            raise BadAnswer("a chunk that is longer than it says")
        self._length = None
        return b""

    def _size_of_chunk(self, line: bytes) -> int:
        size = line.partition(b";")[0].strip(b" \t")
        if not _CHUNK_SIZE.fullmatch(size):
            raise BadAnswer("a chunk without its size")
        self._pieces += 1
        if self._pieces > MOST_PIECES:
            raise TooManyPieces(f"an answer in more than {MOST_PIECES} pieces")
        return int(size, 16)

    def _end_of_chunks(self) -> AnswerEnd | None:
        return None if self._block("trailers") is None else END

    def _line(self) -> bytes | None:
        """Take one line, without its end; None until it has arrived."""
        end = self._unread.find(b"\n", 0, MOST_CHUNK_HEAD_BYTES)
        if end < 0:
            if len(self._unread) >= MOST_CHUNK_HEAD_BYTES:
                raise BadAnswer("a chunk without its size")
            self._more_must_come("in the midst of its chunks")
            return None
        return self._take(end, end + 1).removesuffix(b"\r")

    def _take(self, length: int, and_drop: int = 0) -> bytes:
        """Return the first bytes of what is unread, and drop them, or more."""
        taken = bytes(self._unread[:length])
        del self._unread[: max(length, and_drop)]
        self._searched = 0
        return taken

    def _more_must_come(self, where: str) -> None:
        if self._has_ended:
            raise BadAnswer(f"the backend closed the connection {where}")


def _head(block: bytes) -> AnswerHead:
    first, *lines = (line.removesuffix(b"\r") for line in block.split(b"\n"))
    status = _STATUS_LINE.fullmatch(first)
    if status is None or b"\r" in block.replace(b"\r\n", b"").removesuffix(b"\r") or b"\0" in block:
        raise BadAnswer("no HTTP/1.1")
    headers: list[tuple[bytes, bytes]] = []
    for line in lines:
        if line[:1] in (b" ", b"\t") and headers:  # an old way to continue a line
            headers[-1] = (headers[-1][0], b"%b %b" % (headers[-1][1], line.strip(b" \t")))
            continue
        name, colon, value = line.partition(b":")
        if not colon or not _TOKEN.fullmatch(name):
            raise BadAnswer("a header without a name")
        headers.append((name, value.strip(b" \t")))
    version, code, reason = status.groups()
    return AnswerHead(int(code), reason or b"", headers, version)


def _values(head: AnswerHead, name: bytes) -> list[bytes]:
    """Return all values of a header, in lower case."""
    found = [value for key, value in head.headers if key.lower() == name]
    return [part.strip(b" \t").lower() for value in found for part in value.split(b",")]
