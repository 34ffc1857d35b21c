"""How far each key has come in its plan, and whether a fault's moment has come. Pure: it carries out no fault."""

from collections import Counter
from dataclasses import dataclass

from audiosocket_sim.fake_azure.client_requests import ServiceKind
from audiosocket_sim.fake_azure.plan import ALL_WELL, FaultMoment, Faults, PlanStep

__all__ = ["AFTER", "AUDIO", "BEFORE", "START", "PlanProgress", "TurnMoment", "is_at"]

START, BEFORE, AFTER, AUDIO = "start", "before", "after", "audio"


@dataclass(frozen=True, slots=True)
class TurnMoment:
    """The present moment of a turn: it begins, a message is about to be or was just sent, or audio has passed.

    what: START, BEFORE, AFTER or AUDIO. path: the message's name on the wire. audio_ms: audio received or sent so far.
    """

    what: str
    path: str = ""
    audio_ms: int = 0


def is_at(moment: FaultMoment, now: TurnMoment) -> bool:
    """Return True if a fault that is planned for `moment` occurs now."""
    match now.what:
        case "start":
            return moment.at_start
        case "before":
            return moment.before == now.path
        case "after":
            return moment.after == now.path
    return moment.after_audio is not None and now.audio_ms >= moment.after_audio


class PlanProgress:
    """The plans of all keys, and how far each has come. Recognition and synthesis are counted separately."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._taken: Counter[tuple[str, ServiceKind]] = Counter()

    def replace(self, faults: Faults) -> None:
        """Take other plans, from their first steps on."""
        self._faults = faults
        self._taken.clear()

    def names(self, key: str) -> bool:
        """Return True if the key has a plan of its own."""
        return key in self._faults.keys

    def at_upgrade(self, key: str, service: ServiceKind) -> PlanStep:
        """Return the step for an upgrade, and use it up; a step without faults if the next one is for a turn."""
        step = self._current(key, service)
        if not step.at_upgrade:
            return ALL_WELL
        self._taken[key, service] += 1
        return step

    def at_turn(self, key: str, service: ServiceKind) -> PlanStep:
        """Return the step for a turn, and use it up.

        A step that applies to the upgrade is returned but not used up: the connection has to be closed first.
        """
        step = self._current(key, service)
        if not step.at_upgrade:
            self._taken[key, service] += 1
        return step

    def _current(self, key: str, service: ServiceKind) -> PlanStep:
        steps = [step for step in self._faults.plan(key) if step.only in (None, service)]
        left = self._taken[key, service]
        for step in steps:
            left -= step.times
            if left < 0:
                return step
        return steps[-1] if steps else ALL_WELL
