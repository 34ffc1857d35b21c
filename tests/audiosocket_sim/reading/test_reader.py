"""A reader by its name: what it may be, what it may return, and what becomes of its answers on disk."""

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from audiosocket_core.kept_files import KeptFiles
from audiosocket_sim.reading import (
    ReaderError,
    ReadSpeech,
    ReadWord,
    StretchReader,
    load_reader,
    reader_problem,
)

PCM = b"\1\0" * 8000


def reader(tmp_path: Path, answer: Any, version: str = "1") -> tuple[StretchReader, list[bytes]]:
    heard: list[bytes] = []

    def read(pcm: bytes, rate_hz: int, language: str) -> Any:
        heard.append(pcm)
        return answer

    read.version = version  # type: ignore[attr-defined]
    return StretchReader("mine:read", read, KeptFiles(tmp_path / "readings", ".json")), heard


@pytest.mark.parametrize("name", ["local", "none", "my_package.ears:read"])
def test_a_reader_has_a_name(name: str) -> None:
    assert reader_problem(name) is None


@pytest.mark.parametrize("name", ["", "whisper", "my ears:read", "ears.py", ":read", "ears:", "ears:a b"])
def test_another_text_names_no_reader(name: str) -> None:
    assert reader_problem(name) == (
        f"a reader is local, none, or module:callable, such as my_package.ears:read, not {name!r}"
    )


@pytest.mark.parametrize(("name", "meant"), [("lokal", "local"), ("None", "none")])
def test_a_misspelt_name_of_a_reader_has_the_nearest(name: str, meant: str) -> None:
    assert str(reader_problem(name)).endswith(f"not {name!r}; did you mean {meant!r}?")


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("no_such_module:read", "the reader no_such_module:read cannot be imported: No module named 'no_such_module'"),
        ("helpers.unusable:read", "the reader helpers.unusable:read cannot be imported: KeyError: 'TOKEN'"),
        (
            "helpers.readers:red",
            "the reader helpers.readers:red cannot be imported: module 'helpers.readers' has no attribute 'red'",
        ),
        (
            "helpers.readers:attribute",
            "the reader helpers.readers:attribute is not callable: expected reader(pcm, rate_hz, language)",
        ),
        (
            "helpers.readers:two",
            "the reader helpers.readers:two: too many positional arguments; expected reader(pcm, rate_hz, language)",
        ),
    ],
)
def test_what_is_no_reader_is_said_in_a_line(name: str, line: str, tmp_path: Path) -> None:
    with pytest.raises(ReaderError) as caught:
        load_reader(name, tmp_path)
    assert str(caught.value) == line


def test_it_gets_the_stretch_with_silence_around_it(tmp_path: Path) -> None:
    made, heard = reader(tmp_path, " Bom\ndia. ")
    assert made.read(PCM, "pt-BR") == ReadSpeech("Bom dia.")
    assert heard == [bytes(4800) + PCM + bytes(9600)]


def test_the_times_of_words_count_from_the_stretch_and_lie_in_it(tmp_path: Path) -> None:
    words = [
        {"text": "Bom", "start_ms": 0, "end_ms": 500.4, "confidence": 1},
        {"text": "dia", "start_ms": 900, "end_ms": 9000},
    ]
    made, _ = reader(tmp_path, {"text": "Bom dia", "words": words, "confidence": 0.5})
    expected = (ReadWord("Bom", 0, 200, 1.0), ReadWord("dia", 600, 1000, None))
    assert made.read(PCM, "") == ReadSpeech("Bom dia", expected, 0.5)


def test_an_object_may_be_returned(tmp_path: Path) -> None:
    word = SimpleNamespace(text="dia", start_ms=400, end_ms=500, confidence=None)
    made, _ = reader(tmp_path, SimpleNamespace(text="dia", words=[word]))
    assert made.read(PCM, "").words == (ReadWord("dia", 100, 200),)


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (5, "returned int: expected a text, or an object with `text`"),
        (None, "returned NoneType: expected a text, or an object with `text`"),
        ({"text": None}, "returned dict: expected a text, or an object with `text`"),
        ({"text": "a", "words": "a"}, "words: expected a list, not 'a'"),
        ({"text": "a", "words": [{"text": "a"}]}, "words: each needs text, start_ms and end_ms, not {'text': 'a'}"),
        ({"text": "a", "confidence": 80}, "confidence: expected a number from 0 to 1, not 80"),
        ({"text": "a", "confidence": True}, "confidence: expected a number from 0 to 1, not True"),
    ],
)
def test_a_wrong_answer_is_said_in_a_line(answer: object, line: str, tmp_path: Path) -> None:
    made, _ = reader(tmp_path, answer)
    with pytest.raises(ReaderError) as caught:
        made.read(PCM, "")
    assert str(caught.value).removeprefix("the reader mine:read").lstrip(": ") == line


def test_an_exception_of_its_own_is_a_line_too(tmp_path: Path) -> None:
    with pytest.raises(ReaderError, match=r"^the reader helpers.readers:broken failed: ValueError: no model$"):
        load_reader("helpers.readers:broken", tmp_path).read(PCM, "")


def test_a_second_reading_costs_nothing_and_says_the_same(tmp_path: Path) -> None:
    answer: Mapping[str, Any] = {"text": "a", "words": [{"text": "a", "start_ms": 300, "end_ms": 400}]}
    made, heard = reader(tmp_path, answer)
    assert made.kept(PCM, "pt") is None
    first = made.read(PCM, "pt")
    assert made.kept(PCM, "pt") == first
    assert len(heard) == 1
    assert made.kept(PCM, "en") is None
    assert made.kept(PCM + b"\0\0", "pt") is None
    assert reader(tmp_path, answer, version="2")[0].kept(PCM, "pt") is None
    assert StretchReader("yours:read", made._call, made._cache).kept(PCM, "pt") is None


def test_a_reader_without_a_version_has_that_of_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    code = "def read(pcm, rate_hz, language):\n    return '{}'\n"
    (tmp_path / "words13_reader.py").write_text(code.format("one"))
    first = load_reader("words13_reader:read", tmp_path / "kept")
    first.read(PCM, "")
    assert load_reader("words13_reader:read", tmp_path / "kept").kept(PCM, "") == ReadSpeech("one")
    (tmp_path / "words13_reader.py").write_text(code.format("two"))
    assert load_reader("words13_reader:read", tmp_path / "kept").kept(PCM, "") is None
    without = StretchReader("builtin", len, KeptFiles(tmp_path, ".json"))  # neither: it is what its name says
    assert without.kept(PCM, "") is None


def test_a_damaged_or_foreign_file_is_read_anew(tmp_path: Path) -> None:
    made, _ = reader(tmp_path, "a")
    made.read(PCM, "")
    (kept,) = (tmp_path / "readings").iterdir()
    for content in (b"", b"[", b"5", b'{"text": 5}'):
        kept.write_bytes(content)
        assert made.kept(PCM, "") is None


def test_what_a_reader_needs_is_loaded_before(tmp_path: Path) -> None:
    made, _ = reader(tmp_path, "a")
    made.prepare()  # it has nothing to prepare

    def fails() -> None:
        raise OSError("no model")

    made._call.prepare = fails  # type: ignore[attr-defined]
    with pytest.raises(ReaderError, match=r"^the reader mine:read failed: OSError: no model$"):
        made.prepare()
