"""How well was it understood: word errors, with numbers told as words on both sides. Pure."""

import re
from collections.abc import Sequence

from audiosocket_core.phrase_book.book import normalise

__all__ = ["count_words", "in_portuguese", "word_errors"]


def word_errors(said: str, understood: str, language: str = "pt-BR") -> int:
    """How many words must be put in, taken out or changed to make the one of the other."""
    wanted, got = _words(said, language), _words(understood, language)
    costs: Sequence[int] = range(len(got) + 1)
    for row, word in enumerate(wanted, 1):
        line = [row]
        for column, other in enumerate(got, 1):
            line.append(min(costs[column] + 1, line[-1] + 1, costs[column - 1] + (word != other)))
        costs = line
    return costs[-1]


def count_words(said: str, language: str = "pt-BR") -> int:
    return len(_words(said, language))


def _words(text: str, language: str) -> list[str]:
    spelled = in_portuguese if language.casefold().startswith("pt") else _in_english
    return re.sub(r"\d+", lambda digits: f" {spelled(int(digits[0]))} ", normalise(text)).split()


_PT = [
    "zero",
    "um",
    "dois",
    "tres",
    "quatro",
    "cinco",
    "seis",
    "sete",
    "oito",
    "nove",
    "dez",
    "onze",
    "doze",
    "treze",
    "quatorze",
    "quinze",
    "dezesseis",
    "dezessete",
    "dezoito",
    "dezenove",
]
_PT_TENS = ["vinte", "trinta", "quarenta", "cinquenta", "sessenta", "setenta", "oitenta", "noventa"]
_PT_HUNDREDS = [
    "cento",
    "duzentos",
    "trezentos",
    "quatrocentos",
    "quinhentos",
    "seiscentos",
    "setecentos",
    "oitocentos",
    "novecentos",
]


def in_portuguese(number: int) -> str:
    """The number in words without accents, up to 9999; beyond that the digits stay."""
    if number < 20:
        return _PT[number]
    if number == 100:
        return "cem"
    if number >= 10_000:
        return str(number)
    if number >= 1000:
        thousands = "mil" if number < 2000 else f"{_PT[number // 1000]} mil"
        rest = number % 1000
        return thousands if not rest else f"{thousands} {'e ' if rest <= 100 else ''}{in_portuguese(rest)}"
    step, names = (100, _PT_HUNDREDS) if number >= 100 else (10, _PT_TENS)
    name = names[number // step - (1 if step == 100 else 2)]
    return name if not number % step else f"{name} e {in_portuguese(number % step)}"


_EN = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]


def _in_english(number: int) -> str:
    """Up to twelve, and hundreds as rooms are told; else the digits stay."""
    if number < len(_EN):
        return _EN[number]
    if 100 <= number < 1000 and number % 100 < len(_EN):
        rest = number % 100
        return f"{_EN[number // 100]} hundred{f' and {_EN[rest]}' if rest else ''}"
    return str(number)
