"""What callers do over the bot, drawn by a number, for the benchmark `turn_taking`. No voice is made here."""

from pathlib import Path

import numpy as np
import pytest

from audiosocket_core.phrase_book.book import PhraseBook
from benchmarks import drawn_callers
from benchmarks.drawn_callers import Voice
from benchmarks.over_the_bot import Material


@pytest.fixture(autouse=True)
def any_voice(monkeypatch: pytest.MonkeyPatch) -> None:
    def speak(text: str, voice: Voice) -> bytes:
        noise = np.random.Generator(np.random.PCG64(len(text))).standard_normal(round(4000 / voice.higher))
        return (noise * 2000 * voice.alex).astype("<i2").tobytes()

    monkeypatch.setattr(drawn_callers, "_speaker", lambda: speak)


def drawn(number: int, count: int, folder: Path) -> tuple[Material, dict[str, bytes]]:
    material = drawn_callers.drawn(number, count, folder)
    return material, {path.name: path.read_bytes() for path in (folder / "recordings").rglob("*.wav")}


def test_a_number_draws_the_same_again_and_more_of_it_begins_with_the_same(tmp_path: Path) -> None:
    few, sounds = drawn(3, 3, tmp_path / "few")
    more, more_sounds = drawn(3, 5, tmp_path / "more")
    assert {kind: len(events) for kind, events in more.events.items()} == dict.fromkeys(few.events, 5)
    assert all(more.events[kind][:3] == events for kind, events in few.events.items())
    assert sounds.items() <= more_sounds.items()


def test_another_number_draws_nothing_that_the_first_one_drew(tmp_path: Path) -> None:
    _, sounds = drawn(3, 3, tmp_path / "one")
    _, others = drawn(4, 3, tmp_path / "other")
    assert not set(sounds.values()) & set(others.values())


def test_the_phrase_book_has_what_callers_say_in_turns_and_the_sounds_have_their_kinds(tmp_path: Path) -> None:
    material, _ = drawn(3, 3, tmp_path)
    book, sounds = PhraseBook.load(*material.books), PhraseBook.load(tmp_path / "recordings" / "sounds")
    for event in material.events["yield"]:
        phrase = book.by_name(event.name)
        assert phrase is not None
        assert phrase.text == event.text
    for kind in ("backchannel", "vocal_tic", "non_directed"):
        for event in material.events[kind]:
            sound = sounds.by_name(event.name.removeprefix("sounds/"))
            assert sound is not None
            assert (sound.kind, sound.duration_ms) == (kind, event.duration_ms)
            assert not sound.text or book.by_text(sound.text) is None  # back-channels are only sounds to the engine
