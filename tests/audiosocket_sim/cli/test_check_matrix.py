"""`check matrix`: several runs side by side."""

import json
from pathlib import Path

import pytest

from audiosocket_sim.cli.main import main


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run_file(name: str, **outcomes: str) -> str:
    """Write a run in which these cases (`HS_01="pass"`) came out so."""
    cases = [
        {
            "id": one.replace("_", "-"),
            "title": f"a case | {one}",
            "level": "must",
            "outcome": outcome,
            "why": "not tried" if outcome == "not run" else "",
            "statements": [{"ok": outcome == "pass", "says": "keeps the call, but closed it"}],
        }
        for one, outcome in outcomes.items()
    ]
    run = {"made_by": "audiosocket-sim check", "format": 1, "target": f"tcp://{name}:1", "cases": cases}
    Path(f"{name}.json").write_text(json.dumps(run), encoding="utf-8")
    return f"{name}.json"


def test_markdown_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    one = run_file("one", HS_01="pass", TD_01="expected failure", AO_02="warn")
    other = run_file("other", HS_01="fail", AO_02="not run")
    assert main(["check", "matrix", one, f"other bot={other}", "--markdown", "-"]) == 0
    assert capsys.readouterr().out == (
        "| server | target | pass | fail | run |\n"
        "|---|---|--:|--:|--:|\n"
        "| one | tcp://one:1 | 1 | 1 | 3 |\n"
        "| other bot | tcp://other:1 | 0 | 1 | 1 |\n"
        "\n"
        "✓ passes; ✗ fails; ! does not do what it should; ? inconclusive; – not run\n"
        "\n"
        "### Handshake\n\n"
        "| case | | one | other bot |\n|---|---|:-:|:-:|\n| HS-01 | a case \\| HS\\_01 (must) | ✓ | ✗ |\n"
        "\n"
        "### Audio out\n\n"
        "| case | | one | other bot |\n|---|---|:-:|:-:|\n| AO-02 | a case \\| AO\\_02 (must) | ! | – |\n"
        "\n"
        "### The end of a call\n\n"
        "| case | | one | other bot |\n|---|---|:-:|:-:|\n| TD-01 | a case \\| TD\\_01 (must) | ✗ | – |\n"
    )


def test_files(capsys: pytest.CaptureFixture[str]) -> None:
    one, other = run_file("one", HS_01="pass"), run_file("other", HS_01="fail")
    assert main(["check", "matrix", one, other, "--html", "m.html", "--markdown", "m.md"]) == 0
    assert capsys.readouterr().out == "written: m.md\nwritten: m.html\n"
    assert Path("m.md").read_text(encoding="utf-8").startswith("| server | target |")
    page = Path("m.html").read_text(encoding="utf-8")
    assert "<h1>2 AudioSocket servers side by side</h1>" in page
    assert "a case | HS_01: keeps the call, but closed it" in page
    assert "Nothing: every case that was run passes." in page


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("no JSON", "bad.json: no JSON: expected what `check --json` writes"),
        ('{"made_by": "audiosocket-sim check", "format": 9}', "bad.json: of another version of audiosocket-sim: "),
        ('{"made_by": "audiosocket-sim check", "format": 1, "cases": [{}]}', "bad.json: damaged: "),
    ],
)
def test_what_is_no_run(text: str, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("bad.json").write_text(text, encoding="utf-8")
    assert main(["check", "matrix", "bad.json"]) == 2
    assert capsys.readouterr().err.startswith(line)


def test_a_page_that_cannot_be_written(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "matrix", run_file("one", HS_01="pass"), "--html", "none/m.html"]) == 3
    assert capsys.readouterr().err == "cannot write to none/m.html: No such file or directory\n"
