"""When speech of the bot began in the midst of the caller's sentence. Arithmetic."""

import pytest

from audiosocket_sim.checks.premature import CallerSentence, Premature, premature_starts

SENTENCE = CallerSentence("Quero falar com o 202.", ((3000, 4500), (5000, 6000)))


@pytest.mark.parametrize(
    ("bot", "at_ms"),
    [
        ([(4000, 5000)], 4000),
        ([(4700, 5000)], 4700),  # in a pause of the sentence
        ([(1000, 2500), (4000, 5000)], 4000),
        ([(4000, 5000), (5500, 7000)], 4000),  # once a sentence
        ([(3200, 5000)], None),  # both at once
        ([(3200, 3500), (4000, 5000)], None),
        ([(5970, 7000)], None),
        ([(6100, 7000)], None),
        ([(1000, 3200), (4000, 5000)], None),  # it goes on with what the caller interrupted
        ([(1000, 2800), (4000, 5000)], None),
        ([], None),
    ],
)
def test_a_start_within_the_sentence(bot: list[tuple[int, int]], at_ms: int | None) -> None:
    found = premature_starts([SENTENCE], bot)
    assert found == ([] if at_ms is None else [Premature(at_ms, 6000 - at_ms, SENTENCE.text)])


def test_a_sound_without_a_voice_is_no_sentence_and_a_long_pause_ends_one() -> None:
    assert premature_starts([CallerSentence("", ())], [(1, 2)]) == []
    two = CallerSentence("…", ((0, 1000), (4000, 5000)))
    assert premature_starts([two], [(2400, 3000)]) == [Premature(2400, 2600, "…")]
    assert premature_starts([two], [(2600, 3000)]) == []
