"""Expectations and events as a person would say them. Pure."""

from audiosocket_sim.call_log.events import (
    BackendAsked,
    BotSpoke,
    CallEnded,
    Entry,
    HoldStarted,
    HoldStopped,
    StateTold,
)
from audiosocket_sim.scenario import Expectation

__all__ = ["clock", "describe", "seconds", "told"]


def describe(expectation: Expectation) -> str:
    """The expectation as its reader would say it."""
    e = expectation
    if e.bot_says is not None:
        return f"the bot says {'something with ' if e.bot_says.part else ''}“{e.bot_says.text}”"
    if e.bot_speaks is not None:
        return f"the bot speaks for at least {seconds(e.bot_speaks.at_least)}"
    if e.bot_silent is not None:
        return f"the bot is silent for at least {seconds(e.bot_silent.at_least)}"
    if e.hold_audio is not None:
        return f"hold audio {e.hold_audio.is_}"
    if e.state is not None:
        return f"state {e.state.is_}"
    if e.backend_asked is not None:
        return f"the backend is asked “{e.backend_asked.content}”"
    if e.hangs_up is not None:
        how = f" by {e.hangs_up.how}" if e.hangs_up.how else ""
        then = f", the dialplan {e.hangs_up.dialplan}" if e.hangs_up.dialplan else ""
        return f"the {e.hangs_up.who} hangs up{how}{then}"
    raise AssertionError("an expectation has exactly one key")


def told(entry: Entry) -> str | None:
    """What was heard, asked or told, with its time; None of what the caller and the simulator did themselves."""
    what = _what(entry)
    return None if what is None else f"{clock(entry.at_ms)} {what}"


def _what(entry: Entry) -> str | None:
    match entry.event:
        case BotSpoke(text=text, heard_ms=heard, whole_ms=whole) as event:
            words = f"the bot said “{text}”" if text is not None else f"unread speech of {seconds(heard)}"
            return f"{words}, cut off: {heard / 1000:.2f} s of {(whole or 0) / 1000:.2f} s" if event.cut_off else words
        case StateTold(after=after):
            return f"state {after}"
        case HoldStarted():
            return "hold audio started"
        case HoldStopped():
            return "hold audio stopped"
        case BackendAsked(content=content):
            return f"the backend was asked “{content}”"
        case CallEnded(who="asterisk", reason=reason):
            return f"Asterisk ended the call: {reason}"
        case CallEnded(reason=reason):
            return reason
        case _:
            return None


def seconds(ms: int) -> str:
    return f"{ms / 1000:.2f} s" if ms >= 1000 else f"{ms} ms"


def clock(ms: int) -> str:
    return f"{ms / 1000:.3f}"
