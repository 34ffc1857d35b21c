"""Which words of a caller take the turn, and which only say that he listens (“uh-huh”), by language. Pure: texts.

The lists hold what people say while the other one speaks on. Words that object, answer or ask for a halt («não», «sim»,
«espera») are on none of them. Of a language without a list every word takes the turn.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence

__all__ = ["BACKCHANNELS", "takes_turn"]

BACKCHANNELS: Mapping[str, Sequence[str]] = {
    "pt": (
        *("ahã", "aham", "ah", "uhum", "hum", "hm", "sei", "isso", "isso mesmo", "tá", "tá bom", "tá certo", "certo"),
        *("ok", "okay", "entendi", "é", "pois é", "beleza", "aí", "ó"),
    ),
    "en": (
        *("uh-huh", "aha", "mhm", "mm-hmm", "hm", "hum", "uh", "um", "ah", "oh", "okay", "ok", "right", "i see"),
        *("yeah", "sure", "got it"),
    ),
    "es": ("ajá", "ahá", "hum", "hm", "mhm", "ah", "ya", "claro", "vale", "ok", "okay", "eso", "entiendo", "bueno"),
}
"""What is said while somebody listens, by the language of a tag such as pt-BR."""


def takes_turn(text: str, language: str, own: Sequence[str] | None = None) -> bool:
    """Return whether `text` is more than back-channels; False for no words at all.

    `language`: a tag such as pt-BR; `own`: the words and phrases that count instead of the language's list. Case,
    accents, punctuation and how long a sound is drawn out do not matter.
    """
    said = _words(text)
    known = [_words(phrase) for phrase in (BACKCHANNELS.get(_language(language), ()) if own is None else own)]
    longest_first = sorted(filter(None, known), key=len, reverse=True)
    while said:
        fits = next((phrase for phrase in longest_first if said[: len(phrase)] == phrase), None)
        if fits is None:
            return True
        said = said[len(fits) :]
    return False


def _language(tag: str) -> str:
    return tag.replace("_", "-").split("-")[0].casefold()


def _words(text: str) -> list[str]:
    """The words in one form: «Hummm, ahã!» is hum, aha."""
    plain = "".join(c for c in unicodedata.normalize("NFD", text.casefold()) if not unicodedata.combining(c))
    return [re.sub(r"(.)\1+", r"\1", word) for word in re.findall(r"\w+", plain)]
