"""Which files are collected, and what a person hears of those that are not."""

import pytest
from helpers.plugin_bench import CALL, collected, configure, project, run, write

__all__ = ["project"]

pytest_plugins = ["pytester"]

MODELINE = "# yaml-language-server: $schema=../scenario.schema.json\n"
SCENARIO = CALL.format(tag="quick", end=1)
MOLECULE = "driver: {name: docker}\nplatforms: []\n"
GREEN = "def test_own(): pass\n"


@pytest.fixture
def foreign(project: pytest.Pytester) -> pytest.Pytester:
    """A project that knows nothing of us, with a folder `scenarios` of its own."""
    (project.path / "pytest.ini").unlink()
    (project.path / "scenarios" / "short.yaml").unlink()
    write(project, "scenarios/molecule.yaml", MOLECULE)
    write(project, "test_own.py", GREEN)
    return project


def summary(result: pytest.RunResult) -> list[str]:
    """The lines of our section of the terminal's summary."""
    lines = result.outlines
    start = next((i for i, line in enumerate(lines) if " phone calls " in line), len(lines))
    after = (i for i, line in enumerate(lines) if i > start and line.startswith(("---", "===")))
    return lines[start + 1 : next(after, None)]


def test_a_foreign_folder_of_scenarios_is_left_alone(foreign: pytest.Pytester) -> None:
    result = run(foreign, "-p", "no:syrupy", target=None)
    result.assert_outcomes(passed=1)
    assert summary(result) == []


def test_a_foreign_project_hears_nothing_of_its_yaml(foreign: pytest.Pytester) -> None:
    write(foreign, "tests/data/compose.yaml", "services: {}\n")
    write(foreign, "tests/test_more.py", GREEN)
    result = run(foreign, "-p", "no:syrupy", "tests", target=None)
    result.assert_outcomes(passed=1)
    assert summary(result) == []


def test_without_a_modeline_a_scenario_in_any_folder_is_not_meant(project: pytest.Pytester) -> None:
    configure(project)
    (project.path / "pytest.ini").unlink()
    write(project, "calls/with.yaml", MODELINE + SCENARIO)
    assert collected(project) == {"calls/with.yaml::with"}
    named = "scenarios/short.yaml"
    assert collected(project, named) == {f"{named}::short"}  # a file that the command line names is meant


@pytest.mark.parametrize("given", ["scenarios", ".", "scenarios/molecule.yaml"])
def test_what_is_passed_over_in_a_named_folder_is_said_in_one_line(given: str, foreign: pytest.Pytester) -> None:
    result = run(foreign, "-p", "no:syrupy", given, target=None)
    assert summary(result) == [
        "passed over 1 YAML file: scenarios/molecule.yaml "
        "(no modeline `# yaml-language-server: $schema=…scenario.schema.json`; docs/scenarios.md)"
    ]


def test_what_is_passed_over_in_the_folder_of_the_ini_key(project: pytest.Pytester) -> None:
    write(project, "scenarios/recordings/manifest.yaml", "- file: a.wav\n")
    write(project, "scenarios/molecule.yaml", MOLECULE)
    result = run(project, "-p", "no:syrupy")
    result.assert_outcomes(passed=1)
    said = summary(result)[-1]
    assert said.startswith("passed over 2 YAML files: scenarios/molecule.yaml, scenarios/recordings/manifest.yaml (")


def test_of_many_files_ten_are_named(foreign: pytest.Pytester) -> None:
    for number in range(20):
        write(foreign, f"scenarios/{number:02}.yaml", MOLECULE)
    (line,) = summary(run(foreign, "-p", "no:syrupy", "scenarios", target=None))
    assert line.startswith("passed over 21 YAML files: scenarios/00.yaml, ")
    assert "scenarios/09.yaml and 11 more (" in line


def test_a_broken_scenario_in_the_folder_of_the_ini_key_is_an_error(project: pytest.Pytester) -> None:
    write(project, "scenarios/broken.yaml", "summary: [\n")
    result = run(project, "-p", "no:syrupy")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*broken.yaml:*"])


def test_workers_say_what_they_passed_over(project: pytest.Pytester) -> None:
    write(project, "scenarios/molecule.yaml", MOLECULE)
    result = run(project, "-p", "no:syrupy", "-p", "xdist", "-n", "1")
    result.assert_outcomes(passed=1)
    assert summary(result)[-1].startswith("passed over 1 YAML file: scenarios/molecule.yaml (")
