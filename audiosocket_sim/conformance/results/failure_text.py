"""A case that did not pass, as a block of lines: what was required and seen, the bytes around it, and why. Pure."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from audiosocket_sim.conformance.case import CaseOutcome, LegSeen, SeenCase, Statement
from audiosocket_sim.conformance.results.lines import LABEL, TextLine, TextPart, labelled
from audiosocket_sim.conformance.results.wire_around import WireLine, around
from audiosocket_sim.conformance.verdicts import CaseResult

__all__ = ["MARKS", "failure_lines", "leg_words", "required_and_seen", "verdict_words"]

MARKS = {
    CaseOutcome.PASS: ("✓", "green"),
    CaseOutcome.FAIL: ("✗", "bold red"),
    CaseOutcome.WARN: ("!", "yellow"),
    CaseOutcome.INCONCLUSIVE: ("?", "magenta"),
    CaseOutcome.NOT_RUN: ("–", "dim"),
    CaseOutcome.EXPECTED_FAILURE: ("x", "yellow"),
    CaseOutcome.UNEXPECTED_PASS: ("✗", "bold red"),
}
"""The sign and the style of each outcome."""
_SHOWN = 4
_IN_FRONT = 25
"""What stands in front of the words of a line of the wire, after its label: mark, times, side."""
_FEWEST_WORDS = 16
_HEX, _HEX_NARROW, _WIDE = 34, 14, 110
"""The room for the bytes on a wide terminal and on a narrow one, and from which width on it is wide."""


def required_and_seen(statement: Statement) -> tuple[str, str]:
    """Return what is required and what was seen instead; "" where the statement says no more."""
    required, _, seen = statement.says.partition(", but ")
    return required, seen


def verdict_words(result: CaseResult) -> str:
    """Return both verdicts in words: `behaviour pass, ending fail`."""
    return f"behaviour {result.behaviour.value}, ending {result.ending.value}"


def failure_lines(result: CaseResult, repeat: Callable[[str], str], width: int) -> Iterator[TextLine]:
    """Yield the block of a case that did not pass. `repeat`: makes the command that runs the case of an id alone."""
    case = result.case
    sign, style = MARKS[result.outcome]
    word = result.outcome.value.upper() if result.outcome is CaseOutcome.FAIL else result.outcome.value
    yield (
        TextPart(f"{sign} {case.id}  {word}", style),
        TextPart(f"  {case.title}", "bold"),
        TextPart(f"  ({case.level}; {verdict_words(result)})", "dim"),
    )
    if result.why:
        yield from labelled("known", result.why, width)
    yield from labelled("the peer", case.peer, width)
    yield from labelled("good", f"a good server {case.good}", width)
    shown = result.failures[:_SHOWN]
    for statement in shown:
        required, seen = required_and_seen(statement)
        yield from labelled("required", _of_call(statement, result) + required, width)
        late = "this machine was too late to tell" if statement.ok is None else ""
        yield from labelled("seen", "; ".join(filter(None, (seen, late))) or "not so", width, style)
    if len(result.failures) > _SHOWN:
        yield from labelled("", f"… and {len(result.failures) - _SHOWN} more statements do not hold", width)
    if result.observed is not None and shown:
        yield from _wire(result.observed, shown[0], width)
    yield from labelled("why", case.why, width)
    yield from labelled("read", f"docs/protocol.md, section {case.section}", width)
    yield from labelled("again", repeat(case.id), 10 * width, "cyan")


def _of_call(statement: Statement, result: CaseResult) -> str:
    seen = result.observed
    several = seen is not None and len(seen.calls) > 1
    return f"{statement.call}: " if several else ""


def _wire(seen: SeenCase, statement: Statement, width: int) -> Iterator[TextLine]:
    if not seen.calls:
        for leg in seen.leg_ends:
            yield from labelled("call", leg_words(leg), width)
        return
    call = next((call for call in seen.calls if call.script.name == statement.call), seen.calls[0])
    found = around(call, statement)
    hexes = _HEX if width >= _WIDE else _HEX_NARROW
    longest = max((len(line.text()) for line in found.lines), default=0)
    columns = _Columns(min(longest, max(_FEWEST_WORDS, width - LABEL - _IN_FRONT - hexes - 2)), hexes)
    lines = [_wire_line(line, columns, here=number == found.here) for number, line in enumerate(found.lines)]
    if found.here is None:
        lines.insert(found.begun, (TextPart(f"▸{found.moment:>13.3f}  here", "bold red"),))
    for number, line in enumerate(lines):
        yield (TextPart(f"  {'' if number else 'on the wire':<{LABEL}}", "dim"), *line)


class _Columns(NamedTuple):
    """How many characters there are for the words and for the bytes."""

    words: int
    hexes: int


def _wire_line(line: WireLine, columns: _Columns, *, here: bool) -> TextLine:
    text = line.text()
    hexes = line.hex
    cut = text if len(text) <= columns.words or not hexes else f"{text[: columns.words - 1]}…"
    if len(hexes) > columns.hexes:
        hexes = f"{hexes[: columns.hexes - 2].rpartition(' ')[0]} …"
    mark = "bold red" if here else ""
    return (
        TextPart(f"{'▸' if here else ' '}{line.clock():>13}  ", mark),
        TextPart(f"{line.side:<7}", "cyan" if line.side == "peer" else "green"),
        TextPart(f"{cut:<{columns.words}}" if hexes else cut, "bold" if here else ""),
        TextPart(f"  {hexes}" if hexes else "", "dim"),
    )


def leg_words(leg: LegSeen) -> str:
    """Return how a whole call of the simulated Asterisk ended."""
    who = "Asterisk drops the call" if leg.dropped else "the call is kept"
    odd = f"; {', '.join(leg.anomalies)}" if leg.anomalies else ""
    read = f"{leg.messages} messages of the server read"
    reason = f" ({leg.reason})" if leg.reason else ""
    return f"Asterisk {leg.version}, {leg.attach}: {who} after {leg.at:.2f} s{reason}; {read}{odd}"
