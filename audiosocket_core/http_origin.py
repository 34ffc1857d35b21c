"""Does a web page send this request, and under a name of its own? Pure.

A page that a user visits can send requests to programs on his machine. `Sec-Fetch-Site` and `Origin`, which only
browsers send, show one of another origin. The same page under a host name that its owner lets point to this machine
(DNS rebinding) is of the same origin for the browser; `Host` shows it.
"""

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

__all__ = ["names_no_public_host", "names_this_machine", "of_another_origin"]

_PRIVATE_ENDINGS = (".localhost", ".local", ".internal")
"""Names that nobody can register (RFC 6761, RFC 6762, ICANN 2024), such as host.docker.internal."""


def of_another_origin(headers: Mapping[str, str]) -> bool:
    """Return True if the request comes from a page of another origin. The keys of `headers` are in lower case."""
    if headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        return True
    origin = headers.get("origin")
    try:
        return origin is not None and urlsplit(origin).netloc != headers.get("host")
    except ValueError:
        return True


def names_this_machine(host: str) -> bool:
    """Return True for localhost and for IP addresses: the names that no foreign DNS can point to this machine."""
    name = _name(host)
    return name == "localhost" or name.endswith(".localhost") or _is_address(name)


def names_no_public_host(host: str) -> bool:
    """Return True for the names that nobody can own in public: those above, and those of a private network.

    `host` is a header of that name. Names without a dot are private: containers call each other by them.
    """
    name = _name(host)
    return (bool(name) and "." not in name) or name.endswith(_PRIVATE_ENDINGS) or _is_address(name)


def _name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
