"""The synthetic voice: the same text is the same bytes, kept whole on disk, and the matcher can read it."""

import importlib.util
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from audiosocket_core import slin
from audiosocket_core.phrase_book import synthetic_voice
from audiosocket_core.phrase_book.book import Phrase, speech_edges_ms
from audiosocket_core.phrase_book.matching import Matcher
from audiosocket_core.phrase_book.synthetic_voice import VoiceFailed, VoiceMissing, render


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("voice")


def test_speech_with_quiet_around_it_as_loud_as_the_prompts(cache: Path) -> None:
    pcm = render("Quero falar com o apartamento 202, por favor.", cache=cache)
    start_ms, end_ms = speech_edges_ms(pcm)
    assert start_ms == 200
    assert slin.duration_ms(pcm, 8000) - end_ms == pytest.approx(300, abs=10)
    assert 2500 < end_ms - start_ms < 5000
    assert slin.level_dbfs(pcm[start_ms * 16 : end_ms * 16]) == pytest.approx(-22, abs=0.2)


@pytest.mark.long("one language is spoken")
def test_the_same_text_is_the_same_bytes_whatever_was_said_before(cache: Path, tmp_path: Path) -> None:
    other = render("Pode subir.", cache=tmp_path)
    first = render("Apartamento 202.", cache=tmp_path)
    assert render("Apartamento 202.", cache=cache) == first
    assert render("Pode subir.", cache=cache) == other
    assert render("Apartamento 203.", cache=cache) != first


@pytest.mark.long("one language is spoken")
def test_languages_have_voices_of_their_own(cache: Path) -> None:
    spoken = {render("Portaria, hotel", language, cache=cache) for language in ("pt-BR", "pt-PT", "en", "es")}
    assert len(spoken) == 4
    assert render("Portaria, hotel", "pt-br", cache=cache) in spoken
    assert render("hola", "es-MX", cache=cache)  # there is no es-mx: the family's voice


@pytest.mark.long("a text is spoken, and a known one not again")
def test_a_language_without_a_voice(cache: Path) -> None:
    with pytest.raises(VoiceFailed, match="no voice for the language xx-yy") as caught:
        render("x", "xx-YY", cache=cache)
    assert "\n" not in str(caught.value)


@pytest.mark.long("a text is spoken with quiet around it")
def test_a_text_without_words_is_quiet(cache: Path) -> None:
    assert render("…", cache=cache) == slin.silence(500)


def test_a_known_text_is_not_spoken_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pcm = render("Sim.", cache=tmp_path)

    def fail(*_: object) -> tuple[int, bytes]:
        raise AssertionError("spoken again")

    monkeypatch.setattr(synthetic_voice, "_spoken", fail)
    assert render("Sim.", cache=tmp_path) == pcm
    with pytest.raises(AssertionError, match="spoken again"):
        render("Sim!", cache=tmp_path)


@pytest.mark.long("quicker tests of this file are run")
def test_another_version_of_the_voice_is_another_sound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    render("Sim.", cache=tmp_path)
    monkeypatch.setattr(synthetic_voice, "_VERSION", 99)
    render("Sim.", cache=tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.long("one at a time writes its file")
def test_many_at_once_leave_one_whole_file(tmp_path: Path) -> None:
    folder = tmp_path / "made" / "here"
    with ThreadPoolExecutor(4) as pool:
        spoken = set(pool.map(lambda _: render("Bom dia.", cache=folder), range(4)))
    (pcm,) = spoken
    (file,) = folder.iterdir()
    assert file.read_bytes() == pcm
    assert file.suffix == ".slin"


def test_without_the_extra_one_line_says_so(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "espeakng_loader" else find(name, *rest)
    )
    with pytest.raises(VoiceMissing) as caught:
        render("Sim.", cache=cache)
    assert "audiosocket-sim[voice]" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_child_that_dies_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(VoiceFailed, match="exit code 1"):
        render("Sim.", cache=tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.long("a text is spoken, and the matcher tells recordings apart")
def test_the_matcher_tells_its_texts_apart(cache: Path) -> None:
    """Sentences of one form from one machine: the hardest there is, for their beginnings are the same wave."""
    texts = [f"Apartamento {number}." for number in range(200, 206)] + ["Sim.", "Sim, pode subir.", "Não."]
    phrases = [Phrase.from_pcm(text, text, render(text, cache=cache), voice=synthetic_voice.VOICE) for text in texts]
    matcher = Matcher(phrases)
    for phrase in phrases:
        for line in (slin.silence(333) + phrase.pcm, slin.ulaw_decode(slin.ulaw_encode(phrase.pcm))):
            listening = matcher.listen()
            listening.feed(line)
            assert [(m.phrase.text, m.whole) for m in listening.matches()] == [(phrase.text, True)]
