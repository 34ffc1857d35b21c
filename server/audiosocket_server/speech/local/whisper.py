"""Speech recognition by Whisper base (multilingual, int8) through CTranslate2.

Blocking; about 0.4 s of one core per utterance. The parameters were measured (benchmarks/README.md, recognition): beam
5, temperature 0 without a second try, no timestamps, language given. Sound that was hardly speech is refused, because
the model always makes a text of it. A short utterance that the model is not sure of is compared with known answers
(`answers`). Knows nothing of calls, queues or time.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from audiosocket_server.speech.base import SpeechError
from audiosocket_server.speech.local import weights
from audiosocket_server.speech.local.answers import answers_in, span_frames, speech_span_ms
from audiosocket_server.speech.local.log_mel import FRAMES_A_SECOND, RATE_HZ, log_mel
from audiosocket_server.speech.local.prompt_echo import may_be_prompt
from audiosocket_server.speech.local.spoken_numbers import number_in, vocabulary
from audiosocket_server.speech.local.tones import is_tones

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Heard", "SpokenWord", "Whisper"]

_LINE_HZ = 8_000
_BEAMS = 5
_FIRST_CONTROL_TOKEN = 50_257
_ENCODER_HZ = 50  # frames of the encoder a second

# The model was trained on windows of 30 s. A window of 15 s takes a third of the time and recognises as well; one of
# 12 s takes a fifth less again and makes a tenth more errors; one of 10 s is worse. Each piece leaves at least
# _SPARE_SECONDS of its window empty.
_WINDOWS_SECONDS = (15, 30)
_SPARE_SECONDS = 1.0
_SHORTEST_SECONDS = 0.1

# Silence before the sound, in addition to its 300 ms of pre-roll: among 300 words in µ-law it prevents 8 errors, with
# noise at 15 dB 9.
_LEAD = bytes(2 * _LINE_HZ * 300 // 1000)

# A generous bound of what is said in a second. It limits the time of an endless repetition by the model.
_TOKENS_A_SECOND = 8
_TOKENS_AT_LEAST = 16

# A text is refused if `no_speech` is above the first value, or above the second one and the words are unlikely.
_NO_SPEECH = 0.45
_DOUBTFUL_NO_SPEECH = 0.2
_UNLIKELY = -1.0

# Of a short utterance, the model's own text is trusted from this score on; that of a number alone from the second one,
# even if `no_speech` is as high as for noise: noise has not been taken for a number with such a score.
_SURE = -0.4
_NUMBER_SURE = -0.9
_NUMBER_NO_SPEECH = 0.75
# A longer sound is no number said alone.
_LONGEST_NUMBER_MS = 2500
_NUMBER_TOKENS = 24
_NUMBER = re.compile(r"\d{1,3}(?:[. ]?\d{3})?(?: e \d{1,2})?[.!]?")


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """A word with its time in the sound, in seconds from its start, and the model's probability for it, 0 to 1."""

    text: str
    start: float
    end: float
    probability: float


@dataclass(frozen=True, slots=True)
class Heard:
    """The model's result: a text, `no_speech` (probability, 0 to 1) and `score` (mean log probability of a token).

    `words`: empty unless they were asked for.
    """

    text: str
    no_speech: float
    score: float
    words: tuple[SpokenWord, ...] = ()

    @property
    def is_speech(self) -> bool:
        """True if the text is trusted, False if it is refused."""
        doubtful = self.no_speech > _DOUBTFUL_NO_SPEECH and self.score < _UNLIKELY
        return self.no_speech <= _NO_SPEECH and not doubtful

    @property
    def is_sure(self) -> bool:
        """True if a short text is trusted before all known answers. A number alone is trusted sooner."""
        if _NUMBER.fullmatch(self.text):
            return self.score >= _NUMBER_SURE and self.no_speech <= _NUMBER_NO_SPEECH
        return self.score >= _SURE and self.is_speech


