"""Says on which side an answer of the bot was lost: it did not ask the backend, sent nothing, was not heard. Pure."""

from collections.abc import Sequence

from audiosocket_core.phrase_book.book import normalise
from audiosocket_sim.call_log.events import (
    BackendAsked,
    BackendPushed,
    BackendReplied,
    BotSpoke,
    CallEnded,
    CallerSpoke,
    Entry,
    MessageCount,
)
from audiosocket_sim.checks.fits import end_ms
from audiosocket_sim.checks.verdicts import GRACE_MS, Moment, Sent
from audiosocket_sim.checks.words import clock, level, seconds

__all__ = ["before_the_first_word", "refused_uuid", "silent_wire", "stalled", "which_side"]

_A_PAUSE_MS = 500
"""A bot that sends nothing for so long is worth a word."""
_REACTION_MS = 300
"""Speech that begins sooner after the caller's is no answer to it."""
_REFUSED_MS = 500
"""A server that has sent nothing and closes so soon after the UUID has most likely not taken it."""


def which_side(entries: Sequence[Entry], moment: Moment) -> list[str]:
    """Return what is known of the way of an answer that was expected, a line each, the most telling first.

    What the server sent is only said where nothing was heard since the step began: a failure's own lines say the rest.
    """
    backend = _backend(entries, moment)
    if _heard_at(entries, moment) or moment.open_speech_at_ms is not None:
        return backend
    return [*backend, *silent_wire(entries, moment)]


def stalled(entries: Sequence[Entry], moment: Moment) -> list[str]:
    """Return a line if the bot had begun to speak, then sent nothing for a while, and went on: words do not survive."""
    start, end = moment.sent.pause_ms if moment.sent is not None else (0, 0)
    spoke = [at_ms for at_ms in _heard_at(entries, moment) if at_ms < start]
    if end - start < _A_PAUSE_MS or not spoke or end >= moment.now_ms:
        return []
    return [f"the server sent nothing from {clock(start)} to {clock(end)}"]


def _heard_at(entries: Sequence[Entry], moment: Moment) -> list[int]:
    """When each speech began of which something was heard since the step began."""
    spoken = [(entry.at_ms, entry.event) for entry in entries if isinstance(entry.event, BotSpoke)]
    return [at_ms for at_ms, event in spoken if end_ms(at_ms, event) > moment.base_ms + GRACE_MS]


def silent_wire(entries: Sequence[Entry], moment: Moment) -> list[str]:
    """Return what the server sent, though nothing of it was heard: since the UUID, if nothing was heard at all."""
    sent = moment.sent
    if sent is None:
        return []
    if not sent.counts:
        return ["the server has sent no audio since the UUID"]
    if not any(isinstance(entry.event, BotSpoke) for entry in entries):
        messages = _messages(sum(count.messages for count in sent.counts))
        loudest = _loudest(sent.loudest_dbfs)
        return [f"the server has sent {messages} since the UUID ({_kinds(sent.counts)}), {loudest}"]
    return [_since(sent)]


def _since(sent: Sent) -> str:
    start, end = sent.pause_ms
    if not sent.messages:
        return f"the server has sent no audio since {clock(sent.since_ms)}"
    messages, loudest = _messages(sent.messages), _loudest(sent.loudest_since_dbfs)
    what = f"the server has sent {messages} since {clock(sent.since_ms)}, {loudest}"
    return what if end - start < _A_PAUSE_MS else f"{what}, and nothing from {clock(start)} to {clock(end)}"


def _messages(number: int) -> str:
    return "1 audio message" if number == 1 else f"{number} audio messages"


def _kinds(counts: Sequence[MessageCount]) -> str:
    return "; ".join(f"kind 0x{count.kind:02x}, {_sizes(count)}" for count in counts)


def _sizes(count: MessageCount) -> str:
    if count.shortest_bytes == count.longest_bytes:
        return f"{count.longest_bytes} bytes"
    return f"{count.shortest_bytes} to {count.longest_bytes} bytes"


def _loudest(dbfs: float | None) -> str:
    return "only digital silence reached the phone" if dbfs is None else f"the loudest sample heard at {level(dbfs)}"


def _backend(entries: Sequence[Entry], moment: Moment) -> list[str]:
    """Was the backend asked since the caller spoke, what did it answer, and what became of that?"""
    asked = [entry for entry in entries if isinstance(entry.event, BackendAsked)]
    if not asked and not moment.asks_backend:
        return []
    spoken = _turns(entries)
    if spoken:
        at_ms, last = spoken[-1]
        asked = [entry for entry in asked if entry.at_ms >= at_ms]
        if not asked:
            span = f"{clock(at_ms)}–{clock(at_ms + last.duration_ms)}"
            return [f"the backend has not been asked since the caller spoke ({span})"]
    answers = [entry for entry in entries if isinstance(entry.event, BackendReplied | BackendPushed)]
    since_ms = asked[0].at_ms if asked else moment.base_ms
    since = [entry for entry in answers if entry.at_ms >= since_ms]
    if not since:
        return [] if not asked else [f"the backend was asked at {clock(asked[-1].at_ms)}, and has not answered"]
    return _answer(since[-1], entries, moment)


