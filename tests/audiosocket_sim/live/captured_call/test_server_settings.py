"""The settings inferred from a captured call: only those that differ from the reference server's defaults. Pure."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest

from audiosocket_sim.live.captured_call import CapturedCall, CapturedUtterance, Ending
from audiosocket_sim.live.captured_call.analysis import Analysis
from audiosocket_sim.live.captured_call.bot_hearing import HeardBot, Sentence
from audiosocket_sim.live.captured_call.server_settings import infer_settings
from audiosocket_sim.live.captured_call.text_pairing import Turn
from audiosocket_sim.live.captured_call.track import Track

CALL = CapturedCall(UUID(int=1), Ending(20_000, "server", "hangup_message"))
USUAL = Sentence(2_300, 4_900)


def inferred(
    sentences: Sequence[Sentence], utterances: Sequence[CapturedUtterance] = (), turns: Sequence[Turn] = ()
) -> dict[str, Any]:
    bot = HeardBot(tuple(sentences), (), b"")
    return infer_settings(CALL, Analysis(Track(b"", ()), tuple(utterances), tuple(turns), bot, None))


def said(start_ms: int, end_ms: int, text: str | None) -> CapturedUtterance:
    return CapturedUtterance(start_ms - 300, end_ms + 300, start_ms, end_ms, text)


@pytest.mark.parametrize(
    ("start_ms", "greeting"),
    [
        (2_300, None),
        (2_001, None),
        (2_599, None),
        (2_000, {"delay_seconds": 1.7}),
        (2_600, {"delay_seconds": 2.3}),
        (400, {"delay_seconds": 0.1}),
        (200, {"delay_seconds": 0.0}),
    ],
)
def test_the_greetings_delay_is_written_if_it_is_not_the_default(start_ms: int, greeting: dict[str, Any]) -> None:
    expected = {} if greeting is None else {"greeting": greeting}
    assert inferred([Sentence(start_ms, start_ms + 2_600)]) == expected


def test_the_greetings_words_are_written_if_they_are_not_the_default() -> None:
    default = "Condomínio Apoena, em que posso ajudar?"
    assert inferred([Sentence(2_300, 4_900, default)]) == {}
    assert inferred([Sentence(2_300, 4_900, "Alô.")]) == {"greeting": {"message": "Alô."}}


def test_a_bot_that_first_speaks_after_a_turn_has_no_greeting() -> None:
    late = Sentence(6_000, 7_000)
    assert inferred([late], turns=[Turn(5_000, "sim")]) == {"greeting": {"message": "", "delay_seconds": 0}}
    assert inferred([]) == {}


@pytest.mark.parametrize(("waits_ms", "threshold"), [([2_100], None), ([1_200], 1.2), ([700, 900, 3_000], 0.9)])
def test_the_silence_that_ends_a_turn_is_the_median_wait(waits_ms: list[int], threshold: float | None) -> None:
    ends = [10_000 * (number + 1) for number in range(len(waits_ms))]
    utterances = [said(end - 1_000, end, f"{end}") for end in ends]
    turns = [Turn(end + wait, f"{end}") for end, wait in zip(ends, waits_ms, strict=True)]
    expected = {} if threshold is None else {"system": {"silence_threshold_seconds": threshold}}
    assert inferred([USUAL], utterances, turns) == expected


@pytest.mark.parametrize(
    ("sentence_end_ms", "sentence_text", "text", "barge_in"),
    [
        (9_500, None, "sim", True),
        (9_500, None, None, False),  # the bot did not understand the caller
        (9_500, "Qual é o seu nome?", "sim", False),  # the bot said its whole sentence
        (10_300, None, "sim", False),  # the bot went on speaking after the caller
        (10_299, None, "sim", True),
        (9_000, None, "sim", False),  # the bot had fallen silent before
    ],
)
def test_barge_in_is_a_bot_that_stopped_for_the_caller(
    sentence_end_ms: int, sentence_text: str | None, text: str | None, barge_in: bool
) -> None:
    seen = inferred([USUAL, Sentence(8_000, sentence_end_ms, sentence_text)], [said(9_000, 10_000, text)])
    assert seen == ({"system": {"barge_in": True}} if barge_in else {})
