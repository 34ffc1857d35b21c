"""Judges `bot_goes_on`, `resumes` and `asks_again`: what a bot makes of a sound over its speech, and of silence. Pure.

The first two are about the caller's last sound, of any kind; `asks_again` counts from the last that was heard of
either.
"""

from collections.abc import Sequence

from audiosocket_sim.call_log.events import BotSpoke, Entry
from audiosocket_sim.call_log.voices import caller_voice, ended_ms
from audiosocket_sim.checks.turns import SURE_MS, heard_so_far, window_of
from audiosocket_sim.checks.verdicts import GRACE_MS, Failed, Met, Moment, Pending, Verdict
from audiosocket_sim.checks.words import clock, describe, seconds
from audiosocket_sim.scenario import Within
from audiosocket_sim.turn_taking import (
    RESPONSE_WINDOW_MS,
    RESUMED_MS,
    SELECTIVE_WINDOW_MS,
    SOUND_LABELS,
    Disturbance,
    SpokenTurn,
    VoiceSegment,
    reaction,
    turns_of,
)

__all__ = ["asks_again", "goes_on", "own_window", "resumes"]

_LOOK_EVERY_MS = 20
_REPORTED_MS = 120
"""The ear reports the beginning of speech at most so much later."""
_LONGEST_INNER_PAUSE_MS = 600
"""A stretch of speech that is not over has no longer pause in it: the ear would have ended it."""
_KIND_KNOWN_MS = 2_400
"""A tone, music or noise that lasts is hold audio by then, and no speech; of what ends before the ear has said its
kind."""
_ALL_LABELS = ("speech", "keys", *SOUND_LABELS)


def own_window(expectation: Within, entries: Sequence[Entry], base_ms: int) -> tuple[int, int] | None:
    """Return from when to when an expectation of turn-taking asks for something, in ms since the UUID; `base_ms`: the
    completion of the step before. None for any other expectation, and if there is nothing to count from yet."""
    sound = _last_sound(entries)
    if expectation.bot_goes_on is not None and sound is not None:
        return sound.start_ms, sound.start_ms + SELECTIVE_WINDOW_MS
    if expectation.resumes is not None and sound is not None:
        return sound.start_ms, sound.start_ms + SELECTIVE_WINDOW_MS + expectation.resumes.within
    if expectation.asks_again is not None:
        since_ms = _silence(entries, _bot_of(entries, None), base_ms)[0]
        return since_ms, since_ms + expectation.asks_again.within
    return window_of(expectation, entries)


def goes_on(expectation: Within, entries: Sequence[Entry], moment: Moment) -> Verdict:
    """Return the verdict on `bot_goes_on`: does the bot speak on for 2 s after the caller's last sound has begun, or to
    the end of its sentence, with no longer pause than it may make?"""
    assert expectation.bot_goes_on is not None
    found = _counted(expectation, entries, moment)
    if not isinstance(found, Disturbance):
        return found
    expected, limit_ms = _expected(expectation, found), expectation.bot_goes_on.pause
    if found.outcome == "stopped":
        return Failed(expected, _how_it_stopped(found, entries))
    if _is_open(found, entries, moment, inner_pauses=limit_ms < _LONGEST_INNER_PAUSE_MS):
        return Pending(moment.now_ms + _LOOK_EVERY_MS)
    if (found.pause_ms or 0) > limit_ms:
        return Failed(expected, (f"the bot was silent for {seconds(found.pause_ms or 0)}, and then went on",))
    return _met(found, moment)


def resumes(expectation: Within, entries: Sequence[Entry], moment: Moment) -> Verdict:
    """Return the verdict on `resumes`: how soon does the bot go on that the caller's last sound has stopped?

    A bot that was not stopped meets it. If it is late, this waits for up to 10 s, so that the failure can say how late.
    """
    assert expectation.resumes is not None
    found = _counted(expectation, entries, moment)
    if not isinstance(found, Disturbance):
        return found
    expected, limit_ms = _expected(expectation, found), expectation.resumes.within
    if _is_open(found, entries, moment, inner_pauses=limit_ms < _LONGEST_INNER_PAUSE_MS):
        return Pending(moment.now_ms + _LOOK_EVERY_MS)
    after_ms, stopped_ms = found.resumed_after_ms, found.stopped_at_ms
    if found.outcome != "stopped" or stopped_ms is None:
        if (found.pause_ms or 0) > limit_ms:
            return Failed(expected, (f"the bot went on {seconds(found.pause_ms or 0)} after it had fallen silent",))
        return _met(found, moment)
    stopped = f"{clock(stopped_ms)} the bot stopped, {seconds(stopped_ms - found.onset_ms)} after the sound began"
    if after_ms is None:
        return _never_resumed(stopped_ms, stopped, expected, limit_ms, entries, moment)
    again_ms = stopped_ms + after_ms
    if found.place == "elsewhere":
        return Failed(expected, (stopped, f"{clock(again_ms)} it went on with other words"))
    if after_ms > limit_ms:
        return Failed(expected, (stopped, f"{clock(again_ms)} it went on, {seconds(after_ms)} later"))
    return Met(again_ms, max(again_ms, moment.base_ms), took_ms=after_ms)


