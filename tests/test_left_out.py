"""What `make test` leaves out and what the gate runs after it are all tests together, and none twice (conftest.py)."""

from collections.abc import Generator
from pathlib import Path

import hypothesis
import pytest

pytest_plugins = ["pytester"]
CONFTEST = (Path(__file__).resolve().parent.parent / "conftest.py").read_text(encoding="utf-8")
MARKERS = ("long", "every", "cells", "asterisk", "browser", "mic", "extra", "apt", "real_time")
TESTS = """
import pytest
from hypothesis import given, strategies

def test_quick(): pass

@pytest.mark.real_time
def test_real_time(): pass

@pytest.mark.long("another stands in")
def test_long(): pass

@pytest.mark.long
def test_long_scenario(): pass

@pytest.mark.apt
def test_apt(): pass

@pytest.mark.every(2)
@pytest.mark.parametrize("number", [1, 2, 3])
def test_cells(number): pass

@given(strategies.integers())
def test_drawn(number): pass

class TestDrawn:
    @given(strategies.integers())
    def test_drawn(self, number): pass
"""
SCENARIO_FILES = """

class Scenarios(pytest.File):
    def collect(self):
        yield Scenario.from_parent(self, name=self.path.stem)

class Scenario(pytest.Item):
    def runtest(self): pass
    def reportinfo(self): return self.path, 0, self.name

def pytest_collect_file(file_path, parent):
    return Scenarios.from_parent(parent, path=file_path) if file_path.suffix == ".yaml" else None
"""
WHOLE = {"test_quick", "test_real_time", "test_cells[1]", "test_cells[3]"}
IN_PART = {"test_drawn", "TestDrawn::test_drawn"}
LEFT_OUT = {"test_long", "test_cells[2]", "test_long_scenario", "test_apt"}


@pytest.fixture(autouse=True)
def profile() -> Generator[None]:
    """The inner conftest.py loads a profile of Hypothesis, which is the whole process's."""
    name = hypothesis.settings.get_current_profile_name()
    hypothesis.settings.load_profile("default")  # of the gate's coverage the profile is one that draws nothing
    yield
    hypothesis.settings.load_profile(name)


def passed(
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    *variables: str,
    files: str = TESTS,
    conftest: str = CONFTEST,
) -> set[str]:
    """The tests that pass with these variables of the environment; all others are skipped or deselected."""
    for name in ("ONLY_PYTHON", "NO_SKIPS", "ONLY_REST"):
        monkeypatch.delenv(f"AUDIOSOCKET_SIM_{name}", raising=False)
    for name in variables:
        monkeypatch.setenv(f"AUDIOSOCKET_SIM_{name}", "1")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeini("[pytest]\nmarkers =\n" + "".join(f"  {name}: one of the project's\n" for name in MARKERS))
    pytester.makeconftest(conftest)
    pytester.makepyfile(files)
    reports = pytester.inline_run("-p", "no:cacheprovider").getreports("pytest_runtest_logreport")
    assert not any(report.failed for report in reports)
    return {report.nodeid.partition("::")[2] for report in reports if report.when == "call" and report.passed}


