"""The embedded engine: what it recognises, what it speaks, and what it says when it cannot."""

import asyncio
import sys
from pathlib import Path

import pytest
from audiosocket_server.speech.base import SpeechError
from audiosocket_server.speech.recordings import EmbeddedEngine

from audiosocket_core.phrase_book.book import PhraseBook, PhraseBookError

ROOT = Path(__file__).resolve().parents[3]
CALLERS = PhraseBook.load(ROOT / "recordings")


@pytest.fixture
def engine(tmp_path: Path) -> EmbeddedEngine:
    books = [ROOT / "recordings", ROOT / "audio/prompts"]
    return EmbeddedEngine.load(books, ROOT / "audio/prompts", language="pt-BR", cache_folder=tmp_path)


def pcm_of(name: str) -> bytes:
    phrase = CALLERS.by_name(name)
    assert phrase is not None
    return phrase.pcm


async def heard(engine: EmbeddedEngine, pcm: bytes) -> str:
    turn = engine.recognise("pt-BR", lambda _: None)
    for at in range(0, len(pcm), 320):
        turn.feed(pcm[at : at + 320])
    return await turn.finish()


async def spoken(engine: EmbeddedEngine, text: str) -> bytes:
    made = [chunk async for chunk in engine.synthesise(text, "pt-BR-AntonioNeural")]
    return b"".join(chunk for chunk in made if isinstance(chunk, bytes))


async def test_known_phrases_are_recognised_also_one_after_the_other(engine: EmbeddedEngine) -> None:
    quiet = bytes(1600)
    assert await heard(engine, quiet + pcm_of("pt-br/sim") + quiet) == "Sim."
    two = pcm_of("pt-br/alo") + quiet + pcm_of("pt-br/apartamento_203")
    assert await heard(engine, two) == "Alô? Apartamento 203."


@pytest.mark.parametrize("gap_ms", [400, 900, 1900])
async def test_a_sentence_with_a_pause_of_up_to_two_seconds_is_one_sentence(
    engine: EmbeddedEngine, gap_ms: int
) -> None:
    pcm = pcm_of("pt-br/quero_falar_com_o_apartamento_202")
    assert await heard(engine, pcm[:24_000] + bytes(16 * gap_ms) + pcm[24_000:]) == (
        "Quero falar com o apartamento 202, por favor."
    )


async def test_a_pause_joins_no_sentences(engine: EmbeddedEngine) -> None:
    begun = pcm_of("pt-br/quero_falar_com_o_apartamento_202")[:24_000]
    other = pcm_of("pt-br/apartamento_203")
    assert await heard(engine, begun + bytes(16_000) + other) == "Apartamento 203."


async def test_nothing_is_invented(engine: EmbeddedEngine) -> None:
    assert await heard(engine, bytes(32000)) == ""
    assert await heard(engine, b"") == ""
    half = pcm_of("pt-br/quero_falar_com_o_apartamento_202")[: 16 * 1800]
    assert await heard(engine, half) == ""


async def test_a_turn_that_is_given_up_takes_no_more(engine: EmbeddedEngine) -> None:
    turn = engine.recognise("pt-BR", lambda _: None)
    turn.feed(pcm_of("pt-br/sim"))
    turn.cancel()
    turn.cancel()
    turn.feed(bytes(320))
    assert await turn.finish() == ""


async def test_a_prompt_is_spoken_as_it_was_recorded(engine: EmbeddedEngine) -> None:
    prompt = PhraseBook.load(ROOT / "audio/prompts").by_text("Condomínio Apoena, em que posso ajudar?")
    assert prompt is not None
    assert await spoken(engine, "condominio apoena em que posso ajudar") == prompt.pcm


async def test_any_other_text_is_spoken_in_the_synthetic_voice(
    engine: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    import audiosocket_core.phrase_book.synthetic_voice as voice

    monkeypatch.setattr(voice, "render", lambda text, language, *, cache: f"{text} {language}".encode())
    assert await spoken(engine, "Um texto novo.") == b"Um texto novo. pt-BR"


async def test_without_the_extra_there_is_one_clear_line(
    engine: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    with pytest.raises(SpeechError, match="voice") as caught:
        await spoken(engine, "Um texto que ninguém gravou.")
    assert "\n" not in str(caught.value)


def test_a_book_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PhraseBookError, match="nowhere"):
        EmbeddedEngine.load([tmp_path / "nowhere"], tmp_path, language="pt-BR", cache_folder=tmp_path)


async def test_rendering_does_not_block_the_loop(engine: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    import audiosocket_core.phrase_book.synthetic_voice as voice

    go = threading.Event()
    monkeypatch.setattr(voice, "render", lambda text, language, *, cache: b"\1\1" if go.wait(10) else b"")
    task = asyncio.create_task(spoken(engine, "Um texto que demora."))
    await asyncio.sleep(0)
    go.set()
    assert await task == b"\1\1"


async def test_a_book_of_a_scenarios_own_is_read_anew_each_time(tmp_path: Path) -> None:
    from audiosocket_core.slin import write_wav

    said = tmp_path / "said"
    said.mkdir()
    for name, text in (("pt-br/alo", "O portão não abre."), ("pt-br/nao_obrigado_e_so_isso_mesmo", "Outra coisa.")):
        write_wav(said / "1.wav", pcm_of(name))
        (said / "manifest.yaml").write_text(f"- {{file: 1.wav, text: {text}, language: pt-BR}}\n", encoding="utf-8")
        own = EmbeddedEngine.load(
            [ROOT / "audio/prompts"],
            ROOT / "audio/prompts",
            more_phrase_books=[said],
            language="pt-BR",
            cache_folder=tmp_path,
        )
        assert await heard(own, pcm_of(name)) == text


@pytest.mark.long("quicker tests of this file are run")
async def test_a_cache_that_cannot_be_written_costs_the_cache_only(
    engine: EmbeddedEngine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    engine._cache_folder = tmp_path / "a file"
    engine._cache_folder.write_bytes(b"")
    assert await spoken(engine, "Um texto que ninguém gravou, e nenhum lugar para ele.")
    assert "a file: Not a directory: nothing is kept in this cache" in caplog.text
