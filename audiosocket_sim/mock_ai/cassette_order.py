"""Which answer of a cassette a request gets: the next one of the call. Pure.

Requests of different kinds may overtake one another (a transcription and an answer, say). So a request gets the first
unused answer to its own method and path; where its path is not on the cassette, the first to its method. Of the next
few one that asked the same words comes first, since a bot may have several sentences spoken at once.
"""

from collections.abc import Sequence

from audiosocket_core.phrase_book.book import normalise
from audiosocket_sim.scenario.cassette import RawExchange, question_words

__all__ = ["CassetteOrder", "differs"]

_LOOK_AHEAD = 3


class CassetteOrder:
    """The exchanges of a cassette, each used once. again: begin anew when all have been used, as for another call."""

    def __init__(self, exchanges: Sequence[RawExchange], *, again: bool = False) -> None:
        self._exchanges = tuple(exchanges)
        self._again = again
        self._left = dict(enumerate(self._exchanges))

    def choose(self, method: str, path: str, words: str = "") -> tuple[int, RawExchange] | None:
        """Return the exchange for a request with its number from 1, and count its use; None if there is none left.

        `path` has no query; `words`: what the request says, as `question_words` finds it.
        """
        if self._again and not self._left:
            self._left = dict(enumerate(self._exchanges))
        alike = {index: each for index, each in self._left.items() if each.method == method}
        known = any(_path(each) == path for each in self._exchanges if each.method == method)
        fitting = [i for i, each in alike.items() if not known or _path(each) == path][:_LOOK_AHEAD]
        if not fitting:
            return None
        same = [i for i in fitting if not differs(alike[i], words)]
        index = (same or fitting)[0]
        return index + 1, self._left.pop(index)

    def unused(self) -> list[str]:
        """Return the unused questions, for people. One that got no answer, or only looked (GET), need not be asked."""
        return [
            f"question {index + 1} of the cassette ({each.method} {_path(each)})"
            for index, each in self._left.items()
            if each.answer is not None and each.method not in ("GET", "OPTIONS")
        ]


def differs(exchange: RawExchange, words: str) -> bool:
    """Whether a request says other words than the captured one did, without case, accents and punctuation."""
    captured = normalise(question_words(exchange.body))
    return bool(captured) and captured != normalise(words)


def _path(exchange: RawExchange) -> str:
    return exchange.path.partition("?")[0]
