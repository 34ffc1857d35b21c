"""Which files are collected, and what a person hears of those that are not."""

import pytest
from helpers.plugin_bench import CALL, collected, configure, project, run, write

__all__ = ["project"]

pytest_plugins = ["pytester"]

MODELINE = "# yaml-language-server: $schema=../scenario.schema.json\n"
SCENARIO = CALL.format(tag="quick", end=1)
MOLECULE = "driver: {name: docker}\nplatforms: []\n"
LIGHT = """
import sys

def test_light():
    assert not {"numpy", "pydantic", "audiosocket_server"} & set(sys.modules)
"""
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


@pytest.mark.long("a foreign folder of scenarios is left alone")
def test_a_foreign_project_hears_nothing_of_its_yaml(foreign: pytest.Pytester) -> None:
    write(foreign, "tests/data/compose.yaml", "services: {}\n")
    write(foreign, "tests/test_more.py", GREEN)
    result = run(foreign, "-p", "no:syrupy", "tests", target=None)
    result.assert_outcomes(passed=1)
    assert summary(result) == []


@pytest.mark.long("quicker tests of this file are run")
def test_without_a_modeline_a_scenario_in_any_folder_is_not_meant(project: pytest.Pytester) -> None:
    configure(project)
    (project.path / "pytest.ini").unlink()
    write(project, "calls/with.yaml", MODELINE + SCENARIO)
    assert collected(project) == {"calls/with.yaml::with"}
    named = "scenarios/short.yaml"
    assert collected(project, named) == {f"{named}::short"}  # a file that the command line names is meant


@pytest.mark.every(3)
@pytest.mark.parametrize("given", ["scenarios", ".", "scenarios/molecule.yaml"])
def test_what_is_passed_over_in_a_named_folder_is_said_in_one_line(given: str, foreign: pytest.Pytester) -> None:
    result = run(foreign, "-p", "no:syrupy", given, target=None)
    assert summary(result) == [
        "passed over 1 YAML file: scenarios/molecule.yaml "
        "(no modeline `# yaml-language-server: $schema=…scenario.schema.json`; docs/scenarios.md)"
    ]


@pytest.mark.long("quicker tests of this file are run")
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


@pytest.mark.long("broken scenarios have their own tests")
def test_a_broken_scenario_in_the_folder_of_the_ini_key_is_an_error(project: pytest.Pytester) -> None:
    write(project, "scenarios/broken.yaml", "summary: [\n")
    result = run(project, "-p", "no:syrupy")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*broken.yaml:*"])


@pytest.mark.parametrize("workers", [[], ["-p", "xdist", "-n", "1"]], ids=["here", "in a worker"])
@pytest.mark.long("the key alone is tried")
def test_what_testpaths_names_is_not_named(workers: list[str], project: pytest.Pytester) -> None:
    configure(project, "testpaths = tests scenarios")
    write(project, "tests/data/compose.yaml", "services: {}\n")
    result = run(project, "-p", "no:syrupy", *workers)
    result.assert_outcomes(passed=1)
    assert not [line for line in summary(result) if "passed over" in line]
    named = summary(run(project, "-p", "no:syrupy", *workers, "tests", "scenarios"))
    assert named[-1].startswith("passed over 1 YAML file: tests/data/compose.yaml (")


@pytest.mark.parametrize("workers", [[], ["-p", "xdist", "-n", "1"]], ids=["here", "in a worker"])
@pytest.mark.long("the key alone is tried")
def test_a_folder_of_the_ini_key_beside_testpaths(workers: list[str], project: pytest.Pytester) -> None:
    configure(project, "testpaths = tests")
    write(project, "other/scenarios/more.yaml")
    write(project, "tests/test_own.py", GREEN)
    run(project, "-p", "no:syrupy", *workers).assert_outcomes(passed=3)
    run(project, "-p", "no:syrupy", *workers, "tests").assert_outcomes(passed=1)  # a place that is named is all
    run(project, "-p", "no:syrupy", *workers, "--ignore=scenarios").assert_outcomes(passed=2)


@pytest.mark.long("cells of for_each are collected")
def test_a_folder_of_the_ini_key_within_testpaths_is_collected_once(project: pytest.Pytester) -> None:
    configure(project, "testpaths = scenarios other")
    write(project, "other/scenarios/more.yaml")
    assert collected(project) == {"scenarios/short.yaml::short", "other/scenarios/more.yaml::more"}
    run(project, "-p", "no:syrupy").assert_outcomes(passed=2)


