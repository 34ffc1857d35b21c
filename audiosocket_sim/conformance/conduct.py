"""Carries out a plan: starts the target, finds out what it can do, plays each case, and has it judged."""

import asyncio
import random
import uuid as uuids
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from audiosocket_sim.conformance.asterisk_calls import call_of_asterisk
from audiosocket_sim.conformance.case import Case, SeenCase
from audiosocket_sim.conformance.delays import DelayRecord
from audiosocket_sim.conformance.features import Features, TestRole
from audiosocket_sim.conformance.planning import Plan, by_recording
from audiosocket_sim.conformance.player import Player
from audiosocket_sim.conformance.resources import resources_of
from audiosocket_sim.conformance.script import Script
from audiosocket_sim.conformance.seen_call import SeenCall
from audiosocket_sim.conformance.sounds import CallerSounds
from audiosocket_sim.conformance.verdicts import CaseResult, outcome_of

__all__ = ["Conductor", "Server"]


@dataclass(frozen=True, slots=True)
class Server:
    """The server under test, as it is dialled. `program`: its process, where that can be looked into."""

    host: str
    port: int
    program: int | None = None


class Conductor:
    """Plays cases against one server, on the running loop.

    `seed` draws the UUIDs, so that two runs make the same calls. `delays`: when this machine was late, in loop time.
    """

    def __init__(self, server: Server, features: Features, delays: DelayRecord, *, seed: int = 1) -> None:
        self._loop = asyncio.get_running_loop()
        self._server = server
        self.features = features
        self._delays = delays
        self._random = random.Random(seed)
        self._sounds = CallerSounds()
        self.n_calls = 0
        """How many connections were made so far."""

    async def carry_out(self, plan: Plan, on_result: Callable[[CaseResult], None]) -> list[CaseResult]:
        """Play all cases of the plan; `on_result` is called with each result as it comes. Returns them so ordered."""
        done: list[CaseResult] = []

        def take(result: CaseResult) -> None:
            done.append(result)
            on_result(result)

        waiting = by_recording(plan.together)

        async def work() -> None:
            while waiting:
                for result in await self.play_shared(waiting.pop(0), heavy=plan.heavy):
                    take(result)

        async with asyncio.TaskGroup() as group:
            for _ in range(min(plan.at_once, len(waiting))):
                group.create_task(work())
        for cases in by_recording(plan.alone):
            for result in await self.play_shared(cases, heavy=plan.heavy):
                take(result)
        return done

    async def make_calls(self, scripts: Sequence[Script], began: float | None = None) -> tuple[SeenCall, ...]:
        """Make these calls at once, outside any case. `began`: the loop time from which their times count; now."""
        began = self._loop.time() if began is None else began
        return tuple(await self._play_all(scripts, TestRole(), self._server.port, began, self.features))

    async def play(self, case: Case, *, heavy: bool = False) -> CaseResult:
        """Play one case, and judge it."""
        return (await self.play_shared((case,), heavy=heavy))[0]

    async def play_shared(self, cases: Sequence[Case], *, heavy: bool = False) -> list[CaseResult]:
        """Play cases that share a recording: once, and judge each of them by it."""
        seen = await self.watch(cases[0], heavy=heavy)
        return [_judged(case, seen) for case in cases]

    async def watch(self, case: Case, *, heavy: bool = False) -> SeenCase:
        """Play one case, and return what was seen."""
        before = resources_of(self._server.program)
        began = self._loop.time()
        name = next((name for name in (*case.needs, case.prefers) if name in self.features.roles), "")
        role, features = self.features.roles.get(name, TestRole()), self.features.in_role(name)
        port = role.port or self._server.port
        if case.asterisk is not None:
            leg = await call_of_asterisk(case.asterisk, self._server.host, port, self._uuid(role), self._sounds)
            seen = SeenCase((), features, leg_ends=(leg,))
        else:
            scripts = case.connections(heavy=heavy)
            seen = SeenCase(tuple(await self._play_all(scripts, role, port, began, features)), features)
        after = resources_of(self._server.program)
        return replace(
            seen, delays=self._delays.since(began), before=before, after=after, heavy=heavy and bool(case.heavy)
        )

    async def _play_all(
        self, scripts: Sequence[Script], role: TestRole, port: int, began: float, features: Features
    ) -> list[SeenCall]:
        players = [
            Player(script, self._uuid(role), began=began, features=features, sounds=self._sounds) for script in scripts
        ]
        self.n_calls += len(players)
        async with asyncio.TaskGroup() as group:
            playing = [group.create_task(player.play(self._server.host, port)) for player in players]
        return [task.result() for task in playing]

    def _uuid(self, role: TestRole) -> bytes:
        return role.uuid or uuids.UUID(int=self._random.getrandbits(128), version=4).bytes


def _judged(case: Case, seen: SeenCase) -> CaseResult:
    statements = tuple(case.judge(seen))
    return CaseResult(case, outcome_of(case, statements), statements, "" if statements else case.unseen, seen)
