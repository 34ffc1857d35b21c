"""Compares two saved calls, or two folders of them, for `diff`, its page and the index. Reads files; judges nothing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from audiosocket_sim.call_log.differences import Difference, Tolerances, difference_lines, differences
from audiosocket_sim.call_log.happenings import of_entries
from audiosocket_sim.report.call.redacted import redacted
from audiosocket_sim.report.saved.call_folders import named_calls
from audiosocket_sim.report.saved.call_source import read_saved_call
from audiosocket_sim.report.saved.same_call import made_differently
from audiosocket_sim.report.saved.saved_call import NoSavedCall, SavedCall

__all__ = ["CallDiff", "DiffResult", "compare_calls", "compare_paths", "diff_lines"]

_REAL_CLOCK_MS = 20
"""What the server's own work may take beyond one frame, where the clock is real: in virtual time it takes none."""


@dataclass(frozen=True, slots=True)
class CallDiff:
    """Two calls of one name, and what differs. `made`: in what their making differed, such as `another scenario`.

    `tolerance_ms`: what was allowed to classes of events that have no tolerance of their own.
    """

    name: str
    first: SavedCall
    second: SavedCall
    found: tuple[Difference, ...]
    made: tuple[str, ...]
    tolerance_ms: int

    @property
    def title(self) -> str:
        """The name, and how many differences there are."""
        number = len(self.found)
        return f"{self.name}: {f'{number} difference' + 's' * (number != 1) if number else 'the same call'}"


@dataclass(frozen=True, slots=True)
class DiffResult:
    """Two calls, or all calls of two folders, compared. `gone` and `new`: the names that only one folder has.

    `unread`: a line for each call that cannot be read in one of them. `are_folders`: False for two single calls.
    """

    first: str
    second: str
    calls: tuple[CallDiff, ...]
    gone: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    are_folders: bool = False

    @property
    def differs(self) -> bool:
        """Whether anything at all is different."""
        return bool(self.gone or self.new or self.unread or any(call.found for call in self.calls))

    @property
    def counted(self) -> str:
        """The number of calls that are the same, different, new and gone, in one line."""
        different = sum(bool(call.found) for call in self.calls)
        parts = [f"{different} different", f"{len(self.calls) - different} the same"]
        parts += [
            f"{len(names)} {word}"
            for word, names in (("new", self.new), ("gone", self.gone), ("not read", self.unread))
            if names
        ]
        return f"{len(self.calls)} call{'s' * (len(self.calls) != 1)} compared: {', '.join(parts)}"


def compare_calls(
    name: str, first: SavedCall, second: SavedCall, tolerances: Mapping[str, int], *, redact: bool = False
) -> CallDiff:
    """Return what differs between two calls. `tolerances`: in ms, by class of event. `redact`: no words."""
    allowed = Tolerances(by_class=tolerances)
    is_real = [call for call in (first, second) if call.environment.get("clock") != "virtual"]
    if is_real:
        late_ms = max(round(call.own_lateness_ms) for call in is_real)
        allowed = replace(allowed, other_ms=allowed.other_ms + _REAL_CLOCK_MS + late_ms)
    ours, theirs = (of_entries((redacted(call) if redact else call).entries) for call in (first, second))
    found = differences(ours, theirs, allowed)
    if first.outcome != second.outcome and None not in (first.outcome, second.outcome):
        change = (f"{first.verdict} → {second.verdict}",)
        found.append(Difference("changed", second.duration_ms, "outcome", "", change))
    return CallDiff(
        name,
        first,
        second,
        tuple(found),
        tuple(made_differently(first, second, with_target=not redact)),
        allowed.other_ms,
    )


def compare_paths(first: Path, second: Path, tolerances: Mapping[str, int], *, redact: bool = False) -> DiffResult:
    """Return what differs between two calls, or between the calls of the same place in two folders. Blocks.

    Raises NoSavedCall, with one line, if one is a call and the other a folder of calls, or nothing is there.
    """
    ours, theirs = named_calls(first), named_calls(second)
    single = [list(calls) == [""] for calls in (ours, theirs)]
    if single[0] != single[1]:
        one, many = (first, second) if single[0] else (second, first)
        raise NoSavedCall(f"{one} is one call, and {many} a folder of calls: expected two calls, or two folders")
    calls, unread = [], []
    for name in (one for one in ours if one in theirs):
        try:
            a, b = (read_saved_call(calls_of[name], sound=False) for calls_of in (ours, theirs))
        except NoSavedCall as error:
            if single[0]:
                raise
            unread.append(str(error))
        else:
            calls.append(compare_calls(name or b.name, a, b, tolerances, redact=redact))
    return DiffResult(
        str(first),
        str(second),
        tuple(calls),
        tuple(name for name in ours if name not in theirs),
        tuple(name for name in theirs if name not in ours),
        tuple(unread),
        are_folders=not single[0],
    )


def diff_lines(result: DiffResult) -> Iterable[str]:
    """Yield the lines for a terminal; of calls that are the same, the count only."""
    for call in result.calls:
        if call.found or not result.are_folders:
            yield call.title
            yield from (f"  made with {words}" for words in call.made)
            yield from (f"  {line}" for line in difference_lines(call.found))
    yield from (f"gone: {name}" for name in result.gone)
    yield from (f"new: {name}" for name in result.new)
    yield from (f"not compared: {why}" for why in result.unread)
    if result.are_folders:
        yield result.counted
