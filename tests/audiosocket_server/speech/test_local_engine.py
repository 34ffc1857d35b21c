"""The local engine with its models: what it understands, what it refuses, and how it speaks."""

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest
from audiosocket_server.settings.settings import Settings, project_path
from audiosocket_server.speech.base import SpeechEngine, SpeechError
from audiosocket_server.speech.checking import check_engine
from audiosocket_server.speech.choice import load_engine
from audiosocket_server.speech.local.phonemes import Phonemes
from helpers.call_bench import virtual
from helpers.local_bench import CALLERS, error_rate, needs_local, no_speech, on_the_line, whisper

from audiosocket_core import slin
from audiosocket_core.phrase_book.book import PhraseBook, normalise, speech_edges_ms

pytestmark = needs_local

PROMPT = "Atendimento da portaria do condomínio: apartamento, bloco, morador, visitante, entrega, síndico."


def engine(cache: Path, voice: str = "pt-BR-AntonioNeural", **speech: Any) -> SpeechEngine:
    made, _ = load_engine(
        Settings.from_overrides(
            {"speech": {"engine": "local", "cache_folder": str(cache), **speech}, "greeting": {"voice": voice}}
        )
    )
    return made


async def spoken(made: SpeechEngine, text: str, voice: str = "pt-BR-AntonioNeural") -> list[bytes]:
    return [chunk async for chunk in made.synthesise(text, voice)]


# --- recognition


@pytest.mark.parametrize("prompt", ["", PROMPT], ids=["plain", "with a prompt"])
def test_nothing_is_invented_where_nobody_speaks(prompt: str) -> None:
    heard = {name: whisper().transcribe(on_the_line(pcm), "pt-BR", prompt) for name, pcm in no_speech().items()}
    assert not {name: text for name, text in heard.items() if text}


def test_callers_are_understood_in_noise() -> None:
    """15 dB of white noise, µ-law; the benchmark tells the rates, this is far from them."""
    names = ("quero_falar_com_a_administracao_do", "e_uma_emergencia_preciso_de_ajuda", "meu_nome_e_joao_da_silva")
    for name in (f"pt-br/{name}" for name in names):
        phrase = CALLERS.by_name(name)
        assert phrase is not None
        heard = whisper().transcribe(on_the_line(phrase.pcm, snr_db=15), "pt-BR", PROMPT)
        assert error_rate(phrase.text, heard) <= 0.25, heard


ALONE = PhraseBook.load(project_path("recordings/sounds"), project_path("recordings"))


@pytest.mark.parametrize(
    ("name", "text"),
    [("sei_alto", "sei"), ("isso_alto", "isso"), ("pt-br/sim", "sim"), ("pt-br/nao", "nao"), ("pt-br/alo", "alo")],
)
def test_an_answer_of_one_word(name: str, text: str) -> None:
    """No known answer was made of the voice «alto»; the benchmark tells the rates."""
    phrase = ALONE.by_name(name)
    assert phrase is not None
    assert normalise(whisper().transcribe(on_the_line(phrase.pcm), "pt-BR", PROMPT)) == text


def test_english_and_longer_than_the_models_window() -> None:
    book = PhraseBook.load(project_path("recordings"), project_path("audio/prompts"))
    phrases = [phrase for phrase in book.phrases if phrase.language == "en-US"]
    pcm = b"".join(on_the_line(phrase.pcm) + slin.silence(500) for phrase in phrases)
    assert len(pcm) > 30 * 16_000
    heard = whisper().transcribe(pcm, "en-US")
    assert error_rate(" ".join(phrase.text for phrase in phrases), heard) <= 0.15, heard


@virtual
async def test_a_turn_is_fed_live_and_one_that_is_given_up_understands_nothing(tmp_path: Path) -> None:
    made = engine(tmp_path)
    phrase = CALLERS.by_name("pt-br/sim_pode_confirmar")
    assert phrase is not None
    turns = [made.recognise("pt-BR", lambda _: None) for _ in range(3)]
    for frame in slin.frames(on_the_line(phrase.pcm), 320):
        for turn in turns:
            turn.feed(frame)
    turns[1].cancel()
    turns[1].cancel()
    turns[1].feed(bytes(320))
    texts = await asyncio.gather(*(turn.finish() for turn in turns), made.recognise("pt-BR", print).finish())
    assert error_rate(phrase.text, texts[0]) == 0
    assert texts == [texts[0], "", texts[0], ""]
    await made.aclose()


