"""Carries out a plan: plays each case against the server, has it judged, and stops when the server is gone."""

import asyncio
import itertools
import random
import uuid as uuids
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from audiosocket_sim.conformance.aftermath import (
    PlayedCase,
    blamed,
    crowded_out,
    left_out,
    noticed,
    suspects,
    was_too_late,
)
from audiosocket_sim.conformance.asterisk_calls import call_of_asterisk
from audiosocket_sim.conformance.case import Case, CaseOutcome, Resources, SeenCase
from audiosocket_sim.conformance.delays import DelayRecord
from audiosocket_sim.conformance.features import Features, TestRole, role_of
from audiosocket_sim.conformance.planning import Plan, by_recording
from audiosocket_sim.conformance.player import Player
from audiosocket_sim.conformance.resources import resources_of
from audiosocket_sim.conformance.script import Announce, Script, SendSound
from audiosocket_sim.conformance.seen_call import SeenCall
from audiosocket_sim.conformance.sounds import CallerSounds
from audiosocket_sim.conformance.verdicts import CaseResult, outcome_of

__all__ = ["Conductor", "Server"]

_CONNECT_SECONDS = 2.0
_SILENT_SECONDS = 10.0
"""A server that sends of itself, and sends nothing in a whole call of this length, serves nobody any more."""
_MOST_PLAYED_AGAIN = 6
_APART_SECONDS = 0.5
_ENOUGH_ALONE = 3
"""When so many cases in a row came out the same alone as beside others, it was not the others."""
_NO_ANSWER = f"the port does not answer within {_CONNECT_SECONDS:g} s"
_PEACE_SECONDS, _LATE_SECONDS, _MOST_TRIES = 5.0, 0.05, 4


