"""The local engine (extra `[local]`): Whisper recognises, Kokoro and Hibari speak, all on this machine; no key.

This is its door: `load`. Imported also by the child process that makes phonemes, so it brings nothing with it.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from audiosocket_server.settings.settings import Settings
    from audiosocket_server.speech.local.engine import LocalEngine

__all__ = ["load"]


def load(settings: "Settings") -> "LocalEngine":
    """Make the engine that the settings ask for. Blocks, 2 to 3 s the first time; a process keeps the models.

    Raises SpeechError: what is missing or damaged, and what helps.
    """
    from audiosocket_server.speech.base import SpeechError

    try:
        from audiosocket_server.speech.local.engine import LocalEngine
    except ImportError as error:
        raise SpeechError(
            f"the local engine lacks {error.name or error}: pip install 'audiosocket-sim[local]'; "
            "speech.engine embedded always works"
        ) from error
    return LocalEngine.load(settings)
