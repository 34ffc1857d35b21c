"""Phrase books: what a manifest may say, how texts compare, and that the committed books fit their sounds."""

import subprocess
import sys
import unicodedata
import wave
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiosocket_core.phrase_book.book import (
    Phrase,
    PhraseBook,
    PhraseBookError,
    longest_known,
    normalise,
    speech_edges_ms,
)

ROOT = Path(__file__).parents[3]
BOOKS = (ROOT / "recordings", ROOT / "audio" / "prompts")


@pytest.fixture(scope="module")
def book() -> PhraseBook:
    return PhraseBook.load(*BOOKS)


def write_wav(path: Path, samples: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(samples)


def tone(ms: int, amplitude: int = 8000) -> bytes:
    return (amplitude.to_bytes(2, "little") + (-amplitude).to_bytes(2, "little", signed=True)) * (ms * 4)


def manifest(folder: Path, text: str) -> Path:
    write_wav(folder / "pt-br" / "ola.wav", bytes(3200) + tone(300) + bytes(4800))
    (folder / "manifest.yaml").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Não, obrigado, é só isso mesmo.", "nao obrigado e so isso mesmo"),
        ("  Eu queria...   deixa eu ver... ", "eu queria deixa eu ver"),
        ("I'd like to speak", "i d like to speak"),
        ("SÍNDICO; CONDOMÍNIO", "sindico condominio"),
        ("Apartamento 202.", "apartamento 202"),
        ("…", ""),
        ("\N{GREEK UPSILON WITH HOOK SYMBOL} \N{MODIFIER LETTER CAPITAL A}", "υ a"),
    ],
)
def test_normalise(text: str, expected: str) -> None:
    assert normalise(text) == expected


@pytest.mark.long("a table of texts is normalised")
@given(st.text())
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once
    assert normalise(unicodedata.normalize("NFD", text)) == normalise(unicodedata.normalize("NFC", text))


def test_the_committed_books_fit_their_sounds(book: PhraseBook) -> None:
    assert len(book.phrases) == 59
    for phrase in book.phrases:
        assert phrase.path is not None
        with wave.open(str(phrase.path)) as file:
            assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 8000), phrase.name
            assert file.getnframes() * 1000 // 8000 == phrase.duration_ms, phrase.name
            start_ms, end_ms = speech_edges_ms(file.readframes(file.getnframes()))
        assert abs(start_ms - phrase.speech_start_ms) <= 20, phrase.name
        assert abs(end_ms - phrase.speech_end_ms) <= 140, phrase.name


def test_every_sound_in_the_folders_is_in_a_manifest(book: PhraseBook) -> None:
    on_disk = {path for folder in BOOKS for path in folder.rglob("*.wav")}
    sounds = PhraseBook.load(*(folder / "sounds" for folder in BOOKS if (folder / "sounds").is_dir()))
    assert on_disk == {phrase.path for phrase in [*book.phrases, *sounds.recordings]}


def test_a_text_much_longer_than_any_known_is_not_looked_up(book: PhraseBook, monkeypatch: pytest.MonkeyPatch) -> None:
    """A single character may be made of twenty, and all calls wait meanwhile."""
    assert book.by_text("¡" * 50 + "Sim." + " " * 50) is book.by_text("Sim.")

    def slow(text: str) -> str:
        raise AssertionError

    monkeypatch.setattr("audiosocket_core.phrase_book.book.normalise", slow)
    assert book.by_text("\ufdfa" * 3_333) is None
    assert longest_known([]) == 100


def test_a_phrase_is_found_by_name_and_by_text(book: PhraseBook) -> None:
    phrase = book.by_name("pt-br/sim")
    assert phrase is not None
    assert (phrase.text, phrase.language, phrase.voice) == ("Sim.", "pt-BR", "pf_dora")
    assert book.by_text("SIM") is phrase
    assert book.by_name("pt-br/talvez") is None
    assert book.by_text("Talvez.") is None


def test_caller_and_bot_may_say_the_same_text(book: PhraseBook) -> None:
    text = "desculpe nao entendi pode repetir"
    caller, bot = book.by_text(text), book.by_text(text, voice="pm_alex")
    assert caller is not None
    assert bot is not None
    assert (caller.voice, bot.voice) == ("pf_dora", "pm_alex")
    assert book.by_text(text, language="en") is None
    assert book.by_text(text, language="PT-br") is caller
    assert book.by_name("pt-br/desculpe_nao_entendi_pode_repetir") is caller
    assert PhraseBook.load(BOOKS[1]).by_text(text) == bot


def test_the_sound_is_read_when_asked_for(book: PhraseBook) -> None:
    phrase = book.by_name("pt-br/sim")
    assert phrase is not None
    assert len(phrase.pcm) == phrase.duration_ms * 16
    assert phrase.pcm is phrase.pcm


@pytest.mark.long("quicker tests of this file are run")
def test_loading_a_book_imports_no_numpy() -> None:
    code = "from audiosocket_core.phrase_book.book import PhraseBook; PhraseBook.load('recordings')"
    code += "; import sys; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_short_manifest_entry_is_measured(tmp_path: Path) -> None:
    folder = manifest(tmp_path, "- {file: pt-br/ola.wav, text: Olá, language: pt-BR, speech_end_ms: 510}")
    (phrase,) = PhraseBook.load(folder).phrases
    assert (phrase.duration_ms, phrase.speech_start_ms, phrase.speech_end_ms) == (800, 200, 510)
    assert phrase.voice == ""
    assert PhraseBook.load(folder / "manifest.yaml").phrases == (phrase,)