@dataclass(frozen=True, slots=True)
class Server:
    """The server under test, as it is dialled.

    `program`: its process, where that can be looked into. `how_it_ended`: how its program has ended, "" if it has not
    or nobody can know. `stop`: stops it in an orderly way. `start_again`: starts another one like it; None: it is not
    ours.
    """

    host: str
    port: int
    program: int | None = None
    how_it_ended: Callable[[], str] = lambda: ""
    stop: Callable[[], Awaitable[None]] | None = None
    start_again: Callable[[], Awaitable["Server"]] | None = None


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
        self.gone = ""
        """That the server is gone, how, and after which case; "" while it is there."""
        self.refuses_all = False
        """Whether it did not take the very first call either: then it is not the others' doing."""
        self._turns = itertools.count()
        self._gone_at = 0.0
        self._played: list[PlayedCase] = []

    async def carry_out(self, plan: Plan, on_result: Callable[[CaseResult], None]) -> list[CaseResult]:
        """Play all cases of the plan; `on_result` is called with each result as it comes. Returns them so ordered.

        When the server is gone, the case that did it fails, and those that were not over are not run.
        """
        done: list[CaseResult] = []

        def take(result: CaseResult) -> None:
            done.append(result)
            on_result(result)

        if self._server.start_again is not None and await self._how_it_is_gone():
            self._server = await self._server.start_again()  # the probe was too much for it: which case is, shows now
        waiting = by_recording(plan.together)
        unsure: list[CaseResult] = []
        crowded: list[list[CaseResult]] = []
        how = ""

        async def work() -> None:
            nonlocal how
            while waiting and not how:
                results = await self._play_and_note(waiting.pop(0), heavy=plan.heavy)
                if not how and any(map(noticed, results)):
                    how = await self._how_it_is_gone()
                if how:
                    unsure.extend(results)
                    continue
                if plan.at_once > 1 and not self.refuses_all and any(map(crowded_out, results)):
                    crowded.append(results)
                    continue
                for result in results:
                    take(result)

        async with asyncio.TaskGroup() as group:
            for _ in range(min(plan.at_once, len(waiting))):
                group.create_task(work())
        how = how or await self._how_it_is_gone() or await self._alone_again(crowded, unsure, take, heavy=plan.heavy)
        waiting += by_recording([result.case for results in crowded for result in results])
        waiting += by_recording(plan.alone)
        while waiting and not how:
            cases = waiting.pop(0)
            results = await self._play_and_note(cases, heavy=plan.heavy)
            how = "" if cases[0].stops_the_server else await self._how_it_is_gone()
            if how:
                unsure.extend(results)
                continue
            for result in results:
                take(result)
        if how:
            for result in await self._after_its_end(how, unsure, done, [case for cases in waiting for case in cases]):
                on_result(result)
        return done

    async def _alone_again(
        self,
        crowded: list[list[CaseResult]],
        unsure: list[CaseResult],
        take: Callable[[CaseResult], None],
        *,
        heavy: bool,
    ) -> str:
        """Play cases again whose connections were not taken beside others, each alone, until enough came out the same.

        Returns how the server is gone, and leaves the rest in `crowded`; "" if it is there.
        """
        as_before = 0
        while crowded:
            results = crowded.pop(0)
            if as_before < _ENOUGH_ALONE:
                await asyncio.sleep(_APART_SECONDS)  # our own looks at the server are connections too
                results = await self._play_and_note([result.case for result in results], heavy=heavy)
                as_before = as_before + 1 if any(map(crowded_out, results)) else 0
                if any(map(noticed, results)) and (how := await self._how_it_is_gone()):
                    unsure.extend(results)
                    return how
            for result in results:
                take(result)
        return ""

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
        name = role_of((*case.needs, case.prefers), self.features)
        role, features = self.features.roles.get(name, TestRole()), self.features.in_role(name)
        port = role.port or self._server.port
        if case.asterisk is not None:
            self.n_calls += 1
            leg = await call_of_asterisk(case.asterisk, self._server.host, port, self._uuid(role), self._sounds)
            seen = SeenCase((), features, leg_ends=(leg,))
        else:
            scripts = case.connections(heavy=heavy)
            async with asyncio.TaskGroup() as group:
                looking = group.create_task(self._look_at(case.looks_at, began))
                calls = tuple(await self._play_all(scripts, role, port, began, features))
            seen = SeenCase(calls, features, looks=looking.result())
        after = resources_of(self._server.program)
        delays = self._delays.since(began)
        calls = tuple([replace(call, late_to_connect=was_too_late(call, delays)) for call in seen.calls])
        return replace(seen, calls=calls, delays=delays, before=before, after=after, heavy=heavy and bool(case.heavy))

    async def _look_at(self, times: Sequence[float], began: float) -> tuple[Resources, ...]:
        looks: list[Resources] = []
        for at in times if self._server.program is not None else ():
            await asyncio.sleep(max(0.0, began + at - self._loop.time()))
            if (look := resources_of(self._server.program)) is not None:
                looks.append(look)
        return tuple(looks)

    async def _play_all(
        self, scripts: Sequence[Script], role: TestRole, port: int, began: float, features: Features
    ) -> list[SeenCall]:
        stop = self._server.stop

        def late(since: float) -> float:
            return self._delays.since(began).total(since)

        players = [
            Player(script, self._uuid(role), began=began, features=features, sounds=self._sounds, stop=stop, late=late)
            for script in scripts
        ]
        self.n_calls += len(players)
        async with asyncio.TaskGroup() as group:
            playing = [group.create_task(player.play(self._server.host, port)) for player in players]
        return [task.result() for task in playing]

    def _uuid(self, role: TestRole) -> bytes:
        if role.uuids:
            return role.uuids[next(self._turns) % len(role.uuids)]
        return role.uuid or uuids.UUID(int=self._random.getrandbits(128), version=4).bytes

    # --- is it still there?

    async def _play_and_note(self, cases: Sequence[Case], *, heavy: bool) -> list[CaseResult]:
        began = self._loop.time()
        results = await self.play_shared(cases, heavy=heavy)
        self._played += [PlayedCase(result, began, self._loop.time()) for result in results]
        return results

    async def _how_it_is_gone(self) -> str:
        """Return how the server is gone, for people; "" if it takes calls."""
        self._gone_at = self._loop.time()
        why = await self._why_not_connected()
        if why == _NO_ANSWER:  # a flood, or a busy machine, may hold up both sides: ask again in peace
            await asyncio.sleep(_PEACE_SECONDS)
            why = await self._why_not_connected()
        if not why and not await self._sends_still():
            why = f"a new call gets no byte within {_SILENT_SECONDS:g} s"
        if why and self._server.program is not None:
            for _ in range(10):  # its end is noticed a moment after its port has closed
                if how := self._server.how_it_ended():
                    return f"the program {how}"
                await asyncio.sleep(0.02)
        return why

    async def _why_not_connected(self) -> str:
        """Return why no connection can be made, "" if one can. What only our own lateness lets fail is tried again."""
        for _ in range(_MOST_TRIES):
            due = self._loop.time() + _CONNECT_SECONDS
            try:
                async with asyncio.timeout(_CONNECT_SECONDS):
                    _, writer = await asyncio.open_connection(self._server.host, self._server.port)
            except TimeoutError:
                if self._loop.time() - due < _LATE_SECONDS:
                    break
            except OSError:
                return "the port refuses connections"
            else:
                writer.close()
                return ""
        return _NO_ANSWER

    async def _sends_still(self) -> bool:
        """Whether a server that sends of itself does so in a new call, or ends it; True of any other server."""
        if not (self.features.sends_always and self.features.speaks_first):
            return True
        if not any(_was_mute(one.result) for one in self._played[-1:]):
            return True
        (call,) = await self.make_calls([Script((Announce(), SendSound(_SILENT_SECONDS, "silence")))])
        return bool(call.received) or call.end.by == "server"

    async def _after_its_end(
        self, how: str, unsure: list[CaseResult], done: list[CaseResult], waiting: list[Case]
    ) -> list[CaseResult]:
        """Find out which case it was, set `gone`, and put the results of all others into `done`.

        Returns the results that are new. Where the server can be started again, the likeliest cases are played again,
        each by itself.
        """
        likely = [one.result for one in suspects(self._played, self._gone_at)]
        found = await self._played_again([result.case for result in likely[:_MOST_PLAYED_AGAIN]])
        culprits = [result for result in likely if found is None or result.case is found]
        names = " or ".join(result.case.id for result in culprits) or "the last case"
        self.gone = f"the server is gone after {names}: {how}"
        ids = {result.case.id for result in culprits}
        new = [blamed(result, how) for result in culprits]
        new += [result for result in unsure if result.case.id not in ids and result.outcome is CaseOutcome.PASS]
        told = {result.case.id for result in new}
        gone = [result.case for result in unsure if result.case.id not in told]
        new += left_out([*gone, *waiting], self.gone)
        replaced = {result.case.id for result in new}
        done[:] = [result for result in done if result.case.id not in replaced] + new
        return new

    async def _played_again(self, cases: Sequence[Case]) -> Case | None:
        """Return the first of these cases that ends a new server too; None if none does, or there can be no new one."""
        if len(cases) == 1:
            return cases[0]
        for case in cases:
            if self._server.start_again is None:
                return None
            self._server = await self._server.start_again()
            await self._play_and_note((case,), heavy=False)
            if await self._how_it_is_gone():
                return case
        return None


def _was_mute(result: CaseResult) -> bool:
    """Whether a call of this case was connected, and got nothing."""
    seen = result.observed
    return seen is not None and any(
        call.connected_at is not None and not call.received and call.end.by != "server" for call in seen.calls
    )


def _judged(case: Case, seen: SeenCase) -> CaseResult:
    statements = tuple(case.judge(seen))
    return CaseResult(case, outcome_of(case, statements), statements, "" if statements else case.unseen, seen)
