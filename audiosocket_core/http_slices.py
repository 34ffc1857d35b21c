"""Gives an HTTP protocol what arrives in small slices, one a turn of the event loop.

A read holds up to 256 kB, and so up to 40,000 chunks of one byte, or a head of thousands of lines. uvicorn's protocol
works through all of it in one go, which takes half a second, and in that time nothing else of the loop gets its turn.
"""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = ["InSlices"]

SLICE_BYTES = 500
"""At most 80 chunks, which take a millisecond."""
MOST_HEAD_LINES = 200
"""The most header lines of a request. Browsers and proxies send far fewer."""
_TOO_MANY_LINES = (
    b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\nconnection: close\r\ncontent-length: 16\r\n\r\n"
    b"too many headers"
)


class InSlices(asyncio.Protocol):
    """Stands between a transport and `http`, and passes everything else on.

    Nothing is read while slices are left, and none is passed on while `http` has paused reading.
    """

    def __init__(self, http: "H11Protocol") -> None:
        self._http = http
        self._loop = asyncio.get_running_loop()
        self._left = bytearray()
        self._next: asyncio.Handle | None = None
        self._is_wanted = True
        self._head_lines = 0
        self._request: object = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Hand the transport on."""
        self._transport = cast("asyncio.Transport", transport)
        self._http.connection_made(cast("asyncio.Transport", _Reading(self._transport, self._want)))

    def data_received(self, data: bytes) -> None:
        """Pass on what has arrived, or a slice of it."""
        if self._is_wanted and not self._left and len(data) <= SLICE_BYTES:  # nearly always
            self._pass_on(data)
            return
        self._left += data
        self._read_or_go_on()

    def eof_received(self) -> None:
        """Pass the end on: all slices before it have been."""
        self._http.eof_received()

    def connection_lost(self, error: Exception | None) -> None:
        """Pass the loss on, and forget what is left."""
        self._forget()
        self._http.connection_lost(error)

    def pause_writing(self) -> None:
        """Pass it on."""
        self._http.pause_writing()

    def resume_writing(self) -> None:
        """Pass it on."""
        self._http.resume_writing()

    def _want(self, is_wanted: bool) -> None:
        self._is_wanted = is_wanted
        self._read_or_go_on()

    def _read_or_go_on(self) -> None:
        assert self._transport is not None
        if self._is_wanted and not self._left:
            self._transport.resume_reading()
            return
        self._transport.pause_reading()
        if self._is_wanted and self._next is None:
            self._next = self._loop.call_soon(self._pass_on_a_slice)

    def _pass_on_a_slice(self) -> None:
        self._next = None
        data = bytes(self._left[:SLICE_BYTES])
        del self._left[:SLICE_BYTES]
        self._pass_on(data)
        assert self._transport is not None
        if self._transport.is_closing():
            self._forget()
        else:
            self._read_or_go_on()

    def _pass_on(self, data: bytes) -> None:
        if self._is_too_long_a_head(data):
            assert self._transport is not None
            self._transport.write(_TOO_MANY_LINES)
            self._transport.close()
            return
        self._http.data_received(data)
        if self._http.cycle is not self._request:
            self._request, self._head_lines = self._http.cycle, 0

    def _is_too_long_a_head(self, data: bytes) -> bool:
        from h11 import IDLE

        if self._http.conn.their_state is not IDLE:
            return False
        self._head_lines += data.partition(b"\r\n\r\n")[0].count(b"\n")
        return self._head_lines > MOST_HEAD_LINES

    def _forget(self) -> None:
        self._left.clear()
        if self._next is not None:
            self._next.cancel()
            self._next = None


class _Reading:
    """A transport whose reading is paused and resumed through `want`."""

    def __init__(self, transport: asyncio.Transport, want: Callable[[bool], None]) -> None:
        self._transport = transport
        self._want = want

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def pause_reading(self) -> None:
        self._want(False)

    def resume_reading(self) -> None:
        self._want(True)
