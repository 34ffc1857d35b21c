"""Infer the bot's settings from a captured call, so that the reference server behaves in the same way. Pure."""

import statistics
from typing import Any

from audiosocket_sim.live.captured_call.analysis import Analysis
from audiosocket_sim.live.captured_call.bot_hearing import Sentence
from audiosocket_sim.live.captured_call.model import CapturedCall, CapturedUtterance

__all__ = ["infer_settings", "is_reference_server"]

# The reference server's defaults. A difference smaller than `_ALIKE_MS` is not written.
_THRESHOLD_SECONDS = 2.0
_GREETING_STARTS_MS = 2_300
_GREETING = "Condomínio Apoena, em que posso ajudar?"
_PROMPT_LEAD_MS = 300
_ALIKE_MS = 300
_INTO_SPEECH_MS = 300
_STATES = frozenset({"USER_TURN", "WAITING", "IA_TURN", "STANDBY"})


def is_reference_server(call: CapturedCall) -> bool:
    """Return True if the bot reported states to the control API, and all of them are the reference server's."""
    return bool(call.states) and all({state.before, state.after} <= _STATES for state in call.states)


def infer_settings(call: CapturedCall, seen: Analysis) -> dict[str, Any]:
    """Return the scenario's `server:` settings: only those that differ from the defaults, as far as the call shows."""
    system: dict[str, Any] = {}
    threshold = _threshold_seconds(seen)
    if threshold is not None and abs(threshold - _THRESHOLD_SECONDS) * 1000 >= _ALIKE_MS:
        system["silence_threshold_seconds"] = threshold
    if any(_interrupted(u, s) for u in seen.utterances for s in seen.bot.sentences):
        system["barge_in"] = True
    greeting = _greeting(call, seen)
    return {**({"greeting": greeting} if greeting else {}), **({"system": system} if system else {})}


def _threshold_seconds(seen: Analysis) -> float | None:
    """Return the median time from the caller's last word to the question, in seconds; None if no turn shows it.

    It includes the time that recognition took beyond the silence.
    """
    waits = [
        turn.at_ms - u.speech_end_ms
        for turn in seen.turns
        for u in seen.utterances
        if u.text == turn.text and 0 < turn.at_ms - u.speech_end_ms < 8_000
    ]
    return round(statistics.median(waits) / 1000, 1) or None if waits else None


def _interrupted(utterance: CapturedUtterance, sentence: Sentence) -> bool:
    """Return True for a barge-in: the caller spoke over the bot, and the bot stopped and understood him."""
    over = sentence.start_ms < utterance.speech_start_ms < sentence.end_ms
    stopped = sentence.end_ms < utterance.speech_end_ms + _INTO_SPEECH_MS
    return over and stopped and sentence.text is None and utterance.text is not None


def _greeting(call: CapturedCall, seen: Analysis) -> dict[str, Any]:
    first_turn = seen.turns[0].at_ms if seen.turns else call.ending.at_ms
    greeting = next((s for s in seen.bot.sentences if s.start_ms < first_turn), None)
    if greeting is None:
        return {"message": "", "delay_seconds": 0} if seen.turns else {}
    found: dict[str, Any] = {}
    if greeting.text is not None and greeting.text != _GREETING:
        found["message"] = greeting.text
    if abs(greeting.start_ms - _GREETING_STARTS_MS) >= _ALIKE_MS:
        found["delay_seconds"] = max(0.0, round((greeting.start_ms - _PROMPT_LEAD_MS) / 1000, 1))
    return found
