"""Splits a text into sentences, so that the first one is played while the next is synthesised. Pure."""

import re

__all__ = ["sentences"]

_MOST_LETTERS = 200  # about 13 s of speech
_END = re.compile(r"(?<=[.!?…])[\"”»)]*\s+|\n+")
_CLAUSE = re.compile(r"(?<=[,;:—])\s+")
_NO_END = re.compile(r"\b(?:sr|sra|srs|dr|dra|prof|av|apto|ap|bl|nº|n|mr|mrs|ms|st|[a-z])\.$", re.IGNORECASE)


def sentences(text: str) -> list[str]:
    """Return the sentences in order, very long ones in several pieces. No piece is blank."""
    found: list[str] = []
    for piece in _END.split(text):
        if found and _NO_END.search(found[-1]):
            found[-1] += f" {piece}"
        else:
            found.append(piece)
    return [piece for sentence in found for piece in _short(" ".join(sentence.split())) if piece]


def _short(sentence: str) -> list[str]:
    """Split a long sentence after clauses, or between words if a clause is too long."""
    if len(sentence) <= _MOST_LETTERS:
        return [sentence]
    pieces = [""]
    for clause in _CLAUSE.split(sentence):
        words = [clause] if len(clause) <= _MOST_LETTERS else clause.split()
        for word in words:
            if pieces[-1] and len(pieces[-1]) + 1 + len(word) > _MOST_LETTERS:
                pieces.append(word)
            else:
                pieces[-1] = f"{pieces[-1]} {word}".strip()
    return pieces
