"""`module:name` of the working folder: importable from any program, and the path is added once."""

import sys
from pathlib import Path

import pytest

from audiosocket_sim.import_string import import_object


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "module_of_the_working_folder.py").write_text("answer = 42\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path not in ("", str(tmp_path))])
    monkeypatch.delitem(sys.modules, "module_of_the_working_folder", raising=False)
    return tmp_path


def test_a_module_of_the_working_folder_is_found_and_the_folder_added_once(folder: Path) -> None:
    for _ in range(2):
        assert import_object("module_of_the_working_folder", "answer") == 42
    assert sys.path.count(str(folder)) == 1
    assert sys.path[0] == str(folder)


def test_the_empty_path_stands_for_the_working_folder(folder: Path) -> None:
    sys.path.insert(0, "")
    assert import_object("module_of_the_working_folder", "answer") == 42
    assert str(folder) not in sys.path


def test_another_folder_comes_after_the_working_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = folder / "other"
    other.mkdir()
    (other / "module_of_the_working_folder.py").write_text("answer = 43\n")
    (other / "module_of_another_folder.py").write_text("answer = 44\n")
    monkeypatch.delitem(sys.modules, "module_of_another_folder", raising=False)
    for _ in range(2):
        assert import_object("module_of_another_folder", "answer", other) == 44
        assert import_object("module_of_the_working_folder", "answer", other) == 42
    assert sys.path[:2] == [str(folder), str(other)]
    assert sys.path.count(str(other)) == 1
    sys.modules.pop("module_of_another_folder")


def test_what_is_not_there(folder: Path) -> None:
    with pytest.raises(ModuleNotFoundError):
        import_object("no_such_module_here", "answer")
    with pytest.raises(AttributeError):
        import_object("module_of_the_working_folder", "question")
