"""Texts as a page shows them: on one line, nothing hidden in them, and not too long. Pure."""

from audiosocket_sim.call_log.transcript import visible

__all__ = ["cut", "shown"]

_MOST_TEXT = 2000


def shown(text: str) -> str:
    """Return the text on one line, with control characters as escapes, cut where it is very long."""
    return cut(visible(text))


def cut(text: str) -> str:
    """Return the text, or its beginning and how much is missing."""
    return text if len(text) <= _MOST_TEXT else f"{text[:_MOST_TEXT]}… ({len(text) - _MOST_TEXT:,} characters more)"
