"""Synthesis of a sentence by the model of a voice: SLIN of 8 kHz, as loud as the recorded prompts. Blocking."""

import atexit
import threading
from collections.abc import Callable
from functools import lru_cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from audiosocket_core import slin
from audiosocket_core.kept_files import KeptFiles
from audiosocket_core.phrase_book.book import speech_edges_ms
from audiosocket_server.speech.local import english, kokoro, weights
from audiosocket_server.speech.local.phonemes import Phonemes
from audiosocket_server.speech.local.pieces import ENDS_A_CLAUSE
from audiosocket_server.speech.local.voices import ENGLISH

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Speaker", "framed", "spoken"]

_LINE_HZ = 8_000
_LEVEL_DBFS = -22.0  # of the speech
_EDGE_MS = 20  # sound that is kept before and after the speech
_FADE_MS = 5  # of these 20 at both ends, so that no seam clicks
# Silence around a sentence, and after a part of one; tail and lead together are the pause between two.
_LEAD_MS, _TAIL_MS, _CLAUSE_TAIL_MS = 60, 240, 100
_VERSION = "2"  # part of the key in the cache: raise it whenever the same text sounds different


class Speaker:
    """One voice. Its model is loaded by `prepare`, or for the first sentence.

    `voice`: one of `voices.VOICES`; `models_folder`: other models, None for the installed ones; `kept`: the cache.
    """

    def __init__(self, voice: str, models_folder: Path | None, kept: KeptFiles) -> None:
        self._voice = voice
        self._models_folder = models_folder
        self._kept = kept
        self._engine = (_VERSION, *_versions(voice), str(models_folder or ""), voice)

    def prepare(self) -> None:
        """Load the model, which takes 1 to 2 s. Raises SpeechError."""
        _speech(self._voice, self._models_folder)

    def known(self, sentence: str) -> bytes | None:
        """Return the sentence's speech from the cache (SLIN, 8 kHz), or None."""
        return self._kept.get(*self._engine, sentence)

    def speak(self, sentence: str, *, keep: bool = True) -> bytes:
        """Synthesise the sentence: SLIN, 8 kHz; b"" if there is nothing to say. `keep`: add it to the cache.

        Raises SpeechError.
        """
        pcm = spoken(sentence, self._voice, self._models_folder)
        if pcm and keep:
            self._kept.put(pcm, *self._engine, sentence)
        return pcm


def spoken(sentence: str, voice: str, models_folder: Path | None = None) -> bytes:
    """Return the sentence in one of the voices: SLIN, 8 kHz; b"" if there is nothing to say. Raises SpeechError."""
    sound = _speech(voice, models_folder)(sentence)
    goes_on = sentence.rstrip().endswith(ENDS_A_CLAUSE)
    return framed(sound, kokoro.RATE_HZ if voice != ENGLISH else english.RATE_HZ, goes_on=goes_on)


def _versions(voice: str) -> tuple[str, ...]:
    if voice == ENGLISH:
        return weights.HIBARI.sha256, version("hibari-tts")
    return weights.KOKORO.sha256, version("espeakng-loader")


_loading = threading.Lock()


def _speech(voice: str, models_folder: Path | None) -> "Callable[[str], NDArray[np.float32]]":
    """Return a function from a sentence to its sound. Each model is loaded once for all servers of the process."""
    with _loading:
        if voice == ENGLISH:
            return _english(models_folder).speak
        model, phonemes = _portuguese(models_folder)
    return partial(_in_portuguese, model, phonemes, voice)


def _in_portuguese(model: kokoro.Kokoro, phonemes: Phonemes, voice: str, sentence: str) -> "NDArray[np.float32]":
    return model.speak(phonemes.of(sentence), voice)


@lru_cache(maxsize=1)
def _portuguese(models_folder: Path | None) -> tuple[kokoro.Kokoro, Phonemes]:
    phonemes = Phonemes()
    atexit.register(phonemes.close)
    return kokoro.Kokoro.load(models_folder), phonemes


@lru_cache(maxsize=1)
def _english(models_folder: Path | None) -> english.English:
    return english.English.load(models_folder)


def framed(sound: "NDArray[np.float32]", rate_hz: int, *, goes_on: bool = False) -> bytes:
    """Convert to SLIN of 8 kHz, as loud as the prompts, with the usual silence around it; b"" for silence.

    `sound`: samples in -1..1. `goes_on`: the sentence goes on with the next sound, after a short pause.
    """
    samples = np.clip(np.rint(sound * 32767.0), -32768, 32767).astype("<i2")
    pcm = slin.resample(samples.tobytes(), rate_hz, _LINE_HZ)
    start_ms, end_ms = speech_edges_ms(pcm)
    if end_ms <= start_ms:
        return b""
    level = slin.level_dbfs(pcm[start_ms * 16 : end_ms * 16])
    start_ms, end_ms = max(0, start_ms - _EDGE_MS), end_ms + _EDGE_MS
    speech = slin.gain(_faded(pcm[start_ms * 16 : end_ms * 16]), _LEVEL_DBFS - level)
    return slin.silence(_LEAD_MS) + speech + slin.silence(_CLAUSE_TAIL_MS if goes_on else _TAIL_MS)


def _faded(pcm: bytes) -> bytes:
    """Return the sound with its first and last `_FADE_MS` faded in and out."""
    samples = np.frombuffer(pcm, "<i2").astype(np.float64)
    ramp = np.linspace(0.0, 1.0, min(_FADE_MS * 8, len(samples)), endpoint=False)
    samples[: len(ramp)] *= ramp
    samples[len(samples) - len(ramp) :] *= ramp[::-1]
    return np.rint(samples).astype("<i2").tobytes()
