"""The local recogniser as a reader of other programs: sound in, a text with its words' times out; nothing invented.

Reached by its import string, `audiosocket_server.speech.local.reading:read`. The model makes a text of any sound, so a
text counts only if the sound is speech by all that is known of it. Blocking; one stretch at a time.
"""

import threading
import zlib
from functools import lru_cache

import numpy as np

from audiosocket_core.phrase_book.book import normalise
from audiosocket_core.slin import resample
from audiosocket_server.speech.base import SpeechError
from audiosocket_server.speech.local.weights import WHISPER
from audiosocket_server.speech.local.whisper import Heard, Whisper

__all__ = ["prepare", "read"]

_LINE_HZ = 8_000
_lock = threading.Lock()

_QUIETEST_DBFS = -60.0
_MOST_LETTERS_A_SECOND = 30.0
"""Nobody speaks faster; 12 to 18 are usual."""
_MOST_REPEATED = 2.4
"""How much smaller a text may become by compression: one that repeats itself was not spoken (Whisper's own limit)."""
_LEAST_SCORE = -1.0
_DOUBTFUL_SCORE = -0.75
_PHANTOMS = frozenset(
    normalise(text)
    for text in (
        "Legendas pela comunidade Amara.org",
        "Legendado por",
        "Obrigado por assistir",
        "Obrigado",
        "Obrigada",
        "Tchau",
        "E aí",
        "O que é isso?",
        "Inscreva-se no canal",
        "Thank you for watching",
        "Thanks for watching",
        "Thank you",
        "Bye",
        "You",
        "Subtitles by the Amara.org community",
        "Subtítulos realizados por la comunidad de Amara.org",
        "Gracias por ver el video",
        "Gracias",
    )
)
"""What the model says where nobody spoke: it learned from subtitles. Believed only if it is sure."""


def read(pcm: bytes, rate_hz: int, language: str) -> dict[str, object]:
    """Read a stretch of speech (SLIN). `language`: a tag such as pt-BR; "": the model's guess.

    Returns `text`, "" for what is no speech; `confidence`, 0 to 1; and `words` with `text`, `start_ms`, `end_ms` and
    `confidence`. Raises SpeechError if the model or a library of the extra [local] is missing.
    """
    if rate_hz != _LINE_HZ:
        pcm = resample(pcm, rate_hz, _LINE_HZ)
    with _lock:
        whisper = _whisper()
        if language and not whisper.knows(language):
            raise SpeechError(f"Whisper does not know the language {language}")
        found = _believed(whisper, pcm, language)
    if not found:
        return {"text": "", "confidence": None, "words": []}
    words = [
        {
            "text": word.text,
            "start_ms": round((before + word.start) * 1000),
            "end_ms": round((before + word.end) * 1000),
            "confidence": round(word.probability, 3),
        }
        for before, heard in found
        for word in heard.words
    ]
    confidence = sum(float(np.exp(heard.score)) for _, heard in found) / len(found)
    text = " ".join(heard.text for _, heard in found)
    return {"text": text, "confidence": round(confidence, 3), "words": words}


read.version = f"whisper-base {WHISPER['model.bin'].sha256[:12]}, 1"  # type: ignore[attr-defined]


def prepare() -> None:
    """Load the model, before the first stretch. Raises SpeechError."""
    with _lock:
        _whisper()


read.prepare = prepare  # type: ignore[attr-defined]


@lru_cache(maxsize=1)
def _whisper() -> Whisper:
    try:
        return Whisper.load()
    except ImportError as error:
        raise SpeechError(f"{error.name} is not installed: pip install 'audiosocket-sim[local]'") from error


def _believed(whisper: Whisper, pcm: bytes, language: str) -> list[tuple[float, Heard]]:
    """What is believed of each piece of the sound, with the seconds before the piece."""
    found, before = [], 0.0
    for piece in whisper.pieces(pcm):
        heard = whisper.hear(piece, language, words=True) if _is_loud(piece) else None
        if heard is not None and is_believed(heard, len(piece) / 2 / _LINE_HZ):
            found.append((before, heard))
        before += len(piece) / 2 / _LINE_HZ
    return found


def is_believed(heard: Heard, seconds: float) -> bool:
    """Return whether a text was spoken in a sound of this length, and not made up by the model."""
    plain = normalise(heard.text)
    if not plain or not heard.is_speech or heard.score < _LEAST_SCORE:
        return False
    if len(plain) > 3 and len(plain) / max(seconds, 0.1) > _MOST_LETTERS_A_SECOND:
        return False
    encoded = plain.encode()
    if len(encoded) / len(zlib.compress(encoded)) > _MOST_REPEATED:
        return False
    return not (plain in _PHANTOMS and (heard.score < _DOUBTFUL_SCORE or heard.no_speech > 0.1))


def _is_loud(pcm: bytes) -> bool:
    samples = np.frombuffer(pcm, "<i2", len(pcm) // 2).astype(np.float64)
    rms = np.sqrt((samples**2).mean()) if len(samples) else 0.0
    return bool(rms > 32768 * 10 ** (_QUIETEST_DBFS / 20))
