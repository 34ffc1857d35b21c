"""The benchmark of interruptions knows where in its message the bot was, before each pause and behind it."""

from audiosocket_sim.turn_taking import SentencePart, VoiceSegment
from benchmarks.over_the_bot import Messages


def segment(start_ms: int, end_ms: int, turn: int, whole: bool, said: tuple[str, int, int]) -> VoiceSegment:
    return VoiceSegment(start_ms, end_ms, "speech", turn, whole, SentencePart(*said))


def placed(*bot: VoiceSegment) -> list[tuple[int, int, int, int]]:
    messages = Messages(["A. B."], {"A.": ("A. B.", 0, False), "B.": ("A. B.", 2100, True)})
    found = messages.placed(bot)
    assert all(one.said is not None and one.said.sentence == "A. B." for one in found)
    return [(one.start_ms, one.end_ms, one.said.from_ms, one.said.to_ms) for one in found if one.said]


def test_a_stretch_with_a_pause_is_said_in_parts() -> None:
    """The bot was paused for 0.5 s in the second sentence, which the ear heard as one stretch."""
    first = segment(0, 2100, 1, True, ("A.", 0, 2100))
    second = [segment(2100, 3000, 2, False, ("B.", 0, 2000)), segment(3500, 4600, 2, True, ("B.", 0, 2000))]
    assert placed(first, *second) == [(0, 3000, 0, 3000), (3500, 4600, 3000, 4100)]


def test_the_bots_own_pauses_are_parts_of_the_sentence() -> None:
    bot = [segment(0, 800, 1, False, ("A.", 0, 2000)), segment(1100, 2000, 1, True, ("A.", 0, 2000))]
    assert placed(*bot) == [(0, 800, 0, 800), (1100, 2000, 1100, 2000)]


def test_what_was_said_behind_the_beginning_and_two_pauses() -> None:
    bot = [(0, 400), (900, 1300), (1800, 2200)]
    parts = [segment(*part, 1, False, ("A.", 300, 1500)) for part in bot]
    assert placed(*parts) == [(0, 400, 300, 700), (900, 1300, 700, 1100), (1800, 2200, 1100, 1500)]


def test_a_sentence_that_is_said_anew_after_a_pause() -> None:
    """0.6 s, a pause of 0.85 s, and the whole sentence with a pause of its own."""
    bot = [segment(*part, 1, True, ("A.", 0, 2000)) for part in ((0, 600), (1450, 2200), (2450, 3450))]
    assert placed(*bot) == [(0, 600, 0, 600), (1450, 2200, 0, 750), (2450, 3450, 1000, 2000)]


def test_a_pause_beside_many_of_its_own() -> None:
    bot = [(0, 400), (580, 1000), (1850, 2200), (2380, 2600)]
    parts = [segment(*part, 1, True, ("A.", 0, 1750)) for part in bot]
    assert placed(*parts) == [(0, 1000, 0, 1000), (1850, 2600, 1000, 1750)]
