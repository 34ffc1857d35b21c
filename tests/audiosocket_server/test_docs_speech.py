"""docs/speech.md is held to the code: what the log says when Azure fails, and its settings."""

from pathlib import Path

import pytest
from audiosocket_server.settings.settings import FLAT_NAMES, Settings
from audiosocket_server.speech.azure import faults
from audiosocket_server.turns.machine import ERROR_OCCURRED

DOC = (Path(__file__).parents[2] / "docs" / "speech.md").read_text(encoding="utf-8")
AZURE = DOC[DOC.index("\n## Azure\n") : DOC.index("\n## A fake Azure")]


@pytest.mark.parametrize("words", [*faults._SET_UP.values(), *faults._FOR_NOW.values()])
def test_every_failure_of_azure_is_in_the_table(words: str) -> None:
    if "in time" not in words:  # our own limit is there before the SDK's
        assert words.split(":")[0] in AZURE


def test_the_limits_and_names_are_those_of_the_settings() -> None:
    speech = Settings().speech
    assert f"no final text within {speech.azure_final_text_seconds:g} s" in AZURE
    assert f"sent no audio within {speech.azure_first_audio_seconds:g} s" in AZURE
    assert ERROR_OCCURRED in AZURE
    for name in FLAT_NAMES:
        if name.startswith("AZURE"):
            assert name in AZURE
