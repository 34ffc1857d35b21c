"""HTTP client of the AI backend: one request per question, and either a reply or a classified failure.

There are two kinds of failure, each with its own apology (docs/server.md, The AI backend): `http_error` is a response
that is no valid reply, `unreachable` is no response. Requests are not repeated: the backend may have acted on the first
one already (a resident's phone rings), and the caller, who hears the apology, decides whether to ask again. For the
same reason connections are not kept alive: a connection that the backend has just closed looks like a lost request. The
client knows nothing of calls and speaks no apology.
"""

import asyncio
import contextlib
import ssl
from dataclasses import dataclass
from functools import lru_cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from importlib import import_module
from typing import Literal

import httpx

from audiosocket_server.backend.reply import BackendReply, ReplyError, parse_reply, read_reply
from audiosocket_server.settings.settings import AiSettings

__all__ = ["AiClient", "BackendError", "BackendReply", "ReplyError", "load_network", "parse_reply", "read_reply"]

MAX_REDIRECTS = 5
MAX_ANSWER_BYTES = 1_000_000
_LATE_IMPORTS = ("anyio._backends._asyncio", "anyio.streams.tls", "httpcore._backends.anyio")
_LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=0)


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
        self._http = httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(verify=_no_tls(), trust_env=False, limits=_LIMITS),  # for http:// only
            mounts={"https://": _HttpsTransport()},
            trust_env=False,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),  # none: calls must not share a session
            timeout=None,  # `ask` limits the time of the whole answer
            headers={"User-Agent": "audiosocket-server", "Accept": "application/json"},
        )

    async def ask(self, conversation_id: str, content: str) -> BackendReply:
        """POST {"id": conversation_id, "content": content} and return the reply. Raises BackendError."""
        try:
            async with asyncio.timeout(self._timeout_seconds):
                answer = await self._post({"id": conversation_id, "content": content})
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

    async def _post(self, question: dict[str, str]) -> _Answer:
        """Send the question, and follow redirects.

        The request stays a POST with its body, unless the status is 303, which asks for a GET. httpx, like a browser,
        would turn 301 and 302 into a GET as well, and a redirect to https would lose the question.
        """
        request = self._http.build_request("POST", self._url, json=question)
        for _ in range(MAX_REDIRECTS + 1):
            answer = await self._send(request)
            if answer.location is None:
                return answer
            url = request.url.join(answer.location)
            if url.scheme not in ("http", "https") or not url.host:
                raise BackendError("http_error", f"HTTP {answer.status} to an address that is not http")
            if answer.status == 303 or request.method == "GET":
                request = self._http.build_request("GET", url)
            else:
                request = self._http.build_request("POST", url, json=question)
        raise BackendError("http_error", f"more than {MAX_REDIRECTS} redirects")

    async def _send(self, request: httpx.Request) -> _Answer:
        response = await self._http.send(request, stream=True, follow_redirects=False)
        try:
            if response.has_redirect_location:
                return _Answer(response.status_code, response.headers["location"], b"")
            if not response.is_success:
                return _Answer(response.status_code, None, b"")
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > MAX_ANSWER_BYTES:
                    raise BackendError("http_error", f"an answer of more than {MAX_ANSWER_BYTES} bytes")
            return _Answer(response.status_code, None, bytes(body))
        finally:
            await response.aclose()


def load_network() -> None:
    """Import the modules that httpx would import during the first request, which would stop every call for 30 ms.

    Blocking: call it in the executor.
    """
    for name in _LATE_IMPORTS:
        with contextlib.suppress(ImportError):  # private modules may move; the first request is only slower then
            import_module(name)


@lru_cache(maxsize=1)
def _no_tls() -> ssl.SSLContext:
    """Return an empty TLS context for plain http: httpx would make one per transport, slower than a request."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class _HttpsTransport(httpx.AsyncBaseTransport):
    """HTTP over verified TLS. The certificates take up to 30 ms to read: at the first request only, in the executor."""

    def __init__(self) -> None:
        self._transport: httpx.AsyncHTTPTransport | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self._transport is None:
            try:
                context = await asyncio.get_running_loop().run_in_executor(None, httpx.create_ssl_context)
            except OSError as error:
                raise httpx.ConnectError(f"the certificates cannot be read: {error}") from error
            self._transport = httpx.AsyncHTTPTransport(verify=context, trust_env=False, limits=_LIMITS)
        return await self._transport.handle_async_request(request)

    async def aclose(self) -> None:
        if self._transport is not None:
            await self._transport.aclose()


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:200]}" if text else type(error).__name__