def _answer(answer: Entry, entries: Sequence[Entry], moment: Moment) -> list[str]:
    """What became of an answer; nothing, if all of it was heard since the step began: then it was not lost."""
    event = answer.event
    assert isinstance(event, BackendReplied | BackendPushed)
    at = clock(answer.at_ms)
    if isinstance(event, BackendReplied):
        if event.fault is not None:
            return [f"the backend answered at {at} with a fault: {event.fault.replace('_', ' ')}"]
        if not event.delivered:
            return [f"the backend answered at {at}, and the bot had gone away by then"]
    if not event.says:
        return [f"the backend answered at {at} without a text"]
    what = f"the backend answered “{event.says}” at {at}"
    heard = [entry for entry in entries if isinstance(entry.event, BotSpoke) and entry.at_ms >= answer.at_ms - GRACE_MS]
    if not heard:
        return [f"{what}, and nothing of it was heard"]
    said = next((entry for entry in heard if _is_said(event.says, entry)), None)
    if said is None:
        return [f"{what}; heard since then: {'; '.join(_heard(entry) for entry in heard[:2])}"]
    return [] if said.at_ms >= moment.base_ms - GRACE_MS else [f"{what}, and the bot said it at {clock(said.at_ms)}"]


def _is_said(text: str, entry: Entry) -> bool:
    event = entry.event
    assert isinstance(event, BotSpoke)
    return event.text is not None and not event.cut_off and normalise(event.text) == normalise(text)


def _heard(entry: Entry) -> str:
    event = entry.event
    assert isinstance(event, BotSpoke)
    words = f"unread speech of {seconds(event.heard_ms)}" if event.text is None else f"“{event.text}”"
    if event.paused_ms is not None:
        words += f", paused at {seconds(event.reached_ms)},"
    elif event.lost_end_ms or (event.cut_off and event.resumed_ms is None):
        words += f", cut off after {seconds(event.heard_ms)},"
    return f"{words} at {clock(entry.at_ms)}"


def refused_uuid(entries: Sequence[Entry], moment: Moment) -> list[str]:
    """Return a line if the server sent nothing and closed right after the UUID: what it may have taken that for."""
    ended = next((entry for entry in entries if isinstance(entry.event, CallEnded)), None)
    if ended is None or not isinstance(ended.event, CallEnded) or ended.event.how not in ("fin", "reset"):
        return []
    if ended.event.who != "server" or ended.at_ms > _REFUSED_MS or moment.sent is None or moment.sent.counts:
        return []
    if moment.others.served:
        return [f"it closed {seconds(ended.at_ms)} after the UUID, and had sent nothing"]
    return [
        f"it closed {seconds(ended.at_ms)} after the UUID, and had sent nothing: does it refuse the UUID, which is 16 "
        "bytes, and not text of 36 characters (docs/protocol.md, 1.3)?"
    ]


def _turns(entries: Sequence[Entry]) -> list[tuple[int, CallerSpoke]]:
    """What the caller said that asks for an answer, with the times at which it began."""
    spoken = ((entry.at_ms, entry.event) for entry in entries)
    return [(at_ms, event) for at_ms, event in spoken if isinstance(event, CallerSpoke) and event.kind == "turn"]


def before_the_first_word(entries: Sequence[Entry], moment: Moment) -> str | None:
    """Return a hint for a caller who spoke before the bot's greeting, which then met no step; None: he did not.

    A first word that comes after what the caller said, or after an answer of the backend, is taken for an answer.
    """
    spoken = _turns(entries)
    first = next((entry.at_ms for entry in entries if isinstance(entry.event, BotSpoke)), moment.open_speech_at_ms)
    if not spoken or first is None or first <= spoken[0][0]:
        return None
    at_ms, said = spoken[0]
    asked = any(isinstance(entry.event, BackendAsked) and entry.at_ms <= first for entry in entries)
    answers = asked or (not moment.asks_backend and first > at_ms + said.duration_ms + _REACTION_MS)
    if answers:
        return None
    return (
        f"the caller spoke at {clock(at_ms)}, before the bot's first word ({clock(first)}): if the bot greets, "
        "expect its greeting before `say`"
    )