def asks_again(expectation: Within, entries: Sequence[Entry], moment: Moment) -> Verdict:
    """Return the verdict on `asks_again`: how soon does the bot speak again after the last that was heard of either?

    A pause of at most 900 ms in the bot's own speech is none, unless the caller spoke in it. A tone, music, noise or a
    click of the bot is no speech.
    """
    assert expectation.asks_again is not None
    since_ms, again_ms = _silence(entries, _bot_of(entries, moment), moment.base_ms)
    deadline_ms = since_ms + expectation.asks_again.within
    expected = f"{describe(expectation)}, from {clock(since_ms)} until {clock(deadline_ms)}"
    if again_ms is not None and _may_be_none(again_ms, moment):
        return Pending(moment.now_ms + _LOOK_EVERY_MS)
    no_speech = _no_speech(entries, since_ms)
    if again_ms is not None:
        if again_ms <= deadline_ms:
            return Met(again_ms, max(again_ms, moment.base_ms), took_ms=again_ms - since_ms)
        return Failed(expected, (f"{clock(again_ms)} the bot spoke again, {seconds(again_ms - since_ms)} later",))
    ended = ended_ms(entries)
    if ended is not None:
        nothing = f"the bot said nothing within {seconds(max(0, ended - since_ms))}"
        return Failed(expected, (nothing, *no_speech, f"{clock(ended)} the call ended"))
    known_ms = deadline_ms + GRACE_MS + SURE_MS
    if moment.now_ms < known_ms:
        return Pending(min(known_ms, moment.now_ms + _LOOK_EVERY_MS))
    return Failed(expected, (f"the bot said nothing within {seconds(moment.now_ms - since_ms)}", *no_speech))


def _counted(expectation: Within, entries: Sequence[Entry], moment: Moment) -> Disturbance | Verdict:
    """What the bot made of the caller's last sound; or the verdict, if it made nothing of it that can be judged."""
    found = _reaction(expectation, entries, moment)
    if isinstance(found, Disturbance) and not found.counts:
        return _not_judged(found, _expected(expectation, found), entries, moment)
    return found


def _reaction(expectation: Within, entries: Sequence[Entry], moment: Moment) -> Disturbance | Failed | Pending:
    """What the bot made of the caller's last sound, as far as it is known; or the verdict that there is none."""
    sound, opened_ms = _last_sound(entries), moment.open_speech_at_ms
    if sound is None:
        return Failed(describe(expectation), ("the caller has made no sound yet",))
    if moment.now_ms < sound.start_ms:
        return Pending(sound.start_ms + GRACE_MS)
    ended = ended_ms(entries)
    until_ms = _known_until_ms(moment) if ended is None else ended
    found = reaction(sound, caller_voice(entries), _bot_of(entries, moment), until_ms)
    if found is not None:
        return found
    if opened_ms is not None and opened_ms < sound.start_ms and moment.now_ms < opened_ms + SURE_MS:
        return Pending(opened_ms + SURE_MS)
    if opened_ms is not None and opened_ms < sound.start_ms:
        return Pending(moment.now_ms + _LOOK_EVERY_MS)  # in a pause between two words: it may go on
    return Failed(
        _wanted(expectation, sound.start_ms),
        (f"the bot was not speaking when the caller's sound began, at {clock(sound.start_ms)}",),
    )


def _known_until_ms(moment: Moment) -> int:
    """Up to when it is known whether the bot speaks: that it does is reported late, and is sure still later."""
    known_ms, opened_ms = moment.now_ms - _REPORTED_MS, moment.open_speech_at_ms
    is_sure = opened_ms is None or moment.now_ms >= opened_ms + SURE_MS
    return known_ms if is_sure or opened_ms is None else min(known_ms, opened_ms)


def _not_judged(found: Disturbance, expected: str, entries: Sequence[Entry], moment: Moment) -> Verdict:
    """The bot has been heard for less than 2 s since the sound began: wait, unless nothing can come any more."""
    ended = ended_ms(entries)
    if ended is None:
        return Pending(moment.now_ms + _LOOK_EVERY_MS)
    return Failed(expected, (f"{clock(ended)} the call ended, {seconds(ended - found.onset_ms)} after the sound",))


def _never_resumed(
    stopped_ms: int, stopped: str, expected: str, limit_ms: int, entries: Sequence[Entry], moment: Moment
) -> Verdict:
    ended = ended_ms(entries)
    if ended is not None:
        return Failed(expected, (stopped, f"{clock(ended)} the call ended, and it had said nothing more"))
    known_ms = stopped_ms + max(limit_ms, RESPONSE_WINDOW_MS) + GRACE_MS
    if moment.now_ms < known_ms:
        return Pending(min(known_ms, moment.now_ms + _LOOK_EVERY_MS))
    return Failed(expected, (stopped, f"it said nothing more within {seconds(moment.now_ms - stopped_ms)}"))


