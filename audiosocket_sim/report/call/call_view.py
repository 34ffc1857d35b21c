"""All that the page of one call shows, as data: what the template writes, and what the script gets as JSON. Pure."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Any

from audiosocket_sim.report.call.envelope import Envelope, envelope
from audiosocket_sim.report.call.labels import audacity_labels
from audiosocket_sim.report.call.lane_items import Lane, lanes_of
from audiosocket_sim.report.call.problems import CallProblem, problems_of
from audiosocket_sim.report.call.redacted import redacted, redacted_problem
from audiosocket_sim.report.call.scenario_marks import ScenarioLine, scenario_lines
from audiosocket_sim.report.call.still_picture import StillPicture, still_picture
from audiosocket_sim.report.call.tables import (
    STAGES,
    LatencyRow,
    TranscriptRow,
    environment_rows,
    latency_rows,
    transcript_rows,
    wire_rows,
)
from audiosocket_sim.report.call.turn_values import TurnValue, turn_values
from audiosocket_sim.report.page.visible_text import cut, shown
from audiosocket_sim.report.saved.saved_call import SavedCall

__all__ = ["CallPage", "call_view"]

_MOST_PROBLEMS = 60
_BEHIND_THE_END_MS = 500
"""So much is shown behind the end of the call, where its last marks stand."""


@dataclass(frozen=True, slots=True)
class CallPage:
    """The page of one call. All texts are plain: the template escapes them."""

    name: str
    verdict: str
    tone: str
    """Of the verdict: `bad`, `good`, `wait` or `rest`."""
    kind: str
    heading: str
    summary: str
    duration_ms: int
    redacted: bool
    problems: tuple[CallProblem, ...]
    no_problem: str
    """What is said where there is no problem at all; "" otherwise."""
    lanes: tuple[Lane, ...]
    levels: dict[str, Envelope]
    pictures: tuple[StillPicture, ...]
    transcript: tuple[TranscriptRow, ...]
    stages: tuple[str, ...]
    latency: tuple[LatencyRow, ...]
    turns_version: int
    turns: tuple[TurnValue, ...]
    scenario_file: str
    scenario: tuple[ScenarioLine, ...]
    wire: tuple[tuple[str, str], ...]
    environment: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    labels: str

    @property
    def longest_ms(self) -> int:
        """The longest of the turns' latencies, for the length of bars; at least 1."""
        sums = [sum(row.stages_ms.values()) for row in self.latency]
        return max([1, *sums, *(row.wait_ms or 0 for row in self.latency)])

    def to_json(self) -> dict[str, Any]:
        """Return what the page's script needs: lanes, outlines of the sound, problems; times in seconds."""
        return {
            "end": (self.duration_ms + _BEHIND_THE_END_MS) / 1000,
            "lanes": [self._lane(lane) for lane in self.lanes],
            "problems": [
                {
                    "at": problem.since_ms / 1000,
                    "until": problem.until_ms / 1000,
                    "from": problem.from_ms / 1000,
                    "to": problem.to_ms / 1000,
                    "tone": "bad" if problem.rank == "failure" else "note",
                }
                for problem in self.problems
            ],
        }

    def _lane(self, lane: Lane) -> dict[str, Any]:
        made: dict[str, Any] = {
            "id": lane.id,
            "label": lane.label,
            "tone": lane.tone,
            "rows": lane.rows,
            "items": [item.to_json() for item in lane.items],
        }
        if lane.level in self.levels:
            level = self.levels[lane.level]
            values = base64.b64encode(level.values).decode()
            made["level"] = {"from": 0, "step": level.step_ms / 1000, "mirror": True, "coded": values}
        if lane.line is not None:
            made["line"] = lane.line.to_json()
        return made


