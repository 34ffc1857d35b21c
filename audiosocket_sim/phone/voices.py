"""Texts of the caller in a named voice: by the local engine, or by a callable of one's own; kept on disk.

The voice is found by an import string, so the simulator needs no speech engine to be installed. Blocking.
"""

from pathlib import Path

from audiosocket_core.errors import AudioSocketError
from audiosocket_core.kept_files import KeptFiles
from audiosocket_sim.import_string import import_object

__all__ = ["LOCAL_IMPORT", "NamedVoiceFailed", "spoken_in"]

LOCAL_IMPORT = "audiosocket_server.speech.local.speaking:speak"
"""What speaks in a voice that is no import string: the local engine, of the extra [local]."""
_VERSION = "1"  # part of the key: raise it whenever the same text sounds different
_LONGEST_SHOWN = 300
_MOST_BYTES = 100_000_000  # 1 h 44 min


class NamedVoiceFailed(AudioSocketError):
    """A voice that a `say` names is not installed, or did not speak. The message is one line."""


def spoken_in(voice: str, text: str, cache: Path, folder: Path | None = None) -> bytes:
    """Return the text as the voice speaks it: SLIN, 8 kHz. A text that was spoken before comes from `cache`.

    `voice`: one of the local engine's, such as pm_alex; or `module:callable`, which takes the text and returns SLIN of
    8 kHz; its module may lie in `folder`. Raises NamedVoiceFailed.
    """
    kept = KeptFiles(cache, ".slin", most_bytes=_MOST_BYTES)
    pcm = kept.get(_VERSION, voice, text)
    if pcm is None:
        pcm = _spoken(voice, text, folder)
        kept.put(pcm, _VERSION, voice, text)
    return pcm


def _spoken(voice: str, text: str, folder: Path | None) -> bytes:
    is_own = ":" in voice
    module, _, name = (voice if is_own else LOCAL_IMPORT).partition(":")
    try:
        speak = import_object(module, name, folder)
        pcm = speak(text) if is_own else speak(text, voice)
    except (Exception, SystemExit) as error:
        raise NamedVoiceFailed(f"say: voice: {voice}: {_said_by(error)}") from error
    if not isinstance(pcm, bytes | bytearray) or len(pcm) % 2:
        raise NamedVoiceFailed(f"say: voice: {voice}: it must return SLIN as bytes, not {type(pcm).__name__}")
    return bytes(pcm)


def _said_by(error: BaseException) -> str:
    """Return what an engine says, in one line; the type too, unless its text is meant for people."""
    words = " ".join(str(error).split())[:_LONGEST_SHOWN]
    meant = words and (type(error).__name__ == "SpeechError" or isinstance(error, ImportError | OSError | ValueError))
    return words if meant else f"{type(error).__name__}: {words}".rstrip(": ")
