"""Where each key stands in its plan, and the moments of one turn. Pure: nothing is carried out here."""

from collections import Counter
from dataclasses import dataclass

from audiosocket_sim.fake_azure.client_requests import ServiceKind
from audiosocket_sim.fake_azure.plan import ALL_WELL, FaultMoment, Faults, PlanStep

__all__ = ["AFTER", "AUDIO", "BEFORE", "START", "PlanProgress", "TurnMoment", "is_at"]

START, BEFORE, AFTER, AUDIO = "start", "before", "after", "audio"


@dataclass(frozen=True, slots=True)
class TurnMoment:
    """Something that just is: the turn begins, a message is about to go or has gone, so much audio has passed."""

    what: str
    path: str = ""
    audio_ms: int = 0


def is_at(moment: FaultMoment, now: TurnMoment) -> bool:
    """Whether this is the moment."""
    match now.what:
        case "start":
            return moment.at_start
        case "before":
            return moment.before == now.path
        case "after":
            return moment.after == now.path
    return moment.after_audio is not None and now.audio_ms >= moment.after_audio


class PlanProgress:
    """The plans of all keys, and how far each has come; each service counts by itself."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._taken: Counter[tuple[str, ServiceKind]] = Counter()

    def replace(self, faults: Faults) -> None:
        """Other plans, from their first step on."""
        self._faults = faults
        self._taken.clear()

    def names(self, key: str) -> bool:
        """Whether the key is one that a plan was written for."""
        return key in self._faults.keys

    def at_upgrade(self, key: str, service: ServiceKind) -> PlanStep:
        """What the upgrade meets: a step about it, which is used up, or nothing."""
        step = self._current(key, service)
        if not step.at_upgrade:
            return ALL_WELL
        self._taken[key, service] += 1
        return step

    def at_turn(self, key: str, service: ServiceKind) -> PlanStep:
        """What the turn meets. A step about the upgrade is not used up: the connection has to end first."""
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
