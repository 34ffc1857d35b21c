"""The first sentence of a problem: who did what, when, each number once; made from kinds of defects and of steps. Pure.

The texts of defects and of failures are written by the checks. What is told here in another order is found in them by
patterns; a text that fits none is told as it is, behind what the side did.
"""

import re
from collections.abc import Sequence

from audiosocket_sim.call_log.events import BackendAsked, BotSpoke, CallerSpoke, Entry, VoicesOverlapped
from audiosocket_sim.call_log.voices import caller_voice
from audiosocket_sim.report.call.clock_text import clock_text
from audiosocket_sim.report.call.sides import Side

__all__ = ["defect_headline", "on_the_page", "plain_headline", "step_headline", "turn_asked_ms"]

_INSTANT = re.compile(r"(?<![\d.:])(\d+)\.(\d{3})(?![\d.])(?! ?(?:s|ms|dB|dBFS|kHz)\b)")
_PLAINER = (
    (r"holes of ([\d.]+ m?s) in ([\d.]+ m?s) of speech: nothing .*", r"holes, \1 in all, in \2 of speech"),
    (r"^holes of (\d+ ms) at the most in one", r"holes of \1 in all at the most in one"),
    (r"(\d+ ms) are missing in it, in", r"\1 in all are missing in it, in"),
    (r": a phone that holds", ": a simulated phone that holds"),
    (
        r"^all speech that was sent to be heard, but for (\d+ ms)",
        r"the bot to end the call only when all its speech but \1 had been played",
    ),
    (r"\bthe server\b", "the bot"),
    (r"^the AI's script to fit$", "each request to the backend to fit a reply of the scenario"),
)
_OF_DEFECTS: tuple[tuple[str, str, str], ...] = (
    (
        "damage",
        r"(?P<text>“.*”) as (?P<law>.-law) bytes labelled as linear samples",
        "The bot sent {law} bytes labelled as 16-bit linear samples, so that the caller heard noise: {text}, {at}",
    ),
    (
        "damage",
        r"(?P<text>“.*”): (?P<ms>\d+ ms) are missing in it, in (?P<places>.+)",
        "The bot left out pieces of {text} {at}: {ms} in all are missing, in {places}",
    ),
    (
        "holes",
        r"holes of (?P<ms>[\d.]+ m?s) in (?P<whole>[\d.]+ m?s) of speech: .*",
        "The bot sent too late: its speech {at} has holes, {ms} in all in {whole}",
    ),
    (
        "holes",
        r"nothing was sent for (?P<s>[\d.]+ s) in the midst of speech",
        "The bot sent nothing for {s} in the midst of its speech, {at}",
    ),
    (
        "ahead",
        r"sound was sent up to (?P<s>[\d.]+ s) ahead of what was playing: a phone that holds (?P<holds>\d+ ms) lost "
        r"(?P<lost>[\d.]+ s) of it",
        "The bot sent its sound too fast from {time} on, up to {s} ahead of what was playing: a simulated phone that "
        "holds {holds} lost {lost} of it",
    ),
    (
        "ahead",
        r"sound was sent up to (?P<s>[\d.]+ s) ahead of what was playing",
        "The bot sent its sound too fast from {time} on, up to {s} ahead of what was playing",
    ),
    (
        "unheard",
        r"(?P<text>“.*”) was heard for (?P<s>[\d.]+ s of [\d.]+ s): the server ended the call while it was speaking",
        "The bot ended the call {at} while it was speaking: {text} was heard for {s}",
    ),
    (
        "unheard",
        r"(?P<s>[\d.]+ s) of speech were sent and not heard: .*",
        "The bot ended the call {at}, before the last {s} of its speech had been played",
    ),
    (
        "hold_seam",
        r"(?P<hole>an? .+) where the hold audio (?P<rest>.+)",
        "The bot's hold audio has {hole} where it {rest}, {at}",
    ),
    (
        "pace",
        r"(?P<every>[\d.]+ ms for each [\d.]+ ms of sound, over [\d.]+ s of continuous sending): (?P<off>[\d.]+ %) too "
        r"(?P<how>slow|fast)(?P<rest>.*)",
        "The bot sends {off} too {how}{ly}: {every}{rest}",
    ),
    ("wire_silence", r"nothing at all was sent for (?P<s>.+)", "The bot sent nothing at all for {s}, from {time} on"),
    (
        "level",
        r"speech at (?P<db>−?[\d.]+ dBFS): too (?P<how>loud|quiet)",
        "The bot spoke too {loudly} {at}: its speech was at {db}",
    ),
)
_NO_REPLY = re.compile(
    r"request \d+, “(?P<content>.*)”, fits no reply of the scenario \(not used so far: (?P<left>.*)\)"
)
_LOUDLY = {"loud": "loudly", "quiet": "quietly"}


