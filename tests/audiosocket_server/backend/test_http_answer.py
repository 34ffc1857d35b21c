"""HTTP answers as bytes: read as h11 reads them, however they are cut, and with little work in each step."""

import contextlib

import h11
import pytest
from audiosocket_server.backend import http_answer
from audiosocket_server.backend.http_answer import (
    END,
    AnswerHead,
    AnswerReader,
    BadAnswer,
    TooManyPieces,
    request_bytes,
)
from hypothesis import example, given
from hypothesis import strategies as st

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

Answer = tuple[int, list[tuple[bytes, bytes]], bytes]


def read(sent: bytes, *, at_a_time: int | None = None, ends: bool = True) -> Answer | None:
    """Status, headers and body; None if more would have to come."""
    reader = AnswerReader()
    step = at_a_time or len(sent) or 1
    head: AnswerHead | None = None
    body = bytearray()
    for at in range(0, len(sent) + 1, step):
        reader.received(sent[at : at + step])
        if at + step >= len(sent) and ends:
            reader.ended()
        while (part := reader.next_part()) is not None:
            if part is END:
                assert head is not None
                return head.status, head.headers, bytes(body)
            if isinstance(part, AnswerHead):
                head = part
            elif isinstance(part, bytes):
                body += part
    return None


def read_by_h11(sent: bytes) -> Answer:
    """The same by h11. Raises h11.RemoteProtocolError."""
    http = h11.Connection(h11.CLIENT)
    http.send(h11.Request(method=b"POST", target=b"/", headers=[(b"Host", b"a")]))
    http.send(h11.EndOfMessage())
    http.receive_data(sent)
    http.receive_data(b"")
    status, headers, body = 0, [], b""
    while not isinstance(event := http.next_event(), h11.EndOfMessage):
        if isinstance(event, h11.Response):
            status, headers = event.status_code, [(bytes(name), bytes(value)) for name, value in event.headers]
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.ConnectionClosed):
            raise h11.RemoteProtocolError("closed")
    return status, headers, body


def plain(headers: list[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """h11 joins what it knows the meaning of, and writes it small."""
    return {name.lower(): value.lower().partition(b",")[0] for name, value in headers}


GOOD = [
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    b"HTTP/1.1 200\r\ncontent-length: 2\r\nX: \t a  \r\n\r\n{}left over",
    b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\nuntil the end",
    b"HTTP/1.1 200 OK\nContent-Length: 2\n\n{}",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\nContent-Length: 2\r\n\r\n{}",
    b"HTTP/1.1 204 No Content\r\nContent-Length: 7\r\n\r\n",
    b"HTTP/1.1 304 Not Modified\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nX: a\r\n  b\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 500 Oops \xe9\r\nContent-Length: 3\r\n\r\nabc",
    CHUNKED + b"2\r\n{}\r\n0\r\n\r\n",
    CHUNKED + b"1;a=b\r\n{\r\n00A\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\nContent-Length: 9\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
]
BAD = [
    b"",
    b"HTTP/1.1 200 OK\r\nContent-Le",
    b"\xff\xff not http\r\n\r\n",
    b"\r\nHTTP/1.1 200 OK\r\n\r\n",
    b"HTTP/2 200 OK\r\n\r\n",
    b"HTTP/1.1 20 OK\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
    b"HTTP/1.1 200 OK\r\na b: c\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n: c\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nA: b\0c\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc",
    b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nabc",
    b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nabc",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
    CHUNKED,
    CHUNKED + b"2\r\n{}",
    CHUNKED + b"2\r\n{}x\r\n0\r\n\r\n",
    CHUNKED + b"z\r\n{}\r\n0\r\n\r\n",
    CHUNKED + b"11111111111111111\r\n{}\r\n",
    CHUNKED + b"5\r\n{}",
    CHUNKED + b"0\r\n",
    CHUNKED + b"0\r\na: b\r\n",
]


@pytest.mark.parametrize("sent", GOOD)
def test_an_answer_is_read_as_h11_reads_it_however_it_is_cut(sent: bytes) -> None:
    status, headers, body = read_by_h11(sent)
    for at_a_time in (None, 1, 2, 7):
        got = read(sent, at_a_time=at_a_time)
        assert got is not None
        assert (got[0], plain(got[1]), got[2]) == (status, plain(headers), body)


@pytest.mark.every(3)
@pytest.mark.parametrize("sent", BAD)
def test_what_h11_refuses_is_refused(sent: bytes) -> None:
    with pytest.raises(h11.RemoteProtocolError):
        read_by_h11(sent)
    for at_a_time in (None, 1):
        with pytest.raises(BadAnswer):
            read(sent, at_a_time=at_a_time)


@pytest.mark.parametrize("sent", [each[:-1] for each in BAD if each.startswith(CHUNKED)] + [b"HTTP/1.1 2", b""])
def test_while_the_connection_is_open_more_may_come(sent: bytes) -> None:
    with contextlib.suppress(BadAnswer):
        assert read(sent, ends=False) is None


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        (b"", "the backend closed the connection without an answer"),
        (b"HTTP/1.1 200 OK\r\n", "the backend closed the connection in its headers"),
        (GOOD[0][:-1], "the backend closed the connection 1 bytes before the end of its answer"),
        (CHUNKED + b"5\r\nab", "the backend closed the connection 3 bytes before the end of its chunk"),
        (CHUNKED + b"5", "the backend closed the connection in the midst of its chunks"),
        (b"<html>\r\n\r\n", "no HTTP/1.1"),
    ],
)
def test_what_is_wrong_is_said(sent: bytes, why: str) -> None:
    with pytest.raises(BadAnswer) as caught:
        read(sent)
    assert str(caught.value) == why


