"""The server under test during a search: started, called, and started anew where a stream has ended it."""

import asyncio
import contextlib
import random
import uuid as uuids
from collections.abc import Iterator
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from audiosocket_sim.conformance.ai_backend import AnsweringBackend
from audiosocket_sim.conformance.case import SeenCase
from audiosocket_sim.conformance.conduct import Server
from audiosocket_sim.conformance.delays import DelayRecord
from audiosocket_sim.conformance.features import Features
from audiosocket_sim.conformance.fuzzing.harms import SeenRound
from audiosocket_sim.conformance.fuzzing.rounds import Lanes
from audiosocket_sim.conformance.fuzzing.search import ServerStaysAway
from audiosocket_sim.conformance.player import Player
from audiosocket_sim.conformance.resources import resources_of
from audiosocket_sim.conformance.script import Script
from audiosocket_sim.conformance.seen_call import Delays, SeenCall
from audiosocket_sim.conformance.sounds import CallerSounds
from audiosocket_sim.conformance.suite import Suite
from audiosocket_sim.parties.target import Child, DialledTarget, TargetError, program_of
from audiosocket_sim.running.bot_under_test import BotUnderTest
from audiosocket_sim.running.processor_waits import ProcessorWaits
from audiosocket_sim.virtual_time import CannotFollow, Deadlock, HoldTooLong, Livelock, VirtualTimeError, new_loop

__all__ = ["TrialServer"]

_BACK_SECONDS = 5.0
"""How long we wait for a server that is not ours to be started anew."""
_RECOVERS_SECONDS = 2.0
_ENDED_SECONDS = 0.05
_MOST_CYCLES = 100_000
"""Turns of the loop at one instant: some thousands are the most that a good server needs for all streams of a round."""
_BUSY: dict[type[VirtualTimeError], str] = {
    Livelock: "it keeps the event loop busy without end",
    HoldTooLong: "a thread of it does not come to an end",
    Deadlock: "it waits for something that never comes",
}


class TrialServer:
    """Makes calls to the server: `with TrialServer(…) as server`. Raises TargetError where it cannot be started.

    In virtual time each round has a server and a loop of its own, so that its outcome depends on its streams alone.
    On the real clock the server lives until `renew`.
    """

    def __init__(self, suite: Suite, features: Features) -> None:
        self._suite = suite
        self.features = features
        self._sounds = CallerSounds()
        self._runner: asyncio.Runner | None = None
        self._running: _Running | None = None
        self.n_calls = 0
        """How many connections were made so far."""

    def __enter__(self) -> Self:
        if not self._suite.is_virtual:
            self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop()

    def play(self, lanes: Lanes, *, beside: Script | None = None, after: Script | None = None) -> SeenRound:
        """Make the calls of the lanes, with one beside them, and, when all are over, one after them.

        One that is not served afterwards is made again after 2 s, by which time a server has to have recovered.
        """
        self.n_calls += sum(map(len, lanes)) + (beside is not None) + (after is not None)
        if not self._suite.is_virtual:
            assert self._runner is not None
            assert self._running is not None
            return self._runner.run(self._running.play(lanes, beside, after))
        with asyncio.Runner(loop_factory=self._new_loop) as runner:
            try:
                return runner.run(self._from_start_to_end(lanes, beside, after))
            except CannotFollow:
                raise
            except VirtualTimeError as error:
                busy = _BUSY.get(type(error), str(error).partition("\n")[0])
                seen = SeenRound(SeenCase((), self.features), busy=busy)
            except SystemExit as error:
                seen = SeenRound(SeenCase((), self.features), ended=f"it raised SystemExit({error.code!r})")
            with contextlib.suppress(VirtualTimeError, SystemExit):
                runner.run(_end_all_tasks())
        return seen

    def _new_loop(self) -> asyncio.AbstractEventLoop:
        return new_loop(split="writes", program=self._suite.target_text, max_cycles=_MOST_CYCLES)

    def renew(self) -> None:
        """Put a fresh server in the place of this one, if it can be started from here.

        Raises ServerStaysAway if it cannot, and none listens any more.
        """
        if self._suite.is_virtual:
            return
        if not isinstance(self._suite.target, DialledTarget):
            self._stop()
            self._start()
            return
        assert self._runner is not None
        target = self._suite.target
        if not self._runner.run(_comes_back(target.host, target.port)):
            raise ServerStaysAway(f"nothing listens any more on {target.host}:{target.port}")

    def _start(self) -> None:
        self._runner = asyncio.Runner()
        self._running = _Running(self._suite, self.features, self._sounds)
        try:
            self._runner.run(self._running.start())
        except BaseException:
            self._stop()
            raise

    def _stop(self) -> None:
        runner, running = self._runner, self._running
        self._runner = self._running = None
        if runner is None:
            return
        try:
            if running is not None:
                runner.run(running.stop())
        finally:
            runner.close()

    async def _from_start_to_end(self, lanes: Lanes, beside: Script | None, after: Script | None) -> SeenRound:
        running = _Running(self._suite, self.features, self._sounds)
        await running.start()
        try:
            return await running.play(lanes, beside, after)
        finally:
            await running.stop()


