"""What pyproject.toml promises about the distribution, held to the files beside it."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def name_of(requirement: str) -> str:
    """The normalised name of a distribution: `pytest_xdist[psutil]>=3` is pytest-xdist."""
    found = re.match(r"[\w.-]+", requirement)
    assert found is not None, requirement
    return re.sub(r"[-_.]+", "-", found[0]).lower()


def pinned() -> set[str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return {name_of(line) for line in lines if not line.startswith("#")}


def test_each_constraint_is_one_exact_version() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not line.startswith("#") and not re.match(r"[\w.-]+==[\w.]+( ;|$)", line)] == []


@pytest.mark.parametrize("extra", ["", *EXTRAS])
def test_each_requirement_has_its_exact_version_in_the_constraints(extra: str) -> None:
    requirements = EXTRAS[extra] if extra else PROJECT["dependencies"]
    assert {name_of(requirement) for requirement in requirements} - pinned() - {"audiosocket-sim"} == set()


def test_the_interpreters_of_the_metadata_are_those_of_the_makefile_and_of_the_gate() -> None:
    versions = [c.rpartition(" ")[2] for c in PROJECT["classifiers"] if re.match(r".*Python :: 3\.\d", c)]
    first, last = versions[0], versions[-1]
    assert PROJECT["requires-python"] == f">={first},<3.{int(last.split('.')[1]) + 1}"
    assert f"({first.replace('.', ', ')}) <= v <= ({last.replace('.', ', ')})" in MAKEFILE
    assert f"find_interpreters {' '.join(versions)}" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_the_newest_entry_of_the_changelog_is_the_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.search(r"^## \[(.+?)\]", changelog, re.MULTILINE)
    assert newest is not None
    assert newest[1] == PROJECT["version"]


@pytest.mark.parametrize("package", ["audiosocket_core", "audiosocket_sim", "server/audiosocket_server"])
def test_each_package_ships_its_types(package: str) -> None:
    assert (ROOT / package / "py.typed").is_file()
    assert "Typing :: Typed" in PROJECT["classifiers"]


def test_no_package_has_a_name_that_a_file_of_a_users_own_is_likely_to_have() -> None:
    """All begin with `audiosocket_`: a user's own `server.py` or `audiosocket.py` is not hidden, and hides nothing."""
    tool = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    packages = [Path(path).name for path in tool["hatch"]["build"]["targets"]["wheel"]["packages"]]
    assert packages == ["audiosocket_core", "audiosocket_sim", "audiosocket_server"]
