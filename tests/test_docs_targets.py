"""docs/targets.md is held to the code: what it says of a phrase book is what is read."""

import re
import wave
from pathlib import Path

import pytest

from audiosocket_core.phrase_book.book import PhraseBook, PhraseBookError

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "targets.md").read_text(encoding="utf-8")
SECTION = PAGE.split("## What the ear can read")[1].split("\n## ")[0]


def book(folder: Path, manifest: str) -> PhraseBook:
    with wave.open(str(folder / "hello.wav"), "wb") as sound:
        sound.setparams((1, 2, 16000, 0, "NONE", ""))
        sound.writeframes(b"\x00\x10" * 8000)
    (folder / "manifest.yaml").write_text(manifest, encoding="utf-8")
    return PhraseBook.load(folder)


def test_the_pages_manifest_is_read(tmp_path: Path) -> None:
    shown = re.search(r"```yaml\n(.*?)```", SECTION, re.DOTALL)
    assert shown is not None
    (phrase,) = book(tmp_path, shown[1]).phrases
    assert (phrase.name, phrase.text, phrase.language) == ("hello", "How can I help you?", "en-US")
    assert (phrase.duration_ms, len(phrase.pcm)) == (500, 8000)


def test_the_page_has_each_key_of_an_entry(tmp_path: Path) -> None:
    with pytest.raises(PhraseBookError) as caught:
        book(tmp_path, "- {file: hello.wav, no: key}\n")
    known = str(caught.value).partition("expected one of ")[2].split(", ")
    rows = re.findall(r"^\| (`.*?) \|", SECTION, re.MULTILINE)
    assert sorted(key for row in rows for key in re.findall(r"`(\w+)`", row)) == sorted(known)