@pytest.mark.long("quicker tests of this file are run")
def test_a_folder_outside_of_the_root_folder(project: pytest.Pytester) -> None:
    inner = project.path / "inner"
    inner.mkdir()
    (inner / "pytest.ini").write_text("[pytest]\naudiosocket_scenarios = ../scenarios\n", encoding="utf-8")
    run(project, "-p", "no:syrupy", "-c", "inner/pytest.ini", "scenarios").assert_outcomes(passed=1)


def test_a_folder_of_the_ini_key_that_is_not_there(project: pytest.Pytester) -> None:
    (project.path / "pytest.ini").write_text("[pytest]\naudiosocket_scenarios = scenarioes\n", encoding="utf-8")
    wrong = run(project)
    assert wrong.ret == pytest.ExitCode.USAGE_ERROR
    wrong.stderr.fnmatch_lines(["ERROR: audiosocket_scenarios: there is no folder */scenarioes"])


@pytest.mark.long("quicker tests of this file are run")
@pytest.mark.parametrize("name", ["server.py", "audiosocket.py"])
def test_a_file_of_a_common_name_in_the_root_folder_breaks_nothing(name: str, project: pytest.Pytester) -> None:
    write(project, name, "raise RuntimeError('imported')\n")
    run(project, "-p", "no:syrupy").assert_outcomes(passed=1)


@pytest.mark.long("the plug-in is imported alone")
def test_in_a_foreign_project_nothing_heavy_is_imported(foreign: pytest.Pytester) -> None:
    write(foreign, "scenarios/test_light.py", LIGHT)
    plugin = ("-p", "audiosocket_sim.pytest_plugin.plugin")
    result = foreign.runpytest_subprocess(*plugin, "scenarios")
    result.assert_outcomes(passed=1)
    assert "passed over" in result.stdout.str()


@pytest.mark.long("one process says it")
def test_workers_say_what_they_passed_over(project: pytest.Pytester) -> None:
    write(project, "scenarios/molecule.yaml", MOLECULE)
    result = run(project, "-p", "no:syrupy", "-p", "xdist", "-n", "1")
    result.assert_outcomes(passed=1)
    assert summary(result)[-1].startswith("passed over 1 YAML file: scenarios/molecule.yaml (")


MATRIX = """
summary: A short call that ends after ${end} s.
for_each: {end: [2, 3]}
tags: ["${tag}"]
server: {script: [[0.5, say, pt-br/pode_subir], ["${end}", hang_up]]}
steps:
  - include: parts/ends.yaml
"""


def write_matrix(project: pytest.Pytester) -> None:
    write(project, "scenarios/short.yaml", MATRIX.replace("${tag}", "quick"))
    write(project, "scenarios/parts/ends.yaml", "- expect: {hangs_up: server, within: 4s}\n")
    write(project, "scenarios/defaults.yaml", "reaction: 400ms\n")


@pytest.mark.long("the shipped scenarios have cells with snapshots")
def test_each_cell_is_a_test_with_a_snapshot_of_its_own(project: pytest.Pytester) -> None:
    write_matrix(project)
    ids = {"scenarios/short.yaml::short[end=2]", "scenarios/short.yaml::short[end=3]"}
    assert collected(project) == ids
    assert collected(project, "scenarios/short.yaml::short") == ids
    assert collected(project, "scenarios/short.yaml::short[end=3]") == {"scenarios/short.yaml::short[end=3]"}
    result = run(project, "--snapshot-update", "scenarios")
    result.assert_outcomes(passed=2)
    assert not [line for line in summary(result) if "passed over" in line]  # they are parts of a scenario
    kept = project.path / "scenarios/transcripts"
    assert {file.name for file in kept.iterdir()} == {"short[end=2].txt", "short[end=3].txt"}
    assert {file.name for file in (project.path / "runs/pytest/scenarios").iterdir()} == {
        "short[end=2]",
        "short[end=3]",
    }
    run(project).assert_outcomes(passed=2)
    write(project, "scenarios/short.yaml", MATRIX.replace("[2, 3]", "[3]").replace("${tag}", "quick"))
    result = run(project)
    assert "transcripts without a scenario: scenarios/transcripts/short[end=2].txt" in summary(result)
    run(project, "--snapshot-update")
    assert {file.name for file in kept.iterdir()} == {"short[end=3].txt"}


