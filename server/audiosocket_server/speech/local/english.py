"""English speech synthesis by Hibari, a small model of one American Kokoro voice.

Blocking; it takes about a hundredth of the duration of the speech.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from audiosocket_server.speech.base import SpeechError
from audiosocket_server.speech.local import weights

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["RATE_HZ", "English"]

RATE_HZ = 24_000
_SEED = 1  # of the breath noise, so that the same text gives the same sound


class English:
    """The model in memory, about 60 MB; made by `load`."""

    def __init__(self, hibari: Any) -> None:
        self._hibari = hibari

    @classmethod
    def load(cls, models_folder: Path | None = None) -> "English":
        """Load and check the model, from `models_folder` if given. Blocks for about a second. Raises SpeechError."""
        try:
            from hibari import Hibari
        except ImportError as error:
            raise SpeechError("English speech needs hibari-tts: pip install 'audiosocket-sim[local]'") from error
        try:
            english = cls(Hibari(model=weights.read(weights.HIBARI, models_folder), threads=1))
            english.speak("Ready.")  # the first text makes it read its lexicon, which takes half a second
        except Exception as error:  # the library's errors have no common base class
            raise SpeechError(f"the Hibari model cannot be used: {' '.join(str(error).split())}") from error
        return english

    def speak(self, text: str) -> "NDArray[np.float32]":
        """Return the speech: samples in -1..1 at 24 kHz, shape (n,); empty if there is nothing to say."""
        return np.asarray(self._hibari(text, seed=_SEED), np.float32)
