"""What GitHub Actions is shown: places, escapes, and a summary in which no text becomes markup."""

from pathlib import Path

import pytest

from audiosocket_sim.report.github import annotation, append_job_summary, is_github, job_summary
from audiosocket_sim.report.table import ReportRow, counted, table

FAILED = ReportRow(
    "menu", "failed", "calls/menu.yaml:6: menu, step 1\n  expected  a, b", "calls/menu.yaml", 6, "bot:serve"
)
PASSED = ReportRow("greets", "passed", target="bot:serve")


def test_only_in_a_job_of_github() -> None:
    assert is_github({"GITHUB_ACTIONS": "true"})
    assert not is_github({"GITHUB_ACTIONS": "false"})
    assert not is_github({})


def test_an_annotation_stands_at_the_scenarios_line() -> None:
    assert annotation(FAILED, {}) == (
        "::error file=calls/menu.yaml,line=6,title=menu%3A failed::calls/menu.yaml:6: menu, step 1%0A  expected  a, b"
    )
    assert annotation(PASSED, {}) is None


def test_an_inconclusive_call_is_a_warning() -> None:
    row = ReportRow("menu", "inconclusive", "too late", "menu.yaml")
    assert annotation(row, {}) == "::warning file=menu.yaml,line=1,title=menu%3A inconclusive::too late"


def test_without_a_file_there_is_no_place() -> None:
    assert annotation(ReportRow("run", "invalid", "no such scenario"), {}) == (
        "::error title=run%3A invalid::no such scenario"
    )


def test_no_text_ends_an_annotation_or_forges_one() -> None:
    row = ReportRow("a,b:c\n::error::x", "failed", "100%\r\n::error::forged", "a,b:c.yaml", 2)
    line = annotation(row, {})
    assert line is not None
    assert "\n" not in line
    assert "\r" not in line
    assert line.startswith(
        "::error file=a%2Cb%3Ac.yaml,line=2,title=a%2Cb%3Ac%0A%3A%3Aerror%3A%3Ax%3A failed::100%25%0D%0A"
    )


def test_the_place_counts_from_the_top_of_the_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bot").mkdir()
    monkeypatch.chdir(tmp_path / "bot")
    line = annotation(FAILED, {"GITHUB_WORKSPACE": str(tmp_path)})
    assert line is not None
    assert "file=bot/calls/menu.yaml," in line


def test_the_summary_is_a_table_in_which_texts_are_text() -> None:
    rows = [PASSED, ReportRow("a|b", "failed", "<script>`x` [y](z)\nmore", target="command: a | b")]
    assert job_summary(rows, "Calls") == (
        "### Calls\n\n2 scenarios: 1 failed, 1 passed\n\n"
        "| scenario | outcome | reason | target |\n|---|---|---|---|\n"
        "| a&#124;b | failed | &#60;script&#62;&#96;x&#96; &#91;y&#93;(z) | command: a &#124; b |\n"
        "| greets | passed |  | bot:serve |\n\n"
    )


def test_the_summary_is_bounded() -> None:
    text = job_summary([PASSED] * 501, "Calls")
    assert text.count("| greets |") == 500
    assert "… and 1 more" in text


def test_the_summary_is_appended(tmp_path: Path) -> None:
    file = tmp_path / "summary.md"
    file.write_text("before\n", encoding="utf-8")
    assert append_job_summary([PASSED], "Calls", {"GITHUB_STEP_SUMMARY": str(file)}) is None
    assert file.read_text(encoding="utf-8") == "before\n" + job_summary([PASSED], "Calls")
    assert append_job_summary([PASSED], "Calls", {}) is None


def test_a_summary_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    trouble = append_job_summary([PASSED], "Calls", {"GITHUB_STEP_SUMMARY": str(tmp_path)})
    assert trouble == f"cannot write the job summary to {tmp_path}: Is a directory"


def test_the_table_of_a_terminal() -> None:
    assert table([PASSED, FAILED]) == [
        "2 scenarios: 1 failed, 1 passed",
        "  greets  passed",
        "  menu    failed  calls/menu.yaml:6: menu, step 1",
    ]
    assert counted([PASSED]) == "1 scenario: 1 passed"
    assert ReportRow("a", "failed", "\n" + "x" * 300).first_line == "x" * 199 + "…"
