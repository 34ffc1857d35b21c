"""Which stretches of read speech are one sentence with pauses, and the sentence that they make together."""

from dataclasses import replace

import pytest
from helpers.logs import entries

from audiosocket_sim.call_log.events import BotSpoke, CallerSpoke, StepFailed
from audiosocket_sim.checks.stretches import LONGEST_PAUSE_MS, joined, runs
from audiosocket_sim.reading import ReadWord

BOA = BotSpoke("Boa", 400, None, "recogniser", read_by="local", words=(ReadWord("Boa", 0, 300),))
TARDE = replace(BOA, text="tarde", words=(ReadWord("tarde", 50, 350),))
NOISE = replace(BOA, text=None, words=())
OTHER = StepFailed(0, "wait", "x", ())


@pytest.mark.parametrize(
    ("log", "n_stretches"),
    [
        ([(0, BOA), (1000, TARDE)], [2]),
        ([(0, BOA), (500, OTHER), (1000, TARDE), (2000, TARDE)], [2, 3]),
        ([(0, BOA), (500, CallerSpoke("Oi.", "x", 300)), (1000, TARDE)], []),
        ([(0, BOA), (1000, NOISE), (2000, TARDE)], []),
        ([(0, BOA), (400 + LONGEST_PAUSE_MS, TARDE)], [2]),
        ([(0, BOA), (401 + LONGEST_PAUSE_MS, TARDE)], []),
        ([(0, replace(BOA, voice="prompts")), (1000, replace(TARDE, voice="prompts"))], []),
        ([(0, BOA)], []),
    ],
)
def test_stretches_that_belong_together(log: list[tuple[int, object]], n_stretches: list[int]) -> None:
    assert [len(run) for run in runs(entries(*log), 0)] == n_stretches  # type: ignore[arg-type]


def test_a_sentence_with_a_pause() -> None:
    (run,) = runs(entries((2000, BOA), (3000, TARDE)), 0)
    whole = joined(run)
    assert isinstance(whole.event, BotSpoke)
    assert (whole.at_ms, whole.event.text, whole.event.heard_ms, whole.event.gap_ms) == (2000, "Boa tarde", 800, 600)
    assert whole.event.words == (ReadWord("Boa", 0, 300), ReadWord("tarde", 1050, 1350))
