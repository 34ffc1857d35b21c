"""Several calls in one scenario: those at a time (`callers:`) and those after one another (`then:`). Data only.

Each call is a `Scenario` of its own, which `loading.several` puts together: what a caller does not say himself is what
the scenario says for all.
"""

import re
from dataclasses import dataclass

from audiosocket_sim.scenario.written import KeyPath

__all__ = [
    "CALLERS",
    "MOST_AT_ONCE",
    "MOST_CALLS",
    "NAME",
    "OF_A_CALLER",
    "OWN_KEYS",
    "SECOND_RUN",
    "THEN",
    "CallerPlace",
    "path_of_the_call",
]

CALLERS, THEN = "callers", "then"
MOST_AT_ONCE = 20
MOST_CALLS = 50
"""How many calls one scenario may make at a time, and in all."""
OWN_KEYS = ("name", "uuid", "starts")
"""What a caller has and a scenario has not."""
OF_A_CALLER = (
    "asterisk",
    "line",
    "voice",
    "ear",
    "ai",
    "ai_cassette",
    "steps",
    "before",
    "after",
    "quality",
    "turn_taking",
    "reaction",
    "max_duration",
)
"""What a caller may have in the place of what the scenario has for all."""
SECOND_RUN = "second-run"
"""The folder of a second run, inside that of the first: no caller's name."""
NAME = re.compile(r"[^\W_][\w-]{0,29}")
"""How a caller may be called: his name is a part of the names of files."""


@dataclass(frozen=True, slots=True)
class CallerPlace:
    """Which call of several: its caller's `name`, its `group`, and when he dials: so many ms after its group begins.

    The calls of one group are made at a time, and the groups one after the other, from 0.
    """

    name: str = ""
    group: int = 0
    starts_ms: int = 0


def path_of_the_call(path: KeyPath) -> KeyPath:
    """Return the path to a part of a scenario as it is within its call: `steps 0` for `callers 1 steps 0`."""
    if path[:1] == (THEN,):
        path = path[2:] if len(path) > 1 and isinstance(path[1], int) else path[1:]
    if path[:1] == (CALLERS,) and len(path) > 1 and isinstance(path[1], int):
        path = path[2:]
    return path
