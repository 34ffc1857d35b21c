"""The AI backend of a run: it answers whoever asks, always the same."""

from dataclasses import replace
from typing import Any, Literal
from uuid import UUID

from audiosocket_sim.conformance.features import Features, TestRole
from audiosocket_sim.mock_ai.backend import MockAi
from audiosocket_sim.mock_ai.switchboard import Conversation
from audiosocket_sim.scenario.model import Reply

__all__ = ["AnsweringBackend"]

_SAYS = "Um momento, por favor."
_GOODBYE = "Até logo, tenha um bom dia."
_GOODBYES = tuple(UUID(f"90000000-0000-4000-8000-0000000000{n:02x}") for n in range(24))
"""The calls in which the AI backend says goodbye, and ends the call."""
_ANSWERS = 100_000


class AnsweringBackend:
    """The AI backend, which answers whoever asks; in the calls of `_GOODBYES` it says goodbye, and to hang up."""

    def __init__(self) -> None:
        self.was_asked = False
        goodbyes = [self._call(uuid, _GOODBYE, "STANDBY") for uuid in _GOODBYES]
        self.calls = [self._call(UUID(int=0), _SAYS, "USER_TURN"), *goodbyes]

    def _call(self, uuid: UUID, says: str, status: Literal["USER_TURN", "STANDBY"]) -> Conversation:
        async def no_pushes(conversation: str, body: dict[str, Any]) -> int:
            return 404

        reply = Reply(says=says, set_call_status=status, times=_ANSWERS, optional=True)
        ai = MockAi([reply], self._asked, no_pushes, each_call=True)
        others = uuid not in _GOODBYES
        return Conversation(uuid, ai, lambda: others, lambda: 0.0)

    def _asked(self, event: object) -> None:
        self.was_asked = True

    def with_role(self, features: Features) -> Features:
        """Return the features with the role `hangup`, if the server asks this backend, and none is stated."""
        if not self.was_asked or "hangup" in features.roles:
            return features
        return replace(
            features, roles={**features.roles, "hangup": TestRole(uuids=tuple([uuid.bytes for uuid in _GOODBYES]))}
        )
