"""English speech: Hibari, one American voice of Kokoro's in small. Blocking; a hundredth of the speech's length."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from audiosocket_server.speech.base import SpeechError
from audiosocket_server.speech.local import weights

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["RATE_HZ", "English"]

RATE_HZ = 24_000
_SEED = 1  # of its breath noise: the same text gives the same sound


class English:
    """The model in memory: about 60 MB. Made by `load`."""

    def __init__(self, hibari: Any) -> None:
        self._hibari = hibari

    @classmethod
    def load(cls, models_folder: Path | None = None) -> "English":
        """Raises SpeechError."""
        try:
            from hibari import Hibari
        except ImportError as error:
            raise SpeechError("English speech needs hibari-tts: pip install 'audiosocket-sim[local]'") from error
        try:
            english = cls(Hibari(model=weights.read(weights.HIBARI, models_folder), threads=1))
            english.speak("Ready.")  # it reads its lexicon late, for half a second
        except Exception as error:  # the library's errors have no base of their own
            raise SpeechError(f"the Hibari model cannot be used: {' '.join(str(error).split())}") from error
        return english

    def speak(self, text: str) -> "NDArray[np.float32]":
        """Sound of 24 kHz in -1..1; empty where there is nothing to say."""
        return np.asarray(self._hibari(text, seed=_SEED), np.float32)
