"""What happened in a call, in a form in which two calls can be compared: of a call log, or of a transcript. Pure.

A transcript has rounded figures, and not all of them; but it is what a project keeps as the snapshot of a scenario.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from audiosocket_sim.call_log.events import Entry, LogEvent, Noted
from audiosocket_sim.call_log.transcript import is_shown, visible, words_of

__all__ = ["CLASSES", "NUMBER", "Happening", "of_entries", "of_transcript", "without_numbers"]

CLASSES = (
    *("begin", "caller", "heard", "backend", "hold", "state", "latency"),
    *("bot", "overlap", "defect", "failed", "ear", "end"),
)
"""The classes of events: the words of a transcript's second column; `failed` stands for `FAILED` and for `unsure`."""

NUMBER = re.compile(r"(?<![\w.,])[-−]?\d{1,9}(?:\.\d{1,3})?(?= (?:s|ms|%)(?!\w))")
"""A figure with its unit outside of quoted words."""
_QUOTED = re.compile(r"(“[^“”]*”)")
_LINE = re.compile(r" {0,8}(\d{1,9}\.\d{3})  (\S+) *(.*)")
_WORDS = {**{word: word for word in (*CLASSES, "note")}, "unsure": "failed"}
"""The words of lines, with their classes. Another word in their place is the name of one of several callers."""
_NOTE_APART = re.compile(r" {2,}(?=\S)")
_MOST_LINES = 200_000


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of a transcript: the time in ms since the UUID, the word for its kind, its text, and the note beside it.

    `event`: the event itself, if the call log is there; None: only the transcript is. `caller`: the name of the caller,
    in a log of several calls; "" otherwise.
    """

    at_ms: int
    word: str
    text: str
    note: str = ""
    event: LogEvent | None = None
    caller: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """Equal for two lines that say the same but for figures: times and lengths. Quoted words count as they are."""
        return self.word, without_numbers(self.text)


def without_numbers(text: str) -> str:
    """Return the text with a mark for each figure that has a unit and is not within quoted words."""
    parts = _QUOTED.split(text)
    return "".join(part if n % 2 else NUMBER.sub("#", part) for n, part in enumerate(parts))


def of_entries(entries: Iterable[Entry]) -> list[Happening]:
    """Return what a call log holds, without notes and without the judge's own records."""
    shown = (entry for entry in entries if is_shown(entry) and not isinstance(entry.event, Noted))
    return [_of_entry(entry) for entry in shown]


def _of_entry(entry: Entry) -> Happening:
    word, text, note = words_of(entry.event)
    return Happening(entry.at_ms, _class(word), visible(text), note, entry.event, entry.caller)


def of_transcript(text: str) -> list[Happening]:
    """Return what the lines of a transcript hold, without notes. Other lines, such as the heading, are passed over."""
    found = (_LINE.fullmatch(line) for line in text.split("\n")[:_MOST_LINES])
    happened = [_of_line(*line.groups()) for line in found if line is not None]
    return [one for one in happened if one.word != "note"]


def _of_line(seconds: str, word: str, rest: str) -> Happening:
    caller = ""
    if _class(word) not in CLASSES and _class(word) != "note":
        inner, _, behind = rest.partition(" ")
        if _class(inner) in _WORDS:
            caller, word, rest = word, inner, behind.lstrip()
    text, note = _split(rest)
    return Happening(round(float(seconds) * 1000), _class(word), text, note, caller=caller)


def _class(word: str) -> str:
    return _WORDS.get(word.lower(), word.lower())


def _split(rest: str) -> tuple[str, str]:
    """Return text and note of a line: two blanks or more stand between them, outside of quoted words."""
    quoted, counted = 0, 0
    for gap in _NOTE_APART.finditer(rest):
        quoted += rest.count("“", counted, gap.start()) - rest.count("”", counted, gap.start())
        counted = gap.start()
        if quoted <= 0:
            return rest[: gap.start()].rstrip(), rest[gap.end() :]
    return rest.rstrip(), ""
