"""Compares two texts as people say them: number by number and word by word, in Portuguese, English and Spanish. Pure.

`terms_of` brings a text into a form in which a recogniser's writing does not count: case, accents, punctuation, numbers
in digits or in words, sums of money, times of day. `compare` aligns two such texts, and `difference` shows the result.
Knows nothing of calls.
"""

from audiosocket_sim.words.comparison import Pair, WordComparison, compare
from audiosocket_sim.words.difference import difference
from audiosocket_sim.words.languages import language_of_texts, likely_language
from audiosocket_sim.words.pattern import WordPattern
from audiosocket_sim.words.terms import Term, plain_text, terms_of

__all__ = [
    "Pair",
    "Term",
    "WordComparison",
    "WordPattern",
    "compare",
    "difference",
    "language_of_texts",
    "likely_language",
    "plain_text",
    "terms_of",
]
