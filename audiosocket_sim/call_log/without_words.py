"""A call log without words: what was said, asked and answered is left out, times and kinds stay. Pure."""

from collections.abc import Iterable
from dataclasses import replace

from audiosocket_sim.call_log.events import (
    BackendAsked,
    BackendPushed,
    BackendReplied,
    BotSpoke,
    CallEnded,
    CallerAction,
    CallerSpoke,
    DefectFound,
    Entry,
    HoldStarted,
    HoldStopped,
    LogEvent,
    Noted,
    PhoneLostSound,
    StepFailed,
)

__all__ = ["NO_WORDS", "without_words"]

NO_WORDS = "…"
"""What stands in the place of words."""


def without_words(entries: Iterable[Entry]) -> list[Entry]:
    """Return the entries without the words of caller, bot, backend and scenario, and without keys and file names."""
    return [replace(entry, event=_wordless(entry.event)) for entry in entries]


def _wordless(event: LogEvent) -> LogEvent:
    match event:
        case CallerSpoke():
            return replace(event, text=NO_WORDS, recording=None)
        case CallerAction():
            return replace(event, detail=NO_WORDS if event.detail else "")
        case BackendAsked():
            return replace(event, content=NO_WORDS, conversation_id="")
        case BackendReplied():
            return replace(event, says=_hidden(event.says), status=_hidden(event.status))
        case BackendPushed():
            return replace(event, says=_hidden(event.says), status=_hidden(event.status))
        case HoldStarted() | HoldStopped():
            return replace(event, file=_hidden(event.file))
        case BotSpoke():
            return replace(event, text=_hidden(event.text), words=(), confidence=None)
        case DefectFound():
            return replace(event, what=" ".join(filter(None, (event.kind.replace("_", " "), event.fault))))
        case StepFailed():
            return replace(event, expected=NO_WORDS, happened=())
        case Noted():
            return replace(event, what=NO_WORDS)
        case PhoneLostSound():
            return replace(event, why=NO_WORDS)
        case CallEnded():
            return replace(event, reason=NO_WORDS)
        case _:
            return event


def _hidden(text: str | None) -> str | None:
    return None if text is None else NO_WORDS
