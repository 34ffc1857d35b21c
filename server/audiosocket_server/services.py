"""What all calls of a server share: settings, engine, backend, registry. Holds it, and does nothing."""

from dataclasses import dataclass
from typing import Protocol

from server.calls import Calls
from server.config import Settings
from server.detectors import Detectors
from server.reply import Reply
from server.speech.base import SpeechEngine
from server.speech.fallback import StandIns
from server.turn_words import TurnRules

__all__ = ["Backend", "Services"]


class Backend(Protocol):
    """The AI backend, as `ai_client.AiClient` is it."""

    async def ask(self, conversation_id: str, content: str) -> Reply:
        """Raises BackendError."""


@dataclass(frozen=True, slots=True)
class Services:
    """Made once, by the listener."""

    settings: Settings
    rules: TurnRules
    engine: SpeechEngine
    backend: Backend
    calls: Calls
    hold_pcm: bytes
    detectors: Detectors
    stand_ins: StandIns | None = None  # None: the engine needs none
