"""Several callers on the command line: what `run` prints and gives as JSON, and who cannot do anything with them."""

import json
from pathlib import Path

import pytest

from audiosocket_sim.cli.main import main

TARGET = ["--target", "audiosocket_server:serve"]
TWO = """
summary: Two callers at a time, and one after them who hears nothing of what he expects.
server: {greeting: {delay_seconds: 0.2}}
callers: [{name: ana}, {name: bruno, starts: 300ms}]
then: {name: carla, steps: [{expect: {bot_speaks: 1s, within: 100ms}}]}
steps: [{expect: {bot_speaks: 300ms, within: 2s}}]
"""


@pytest.fixture
def two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "two.yaml").write_text(TWO, encoding="utf-8")
    return "two.yaml"


def test_all_calls_are_shown_with_their_callers_and_folders(two: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", *TARGET, two]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "two · 3 calls · Asterisk 22.10, app · µ-law"
    assert [line.split()[:4] for line in lines[2:6]] == [
        ["0.000", "ana", "begin", "the"],
        ["0.200", "ana", "state", "STANDBY"],
        ["0.300", "bruno", "begin", "the"],
        ["0.500", "bruno", "state", "STANDBY"],
    ]
    assert "  two.yaml:5: two, carla, step 1 (expect bot_speaks)" in lines
    assert [line for line in lines if line.startswith("  ana ")] == [
        "  ana         runs/two/ana: transcript, call log, recording"
    ]


@pytest.mark.long("pages of one call are made")
def test_a_report_of_several_callers_is_an_index_with_a_page_of_each(
    two: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", *TARGET, "--report", two]) == 1
    assert "report: runs/index.html" in capsys.readouterr().out
    assert main(["report", "runs/two"]) == 0
    assert all(Path(f"runs/two/{name}/report.html").stat().st_size > 10_000 for name in ("ana", "bruno", "carla"))
    index = Path("runs/two/index.html").read_text(encoding="utf-8")
    assert "two, carla" in index


@pytest.mark.long("all calls are shown with their callers and folders")
def test_as_json_each_call_has_an_object(two: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", *TARGET, "--json", two]) == 1
    told = json.loads(capsys.readouterr().out)
    assert [(call["caller"], call["outcome"]) for call in told["calls"]] == [
        ("ana", "passed"),
        ("bruno", "passed"),
        ("carla", "failed"),
    ]
    assert "turn_taking" not in told
    assert told["calls"][0]["turn_taking"]["version"] >= 2
    assert {event["caller"] for event in told["events"]} == {"ana", "bruno", "carla"}
    assert any("carla" in line for line in told["failures"][0]["around"])
    assert told["artefacts"] == {"transcript": "runs/two/transcript.txt"}
    assert told["calls"][1]["artefacts"]["recording"] == "runs/two/bruno/call.wav"


def test_a_mock_ai_alone_cannot_know_who_calls(two: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path(two).write_text(TWO.replace("{name: ana}", "{name: ana, ai: [{says: x}]}"), encoding="utf-8")
    assert main(["mock-ai", two, "--control-url", "http://127.0.0.1:1"]) == 2
    assert "its callers have replies of their own, and here nobody knows who calls" in capsys.readouterr().err