def test_a_manifest_is_read_once_and_again_when_it_has_changed(tmp_path: Path) -> None:
    folder = manifest(tmp_path, "- {file: pt-br/ola.wav, text: Olá., language: pt-BR}")
    first = PhraseBook.load(folder).phrases
    assert PhraseBook.load(folder).phrases[0] is first[0]
    manifest(tmp_path, "- {file: pt-br/ola.wav, text: Bom dia., language: pt-BR}")
    assert PhraseBook.load(folder).phrases[0].text == "Bom dia."


def test_a_phrase_in_memory() -> None:
    pcm = bytes(1600) + tone(200) + bytes(800)
    phrase = Phrase.from_pcm("made/up", "Made up.", pcm, voice="espeak")
    assert phrase.pcm is pcm
    assert (phrase.duration_ms, phrase.speech_start_ms, phrase.speech_end_ms) == (350, 100, 300)
    assert speech_edges_ms(bytes(320)) == (0, 0)
    assert speech_edges_ms(b"") == (0, 0)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("- {file: pt-br/ola.wav, text: Olá}", "entry 1: language is missing"),
        ("- {file: pt-br/adeus.wav, text: Adeus, language: pt-BR}", "entry 1 (pt-br/adeus.wav): no such file"),
        ("- {file: pt-br/ola.wav, text: 7, language: pt-BR}", "entry 1: text: expected text, got 7"),
        ("- {file: pt-br/ola.wav, text: Olá, language: pt-BR, txt: x}", "entry 1: unknown key 'txt'"),
        (
            "- {file: pt-br/ola.wav, text: Olá, language: pt-BR, speech_end_ms: 900}",
            "entry 1 (pt-br/ola.wav): expected 0 <= speech_start_ms <= speech_end_ms <= duration_ms",
        ),
        ("- pt-br/ola.wav", "entry 1: expected keys and values"),
        ("file: pt-br/ola.wav", "expected a list of phrases"),
        (
            "- &a {file: pt-br/ola.wav, text: Olá, language: pt-BR}\n- *a",
            "entry 2: the phrase pt-br/ola occurs twice",
        ),
    ],
)
def test_a_wrong_manifest_is_told_by_file_and_entry(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(PhraseBookError) as caught:
        PhraseBook.load(manifest(tmp_path, text))
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / 'manifest.yaml'}: ")
    assert complaint in message
    assert "\n" not in message


@pytest.mark.every(2)
@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("- {file: pt-br/ola.wav", ":1:23: not YAML: expected ',' or '}'"),
        ("- file: a\n  duration_ms: " + "1" * 5000, ":2:16: not YAML: no value that can be read: "),
        ("- file: a\n  text: 2020-13-01", ":2:9: not YAML: no value that can be read: "),
        ("[" * 1000, ":1:21: not YAML: maximum depth of data structure exceeded"),
        ("- file: \0", ": not YAML: unacceptable character #x0000"),
        ("#" * 2_000_001, ": cannot be read: larger than 2 MB"),
        (
            "a: &a [x, x, x]\n" + "".join(f"b{i}: &b{i} [*a, *a, *a]\n" for i in range(9)),
            ": expected a list of phrases",
        ),
        (
            "- &a0 [x]\n" + "".join(f"- &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12)),
            ": entry 1: expected keys and values, got ['x']",
        ),
        (
            "- file: a\n  text: &a0 [x]\n"
            + "".join(f"  b{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12)),
            ": entry 1: unknown key 'b1'",
        ),
        (
            "- file: pt-br/ola.wav\n  text: x\n  language: &a0 [x]\n  voice: &a1 ["
            + ", ".join(["[*a0, *a0]"] * 9)
            + "]\n",
            ": entry 1: language: expected text, got ['x']",
        ),
    ],
    ids=lambda text: text[:30],
)
def test_a_manifest_that_came_from_elsewhere_is_one_line(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(PhraseBookError) as caught:
        PhraseBook.load(manifest(tmp_path, text))
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / 'manifest.yaml'}{complaint}")
    assert "\n" not in message
    assert len(message) < 1000


def test_a_missing_manifest(tmp_path: Path) -> None:
    with pytest.raises(PhraseBookError, match="cannot be read"):
        PhraseBook.load(tmp_path)


ENTRY = "- file: pt-br/ola.wav\n  text: Ola a todos\n  language: pt-BR\n"


def test_a_manifest_may_say_when_the_words_end(tmp_path: Path) -> None:
    (phrase,) = PhraseBook.load(manifest(tmp_path, f"{ENTRY}  word_ends_ms: [300, 320, 500]\n")).phrases
    assert list(phrase.word_ends_in("OLA, a todos!")) == [(4, 300), (6, 320), (13, 500)]
    assert list(phrase.word_ends_in("Ola")) == []


def test_a_manifest_need_not_say_it(tmp_path: Path) -> None:
    (phrase,) = PhraseBook.load(manifest(tmp_path, ENTRY)).phrases
    assert list(phrase.word_ends_in(phrase.text)) == []


@pytest.mark.parametrize("ends", ["[300, 500]", "[300, 300, 500]", "[-5, 300, 500]", "[1, 2, 90000]", "x", "[1, 2, x]"])
def test_ends_of_words_that_cannot_be_are_told(tmp_path: Path, ends: str) -> None:
    with pytest.raises(PhraseBookError, match=r"ola.wav\): word_ends_ms: expected 3 whole numbers, one a word, rising"):
        PhraseBook.load(manifest(tmp_path, f"{ENTRY}  word_ends_ms: {ends}\n"))


def test_every_prompt_that_ships_says_when_its_words_end(book: PhraseBook) -> None:
    prompts = PhraseBook.load(BOOKS[1]).phrases
    assert [phrase.name for phrase in prompts if not phrase.word_ends_ms] == []
    assert all(phrase.word_ends_ms[-1] == phrase.speech_end_ms for phrase in prompts)
