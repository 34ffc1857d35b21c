"""Turns the name of a call into the name of its folder, whatever characters the name has."""

import hashlib
import re

__all__ = ["safe_file_name"]

_LONGEST_NAME = 100


def safe_file_name(name: str) -> str:
    """Return a valid file name for a call's name: one path component, of at most 109 characters.

    A name that had to be changed gets a checksum at its end, so that two names never share a folder.
    """
    safe = re.sub(r"[^\w.\[\]-]+", "-", name)[:_LONGEST_NAME]
    if safe == name and safe.strip("."):
        return safe
    return f"{safe.strip('.')}-{hashlib.sha256(name.encode(errors='backslashreplace')).hexdigest()[:8]}"
