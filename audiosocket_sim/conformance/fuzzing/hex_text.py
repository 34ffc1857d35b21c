"""Bytes as people read and write them: `10 01 40 00*320`. Pure."""

import re
from itertools import groupby

__all__ = ["bytes_from", "hex_text"]

_TOKEN = re.compile(r"([0-9a-fA-F]{2})(?:\*(\d{1,5}))?")
_FROM_RUN = 4
MOST_BYTES = 1_000_000


def hex_text(data: bytes) -> str:
    """Return two hex digits a byte; four or more of the same are one, with their number: `00*320`."""
    words: list[str] = []
    for value, same in groupby(data):
        count = sum(1 for _ in same)
        words += [f"{value:02x}*{count}"] if count >= _FROM_RUN else [f"{value:02x}"] * count
    return " ".join(words)


def bytes_from(text: str) -> bytes:
    """Return the bytes of such a text. Raises ValueError, whose text names the word that is none."""
    data = bytearray()
    for word in text.split():
        found = _TOKEN.fullmatch(word)
        if found is None:
            raise ValueError(f"{word[:20]!r} is no byte: expected two hex digits, or 00*320 for 320 of them")
        data += bytes([int(found[1], 16)]) * int(found[2] or 1)
        if len(data) > MOST_BYTES:
            raise ValueError(f"more than {MOST_BYTES} bytes")
    return bytes(data)
