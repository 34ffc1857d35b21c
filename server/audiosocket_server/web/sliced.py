"""Long answers in slices, one a turn of the event loop, so that no list holds up the frames of a call."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from typing import TypeVar

__all__ = ["JSON_PIECES_AT_ONCE", "json_bytes", "sliced"]

JSON_PIECES_AT_ONCE = 1000
"""How many pieces of JSON are written in one turn of the loop: a millisecond at most."""

_Item = TypeVar("_Item")

# Written in Python, piece by piece: `json.dumps` writes all in one go, during which nothing else runs in any thread.
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


async def sliced(items: Iterable[_Item], at_once: int) -> AsyncIterator[_Item]:
    """Yield the items; after every `at_once` of them the event loop has a turn."""
    for number, item in enumerate(items, 1):
        yield item
        if number % at_once == 0:
            await asyncio.sleep(0)


async def json_bytes(content: object) -> bytes:
    """Return `content` as compact JSON in UTF-8. An unpaired surrogate, which UTF-8 cannot encode, becomes `?`."""
    slices: list[bytes] = []
    pieces: list[str] = []
    async for piece in sliced(_ENCODER.iterencode(content), JSON_PIECES_AT_ONCE):
        pieces.append(piece)
        if len(pieces) == JSON_PIECES_AT_ONCE:
            slices.append("".join(pieces).encode("utf-8", "replace"))
            pieces.clear()
    return b"".join([*slices, "".join(pieces).encode("utf-8", "replace")])
