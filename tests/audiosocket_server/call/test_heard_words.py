"""Which words of a message were heard. Arithmetic on texts, times and sounds."""

from array import array

import pytest
from audiosocket_server.call.heard_words import estimated_ends, heard
from audiosocket_server.speech.base import WordEnd

TEXT = "Pode subir, por favor."
ENDS = [WordEnd(4, 500), WordEnd(11, 1200), WordEnd(15, 1500), WordEnd(22, 2000)]


def sound(*stretches: tuple[int, int]) -> bytes:
    """Stretches of (ms, peak)."""
    samples = array("h")
    for ms, peak in stretches:
        samples.extend([peak, -peak] * (4 * ms))
    return samples.tobytes()


@pytest.mark.parametrize(
    ("said_ms", "words"),
    [
        (0, ""),
        (430, ""),
        (440, "Pode"),  # a word of which 60 ms are missing was heard
        (1199, "Pode subir,"),
        (1300, "Pode subir,"),
        (5000, TEXT),
    ],
)
def test_a_word_counts_when_it_was_said_to_its_end(said_ms: int, words: str) -> None:
    assert heard(TEXT, ENDS, said_ms) == words


def test_without_any_times_nothing_is_claimed_to_be_heard() -> None:
    assert heard(TEXT, [], 9000) == ""


def test_letters_share_the_time_in_which_there_is_sound() -> None:
    pcm = sound((300, 0), (400, 9000), (500, 0), (400, 9000), (100, 0))
    assert estimated_ends("abcd efgh", pcm, whole=True) == [WordEnd(4, 700), WordEnd(9, 1600)]


def test_a_number_takes_longer_than_it_looks() -> None:
    pcm = sound((2000, 9000))
    (first, second) = estimated_ends("abcde 202", pcm, whole=True)
    assert (first.ends_ms, second.ends_ms) == (500, 2000)


def test_of_a_sound_that_is_not_whole_only_the_words_so_far_are_placed() -> None:
    ends = estimated_ends("um dois tres quatro cinco seis", sound((800, 9000)), whole=False)
    assert [end.text_end for end in ends] == [2, 7, 12]


@pytest.mark.parametrize(("text", "pcm"), [("", sound((100, 9000))), ("Sim.", b""), ("Sim.", sound((100, 0)))])
def test_without_words_or_sound_there_is_nothing_to_place(text: str, pcm: bytes) -> None:
    assert estimated_ends(text, pcm, whole=True) == []


def test_marks_alone_count_as_a_word() -> None:
    assert estimated_ends("—", sound((100, 9000)), whole=True) == [WordEnd(1, 100)]
