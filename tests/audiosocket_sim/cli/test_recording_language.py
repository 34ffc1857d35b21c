"""The language of a new recording: given, by name, guessed, asked for; and never a wrong one without a word."""

import io
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from audiosocket_core.phrase_book.shipped import SHIPPED
from audiosocket_sim.cli.main import main
from audiosocket_sim.cli.recording_language import LanguageUnknownError, language_of

SIM = SHIPPED / "recordings" / "pt-br" / "sim.wav"


def tag(text: str, given: str | None = None, name: str | None = None, answer: str | None = None) -> str:
    asks = None if answer is None else io.StringIO()
    return language_of(text, given=given, name=name, asks=asks, answers=io.StringIO(answer or "")).tag


@pytest.mark.every(2)
@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Could you repeat that, please?", "en"),
        ("I want to speak to apartment two oh two", "en"),
        ("Thank you very much", "en"),
        ("Quero falar com a portaria.", "pt-BR"),
        ("Quero falar com o apartamento 202, por favor.", "pt-BR"),
        ("Bonjour, je voudrais parler au gardien.", "fr"),
        ("Buenos días", "es"),
    ],
)
def test_a_certain_text_is_guessed(text: str, language: str) -> None:
    assert tag(text) == language


@pytest.mark.every(4)
@pytest.mark.parametrize("text", ["Yes.", "Sim.", "Maria", "Ok", "No.", "Pode subir.", "202", "…"])
def test_an_uncertain_text_needs_a_language(text: str) -> None:
    with pytest.raises(LanguageUnknownError, match=r"is not certain .*: give it, such as --language "):
        tag(text)


def test_what_is_given_or_named_goes_before_the_guess() -> None:
    assert tag("Could you repeat that, please?", given="pt-PT") == "pt-PT"
    assert tag("Yes.", name="en/yes") == "en"
    assert tag("Sim.", name="pt-br/claro") == "pt-BR"
    with pytest.raises(LanguageUnknownError):
        tag("Yes.", name="greetings/yes")


def test_on_a_terminal_it_is_asked_for() -> None:
    assert tag("Yes.", answer="en-GB\n") == "en-GB"
    assert tag("Good morning.", answer="\n") == "en"
    with pytest.raises(LanguageUnknownError, match="is not certain"):
        tag("Yes.", answer="")  # Ctrl-D


@pytest.mark.parametrize("wrong", ["Portuguese!", "p", "", "../en", "pt_BR"])
def test_what_is_no_language_tag(wrong: str) -> None:
    with pytest.raises(LanguageUnknownError, match="expected a language tag, such as pt-BR or en"):
        tag("Yes.", given=wrong)


@pytest.mark.long("a few texts are guessed")
def test_no_text_that_ships_is_guessed_wrong() -> None:
    entries = YAML(typ="safe").load((SHIPPED / "recordings" / "manifest.yaml").read_text(encoding="utf-8"))
    found = []
    for entry in entries:
        try:
            found.append((entry["text"], tag(entry["text"]), entry["language"]))
        except LanguageUnknownError:
            continue
    assert len(found) > 15
    assert [words for words, guessed, language in found if guessed[:2] != language[:2]] == []


def test_english_is_never_filed_as_portuguese(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["add-recording", str(SIM), "--text", "Could you repeat that, please?"]) == 0
    assert (tmp_path / "recordings" / "en" / "could_you_repeat_that_please.wav").exists()
    out = capsys.readouterr().out
    assert "- say: en/could_you_repeat_that_please" in out
    assert "language en (guessed from the text, 100% certain; another with --language)" in out
    assert main(["add-recording", str(SIM), "--text", "Yes."]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("the language of “Yes.” is not certain (")
    assert not (tmp_path / "recordings" / "pt-br").exists()