class _Running:
    """A started server, on the running loop."""

    def __init__(self, suite: Suite, features: Features, sounds: CallerSounds) -> None:
        self._suite = suite
        self._features = features
        self._sounds = sounds
        self._delays = DelayRecord()
        self._stack = AsyncExitStack()

    async def start(self) -> None:
        self._bot = BotUnderTest(self._suite.target, self._suite.settings, (), self._suite.ai_port)
        for call in AnsweringBackend().calls:
            self._bot.answers(call)
        await self._stack.enter_async_context(self._bot)
        if not self._suite.is_virtual:
            self._bot.look_at_the_program()
            self._bot.note_its_waits(self._delays.note)
        self._server = Server(self._bot.started.host, self._bot.started.port, program_of(self._bot.started))

    async def stop(self) -> None:
        with contextlib.suppress(TargetError):  # how it ends is no matter of the streams
            await self._stack.aclose()

    async def play(self, lanes: Lanes, beside: Script | None, after: Script | None) -> SeenRound:
        began = asyncio.get_running_loop().time()
        before = resources_of(self._server.program)
        with self._our_waits():
            calls = await self._beside_one_another(lanes, beside, began)
            if after is not None:
                calls.append(await self._afterwards(after, began))
        delays = Delays() if self._suite.is_virtual else self._delays.since(began)
        held = resources_of(self._server.program)
        seen = SeenCase(tuple(calls), self._features, delays, before, held)
        return SeenRound(seen, ended=await self._how_it_ended())

    async def _beside_one_another(self, lanes: Lanes, beside: Script | None, began: float) -> list[SeenCall]:
        async def one_after_another(lane: tuple[Script, ...]) -> list[SeenCall]:
            return [await self._call(script, began) for script in lane]

        async with asyncio.TaskGroup() as group:
            good = None if beside is None else group.create_task(self._call(beside, began))
            tasks = [group.create_task(one_after_another(lane)) for lane in lanes]
        calls = [call for task in tasks for call in task.result()]
        return calls if good is None else [*calls, good.result()]

    async def _afterwards(self, script: Script, began: float) -> SeenCall:
        call = await self._call(script, began)
        if call.connected_at is not None and call.end.by == "peer" and call.messages:
            return call
        if not self._features.sends_always and call.end.by == "peer" and call.connected_at is not None:
            return call
        await asyncio.sleep(_RECOVERS_SECONDS)
        return await self._call(script, began)

    async def _call(self, script: Script, began: float) -> SeenCall:
        uuid = uuids.UUID(int=random.Random(script.name).getrandbits(128), version=4).bytes
        player = Player(
            script,
            uuid,
            began=began,
            features=self._features,
            sounds=self._sounds,
            late=lambda since: self._delays.since(began).total(since),
        )
        return await player.play(self._server.host, self._server.port)

    @contextlib.contextmanager
    def _our_waits(self) -> Iterator[None]:
        if self._suite.is_virtual:
            yield
            return
        loop = asyncio.get_running_loop()
        waits = ProcessorWaits()
        waits.on_late = lambda seconds: self._delays.note(loop.time(), seconds)
        waits.start()
        try:
            yield
        finally:
            waits.stop()

    async def _how_it_ended(self) -> str:
        child = self._bot.program
        if not isinstance(child, Child) or not await child.ends_within(_ENDED_SECONDS):
            return ""
        return f"the program {await child.ended()}"


async def _end_all_tasks() -> None:
    """Close what a loop holds that was left in the middle of its work."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.sleep(_ENDED_SECONDS)


async def _comes_back(host: str, port: int) -> bool:
    """Whether something takes connections there, within 5 s."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_BACK_SECONDS):
            while True:
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_connection(host, port)
                    writer.close()
                    return True
                await asyncio.sleep(0.2)
    return False
