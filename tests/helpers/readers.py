"""Readers for tests: `helpers.readers:of_the_book` reads the callers' recordings by their sound."""

import asyncio
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Any

from audiosocket_core.phrase_book.book import PhraseBook
from audiosocket_core.phrase_book.matching import Matcher

ROOT = Path(__file__).resolve().parents[2]

calls: Counter[str] = Counter()
"""How often each reader was called."""


@lru_cache(maxsize=1)
def _matcher() -> Matcher:
    return Matcher(PhraseBook.load(ROOT / "recordings").phrases)


def _text(pcm: bytes) -> str:
    listening = _matcher().listen()
    listening.feed(pcm)
    return " ".join(match.phrase.text for match in listening.matches())


def of_the_book(pcm: bytes, rate_hz: int, language: str) -> dict[str, Any]:
    calls[f"of_the_book {language}"] += 1
    text = _text(pcm)
    words = [
        {"text": word, "start_ms": 300 + 100 * at, "end_ms": 400 + 100 * at, "confidence": 0.5}
        for at, word in enumerate(text.split())
    ]
    return {"text": text, "words": words, "confidence": 0.875}


async def in_a_loop(pcm: bytes, rate_hz: int, language: str) -> str:
    await asyncio.sleep(0)
    return _text(pcm).casefold()


def nothing(pcm: bytes, rate_hz: int, language: str) -> str:
    return ""


def broken(pcm: bytes, rate_hz: int, language: str) -> str:
    raise ValueError("no\nmodel")


def numbers(pcm: bytes, rate_hz: int, language: str) -> object:
    return 5


def two(pcm: bytes, rate_hz: int) -> str:
    return ""


attribute = 5
