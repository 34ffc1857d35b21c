"""Which answer of a cassette a request gets: the next one of the call. Pure.

Requests of different kinds may overtake one another (a transcription and an answer, say). So a request gets the first
unused answer to its own method and path; where its path is not on the cassette, the first to its method. Of the next
few one that asked the same words comes first, since a bot may have several sentences spoken at once.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

from audiosocket_core.phrase_book.book import normalise
from audiosocket_sim.scenario.cassette import RawExchange, question_words

__all__ = ["CassetteOrder", "differs", "name_of"]

_LOOK_AHEAD = 3


class CassetteOrder:
    """The exchanges of a cassette, each used once. again: begin anew when all have been used, as for another call."""

    def __init__(self, exchanges: Sequence[RawExchange], *, again: bool = False) -> None:
        self._exchanges = tuple(replace(each, number=each.number or number) for number, each in enumerate(exchanges, 1))
        self._again = again
        self._left = dict(enumerate(self._exchanges))

    def choose(self, method: str, path: str, words: str = "") -> RawExchange | None:
        """Return the exchange for a request, and count its use; None if there is none left.

        `path` has no query; `words`: what the request says, as `question_words` finds it.
        """
        if self._again and not self._left:
            self._left = dict(enumerate(self._exchanges))
        fitting = self._next(method, path)
        if not fitting:
            return None
        same = [index for index, each in fitting.items() if not differs(each, words)]
        return self._left.pop([*same, *fitting][0])

    def _next(self, method: str, path: str) -> dict[int, RawExchange]:
        """Return the exchanges one of which a request would get, by their index."""
        alike = {index: each for index, each in self._left.items() if each.method == method}
        known = any(_path(each) == path for each in self._exchanges if each.method == method)
        fitting = {index: each for index, each in alike.items() if not known or _path(each) == path}
        return dict(islice(fitting.items(), _LOOK_AHEAD))

    def waits_for(self, method: str, path: str, body: bytes) -> bool:
        """Whether an exchange that may come next asked just this: the same words, or the same JSON."""
        words = question_words(body)
        return any(
            normalise(question_words(each.body)) == normalise(words) if words else _same_json(each.body, body)
            for each in self._next(method, path).values()
        )

    def unused(self) -> list[str]:
        """Return the unused questions, for people. One that got no answer, or only looked (GET), need not be asked."""
        return [
            name_of(each)
            for each in self._left.values()
            if each.answer is not None and each.method not in ("GET", "OPTIONS")
        ]


def name_of(exchange: RawExchange) -> str:
    """Return what people call a question, by its number in the file: `question 3 of the cassette (POST /say)`."""
    return f"question {exchange.number} of the cassette ({exchange.method} {_path(exchange)})"


def _same_json(one: bytes, other: bytes) -> bool:
    """Whether two bodies are the same JSON, and neither is empty."""
    try:
        return bool(json.loads(one) == json.loads(other))
    except (ValueError, RecursionError):
        return False


def differs(exchange: RawExchange, words: str) -> bool:
    """Whether a request says other words than the captured one did, without case, accents and punctuation."""
    captured = normalise(question_words(exchange.body))
    return bool(captured) and captured != normalise(words)


def _path(exchange: RawExchange) -> str:
    return exchange.path.partition("?")[0]
