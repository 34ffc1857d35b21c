"""Where a message goes on that was paused: at a word or a sound, near the place where it was paused."""

import pytest
from audiosocket_server.call.resuming import quiet_before, resume_at
from audiosocket_server.speech.base import WordEnd

LOUD, SOFT, TAIL, INAUDIBLE, QUIET = b"\0\x20", b"\0\x08", b"\0\x02", b"\x96\0", b"\1\0"


def sound(what: str) -> bytes:
    """Each sign is 20 ms: `#` loud, `+` softer, `-` the tail of a word, `,` hardly there, `.` quiet."""
    return b"".join({"#": LOUD, "+": SOFT, "-": TAIL, ",": INAUDIBLE, ".": QUIET}[sign] * 160 for sign in what)


@pytest.mark.parametrize(
    ("what", "said", "at"),
    [
        ("###############", 9, 8),  # in the midst of sound: the newest of equals
        ("####+##########", 9, 4),  # at the softest place of the last 240 ms
        ("#####..########", 9, 7),  # behind the newest pause
        ("#..######+#####", 12, 3),
        ("#+###############", 15, 14),  # the softer place is too far back
        ("#####..........####", 8, 15),  # a pause of its own is not waited for again
        ("#####..........................###", 8, 28),  # but no more than 400 ms of it is left out
        ("#####.....", 7, 10),  # at its end
        ("#####......####", 5, 11),  # paused where its own pause begins
        ("#####....####", 5, 4),  # of less than 100 ms, which is one within a word
        ("#####.,....####", 5, 11),  # what nobody hears beside speech is quiet
        ("#####.####", 5, 4),
        ("#####.####", 6, 6),
        ("##########-----.......####", 12, 22),  # the soft tail of a word before a pause is not said alone
        ("##########-----------.......####", 10, 9),  # too much is left to be a tail
        ("##########-----....####", 12, 11),  # no pause follows: it goes on in the word
        ("##############++++.......####", 14, 6),  # of a louder end more of the word is said again
        ("##.#..#########++++.......####", 15, 6),
        ("####.....##########+#####", 23, 9),  # what has hardly begun behind a pause is said from its beginning
        ("####.....##########+#####", 24, 19),  # more than 280 ms of it were said
        ("####....######", 10, 8),  # it was no pause
        ("####.....##.....###", 18, 16),  # the newest one counts
        ("#####", 5, 4),
        ("", 9, 9),  # the sound is not kept
        ("####", 40, 40),
    ],
)
def test_without_words_the_sound_decides(what: str, said: int, at: int) -> None:
    assert resume_at(said * 20, (), sound(what)) == at * 20


@pytest.mark.parametrize(
    ("ends", "said", "at"),
    [
        ([100, 600], 300, 100),
        ([60, 600], 280, 80),  # «+» is softer there, but the word's end is known, and a pause is after it
        ([100, 280], 300, 100),  # of a word which has hardly begun the one before is said again
        ([20], 400, 380),  # too far back
    ],
)
def test_where_words_end_is_better_known_than_guessed(ends: list[int], said: int, at: int) -> None:
    words = [WordEnd(number, end) for number, end in enumerate(ends)]
    assert resume_at(said, words, sound("###.+" + "#" * 40)) == at


@pytest.mark.parametrize(
    ("what", "said", "quiet"),
    [("#####...###", 8, 3), ("#####...###", 7, 2), ("#####...###", 5, 0), ("#####", 5, 0), ("", 5, 0)],
)
def test_for_how_long_it_has_been_quiet_by_itself(what: str, said: int, quiet: int) -> None:
    assert quiet_before(said * 20, sound(what)) == quiet * 20


def test_a_sentence_that_has_hardly_begun_is_said_anew_though_it_is_known_where_its_words_end() -> None:
    assert resume_at(300, [WordEnd(9, 260)], sound("####.....##########")) == 180


def test_the_tail_of_a_word_is_not_said_alone_though_its_end_is_known() -> None:
    assert resume_at(240, [WordEnd(9, 200)], sound("##########-----.......####")) == 440
