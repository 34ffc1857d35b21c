"""Azure Speech through its own SDK: streaming recognition and streaming synthesis, 8 kHz both ways. One door: `load`.

    engine        the `SpeechEngine`: turns and messages, the check, the end
    recognition   one caller turn, on the event loop
    synthesis     one message, and the synthesizers that stand ready, on the event loop
    native        the SDK: what blocks, and what it calls from threads of its own
    faults        what went wrong, in words for the log; why there is no connection
    threads       the engine's own threads

The SDK is imported when an engine is loaded, and not before: it is the extra [azure].
"""

from audiosocket_server.settings.settings import Settings
from audiosocket_server.speech.base import SpeechEngine, SpeechError

__all__ = ["load"]


def load(settings: Settings) -> SpeechEngine:
    """Make the engine; connects to nothing yet. Blocks: for the executor. Raises SpeechError."""
    try:
        from audiosocket_server.speech.azure.engine import AzureEngine
    except (ImportError, OSError) as error:  # the latter: a shared library that the SDK needs
        raise SpeechError(
            f"the Azure Speech SDK cannot be loaded: {error}; it needs libuuid1 and libstdc++6 (apt install), "
            "and pip install 'audiosocket-sim[azure]'"
        ) from error
    return AzureEngine(settings)
