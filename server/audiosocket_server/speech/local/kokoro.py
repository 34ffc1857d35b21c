"""Portuguese speech: Kokoro-82M, int8, through onnxruntime. Blocking; a third of the speech's length on two cores.

From phonemes to sound of 24 kHz; texts, sentences and levels are not its business.
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

__all__ = ["RATE_HZ", "VOICES", "Kokoro"]

RATE_HZ = 24_000
VOICES = ("pm_alex", "pf_dora")

_THREADS = 2
_MOST_TOKENS = 500
_STYLES, _STYLE = 510, 256  # one style for each number of phonemes

# The model's alphabet: from a number on, the letters that have the numbers that follow.
_ALPHABET = {
    1: ";:,.!?", 9: "—…\"()“” \u0303ʣʥʦʨᵝꭧAI", 31: "O", 33: "Q", 35: "ST", 39: "W", 41: "Yᵊabcdef",
    50: "hijklmnopqrstuvwxyzɑɐɒæ", 75: "βɔɕç", 80: "ɖðʤə", 85: "ɚɛɜ", 90: "ɟ", 92: "ɡ", 99: "ɥ", 101: "ɨɪʝ",
    110: "ɯɰŋɳɲɴø", 118: "ɸθœ", 123: "ɹ", 125: "ɾɻ", 128: "ʁɽʂʃʈʧ", 135: "ʊʋ", 138: "ʌɣɤ", 142: "χʎ", 147: "ʒʔ",
    156: "ˈˌː", 162: "ʰ", 164: "ʲ", 169: "↓", 171: "→↗↘", 177: "ᵻ",
}  # fmt: skip
_NUMBERS = {letter: first + place for first, letters in _ALPHABET.items() for place, letter in enumerate(letters)}


class Kokoro:
    """The model in memory: about 200 MB. Made by `load`."""

    def __init__(self, session: Any) -> None:
        self._session = session

    @classmethod
    def load(cls, models_folder: Path | None = None) -> "Kokoro":
        """Read and check the file. Blocks for about a second. Raises SpeechError."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = min(_THREADS, os.cpu_count() or 1)
        options.log_severity_level = 3
        # Threads that wait must not spin: the calls' clock needs the core.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        data = weights.read(weights.KOKORO, models_folder)
        try:
            return cls(onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"]))
        except Exception as error:  # the library's errors have no base of their own
            raise SpeechError(f"the Kokoro model cannot be used: {' '.join(str(error).split())}") from error

    def speak(self, phonemes: str, voice: str) -> "NDArray[np.float32]":
        """Sound of 24 kHz in -1..1; empty where there is nothing to say. Raises SpeechError."""
        numbers = [_NUMBERS[letter] for letter in phonemes if letter in _NUMBERS]
        sounds = [self._spoken(piece, voice) for piece in _pieces(numbers)]
        return np.concatenate(sounds) if sounds else np.zeros(0, np.float32)

    def _spoken(self, numbers: list[int], voice: str) -> "NDArray[np.float32]":
        inputs = {
            "tokens": np.array([[0, *numbers, 0]], np.int64),
            "style": _styles(voice)[len(numbers) - 1][None],
            "speed": np.ones(1, np.float32),
        }
        try:
            (sound,) = self._session.run(None, inputs)
        except Exception as error:  # the library's errors have no base of their own
            raise SpeechError(f"synthesis failed: {' '.join(str(error).split())}") from error
        return np.asarray(sound, np.float32).ravel()


def _pieces(numbers: list[int]) -> list[list[int]]:
    """Of at most `_MOST_TOKENS`, cut between words."""
    space = _NUMBERS[" "]
    pieces = []
    while len(numbers) > _MOST_TOKENS:
        spaces = [place for place, number in enumerate(numbers[:_MOST_TOKENS]) if number == space]
        cut = spaces[-1] if spaces and spaces[-1] > 0 else _MOST_TOKENS
        pieces.append(numbers[:cut])
        numbers = numbers[cut:]
    return [*pieces, numbers] if numbers else pieces


@lru_cache(maxsize=len(VOICES))
def _styles(voice: str) -> "NDArray[np.float32]":
    """Of the model's makers (Apache-2.0), as float16: what that rounds off is a ten-thousandth of a style."""
    packed = (Path(__file__).parent / "voices" / f"{voice}.f16.xz").read_bytes()
    return np.frombuffer(lzma.decompress(packed), "<f2").reshape(_STYLES, _STYLE).astype(np.float32)
