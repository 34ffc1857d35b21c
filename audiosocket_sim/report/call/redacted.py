"""A saved call without its words and its sound: the shapes and times of what happened, built anew. Pure.

Each event is made from the numbers of the old one and from words that are this project's own: a text of the caller, the
bot, the backend, the scenario or the target is never copied. What is copied of a word is on a list in this module.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from audiosocket_sim.call_log.events import (
    BackendAsked,
    BackendPushed,
    BackendReplied,
    BotSpoke,
    CallBegan,
    CallEnded,
    CallerAction,
    CallerSpoke,
    DefectFound,
    ExpectationJudged,
    HoldStarted,
    HoldStopped,
    LogEvent,
    Noted,
    PhoneLostSound,
    PhoneUsed,
    StageTook,
    StateTold,
    StepFailed,
    VoicesOverlapped,
    WireSummary,
)
from audiosocket_sim.report.call.problems import CallProblem
from audiosocket_sim.report.call.sides import Side
from audiosocket_sim.report.saved.saved_call import SavedCall, SavedFailure
from audiosocket_sim.scenario import ANCHOR_EVENTS, EXPECTATION_KEYS

__all__ = ["WORDS", "redacted", "redacted_problem"]

WORDS = "[words]"
"""What stands in the place of words."""
_STATES = ("STANDBY", "IA_TURN", "USER_TURN", "WAITING")
_STAGES = ("endpoint", "recognition", "backend", "first_audio")
_ACTIONS = ("dtmf", "noise", "tone", "silence", "mute", "unmute")
_VOICES = ("prompt", "synthetic", "recogniser", "unread")
_SOUNDS = ("speech", "music", "tone", "noise", "click")
_KINDS = ("turn", "backchannel", "vocal_tic", "non_directed")
_WHO = ("server", "caller", "asterisk", "nobody")
_HOW = ("hangup_message", "fin", "orderly", "reset", "refused", "unanswered", "protocol")
_DIALPLAN = ("continues", "ends", "channel_ends")
_DEFECTS = {
    "holes": "holes in the bot's speech",
    "ahead": "sound sent ahead of what was playing",
    "level": "speech too loud or too quiet",
    "damage": "damaged sound",
    "pace": "sound sent at another pace than that of speech",
    "wire_silence": "nothing at all was sent",
    "unheard": "speech that was sent and not heard",
    "premature": "the bot began to speak in the midst of the caller's sentence",
    "left_open": "the connection was not closed after the end",
    "after_end": "messages after the hang-up message",
    "hold_seam": "a fault in the loop of the hold audio",
    "cross_talk": "the caller heard what belongs to another call",
}
_STEPS = (
    "expect",
    "never",
    "say",
    "press",
    "silence",
    "noise",
    "tone",
    "mute",
    "unmute",
    "hang_up",
    "wait",
    "step",
    "at",
)
_BLOCKS = ("if_heard", "repeat", "any_of", "optional")
_KEYS = (
    "quality",
    "ai",
    "ai_cassette",
    "max_duration",
    "turn_taking",
    "before",
    "after",
    "target",
    "judge",
    "callers",
    "then",
)
_STEP_WORDS = frozenset((*EXPECTATION_KEYS, *ANCHOR_EVENTS, *_STEPS, *_BLOCKS, *_KEYS))
_SAFE_KINDS = ("dead_air", "premature", "talk_over", "response", "late")
"""Kinds of observations whose words hold nothing but numbers."""
_ENVIRONMENT = {
    "clock": re.compile("virtual|real"),
    "peer": re.compile("simulated|asterisk"),
    "asterisk": re.compile(r"[\d.]{1,12}"),
    "simulator": re.compile(r"[\d.]{1,12}(dev\d+)?"),
    "python": re.compile(r"(CPython|PyPy) [\d.]{1,12}"),
    "system": re.compile(r"(Linux|Darwin|Windows) \w{1,10}"),
}
_TIMES = re.compile(r", from \d+\.\d+( s)? until \d+\.\d+( s)?$")


def redacted(call: SavedCall) -> SavedCall:
    """Return the call without words and sound. Of its name, what stands in brackets is left out: values of variables.

    What remains: who was heard when, states and stages, requests and answers by their times, the kinds of defects with
    their measured values, steps by their kinds, and versions.
    """
    failures = tuple(_failure(one) for one in call.failures)
    return SavedCall(
        name=call.name.partition("[")[0],
        kind=call.kind,
        path=call.path,
        entries=tuple(replace(entry, event=_event(entry.event), caller="") for entry in call.entries),
        outcome=call.outcome,
        failures=failures,
        faults=tuple("there was a reason, which is not shown" for _ in call.faults[:1]),
        duration_ms=call.duration_ms,
        environment=_environment(call.environment),
        sent=call.sent,
        lost=call.lost,
        late=tuple((by if by in ("packet", "thread", "backend", "bot") else "", a, b) for by, a, b in call.late),
        own_lateness_ms=call.own_lateness_ms,
    )


def redacted_problem(problem: CallProblem) -> CallProblem:
    """Return a problem of the unredacted call without its words: its side, its kind, its margin and its times stay."""
    kind = problem.kind if problem.kind in (*_DEFECTS, *_SAFE_KINDS, "phone") else _step(problem.kind)
    happened = _DEFECTS.get(kind, WORDS)
    if problem.rank == "observation" and kind in _SAFE_KINDS:
        happened = problem.happened
    elif problem.rank == "no_verdict":
        happened, kind = "there was a reason, which is not shown", "no verdict"
    part = problem.side.part if problem.side.part != problem.kind else kind
    step = re.match(r"step (\d+)", problem.what)
    return replace(
        problem,
        kind=kind,
        side=Side(problem.side.who, part),
        expected=_expected(problem.what.rpartition("(")[2].rstrip(")"), problem.expected) if problem.expected else "",
        happened=happened,
        headline="",
        more=(),
        where="",
        what="" if step is None else step[0],
    )


def _event(event: LogEvent) -> LogEvent:
    match event:
        case CallBegan():
            return CallBegan("")
        case CallerSpoke():
            kind = _of(event.kind, _KINDS)
            return CallerSpoke(WORDS, None, event.duration_ms, event.audible_ms, kind or "turn")
        case CallerAction():
            return CallerAction(_of(event.what, _ACTIONS), "", event.duration_ms, _of(event.kind, _KINDS) or None)
        case BackendAsked():
            return BackendAsked(event.number, "", WORDS)
        case BackendReplied():
            says = None if event.says is None else WORDS
            fault = None if event.fault is None else "fault"
            status = _of(event.status, _STATES) or None
            return BackendReplied(event.number, says, status, event.after_ms, fault, event.delivered)
        case BackendPushed():
            says = None if event.says is None else WORDS
            return BackendPushed(says, _of(event.status, _STATES) or None, event.http_status)
        case HoldStarted():
            return HoldStarted(event.into_waiting_ms)
        case HoldStopped():
            return HoldStopped(event.duration_ms, event.seamless)
        case StateTold():
            return StateTold(_of(event.before, _STATES) or "OTHER", _of(event.after, _STATES) or "OTHER")
        case StageTook():
            return StageTook(_of(event.stage, _STAGES) or "other", event.duration_ms, event.since_last_word_ms)
        case BotSpoke():
            return _spoke(event)
        case VoicesOverlapped():
            return replace(event, began=_of(event.began, ("caller", "bot")))
        case ExpectationJudged():
            return replace(event, step=_step(event.step), path=(), inside="")
        case DefectFound():
            places = event.places_ms, event.more_places
            return DefectFound(*_defect(event.kind), event.amount, event.duration_ms, "", *places)
        case StepFailed():
            step, expected = _step(event.step), _expected(event.step, event.expected)
            window = event.opened_ms, event.closed_ms
            return StepFailed(event.number, step, expected, (WORDS,), *window, unsure=event.unsure)
        case Noted():
            return Noted("a note, which is not shown")
        case PhoneLostSound():
            return PhoneLostSound("a model", event.lost_ms, event.duration_ms, "its buffer")
        case PhoneUsed():
            return PhoneUsed("a model", event.played_ms, event.lost_ms, event.delays_ms)
        case CallEnded():
            who, how, dialplan = _of(event.who, _WHO), _of(event.how, _HOW), _of(event.dialplan, _DIALPLAN)
            return CallEnded(who, how, dialplan, "by its own rules", event.last_word_heard, event.unheard_ms)
        case WireSummary():
            return event


def _spoke(event: BotSpoke) -> BotSpoke:
    return replace(
        event,
        text=None if event.text is None else WORDS,
        voice=_of(event.voice, _VOICES) or "unread",
        sound=_of(event.sound, _SOUNDS) or "speech",
        read_by=None,
        confidence=None,
        words=(),
    )


def _failure(failure: SavedFailure) -> SavedFailure:
    kind = failure.what.rpartition("(")[2].rstrip(")")
    step = _step(kind)
    number = re.match(r"step (\d+)", failure.what)
    what = f"step {number[1]} ({step})" if number is not None else step
    return SavedFailure("", what, _expected(kind, failure.expected), (WORDS,), failure.at_ms, failure.unsure)


def _expected(step: str, expected: str) -> str:
    """The kind of what was expected, with its window."""
    times = _TIMES.search(expected)
    return f"{_step(step)}, as the scenario asks for it{times[0] if times else ''}"


def _step(step: str) -> str:
    return " ".join(word for word in step.split() if word in _STEP_WORDS) or "a step"


def _defect(kind: str) -> tuple[str, str]:
    return (kind, _DEFECTS[kind]) if kind in _DEFECTS else ("defect", "a defect")


def _environment(found: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: str(found.get(key)) for key, form in _ENVIRONMENT.items() if form.fullmatch(str(found.get(key)))}
    seed = found.get("seed")
    return {**kept, "seed": seed} if isinstance(seed, int) else {**kept}


def _of(word: str | None, known: Sequence[str]) -> str:
    """The word if it is one of these, else ""."""
    return word if word in known and word is not None else ""
