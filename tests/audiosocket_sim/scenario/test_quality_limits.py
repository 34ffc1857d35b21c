"""`quality:` and `ear:` of a scenario: defaults, values, errors."""

import pytest

from audiosocket_sim.scenario.loading import ScenarioError, load_text


def loaded(lines: str):  # type: ignore[no-untyped-def]
    return load_text(f"summary: A call.\n{lines}\nsteps: [wait: 1s]\n")


def test_the_defaults() -> None:
    quality = loaded("").quality
    assert (quality.holes, quality.ahead, quality.level_dbfs, quality.damage) == (200, 300, (-45.0, -6.0), "none")
    assert quality.wire_silence == "allowed"
    assert loaded("").ear.model == "phone"


def test_tightened_and_allowed() -> None:
    quality = loaded("quality: {holes: 60ms, ahead: allowed, level_dbfs: [-30, -10], damage: allowed}").quality
    assert (quality.holes, quality.ahead, quality.level_dbfs, quality.damage) == (60, "allowed", (-30, -10), "allowed")
    assert loaded("quality: {level_dbfs: allowed}").quality.level_dbfs == "allowed"
    assert loaded("ear: {model: endless}").ear.model == "endless"
    assert loaded("ear: endless").ear.model == "endless"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("quality: {holes: 2h}", "min is the largest, or allowed"),
        ("quality: {level_dbfs: [-6, -45]}", "the lower level comes first"),
        ("quality: {level_dbfs: loud}", "two levels from -120 to 0 dBFS"),
        ("quality: {level_dbfs: [-6]}", "two levels from -120 to 0 dBFS"),
        ("quality: {damage: some}", "must be none or allowed, not 'some'"),
        ("quality: {hole: 60ms}", "did you mean 'holes'?"),
        ("ear: {model: fone}", "did you mean 'phone'?"),
    ],
)
def test_an_error_is_one_line_that_says_what_is_right(line: str, says: str) -> None:
    with pytest.raises(ScenarioError) as raised:
        loaded(line)
    (error,) = str(raised.value).splitlines()
    assert says in error
