"""The scenario's file with marks at its lines: which step was met when, which failed, which was never reached. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from audiosocket_sim.call_log.events import CallerAction, CallerSpoke, Entry, ExpectationJudged, StepFailed
from audiosocket_sim.call_log.transcript import visible
from audiosocket_sim.report.call.clock_text import clock_text
from audiosocket_sim.report.saved.saved_call import SavedCall, ScenarioText

__all__ = ["ScenarioLine", "scenario_lines"]

_MOST_LINES = 3000


@dataclass(frozen=True, slots=True)
class ScenarioLine:
    """One line: its number from 1, its text, and its mark: `✓`, `✕`, or "". `words`: the mark in words; `at_ms`: where
    it happened, None: nowhere."""

    number: int
    text: str
    mark: str = ""
    words: str = ""
    at_ms: int | None = None


def scenario_lines(call: SavedCall) -> list[ScenarioLine]:
    """Return the lines of the scenario with their marks; none if its text was not saved."""
    if call.scenario is None:
        return []
    marks = dict(_marks(call.entries, call.scenario))
    found = []
    for number, text in enumerate(call.scenario.text.splitlines()[:_MOST_LINES], 1):
        line = ScenarioLine(number, visible(text.replace("\t", "    ")))
        found.append(marks[number](line) if number in marks else line)
    return found


class _Mark:
    """A mark, put to a line."""

    def __init__(self, mark: str, words: str, at_ms: int) -> None:
        self.mark, self.words, self.at_ms = mark, words, at_ms

    def __call__(self, line: ScenarioLine) -> ScenarioLine:
        return ScenarioLine(line.number, line.text, self.mark, self.words, self.at_ms)


def _marks(entries: Sequence[Entry], scenario: ScenarioText) -> Iterator[tuple[int, _Mark]]:
    """The marks by their lines; a later one goes before an earlier one, and a failure before all."""
    failed: list[tuple[int, _Mark]] = []
    for entry in entries:
        match entry.event:
            case StepFailed(number=number, path=path, expected=expected) if number:
                line = _line(number, path, scenario.lines)
                if line:
                    words = f"not met at {clock_text(entry.at_ms)}: expected {expected}"
                    failed.append((line, _Mark("✕", visible(words), entry.at_ms)))
            case ExpectationJudged(number=number, step=step, path=path, met_ms=met):
                line = _line(number, path, scenario.lines)
                is_never = step.startswith("never ")
                if line and (met is None) == is_never:
                    words = "held" if met is None else f"met at {clock_text(met)}"
                    yield line, _Mark("✓", words, entry.at_ms if met is None else met)
    yield from _of_the_caller(entries, scenario)
    yield from failed


def _of_the_caller(entries: Sequence[Entry], scenario: ScenarioText) -> Iterator[tuple[int, _Mark]]:
    """Marks at the `say` and `press` steps of the top level, where as many were carried out as there are."""
    lines = scenario.text.splitlines()
    written = [line for path, line in sorted(scenario.lines.items(), key=lambda one: one[1]) if len(path) == 1]
    for keys, kinds in ((("say",), (CallerSpoke,)), (("press",), (CallerAction,))):
        steps = [line for line in written if line <= len(lines) and _key(lines[line - 1]) in keys]
        done = [entry for entry in entries if isinstance(entry.event, kinds) and _is_of(entry, keys[0])]
        for line, entry in zip(steps, done, strict=False):
            yield line, _Mark("✓", f"at {clock_text(entry.at_ms)}", entry.at_ms)


def _is_of(entry: Entry, key: str) -> bool:
    return key == "say" or (isinstance(entry.event, CallerAction) and entry.event.what == "dtmf")


def _key(text: str) -> str:
    return text.strip().removeprefix("- ").strip("{ ").partition(":")[0].strip()


def _line(number: int, path: Sequence[str | int], lines: Mapping[tuple[str | int, ...], int]) -> int | None:
    """The line of a step: its own, or that of the nearest step around it."""
    here: tuple[str | int, ...] = (number - 1, *path)
    while here:
        if here in lines:
            return lines[here]
        here = here[:-1]
    return None
