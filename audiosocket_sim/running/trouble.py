"""Turns an exception that prevents a verdict into an outcome and a line that says whose fault it is. Pure."""

import asyncio
import traceback
from collections.abc import Sequence
from dataclasses import dataclass

from audiosocket_core.errors import AudioSocketError
from audiosocket_sim.net.control_client import ControlError
from audiosocket_sim.parties.target import TargetError, TargetUsageError, WrongSettings
from audiosocket_sim.running.call_fixture import SimulatorError
from audiosocket_sim.running.call_setup import NotTrusted
from audiosocket_sim.running.result import Outcome
from audiosocket_sim.scenario import Scenario
from audiosocket_sim.scenario.written import KeyPath
from audiosocket_sim.virtual_time import CannotFollow, VirtualTimeError

__all__ = ["Trouble", "trouble_of"]


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why there is no verdict on the bot: the outcome and a line for people.

    `details`: a traceback, if it helps. `more`: further lines, one for each further problem.
    """

    outcome: Outcome
    line: str
    details: str = ""
    more: tuple[str, ...] = ()
    cannot_follow: bool = False
    """Whether the bot did not follow the virtual clock, so that steps that failed say nothing about it."""
    unread: bool = False
    """Whether it is the bot's voice, which the ear cannot read."""


def trouble_of(error: BaseException, scenario: Scenario, doing: str) -> Trouble:
    """Return the outcome and a line for an exception. FAILED is only for a bot that ends this process itself.

    `doing`: the activity during which the exception was raised.
    """
    line = " ".join((str(error).splitlines() or [""])[0].split())
    match error:
        case NotTrusted(parts=parts) if places := _places(parts, scenario):
            return Trouble(Outcome.INVALID, places[0], more=places[1:])
        case WrongSettings(settings=settings) if places := _places(_of_the_scenario(settings, scenario), scenario):
            return Trouble(Outcome.INVALID, places[0], more=places[1:])
        case TargetUsageError():
            return Trouble(Outcome.INVALID, line)
        case OSError(filename=name, strerror=str(why)) if name is not None:
            return Trouble(Outcome.SET_UP, f"{name}: {why}")
        case TargetError() | ControlError() | AudioSocketError() | OSError():
            return Trouble(Outcome.SET_UP, line or repr(error))
        case SystemExit(code=code):
            return Trouble(Outcome.FAILED, f"the target ended its own process (exit {code}), during {doing}")
        case asyncio.CancelledError():
            return Trouble(Outcome.SET_UP, f"somebody cancelled the simulator's task, during {doing}")
        case CannotFollow(what=what):
            way = "run it in real time (--real-time, docs/targets.md)"
            return Trouble(Outcome.SET_UP, f"virtual time cannot follow this bot: {what}; {way}", cannot_follow=True)
        case VirtualTimeError():
            why = f"virtual time does not go on: {line.removesuffix(' Pending:')} (--real-time may tell more)"
            return Trouble(Outcome.SET_UP, why, str(error))
        case SimulatorError():
            details = "".join(traceback.format_exception(error.__cause__ or error))
            return Trouble(Outcome.SET_UP, f"{line}, during {doing}", details)
    details = "".join(traceback.format_exception(error))
    return Trouble(Outcome.SET_UP, f"the simulator failed: {error!r}, during {doing}".replace("\n", " "), details)


def _of_the_scenario(settings: Sequence[tuple[KeyPath, str]], scenario: Scenario) -> list[tuple[KeyPath, str]]:
    """Return those of the settings that the scenario's `server:` has, by their paths in the scenario."""
    return [(("server", *path), what) for path, what in settings if path and path[0] in scenario.server]


def _places(parts: Sequence[tuple[KeyPath, str]], scenario: Scenario) -> tuple[str, ...]:
    """Return one line with file, line and column for each faulty part of the scenario, in the loader's format."""
    written = scenario.written
    found = {(written.place(*path), what) for path, what in parts}
    placed = sorted((*place, what) for place, what in found if place is not None)
    return tuple(
        f"{file}:{line}:{column}: {what}" if line else f"{file}: {what}" for file, line, column, what in placed
    )
