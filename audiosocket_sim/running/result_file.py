"""Writes down the result of a call as JSON beside its log, for the report.

It has what the log has not: the verdict, the text of the scenario, hashes of what the call depends on, what the bot
sent and how far ahead, and when this machine was late.
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from audiosocket_core.files import read_regular_file
from audiosocket_sim.call_log.transcript import heading
from audiosocket_sim.running.call_fixture import CallFixture
from audiosocket_sim.running.result import Result
from audiosocket_sim.scenario import Scenario
from audiosocket_sim.scenario.repeats import seeds_of

__all__ = ["VERSION", "result_text"]

VERSION = 1
"""Of the file's keys: a reader that knows this version can read it."""
_LATE_MS = 5.0
_MOST_BYTES = 200_000
_MOST_ROWS = 20_000


def result_text(result: Result, fixture: CallFixture | None) -> str:
    """Return the content of `result.json`, with a final newline. Reads the scenario's file, which may be gone."""
    scenario = result.scenario
    text = _text_of(scenario)
    content = {
        "version": VERSION,
        "name": scenario.name,
        "summary": scenario.summary,
        "cell": dict(scenario.cell),
        "tags": list(scenario.tags),
        "heading": heading(scenario),
        "outcome": result.outcome.name.lower(),
        "exit_code": int(result.outcome),
        "faults": list(result.faults),
        "failures": [failure.to_json() for failure in result.failures],
        "uuid": None if result.uuid is None else str(result.uuid),
        "duration_ms": result.duration_ms,
        "own_lateness_ms": round(result.own_lateness_ms, 3),
        "processor_wait_ms": round(result.processor_wait_ms, 3),
        "loop_late_ms": round(result.loop_late_ms, 3),
        "scenario": {"file": scenario.written.file, "text": text, "lines": list(_lines(scenario))},
        "hashes": _hashes(scenario, text, fixture),
        "seeds": seeds_of(scenario),
        **({} if fixture is None else _measured(fixture)),
    }
    return json.dumps(content, ensure_ascii=False, allow_nan=False) + "\n"


def _text_of(scenario: Scenario) -> str:
    """The scenario's file as it stands now; "" if there is none, or it is too large."""
    written = scenario.written.file
    if not written or written.startswith("<"):
        return ""
    here = Path(written)
    places = [here] if scenario.folder is None else [here, scenario.folder / here.name]
    for place in places:
        try:
            return read_regular_file(place, _MOST_BYTES).decode(errors="replace")
        except OSError:
            continue
    return ""


def _lines(scenario: Scenario) -> Iterator[list[object]]:
    """The steps, each with its path below `steps` (numbers from 0) and its line; of other files not."""
    written = scenario.written
    for path, (line, _) in written.places.items():
        is_item = len(path) > 1 and path[0] == "steps" and isinstance(path[-1], int)
        if is_item and line and written.files.get(path, written.file) == written.file:
            yield [list(path[1:]), line]


def _hashes(scenario: Scenario, text: str, fixture: CallFixture | None) -> dict[str, str | None]:
    """What the call depends on: only calls with the same hashes can be compared. Seeds stand beside them."""
    meaning = _plain(scenario.model_dump(exclude={"asterisk", "line", "network", "ear", "tags", "summary", "runs"}))
    seeds: dict[str, Any] = {"line": {"seed"}, "network": {"seed"}, "asterisk": {"jitter": {"seed"}}}
    shape = _plain(scenario.model_dump(include={"asterisk", "line", "network", "ear"}, exclude=seeds))
    return {
        "scenario": _hash(meaning if scenario.steps else meaning + text),
        "audio": None if fixture is None else fixture.sounds_hash(),
        "profile": _hash(shape),
    }


def _plain(data: object) -> str:
    """The data as text; a bot's script may have half a character in it, of which pydantic makes no JSON."""
    return json.dumps(data, default=str)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode(errors="backslashreplace")).hexdigest()


def _measured(fixture: CallFixture) -> dict[str, object]:
    """What is only known while the call runs: times in ms since the UUID."""
    ms = fixture.ms
    return {
        "sent": [
            [ms(row.at), ms(row.until), round(row.seconds * 1000), round(row.ahead * 1000), row.audible]
            for row in fixture.sending.rows[:_MOST_ROWS]
        ],
        "lost": [[ms(at), lost_ms] for at, lost_ms in fixture.ear.lost[:_MOST_ROWS]],
        "late": [[str(by), start, end] for by, start, end in fixture.lateness().stretches(_LATE_MS)[:_MOST_ROWS]],
    }