def test_the_rest_is_what_make_test_leaves_out_or_does_in_part(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = WHOLE - {"test_cells[1]", "test_cells[3]"} | {"test_cells[2 cells]"}
    assert passed(pytester, monkeypatch, "ONLY_PYTHON") == together | IN_PART
    assert passed(pytester, monkeypatch, "ONLY_REST", "NO_SKIPS") == LEFT_OUT | IN_PART


def test_cells_that_are_left_out_are_one_skip_that_says_how_many(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = """
import pytest

@pytest.mark.every(3)
@pytest.mark.parametrize("number", range(7))
def test_cells(number): pass
"""
    assert passed(pytester, monkeypatch, "ONLY_PYTHON", files=files) == {"test_cells[3 cells]"}
    result = pytester.runpytest_inprocess("-rs", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=1, skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED * another of its cells is run (4 cells)"])
    assert passed(pytester, monkeypatch, files=files) == {f"test_cells[{number}]" for number in (0, 3, 6)}


def test_cells_that_are_run_together_are_all_run_and_named_where_they_fail(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = """
import pytest

@pytest.mark.parametrize(("one", "other"), [(1, 1), (1, 2), (3, 3), (3, 4)])
def test_two_fail(one, other):
    assert one == other

@pytest.mark.every(2)
@pytest.mark.parametrize("number", range(4))
def test_one_fails(number):
    with pytest.raises(ZeroDivisionError):
        1 / (2 - number)
"""
    assert passed(pytester, monkeypatch, "ONLY_PYTHON", files="") == set()
    pytester.makepyfile(test_tables=files)
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider")
    result.assert_outcomes(failed=2, skipped=1)
    result.stdout.fnmatch_lines(
        ["*cells [[]1-2], [[]3-4] of 4 failed*", "*assert 1 == 2*", "*cell [[]1-2]", "*cell [[]3-4]"]
    )
    result.stdout.fnmatch_lines(["E *DID NOT RAISE*", "E *cell [[]0]"])


def test_cells_that_could_touch_each_other_and_those_with_a_marker_stay_apart(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = """
import pytest

@pytest.fixture
def anew(): return []

@pytest.fixture(scope="module")
def shared(): return 7

@pytest.fixture
def doubled(request): return 2 * request.param

@pytest.mark.parametrize("number", [1, 2])
def test_anew(number, anew): pass

@pytest.mark.parametrize("number", [1, 2])
def test_shared(shared, number): assert shared == 7

@pytest.mark.parametrize("doubled", [1, 2], indirect=True)
def test_indirect(doubled): assert doubled in (2, 4)

@pytest.mark.parametrize("number", [1, 2])
def test_asks(request, number): pass

@pytest.mark.parametrize("number", [1, pytest.param(2, marks=pytest.mark.real_time), 3])
def test_marked(number): pass

class TestAll:
    @pytest.mark.parametrize("number", [1, 2])
    def test_in_a_class(self, number): pass
"""
    apart = {f"{test}[{cell}]" for test in ("test_anew", "test_indirect", "test_asks") for cell in (1, 2)}
    apart |= {f"TestAll::test_in_a_class[{cell}]" for cell in (1, 2)}
    together = {"test_shared[2 cells]", "test_marked[2 cells]", "test_marked[2]"}
    assert passed(pytester, monkeypatch, "ONLY_PYTHON", files=files) == apart | together


@pytest.mark.long("what is left out and what is not are all")
def test_without_it_everything_is_run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    assert passed(pytester, monkeypatch, "NO_SKIPS") == WHOLE | IN_PART | LEFT_OUT


CALLS_ON_THE_REAL_CLOCK = """
import pytest
from collections import Counter
from audiosocket_sim.running.result import Outcome

LATE = "this machine was too late to judge what failed"
calls = Counter()

class NotAsThePageSays(AssertionError): pass

def call(kind, outcome, problems):
    calls[kind] += 1
    outcome = Outcome.PASSED if calls[kind] > 2 else outcome
    assert outcome is Outcome.PASSED, problems

def page(kind, printed):
    calls[kind] += 1
    if calls[kind] <= 2:
        raise NotAsThePageSays(printed)

@pytest.mark.real_time
def test_without_a_verdict(): call("late", Outcome.INCONCLUSIVE, [LATE])

@pytest.mark.real_time
def test_of_several_none_has_a_verdict(): call("all late", Outcome.INCONCLUSIVE, ["ana: " + LATE, "bia: " + LATE])

@pytest.mark.real_time
def test_that_says_so():
    calls["says"] += 1
    assert calls["says"] > 2, LATE

@pytest.mark.real_time
def test_page(): page("page", "$ pytest\\n1 INCONCLUSIVE: " + LATE)

@pytest.mark.real_time
def test_failed(): call("failed", Outcome.FAILED, ["expected: the bot speaks"])

@pytest.mark.real_time
def test_failed_beside_one_without_a_verdict(): call("beside", Outcome.FAILED, ["bia: " + LATE])

@pytest.mark.real_time
def test_page_with_a_failure(): page("failing page", "$ pytest\\nINCONCLUSIVE: " + LATE + "\\nFAILED a.yaml")

def test_in_virtual_time(): call("virtual", Outcome.INCONCLUSIVE, [LATE])
"""


def test_a_call_on_the_real_clock_without_a_verdict_is_made_again_and_no_other(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed(pytester, monkeypatch, files="")
    pytester.makepyfile(test_calls=CALLS_ON_THE_REAL_CLOCK)
    monkeypatch.setattr("time.sleep", lambda _: None)
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", "pytest_rerunfailures", "-v")
    again = {"test_without_a_verdict", "test_of_several_none_has_a_verdict", "test_that_says_so", "test_page"}
    never = {
        *("test_failed", "test_failed_beside_one_without_a_verdict", "test_page_with_a_failure"),
        "test_in_virtual_time",
    }
    result.stdout.fnmatch_lines_random(
        [*(f"*::{name} PASSED*" for name in again), *(f"*::{name} FAILED*" for name in never)]
    )
    assert result.parseoutcomes() == {"passed": 4, "failed": 4, "rerun": 8}


@pytest.mark.long("one without a verdict is made again")
def test_a_call_that_never_has_a_verdict_fails(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    passed(pytester, monkeypatch, files="")
    pytester.makepyfile(test_calls=CALLS_ON_THE_REAL_CLOCK.replace("> 2", "> 9"))
    monkeypatch.setattr("time.sleep", lambda _: None)
    result = pytester.runpytest_inprocess(
        "-p", "no:cacheprovider", "-p", "pytest_rerunfailures", "-k", "test_without_a_verdict"
    )
    assert result.parseoutcomes()["rerun"] == 3
    assert result.parseoutcomes()["failed"] == 1


def test_of_shipped_scenarios_a_sixth_is_called_and_all_that_users_begin_with(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makefile(".md", README="The demo is `shown.yaml`.")
    for folder, names in {
        "scenarios": (*"abcdefgh", "barge_in_over_an_echo", "shown"),
        "scenarios/needs": ("i", "j"),
    }.items():
        pytester.mkdir(folder)
        for name in names:
            (pytester.path / folder / f"{name}.yaml").touch()
    called = {
        name: passed(pytester, monkeypatch, *name.split(), files="", conftest=CONFTEST + SCENARIO_FILES)
        for name in ("ONLY_PYTHON", "ONLY_REST NO_SKIPS", "NO_SKIPS", "")
    }
    in_make_test = {"a", "g", "i", "j", "barge_in_over_an_echo", "shown"}
    assert called["ONLY_PYTHON"] == in_make_test
    assert called["ONLY_REST NO_SKIPS"] == {*"bcdefh"}
    assert called["NO_SKIPS"] == called[""] == in_make_test | {*"bcdefh"}
