"""The page of `diff`: what differs between two calls, or two folders of calls, in one HTML file without a script."""

from pathlib import Path

from audiosocket_sim.report.diff.call_diff import CallDiff, DiffResult
from audiosocket_sim.report.page.inline import render_page, write_page

__all__ = ["diff_page", "write_diff_page"]

_MOST_CALLS, _MOST_DIFFERENCES, _MOST_NAMES = 300, 300, 1000
_CONTAINS = "This page has the words of the calls, as they were said, asked and answered; it has no sound."
_REDACTED = "This page has no words of the calls and no sound: times and kinds only."


def write_diff_page(result: DiffResult, target: Path, *, redacted: bool) -> None:
    """Write the page to the file `target`. `redacted`: the differences were made without words. Raises OSError."""
    write_page(diff_page(result, redacted=redacted), target)


def diff_page(result: DiffResult, *, redacted: bool) -> str:
    """Return the page as a text. At most 300 calls that differ are shown, with at most 300 differences each."""
    different = [call for call in result.calls if call.found]
    return render_page(
        "diff.html.jinja",
        styles=("plain.css",),
        headline=_headline(result),
        contains=_REDACTED if redacted else _CONTAINS,
        result=result,
        different=[_shown(call) for call in different[:_MOST_CALLS]],
        more=max(0, len(different) - _MOST_CALLS),
        lists=[
            ("New calls", result.new[:_MOST_NAMES]),
            ("Calls that are gone", result.gone[:_MOST_NAMES]),
            ("Not compared", () if redacted else result.unread[:_MOST_NAMES]),
        ],
    )


def _headline(result: DiffResult) -> str:
    if not result.are_folders:
        return result.calls[0].title
    return "What is different" if result.differs else "Nothing is different"


def _shown(call: CallDiff) -> dict[str, object]:
    largest = max(call.found, key=lambda one: abs(one.by_ms))
    outcomes = list(dict.fromkeys((call.first.verdict, call.second.verdict)))
    return {
        "name": call.name,
        "title": call.title,
        "made": call.made,
        "allowed": f"{call.tolerance_ms} ms for classes without a tolerance of their own",
        "number": len(call.found),
        "outcome": " → ".join(outcomes),
        "largest": f"{largest.by_ms:+d} ms".replace("-", "−") if largest.by_ms else "",
        "found": [
            {
                "kind": one.kind,
                "seconds": f"{one.at_ms / 1000:.3f}",
                "word": one.word,
                "text": one.text,
                "details": one.details,
            }
            for one in call.found[:_MOST_DIFFERENCES]
        ],
        "left_out": max(0, len(call.found) - _MOST_DIFFERENCES),
    }