@pytest.mark.every(3)
@pytest.mark.parametrize("at_a_time", [None, 10_000])
@pytest.mark.parametrize(
    "sent",
    [
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 40_000,
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 40_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"a:b\r\n" * 300,
        b"HTTP/1.1 200 OK\r\n" + b"a:b\r\n" * 300 + b"\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 30,
        CHUNKED + b"0" * 2_000,
        CHUNKED + b"0\r\n" + b"a:b\r\n" * 300,
        CHUNKED + b"2\r\n{}" + b" " * 2_000,
    ],
)
def test_endless_heads_are_refused_before_the_connection_ends(sent: bytes, at_a_time: int | None) -> None:
    with pytest.raises(BadAnswer):
        read(sent, at_a_time=at_a_time, ends=False)


def test_an_answer_of_too_many_pieces_is_refused() -> None:
    pieces = b"1\r\n \r\n" * http_answer.MOST_PIECES
    assert read(CHUNKED + pieces, ends=False) is None
    with pytest.raises(TooManyPieces, match="more than 10000 pieces"):
        read(CHUNKED + pieces + b"1\r\n \r\n", ends=False)


@given(st.binary(max_size=80), st.sampled_from([b"", b"HTTP/1.1 200 OK\r\n", CHUNKED]), st.integers(1, 9))
@example(b"", b"", 1)
def test_any_bytes_are_an_answer_or_a_bad_one(noise: bytes, start: bytes, at_a_time: int) -> None:
    with contextlib.suppress(BadAnswer):
        read(start + noise, at_a_time=at_a_time)


def test_a_request_is_written_as_h11_reads_it() -> None:
    headers = [(b"Host", b"backend.test"), (b"Content-Length", b"2")]
    http = h11.Connection(h11.SERVER)
    http.receive_data(request_bytes("POST", b"/messages?a=b", headers, b"{}"))
    request, data, end = http.next_event(), http.next_event(), http.next_event()
    assert isinstance(request, h11.Request)
    assert (request.method, request.target, request.headers.raw_items()) == (b"POST", b"/messages?a=b", headers)
    assert isinstance(data, h11.Data)
    assert (data.data, type(end)) == (b"{}", h11.EndOfMessage)


@pytest.mark.parametrize(
    ("target", "value"),
    [(b"/", b"a\r\nB: c"), (b"/", b"a\nb"), (b"/", b"a\0b"), (b"/ HTTP/1.1", b"a"), (b"/\r\n", b"a")],
)
def test_a_request_cannot_smuggle_a_header(target: bytes, value: bytes) -> None:
    with pytest.raises(ValueError, match="that HTTP does not allow"):
        request_bytes("GET", target, [(b"A", value)], b"")