def test_a_language_and_a_voice_that_it_does_not_have(tmp_path: Path) -> None:
    with pytest.raises(SpeechError, match=r"^speech.language: Whisper does not know xx-XX$"):
        engine(tmp_path, language="xx-XX")
    with pytest.raises(SpeechError, match="no voice like fr-FR-HenriNeural"):
        engine(tmp_path, voice="fr-FR-HenriNeural")
    with pytest.raises(SpeechError, match="no voice like anna"):
        engine(tmp_path, local_voice="anna")


# --- synthesis


def test_phonemes_do_not_depend_on_what_was_said_before() -> None:
    texts = [phrase.text for phrase in PhraseBook.load(project_path("audio/prompts")).phrases]
    asked, other = Phonemes(), Phonemes()
    made = {text: asked.of(text) for text in texts}
    shuffled = texts * 5
    random.Random(1).shuffle(shuffled)
    assert all(other.of(text) == made[text] for text in shuffled)
    assert made["Pode subir."] == "pˌɔʤy subˈir."
    assert asked.of("É o 202, bloco «B» (fundos)?").count(",") == 1
    assert asked.of("") == asked.of(" . ") == ""
    asked.close()
    assert asked.of("Pode subir.") == made["Pode subir."]  # by another child
    asked.close()
    other.close()


@virtual
async def test_a_new_text_is_spoken_sentence_by_sentence_and_understood(tmp_path: Path) -> None:
    made = engine(tmp_path, voice="pt-BR-FranciscaNeural")
    text = "O elevador social está em manutenção. Por favor, use a entrada de serviço."
    chunks = await spoken(made, text, "pt-BR-FranciscaNeural")
    assert len(chunks) == 2
    for chunk in chunks:
        start_ms, end_ms = speech_edges_ms(chunk)
        assert 0 < start_ms <= 120
        assert slin.level_dbfs(chunk[start_ms * 16 : end_ms * 16]) == pytest.approx(-22, abs=1)
    heard = whisper().transcribe(on_the_line(b"".join(chunks)), "pt-BR", PROMPT)
    assert error_rate(text, heard) <= 0.2, heard
    assert await spoken(made, text, "pt-BR-FranciscaNeural") == chunks  # from the disk, or made again: the same bytes
    assert len(list((tmp_path / "local").iterdir())) == 2
    assert await spoken(made, " … ", "pt-BR-FranciscaNeural") == []
    await made.aclose()


@virtual
async def test_what_the_voice_has_recorded_is_played_as_it_is(tmp_path: Path) -> None:
    made = engine(tmp_path)
    recorded = PhraseBook.load(project_path("audio/prompts")).by_name("pt-br/vou_verificar_aguarde_um_momento")
    assert recorded is not None
    assert await spoken(made, recorded.text) == [recorded.pcm]
    assert await spoken(made, recorded.text, "pf_dora") != [recorded.pcm]  # another voice did not
    await made.aclose()


@virtual
async def test_a_message_that_is_given_up_leaves_nothing_behind(tmp_path: Path) -> None:
    made = engine(tmp_path)
    chunks = made.synthesise("O zelador já vai. A encomenda está no armário. Até já.", "pm_alex")
    assert await anext(chunks)
    await chunks.aclose()  # type: ignore[attr-defined]
    assert len(asyncio.all_tasks()) == 1
    await made.aclose()


@virtual
async def test_english_is_another_model_and_the_check_tells_what_it_did(tmp_path: Path) -> None:
    made = engine(tmp_path, voice="en-US-GuyNeural", language="en-US")
    told = await check_engine(made)
    assert told.startswith("hibari spoke ")
    assert "how can i help you?" in told.casefold()
    pcm = b"".join(await spoken(made, "The lift is out of order. Please take the stairs.", "en-US-GuyNeural"))
    heard = whisper().transcribe(on_the_line(pcm, snr_db=15), "en-US")
    assert error_rate("The lift is out of order. Please take the stairs.", heard) <= 0.1, heard
    await made.aclose()
