"""Why nothing can listen at an address, in one line for people: all that this does."""

import os
from errno import EADDRINUSE

__all__ = ["why_not_listening"]


def why_not_listening(error: OSError, host: str, port: int, flag: str = "--port") -> str:
    """`flag` chooses another port. asyncio puts the address into `strerror`, a second time, so that is not used."""
    if error.errno == EADDRINUSE:
        return f"port {port} on {host} is in use: end what listens there, or choose another with {flag}"
    reason = os.strerror(error.errno).lower() if error.errno and error.errno > 0 else str(error)
    return f"cannot listen on {host}:{port}: {reason}"
