"""`load_scenarios`: one of a file, all of a folder, in order; what is wrong, all at once."""

import os
from pathlib import Path
from typing import Any

import pytest

from audiosocket_sim import ScenarioError, load_scenarios

ROOT = Path(__file__).resolve().parents[3]
CALL = "summary: A call.\nsteps: [{wait: 1s}]\n"
MODELINE = "# yaml-language-server: $schema=./scenario.schema.json\n"


def write(folder: Path, name: str, text: str = CALL) -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def test_a_file_is_a_list_of_one(tmp_path: Path) -> None:
    (made,) = load_scenarios(write(tmp_path, "a.yaml"))
    assert (made.name, made.folder, made.summary) == ("a", tmp_path, "A call.")
    assert load_scenarios(str(tmp_path / "a.yaml")) == [made]


def test_a_shipped_one_by_its_bare_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert [made.name for made in load_scenarios("two_turns")] == ["two_turns"]


@pytest.mark.long("quicker tests of this file are run")
def test_a_folder_gives_all_below_it_in_order(tmp_path: Path) -> None:
    for name in ("b.yaml", "a.yml", "deep/er/c.yaml", "z.yaml"):
        write(tmp_path, name)
    write(tmp_path, "recordings/manifest.yaml", "- file: a.wav\n")
    write(tmp_path, "docker-compose.yaml", "services: {}\nsummary: none\n")
    write(tmp_path, ".venv/lib/hidden.yaml")
    write(tmp_path, "notes.txt", CALL)
    assert [made.name for made in load_scenarios(tmp_path)] == ["a", "b", "c", "z"]
    names = [made.name for made in load_scenarios(ROOT / "scenarios")]
    assert len(set(names)) == len(names)
    files = {path.stem for path in (ROOT / "scenarios").rglob("*.yaml")}
    assert {name.partition("[")[0] for name in names} == files  # some make several calls


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    write(tmp_path, "good.yaml")
    write(tmp_path, "bad.yaml", CALL.replace("wait", "wiat"))
    write(tmp_path, "worse.yaml", MODELINE + "sumary: A call.\n")
    with pytest.raises(ScenarioError) as wrong:
        load_scenarios(tmp_path)
    lines = str(wrong.value).splitlines()
    assert lines[0] == f"{tmp_path}/bad.yaml:2:9: unknown step 'wiat'; did you mean 'wait'?"
    assert any(line.startswith(f"{tmp_path}/worse.yaml:2:") for line in lines)


LINE = "summary: A call.\nfor_each: {noise: [-60, -40]}\nline: {noise_dbfs: '${noise}'}\nsteps: [{wait: 1s}]\n"


@pytest.mark.parametrize(
    "values",
    [
        {"for_each.noise": [-20.5], "asterisk": "20.6", "line.codec": "alaw"},
        ["for_each.noise=[-20.5]", "asterisk=20.6", "line.codec=alaw"],
    ],
)
def test_values_are_set(values: Any, tmp_path: Path) -> None:
    write(tmp_path, "a.yaml", LINE)
    write(tmp_path, "b.yaml")
    line, plain = load_scenarios(tmp_path, set=values)
    assert (line.name, line.line.noise_dbfs, line.line.codec) == ("a[noise=-20.5]", -20.5, "alaw")
    assert (plain.asterisk.version, plain.line.codec) == ("20.6", "alaw")
    assert load_scenarios(tmp_path / "a.yaml", set=values) == [line]
    assert load_scenarios(tmp_path / "b.yaml", set="line.codec=alaw")[0].line.codec == "alaw"


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"line.codex": "x"}, "set line.codex=\"x\": unknown key 'codex'; did you mean 'codec'?"),
        (["line"], "set: 'line': expected KEY.KEY=VALUE, such as line.noise_dbfs=-40"),
        ({"line.noise": Path("x")}, "set: needs texts, numbers, lists and mappings: Object of type PosixPath is not"),
        ({"line.noise_dbfs": float("nan")}, "set: needs texts, numbers, lists and mappings: Out of range float"),
        (
            {"for_each.nois": [1]},
            "set: for_each.nois=[1]: no scenario of this run has 'nois' in its for_each; did you mean 'noise'?",
        ),
    ],
)
def test_what_cannot_be_set(values: Any, line: str, tmp_path: Path) -> None:
    write(tmp_path, "a.yaml", LINE)
    for place in (tmp_path, tmp_path / "a.yaml"):
        with pytest.raises(ScenarioError) as wrong:
            load_scenarios(place, set=values)
        assert str(wrong.value).startswith(line)
        assert len(str(wrong.value).splitlines()) == 1


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="no scenario in this folder or below it"):
        load_scenarios(tmp_path)
    with pytest.raises(ScenarioError, match=r"none\.yaml: No such file or directory"):
        load_scenarios(tmp_path / "none.yaml")


def test_a_file_that_cannot_be_read_is_reported_and_a_link_to_nowhere_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "a.yaml")
    (tmp_path / "nowhere.yaml").symlink_to("gone")
    assert [made.name for made in load_scenarios(tmp_path)] == ["a"]
    locked = write(tmp_path, "b.yaml")

    def refusing(real: Any) -> Any:
        def refuse(path: Any, *args: Any, **more: Any) -> Any:
            if str(path) == str(locked):
                raise PermissionError(13, "Permission denied")
            return real(path, *args, **more)

        return refuse

    monkeypatch.setattr(Path, "open", refusing(Path.open))
    monkeypatch.setattr(os, "open", refusing(os.open))
    with pytest.raises(ScenarioError, match=r"b\.yaml: Permission denied"):
        load_scenarios(tmp_path)
