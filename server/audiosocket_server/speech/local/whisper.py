"""Recognition: Whisper base, multilingual, int8, through CTranslate2. Blocking; about 0.4 s of one core an utterance.

The settings that matter were measured (benchmarks/README.md, recognition): beam 5, temperature 0 with no second try, no
timestamps, the language told. What was hardly speech is refused: a model that must say something says something. Knows
nothing of calls, queues or time.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from audiosocket_server.speech.base import SpeechError
from audiosocket_server.speech.local import weights
from audiosocket_server.speech.local.log_mel import FRAMES_A_SECOND, RATE_HZ, log_mel
from audiosocket_server.speech.local.tones import is_tones

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Heard", "Whisper"]

_LINE_HZ = 8_000
_BEAMS = 5
_FIRST_CONTROL_TOKEN = 50_257

# The model was trained on 30 s. In a window of 15 s an utterance costs a third, and is understood as well; in 10 s it
# is not. A piece leaves some of its window empty.
_WINDOWS_SECONDS = (15, 30)
_SPARE_SECONDS = 1.0
_SHORTEST_SECONDS = 0.1

# Silence put before the sound, which has 300 ms of pre-roll: of 300 words in µ-law it spares 8, with noise of 15 dB 9.
_LEAD = bytes(2 * _LINE_HZ * 300 // 1000)

# What may be said in a second, generously: bounds what a loop of the model's own costs.
_TOKENS_A_SECOND = 8
_TOKENS_AT_LEAST = 16

# Refused: `no_speech` over the first; or over the second where the words are unlikely, too.
_NO_SPEECH = 0.45
_DOUBTFUL_NO_SPEECH = 0.2
_UNLIKELY = -1.0


@dataclass(frozen=True, slots=True)
class Heard:
    """What the model made of a sound: `no_speech` 0..1, `score` the mean logarithm of a token's probability."""

    text: str
    no_speech: float
    score: float

    @property
    def is_speech(self) -> bool:
        doubtful = self.no_speech > _DOUBTFUL_NO_SPEECH and self.score < _UNLIKELY
        return self.no_speech <= _NO_SPEECH and not doubtful


class Whisper:
    """The model in memory: about 250 MB. One utterance at a time; made by `load`."""

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self._model = model
        self._tokenizer = tokenizer

    @classmethod
    def load(cls, models_folder: Path | None = None) -> "Whisper":
        """Read and check the files. Blocks for about a second. Raises SpeechError."""
        from ctranslate2.models import Whisper as Model
        from tokenizers import Tokenizer

        files = {name: weights.read(file, models_folder) for name, file in weights.WHISPER.items()}
        try:
            tokenizer = Tokenizer.from_buffer(files.pop("tokenizer.json"))
            model = Model("whisper-base", device="cpu", compute_type="int8", intra_threads=1, files=files)
        except (RuntimeError, ValueError) as error:
            raise SpeechError(f"the Whisper model cannot be used: {_line(error)}") from error
        return cls(model, tokenizer)

    def knows(self, language: str) -> bool:
        """Whether it knows the language of a tag such as pt-BR."""
        return self._tokenizer.token_to_id(_language_token(language)) is not None

    def transcribe(self, pcm: bytes, language: str, prompt: str = "") -> str:
        """The text of SLIN of 8 kHz, "" where there was no speech. Raises SpeechError.

        `prompt` is text as it might have stood before: it makes its words, and its manner of writing, more likely.
        """
        texts = (self.hear(piece, language, prompt) for piece in _pieces(pcm))
        return " ".join(heard.text for heard in texts if heard is not None and heard.is_speech).strip()

    def hear(self, pcm: bytes, language: str, prompt: str = "") -> Heard | None:
        """One piece of up to 29 s, judged but not refused; None for next to nothing and for tones."""
        from ctranslate2 import StorageView

        seconds = len(pcm) / 2 / _LINE_HZ
        if seconds < _SHORTEST_SECONDS or is_tones(pcm):
            return None
        window = next((w for w in _WINDOWS_SECONDS if seconds + _SPARE_SECONDS <= w), _WINDOWS_SECONDS[-1])
        features = log_mel(_at_16_khz(_LEAD + pcm), window * FRAMES_A_SECOND)
        start = self._start(language, prompt)
        most = _TOKENS_AT_LEAST + round(seconds * _TOKENS_A_SECOND)
        try:
            (result,) = self._model.generate(
                StorageView.from_array(features[None]),
                [start],
                beam_size=_BEAMS,
                max_length=max(2 * most, len(start) + most),  # the library takes half, or what the prompt leaves
                return_scores=True,
                return_no_speech_prob=True,
            )
        except RuntimeError as error:
            raise SpeechError(f"recognition failed: {_line(error)}") from error
        words = [token for token in result.sequences_ids[0] if token < _FIRST_CONTROL_TOKEN]
        return Heard(self._tokenizer.decode(words).strip(), result.no_speech_prob, result.scores[0])

    def _start(self, language: str, prompt: str) -> list[int]:
        """The tokens before the text: what stood before, then the language and the task."""
        names = ["<|startoftranscript|>", _language_token(language), "<|transcribe|>", "<|notimestamps|>"]
        tokens = [self._tokenizer.token_to_id(name) for name in names]
        if None in tokens:
            raise SpeechError(f"Whisper does not know the language {language}")
        if not prompt:
            return tokens
        before = self._tokenizer.encode(f" {prompt}", add_special_tokens=False).ids
        return [self._tokenizer.token_to_id("<|startofprev|>"), *before[-_MOST_PROMPT_TOKENS:], *tokens]


_MOST_PROMPT_TOKENS = 200


def _language_token(language: str) -> str:
    return f"<|{language.partition('-')[0].casefold()}|>"


def _at_16_khz(pcm: bytes) -> "NDArray[np.float32]":
    import soxr

    samples = np.frombuffer(pcm, "<i2", len(pcm) // 2).astype(np.float32) / 32768.0
    sound: NDArray[np.float32] = soxr.resample(samples, _LINE_HZ, RATE_HZ, quality="HQ")
    return sound


def _pieces(pcm: bytes) -> Iterator[bytes]:
    """What fits the model's window; longer sound is cut where it is quietest in the last third of the window."""
    longest = round((_WINDOWS_SECONDS[-1] - _SPARE_SECONDS) * _LINE_HZ)
    samples = np.frombuffer(pcm, "<i2", len(pcm) // 2)
    while len(samples) > longest:
        block = _LINE_HZ // 10
        first = longest * 2 // 3 // block
        blocks = samples[first * block : longest // block * block].astype(np.float64).reshape(-1, block)
        quietest = first + int((blocks**2).sum(axis=1).argmin())
        cut = quietest * block + block // 2
        yield samples[:cut].tobytes()
        samples = samples[cut:]
    yield samples.tobytes()


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
