"""The local speech engine (extra `[local]`): Whisper recognises, Kokoro and Hibari speak, all on this machine.

`load` makes the engine. The child process that makes phonemes imports this package too, so it imports nothing itself.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from audiosocket_server.settings.settings import Settings
    from audiosocket_server.speech.local.engine import LocalEngine

__all__ = ["load"]


def load(settings: "Settings") -> "LocalEngine":
    """Make the engine. Blocks for 2 to 3 s the first time, after which the process keeps the models.

    Raises SpeechError that says what is missing or damaged, and what to do.
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
