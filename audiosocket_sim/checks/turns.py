"""Judges the expectations about turn-taking: `responds`, `bot_stops`, `never: talk_over` and `never: dead_air`. Pure.

They count from what the caller said, not from the step before: from the end of his last word, or from his first sound.
"""

from collections.abc import Sequence

from audiosocket_sim.call_log.events import Entry
from audiosocket_sim.call_log.voices import bot_voice, caller_voice, ended_ms, over_ms
from audiosocket_sim.checks.verdicts import GRACE_MS, Broken, Failed, Met, Moment, Pending, Verdict, Watched
from audiosocket_sim.checks.words import clock, describe, seconds
from audiosocket_sim.scenario import Never, Within
from audiosocket_sim.turn_taking import (
    PREMATURE_MS,
    QUIET_MS,
    RESPONSE_WINDOW_MS,
    RESUMED_MS,
    ResponseTime,
    SpokenTurn,
    VoiceSegment,
    YieldTime,
    dead_air,
    responses,
    talk_over,
    turns_of,
    yields,
)

__all__ = ["SURE_MS", "answer", "broken_turns", "heard_so_far", "stop", "window_of"]

SURE_MS = 300
"""Sound that has lasted so long is speech: a click is over by then, and hold audio is told apart."""
_LOOK_EVERY_MS = 20
_STOP_WINDOW_MS = 10_000
"""How long to wait for a bot that does not stop, so that the failure can say after how long it did."""


def window_of(expectation: Within, entries: Sequence[Entry]) -> tuple[int, int] | None:
    """Return from when to when `responds` or `bot_stops` asks for something, in ms since the UUID.

    None for any other expectation (`going_on` has more), and if the caller has not spoken.
    """
    if expectation.responds is not None and (turns := turns_of(caller_voice(entries))):
        return turns[-1].end_ms, turns[-1].end_ms + expectation.responds.within
    if expectation.bot_stops is not None and (turns := turns_of(caller_voice(entries), ("speech",))):
        return turns[-1].start_ms, turns[-1].start_ms + expectation.bot_stops.within
    return None


def answer(expectation: Within, entries: Sequence[Entry], moment: Moment) -> Verdict:
    """Return the verdict on `responds`: is the bot's first audible speech after the caller's last word in time?

    If it is late, this waits for it for up to 10 s, so that the failure can say how late.
    """
    window = window_of(expectation, entries)
    if window is None:
        return Failed(describe(expectation), ("the caller has not spoken yet",))
    last_ms, deadline_ms = window
    expected = f"{describe(expectation)}, from {clock(last_ms)} until {clock(deadline_ms)}"
    found = responses(caller_voice(entries), heard_so_far(entries, moment), moment.now_ms)[-1]
    if found.wait_ms is not None:
        return _judged_answer(found, expected, deadline_ms, moment)
    if ended_ms(entries) is not None:
        return Failed(expected, _no_answer(entries, moment, last_ms))
    known_ms = max(deadline_ms, last_ms + RESPONSE_WINDOW_MS) + GRACE_MS
    if moment.now_ms < known_ms:
        opened_ms = moment.open_speech_at_ms
        sure_ms = known_ms if opened_ms is None else opened_ms + SURE_MS
        return Pending(min(known_ms, max(sure_ms, moment.now_ms + _LOOK_EVERY_MS)))
    return Failed(expected, _no_answer(entries, moment, last_ms))


def _judged_answer(found: ResponseTime, expected: str, deadline_ms: int, moment: Moment) -> Verdict:
    assert found.wait_ms is not None
    at_ms = found.from_ms + found.wait_ms
    if found.wait_ms < -PREMATURE_MS:
        early = f"{clock(at_ms)} the bot began, {seconds(-found.wait_ms)} before the caller's last word was over"
        return Failed(expected, (early,))
    if at_ms > deadline_ms:
        late = f"{clock(at_ms)} the bot answered, {seconds(found.wait_ms)} after the caller's last word"
        return Failed(expected, (late,))
    return Met(at_ms, max(at_ms, moment.base_ms), took_ms=found.wait_ms)


def _no_answer(entries: Sequence[Entry], moment: Moment, last_ms: int) -> tuple[str, ...]:
    waited_ms = min(moment.now_ms, over_ms(entries) if ended_ms(entries) is not None else moment.now_ms) - last_ms
    nothing = f"the bot said nothing within {seconds(max(0, waited_ms))} of the caller's last word"
    ended = ended_ms(entries)
    return (nothing,) if ended is None else (nothing, f"{clock(ended)} the call ended")


