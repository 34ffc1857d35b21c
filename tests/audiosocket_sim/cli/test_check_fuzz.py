"""`check --fuzz` as a person meets it: what is printed, the file that is kept, and the case that it becomes."""

from pathlib import Path

import pytest

from audiosocket_sim.cli.main import main

BOT = """
from planted import good_server
from planted.{module} import {fault}
from planted.ways import KINDS


async def serve(**how):
    how["settings"] = {{**how["settings"], "planted": {{"ways": KINDS["doorman"], "fault": {fault}}}}}
    return await good_server.serve(**how)
"""
STREAM = """
id: MY-01
title: the server is gone
harm: gone
stream:
- announce:
- send: "03 00 00"   # a key without its digit
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def bot(folder: Path, module: str = "odd_streams", fault: str = "DiesOfAnEmptyKey") -> str:
    name = f"bot_{fault.lower()}_{abs(hash(str(folder)))}"
    (folder / f"{name}.py").write_text(BOT.format(module=module, fault=fault), encoding="utf-8")
    return f"{name}:serve"


def good_bot(folder: Path) -> str:
    return bot(folder, "good_server", "Call")


def check(*more: str) -> int:
    return main(["check", *more])


@pytest.mark.long("test_search and test_result_text stand in")
def test_a_search_that_finds_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check("--target", good_bot(folder), "--fuzz", "0.001", "--seed", "7") == 0
    out = capsys.readouterr().out.splitlines()
    assert out[1] == "  search       0.001 s of trying, seed 7, calls in virtual time; findings go to checks"
    assert out[2].startswith("  cost         calls cost money")
    assert out[-1].startswith("no finding: ")
    assert out[-1].endswith(" calls, in virtual time; seed 7")
    assert not (folder / "checks").exists()


@pytest.mark.long("test_search and test_own_cases stand in")
def test_a_finding_is_kept_and_becomes_a_case(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = bot(folder)
    assert check("--target", target, "--fuzz", "0.01", "--seed", "7") == 1
    out = capsys.readouterr().out
    assert "✗ the server is gone  (stream 7/" in out
    assert "key, 0 bytes" in out
    assert "--replay checks/my-01-gone.yaml" in out
    assert check("--target", target, "--replay", "checks/my-01-gone.yaml") == 1
    assert check("--target", target, "--only", "MY-01") == 1


@pytest.mark.long("quicker tests of this file are run")
def test_a_kept_file_is_a_case_that_can_be_replayed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "checks").mkdir()
    (folder / "checks" / "my-01-gone.yaml").write_text(STREAM)
    target = bot(folder)
    assert check("--target", target, "--only", "MY-01") == 1
    out = capsys.readouterr().out
    assert "MY-01  FAIL  the server is gone" in out
    assert "required     a new call afterwards: takes a new call" in out
    assert "check --target" in out
    assert check("--target", good_bot(folder), "--replay", "checks/my-01-gone.yaml") == 0
    assert "passed: 1 passed; " in capsys.readouterr().out


def test_own_cases_are_listed_and_explained(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = folder / "mine"
    other.mkdir()
    (other / "a.yaml").write_text(STREAM)
    assert check("--list", "--cases", "mine") == 0
    assert "MY-01" in capsys.readouterr().out
    assert check("--explain", "MY-01", "--cases", "mine") == 0
    assert "does what a.yaml says" in capsys.readouterr().out
    assert check("--list") == 0
    assert "MY-01" not in capsys.readouterr().out


def test_a_file_that_is_none_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "bad.yaml").write_text("stream:\n- jump: 3\n")
    assert check("--target", "x:y", "--replay", "bad.yaml") == 2
    assert "bad.yaml:2: there is no step 'jump'" in capsys.readouterr().err
    (folder / "a.yaml").write_text(STREAM)
    (folder / "b.yaml").write_text(STREAM)
    assert check("--target", "x:y", "--replay", "a.yaml", "--replay", "b.yaml") == 2
    assert "two of these files have the same id (MY-01, MY-01)" in capsys.readouterr().err


@pytest.mark.parametrize("seconds", ["0", "-1", "1e3", "long"])
def test_seconds_are_seconds(seconds: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        check("--target", "x:y", f"--fuzz={seconds}")
    assert ended.value.code == 2
    assert "expected seconds, more than 0" in capsys.readouterr().err


def test_a_target_that_cannot_be_started(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check("--target", "absent_bot:serve", "--fuzz", "1") == 3
    assert "absent_bot" in capsys.readouterr().err
