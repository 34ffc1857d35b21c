"""What an HTTP request shows of the call to which it belongs."""

from typing import TYPE_CHECKING

from audiosocket_sim.net.pairing import Evidence, evidence_of

if TYPE_CHECKING:
    from starlette.requests import Request

__all__ = ["evidence_in"]


def evidence_in(request: "Request", body: bytes) -> Evidence:
    """Return the evidence in a request, whose body has been read."""
    client = request.client
    return evidence_of(
        f"{request.url.path}?{request.url.query}",
        request.headers.values(),
        body,
        (client.host, client.port) if client else None,
    )
