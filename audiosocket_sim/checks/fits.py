"""Decides whether one event of the log is what an expectation asks for, whenever it happened. Pure."""

from collections.abc import Sequence

from audiosocket_sim.call_log.events import (
    BackendAsked,
    BotSpoke,
    CallEnded,
    Entry,
    HoldStarted,
    HoldStopped,
    LogEvent,
    StateTold,
)
from audiosocket_sim.checks.said import has_part, said_by
from audiosocket_sim.scenario import Expectation

__all__ = ["end_ms", "fits", "is_music_of", "pause_before_ms", "says"]


def fits(event: LogEvent, expectation: Expectation) -> bool:
    """Return whether this event matches the expectation, ignoring when it happened.

    No event matches `bot_silent`: silence is none.
    """
    e = expectation
    match event:
        case BotSpoke():
            if e.bot_speaks is not None:
                return end_ms(0, event) >= e.bot_speaks.at_least
            return says(event, e) and not event.cut_off
        case HoldStarted():
            return e.hold_audio is not None and e.hold_audio.is_ == "playing" and is_music_of(event, e)
        case HoldStopped():
            return e.hold_audio is not None and e.hold_audio.is_ == "stopped" and is_music_of(event, e)
        case StateTold(after=after):
            return e.state is not None and e.state.is_ == after
        case BackendAsked(content=content):
            return e.backend_asked is not None and has_part(content, e.backend_asked.content)
        case CallEnded():
            return _ends_as(event, e)
    return False


def is_music_of(event: HoldStarted | HoldStopped, expectation: Expectation) -> bool:
    """Return whether it is the music that is expected: the file that is named, or any."""
    wanted = expectation.hold_audio
    return wanted is not None and wanted.file in (None, event.file)


def says(event: BotSpoke, expectation: Expectation) -> bool:
    """Return whether the words are those of `bot_says`, even if the speech was cut off."""
    return expectation.bot_says is not None and said_by(event, expectation.bot_says)


def end_ms(at_ms: int, event: BotSpoke) -> int:
    """Return when the last of a speech that began at `at_ms` was heard; `heard_ms` leaves its holes out."""
    return at_ms + event.lasted_ms


def pause_before_ms(entries: Sequence[Entry], at_ms: int) -> int:
    """Return when the pause began that was before the bot's last speech up to `at_ms`: 0, the start of the call, before
    its first."""
    begun = [(e.at_ms, e.event) for e in entries if isinstance(e.event, BotSpoke) and e.at_ms <= at_ms]
    spoken = [(start, end_ms(start, event)) for start, event in begun]
    last = max((start for start, _ in spoken), default=0)
    return max((end for _, end in spoken if end <= last), default=0)


def _ends_as(event: CallEnded, expectation: Expectation) -> bool:
    wanted = expectation.hangs_up
    if wanted is None or wanted.who != event.who:
        return False
    heard = wanted.last_word is None or event.last_word_heard is not False
    return heard and wanted.how in (None, event.how) and wanted.dialplan in (None, event.dialplan)
