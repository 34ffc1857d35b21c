"""Speaks single texts in a voice of the local engine, for others than the server, which find `speak` by its name.

Blocking. Nothing is kept on disk: whoever asks keeps what it needs.
"""

from audiosocket_server.speech.base import SpeechError
from audiosocket_server.speech.local.sentences import sentences

__all__ = ["speak"]


def speak(text: str, voice: str) -> bytes:
    """Return the text as SLIN of 8 kHz. `voice`: pm_alex, pf_dora, hibari, or a voice of Azure that one of them is for.

    Raises SpeechError: the extra [local] is not installed, or there is no such voice.
    """
    try:
        from audiosocket_server.speech.local.speaker import spoken
        from audiosocket_server.speech.local.voices import voice_for
    except ImportError as error:
        lacks = f"the local engine lacks {error.name or error}"
        raise SpeechError(f"{lacks}: pip install 'audiosocket-sim[local]'") from error
    named = voice_for(voice)
    return b"".join(spoken(sentence, named) for sentence in sentences(text))
