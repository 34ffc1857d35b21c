"""`run --report`, and `report` of a folder of calls: what is written, what is printed, and the exit codes."""

import json
from pathlib import Path

import pytest
from helpers.saved_calls import CALL, save_call

from audiosocket_sim.call_log.events import BotSpoke
from audiosocket_sim.cli.main import main

GREETS = """
summary: The bot says a sentence.
steps:
  - expect: {bot_says: Pode subir., within: 3s}
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, at in (("quick", 0.5), ("slow", 5.0)):
        script = f"server: {{script: [[{at}, say, pt-br/pode_subir], [{at + 2}, hang_up]]}}\n"
        (tmp_path / f"{name}.yaml").write_text(GREETS + script, encoding="utf-8")
    return tmp_path


def run(*arguments: str) -> int:
    return main(["run", *arguments, "--target", "helpers.scripted_bot:serve", "--report"])


def test_a_run_of_one_call_ends_with_the_path_of_its_page(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("slow.yaml") == 1
    out = capsys.readouterr().out.splitlines()
    assert out[-1] == "report: runs/slow/report.html"
    assert "  report      runs/slow/report.html" in out
    assert "Pode subir." in (here / "runs" / "slow" / "report.html").read_text(encoding="utf-8")
    assert not (here / "runs" / "index.html").exists()


@pytest.mark.long("one call has its page")
def test_a_run_of_several_has_an_index_that_holds_what_failed(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("quick.yaml", "slow.yaml") == 1
    assert capsys.readouterr().out.splitlines()[-1] == "report: runs/index.html"
    index = (here / "runs" / "index.html").read_text(encoding="utf-8")
    assert "2 calls: 1 failed, 1 passed" in index
    assert index.count("<iframe id=") == 1
    assert 'href="./quick/report.html"' in index


@pytest.mark.long("one call has its page")
def test_json_has_the_page_among_the_files(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("quick.yaml", "--json")
    printed = capsys.readouterr()
    assert json.loads(printed.out)["artefacts"]["report"].endswith("quick/report.html")
    assert printed.err.splitlines()[-1] == "report: runs/quick/report.html"


@pytest.mark.long("one call has its page")
def test_without_report_the_page_of_an_earlier_run_goes(here: Path) -> None:
    run("quick.yaml")
    assert (here / "runs" / "quick" / "report.html").is_file()
    assert main(["run", "quick.yaml", "--target", "helpers.scripted_bot:serve"]) == 0
    assert not (here / "runs" / "quick" / "report.html").exists()


# --- report


def test_report_of_a_folder_of_calls_writes_the_index_and_prints_its_path(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_call(tmp_path / "runs" / "a")
    assert main(["report", str(tmp_path / "runs")]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'runs' / 'index.html'}\n"
    assert (tmp_path / "runs" / "a" / "report.html").is_file()


def test_to_names_another_folder_for_all_pages(tmp_path: Path) -> None:
    save_call(tmp_path / "runs" / "menu" / "a")
    assert main(["report", str(tmp_path / "runs"), "--to", str(tmp_path / "out")]) == 0
    assert {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.html")} == {
        "index.html",
        "menu/a.html",
    }
    assert not list((tmp_path / "runs").rglob("*.html"))


def test_a_baseline_shows_what_got_slower(tmp_path: Path) -> None:
    save_call(tmp_path / "before" / "a")
    slower = (*CALL[:2], (5900, BotSpoke("Um momento.", 1200, 1200, wait_ms=1400)))
    save_call(tmp_path / "now" / "a", slower)
    assert main(["report", str(tmp_path / "now"), "--baseline", str(tmp_path / "before")]) == 0
    assert "+600 ms" in (tmp_path / "now" / "index.html").read_text(encoding="utf-8")


def test_a_baseline_of_nothing_and_one_for_a_single_call_are_usage_errors(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call = save_call(tmp_path / "runs" / "a")
    (tmp_path / "empty").mkdir()
    assert main(["report", str(tmp_path / "runs"), "--baseline", str(tmp_path / "empty")]) == 2
    assert main(["report", str(call), "--baseline", str(tmp_path / "runs")]) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert "there is no call in it" in first
    assert second == f"--baseline is for a folder of many calls, and {call} is none"


def test_what_cannot_be_written_is_a_fault_of_the_set_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_call(tmp_path / "runs" / "a")
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert main(["report", str(tmp_path / "runs"), "--to", str(tmp_path / "file")]) == 3
    assert capsys.readouterr().err.splitlines()[-1].startswith("cannot write ")


@pytest.mark.parametrize("command", ["diff", "report"])
def test_the_help_has_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([command, "--help"])
    assert f"example: python -m audiosocket_sim {command} " in capsys.readouterr().out


def test_the_completion_knows_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "bash"]) == 0
    script = capsys.readouterr().out
    for option in ("--baseline", "--tolerance", "--html", "--report"):
        assert option in script
