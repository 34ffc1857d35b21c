"""What `check --fuzz` says: a finding as a block of lines, and the last lines of a search. Pure."""

from collections.abc import Iterator

from audiosocket_sim.conformance.fuzzing.findings import FuzzFinding, FuzzResult
from audiosocket_sim.conformance.fuzzing.stream_file import step_lines
from audiosocket_sim.conformance.results.lines import TextLine, TextPart, labelled, text_line

__all__ = ["finding_lines", "search_lines"]

_MOST_STEPS = 12
_BAD = "bold red"


def finding_lines(finding: FuzzFinding, repeat: str, width: int) -> Iterator[TextLine]:
    """Yield the block of a finding. `repeat`: the command that tries its file again; "" if there is no file."""
    was, now = finding.n_bytes
    yield (
        TextPart("✗ ", _BAD),
        TextPart(finding.harm.title, "bold"),
        TextPart(f"  (stream {finding.stream.seed})", "dim"),
    )
    required, _, seen = finding.says.partition(", but ")
    yield from labelled("required", f"a good server {required}", width)
    yield from labelled("seen", seen or "not so", width, _BAD)
    steps = list(step_lines(finding.smallest))
    for number, line in enumerate(steps[:_MOST_STEPS]):
        yield (TextPart(f"  {'stream' if number == 0 else '':<13}", "dim"), TextPart(line))
    if len(steps) > _MOST_STEPS:
        yield from labelled("", f"… and {len(steps) - _MOST_STEPS} more steps", width)
    yield from labelled("smaller", _smaller(finding, was, now), width)
    if not finding.repeats:
        yield from labelled("repeated", "no: the server runs elsewhere; start it again, and try the file", width)
    if finding.file is not None:
        yield from labelled("saved", str(finding.file), width)
        yield from labelled("try again", repeat, 100_000)


def _smaller(finding: FuzzFinding, was: int, now: int) -> str:
    if not finding.tries:
        return "not tried"
    rest = "; the limit of tries was reached" if finding.cut_short else ""
    steps = f"{len(finding.stream.actions)} steps to {now:,} in {len(finding.smallest)}"
    return f"from {was:,} bytes in {steps}, in {finding.tries} tries{rest}"


def search_lines(result: FuzzResult, width: int, *, virtual: bool) -> Iterator[TextLine]:
    """Yield what the whole search came to; the last line says it in short."""
    if result.more:
        yield text_line(f"  {result.more} more streams did the same as a finding above")
    for text in result.not_repeated:
        yield from labelled("once only", text, width, "magenta")
    for harm in result.not_judged:
        yield from labelled("not judged", f"{harm.title}: so it is in plain calls too", width)
    count = len(result.findings)
    word = "no finding" if not count else "1 finding" if count == 1 else f"{count} findings"
    clock = ", in virtual time" if virtual else ""
    at_once = f"{result.at_once} at once" if result.at_once > 1 else "one after another"
    style = _BAD if count else "magenta" if result.not_repeated else "bold green"
    yield text_line(
        f"{word}: {result.n_streams:,} streams in {result.seconds:.0f} s, {at_once}, {result.n_calls:,} calls{clock}; "
        f"seed {result.seed}",
        style,
    )