class Whisper:
    """The model in memory, about 250 MB; made by `load`. It takes one utterance at a time."""

    def __init__(self, model: Any, tokenizer: Any, *, answers: bool = False) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._has_answers = answers  # those of this very model are known

    @classmethod
    def load(cls, models_folder: Path | None = None) -> "Whisper":
        """Load and check the model, from `models_folder` if given. Blocks for about a second. Raises SpeechError."""
        from ctranslate2.models import Whisper as Model
        from tokenizers import Tokenizer

        files = {name: weights.read(file, models_folder) for name, file in weights.WHISPER.items()}
        model_bin = weights.WHISPER["model.bin"]
        measured = models_folder is None or hashlib.sha256(files["model.bin"]).hexdigest() == model_bin.sha256
        try:
            tokenizer = Tokenizer.from_buffer(files.pop("tokenizer.json"))
            model = Model("whisper-base", device="cpu", compute_type="int8", intra_threads=1, files=files)
        except (RuntimeError, ValueError) as error:
            raise SpeechError(f"the Whisper model cannot be used: {_line(error)}") from error
        return cls(model, tokenizer, answers=measured)

    def knows(self, language: str) -> bool:
        """Return True if the model knows the language of a tag such as pt-BR."""
        return self._tokenizer.token_to_id(_language_token(language)) is not None

    def transcribe(self, pcm: bytes, language: str, prompt: str = "") -> str:
        """Recognise speech (SLIN, 8 kHz), and return its text; "" if there was no speech. Raises SpeechError.

        `prompt`: a text that could precede the speech; it makes its words and its spelling more likely.
        """
        return " ".join(filter(None, (self._understood(piece, language, prompt) for piece in self.pieces(pcm))))

    def pieces(self, pcm: bytes) -> Iterator[bytes]:
        """Yield the sound in pieces that fit the model's window, cut where it is quiet."""
        return _pieces(pcm)

    def hear(self, pcm: bytes, language: str, prompt: str = "", *, words: bool = False) -> Heard | None:
        """Recognise one piece of at most 29 s, without refusing the result; None for less than 100 ms and for tones.

        `language` "": the model's guess. `words`: find each word's time too. Raises SpeechError.
        """
        encoded = self._encoded(pcm)
        return None if encoded is None else self._heard(encoded, pcm, language, prompt, words=words)

    def frames(self, pcm: bytes) -> "NDArray[np.float32] | None":
        """Return the encoder's frames of 20 ms from the beginning of the sound on, and of the silence after it.

        Shape (frames, features); None for less than 100 ms and for tones. Raises SpeechError.
        """
        encoded = self._encoded(pcm)
        return None if encoded is None else _frames(encoded)

    def _understood(self, pcm: bytes, language: str, prompt: str) -> str:
        """Return what is believed of one piece: the model's text, or an answer where the model is not sure."""
        encoded = self._encoded(pcm)
        if encoded is None:
            return ""
        plain = None
        span_ms = speech_span_ms(pcm)
        answers = answers_in(language) if self._has_answers else None
        if span_ms is not None and answers is not None:
            plain = self._heard(encoded, pcm, language, "")
            if plain.is_sure:
                return self._number(encoded, pcm, language, plain.score) or plain.text
            answer = answers.find(_frames(encoded)[span_frames(span_ms)])
            if answer is not None:
                return answer
        heard = self._heard(encoded, pcm, language, prompt)
        if may_be_prompt(heard.text, prompt):
            heard = plain or self._heard(encoded, pcm, language, "")
        if not heard.is_speech:
            return ""
        return self._number(encoded, pcm, language, heard.score) or heard.text

    def _number(self, encoded: Any, pcm: bytes, language: str, score: float) -> str | None:
        """Return the number that was said, if the model is unsure of its own text (`score`) and sure of its words."""
        is_portuguese = language.partition("-")[0].casefold() == "pt"
        is_short = speech_span_ms(pcm, _LONGEST_NUMBER_MS) is not None
        if score >= _SURE or not (self._has_answers and is_portuguese and is_short):
            return None
        number = number_in(*self._number_words(encoded, language))
        return None if number is None else str(number)

    def _number_words(self, encoded: Any, language: str) -> tuple[str, float]:
        """Return what the model writes if it may write nothing but the words of numbers, and its score.

        What it spells then is near the sound: «Oito ocentos e sete».
        """
        try:
            (result,) = self._model.generate(
                encoded,
                [self._start(language, "")],
                beam_size=_BEAMS,
                max_length=2 * _NUMBER_TOKENS,
                return_scores=True,
                suppress_tokens=self._no_number_words,
            )
        except RuntimeError as error:
            raise SpeechError(f"recognition failed: {_line(error)}") from error
        tokens = [token for token in result.sequences_ids[0] if token < _FIRST_CONTROL_TOKEN]
        return self._tokenizer.decode(tokens), result.scores[0]

    @cached_property
    def _no_number_words(self) -> list[int]:
        """All tokens that are in no number's words, but for the one that ends a text."""
        spelt = (f" {form}{end}" for word in vocabulary() for form in (word, word.capitalize()) for end in ("", "."))
        kept = {token for text in spelt for token in self._tokenizer.encode(text, add_special_tokens=False).ids}
        return sorted(set(range(self._tokenizer.get_vocab_size())) - kept - {_FIRST_CONTROL_TOKEN})

    def _encoded(self, pcm: bytes) -> Any:
        """Return the sound as the decoder takes it; None for less than 100 ms and for tones. Raises SpeechError."""
        from ctranslate2 import StorageView

        seconds = len(pcm) / 2 / _LINE_HZ
        if seconds < _SHORTEST_SECONDS or is_tones(pcm):
            return None
        window = next((w for w in _WINDOWS_SECONDS if seconds + _SPARE_SECONDS <= w), _WINDOWS_SECONDS[-1])
        features = log_mel(_at_16_khz(_LEAD + pcm), window * FRAMES_A_SECOND)
        try:
            return self._model.encode(StorageView.from_array(features[None]))
        except RuntimeError as error:
            raise SpeechError(f"recognition failed: {_line(error)}") from error

    def _heard(self, encoded: Any, pcm: bytes, language: str, prompt: str, *, words: bool = False) -> Heard:
        """Decode what was encoded. Raises SpeechError."""
        seconds = len(pcm) / 2 / _LINE_HZ
        try:
            language = language or self._model.detect_language(encoded)[0][0][0].strip("<|>")
            start = self._start(language, prompt)
            most = _TOKENS_AT_LEAST + round(seconds * _TOKENS_A_SECOND)
            (result,) = self._model.generate(
                encoded,
                [start],
                beam_size=_BEAMS,
                max_length=max(2 * most, len(start) + most),  # the library uses half of it, or what the prompt leaves
                return_scores=True,
                return_no_speech_prob=True,
            )
            tokens = [token for token in result.sequences_ids[0] if token < _FIRST_CONTROL_TOKEN]
            timed = self._timed(encoded, start, tokens, seconds) if words and tokens else ()
        except RuntimeError as error:
            raise SpeechError(f"recognition failed: {_line(error)}") from error
        return Heard(self._tokenizer.decode(tokens).strip(), result.no_speech_prob, result.scores[0], timed)

    def _timed(self, encoded: Any, start: list[int], tokens: list[int], seconds: float) -> tuple[SpokenWord, ...]:
        """Return the words with their times: a token that begins with a space begins a word."""
        begin = start.index(self._tokenizer.token_to_id("<|startoftranscript|>"))
        frames = round((seconds + len(_LEAD) / 2 / _LINE_HZ) * FRAMES_A_SECOND)
        (aligned,) = self._model.align(encoded, start[begin : begin + 3], [tokens], [frames])
        began: dict[int, int] = {}
        ended: dict[int, int] = {}
        for token, frame in aligned.alignments:
            began.setdefault(token, frame)
            ended[token] = frame + 1
        words: list[tuple[list[int], list[float], float, float]] = []
        for place, (token, probability) in enumerate(zip(tokens, aligned.text_token_probs, strict=False)):
            since, until = (_seconds(times.get(place, 0)) for times in (began, ended))
            if not words or self._tokenizer.decode([token]).startswith(" "):
                words.append(([token], [probability], since, until))
            else:
                ids, probabilities, since, _ = words[-1]
                words[-1] = ([*ids, token], [*probabilities, probability], since, until)
        spoken = (
            SpokenWord(self._tokenizer.decode(ids).strip(), since, max(since, until), sum(ps) / len(ps))
            for ids, ps, since, until in words
        )
        return tuple(word for word in spoken if word.text)

    def _start(self, language: str, prompt: str) -> list[int]:
        """Return the tokens that precede the text: the prompt, the language and the task. Raises SpeechError."""
        names = ["<|startoftranscript|>", _language_token(language), "<|transcribe|>", "<|notimestamps|>"]
        tokens = [self._tokenizer.token_to_id(name) for name in names]
        if None in tokens:
            raise SpeechError(f"Whisper does not know the language {language}")
        if not prompt:
            return tokens
        before = self._tokenizer.encode(f" {prompt}", add_special_tokens=False).ids
        return [self._tokenizer.token_to_id("<|startofprev|>"), *before[-_MOST_PROMPT_TOKENS:], *tokens]


_MOST_PROMPT_TOKENS = 200


def _frames(encoded: Any) -> "NDArray[np.float32]":
    """The encoder's output without its frames of the lead."""
    frames: NDArray[np.float32] = np.asarray(encoded)[0, len(_LEAD) // 2 // (_LINE_HZ // _ENCODER_HZ) :]
    return frames


def _seconds(frame: int) -> float:
    """The time of a frame of the model's alignment, 20 ms each, in the sound without the lead."""
    return max(0.0, frame * 0.02 - len(_LEAD) / 2 / _LINE_HZ)


def _language_token(language: str) -> str:
    return f"<|{language.partition('-')[0].casefold()}|>"


def _at_16_khz(pcm: bytes) -> "NDArray[np.float32]":
    import soxr

    samples = np.frombuffer(pcm, "<i2", len(pcm) // 2).astype(np.float32) / 32768.0
    sound: NDArray[np.float32] = soxr.resample(samples, _LINE_HZ, RATE_HZ, quality="HQ")
    return sound


def _pieces(pcm: bytes) -> Iterator[bytes]:
    """Yield pieces that fit the model's window. Sound is cut at the quietest place of the window's last third."""
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
