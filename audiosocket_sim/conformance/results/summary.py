"""A run in short: what is known of the server, the table by section, what was not run, and the last line. Pure."""

import textwrap
from collections.abc import Iterator, Sequence

from audiosocket_sim.conformance.case import SECTIONS, CaseOutcome
from audiosocket_sim.conformance.features import FEATURES, Features
from audiosocket_sim.conformance.planning import Plan
from audiosocket_sim.conformance.results.failure_text import MARKS
from audiosocket_sim.conformance.results.lines import TextLine, TextPart, labelled, text_line
from audiosocket_sim.conformance.verdicts import CaseResult, ConformanceResult

__all__ = [
    "feature_lines",
    "last_line",
    "not_run_lines",
    "plan_words",
    "root_words",
    "section_of",
    "table_lines",
    "time_words",
]

_COLUMNS = (
    (CaseOutcome.PASS, "passed", True),
    (CaseOutcome.FAIL, "failed", True),
    (CaseOutcome.WARN, "warn", True),
    (CaseOutcome.INCONCLUSIVE, "inconclusive", True),
    (CaseOutcome.NOT_RUN, "not run", True),
    (CaseOutcome.EXPECTED_FAILURE, "expected failure", False),
    (CaseOutcome.UNEXPECTED_PASS, "unexpected pass", False),
)
"""Outcome, head of the column, and whether it is shown though it is empty."""


_WIDEST = 116
_ROOTS = {"HS-01": "the plainest call of all", "HS-14": "the first bytes that a server sends"}
_MANY_SECONDS = 200
_MANY = 4
"""How many others fail, from which on it is said that they may follow from one of the `_ROOTS`."""


def section_of(result: CaseResult) -> str:
    """Return the two letters of a case's section."""
    return result.case.id[:2]


def feature_lines(features: Features, width: int) -> Iterator[TextLine]:
    """Yield what the server does and what it was not seen to do, in the probe; or what check.yaml states."""
    width = min(width, _WIDEST)  # in a log too: it is no line to search in
    for label, value in (("it", True), ("not seen", False), ("not known", None)):
        names = [name for name in FEATURES if features.has(name) is value]
        words = [FEATURES[name] + (" (stated)" if name in features.stated else "") for name in names]
        if words:
            yield from labelled(label, "; ".join(words), width)
    if features.lives is not None:
        stated = " (stated)" if "lives" in features.stated else ""
        yield from labelled("", f"it ended a call by itself after {features.lives:.1f} s{stated}", width)
    if features.roles:
        yield from labelled("plays", f"in a test: {', '.join(features.roles)}", width)


def plan_words(plan: Plan, n_cases: int, *, virtual: bool) -> str:
    """Return how many cases run, how many calls they make, and how long that takes at most."""
    run = len(plan.together) + len(plan.alone)
    order = "one after the other, the likeliest to fail first" if plan.at_once == 1 else f"{plan.at_once} cases at once"
    how_long = f"{time_words(plan.seconds)} at most" if not virtual else "in virtual time"
    return f"{run} of {n_cases} cases, {_calls(plan.n_calls)}, {order}, {how_long}"


def time_words(seconds: float) -> str:
    """Return how long something takes: in seconds, or in minutes where it is many."""
    return f"{seconds:.0f} s" if seconds <= _MANY_SECONDS else f"{seconds / 60:.0f} min"


def _calls(count: int) -> str:
    return "1 call" if count == 1 else f"{count} calls"


def table_lines(result: ConformanceResult) -> Iterator[TextLine]:
    """Yield the table: a line for each section with how many of its cases came to which outcome."""
    columns = [(outcome, head) for outcome, head, always in _COLUMNS if always or result.count(outcome)]
    sections = [name for name in SECTIONS if any(section_of(one) == name for one in result.results)]
    label = max([len(SECTIONS[name]) for name in sections], default=0) + 4
    yield (
        TextPart(f"  {'section':<{label}}", "dim"),
        *(TextPart(f"  {head:>{max(6, len(head))}}", "dim") for _, head in columns),
    )
    for name in sections:
        mine = [one for one in result.results if section_of(one) == name]
        parts = [TextPart(f"  {name}  {SECTIONS[name]:<{label - 4}}")]
        for outcome, head in columns:
            count = sum(one.outcome is outcome for one in mine)
            style = MARKS[outcome][1] if count else "dim"
            parts.append(TextPart(f"  {count or '·':>{max(6, len(head))}}", style))
        yield tuple(parts)


def not_run_lines(results: Sequence[CaseResult], width: int) -> Iterator[TextLine]:
    """Yield the cases that were not run, by reason."""
    by_reason: dict[str, list[str]] = {}
    for one in results:
        if one.outcome is CaseOutcome.NOT_RUN:
            by_reason.setdefault(one.why or "no reason", []).append(one.case.id)
    if by_reason:
        yield text_line("not run:")
    for reason, ids in by_reason.items():
        text = f"{' '.join(ids)}: {reason}"
        for part in textwrap.wrap(text, width, initial_indent="  ", subsequent_indent="    "):
            yield text_line(part, "dim")


def root_words(result: ConformanceResult) -> str:
    """Return that a case fails of which the failures of many others may be the consequence; "" if there is none."""
    failed = [one.case.id for one in result.results if one.outcome is CaseOutcome.FAIL]
    root = next((name for name in _ROOTS if name in failed), "")
    others = len(failed) - 1
    if not root or others < _MANY:
        return ""
    return f"{root} fails, {_ROOTS[root]}: the {others} other failures may follow from it, so mend it first"


def last_line(result: ConformanceResult, exit_code: int) -> TextLine:
    """Return the last line: the verdict, and what it rests on."""
    failed = result.count(CaseOutcome.FAIL)
    stale = result.count(CaseOutcome.UNEXPECTED_PASS)
    passed = result.count(CaseOutcome.PASS)
    words = [f"{passed} passed"]
    words += [f"{failed} failed"] if failed else []
    words += [f"{stale} passed though known to fail"] if stale else []
    for outcome, word in (
        (CaseOutcome.EXPECTED_FAILURE, "failed as expected"),
        (CaseOutcome.WARN, "with a warning"),
        (CaseOutcome.INCONCLUSIVE, "inconclusive"),
        (CaseOutcome.NOT_RUN, "not run"),
    ):
        words += [f"{count} {word}"] if (count := result.count(outcome)) else []
    verdict, style = {0: ("passed", "bold green"), 1: ("FAILED", "bold red"), 4: ("inconclusive", "bold magenta")}.get(
        exit_code, ("set-up error", "bold red")
    )
    judged = f"{result.n_statements} statements judged in {_calls(result.n_calls)}"
    return (TextPart(verdict, style), TextPart(f": {', '.join(words)}; {judged}"))
