"""The small changes that `benchmarks.mutants` makes: each of its kind, and none where no verdict is."""

import ast
import subprocess
import sys

import pytest

from benchmarks.mutants.changes import mutants, mutated
from benchmarks.mutants.rooms import ROOMS


def changes(source: str) -> list[tuple[str, str]]:
    return [(mutant.before, mutant.after) for mutant in mutants(source)]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a < b", [("a < b", "a <= b")]),
        ("a is None", [("a is None", "a is not None")]),
        ("x = a <= b < c", [("a <= b < c", "a < b < c"), ("a <= b < c", "a <= b <= c")]),
        ("x = a and b", [("a and b", "a or b"), ("a and b", "b"), ("a and b", "a")]),
        ("x = not a", [("not a", "a")]),
        ("x = a - b", [("a - b", "a + b")]),
        ("x = 3", [("3", "4"), ("3", "2")]),
        ("x = 0", [("0", "1")]),
        ("x = 20", [("20", "21"), ("20", "10"), ("20", "40")]),
        ("x = True", [("True", "False")]),
        ("x = 'who'", [("'who'", "'XXwho'")]),
        ("x = a[:n]", [(":n", ":")]),
        ("x = [a for a in b if c]", [("for a in b if c", "for a in b")]),
        ("x = min(a, b)", [("min(a, b)", "max(a, b)")]),
        ("x = f(a, b=c)", [("f(a, b=c)", "f(a)")]),
        ("self.x = a", [("self.x = a", "pass")]),
        ("x = a", []),
        ("if a: b", [("if a", "if not a"), ("b", "pass")]),
    ],
)
def test_each_kind_of_change(source: str, expected: list[tuple[str, str]]) -> None:
    found = changes(source)
    assert [change for change in found if change != (source, "pass")] == [
        change for change in expected if change != (source, "pass")
    ]


@pytest.mark.parametrize(
    "source",
    [
        '"""A docstring of 20 words."""',
        "def f(a: int | None) -> 'str': ...",
        "@dataclass(frozen=True)\nclass A(B):\n    x: int | None",
        "assert a is not None",
        "__all__ = ['a']",
        "if TYPE_CHECKING:\n    x = 1",
        "raise AssertionError('no')",
        "class P(Protocol):\n    x = 1",
        "import a",
    ],
)
def test_what_decides_nothing_is_left_alone(source: str) -> None:
    assert changes(source) == []


def test_a_mutant_is_the_module_with_one_change() -> None:
    source = "def f(a):\n    if a > 3:\n        return 'x'\n    return a\n"
    found = list(mutants(source))
    assert {mutant.within for mutant in found} == {"f"}
    texts = {ast.unparse(mutated(source, mutant)) for mutant in found}
    assert len(texts) == len(found)
    assert "def f(a):\n    if a > 4:\n        return 'x'\n    return a" in texts
    for mutant in found:
        compile(mutated(source, mutant), "f.py", "exec")


def test_every_room_and_its_tests_are_there(request: pytest.FixtureRequest) -> None:
    paths = {path for room in ROOMS for path in (room.module, *room.tests)}
    assert [path for path in sorted(paths) if not (request.config.rootpath / path).exists()] == []


@pytest.mark.long("the changes and their rooms are looked at one by one")
def test_it_runs_the_tests_with_this_project_s_settings(request: pytest.FixtureRequest) -> None:
    """The tests pass without a mutant, whatever keys of plug-ins pytest's settings have, and one mutant is tried."""
    command = [sys.executable, "-m", "benchmarks.mutants", "--sample", "1", "--seed", "1", "hearing/loudness.py"]
    run = subprocess.run(command, cwd=request.config.rootpath, capture_output=True, text=True, check=False)
    assert run.returncode in (0, 1), run.stderr  # 1: it lived
    assert len(run.stdout.splitlines()) > 1, run.stderr
    module, tried, *_, broken = run.stdout.splitlines()[-2].split()
    assert (module, tried, broken) == ("audiosocket_sim/hearing/loudness.py", "1", "0")
