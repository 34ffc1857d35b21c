"""Access guard of the control API: decides which requests are answered, and adds the security headers. Knows no calls.

It guards against three dangers. Other people on the network need the token; beyond loopback the server does not start
without one (`settings.ServerSettings`). A web page that a user visits and that sends requests to this server is
recognised by `Sec-Fetch-Site` and `Origin`. The same page under a host name that resolves to loopback (DNS rebinding)
is recognised by `Host`.
"""

import hmac
import json

from pydantic import SecretStr
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from audiosocket_core.http_origin import names_this_machine, of_another_origin

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
    """ASGI middleware around `app`. `open_paths` need no token: they hold nothing private (the page's own files)."""

    def __init__(self, app: ASGIApp, token: SecretStr | None, open_paths: frozenset[str]) -> None:
        self._app = app
        self._token = token
        self._open_paths = open_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or refuse it with 401 or 403."""

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
        if self._token is None and not names_this_machine(headers.get("host", "")):
            return json_error(403, "without a token the host must be localhost or an IP address, not another name")
        if path in self._open_paths:
            return None
        if of_another_origin(headers):
            return json_error(403, "requests from web pages of another origin are refused")
        if self._token is not None and not _has(headers, self._token):
            return json_error(401, "a token is needed: Authorization: Bearer …", {"WWW-Authenticate": "Bearer"})
        return None


def json_error(status: int, line: str, headers: dict[str, str] | None = None) -> Response:
    """Return an error response in the form of this API: {"error": line}."""
    body = json.dumps({"error": line}, ensure_ascii=False).encode("utf-8", "replace")
    return Response(body, status, headers, "application/json")


def _has(headers: Headers, token: SecretStr) -> bool:
    scheme, _, given = headers.get("authorization", "").partition(" ")
    wanted = token.get_secret_value().encode()
    return scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode("latin-1", "replace"), wanted)
