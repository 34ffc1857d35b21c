"""Azure Speech through Microsoft's SDK: streaming recognition and streaming synthesis, 8 kHz. `load` makes the engine.

    engine        the `SpeechEngine`: utterances, messages, the check, the shutdown
    recognition   one utterance, on the event loop
    synthesis     one message, and the pool of synthesizers, on the event loop
    native        the SDK: calls that block, and callbacks on its own threads
    faults        error texts for the log, and the reason for a failed connection
    threads       the engine's own threads

The SDK (extra [azure]) is imported only when an engine is loaded.
"""

from audiosocket_server.settings.settings import Settings
from audiosocket_server.speech.base import SpeechEngine, SpeechError

__all__ = ["load"]


def load(settings: Settings) -> SpeechEngine:
    """Make the engine, without connecting yet. Blocking: call it in the executor. Raises SpeechError."""
    try:
        from audiosocket_server.speech.azure.engine import AzureEngine
    except (ImportError, OSError) as error:  # OSError: a shared library that the SDK needs is missing
        raise SpeechError(
            f"the Azure Speech SDK cannot be loaded: {error}; it needs libuuid1 and libstdc++6 (apt install), "
            "and pip install 'audiosocket-sim[azure]'"
        ) from error
    return AzureEngine(settings)
