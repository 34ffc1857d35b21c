"""Where things lie, and where in its file each part of a scenario is written."""

from pathlib import Path

import pytest

from audiosocket_sim.scenario import paths
from audiosocket_sim.scenario.written import Written


def marked(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "manifest.yaml").touch()
    return folder


def test_the_nearest_folder_is_beside_the_scenario_above_it_or_in_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "PROJECT", tmp_path / "project")
    start = tmp_path / "home" / "scenarios"
    paths.nearest_folder.cache_clear()
    assert paths.nearest_folder("voices", start, "manifest.yaml") is None
    found = []
    for folder in (tmp_path / "project", tmp_path / "home", start):
        expected = marked(folder / "voices")
        paths.nearest_folder.cache_clear()
        found.append(paths.nearest_folder("voices", start, "manifest.yaml") == expected)
    paths.nearest_folder.cache_clear()
    assert found == [True, True, True]


def test_a_place_is_that_of_the_nearest_thing_around_it_that_is_written() -> None:
    written = Written("calls/a.yaml", {("steps",): (3, 1), ("steps", 0): (4, 5)})
    assert written.place("steps", 0, "expect", "within") == ("calls/a.yaml", 4, 5)
    assert written.place("steps", 7) == ("calls/a.yaml", 3, 1)
    assert written.place("ai", 0) is None
    assert (written.line("steps", 0), written.line("ai")) == ("calls/a.yaml:4", "calls/a.yaml")
    apart = Written(
        "a.yaml", {("line",): (0, 0), ("steps", 0): (1, 1)}, {("line",): "--set line=x", ("steps", 0): "b.yaml"}
    )
    assert (apart.line("line"), apart.line("steps", 0)) == ("--set line=x", "b.yaml:1")
    assert apart.place("steps", 0, "say") == ("b.yaml", 1, 1)
