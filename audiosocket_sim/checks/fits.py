"""Whether one event of the log is what an expectation asks for. Pure."""

from audiosocket_core.phrase_book.book import normalise
from audiosocket_sim.call_log.events import (
    BackendAsked,
    BotSpoke,
    CallEnded,
    HoldStarted,
    HoldStopped,
    LogEvent,
    StateTold,
)
from audiosocket_sim.scenario import Expectation

__all__ = ["end_ms", "ends_as", "fits", "has", "says"]


def fits(event: LogEvent, expectation: Expectation) -> bool:
    """Of itself, whenever it was. `bot_silent` is no event: nothing fits it."""
    e = expectation
    match event:
        case BotSpoke():
            if e.bot_speaks is not None:
                return end_ms(0, event) >= e.bot_speaks.at_least
            return says(event, e) and not event.cut_off
        case HoldStarted() | HoldStopped():
            return e.hold_audio is not None and isinstance(event, HoldStarted) == (e.hold_audio.is_ == "playing")
        case StateTold(after=after):
            return e.state is not None and e.state.is_ == after
        case BackendAsked(content=content):
            return e.backend_asked is not None and has(content, e.backend_asked.content)
        case CallEnded():
            return ends_as(event, e)
        case _:
            return False


def says(event: BotSpoke, expectation: Expectation) -> bool:
    """The words, also where they were cut off."""
    wanted = expectation.bot_says
    if wanted is None or event.text is None:
        return False
    if wanted.part:
        return has(event.text, wanted.text)
    return normalise(event.text) == normalise(wanted.text)


def has(whole: str, part: str) -> bool:
    return normalise(part) in normalise(whole)


def ends_as(event: CallEnded, expectation: Expectation) -> bool:
    wanted = expectation.hangs_up
    if wanted is None or wanted.who != event.who:
        return False
    return wanted.how in (None, event.how) and wanted.dialplan in (None, event.dialplan)


def end_ms(at_ms: int, event: BotSpoke) -> int:
    """When the last of it was heard: holes are not in `heard_ms`."""
    return at_ms + event.heard_ms + event.gap_ms
