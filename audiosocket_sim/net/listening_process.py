"""Which process of this machine listens on a port, by Linux's /proc. Blocks for a few milliseconds."""

import contextlib
import os
from pathlib import Path

__all__ = ["listening_process"]

_LISTENS = "0A"
"""The state TCP_LISTEN in /proc/net/tcp."""


def listening_process(port: int, proc: Path = Path("/proc")) -> int | None:
    """Return the id of the oldest process that listens on the TCP port.

    None if there is none, if it is another user's (a container's proxy, say), or if the system has no such files.
    """
    inodes = [inode for table in ("tcp", "tcp6") for inode in _listening_inodes(port, proc / "net" / table)]
    sockets = {f"socket:[{inode}]" for inode in inodes}
    if not sockets:
        return None
    with contextlib.suppress(OSError):
        for pid in sorted(int(name) for name in os.listdir(proc) if name.isdecimal()):
            if _holds_one_of(sockets, proc / str(pid) / "fd"):
                return pid
    return None


def _listening_inodes(port: int, table: Path) -> list[str]:
    try:
        lines = table.read_text(encoding="ascii").splitlines()[1:]
    except OSError:
        return []
    fields = [line.split() for line in lines]
    return [field[9] for field in fields if field[3] == _LISTENS and field[1].endswith(f":{port:04X}")]


def _holds_one_of(sockets: set[str], descriptors: Path) -> bool:
    with contextlib.suppress(OSError):
        for number in os.listdir(descriptors):
            with contextlib.suppress(OSError):  # it was closed meanwhile
                if os.readlink(descriptors / number) in sockets:
                    return True
    return False