@pytest.mark.long("cells of for_each are collected")
def test_values_are_set_and_then_no_snapshot_counts(project: pytest.Pytester) -> None:
    write_matrix(project)
    run(project, "--snapshot-update").assert_outcomes(passed=2)
    before = (project.path / "scenarios/transcripts/short[end=2].txt").read_text(encoding="utf-8")
    for arguments in (["--audiosocket-set", "line.noise_dbfs=-40"], ["-o", "audiosocket_set=line.noise_dbfs=-40"]):
        result = run(project, "--snapshot-update", *arguments)
        result.assert_outcomes(passed=2)
        assert not [line for line in summary(result) if "no snapshot" in line]
    assert (project.path / "scenarios/transcripts/short[end=2].txt").read_text(encoding="utf-8") == before
    called = (project.path / "runs/pytest/scenarios/short[end=2]/transcript.txt").read_text(encoding="utf-8")
    assert "noise −40 dBFS" in called


@pytest.mark.long("the command run refuses them")
def test_what_cannot_be_set_is_a_usage_error(project: pytest.Pytester) -> None:
    result = run(project, "--audiosocket-set", "noise")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--audiosocket-set 'noise': expected KEY.KEY=VALUE, such as line.noise_dbfs=-40"])
    result = run(project, "--audiosocket-set", "line.nose=1")
    result.stdout.fnmatch_lines(["*--audiosocket-set line.nose=1: unknown key 'nose'*"])


NO_END = "no scenario of this run has 'ends' in its for_each; did you mean 'end'?"


@pytest.mark.long("the command run refuses them")
def test_values_for_a_name_that_no_scenario_has_are_a_usage_error(project: pytest.Pytester) -> None:
    write_matrix(project)
    result = run(project, "--audiosocket-set", "for_each.ends=[3]")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert result.errlines[0] == f"ERROR: --audiosocket-set for_each.ends=[3]: {NO_END}"
    assert len(collected(project, "-o", "audiosocket_set=for_each.ends=[3]")) == 2  # meant for all, also for others
    assert len(collected(project, "--audiosocket-set", "for_each.end=[3]")) == 1
    write(project, "test_own.py", GREEN)
    run(project, "--audiosocket-set", "for_each.ends=[3]", "test_own.py").assert_outcomes(passed=1)


@pytest.mark.long("one process says it")
def test_workers_say_that_no_scenario_has_such_a_name(project: pytest.Pytester) -> None:
    write_matrix(project)
    result = run(project, "-p", "xdist", "-n", "2", "--audiosocket-set", "for_each.ends=[3]")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert result.errlines[0] == f"ERROR: --audiosocket-set for_each.ends=[3]: {NO_END}"


@pytest.mark.long("quicker tests of this file are run")
def test_a_cell_that_is_not_valid_is_named(project: pytest.Pytester) -> None:
    write_matrix(project)
    write(project, "scenarios/short.yaml", MATRIX.replace("[2, 3]", "[2, A]").replace("${tag}", "t${end}"))
    result = run(project)
    result.assert_outcomes(errors=1)
    what = "a tag consists of lower-case letters, digits and _, not 'tA'"
    result.stdout.fnmatch_lines([f"*scenarios/short.yaml:4:8: {what} (in short*end=A*)"])


@pytest.mark.long("cells of for_each are collected")
def test_each_run_is_a_test_and_the_first_one_has_the_snapshot(project: pytest.Pytester) -> None:
    late = SCENARIO.replace("[1, hang_up]", "[2, hang_up]") + "runs: 2\n"
    write(project, "scenarios/short.yaml", late)
    assert collected(project) == {"scenarios/short.yaml::short[run=1]", "scenarios/short.yaml::short[run=2]"}
    assert len(collected(project, "--audiosocket-repeat", "3")) == 3
    result = run(project, "--snapshot-update", "scenarios")
    result.assert_outcomes(passed=2)
    assert "short: 2 of 2 passed (100 %, 95 % interval 34 to 100 %)" in summary(result)
    assert [file.name for file in (project.path / "scenarios/transcripts").iterdir()] == ["short.txt"]
    write(project, "scenarios/short.yaml", late.replace("Pode subir.", "Boa noite."))
    result = run(project, "scenarios")
    result.assert_outcomes(failed=2)
    assert (
        "  2 × failed: scenarios/short.yaml:6: step 1 (expect bot_says): expected the bot says “Boa noite.”"
        in summary(result)
    )
    result.stdout.fnmatch_lines(["run 2 of 2: line.seed=2"])


def test_a_number_of_runs_that_is_none_is_a_usage_error(project: pytest.Pytester) -> None:
    result = run(project, "--audiosocket-repeat", "0")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--audiosocket-repeat 0: expected a number from 1 to 1000"])
