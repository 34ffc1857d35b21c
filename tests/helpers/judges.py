"""Judges for tests."""

import asyncio
from typing import Any

from audiosocket_sim import Verdict

asked: list[tuple[str, str]] = []


async def polite(text: str, expected: str, call: Any) -> Verdict:
    await asyncio.sleep(0)
    asked.append((text, expected))
    assert call.name in call.transcript
    return Verdict("subir" in text, "it says where to go" if "subir" in text else "it is\nrude")


def plain(text: str, expected: str, call: Any) -> dict[str, Any]:
    return {"ok": True}


def broken(text: str, expected: str, call: Any) -> Verdict:
    raise LookupError("no key")


def undecided(text: str, expected: str, call: Any) -> str:
    return "perhaps"


def two(text: str, expected: str) -> bool:
    return True


attribute = 5
