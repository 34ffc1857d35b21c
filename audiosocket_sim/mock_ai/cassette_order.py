"""Which answer of a cassette a request gets: the next one of the call. Pure.

Requests of different kinds may overtake one another (a transcription and an answer, say). So a request gets the first
unused answer to its own method and path; where its path is not on the cassette, the first to its method.
"""

from collections.abc import Sequence

from audiosocket_sim.scenario.cassette import RawExchange

__all__ = ["CassetteOrder"]


class CassetteOrder:
    """The exchanges of a cassette, each used once. again: begin anew when all have been used, as for another call."""

    def __init__(self, exchanges: Sequence[RawExchange], *, again: bool = False) -> None:
        self._exchanges = tuple(exchanges)
        self._again = again
        self._left = dict(enumerate(self._exchanges))

    def choose(self, method: str, path: str) -> RawExchange | None:
        """Return the exchange for a request, and count its use; None if there is none left. `path` has no query."""
        if self._again and not self._left:
            self._left = dict(enumerate(self._exchanges))
        alike = {index: each for index, each in self._left.items() if each.method == method}
        known = any(_path(each) == path for each in self._exchanges if each.method == method)
        index = next((i for i, each in alike.items() if not known or _path(each) == path), None)
        return None if index is None else self._left.pop(index)

    def unused(self) -> list[str]:
        """Return the unused questions, for people. One that got no answer, or only looked (GET), need not be asked."""
        return [
            f"question {index + 1} of the cassette ({each.method} {_path(each)})"
            for index, each in self._left.items()
            if each.answer is not None and each.method not in ("GET", "OPTIONS")
        ]


def _path(exchange: RawExchange) -> str:
    return exchange.path.partition("?")[0]
