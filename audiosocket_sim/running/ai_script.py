"""Whether the bot's questions fit the AI's script: what fits no reply, came too late, or was never asked for."""

from collections.abc import Callable
from typing import Protocol

from audiosocket_sim.asterisk import LegEnd
from audiosocket_sim.call_log.events import BackendAsked
from audiosocket_sim.mock_ai.backend import MockAi
from audiosocket_sim.running.call_end import asked_too_late

__all__ = ["AiScript"]

_EXPECTED = {"ai": "the AI's script to fit", "ai_cassette": "the requests that the cassette has, and no others"}


class _CallInProgress(Protocol):
    """What is needed of the call (`CallFixture`)."""

    end: LegEnd | None

    @property
    def now_ms(self) -> int: ...
    def ms(self, loop_time: float) -> int: ...


class AiScript:
    """The watch over one call's script. `fail(at_ms, step, expected, *happened)` logs a failure of the call.

    `key`: `ai` or `ai_cassette`.
    """

    def __init__(self, call: _CallInProgress, key: str, fail: Callable[..., None]) -> None:
        self._call = call
        self._key = key
        self._fail = fail
        self._asked_afterwards: list[tuple[int, str]] = []

    def does_not_fit(self, failure: str) -> None:
        """Log a failure of the script, a line for people."""
        self._fail(self._call.now_ms, self._key, _EXPECTED[self._key], failure)

    def unmatched(self, asked: BackendAsked, failure: str) -> None:
        """A request that fits no reply. Those after the end of the call are one failure, logged when all is over."""
        if self._call.end is None:
            self.does_not_fit(failure)
        else:
            self._asked_afterwards.append((self._call.now_ms, asked.content))

    def check_the_requests_after_the_end(self, *meanwhile: str) -> bool:
        """Log one failure for the requests that came after the end of the call; returns whether there were none.

        `meanwhile`: further lines for it.
        """
        if not self._asked_afterwards or self._call.end is None:
            return True
        at_ms, late = asked_too_late(self._asked_afterwards, self._call.ms(self._call.end.at))
        self._asked_afterwards = []
        self._fail(at_ms, "ai", "no request after the end of the call", late, *meanwhile)
        return False

    def check_all_used(self, ai: MockAi, *, hung_up: bool) -> None:
        """Log a failure for each reply and push of the script that was never used.

        `hung_up`: the caller has hung up, so that pushes which were not due yet are no failure.
        """
        left = [f"{reply} was never used" for reply in ai.unused()]
        if not hung_up:
            left += [f"{push} was never sent: the call was over before it was due" for push in ai.unsent()]
        for failure in left:
            self.does_not_fit(failure)
