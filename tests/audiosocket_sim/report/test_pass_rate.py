"""The pass rate of several runs: its interval, and what failures have in common."""

import pytest

from audiosocket_sim.report.pass_rate import RunRow, pass_rate, rate_lines, wilson_interval


def rows(*outcomes: str, cause: str = "") -> list[RunRow]:
    return [
        RunRow(number, word, f"line.seed={number}", "" if word == "passed" else cause)
        for number, word in enumerate(outcomes, 1)
    ]


@pytest.mark.parametrize(
    ("passed", "runs", "low", "high"),
    [
        (10, 10, 0.7225, 1.0),
        (0, 10, 0.0, 0.2775),
        (1, 10, 0.0179, 0.4042),
        (81, 263, 0.2553, 0.3662),
        (1, 1, 0.2065, 1.0),
    ],
)
def test_the_interval_is_wilsons(passed: int, runs: int, low: float, high: float) -> None:
    """The figures of 81 in 263 and of 1 in 10 are from the literature (Newcombe 1998 and common tables)."""
    assert wilson_interval(passed, runs) == pytest.approx((low, high), abs=1e-4)


@pytest.mark.parametrize(
    ("outcomes", "text"),
    [
        (["passed"] * 4, "4 of 4 passed (100 %, 95 % interval 51 to 100 %)"),
        (["passed"] * 999 + ["failed"], "999 of 1000 passed (99 %, 95 % interval 99 to 99 %)"),
        (["failed"] * 999 + ["passed"], "1 of 1000 passed (1 %, 95 % interval 1 to 1 %)"),
        (["passed", "inconclusive", "failed"], "1 of 2 passed (50 %, 95 % interval 9 to 91 %), 1 inconclusive"),
        (["set-up error", "set-up error"], "2 set-up error"),
    ],
)
def test_the_rate_in_words(outcomes: list[str], text: str) -> None:
    assert pass_rate(rows(*outcomes)) == text


def test_causes_that_differ_in_numbers_only_are_one() -> None:
    several = [
        RunRow(1, "passed", "line.seed=1"),
        RunRow(2, "failed", "line.seed=2", "a.yaml:5: step 1: 0.31 s"),
        RunRow(3, "inconclusive", "line.seed=3", "busy"),
        RunRow(4, "failed", "line.seed=4", "a.yaml:5: step 1: 0.4 s"),
    ]
    assert list(rate_lines("a", several)) == [
        "a: 1 of 3 passed (33 %, 95 % interval 6 to 79 %), 1 inconclusive",
        "  2 × failed: a.yaml:5: step 1: 0.31 s",
        "      in runs 2 (line.seed=2), 4 (line.seed=4)",
        "  1 × inconclusive: busy",
        "      in run 3 (line.seed=3)",
    ]


def test_of_many_runs_ten_are_named() -> None:
    *_, last = rate_lines("a", rows(*["failed"] * 12, cause="x"))
    assert last.endswith("10 (line.seed=10) and 2 more")
