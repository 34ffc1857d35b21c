"""The connections of another process, as the kernel's tables have them."""

import os
import socket
import sys
from pathlib import Path

__all__ = ["connections_to"]

_TABLES = {"/proc/net/tcp": socket.AF_INET, "/proc/net/tcp6": socket.AF_INET6}


def connections_to(port: int, pid: int) -> set[tuple[str, int]]:
    """Return the local address (IPv4 or IPv6) of each connection of a process to that port, as the kernel has them."""
    inodes = set()
    for fd in Path(f"/proc/{pid}/fd").iterdir():
        try:
            inodes.add(os.readlink(fd).removeprefix("socket:[").removesuffix("]"))
        except OSError:
            continue  # closed meanwhile
    found = set()
    for table, family in _TABLES.items():
        if not Path(table).exists():
            continue  # a machine without IPv6
        for line in Path(table).read_text(encoding="ascii").splitlines()[1:]:
            fields = line.split()
            if fields[9] in inodes and fields[2].endswith(f":{port:04X}"):
                address, _, local_port = fields[1].partition(":")
                found.add((socket.inet_ntop(family, _octets(address)), int(local_port, 16)))
    return found


def _octets(address: str) -> bytes:
    """The octets of an address in the table: words of 32 bits, each a number in the host's order."""
    words = (int(address[at : at + 8], 16) for at in range(0, len(address), 8))
    return b"".join(word.to_bytes(4, sys.byteorder) for word in words)
