"""Expectations and events in a person's words. Pure."""

from audiosocket_sim.call_log.events import (
    BackendAsked,
    BotSpoke,
    CallEnded,
    DefectFound,
    Entry,
    HoldStarted,
    HoldStopped,
    LogEvent,
    StateTold,
)
from audiosocket_sim.call_log.resumption import how_much_was_said
from audiosocket_sim.scenario import BotSays, Expectation, Never, Within

__all__ = ["as_line", "clock", "describe", "level", "seconds"]


def describe(expectation: Expectation) -> str:
    """Return the expectation as a clause: `the bot says “Pode subir.”`."""
    if isinstance(expectation, Never) and expectation.while_ is not None:
        return f"{_clause(expectation)} while the {expectation.while_.removesuffix('_speaks')} speaks"
    return _clause(expectation)


def _clause(expectation: Expectation) -> str:
    e = expectation
    if e.bot_says is not None:
        return f"the bot says {_words_wanted(e.bot_says)}"
    if e.bot_speaks is not None:
        return f"the bot speaks for at least {seconds(e.bot_speaks.at_least)}"
    if e.bot_silent is not None:
        return f"the bot falls silent for at least {seconds(e.bot_silent.at_least)}"
    if e.hold_audio is not None:
        return f"hold audio {e.hold_audio.is_}" + (f" ({e.hold_audio.file})" if e.hold_audio.file else "")
    if e.state is not None:
        return f"state {e.state.is_}"
    if e.backend_asked is not None:
        return f"the backend is asked “{e.backend_asked.content}”"
    if e.hangs_up is not None:
        how = f" by {e.hangs_up.how}" if e.hangs_up.how else ""
        then = f", the dialplan {e.hangs_up.dialplan}" if e.hangs_up.dialplan else ""
        heard = ", after its last word was heard" if e.hangs_up.last_word else ""
        return f"the {e.hangs_up.who} hangs up{how}{then}{heard}"
    if turns := _turns(e):
        return turns
    if isinstance(e, Never) and (defect := _defect(e)):
        return defect
    raise AssertionError("an expectation has exactly one key")


def _words_wanted(says: BotSays) -> str:
    """The words that are wanted, with what is allowed: `“Pode subir.” (at least 80 % of the words)`."""
    if says.pattern is not None:
        return f"something that fits the pattern {says.pattern}"
    if says.judge is not None:
        return f"something that {says.judge} takes for “{says.text}”"
    texts = " or ".join(f"“{text}”" for text in says.texts)
    share = "" if says.words is None else f" (at least {says.words * 100:g} % of the words)"
    return f"{'something with ' if says.part else ''}{texts}{share}"


def _defect(never: Never) -> str:
    if never.holes is not None:
        return f"holes of more than {seconds(never.holes)} in one stretch of speech"
    if never.ahead is not None:
        return f"sound sent more than {seconds(never.ahead)} ahead of what is playing"
    if never.level_dbfs is not None:
        low, high = never.level_dbfs
        return f"speech below {low:g} or over {high:g} dBFS".replace("-", "−")
    if never.damage is not None:
        return "damaged sound"
    return "the bot begins to speak in the midst of the caller's sentence" if never.premature is not None else ""


def _turns(e: Expectation) -> str | None:
    """The words of an expectation about turn-taking; None for any other."""
    if isinstance(e, Within) and e.responds is not None:
        return f"the bot answers within {seconds(e.responds.within)} of the caller's last word"
    if isinstance(e, Within) and e.bot_stops is not None:
        return f"the bot stops within {seconds(e.bot_stops.within)} of the caller's first sound"
    if isinstance(e, Within) and e.bot_goes_on is not None:
        pause = f" but for pauses of {seconds(e.bot_goes_on.pause)}" if e.bot_goes_on.pause else ""
        return f"the bot goes on speaking{pause}"
    if isinstance(e, Within) and e.resumes is not None:
        return f"the bot goes on within {seconds(e.resumes.within)} of its stop"
    if isinstance(e, Within) and e.asks_again is not None:
        return f"the bot speaks again within {seconds(e.asks_again.within)} of the last that was heard"
    if isinstance(e, Never) and e.talk_over is not None:
        return f"both speak at once for {seconds(e.talk_over.at_least)}"
    if isinstance(e, Never) and e.dead_air is not None:
        return f"nobody is heard for {seconds(e.dead_air.at_least)} while it is the bot's turn"
    return None


def as_line(entry: Entry) -> str:
    """Return what the bot or Asterisk did, with its time; "" for an event of the caller or of the simulator."""
    what = _what(entry.event)
    return what and f"{clock(entry.at_ms)} {what}"


def _what(event: LogEvent) -> str:
    match event:
        case BotSpoke():
            return _speech(event)
        case StateTold(after=after):
            return f"state {after}"
        case DefectFound(what=what):
            return what
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
    return ""


def _speech(event: BotSpoke) -> str:
    sound = "unread speech" if event.sound == "speech" else event.sound
    words = f"{sound} of {seconds(event.heard_ms)}" if event.text is None else f"the bot said “{event.text}”"
    how = how_much_was_said(event)
    return f"{words}, {how}" if how else words


def seconds(ms: int) -> str:
    """Return a length of time: `900 ms`, and from 1,000 ms on `1.23 s`."""
    return f"{ms / 1000:.2f} s" if ms >= 1000 else f"{ms} ms"


def clock(ms: int) -> str:
    """Return an instant, given in ms since the UUID, as seconds: `1.234`."""
    return f"{ms / 1000:.3f}"


def level(dbfs: float) -> str:
    """Return a level: `−60 dBFS`."""
    return f"{round(dbfs)} dBFS".replace("-", "−")
