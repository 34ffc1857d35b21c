"""Would a connection to one address reach what listens at another? For programs that must not be their own target."""

import contextlib
import socket

__all__ = ["reaches"]

_ANY = frozenset({"", "0.0.0.0", "::"})


def reaches(to: tuple[str, int], listening: tuple[str, int]) -> bool:
    """Return True if a connection to `to` (host, port) arrives at what listens on `listening`, on this machine.

    A port 0 in `listening`, which means any free one, is never reached. Blocks: it resolves names.
    """
    if to[1] != listening[1] or not to[1]:
        return False
    wanted = _addresses("localhost" if to[0] in _ANY else to[0])
    if listening[0] in _ANY:
        return any(_is_own(family, address) for family, address in wanted)
    return not wanted.isdisjoint(_addresses(listening[0]))


def _addresses(host: str) -> set[tuple[int, str]]:
    """Return the (family, address) pairs of a host; none if it is not known."""
    with contextlib.suppress(OSError, UnicodeError):
        return {(found[0], str(found[4][0])) for found in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    return set()


def _is_own(family: int, address: str) -> bool:
    """Whether the address is one of this machine's: only such a one can be bound."""
    try:
        with socket.socket(family) as probe:
            probe.bind((address, 0))
    except OSError:
        return False
    return True
