"""The frames of the Speech SDK's websocket protocol ("USP"): header lines and a body, as text or as binary.

Text: header lines, an empty line, the body. Binary: the length of the header block as 2 bytes, big-endian; header
lines, each ended by CRLF; the payload. Pure. The meaning of frames is in `client_requests` and `messages`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Frame", "MalformedFrame", "pack", "unpack"]

_LARGEST_HEADER_BYTES = 8192


class MalformedFrame(ValueError):
    """A websocket message is not a frame of this protocol. One line that says why."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame. `path` is its type, `request_id` its turn. A binary frame has a `bytes` body, a text frame a `str`."""

    path: str
    request_id: str
    body: str | bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    """Further headers. In a received frame: all headers, their names in lower case."""


def unpack(data: str | bytes) -> Frame:
    """Return a websocket message as a frame; header names may be in any case. Raises MalformedFrame only."""
    if isinstance(data, str):
        block, blank, text = data.partition("\r\n\r\n")
        if not blank:
            raise MalformedFrame("a text frame needs an empty line between its headers and its body")
        return _frame(block, text)
    size = int.from_bytes(data[:2], "big")
    if len(data) < 2 or len(data) < 2 + size:
        raise MalformedFrame(f"a binary frame of {len(data)} bytes is too short for its headers")
    try:
        block = data[2 : 2 + size].decode()
    except UnicodeDecodeError:
        raise MalformedFrame("the headers of a binary frame are not UTF-8") from None
    return _frame(block, data[2 + size :])


def pack(frame: Frame) -> str | bytes:
    """Return a frame as a websocket message: `str` for a text body, `bytes` for a binary one.

    The case of the header names matters to clients.
    """
    headers = {"X-RequestId": frame.request_id, "Path": frame.path, **frame.headers}
    block = "".join(f"{name}:{value}\r\n" for name, value in headers.items())
    if isinstance(frame.body, str):
        return f"{block}\r\n{frame.body}"
    return len(block.encode()).to_bytes(2, "big") + block.encode() + frame.body


def _frame(block: str, body: str | bytes) -> Frame:
    if len(block) > _LARGEST_HEADER_BYTES:
        raise MalformedFrame(f"headers of more than {_LARGEST_HEADER_BYTES} bytes")
    headers: dict[str, str] = {}
    for line in block.split("\r\n"):
        if not line:
            continue
        name, colon, value = line.partition(":")
        if not colon:
            raise MalformedFrame(f"the header line {line[:40]!r} has no colon")
        headers[name.strip().lower()] = value.strip()
    if not headers.get("path"):
        raise MalformedFrame("a frame needs the header Path")
    return Frame(headers["path"], headers.get("x-requestid", ""), body, headers)