def call_view(call: SavedCall, *, redact: bool = False, here: Path | None = None) -> CallPage:
    """Return the page of a call. `redact`: without words and sound; the outline of the sound is left out too.

    `here`: the folder against which the scenario is named if it lies below it; else its last two names are told.
    """
    problems = problems_of(call)[:_MOST_PROBLEMS]
    if redact:
        problems, call = [redacted_problem(one) for one in problems], redacted(call)
    call = replace(call, duration_ms=max(call.duration_ms, 1000, 0 if call.sound is None else call.sound.duration_ms))
    problems = [_with_the_end(replace(one, where=_near(one.where, here)), call.duration_ms) for one in problems]
    not_asked = [(one.since_ms, one.until_ms) for one in problems if one.side.part == "it did not ask its backend"]
    lanes = lanes_of(call, not_asked)
    sides = {} if call.sound is None else {"caller": call.sound.caller, "heard": call.sound.heard}
    levels = {side: envelope(pcm) for side, pcm in sides.items()}
    version, values = turn_values(call.entries)
    return CallPage(
        name=shown(call.name),
        verdict=call.verdict,
        tone={"passed": "good", "failed": "bad", None: "rest"}.get(call.outcome, "wait"),
        kind=call.kind,
        heading=shown(call.heading.removeprefix(f"{call.name} · ")),
        summary=shown(call.summary),
        duration_ms=call.duration_ms,
        redacted=redact,
        problems=tuple(map(_visible_problem, problems)),
        no_problem="" if problems else _NOTHING.get(call.outcome, _NOT_JUDGED),
        lanes=tuple(lanes),
        levels=levels,
        pictures=tuple(_pictures(lanes, levels, problems, call.duration_ms)),
        transcript=tuple(map(_short_row, transcript_rows(call.entries))),
        stages=STAGES,
        latency=tuple(latency_rows(call.entries)),
        turns_version=version,
        turns=tuple(values),
        scenario_file="" if call.scenario is None else shown(_near(call.scenario.file, here)),
        scenario=tuple(scenario_lines(call)),
        wire=tuple(wire_rows(call.entries)),
        environment=tuple(environment_rows(call)),
        notes=tuple(map(shown, call.notes)),
        labels=audacity_labels(lanes, call.duration_ms),
    )


_NOTHING: dict[str | None, str] = {"passed": "The call passed, and nothing in it is worth a look."}
_NOT_JUDGED = "Nobody judged this call, and nothing in it is worth a look."


def _pictures(
    lanes: Sequence[Lane], levels: dict[str, Envelope], problems: Sequence[CallProblem], end_ms: int
) -> list[StillPicture]:
    """The seconds around the first problem, and the whole call."""
    whole = still_picture(lanes, levels, (0, end_ms + _BEHIND_THE_END_MS))
    if not problems:
        return [whole]
    first = problems[0]
    return [still_picture(lanes, levels, (first.from_ms, first.to_ms), (first.since_ms, first.until_ms)), whole]


def _with_the_end(problem: CallProblem, end_ms: int) -> CallProblem:
    """The problem, with what is behind the end of the call where its seconds reach that."""
    reaches = problem.to_ms >= end_ms - _BEHIND_THE_END_MS
    return replace(problem, to_ms=end_ms + _BEHIND_THE_END_MS) if reaches else problem


def _near(file: str, here: Path | None) -> str:
    """A file as others can read it: an absolute path says nothing to them."""
    path = PurePath(file)
    if not path.is_absolute():
        return file
    if here is not None and path.is_relative_to(here):
        return path.relative_to(here).as_posix()
    return PurePath(*path.parts[-2:]).as_posix()


def _visible_problem(problem: CallProblem) -> CallProblem:
    return replace(
        problem,
        expected=shown(problem.expected),
        happened=shown(problem.happened),
        headline=shown(problem.headline),
        more=tuple(map(shown, problem.more[:20])),
        where=shown(problem.where),
        what=shown(problem.what),
    )


def _short_row(row: TranscriptRow) -> TranscriptRow:
    return replace(row, what=cut(row.what), note=cut(row.note))
