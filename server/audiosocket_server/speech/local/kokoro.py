"""Portuguese speech synthesis by Kokoro-82M (int8) through onnxruntime: phonemes in, sound at 24 kHz out.

Blocking; on two cores it takes about a third of the duration of the speech.
"""

import lzma
import os
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from audiosocket_server.speech.base import SpeechError
from audiosocket_server.speech.local import weights

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["RATE_HZ", "VOICES", "Kokoro", "styles_of"]

RATE_HZ = 24_000
VOICES = ("pm_alex", "pf_dora")

_THREADS = 2
_MOST_TOKENS = 500
_STYLES, _STYLE = 510, 256  # one style for each number of phonemes

# The model's alphabet: the number of the first letter of each run, and the letters of the run.
_ALPHABET = {
    1: ";:,.!?", 9: "—…\"()“” \u0303ʣʥʦʨᵝꭧAI", 31: "O", 33: "Q", 35: "ST", 39: "W", 41: "Yᵊabcdef",
    50: "hijklmnopqrstuvwxyzɑɐɒæ", 75: "βɔɕç", 80: "ɖðʤə", 85: "ɚɛɜ", 90: "ɟ", 92: "ɡ", 99: "ɥ", 101: "ɨɪʝ",
    110: "ɯɰŋɳɲɴø", 118: "ɸθœ", 123: "ɹ", 125: "ɾɻ", 128: "ʁɽʂʃʈʧ", 135: "ʊʋ", 138: "ʌɣɤ", 142: "χʎ", 147: "ʒʔ",
    156: "ˈˌː", 162: "ʰ", 164: "ʲ", 169: "↓", 171: "→↗↘", 177: "ᵻ",
}  # fmt: skip
_NUMBERS = {letter: first + place for first, letters in _ALPHABET.items() for place, letter in enumerate(letters)}


class Kokoro:
    """The model in memory, about 200 MB; made by `load`."""

    def __init__(self, session: Any) -> None:
        self._session = session

    @classmethod
    def load(cls, models_folder: Path | None = None) -> "Kokoro":
        """Load and check the model, from `models_folder` if given. Blocks for about a second. Raises SpeechError."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = min(_THREADS, os.cpu_count() or 1)
        options.log_severity_level = 3
        # Idle threads must not spin: the clock of the calls needs the core.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        data = weights.read(weights.KOKORO, models_folder)
        try:
            return cls(onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"]))
        except Exception as error:  # the library's errors have no common base class
            raise SpeechError(f"the Kokoro model cannot be used: {' '.join(str(error).split())}") from error

    def speak(self, phonemes: str, voice: "str | NDArray[np.float32]") -> "NDArray[np.float32]":
        """Return the speech: samples in -1..1 at 24 kHz, shape (n,); empty if there is nothing to say.

        `phonemes`: in the model's alphabet (`Phonemes.of`); `voice`: one of `VOICES`, or styles as
        `styles_of` gives them. Raises SpeechError.
        """
        numbers = [_NUMBERS[letter] for letter in phonemes if letter in _NUMBERS]
        styles = styles_of(voice) if isinstance(voice, str) else voice
        sounds = [self._spoken(piece, styles) for piece in _pieces(numbers)]
        return np.concatenate(sounds) if sounds else np.zeros(0, np.float32)

    def _spoken(self, numbers: list[int], styles: "NDArray[np.float32]") -> "NDArray[np.float32]":
        inputs = {
            "tokens": np.array([[0, *numbers, 0]], np.int64),
            "style": styles[len(numbers) - 1][None],
            "speed": np.ones(1, np.float32),
        }
        try:
            (sound,) = self._session.run(None, inputs)
        except Exception as error:  # the library's errors have no common base class
            raise SpeechError(f"synthesis failed: {' '.join(str(error).split())}") from error
        return np.asarray(sound, np.float32).ravel()


def _pieces(numbers: list[int]) -> list[list[int]]:
    """Split the numbers into pieces of at most `_MOST_TOKENS`, between words if possible."""
    space = _NUMBERS[" "]
    pieces = []
    while len(numbers) > _MOST_TOKENS:
        spaces = [place for place, number in enumerate(numbers[:_MOST_TOKENS]) if number == space]
        cut = spaces[-1] if spaces and spaces[-1] > 0 else _MOST_TOKENS
        pieces.append(numbers[:cut])
        numbers = numbers[cut:]
    return [*pieces, numbers] if numbers else pieces


@lru_cache(maxsize=len(VOICES))
def styles_of(voice: str) -> "NDArray[np.float32]":
    """Load the style vectors published with the model (Apache-2.0), stored as float16 (error about 1e-4).

    Shape (510, 256), one vector for each number of phonemes.
    """
    packed = (Path(__file__).parent / "voices" / f"{voice}.f16.xz").read_bytes()
    return np.frombuffer(lzma.decompress(packed), "<f2").reshape(_STYLES, _STYLE).astype(np.float32)
