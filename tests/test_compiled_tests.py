"""What `make test` compiles beside pip (.ci/compile_tests.py) is what pytest would write, and pytest takes it."""

import runpy
import sys
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]
SCRIPT = Path(__file__).resolve().parent.parent / ".ci" / "compile_tests.py"


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A test that fails, with the script beside it."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeconftest("")
    for path, text in {
        "tests/part/test_fails.py": "def test_fails():\n    assert 1 + 1 == 3\n",
        "tests/part/conftest.py": "",
        ".ci/compile_tests.py": SCRIPT.read_text(encoding="utf-8"),
    }.items():
        (pytester.path / path).parent.mkdir(parents=True, exist_ok=True)
        (pytester.path / path).write_text(text, encoding="utf-8")
    return pytester


def compiled(project: pytest.Pytester) -> dict[str, int]:
    """The rewritten files, and which file of the disk each is: one that is written anew is another."""
    return {
        str(path.relative_to(project.path)): path.stat().st_ino
        for path in project.path.rglob("__pycache__/*-pytest-*.pyc")
    }


def test_pytest_takes_what_was_compiled_before(project: pytest.Pytester) -> None:
    runpy.run_path(str(project.path / ".ci" / "compile_tests.py"), run_name="__main__")
    before = compiled(project)
    assert [Path(path).name.partition(".")[0] for path in sorted(before)] == ["conftest", "conftest", "test_fails"]
    result = project.runpytest_inprocess("--import-mode=importlib", "-p", "no:cacheprovider")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E *assert (1 + 1) == 3"])
    assert compiled(project) == before


def test_a_file_that_has_changed_is_compiled_anew(project: pytest.Pytester) -> None:
    for text in ("def test_one(): pass\n", "def test_two(): pass\n"):
        (project.path / "tests/part/test_fails.py").write_text(text, encoding="utf-8")
        runpy.run_path(str(project.path / ".ci" / "compile_tests.py"), run_name="__main__")
    before = compiled(project)
    project.runpytest_inprocess("--import-mode=importlib", "-p", "no:cacheprovider").assert_outcomes(passed=1)
    assert compiled(project) == before
