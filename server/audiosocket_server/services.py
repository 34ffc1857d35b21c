"""The parts that all calls of a server share: settings, speech engine, backend, registry. Data only."""

from dataclasses import dataclass
from typing import Protocol

from audiosocket_server.backend.question import Interrupted
from audiosocket_server.backend.reply import BackendReply
from audiosocket_server.detectors import Detectors
from audiosocket_server.registry.calls import Calls
from audiosocket_server.settings.settings import Settings
from audiosocket_server.speech.base import SpeechEngine
from audiosocket_server.speech.fallback import StandIns
from audiosocket_server.turns.vocabulary import TurnRules

__all__ = ["Backend", "Services"]


class Backend(Protocol):
    """Protocol of the AI backend client; implemented by `backend.client.AiClient`."""

    async def ask(self, conversation_id: str, content: str, interrupted: Interrupted | None = None) -> BackendReply:
        """Send what the caller said and return the reply. Raises BackendError if there is no usable reply.

        `interrupted`: the message of the bot in which he said it, if he interrupted one.
        """


@dataclass(frozen=True, slots=True)
class Services:
    """The shared parts of one server, made once by the listener.

    `hold_pcm`: hold audio, SLIN of 8 kHz. `stand_ins`: None if the speech engine itself plays recordings.
    """

    settings: Settings
    rules: TurnRules
    engine: SpeechEngine
    backend: Backend
    calls: Calls
    hold_pcm: bytes
    detectors: Detectors
    stand_ins: StandIns | None = None