def _met(found: Disturbance, moment: Moment) -> Met:
    judged_ms = found.onset_ms + SELECTIVE_WINDOW_MS
    met_ms = judged_ms if found.stopped_at_ms is None else min(judged_ms, found.stopped_at_ms)
    return Met(met_ms, max(met_ms, moment.base_ms), took_ms=found.pause_ms or 0)


def _how_it_stopped(found: Disturbance, entries: Sequence[Entry]) -> tuple[str, ...]:
    assert found.stopped_at_ms is not None
    after = seconds(found.stopped_at_ms - found.onset_ms)
    lines = [f"{clock(found.stopped_at_ms)} the bot stopped, {after} after the sound began"]
    if found.resumed_after_ms is not None and found.resumed_after_ms <= RESUMED_MS:
        where = "with its sentence anew" if found.place == "anew" else "with other words"
        lines.append(f"it went on {seconds(found.resumed_after_ms)} later, {where}")
    elif _is_unread(entries):
        lines.append("its voice cannot be read, so that its sentence may have been over: sound in mid-sentence is sure")
    return tuple(lines)


def _expected(expectation: Within, found: Disturbance) -> str:
    return _wanted(expectation, found.onset_ms)


def _wanted(expectation: Within, onset_ms: int) -> str:
    return f"{describe(expectation)}, when the caller makes a sound at {clock(onset_ms)}"


def _last_sound(entries: Sequence[Entry]) -> SpokenTurn | None:
    sounds = turns_of(caller_voice(entries), _ALL_LABELS)
    return sounds[-1] if sounds else None


def _is_open(found: Disturbance, entries: Sequence[Entry], moment: Moment, *, inner_pauses: bool) -> bool:
    """Whether the verdict rests on speech that is not over: its words, and `inner_pauses`, are known at its end."""
    opened_ms = moment.open_speech_at_ms
    if opened_ms is None:
        return False
    if opened_ms > found.onset_ms and (not _is_unread(entries) or _may_be_none(opened_ms, moment)):
        return True
    return inner_pauses and opened_ms < found.onset_ms + SELECTIVE_WINDOW_MS


def _is_unread(entries: Sequence[Entry]) -> bool:
    """Whether none of the bot's speech could be read so far."""
    return all(segment.said is None for segment in _bot_of(entries, None))


def _bot_of(entries: Sequence[Entry], moment: Moment | None) -> list[VoiceSegment]:
    """The bot's speech, without the sounds that have turned out to be none."""
    heard = heard_so_far(entries, Moment(0, 0, 0) if moment is None else moment)
    others = {entry.number for entry in entries if _is_no_speech(entry)}
    return [segment for segment in heard if segment.label == "speech" and segment.turn not in others]


def _is_no_speech(entry: Entry) -> bool:
    return isinstance(entry.event, BotSpoke) and entry.event.text is None and entry.event.sound != "speech"


def _may_be_none(began_ms: int, moment: Moment) -> bool:
    """Whether sound of the bot that goes on, and began then, may still turn out to be no speech."""
    return moment.open_speech_at_ms == began_ms and moment.now_ms < began_ms + _KIND_KNOWN_MS


def _no_speech(entries: Sequence[Entry], since_ms: int) -> list[str]:
    """A line for each sound of the bot since then that is no speech."""
    return [
        f"{clock(entry.at_ms)} {entry.event.sound} of {seconds(entry.event.heard_ms)}, which is no speech"
        for entry in entries
        if entry.at_ms >= since_ms and isinstance(entry.event, BotSpoke) and _is_no_speech(entry)
    ]


def _silence(entries: Sequence[Entry], bot: Sequence[VoiceSegment], base_ms: int) -> tuple[int, int | None]:
    """Since when nobody is heard after `base_ms`, and when the bot speaks again; None: it has not."""
    spoken = [(turn.start_ms, turn.end_ms, "bot") for turn in turns_of(bot, ("speech",))]
    spoken += [(part.start_ms, part.end_ms, part.label) for part in caller_voice(entries)]
    since_ms, bot_ms = None, None
    for start_ms, end_ms, who in sorted(spoken):
        if who == "bot":
            begins_anew = bot_ms is None or start_ms - bot_ms > RESUMED_MS
            if start_ms > base_ms and begins_anew and since_ms is not None:
                return since_ms, start_ms
            bot_ms = end_ms
        elif who not in SOUND_LABELS:
            bot_ms = None  # after the caller's turn any speech is new
        since_ms = end_ms if since_ms is None else max(since_ms, end_ms)
    return (base_ms if since_ms is None else since_ms), None
