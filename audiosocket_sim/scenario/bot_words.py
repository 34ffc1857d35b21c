"""What `bot_says` asks for: a text, one of several, or a pattern, and how exact the words must be. Data only."""

import math
import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, model_validator

from audiosocket_sim.scenario.fields import Model, Words

__all__ = ["BotSays", "compiled_pattern"]

_LONGEST_PATTERN = 300
_MOST_REPEATS = 4
_MANY = 20
"""A repetition of more than this counts as one without an end."""
_MOST_WAYS = 10_000
"""Optional characters and alternatives multiply: so many ways through a pattern are tried in no time."""
_REPEATS = ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT")


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


def compiled_pattern(text: str) -> "re.Pattern[str]":
    """Return the pattern, without regard to case and accents.

    Raises ValueError for a pattern that is none, that any words fit, or on which a search could take for ever: a
    scenario is data. Only single characters may be repeated without an end, and only a few of them; and alternatives
    have a bound.
    """
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    if len(text) > _LONGEST_PATTERN:
        raise ValueError(f"a pattern has at most {_LONGEST_PATTERN} characters, not {len(text)}")
    try:
        found = re.compile(plain, re.IGNORECASE)
        parsed = re._parser.parse(plain)  # type: ignore[attr-defined]
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"not a pattern (a regular expression of Python): {error}") from None
    repeats = list(_repeats(parsed))
    if any(not single for single in repeats):
        raise ValueError("only single characters and classes, such as \\d or [a-z], can be repeated in a pattern")
    if len(repeats) > _MOST_REPEATS:
        raise ValueError(f"a pattern has at most {_MOST_REPEATS} repetitions without an end, not {len(repeats)}")
    if _ways(parsed) > _MOST_WAYS:
        raise ValueError(f"too many optional parts and alternatives in a pattern: together more than {_MOST_WAYS} ways")
    if found.search(""):
        raise ValueError("fits any words, even none: write what must be in them, or use bot_speaks")
    return found


def _repeats(parsed: Any) -> Iterator[bool]:
    """Yield for each repetition without an end whether it is that of a single character."""
    for operation, argument in parsed:
        name = str(operation)
        if name in _REPEATS:
            _, most, inner = argument
            single = len(inner) == 1 and str(inner[0][0]) in ("LITERAL", "NOT_LITERAL", "ANY", "IN", "CATEGORY")
            if int(most) > (_MANY if single else 1):
                yield single
            yield from _repeats(inner)
        elif name.startswith("GROUPREF"):
            yield False
        else:
            yield from _inner(argument)


def _inner(argument: Any) -> Iterator[bool]:
    """Look into the parts of a group, an alternation, a look-ahead."""
    if hasattr(argument, "data"):
        yield from _repeats(argument)
    elif isinstance(argument, Sequence) and not isinstance(argument, str):
        for part in argument:
            yield from _inner(part)


def _ways(part: Any) -> int:
    """Return in how many ways a part of a pattern can be gone through at the most, repetitions without an end aside."""
    if isinstance(part, Sequence) and not hasattr(part, "data"):  # what stands in a group
        return math.prod(_ways(inner) for inner in part if not isinstance(inner, str | int))
    ways = 1
    for operation, argument in getattr(part, "data", ()):
        name = str(operation)
        if name in _REPEATS:
            least, most, inner = argument
            once = _ways(inner)
            ways *= once if int(most) > _MANY else sum(once**times for times in range(int(least), int(most) + 1))
        elif name == "BRANCH":
            ways *= sum(_ways(branch) for branch in argument[1])
        elif name != "IN":
            ways *= _ways(argument)
        ways = min(ways, _MOST_WAYS + 1)
    return ways


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
