"""One-word answers: what is near enough to a known one; and what is never a caller's word. A small model stands in.

The stand-in encodes a sound as its letters' frames, so that a word is near itself, drawn out or not, and far from
others.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from audiosocket_server.speech.local import whisper as whisper_module
from audiosocket_server.speech.local.answers import Answers, answers_in, span_frames, speech_span_ms
from audiosocket_server.speech.local.prompt_echo import may_be_prompt
from audiosocket_server.speech.local.whisper import Heard, Whisper
from numpy.typing import NDArray

from audiosocket_core import slin
from audiosocket_sim.phone.line import noise

PROMPT = "Atendimento da portaria do condomínio: apartamento, bloco, morador, visitante, entrega, síndico."

DRAWN = np.random.default_rng(4).standard_normal((26, 64)).astype(np.float32)


def frames(letters: str, voice: int = 0) -> NDArray[np.float32]:
    """One frame for each letter; another voice is a little elsewhere."""
    clean = np.stack([DRAWN[ord(letter) - ord("a")] for letter in letters])
    return (clean + 0.2 * np.random.default_rng(voice).standard_normal(clean.shape)).astype(np.float32)


KNOWN = Answers.of([("Sim.", frames("ssiiimm", 1)), ("Não.", frames("nnaaooo", 2)), ("Sei.", frames("sseeeii", 3))])


# --- answers


def test_the_same_word_is_found_said_faster_or_slower() -> None:
    assert KNOWN.find(frames("ssiiimm", 9)) == "Sim."
    assert KNOWN.find(frames("sssiiiiiiimmmm", 9)) == "Sim."
    assert KNOWN.find(frames("sim", 9)) == "Sim."
    assert KNOWN.find(frames("naaoo", 9)) == "Não."


@pytest.mark.parametrize("said", ["banana", "ssiiimmpedro", "pppqqqrrr", "mmiiiss"])
def test_what_is_another_word_or_has_more_words_is_none(said: str) -> None:
    assert KNOWN.find(frames(said, 9)) is None


def test_between_two_answers_is_none() -> None:
    both = ((frames("ssiiimm", 5) + frames("sseeeii", 6)) / 2).astype(np.float32)
    nearest = KNOWN.nearest(both)
    assert nearest.margin < 0.05
    assert KNOWN.find(both) is None


def test_answers_are_kept_in_a_file(tmp_path: Path) -> None:
    KNOWN.save(tmp_path / "answers.npz")
    read = Answers.load(tmp_path / "answers.npz")
    assert list(read.texts) == ["Sim.", "Não.", "Sei."]
    said = frames("ssiiimm", 9)
    assert read.nearest(said).text == "Sim."
    assert read.nearest(said).distance == pytest.approx(KNOWN.nearest(said).distance, abs=0.01)


def test_the_shipped_answers() -> None:
    known = answers_in("pt-BR")
    assert known is not None
    assert {"Sim.", "Não.", "Tá.", "Sete."} <= set(known.texts)
    assert answers_in("en-US") is None


def test_where_a_short_sound_is() -> None:
    def around(ms: int) -> bytes:
        return noise(300, -60, "white", 1) + noise(ms, -20, "white", 2) + noise(500, -60, "white", 3)

    assert speech_span_ms(around(400)) == (300, 700)
    assert span_frames((300, 700)) == slice(14, 36)
    assert speech_span_ms(around(60)) is None
    assert speech_span_ms(around(2000)) is None
    assert speech_span_ms(slin.silence(1000)) is None
    assert speech_span_ms(noise(1000, -20, "white", 2)) is None
    assert speech_span_ms(b"") is None


# --- the prompt


@pytest.mark.parametrize(
    "text",
    [
        "Atendimento da portaria do condomínio.",
        "síndico",
        "Apartamento, bloco, morador, visitante, entrega, síndico.",
        "Oi, bloco, morador, visitante!",
    ],
)
def test_what_may_be_the_prompt(text: str) -> None:
    assert may_be_prompt(text, PROMPT)


@pytest.mark.parametrize("text", ["", "Sim.", "Quero falar com o morador do bloco B.", "O síndico da portaria", "dico"])
def test_what_is_not_the_prompt(text: str) -> None:
    assert not may_be_prompt(text, PROMPT)
    assert not may_be_prompt(text, "")


# --- how it goes together


class Ear(Whisper):
    """Whisper without its model: the texts that it would decode with a prompt and without, and what it would encode."""

    def __init__(self, plain: Heard, prompted: Heard, said: str, number: tuple[str, float] = ("Vem.", -1.3)) -> None:
        super().__init__(None, None, answers=True)
        self._in_numbers = number
        self._texts = {"": plain, PROMPT: prompted}
        self._said = said
        self.asked: list[str] = []

    def _encoded(self, pcm: bytes) -> Any:
        span = speech_span_ms(pcm)
        kept = np.zeros((1, 800, 64), np.float32)
        if span is not None:
            word = frames(self._said, 9)
            place = span_frames(span)
            at = np.arange(place.stop - place.start) * len(word) // (place.stop - place.start)
            kept[0, 15 + place.start : 15 + place.stop] = word[at]
        return kept

    def _heard(self, encoded: Any, pcm: bytes, language: str, prompt: str, *, words: bool = False) -> Heard:
        self.asked.append(prompt)
        return self._texts[prompt]

    def _number_words(self, encoded: Any, language: str) -> tuple[str, float]:
        self.asked.append("number")
        return self._in_numbers


@pytest.fixture(autouse=True)
def _answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whisper_module, "answers_in", lambda language: KNOWN if language == "pt-BR" else None)


WORD = noise(300, -60, "white", 1) + noise(400, -20, "white", 2) + noise(500, -60, "white", 3)
SENTENCE = noise(300, -60, "white", 1) + noise(2000, -20, "white", 2) + noise(500, -60, "white", 3)
ODD = Heard("Xing.", 0.3, -1.5)


def test_an_answer_is_heard_where_the_model_is_unsure() -> None:
    assert Ear(ODD, ODD, "sssiiimm").transcribe(WORD, "pt-BR", PROMPT) == "Sim."
    assert Ear(Heard("Xing.", 0.6, -1.5), ODD, "sssiiimm").transcribe(WORD, "pt-BR", PROMPT) == "Sim."


def test_what_the_model_is_sure_of_and_what_is_no_answer_stays() -> None:
    assert Ear(Heard("Elevador.", 0.2, -0.2), ODD, "sssiiimm").transcribe(WORD, "pt-BR", PROMPT) == "Elevador."
    ear = Ear(ODD, Heard("Pedro.", 0.2, -0.7), "pedro")
    assert ear.transcribe(WORD, "pt-BR", PROMPT) == "Pedro."
    assert Ear(ODD, Heard("O que é isso?", 0.6, -1.7), "ppp").transcribe(WORD, "pt-BR", PROMPT) == ""


@pytest.mark.parametrize(
    ("heard", "text"),
    [
        (Heard("42.", 0.68, -0.32), "42."),
        (Heard("2.175", 0.1, -0.5), "2.175"),
        (Heard("200 e 2.", 0.57, -0.31), "200 e 2."),
        (Heard("42.", 0.8, -0.32), ""),
        (Heard("42.", 0.68, -1.2), ""),
    ],
)
def test_a_number_is_believed_sooner(heard: Heard, text: str) -> None:
    assert Ear(heard, Heard("O que é isso?", 0.7, -1.7), "ppp").transcribe(WORD, "pt-BR", PROMPT) == text


@pytest.mark.long("the number of a text is found (test_spoken_numbers.py)")
@pytest.mark.parametrize("sound", [WORD, SENTENCE], ids=["word", "sentence"])
def test_a_number_is_heard_by_its_words_where_the_model_is_unsure(sound: bytes) -> None:
    number = ("Oito ocentos e sete.", -0.17)
    for unsure in (Heard("800 e 7.", 0.04, -0.94), Heard("817.", 0.04, -0.7), Heard("Otosente.", 0.2, -0.9)):
        assert Ear(unsure, unsure, "ppp", number).transcribe(sound, "pt-BR", PROMPT) == "807"


def test_what_is_no_number_stays() -> None:
    number = ("Oito ocentos e sete.", -0.17)
    sure, unsure = Heard("Elevador.", 0.2, -0.2), Heard("Elevador.", 0.2, -0.7)
    ear = Ear(sure, sure, "ppp", number)
    assert (ear.transcribe(SENTENCE, "pt-BR", PROMPT), ear.asked) == ("Elevador.", [PROMPT])
    assert Ear(unsure, unsure, "ppp", ("Oito.", -0.9)).transcribe(WORD, "pt-BR", PROMPT) == "Elevador."
    assert Ear(unsure, unsure, "ppp", number).transcribe(WORD, "en-US", PROMPT) == "Elevador."
    assert Ear(unsure, unsure, "ppp", number).transcribe(3 * SENTENCE, "pt-BR", PROMPT) == "Elevador."
    refused = Heard("O que é isso?", 0.6, -1.7)
    assert Ear(refused, refused, "ppp", number).transcribe(WORD, "pt-BR", PROMPT) == ""


def test_a_sentence_is_decoded_once_and_so_is_another_language() -> None:
    ear = Ear(ODD, Heard("Quero falar com o morador.", 0.1, -0.3), "sssiiimm")
    assert ear.transcribe(SENTENCE, "pt-BR", PROMPT) == "Quero falar com o morador."
    assert ear.asked == [PROMPT]
    ear = Ear(ODD, Heard("Yes.", 0.1, -0.3), "sssiiimm")
    assert ear.transcribe(WORD, "en-US", PROMPT) == "Yes."


@pytest.mark.parametrize("sound", [WORD, SENTENCE], ids=["word", "sentence"])
def test_the_prompts_own_words_are_not_the_callers(sound: bytes) -> None:
    """«Ahã, ahã.» came back as the prompt."""
    echo = Heard("Atendimento da portaria do condomínio.", 0.1, -0.3)
    assert Ear(Heard("Alguém, alguém.", 0.2, -0.9), echo, "ppp").transcribe(sound, "pt-BR", PROMPT) == "Alguém, alguém."
    assert Ear(Heard("O que é isso?", 0.6, -1.7), echo, "ppp").transcribe(sound, "pt-BR", PROMPT) == ""
    said = Heard("Entrega.", 0.1, -0.5)
    assert Ear(said, said, "ppp").transcribe(sound, "pt-BR", PROMPT) == "Entrega."
