"""HTTP client of the AI backend: one request per question, and either a reply or a classified failure.

There are two kinds of failure, each with its own apology (docs/server.md, The AI backend): `http_error` is a response
that is no valid reply, `unreachable` is no response. Requests are not repeated: the backend may have acted on the first
one already (a resident's phone rings), and the caller, who hears the apology, decides whether to ask again. For the
same reason connections are not kept alive: a connection that the backend has just closed looks like a lost request. The
client knows nothing of calls and speaks no apology.
"""

import asyncio
import json
import ssl
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Literal, cast
from urllib.parse import unquote_to_bytes

import httpx

from audiosocket_server.backend.http_transport import AsyncioTransport
from audiosocket_server.backend.question import Interrupted
from audiosocket_server.backend.reply import BackendReply, ReplyError, parse_reply, read_reply
from audiosocket_server.settings.settings import AiSettings

__all__ = ["AiClient", "BackendError", "BackendReply", "ReplyError", "parse_reply", "read_reply"]

MAX_REDIRECTS = 5
MAX_ANSWER_BYTES = 1_000_000
_HEADERS = [
    (b"User-Agent", b"audiosocket-server"),
    (b"Accept", b"application/json"),
    (b"Accept-Encoding", b"identity"),  # a few kilobytes can be unpacked to gigabytes
    (b"Connection", b"close"),
]


class BackendError(Exception):
    """The backend gave no usable reply. `detail` is one line for the log, without secrets and without what was said."""

    def __init__(self, kind: Literal["http_error", "unreachable"], detail: str) -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind = kind
        self.detail = detail


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    location: str | None
    body: bytes


class AiClient:
    """The client of one server, shared by its calls. Quick to make: certificates are read for the first https request.

    Implements `services.Backend`.
    """

    def __init__(self, settings: AiSettings) -> None:
        self._url = httpx.URL(settings.api_url)
        self._timeout_seconds = settings.timeout_seconds
        self._tells_interruptions = settings.tell_interruptions
        self._http = _Client(
            transport=AsyncioTransport(_certificates),
            trust_env=False,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),  # none: calls must not share a session
            timeout=None,  # `ask` limits the time of the whole answer
        )

    async def ask(self, conversation_id: str, content: str, interrupted: Interrupted | None = None) -> BackendReply:
        """POST {"id": conversation_id, "content": content} and return the reply. Raises BackendError.

        `interrupted` is told too, as a third key, unless the settings say that this backend refuses unknown keys.
        """
        question: dict[str, object] = {"id": conversation_id, "content": content}
        if interrupted is not None and self._tells_interruptions:
            question["interrupted"] = interrupted.to_json()
        try:
            async with asyncio.timeout(self._timeout_seconds):
                answer = await self._post(question)
        except TimeoutError:
            raise BackendError("unreachable", f"no answer within {self._timeout_seconds:g} s") from None
        except httpx.DecodingError as error:
            raise BackendError("http_error", _one_line(error)) from None
        except (httpx.HTTPError, ValueError, OverflowError) as error:  # the last two: a host or port that is impossible
            raise BackendError("unreachable", _one_line(error)) from None
        if not 200 <= answer.status < 300:
            raise BackendError("http_error", f"HTTP {answer.status}")
        try:
            return read_reply(answer.body)
        except ReplyError as error:
            raise BackendError("http_error", str(error)) from None

    async def aclose(self) -> None:
        """Close every connection."""
        await self._http.aclose()

    async def _post(self, question: Mapping[str, object]) -> _Answer:
        """Send the question, and follow redirects.

        The request stays a POST with its body, unless the status is 303, which asks for a GET. httpx, like a browser,
        would turn 301 and 302 into a GET as well, and a redirect to https would lose the question.
        """
        content = json.dumps(question, ensure_ascii=False, separators=(",", ":")).encode()
        request = _request("POST", self._url, content)
        for _ in range(MAX_REDIRECTS + 1):
            answer = await self._send(request)
            if answer.location is None:
                return answer
            url = request.url.join(answer.location)
            if url.scheme not in ("http", "https") or not url.host:
                raise BackendError("http_error", f"HTTP {answer.status} to an address that is not http")
            if answer.status == 303 or request.method == "GET":
                request = _request("GET", url)
            else:
                request = _request("POST", url, content)
        raise BackendError("http_error", f"more than {MAX_REDIRECTS} redirects")

    async def _send(self, request: httpx.Request) -> _Answer:
        response = await self._http.pass_on(request)
        try:
            if response.has_redirect_location:
                return _Answer(response.status_code, response.headers["location"], b"")
            if not response.is_success:
                return _Answer(response.status_code, None, b"")
            return _Answer(response.status_code, None, await _body(response))
        finally:
            await response.aclose()


class _Client(httpx.AsyncClient):
    async def pass_on(self, request: httpx.Request) -> httpx.Response:
        """Send a request that has all its headers. `send` sees to more, which takes a tenth of a question's time.

        respx replaces the method that is called here, which is httpx's own affair: without it `send` does.
        """
        transport_for = getattr(self, "_transport_for_url", None)
        if transport_for is None:
            return await self.send(request, stream=True, follow_redirects=False, auth=None)
        response: httpx.Response = await transport_for(request.url).handle_async_request(request)
        response.request = request
        return response


def _request(method: str, url: httpx.URL, content: bytes | None = None) -> httpx.Request:
    """Make a request with all its headers, which httpx would put together anew for each."""
    headers = [(b"Host", url.netloc), *_HEADERS]
    if url.userinfo:
        headers.append((b"Authorization", b"Basic " + b64encode(unquote_to_bytes(url.userinfo))))
    if content is not None:
        headers += [(b"Content-Type", b"application/json"), (b"Content-Length", b"%d" % len(content))]
    return httpx.Request(method, url, headers=headers, stream=httpx.ByteStream(content or b""))


async def _body(response: httpx.Response) -> bytes:
    """Read the body of an answer. Raises BackendError for one that is compressed or too long."""
    encoding = response.headers.get("content-encoding", "identity")
    if encoding.strip().lower() != "identity":
        raise BackendError("http_error", f"an answer with Content-Encoding {encoding[:40]!r}, which was not asked for")
    length = response.headers.get("content-length", "0")
    body = bytearray()
    if len(length) <= len(str(MAX_ANSWER_BYTES)):
        async for chunk in cast("httpx.AsyncByteStream", response.stream):  # httpx's own loops cost more than the reply
            body += chunk
            if len(body) > MAX_ANSWER_BYTES:
                break
        else:
            return bytes(body)
    raise BackendError("http_error", f"an answer of more than {MAX_ANSWER_BYTES} bytes")


async def _certificates() -> ssl.SSLContext:
    """Read the system's certificates, in the executor: it takes up to 30 ms."""
    context = await asyncio.get_running_loop().run_in_executor(None, httpx.create_ssl_context)
    context.set_alpn_protocols(["http/1.1"])
    return context


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:200]}" if text else type(error).__name__
