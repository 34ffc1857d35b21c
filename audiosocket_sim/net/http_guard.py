"""A guard for the tools' HTTP servers: web pages get no answer, neither by another origin nor by DNS rebinding.

Bots and backends are no browsers, and send no Origin. Knows no calls.
"""

import ipaddress
from collections.abc import Callable
from typing import Any

from audiosocket_core.http_origin import names_no_public_host, of_another_origin

__all__ = ["guarded"]

_WEB_PAGE = "requests from web pages of another origin are refused"
_NAME = "the host must be localhost, an address, or a name of a private network"


def guarded(app: Any, host: str, *, strict: Callable[[str], bool] = lambda _: False) -> Any:
    """Return the ASGI app `app`, behind the guard.

    host: where it listens. Beyond loopback it is there for others, who may know it under any name: then `Host` is
    looked at only for the paths that are `strict`.
    """
    is_private = _is_loopback(host)

    async def guard(scope: Any, receive: Any, send: Any) -> None:
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        why = None
        if of_another_origin(headers):
            why = _WEB_PAGE
        elif (is_private or strict(scope["path"])) and not names_no_public_host(headers.get("host", "")):
            why = _NAME
        if why is None:
            await app(scope, receive, send)
        else:
            from starlette.responses import PlainTextResponse

            await PlainTextResponse(why, 403, {"Connection": "close"})(scope, receive, send)

    return guard


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
