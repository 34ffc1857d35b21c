"""Lines of text for people, in parts of a style each: what prints them knows whether there are colours. Pure."""

import textwrap
from collections.abc import Iterable, Iterator
from typing import NamedTuple

__all__ = ["LABEL", "NO_WRAP", "TextLine", "TextPart", "labelled", "plain", "text_line"]

NO_WRAP = 100_000
"""The width of an output that is no terminal: lines are left whole."""
LABEL = 13
"""The width of a label and the blanks after it."""
_NARROWEST = 40


class TextPart(NamedTuple):
    """A part of a line. `style`: as rich names it, "" for none."""

    text: str
    style: str = ""


TextLine = tuple[TextPart, ...]


def text_line(text: str, style: str = "") -> TextLine:
    """Return a line of one part."""
    return (TextPart(text, style),)


def plain(line: Iterable[TextPart]) -> str:
    """Return the text of a line, without its styles."""
    return "".join(part.text for part in line).rstrip()


def labelled(label: str, text: str, width: int, style: str = "", indent: int = 2) -> Iterator[TextLine]:
    """Yield a text with its label in front, wrapped to a width in characters."""
    room = max(_NARROWEST, width - indent - LABEL)
    wrapped = textwrap.wrap(text, room, break_on_hyphens=False) or [""]
    for number, part in enumerate(wrapped):
        head = label if number == 0 else ""
        yield (TextPart(f"{' ' * indent}{head:<{LABEL}}", "dim"), TextPart(part, style))