def on_the_page(text: str) -> str:
    """Return a text of the checks as the page writes it: `7.508` is `0:07.51` (lengths have a unit, and stay), and a
    sum is called one."""
    for pattern, words in _PLAINER:
        text = re.sub(pattern, words, text)
    return _INSTANT.sub(lambda found: clock_text(int(found[1]) * 1000 + int(found[2])), text)


def plain_headline(side: Side, happened: str, at_ms: int, *, is_deadline: bool = False) -> str:
    """Return what the side did, when, and what happened, in the words of the check."""
    return f"{side.sentence}, {'by' if is_deadline else 'at'} {clock_text(at_ms)}: {on_the_page(happened)}"


def defect_headline(kind: str, what: str, at_ms: int, side: Side) -> str:
    """Return the sentence of a defect, of this kind and with these words."""
    for known, pattern, sentence in _OF_DEFECTS:
        found = re.fullmatch(pattern, what) if known == kind else None
        if found is not None:
            parts = found.groupdict()
            how = parts.get("how", "")
            time = clock_text(at_ms)
            ly = "ly" if how == "slow" else ""
            return sentence.format(**parts, at=f"at {time}", time=time, ly=ly, loudly=_LOUDLY.get(how, how))
    own = what.replace("the server", "the bot")
    if own.startswith("the bot "):
        return f"{own[0].upper()}{own[1:]}, at {clock_text(at_ms)}"
    return plain_headline(side, own, at_ms)


def step_headline(
    kind: str,
    side: Side,
    happened: Sequence[str],
    at_ms: int,
    entries: Sequence[Entry],
    *,
    is_deadline: bool,
    expected: str = "",
) -> str:
    """Return the sentence of a failed step. `at_ms`: when it was clear; `is_deadline`: the time was up then;
    `expected`: what the step asked for, in the words of the checks."""
    first = happened[0] if happened else ""
    if kind == "never bot_speaks" and (rest := _rest_of_an_answer(at_ms, entries)):
        return rest
    if kind.startswith("never "):
        return plain_headline(side, first, at_ms, is_deadline=is_deadline)
    found = re.search(r"backend has not been asked since the caller spoke \((?P<from>[\d.]+)–(?P<to>[\d.]+)\)", first)
    if found is not None:
        spoke = round(float(found["from"]) * 1000)
        words = next((_words(one) for one in entries if abs(one.at_ms - spoke) <= 1 and _words(one)), "")
        said = f"the caller's “{words}”" if words else "the caller's words"
        until = clock_text(round(float(found["to"]) * 1000))
        return f"The bot did not ask its backend after {said}, which ended at {until}"
    if "was never silent for" in first and kind == "expect bot_silent":
        over = [one.at_ms for one in entries if _caller_interrupts(one) and one.at_ms <= at_ms]
        when = f" when the caller spoke over it at {clock_text(over[-1])}" if over else ""
        stopped = _stopped(at_ms, entries)
        if stopped is not None:
            least = first.rpartition("was never silent for ")[2]
            fell = f"The bot fell silent at {clock_text(stopped)}{when}"
            return f"{fell}, but began to speak again before it had been silent for {least}"
        return f"The bot did not stop{when}: it had not fallen silent by {clock_text(at_ms)}"
    found = _NO_REPLY.fullmatch(first)
    if found is not None:
        return _asked(found["content"], found["left"], at_ms, entries)
    if expected.startswith("hold audio stopped"):
        playing = re.search(r"hold audio has been playing since (?P<at>[\d.]+)", "\n".join(happened))
        if playing is not None:
            since = clock_text(round(float(playing["at"]) * 1000))
            return f"The bot's hold audio had not stopped by {clock_text(at_ms)}: it has been playing since {since}"
    if "still in progress" in first:
        return f"The bot had not hung up by {clock_text(at_ms)}"
    return plain_headline(side, first, at_ms, is_deadline=is_deadline)


