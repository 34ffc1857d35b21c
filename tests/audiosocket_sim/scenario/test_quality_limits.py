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
    ("line", "title"),
    [
        ("", "phone"),
        ("ear: fifo 120ms", "fifo 120 ms, holds 240 ms"),
        ("ear: {model: fifo, delay: 120ms, size: 1s}", "fifo 120 ms, holds 1000 ms"),
        ("ear: {model: fifo 120ms, size: 1s}", "fifo 120 ms, holds 1000 ms"),
        ("ear: asterisk fixed", "asterisk fixed 200 ms, resync 1000 ms"),
        ("ear: asterisk adaptive 300ms", "asterisk adaptive 300 ms, resync 1000 ms"),
        ("ear: {model: asterisk fixed, size: 60ms, resync: 500ms}", "asterisk fixed 60 ms, resync 500 ms"),
        ("ear: neteq-like", "neteq-like"),
    ],
)
def test_phones(line: str, title: str) -> None:
    assert loaded(line).ear.title == title


@pytest.mark.every(3)
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
        ("ear: fifo", "fifo needs its delay: fifo 120ms"),
        ("ear: fifo 120", "a duration needs a number and a unit"),
        ("ear: fifo 0ms", "a duration longer than 0 is needed here"),
        ("ear: fifo 20s", "a phone holds 10 s at the most, not 20s"),
        ("ear: fifoo 120ms", "did you mean 'fifo'?"),
        ("ear: neteq-like 80ms", "neteq-like has no delay; only fifo has"),
        ("ear: {model: phone, size: 1s}", "phone has no size; fifo and asterisk have"),
        ("ear: {model: fifo 100ms, resync: 1s}", "fifo has no resync; only asterisk has"),
        ("ear: {model: fifo 100ms, delay: 50ms}", "'fifo 100ms' has its delay already"),
        ("ear: {model: fifo 100ms, size: 50ms}", "it must hold its delay of 100ms at least"),
        ("ear: 3", "must be phone, endless, fifo, asterisk fixed, asterisk adaptive or neteq-like, not 3"),
    ],
)
def test_an_error_is_one_line_that_says_what_is_right(line: str, says: str) -> None:
    with pytest.raises(ScenarioError) as raised:
        loaded(line)
    (error,) = str(raised.value).splitlines()
    assert says in error
