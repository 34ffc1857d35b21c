"""When heard words are those of `bot_says`: exactly for the texts of a book, word by word where errors are allowed."""

import pytest
from helpers.logs import expectation

from audiosocket_sim.call_log.events import BotSpoke
from audiosocket_sim.checks.fits import says
from audiosocket_sim.checks.said import word_by_word

LONG = "A autorização foi confirmada, o senhor pode subir ao apartamento 202."
READ = "a autorizacao foi confirmada o senhor pode subir no apartamento duzentos e dois"


def heard(text: str | None, *, read: bool = False) -> BotSpoke:
    return BotSpoke(text, 900, None if read else 900, "recogniser" if read else "prompt")


@pytest.mark.every(3)
@pytest.mark.parametrize(
    ("wanted", "text", "read", "met"),
    [
        (LONG, LONG, True, True),
        (LONG, LONG.upper().replace("202", "duzentos e dois"), True, True),
        (LONG, LONG.replace("202", "duzentos e dois"), False, False),  # a book's text is exact
        (LONG, READ, True, False),
        ({"text": LONG, "words": 0.8}, READ, True, True),
        ({"text": LONG, "words": 0.8}, READ, False, True),
        ({"text": LONG, "words": 0.95}, READ, True, False),
        ({"text": LONG, "words": 0.5}, READ.replace("e dois", "e três"), True, False),
        ({"text": "pode subir", "part": True, "words": 1}, READ, True, True),
        ({"text": "o senhor poderia subir", "part": True, "words": 0.7}, READ, True, True),
        ({"text": "o senhor poderia subir", "part": True}, READ, True, False),
        ({"text": "apartamento 202", "part": True}, LONG, False, True),
        ({"text": "apartamento 20", "part": True}, LONG, False, False),
        ({"text": "02", "part": True}, LONG, False, False),
        ({"text": "apartamento 20", "part": True, "words": 0.5}, READ, True, False),
        ({"text": "ao 202 e 2", "part": True}, "Ao 202 e 2.", False, True),
        ({"text": "confirma", "part": True}, LONG, False, True),
        ({"any_of": ["Não.", LONG], "words": 0.8}, READ, True, True),
        ({"any_of": ["Não.", "Sim."], "words": 0.8}, READ, True, False),
        ({"pattern": r"apartamento \d+$"}, READ, True, True),
        ({"pattern": r"^a autorização .* (subir|entrar)"}, READ, True, True),
        ({"pattern": r"AO APARTAMENTO 202\."}, LONG, False, True),
        ({"pattern": r"apartamento 203"}, READ, True, False),
        (LONG, None, True, False),
    ],
)
def test_the_words_are_those_that_are_wanted(wanted: object, text: str | None, read: bool, met: bool) -> None:
    assert says(heard(text, read=read), expectation(bot_says=wanted)) is met


def test_a_difference_is_shown_where_words_are_compared() -> None:
    def shown(wanted: object, text: str | None, *, read: bool) -> str | None:
        says = expectation(bot_says=wanted).bot_says
        assert says is not None
        return word_by_word(heard(text, read=read), says)

    assert shown("Pode subir.", "Pode descer.", read=False) is None
    assert shown({"pattern": "subir"}, "Pode descer.", read=True) is None
    assert shown("Pode subir.", None, read=True) is None
    assert shown("Pode subir.", "Pode descer.", read=True) == (
        "word by word: Pode [subir → descer] (1 of 2 words right, 50%)"
    )
    assert shown({"any_of": ["Sim.", "Pode subir agora."], "words": 0.9}, "pode subir já", read=True) == (
        "word by word: Pode subir [agora → já] (2 of 3 words right, 67%)"
    )
    assert shown({"text": "o apartamento 202", "words": 0.6}, "o apartamento 203", read=True) == (
        "word by word: o apartamento [202 → 203] (2 of 3 words right, 67%): a number that is another one is not "
        "tolerated"
    )


@pytest.mark.parametrize(
    ("wanted", "text", "why"),
    [
        ("O senhor não pode subir agora.", "O senhor pode subir agora.", "a “não” (not, no) that is missing"),
        ("O senhor pode subir agora.", "O senhor não pode subir agora.", "a “não” (not, no) that is missing"),
        ("O senhor pode subir ao 202.", "O senhor pode subir ao 203.", "a number that is another one"),
    ],
)
def test_an_error_that_no_share_tolerates_is_named(wanted: str, text: str, why: str) -> None:
    said = expectation(bot_says={"text": wanted, "words": 0.5}).bot_says
    assert said is not None
    assert why in str(word_by_word(heard(text, read=True), said))
