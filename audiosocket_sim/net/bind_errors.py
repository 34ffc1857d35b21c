"""Explains in one line for people why a server cannot listen at an address."""

import os
from errno import EADDRINUSE

__all__ = ["why_not_listening"]


def why_not_listening(error: OSError, host: str, port: int, flag: str = "--port") -> str:
    """Return one line that explains the error of a bind. `flag`: the option that chooses another port.

    asyncio repeats the address in `strerror`, so the text is made from `errno`.
    """
    if error.errno == EADDRINUSE:
        return f"port {port} on {host} is in use: end what listens there, or choose another with {flag}"
    reason = os.strerror(error.errno).lower() if error.errno and error.errno > 0 else str(error)
    return f"cannot listen on {host}:{port}: {reason}"
