"""Call logs, expectations and moments in one line each: for the tests of what is judged by them."""

import json
from pathlib import Path
from typing import Any

from audiosocket_sim.call_log import events as call_log
from audiosocket_sim.call_log.events import CallLog, Entry, LogEvent, Source
from audiosocket_sim.checks import Moment
from audiosocket_sim.scenario import Expectation, Never, Within


def entries(*events: tuple[int, LogEvent]) -> list[Entry]:
    """A call log: each event with its time in ms. They are numbered from 1 as they stand."""
    log = CallLog()
    for at_ms, event in events:
        log.add(at_ms, Source.BOT, event)
    return log.entries


def entries_of_file(path: Path) -> list[Entry]:
    """A call log that was written to a file, as it was before: a tuple again where JSON has a list."""
    log = CallLog()
    for line in path.read_text(encoding="utf-8").splitlines()[1:]:  # the first is the environment
        fields = {key: _as_tuple(value) for key, value in json.loads(line).items()}
        kind = getattr(call_log, fields.pop("type"))
        at_ms, source = fields.pop("at_ms"), Source[fields.pop("source").upper()]
        log.add(at_ms, source, kind(**fields))
    return log.entries


def _as_tuple(value: Any) -> Any:
    return tuple(map(_as_tuple, value)) if isinstance(value, list) else value


def expectation(**keys: object) -> Expectation:
    """As a scenario has it: `expectation(bot_speaks={"at_least": "1s"})`."""
    return Expectation.model_validate(keys)


def within(**keys: object) -> Within:
    """As `expect` has it: `within(responds="1.2s")`."""
    return Within.model_validate(keys)


def never(**keys: object) -> Never:
    """As `never` has it: `never(dead_air="3s")`."""
    return Never.model_validate(keys)


def moment(now_ms: int, base_ms: int = 0, deadline_ms: int = 4000, **more: object) -> Moment:
    """A step that counts from 0 and gives up at 4 s, looked at `now_ms`."""
    return Moment(now_ms, base_ms, deadline_ms, **more)  # type: ignore[arg-type]
