"""The voices of the local engine, and which of them replaces a voice of Azure."""

import re

from audiosocket_server.speech.base import SpeechError
from audiosocket_server.speech.local.kokoro import VOICES as KOKORO_VOICES

__all__ = ["ENGLISH", "VOICES", "voice_for"]

ENGLISH = "hibari"
VOICES = (*KOKORO_VOICES, ENGLISH)

_MAN, _WOMAN = KOKORO_VOICES
_WOMEN = frozenset(
    {"brenda", "elza", "fernanda", "francisca", "giovanna", "leila", "leticia", "manuela", "raquel", "thalita", "yara"}
)
_KINDS = re.compile(r"(multilingual)?neural$")


def voice_for(name: str) -> str:
    """Return the voice for `name`: one of `VOICES`, or the nearest to a voice of Azure such as pt-BR-AntonioNeural.

    Raises SpeechError if no voice speaks its language.
    """
    if name in VOICES:
        return name
    language, _, rest = name.casefold().partition("-")
    if language == "en":
        return ENGLISH
    if language == "pt":
        speaker = _KINDS.sub("", rest.rpartition("-")[2])
        return _WOMAN if speaker in _WOMEN else _MAN
    raise SpeechError(
        f"the local engine has no voice like {name}: it has {', '.join(KOKORO_VOICES)} (Portuguese) and {ENGLISH} "
        "(English); choose one in speech.local_voice"
    )
