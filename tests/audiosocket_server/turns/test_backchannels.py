"""Which words take the turn, and which only say that somebody listens."""

import pytest
from audiosocket_server.turns.backchannels import takes_turn


@pytest.mark.parametrize(
    "text",
    ["Ahã.", "aham", "Uhum, uhum.", "Sei.", "isso", "Tá bom.", "Hummm…", "Ah, tá.", "É, isso mesmo.", "Pois é", "OK!"],
)
def test_what_a_listener_says_takes_no_turn(text: str) -> None:
    assert not takes_turn(text, "pt-BR")


@pytest.mark.parametrize(
    "text", ["Não.", "Sim.", "Espera!", "para", "Isso não.", "Tá errado.", "Alô?", "é o 202", "Sei, mas espera."]
)
def test_all_else_does(text: str) -> None:
    assert takes_turn(text, "pt-BR")


def test_no_words_take_no_turn() -> None:
    assert not takes_turn(" … ", "pt-BR")


def test_each_language_has_its_own() -> None:
    assert not takes_turn("Uh-huh, I see.", "en-US")
    assert takes_turn("I see it", "en-US")
    assert not takes_turn("Ajá, vale.", "es_MX")
    assert takes_turn("Vale.", "en-GB")
    assert takes_turn("ja", "de-DE")


def test_own_words_stand_for_the_list_of_the_language() -> None:
    assert not takes_turn("Jawohl, genau", "de-DE", ["genau", "jawohl"])
    assert takes_turn("Aham.", "pt-BR", ["genau"])
    assert takes_turn("Aham.", "pt-BR", [])
