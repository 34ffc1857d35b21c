"""Shows how a heard text differs from the expected one, in one line that is read in a terminal. Pure."""

from audiosocket_sim.words.comparison import Pair, WordComparison
from audiosocket_sim.words.terms import Term

__all__ = ["difference"]


def difference(found: WordComparison) -> str:
    """Return the expected text with each error in brackets, and the count.

    `quero [falar → ligar] com o apartamento [202 → 203] [missing: agora] [extra: hoje] (6 of 9 words)`
    """
    right = max(0, found.wanted - found.errors)
    words = "1 word" if found.wanted == 1 else f"{found.wanted} words"
    return f"{' '.join(filter(None, map(_shown, found.pairs)))} ({right} of {words} right, {found.share:.0%})"


def _shown(pair: Pair) -> str:
    if pair.same:
        return " ".join(term.said for term in pair.expected)
    expected, heard = _said(pair.expected), _said(pair.heard)
    if not pair.heard:
        return f"[missing: {expected}]"
    if not pair.expected:
        return f"[extra: {heard}]"
    return f"[{expected} → {heard}]"


def _said(terms: tuple[Term, ...]) -> str:
    return " ".join(term.said or term.plain for term in terms)
