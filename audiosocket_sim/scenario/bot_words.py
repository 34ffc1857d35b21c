"""What `bot_says` asks for: a text, one of several, or a pattern, and how exact the words must be. Data only."""

import unicodedata
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from audiosocket_sim.scenario.fields import Model, Words
from audiosocket_sim.words import WordPattern

__all__ = ["BotSays", "compiled_pattern"]


def _pattern(text: str) -> str:
    compiled_pattern(text)
    return text


def _not_empty(texts: tuple[str, ...]) -> tuple[str, ...]:
    if not texts:
        raise ValueError("needs one text at least")
    return texts


def _judge(name: str) -> str:
    module, _, function = name.partition(":")
    if not all(part.isidentifier() for part in [*module.split("."), *function.split(".")]):
        raise ValueError(f"a judge is module:callable, such as my_package.opinions:polite, not {name!r}")
    return name


def compiled_pattern(text: str) -> WordPattern:
    """Return the pattern, without regard to case and accents.

    Raises ValueError for a pattern that is none, that any words fit, or on which a search could take for ever: a
    scenario is data.
    """
    found = WordPattern("".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)))
    if found.is_in(""):
        raise ValueError("fits any words, even none: write what must be in them, or use bot_speaks")
    return found


class BotSays(Model):
    """The bot says something, as the caller hears it: exactly one of text, any_of and pattern; the whole utterance,
    to its end."""

    text: Words | None = Field(default=None, description="the bot's words; case, accents and punctuation do not count")
    any_of: Annotated[tuple[Words, ...], AfterValidator(_not_empty)] | None = Field(
        default=None, strict=False, description="several texts, of which the bot says one"
    )
    pattern: Annotated[str, AfterValidator(_pattern)] | None = Field(
        default=None,
        description="a regular expression found in the bot's words, without case and accents; numbers are digits",
    )
    words: float | None = Field(
        default=None,
        gt=0,
        le=1,
        description="the share of the words that must be right, such as 0.8; another number, or a lost não, never is",
    )
    judge: Annotated[str, AfterValidator(_judge)] | None = Field(
        default=None,
        description="module:callable, whose opinion on the bot's words counts: asked after the call; needs trust",
    )
    part: bool = Field(default=False, description="true: the text may be a part of what the bot says")

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts of which one is expected; none where a pattern is."""
        return (self.text,) if self.text is not None else self.any_of or ()

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        given = [key for key in ("text", "any_of", "pattern") if getattr(self, key) is not None]
        if len(given) != 1:
            found = f" (found {' and '.join(given)})" if given else ""
            raise ValueError(f"bot_says needs exactly one of: text, any_of, pattern{found}")
        beside = [key for key in ("words", "part") if key in self.model_fields_set]
        if self.judge is not None and (self.text is None or beside):
            raise ValueError("a judge is asked about a text, and has the only say: only text can stand beside judge")
        if self.pattern is not None and beside:
            raise ValueError(f"a pattern is found anywhere, and exactly: {' and '.join(beside)} cannot stand beside it")
        return self