def stop(expectation: Within, entries: Sequence[Entry], moment: Moment) -> Verdict:
    """Return the verdict on `bot_stops`: how long after the caller's first sound was the bot's speech heard?

    The bot has stopped once it is quiet for 200 ms; a pause of at most 900 ms, after which it goes on over the caller's
    turn, is no stop.
    """
    window = window_of(expectation, entries)
    if window is None:
        return Failed(describe(expectation), ("the caller has not spoken yet",))
    onset_ms, deadline_ms = window
    expected = f"{describe(expectation)}, from {clock(onset_ms)} until {clock(deadline_ms)}"
    caller, bot = caller_voice(entries), heard_so_far(entries, moment)
    turn = turns_of(caller, ("speech",))[-1]
    if moment.now_ms < onset_ms:
        return Pending(onset_ms + GRACE_MS)
    ended = ended_ms(entries)
    until_ms = moment.now_ms if ended is None else ended
    found = next((one for one in yields(caller, bot, until_ms) if one.onset_ms == onset_ms), None)
    opened_ms = moment.open_speech_at_ms
    if found is None and opened_ms is not None and opened_ms < onset_ms and moment.now_ms < opened_ms + SURE_MS:
        return Pending(opened_ms + SURE_MS)
    if found is None:
        return Failed(expected, (f"the bot was not speaking when the caller began, at {clock(onset_ms)}",))
    if found.after_ms is not None and (ended is not None or moment.now_ms >= _known_ms(found, turn, moment)):
        return _judged_stop(found, expected, deadline_ms, moment)
    if ended is not None:
        return Failed(expected, (f"the bot was still speaking when the call ended, at {clock(ended)}",))
    if moment.now_ms >= onset_ms + max(deadline_ms - onset_ms, _STOP_WINDOW_MS):
        went_on = f"the bot was still speaking at {clock(moment.now_ms)}, {seconds(moment.now_ms - onset_ms)} later"
        return Failed(expected, (went_on,))
    return Pending(moment.now_ms + _LOOK_EVERY_MS)


def _known_ms(found: YieldTime, turn: SpokenTurn, moment: Moment) -> int:
    """When it is certain that the bot has stopped: no pause is that long, or it has ended with the caller's turn."""
    assert found.after_ms is not None
    stop_ms = found.onset_ms + found.after_ms
    resumes_by_ms = min(stop_ms + RESUMED_MS, turn.end_ms - PREMATURE_MS)
    if moment.open_speech_at_ms is not None and moment.open_speech_at_ms < max(stop_ms, resumes_by_ms):
        return moment.now_ms + 1  # the stretch has not ended, or goes on: its pauses are known at its end
    return max(stop_ms + QUIET_MS, resumes_by_ms) + GRACE_MS


def _judged_stop(found: YieldTime, expected: str, deadline_ms: int, moment: Moment) -> Verdict:
    assert found.after_ms is not None
    stop_ms = found.onset_ms + found.after_ms
    if stop_ms <= deadline_ms:
        return Met(stop_ms, max(stop_ms, moment.base_ms), took_ms=found.after_ms)
    how = "the bot's sentence was over" if found.natural else "the bot stopped"
    return Failed(expected, (f"{clock(stop_ms)} {how}, {seconds(found.after_ms)} after the caller's first sound",))


def broken_turns(expectation: Never, entries: Sequence[Entry], watched: Watched) -> Broken | None:
    """Return the first talk-over or dead air in what a `never` watched; None: there is none."""
    from_ms, hung_up_ms = watched.from_ms, watched.hung_up_ms
    caller, bot = caller_voice(entries), bot_voice(entries)
    until_ms = min(ms for ms in (watched.to_ms, ended_ms(entries), hung_up_ms) if ms is not None)
    if expectation.talk_over is not None:
        for both in talk_over(caller, bot, expectation.talk_over.at_least):
            start_ms, end_ms = max(both.start_ms, from_ms), min(both.end_ms, until_ms)
            if end_ms - start_ms >= expectation.talk_over.at_least:
                over = "the bot began over the caller" if both.began == "bot" else "the caller began over the bot"
                return Broken(start_ms, f"{clock(start_ms)} {over}: both spoke for {seconds(end_ms - start_ms)}")
    if expectation.dead_air is not None:
        for quiet in dead_air(caller, bot, until_ms):
            start_ms = max(quiet.start_ms, from_ms)
            if quiet.end_ms - start_ms >= expectation.dead_air.at_least:
                lasted = f"nobody was heard for {seconds(quiet.end_ms - start_ms)}, and it was the bot's turn"
                return Broken(start_ms, f"from {clock(start_ms)} on {lasted}")
    return None


def heard_so_far(entries: Sequence[Entry], moment: Moment) -> list[VoiceSegment]:
    """Return the bot's voice, with the speech that has not ended yet and so is not in the log."""
    opened_ms = moment.open_speech_at_ms
    if opened_ms is None or moment.now_ms < opened_ms + SURE_MS:
        return bot_voice(entries)
    silent_ms = moment.silent_since_ms
    end_ms = moment.now_ms if silent_ms is None else max(silent_ms, opened_ms + 1)
    return [*bot_voice(entries), VoiceSegment(opened_ms, end_ms, "speech", -1)]
