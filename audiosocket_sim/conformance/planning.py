"""Which cases run, in which order, beside which others, and how many calls that makes. Pure."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase

from audiosocket_sim.conformance.case import Case, Level
from audiosocket_sim.conformance.features import Features, why_not
from audiosocket_sim.conformance.script import Script, seconds_of

__all__ = ["AT_ONCE", "AT_ONCE_VIRTUAL", "TELLING", "NotRun", "Plan", "by_recording", "chosen", "nearest_id", "plan"]

AT_ONCE, AT_ONCE_VIRTUAL = 20, 24
"""How many cases run beside one another on the real clock, and in virtual time."""
TELLING = (
    *("HS-01", "AO-06", "TD-10", "FR-02", "DT-07", "HS-03", "AO-04", "HS-02"),
    *("AV-05", "TD-01", "HS-14", "AV-11", "AV-01", "HS-04", "FR-21", "AO-03", "HS-23"),
)
"""The cases that begin first, so that the first finding comes soon: between them they find something in each of the
servers of docs/matrix.md in which anything was found. The short ones come before the long ones, and last the one that
ends some servers."""
_ONLY_HEAVY = "takes long, or many connections: run with --heavy"
_NOT_OURS = "the server was not started for this run, so it is not ours to stop: try `command:`"
_ONE_AT_A_TIME = "needs two calls at once, and the server serves one"


@dataclass(frozen=True, slots=True)
class NotRun:
    """A case that is left out, and why."""

    case: Case
    why: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What is run: first `together`, `at_once` of them beside one another, then one by one those of `alone`.

    Those of `alone` measure pace or load; the last one may stop the server.
    """

    together: tuple[Case, ...]
    alone: tuple[Case, ...]
    at_once: int
    not_run: tuple[NotRun, ...]
    heavy: bool = False

    @property
    def n_calls(self) -> int:
        """How many connections all its cases make."""
        recorded = [cases[0] for cases in (*by_recording(self.together), *by_recording(self.alone))]
        return sum(case.n_calls(heavy=self.heavy) for case in recorded)

    @property
    def seconds(self) -> float:
        """How long it takes on the real clock, at most, as its scripts say."""
        beside = [cases[0].seconds(heavy=self.heavy) for cases in by_recording(self.together)]
        alone = sum(cases[0].seconds(heavy=self.heavy) for cases in by_recording(self.alone))
        return max([sum(beside) / self.at_once, *beside]) + alone if beside else alone


def nearest_id(text: str, ids: Sequence[str]) -> str:
    """Return the id that a text most likely means, HS-02 for "hs-2"; "" if it is like none."""
    section, _, number = text.upper().partition("-")
    near = get_close_matches(f"{section}-{number:0>2}", ids, n=1, cutoff=0.4)
    return near[0] if near else ""


def by_recording(cases: Iterable[Case]) -> list[tuple[Case, ...]]:
    """Return the cases in groups that are judged from one recording each, in the order of their first ones."""
    groups: dict[str, list[Case]] = {}
    for case in cases:
        groups.setdefault(case.shares or case.id, []).append(case)
    return [tuple(group) for group in groups.values()]


def chosen(cases: Sequence[Case], only: Sequence[str], levels: Collection[Level]) -> list[Case]:
    """Return the cases whose ids fit one of the patterns (`RB-*`; none: all), of these levels.

    Raises LookupError, whose text names the nearest id, for a pattern that fits none.
    """
    patterns = [part.strip().upper() for text in only for part in text.split(",") if part.strip()]
    for pattern in patterns:
        if not any(fnmatchcase(case.id, pattern) for case in cases):
            near = nearest_id(pattern, [case.id for case in cases])
            hint = f"; the nearest is {near}" if near else ""
            raise LookupError(f"no case {pattern[:40]}{hint} (--list shows all)")
    fitting = [case for case in cases if not patterns or any(fnmatchcase(case.id, pattern) for pattern in patterns)]
    return [case for case in fitting if case.level in levels]


def plan(cases: Iterable[Case], features: Features, *, heavy: bool, virtual: bool, can_be_stopped: bool = True) -> Plan:
    """Plan these cases for a server with these features. `can_be_stopped`: whether it is ours to stop.

    In virtual time no case disturbs another one's pace, as time stands still while the server works. Those of `TELLING`
    come first. Of the others the long ones begin first, so that short ones run beside them; one after the other, what
    is required comes before what is desired, and what is short before what is long.
    """
    in_turn = features.two_calls is False
    not_run: list[NotRun] = []
    together: list[Case] = []
    alone: list[Case] = []
    for case in cases:
        why = _why_not(case, features, heavy=heavy, virtual=virtual, can_be_stopped=can_be_stopped)
        if why:
            not_run.append(NotRun(case, why))
        else:
            by_itself = case.starves if virtual else case.is_alone(heavy=heavy)
            (alone if case.stops_the_server or (by_itself and not in_turn) else together).append(case)
    alone.sort(key=lambda case: (case.stops_the_server, _turn(case)))
    if in_turn:
        together.sort(key=lambda case: (_turn(case), case.level != "must", case.seconds(heavy=heavy)))
    else:
        together.sort(key=lambda case: (_turn(case), -case.seconds(heavy=heavy)))
    at_once = 1 if in_turn else AT_ONCE_VIRTUAL if virtual else AT_ONCE
    if features.most_calls is not None:
        widest = max((_calls_at_once(case.connections(heavy=heavy)) for case in together), default=1)
        at_once = max(1, min(at_once, features.most_calls // widest))
    return Plan(tuple(together), tuple(alone), at_once, tuple(not_run), heavy)


def _turn(case: Case) -> int:
    return TELLING.index(case.id) if case.id in TELLING else len(TELLING)


def _why_not(case: Case, features: Features, *, heavy: bool, virtual: bool, can_be_stopped: bool) -> str:
    if case.cannot:
        return case.cannot
    if virtual and case.only_real:
        return case.only_real
    if case.stops_the_server and not can_be_stopped:
        return _NOT_OURS
    if case.only_heavy and not heavy:
        return _ONLY_HEAVY
    if case.two_at_once and features.two_calls is False:
        return _ONE_AT_A_TIME
    needed = _calls_at_once(case.connections(heavy=heavy))
    if features.most_calls is not None and needed > features.most_calls:
        return f"makes {needed} calls at once, and the server takes {features.most_calls}, as check.yaml says"
    return why_not(case.needs, features)


def _calls_at_once(scripts: Sequence[Script]) -> int:
    """How many of these connections may be open at the same time; 1 for a case that has no scripts."""
    spans = [(script.starts, script.starts + sum(map(seconds_of, script.actions))) for script in scripts]
    return max((sum(began <= at <= ended for began, ended in spans) for at, _ in spans), default=1)
