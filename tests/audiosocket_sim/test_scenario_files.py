"""Which YAML files are meant as scenarios, and what a folder of them holds."""

import os
from pathlib import Path

import pytest

from audiosocket_sim import scenario_files
from audiosocket_sim.scenario_files import TooManyFilesError, has_modeline, looks_like_scenario, scenarios_below

MODELINE = "# yaml-language-server: $schema=../scenarios/scenario.schema.json\n"


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.every(3)
@pytest.mark.parametrize(
    ("text", "modeline", "looks"),
    [
        (MODELINE + "driver: {}\n", True, True),
        ("\n\n\n\n" + MODELINE, True, True),
        ("\n\n\n\n\n" + MODELINE, False, False),
        ("# $schema: ./scenario.schema.json\n", True, True),
        ("# see scenario.schema.json\n", False, False),
        ("# yaml-language-server: $schema=other.schema.json\n", False, False),
        ("summary: A call.\nsteps: []\n", False, True),
        ("steps:\n  - wait: 1s\n", False, True),
        ("'summary': A call.\n", False, True),
        ("{summary: A call., steps: []}\n", False, True),
        ("summary: [\n", False, True),
        ("jobs:\n  build:\n    steps: []\n", False, False),
        ("steps_of: 1\n", False, False),
        ("driver: {name: docker}\n", False, False),
        ("", False, False),
        ("\x00\xff", False, False),
    ],
)
def test_what_is_meant(text: str, modeline: bool, looks: bool, tmp_path: Path) -> None:
    path = write(tmp_path / "a.yaml", text)
    assert (has_modeline(path), looks_like_scenario(path)) == (modeline, looks)


def test_what_cannot_be_read_is_not_meant(tmp_path: Path) -> None:
    (tmp_path / "nowhere.yaml").symlink_to("nothing")
    os.mkfifo(tmp_path / "fifo.yaml")
    (tmp_path / "folder.yaml").mkdir()
    for name in ("nowhere.yaml", "fifo.yaml", "folder.yaml", "missing.yaml"):
        assert not looks_like_scenario(tmp_path / name)


def test_below_a_folder(tmp_path: Path) -> None:
    for name in ("b.yaml", "a/c.yml", "a/a.yaml", ".venv/x.yaml", "env/lib/x.yaml", "node_modules/x.yaml", "a.txt"):
        write(tmp_path / name, "summary: A call.\n")
    write(tmp_path / "env" / "pyvenv.cfg", "")
    write(tmp_path / "recordings" / "manifest.yaml", "- file: a.wav\n")
    found = scenarios_below(tmp_path)
    assert [str(path.relative_to(tmp_path)) for path in found.scenarios] == ["a/a.yaml", "a/c.yml", "b.yaml"]
    assert [str(path.relative_to(tmp_path)) for path in found.passed_over] == ["recordings/manifest.yaml"]


def test_a_folder_of_too_many_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scenario_files, "_MOST_FILES", 3)
    for number in range(4):
        write(tmp_path / f"{number}.txt", "")
    with pytest.raises(TooManyFilesError, match="more than 3 files: name a folder nearer to the scenarios"):
        scenarios_below(tmp_path)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        scenarios_below(tmp_path / "missing")
