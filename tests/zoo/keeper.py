"""Calls the bots of the zoo and their good twins, and says in a line what was found of each."""

import json
import re
import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path

from audiosocket_sim.call_log.events import DefectFound
from audiosocket_sim.checks.failure import Failure
from audiosocket_sim.running.runner import Options, Result, run
from audiosocket_sim.scenario import Scenario
from audiosocket_sim.scenario.loading import load
from zoo.kinds import Animal, Kind
from zoo.small_bot import Setup
from zoo.voices import VOICES

__all__ = ["Cause", "call", "causes", "setup_of", "twin"]

HERE = Path(__file__).resolve().parent
_AT = re.compile(r"^\d+\.\d{3} ")
_STEP = re.compile(r"step \d+ \((.+)\)")


@dataclass(frozen=True, slots=True)
class Cause:
    """One failure of a call: the kind of defect, or the step; and its lines, without the time."""

    kind: str
    lines: tuple[str, ...]
    is_defect: bool

    @property
    def told_first(self) -> tuple[str, ...]:
        """The lines in which whoever reads a failure looks for the cause."""
        return self.lines[:3]

    @property
    def text(self) -> str:
        return "\n".join(self.told_first)

    def false_lines(self, true: str) -> list[str]:
        """What it says that is not true. Each line of a defect is a cause; the lines of a step are what happened."""
        lines = [line for line in self.lines if not line.startswith("and ")]
        wrong = [line for line in lines if not re.search(true, line)]
        return wrong if self.is_defect or wrong == lines else []


@cache
def scenario(name: str) -> Scenario:
    return load(HERE / "calls" / f"{name}.yaml")


def setup_of(kind: Kind, animal: Animal) -> Setup:
    return Setup(kind.fault, animal.size, animal.voice, animal.gain_db, kind.asks, kind.asks_again)


def twin(kind: Kind, animal: Animal) -> Setup:
    """The same bot without its fault."""
    return replace(setup_of(kind, animal), fault="", size=0.0)


def call(name: str, setup: Setup, runs: str = "here") -> Result:
    """Call a bot: in virtual time, or as a program of its own."""
    loaded = scenario(name)
    settings = {key: value for key, value in asdict(setup).items() if key != "ai_url"}
    if runs == "here":
        loaded = loaded.model_copy(update={"server": {"bot": settings}})
        return run(loaded, Options(target="zoo.small_bot:serve"))
    program = f"{{python}} {shlex.quote(str(HERE / 'small_bot.py'))}"
    if runs == "node":
        program = f"node {shlex.quote(str(HERE / 'small_bot.mjs'))}"
        sounds = {name: str(path) for name, path in VOICES[setup.voice].items()}
        settings = {"fault": setup.fault, "size": setup.size, "sounds": sounds}
    return run(loaded, Options(target=f"command: {program} {{port}} {shlex.quote(json.dumps(settings))}"))


def causes(result: Result) -> tuple[Cause, ...]:
    """What the call's failures say of the bot, in their order: not what this machine's lateness may have caused."""
    found = [entry.event for entry in result.entries if isinstance(entry.event, DefectFound)]
    return tuple(_cause(failure, found) for failure in result.failures if not failure.unsure)


def _cause(failure: Failure, found: Sequence[DefectFound]) -> Cause:
    lines = tuple(_AT.sub("", line) for line in failure.happened)
    step = _STEP.fullmatch(failure.what)
    if step is not None:
        return Cause(step[1], lines, is_defect=False)
    return Cause(next((one.kind for one in found if one.what == lines[0]), failure.what), lines, is_defect=True)
