"""The connections of another process, as the kernel's tables have them."""

import os
from pathlib import Path

__all__ = ["connections_to"]


def connections_to(port: int, pid: int) -> set[tuple[str, int]]:
    """Return the local address of each connection of a process to that port, as the kernel's table has it."""
    inodes = set()
    for fd in Path(f"/proc/{pid}/fd").iterdir():
        try:
            inodes.add(os.readlink(fd).removeprefix("socket:[").removesuffix("]"))
        except OSError:
            continue  # closed meanwhile
    found = set()
    for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]:
        fields = line.split()
        if fields[9] in inodes and fields[2].endswith(f":{port:04X}"):
            address, _, local_port = fields[1].partition(":")
            octets = reversed([int(address[i : i + 2], 16) for i in range(0, 8, 2)])  # in the host's order
            found.add((".".join(map(str, octets)), int(local_port, 16)))
    return found
