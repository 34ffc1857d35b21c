"""The bot under test, started once for all calls of a run, and the address of the mock AI."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from audiosocket_sim.mock_ai.switchboard import Conversation, Switchboard
from audiosocket_sim.net.bind_errors import why_not_listening
from audiosocket_sim.parties.target import (
    Child,
    StartedTarget,
    Target,
    TargetError,
    close_target,
    program_of,
)
from audiosocket_sim.running.program_waits import ProgramWaits
from audiosocket_sim.scenario import Scenario

__all__ = ["BotUnderTest"]


class BotUnderTest:
    """The started target: `async with BotUnderTest(…) as bot`. On exit it is closed, and the mock AI with it.

    `calls`: the scenarios of all calls that will be made. `settings`: those of the server under test.
    Entering raises TargetError. So does leaving without an exception, if the target does not end as it should.
    """

    def __init__(self, target: Target, settings: Mapping[str, Any], calls: Sequence[Scenario], ai_port: int) -> None:
        self._target = target
        self._settings = settings
        self._ai_port = ai_port
        self._switchboard = Switchboard(
            refuses=any(reply.fault == "refused" for call in calls for reply in call.ai),
            any_method=any(call.ai_cassette is not None for call in calls),
        )
        self._waits: ProgramWaits | None = None
        self._on_late: list[Callable[[float, float], None]] = []
        self._started: StartedTarget | None = None
        self._stopping: asyncio.Task[None] | None = None
        self.ai_url = ""
        """The mock AI's URL, once it is started."""

    @property
    def started(self) -> StartedTarget:
        """The target, which takes calls."""
        assert self._started is not None
        return self._started

    @property
    def program(self) -> Child | None:
        """The program that was started for the run; None if the target is of another kind."""
        return self._started if isinstance(self._started, Child) else None

    def answers(self, call: Conversation) -> None:
        """Answer the requests of this call by its own script, from now on."""
        self._switchboard.add(call)

    async def stop(self) -> None:
        """Close the target, once: leaving does so otherwise. Raises TargetError if it does not end as it should."""
        if self._started is not None and self._stopping is None:
            self._stopping = asyncio.ensure_future(close_target(self._started))
        if self._stopping is not None:
            await self._stopping

    async def start_again(self) -> None:
        """Close the target, whatever is left of it, and start another one like it. Raises TargetError."""
        with contextlib.suppress(TargetError):
            await self.stop()
        self._started = self._stopping = None
        self._started = await self._target.start(self._settings, self.ai_url)

    def look_at_the_program(self) -> None:
        """Look for the processes of the target's program, if it has one: that takes a while, so before calls."""
        if self._waits is None and (pid := program_of(self.started)) is not None:
            self._waits = ProgramWaits(pid, self._was_late)
            self._waits.look()

    def note_its_waits(self, on_late: Callable[[float, float], None]) -> None:
        """Measure how long the program could not run, from the first such wish on. `on_late`: loop time and seconds."""
        self._on_late.append(on_late)
        if self._waits is not None and len(self._on_late) == 1:
            self._waits.start()

    def _was_late(self, at: float, seconds: float) -> None:
        for on_late in self._on_late:
            on_late(at, seconds)

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        trouble = await self._close()
        if trouble is not None and error is None:
            raise trouble

    async def _start(self) -> None:
        try:
            self.ai_url = await self._switchboard.start(self._ai_port)
        except OSError as error:
            raise TargetError(
                f"the mock AI: {why_not_listening(error, '127.0.0.1', self._ai_port, '--ai-port')}"
            ) from error
        self._started = await self._target.start(self._settings, self.ai_url)

    async def _close(self) -> TargetError | None:
        """Close both, even if one fails. Returns the error of the target's own shutdown, if any."""
        try:
            if self._waits is not None:
                await self._waits.stop()
        finally:
            try:
                await self.stop()
            except TargetError as error:
                return error
            finally:
                await self._switchboard.aclose()
        return None
