"""The pages of a session's calls: which calls get one, where it lies, and what leads to it."""

from pathlib import Path
from xml.etree import ElementTree

import pytest
from helpers.plugin_bench import CALL, configure, project, run, update, write

__all__ = ["project"]

pytest_plugins = ["pytester"]


@pytest.fixture(autouse=True)
def with_pages(project: pytest.Pytester) -> None:
    configure(project, pages=True)


FAILS = CALL.format(tag="quick", end=2.5).replace("hangs_up: server", "hangs_up: caller")
LONG = pytest.mark.long("one session with a failure shows its page")


def plain(project: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return run(project, "-p", "no:syrupy", *arguments)


def properties(junit: Path) -> dict[str, str]:
    found = ElementTree.parse(junit).iter("property")
    return {str(one.get("name")): str(one.get("value")) for one in found}


def attachments(junit: Path) -> list[str]:
    """The lines of the cases' outputs that name a file, each alone on its line; a case has one output at most."""
    cases = [case.findall("system-out") for case in ElementTree.parse(junit).iter("testcase")]
    assert all(len(outputs) <= 1 for outputs in cases)
    lines = [line for outputs in cases for one in outputs for line in (one.text or "").splitlines()]
    return [line for line in lines if "ATTACHMENT" in line]


@pytest.mark.long("junit without what tests print is read")
@pytest.mark.parametrize(
    "more", [["-o", "junit_logging=system-out"], ["-p", "xdist", "-n", "1"]], ids=["output", "worker"]
)
def test_the_page_is_attached_also_beside_what_tests_print_and_by_a_worker(
    more: list[str], project: pytest.Pytester
) -> None:
    write(project, "scenarios/wrong.yaml", FAILS)
    plain(project, "--junitxml=junit.xml", *more)
    assert attachments(project.path / "junit.xml") == ["[[ATTACHMENT|runs/pytest/report/scenarios/wrong.html]]"]


@pytest.mark.long("a failure shows the call around it; the command writes the page of a call")
def test_a_failed_call_has_a_page_and_all_leads_to_it(project: pytest.Pytester) -> None:
    write(project, "scenarios/wrong.yaml", FAILS)
    made = plain(project, "--junitxml=junit.xml")
    made.assert_outcomes(passed=1, failed=1)
    report = project.path / "runs" / "pytest" / "report"
    assert {path.relative_to(report).as_posix() for path in report.rglob("*.html")} == {
        "index.html",
        "scenarios/wrong.html",
    }
    assert (report / "index.html").read_bytes() == (report / "scenarios" / "wrong.html").read_bytes()
    assert properties(project.path / "junit.xml")["audiosocket_report"] == "runs/pytest/report/scenarios/wrong.html"
    assert attachments(project.path / "junit.xml") == ["[[ATTACHMENT|runs/pytest/report/scenarios/wrong.html]]"]
    made.stdout.fnmatch_lines(
        ["*report of the call*", "runs/pytest/report/scenarios/wrong.html", "report: runs/pytest/report/index.html"]
    )
    write(project, "scenarios/wrong.yaml")
    passes = plain(project)
    passes.assert_outcomes(passed=2)
    assert "report:" not in passes.stdout.str()
    assert not (report / "index.html").exists()


@LONG
def test_of_several_calls_index_html_is_the_index(project: pytest.Pytester) -> None:
    write(project, "scenarios/wrong.yaml", FAILS)
    plain(project, "--audiosocket-report=pages", "--audiosocket-report-of=all").assert_outcomes(passed=1, failed=1)
    index = (project.path / "pages" / "index.html").read_text(encoding="utf-8")
    assert "2 calls: 1 failed, 1 passed" in index
    assert 'href="./scenarios/short.html"' in index
    assert index.count("<iframe id=") == 1  # the page of the failed call is in it
    assert (project.path / "pages" / "scenarios" / "short.html").is_file()


@LONG
def test_the_ini_keys_and_the_command_line_before_them(project: pytest.Pytester) -> None:
    write(project, "scenarios/wrong.yaml", FAILS)
    configure(project, "audiosocket_report = here", "audiosocket_report_of = none", pages=True)
    plain(project).assert_outcomes(passed=1, failed=1)
    assert not (project.path / "here").exists()
    plain(project, "--audiosocket-report-of=failed").assert_outcomes(passed=1, failed=1)
    assert (project.path / "here" / "index.html").is_file()
    configure(project, "audiosocket_report_of = some", pages=True)
    wrong = plain(project)
    assert wrong.ret == pytest.ExitCode.USAGE_ERROR
    wrong.stderr.fnmatch_lines(["*audiosocket_report_of = some: expected failed, all or none"])


@LONG
def test_a_call_whose_transcript_differs_stands_as_failed_in_the_index(project: pytest.Pytester) -> None:
    write(project, "scenarios/other.yaml")
    update(project)
    for name in ("short", "other"):
        write(project, f"scenarios/{name}.yaml", end=2.7)
    run(project, "--audiosocket-report=pages").assert_outcomes(failed=2)
    index = (project.path / "pages" / "index.html").read_text(encoding="utf-8")
    assert "2 calls: 2 failed" in index
    assert "the transcript differs from its snapshot" in index


@LONG
def test_under_xdist_workers_write_the_pages_and_the_controller_the_index(project: pytest.Pytester) -> None:
    for name in ("wrong", "worse"):
        write(project, f"scenarios/{name}.yaml", FAILS)
    made = plain(project, "-p", "xdist", "-n", "2")
    made.assert_outcomes(passed=1, failed=2)
    index = (project.path / "runs" / "pytest" / "report" / "index.html").read_text(encoding="utf-8")
    assert "2 calls: 2 failed" in index
    assert made.stdout.str().count("report: runs/pytest/report/index.html") == 1


@LONG
def test_pytest_html_links_the_page(project: pytest.Pytester) -> None:
    write(project, "scenarios/wrong.yaml", FAILS)
    plugins = ["-p", "pytest_html.plugin", "-p", "pytest_metadata.plugin"]
    plain(project, *plugins, "--html=out/tests.html", "--self-contained-html").assert_outcomes(passed=1, failed=1)
    html = (project.path / "out" / "tests.html").read_text(encoding="utf-8")
    assert "../runs/pytest/report/scenarios/wrong.html" in html


@LONG
def test_the_job_summary_of_github_names_the_page(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    write(project, "scenarios/wrong.yaml", FAILS)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(project.path / "summary.md"))
    plain(project)
    summary = (project.path / "summary.md").read_text(encoding="utf-8")
    assert "Report: runs/pytest/report/index.html, among the files that the job uploads" in summary
    assert "| runs/pytest/report/scenarios/wrong.html |" in summary


@LONG
def test_a_page_that_cannot_be_written_costs_no_verdict(project: pytest.Pytester) -> None:
    write(project, "scenarios/wrong.yaml", FAILS)
    (project.path / "pages").write_text("a file", encoding="utf-8")
    made = plain(project, "--audiosocket-report=pages")
    made.assert_outcomes(passed=1, failed=1)
    made.stdout.fnmatch_lines(["*no report of the call*"])
