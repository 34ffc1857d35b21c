"""The recognisers of the fake: the phrase book (the default), or a callable named by an import string.

A recogniser of the user's own is one of two kinds of callable, distinguished by their number of arguments:

- `recogniser(language)` returns an object for one phrase. Its `feed(pcm)` takes 8 kHz SLIN as it arrives, and returns
  the interim text (a `str`) or None; `finish()` returns the final text, "" for nothing.
- `recogniser(pcm, rate_hz, language)` returns the text of a whole phrase, which is SLIN at the client's rate.

They are called in threads of an executor: one call at a time for a phrase, but several phrases at once. They may block.
"""

import inspect
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from audiosocket_core.errors import AudioSocketError
from audiosocket_core.phrase_book.book import PhraseBook
from audiosocket_core.phrase_book.matching import Listening, Matcher
from audiosocket_sim.import_string import import_object

__all__ = ["Hearing", "Recogniser", "RecogniserError", "load_recogniser", "phrase_book", "recogniser_from"]

_BOOK_HZ = 8_000


class RecogniserError(AudioSocketError):
    """A recogniser cannot be used. One line that says why."""


class Hearing(Protocol):
    """The recognition of one phrase. Both methods may block."""

    def feed(self, pcm: bytes) -> str | None:
        """Take the next SLIN, and return the interim text, None if it has not changed."""

    def finish(self) -> str:
        """Return the final text after the last SLIN, "" if nothing was recognised."""


class Recogniser(Protocol):
    """Creates a `Hearing` for each phrase."""

    rate_hz: int | None
    """The rate of the SLIN that `feed` expects; None for the client's rate."""

    def listen(self, language: str, rate_hz: int) -> Hearing:
        """Begin a phrase. `language` is a tag such as pt-BR, "" if not given; `rate_hz` is the rate of its SLIN."""


# --- the phrase book ----------------------------------------------------------------------------------------------


def phrase_book(folders: Sequence[Path]) -> Recogniser:
    """Return a recogniser of the recordings in these phrase books, heard whole. Raises PhraseBookError."""
    return _BookRecogniser(PhraseBook.load(*folders))


class _BookRecogniser:
    """Keeps one matcher for each language, with the phrases in that language."""

    rate_hz: int | None = _BOOK_HZ

    def __init__(self, book: PhraseBook) -> None:
        self._book = book
        self._matchers: dict[str, Matcher] = {}
        self._lock = threading.Lock()

    def listen(self, language: str, rate_hz: int) -> Hearing:
        family = _family(language)
        with self._lock:
            if family not in self._matchers:
                self._matchers[family] = Matcher(p for p in self._book.phrases if _fits(p.language, family))
            return _BookHearing(self._matchers[family].listen())


def _family(language: str) -> str:
    return language.partition("-")[0].casefold()


def _fits(language: str, family: str) -> bool:
    """Return True if a phrase in `language` may be meant; without a language on either side every phrase may."""
    return not family or _family(language) in (family, "")


class _BookHearing:
    """Recognises the phrases that were heard whole, in their order.

    The interim text is a guess, as the service's is: the words of the likeliest phrase, as far as it has been heard.
    """

    def __init__(self, listening: Listening) -> None:
        self._listening = listening
        self._interim = ""

    def feed(self, pcm: bytes) -> str | None:
        self._listening.feed(pcm)
        likeliest = self._listening.candidates()[:1]
        text = " ".join(_begun(m.phrase.text, m.heard_ms, m.phrase.speech_end_ms) for m in likeliest)
        if not text or text == self._interim:
            return None
        self._interim = text
        return text

    def finish(self) -> str:
        return " ".join(match.phrase.text for match in self._listening.matches() if match.whole)


def _begun(text: str, heard_ms: int, all_ms: int) -> str:
    """Return the words said within `heard_ms` of `all_ms`, in lower case without punctuation: `quero falar com`."""
    words = ["".join(c for c in word if c.isalnum() or c in "-'") for word in text.lower().split()]
    return " ".join([word for word in words if word][: len(words) * heard_ms // max(all_ms, 1)])


# --- the user's own -----------------------------------------------------------------------------------------------


def load_recogniser(name: str) -> Recogniser:
    """Return the recogniser named by an import string `module:callable`. Raises RecogniserError."""
    module, colon, function = name.partition(":")
    if not colon or not function.isidentifier():
        raise RecogniserError(f"recogniser {name}: expected module:callable, such as my_package.ears:whisper")
    try:
        found = import_object(module, function)
    except (ImportError, AttributeError) as error:
        raise RecogniserError(f"the recogniser {name} cannot be imported: {error}") from error
    return recogniser_from(found)


def recogniser_from(found: Any) -> Recogniser:
    """Return a recogniser that calls `found`, by the number of its required arguments. Raises RecogniserError."""
    wanted = "expected recogniser(language) or recogniser(pcm, rate_hz, language)"
    if not callable(found):
        raise RecogniserError(f"{found!r} is not callable; {wanted}")
    try:
        needed = [
            p
            for p in inspect.signature(found).parameters.values()
            if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        ]
    except (TypeError, ValueError) as error:
        raise RecogniserError(f"{found!r}: {error}; {wanted}") from error
    if len(needed) == 1:
        return _FromFactory(found)
    if len(needed) == 3:
        return _FromFunction(found)
    raise RecogniserError(f"{found!r} needs {len(needed)} arguments; {wanted}")


class _FromFactory:
    rate_hz: int | None = _BOOK_HZ

    def __init__(self, factory: Callable[[str], Hearing]) -> None:
        self._factory = factory

    def listen(self, language: str, rate_hz: int) -> Hearing:
        return self._factory(language)


class _FromFunction:
    rate_hz: int | None = None

    def __init__(self, function: Callable[[bytes, int, str], str]) -> None:
        self._function = function

    def listen(self, language: str, rate_hz: int) -> Hearing:
        return _Collected(lambda pcm: self._function(pcm, rate_hz, language))


class _Collected:
    def __init__(self, function: Callable[[bytes], str]) -> None:
        self._function = function
        self._pcm = bytearray()

    def feed(self, pcm: bytes) -> str | None:
        self._pcm += pcm
        return None

    def finish(self) -> str:
        return self._function(bytes(self._pcm))
