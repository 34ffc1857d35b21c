"""Decides whether heard words are those of `bot_says`, and shows the difference. Pure.

A text from a phrase book is exact, and is compared exactly unless `words` allows errors. What a recogniser has read is
compared in words, whose writing does not count.
"""

import re
import unicodedata
from functools import lru_cache

from audiosocket_core.phrase_book.book import normalise
from audiosocket_sim.call_log.events import BotSpoke
from audiosocket_sim.scenario import BotSays
from audiosocket_sim.scenario.bot_words import compiled_pattern
from audiosocket_sim.words import WordComparison, compare, difference, plain_text

__all__ = ["READ", "has_part", "said_by", "word_by_word"]

READ = "recogniser"
"""The `voice` of speech that a reader has read."""


def has_part(whole: str, part: str) -> bool:
    """Return whether a text is in another, without regard to case, accents and punctuation. A number is no part of a
    longer one: `apartamento 20` is not in `apartamento 202`."""
    wanted = re.escape(normalise(part))
    return re.search(rf"(?<!\d(?=\d)){wanted}(?!(?<=\d)\d)", normalise(whole)) is not None


def said_by(event: BotSpoke, wanted: BotSays) -> bool:
    """Return whether the words of this speech are what is wanted, even if it was cut off."""
    if event.text is None:
        return False
    if wanted.judge is not None:
        return True  # whether the words are right is asked after the call
    if wanted.pattern is not None:
        return _matches(wanted.pattern, event.text)
    return any(_is_said(event.text, text, wanted, read=event.voice == READ) for text in wanted.texts)


def word_by_word(event: BotSpoke, wanted: BotSays) -> str | None:
    """Return how the heard words differ from the nearest of the wanted texts; None where they are compared exactly."""
    if (
        event.text is None
        or not wanted.texts
        or wanted.judge is not None
        or (wanted.words is None and event.voice != READ)
    ):
        return None
    found = max((_compared(text, event.text, wanted.part) for text in wanted.texts), key=lambda c: c.share)
    shown = f"word by word: {difference(found)}"
    if wanted.words is not None and found.share >= wanted.words:
        if found.other_numbers:
            return f"{shown}: a number that is another one is not tolerated"
        if found.is_denied:
            return f"{shown}: a “não” (not, no) that is missing or too many is not tolerated"
    return shown


def _is_said(heard: str, text: str, wanted: BotSays, *, read: bool) -> bool:
    exact, spoken = normalise(text), normalise(heard)
    if has_part(heard, text) if wanted.part else (exact == spoken):
        return True
    if wanted.words is None and not read:
        return False
    return _compared(text, heard, wanted.part).is_within(1.0 if wanted.words is None else wanted.words)


@lru_cache(maxsize=512)
def _compared(text: str, heard: str, part: bool) -> WordComparison:
    """Compare two texts once: an expectation is looked at again with every event."""
    return compare(text, heard, part=part)


@lru_cache(maxsize=512)
def _matches(pattern: str, heard: str) -> bool:
    found = compiled_pattern(pattern)
    decomposed = unicodedata.normalize("NFKD", heard)
    bare = "".join(c for c in decomposed if not unicodedata.combining(c))
    return any(found.is_in(text) for text in (bare, plain_text(heard)))
