"""What all calls of a server share: settings, engine, backend, registry. Holds it, and does nothing."""

from dataclasses import dataclass
from typing import Protocol

from audiosocket_server.backend.reply import BackendReply
from audiosocket_server.detectors import Detectors
from audiosocket_server.registry.calls import Calls
from audiosocket_server.settings.settings import Settings
from audiosocket_server.speech.base import SpeechEngine
from audiosocket_server.speech.fallback import StandIns
from audiosocket_server.turns.vocabulary import TurnRules

__all__ = ["Backend", "Services"]


class Backend(Protocol):
    """The AI backend, as `ai_client.AiClient` is it."""

    async def ask(self, conversation_id: str, content: str) -> BackendReply:
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
