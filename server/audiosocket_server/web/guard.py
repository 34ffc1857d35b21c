"""Who may use the control API: the token, pages of other origins, other names of this machine. And the headers of every
answer. Looks at requests only; knows no call.

Three dangers, three looks. Other people on the network: a token, without which the server does not start on such an
address (`config.Server`). A web page that somebody visits and that asks for our address: `Sec-Fetch-Site` and `Origin`.
The same under a name of its own that leads to loopback (DNS rebinding): `Host`.
"""

import hmac
import ipaddress
import json
from urllib.parse import urlsplit

from pydantic import SecretStr
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["HEADERS", "AccessGuard", "json_error"]

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class AccessGuard:
    """ASGI around the app. `open_paths`: what holds nothing private (the page's own files), for everybody."""

    def __init__(self, app: ASGIApp, token: SecretStr | None, open_paths: frozenset[str]) -> None:
        self._app = app
        self._token = token
        self._open_paths = open_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        refusal = self._refusal(str(scope.get("path", "")), Headers(scope=scope))
        await (refusal or self._app)(scope, receive, with_headers)

    def _refusal(self, path: str, headers: Headers) -> Response | None:
        if self._token is None and not _names_this_machine(headers.get("host", "")):
            return json_error(403, "ask by an address or as localhost: without a token no other name is answered to")
        if path in self._open_paths:
            return None
        if _of_another_origin(headers):
            return json_error(403, "not from a page of another origin")
        if self._token is not None and not _has(headers, self._token):
            return json_error(401, "a token is needed: Authorization: Bearer …", {"WWW-Authenticate": "Bearer"})
        return None


def json_error(status: int, line: str, headers: dict[str, str] | None = None) -> Response:
    """The form of every error of this API."""
    body = json.dumps({"error": line}, ensure_ascii=False).encode("utf-8", "replace")
    return Response(body, status, headers, "application/json")


def _has(headers: Headers, token: SecretStr) -> bool:
    scheme, _, given = headers.get("authorization", "").partition(" ")
    wanted = token.get_secret_value().encode()
    return scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode("latin-1", "replace"), wanted)


def _of_another_origin(headers: Headers) -> bool:
    """Browsers say from where a request comes; a backend, curl and Prometheus say nothing."""
    if headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        return True
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != headers.get("host")


def _names_this_machine(host: str) -> bool:
    """An address is no name that somebody's DNS could point here; `localhost` is ours by definition."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
