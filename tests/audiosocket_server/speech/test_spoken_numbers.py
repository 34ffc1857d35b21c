"""Numbers of apartments: from the number to its words, and from what sounds like them to the number."""

import pytest
from audiosocket_server.speech.local.spoken_numbers import (
    MOST,
    by_pairs,
    digit_by_digit,
    in_words,
    nearest_number,
    number_in,
    vocabulary,
)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (1, "um"),
        (16, "dezesseis"),
        (20, "vinte"),
        (39, "trinta e nove"),
        (100, "cem"),
        (101, "cento e um"),
        (202, "duzentos e dois"),
        (999, "novecentos e noventa e nove"),
        (1000, "mil"),
        (1059, "mil e cinquenta e nove"),
        (1200, "mil e duzentos"),
        (1201, "mil duzentos e um"),
        (2015, "dois mil e quinze"),
        (9999, "nove mil novecentos e noventa e nove"),
    ],
)
def test_a_number_in_words(number: int, words: str) -> None:
    assert in_words(number) == words


def test_digits_and_pairs() -> None:
    assert digit_by_digit(1206) == "um dois zero seis"
    assert digit_by_digit(1206, "meia") == "um dois zero meia"
    assert (by_pairs(1201), by_pairs(1215)) == ("doze zero um", "doze quinze")


def test_every_number_has_only_words_of_the_vocabulary() -> None:
    known = set(vocabulary())
    assert all(set(in_words(number).split()) <= known for number in range(1, MOST + 1))


@pytest.mark.every(20)
@pytest.mark.parametrize("number", [*range(1, 100, 7), *range(101, 1000, 90), *range(1001, MOST, 997)])
def test_the_words_of_a_number_lead_back_to_it(number: int) -> None:
    forms = [in_words(number), *([digit_by_digit(number), digit_by_digit(number, "meia")] if number > 9 else [])]
    forms += [by_pairs(number)] if number > 1000 and number % 1000 >= 100 and number % 100 else []
    for words in forms:
        found = nearest_number(words.capitalize() + ".")
        assert found is not None
        assert (found.number, found.distance) == (number, 0)


@pytest.mark.parametrize(
    ("words", "score", "number"),
    [
        ("Oito ocentos e sete.", -0.17, 807),
        ("Dezessas.", -0.44, 16),
        ("mil Trasentos e vinte e seis", -0.24, 1326),
        ("Oito ocentos e sete.", -0.61, None),  # not sure
        ("Dinte rega do elevador.", -0.3, None),  # like no number
        ("Cem.", -0.1, None),  # «sim» sounds so
        ("...", -0.1, None),
        ("", -0.1, None),
    ],
)
def test_what_was_said_by_what_was_spelt(words: str, score: float, number: int | None) -> None:
    assert number_in(words, score) == number


def test_a_text_without_letters_is_near_no_number() -> None:
    assert nearest_number("…") is None
