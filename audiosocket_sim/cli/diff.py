"""`diff`: two saved calls, or two folders of them, are compared: what moved, what changed, what is new or gone."""

import json
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

from audiosocket_sim.call_log.differences import CLASSES
from audiosocket_sim.call_log.transcript import visible
from audiosocket_sim.cli.console import FAILED, FINE, SET_UP, USAGE, refuse, say
from audiosocket_sim.report.diff.call_diff import DiffResult, compare_paths, diff_lines
from audiosocket_sim.report.saved.saved_call import NoSavedCall

__all__ = ["diff_command", "parse_tolerances"]


def diff_command(
    first: Path, second: Path, *, tolerances: Sequence[str], html: Path | None, redact: bool, as_json: bool
) -> int:
    """Run the command and return the exit code: 0 the same, 1 different, 2 nothing to compare, 3 nothing written."""
    try:
        result = compare_paths(first, second, parse_tolerances(tolerances), redact=redact)
    except (NoSavedCall, ValueError) as error:
        return refuse(visible(str(error)), USAGE)
    if as_json:
        say(json.dumps(_to_json(result), ensure_ascii=False))
    else:
        for line in diff_lines(result):
            say(visible(line))
    if html is not None:
        from audiosocket_sim.report.diff.diff_page import write_diff_page

        try:
            write_diff_page(result, html, redacted=redact)
        except OSError as error:
            return refuse(f"cannot write to {error.filename or html}: {error.strerror or error}", SET_UP)
        if not as_json:
            say(f"page: {html}")
    return FAILED if result.differs else FINE


def parse_tolerances(texts: Sequence[str]) -> Mapping[str, int]:
    """Return the tolerances in ms by class, from texts such as `bot=100ms`. Raises ValueError with one line."""
    from audiosocket_sim.scenario.fields import parse_duration_ms

    found: dict[str, int] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise ValueError(f"--tolerance {text[:80]}: expected CLASS=TIME, such as bot=100ms")
        if name not in CLASSES:
            near = get_close_matches(name, CLASSES, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(CLASSES)}"
            raise ValueError(f"--tolerance {text[:80]}: there is no class {name[:40]!r} of events; {hint}")
        try:
            found[name] = parse_duration_ms(value)
        except ValueError as error:
            raise ValueError(f"--tolerance {text[:80]}: {error}") from None
    return found


def _to_json(result: DiffResult) -> dict[str, object]:
    return {
        "first": result.first,
        "second": result.second,
        "differs": result.differs,
        "calls": [
            {"name": call.name, "made": list(call.made), "differences": [one.to_json() for one in call.found]}
            for call in result.calls
        ],
        "gone": list(result.gone),
        "new": list(result.new),
        "not_compared": list(result.unread),
    }