def _asked(content: str, left: str, at_ms: int, entries: Sequence[Entry]) -> str:
    """A request for which there is no reply: the second one for one turn of the caller, or of other words."""
    time = clock_text(at_ms)
    spoken, before = _asked_before(at_ms, entries)
    if spoken and before:
        times = "twice" if len(before) == 1 else f"{len(before) + 1} times"
        instants = ", ".join(map(clock_text, before))
        return (
            f"The bot asked its backend {times} for one turn of the caller, at {instants} and {time} (“{content}”); he "
            f"had last spoken until {clock_text(spoken)}"
        )
    if left == "none":
        return f"The bot asked its backend once more than the scenario has replies, at {time}: “{content}”"
    return f"The bot asked its backend “{content}” at {time}, which fits no reply that is left: {left}"


def _stopped(at_ms: int, entries: Sequence[Entry]) -> int | None:
    """When the bot had stopped, for a caller who spoke over it, before the time was up; None: it had not."""
    times = (
        one.at_ms + one.event.stopped_after_ms
        for one in entries
        if isinstance(one.event, VoicesOverlapped)
        and _caller_interrupts(one)
        and one.event.stopped_after_ms is not None
    )
    return max((stopped for stopped in times if stopped < at_ms), default=None)


def _rest_of_an_answer(at_ms: int, entries: Sequence[Entry]) -> str:
    """The sentence of speech at `at_ms` that goes on with an answer which had been broken off; "" if it is none."""
    spoke = [
        (one.at_ms, one.event) for one in entries if isinstance(one.event, BotSpoke) and one.event.text is not None
    ]
    again = next((event for since, event in spoke if since == at_ms and event.skipped_ms), None)
    before = [
        since + one.lasted_ms
        for since, one in spoke
        if again and one.text == again.text and since < at_ms and one.lost_end_ms
    ]
    if again is None or not before:
        return ""
    return (
        f"The bot began to speak again at {clock_text(at_ms)}, with the rest of an answer that it had broken off at "
        f"{clock_text(before[-1])}: “{again.text}”"
    )


def _asked_before(at_ms: int, entries: Sequence[Entry]) -> tuple[int, list[int]]:
    """Until when the caller had last spoken (0: never), and when the backend was asked since then, before `at_ms`."""
    spoken = max((part.end_ms for part in caller_voice(entries) if part.start_ms <= at_ms), default=0)
    asked = (one.at_ms for one in entries if isinstance(one.event, BackendAsked))
    return spoken, [one for one in asked if spoken <= one < at_ms]


def turn_asked_ms(first: str, at_ms: int, entries: Sequence[Entry]) -> tuple[int, int] | None:
    """Return until when the caller had last spoken, and when the backend was asked first since then, if a request at
    `at_ms` was one too many for his turn; else None. `first`: the first line of what happened."""
    spoken, before = _asked_before(at_ms, entries)
    return (spoken, before[0]) if spoken and before and _NO_REPLY.fullmatch(first) else None


def _words(entry: Entry) -> str:
    return (entry.event.text or "") if isinstance(entry.event, CallerSpoke) else ""


def _caller_interrupts(entry: Entry) -> bool:
    return isinstance(entry.event, VoicesOverlapped) and entry.event.began == "caller"
