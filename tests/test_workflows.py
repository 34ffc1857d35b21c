"""The hosted workflows, the hooks before a commit and CONTRIBUTING name only what there is."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parent.parent
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
WORKFLOWS = [
    *sorted((ROOT / ".github" / "workflows").glob("*.yml")),
    *sorted((ROOT / "docs" / "examples").glob("*.yml")),
]


def read(path: Path) -> Any:
    return YAML(typ="safe").load(path.read_text(encoding="utf-8"))


def steps(workflow: Path) -> list[dict[str, Any]]:
    return [step for job in read(workflow)["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", ".github/workflows/ci.yml"])
def test_each_make_target_that_a_page_names_is_one(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    named = re.findall(r"(?:`|: |^    )make ([a-z][a-z-]+)", text, re.MULTILINE)
    assert named
    assert set(named) - TARGETS == set()


def test_each_target_of_the_makefile_is_declared_as_no_file() -> None:
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert phony is not None
    assert set(phony[1].split()) == TARGETS


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: str(path.name))
def test_a_workflow_may_only_read_the_repository_and_each_job_ends(workflow: Path) -> None:
    read_workflow = read(workflow)
    assert read_workflow["permissions"] == {"contents": "read"}
    assert all(0 < job["timeout-minutes"] <= 60 for job in read_workflow["jobs"].values())


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: str(path.name))
def test_each_action_of_a_workflow_has_its_version(workflow: Path) -> None:
    used = [step["uses"] for step in steps(workflow) if "uses" in step]
    assert used
    assert [action for action in used if not re.fullmatch(r"actions/[a-z-]+@v\d+", action)] == []


def test_the_projects_workflow_tests_every_interpreter_of_the_metadata() -> None:
    jobs = read(ROOT / ".github" / "workflows" / "ci.yml")["jobs"]
    classifiers = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["classifiers"]
    assert jobs["test"]["strategy"]["matrix"]["python"] == [
        c.rpartition(" ")[2] for c in classifiers if re.match(r".*Python :: 3\.\d", c)
    ]


def test_the_projects_workflow_runs_every_part_of_the_gate() -> None:
    gate = re.findall(
        r"^ *(?:\[.*\|\| )?part .* make ([a-z-]+)", (ROOT / ".ci" / "run").read_text(encoding="utf-8"), re.MULTILINE
    )
    hosted = {
        step["run"].removeprefix("make ")
        for step in steps(ROOT / ".github" / "workflows" / "ci.yml")
        if "run" in step and "if" not in step
    }
    assert len(gate) == 8
    assert set(gate) == hosted


def test_each_variable_that_the_gate_sets_is_one_of_the_makefile() -> None:
    makefile, gate = ((ROOT / name).read_text(encoding="utf-8") for name in ("Makefile", ".ci/run"))
    named = set(re.findall(r"\b([A-Z][A-Z_]*)=(?:yes|no|\")", gate))
    assert {"BRANCHES", "ONLY_DRAWN", "ONLY_PARTS", "REAL_TIME", "PY", "VENV"} == named
    assert {name for name in named if f"$({name})" not in makefile} == set()


def test_the_gate_runs_every_test_on_one_interpreter() -> None:
    gate = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert re.findall(r"^ *part .* make (test\S*)(.*)$", gate, re.MULTILINE) == [
        ("test", ' PY="$(interpreter "$version")" VENV=".venv-$version"'),
        ("test-most", ' ONLY_DRAWN=yes REAL_TIME=no VENV=".venv-$newest"'),
        ("test-all", ' ONLY_PARTS=yes VENV=".venv-$first"'),
    ]


def test_the_hooks_before_a_commit_use_the_projects_own_tools() -> None:
    repos = read(ROOT / ".pre-commit-config.yaml")["repos"]
    assert [repo["repo"] for repo in repos] == ["local"]
    for hook in repos[0]["hooks"]:
        assert hook["language"] == "system"
        for path in re.findall(r"tests/\S+", hook["entry"]):
            assert (ROOT / path).is_file(), path
