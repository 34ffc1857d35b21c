"""Splits a message into the pieces that are synthesised one after the other: the first clause alone, then more. Pure.

The first piece is short, because the caller waits for it. Each other piece is so short that it is made before the sound
of the pieces before it has been played, if the message has such a place: it is cut only where a speaker pauses.
"""

import re

from audiosocket_server.speech.local.sentences import sentences

__all__ = ["ENDS_A_CLAUSE", "pieces"]

ENDS_A_CLAUSE = (",", ";", ":", "—")
"""A piece that ends with one of these goes on with the next; after any other, the sentence has ended."""

_CLAUSE = re.compile(r"(?<=[,;:—])\s+")
# Where there is no comma, a long clause may be cut before words with which a speaker often draws breath. No number has
# them («vinte e um»).
_BREATH = re.compile(
    r"\s+(?=(?:ou|mas|porque|pois|quando|enquanto|sobre|para|pelo|pela|com|sem|até|desde|às|depois|antes|agora|hoje|"
    r"e (?:o|a|os|as|eu|você|ele|ela|já|não|se|depois)|"
    r"or|but|because|when|while|about|for|with|without|until|after|before|and (?:the|I|you|we|he|she|then))\s)"
)
_LONG_LETTERS = 30  # from here on a clause without a comma may be cut: about 2 s
_BREATH_LETTERS = 16  # of the sentence before such a cut
_LEAST_LETTERS = 8  # of a piece that is not a whole sentence: about half a second

_COST = 0.4  # a second of speech is made in so many seconds; all pieces have about as many letters a second


def pieces(text: str) -> list[str]:
    """Return the pieces in order; none is blank. Where a clause is cut, the piece gets a comma, which is not said."""
    found: list[str] = []
    ahead = 0.0  # letters that are still to be played when the synthesis of the next piece begins
    for sentence in sentences(text):
        clauses = _clauses(sentence)
        while clauses:
            count = _first(clauses) if not found else _next(clauses, ahead)
            piece = " ".join(clauses[:count])
            del clauses[:count]
            ahead = max(0.0, ahead - (_COST * len(piece) if found else 0.0)) + len(piece)
            found.append(f"{piece}," if clauses and not piece.endswith(ENDS_A_CLAUSE) else piece)
    return found


def _clauses(sentence: str) -> list[str]:
    """Split at commas, and a long clause before certain words too; very short clauses stay with their neighbours."""
    found: list[str] = []
    for clause in _CLAUSE.split(sentence):
        for number, part in enumerate(_BREATH.split(clause) if len(clause) > _LONG_LETTERS else [clause]):
            least = _BREATH_LETTERS if number else _LEAST_LETTERS
            if found and (len(found[-1]) < least or len(part) < _LEAST_LETTERS):
                found[-1] += f" {part}"
            else:
                found.append(part)
    return found


def _first(clauses: list[str]) -> int:
    """Return of how many clauses the message's first piece is made: the least after which there is no gap."""
    for count in range(1, len(clauses)):
        if _COST * len(clauses[count]) <= len(" ".join(clauses[:count])):
            return count
    return len(clauses)


def _next(clauses: list[str], ahead: float) -> int:
    """Return of how many clauses the next piece is made: as many as are ready in time, at least one."""
    count = len(clauses)
    while count > 1 and _COST * len(" ".join(clauses[:count])) > ahead:
        count -= 1
    return count
