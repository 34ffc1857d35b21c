"""What a process of this machine holds: open descriptors, threads, memory (Linux: /proc)."""

import os
from pathlib import Path

from audiosocket_sim.conformance.case import Resources

__all__ = ["resources_of"]


def resources_of(pid: int | None) -> Resources | None:
    """Return what the process holds now; None if it is not known, gone, or this system does not tell."""
    if pid is None:
        return None
    process = Path("/proc") / str(pid)
    try:
        descriptors = len(os.listdir(process / "fd"))
        threads = len(os.listdir(process / "task"))
        pages = int((process / "statm").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return None
    return Resources(descriptors, threads, pages * os.sysconf("SC_PAGE_SIZE"))
