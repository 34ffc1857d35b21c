"""For all tests: what `make test` leaves out, by name; in `make test-all` everything runs, and a skip is a failure.

The gate runs after `make test`, on the same interpreter, only what that left out.
"""

import gc
import os

# Small matrices only: threads for them cost more than they save, and each of pytest's processes would have its own.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import signal
from collections import Counter, defaultdict
from collections.abc import Generator, Iterable
from pathlib import Path

import hypothesis
import hypothesis.internal.conjecture.providers as drawn_from
import pytest
from helpers.cells import choose_cells, run_cells

NO_SKIPS = "AUDIOSOCKET_SIM_NO_SKIPS"
ONLY_PYTHON = "AUDIOSOCKET_SIM_ONLY_PYTHON"
ONLY_REST = "AUDIOSOCKET_SIM_ONLY_REST"
BEYOND = {
    "asterisk": "a real Asterisk",
    "browser": "Chromium",
    "mic": "PulseAudio and PyAudio",
    "extra": "an optional extra",
    "apt": "Debian packages",
}
"""Markers of what `make test` leaves out, whether or not this machine has it: it is the same everywhere."""

OTHERS = "other scenarios are called"
"""What stands in for a scenario with the tag `long`, which says no more."""

STAND_INS = ("barge_in_over_an_echo", "over_kernel_loopback")
"""Scenarios that are called since `long` tests name them."""

NO_VERDICT = (
    r"(?s)^AssertionError: .*\bassert <Outcome\.INCONCLUSIVE: 4> is <Outcome\.PASSED",
    r"^AssertionError: this machine was too late to judge",
    r"(?s)^NotAsThePageSays: (?!.*\bFAILED\b).*\bthis machine was too late to judge",
)
"""How the failure of a test reads whose call is inconclusive: the bot was not judged, so neither was the test."""

MORE_CALLS = 3
"""How often such a test is run again. Each time it waits a little longer, since the machine may become quiet."""

ROOT = Path(__file__).resolve().parent
SCENARIOS = ROOT / "scenarios"

hypothesis.settings.register_profile("examples_only", phases=[hypothesis.Phase.explicit])
"""For `make coverage`: which lines drawn inputs run is luck, and a line that only luck runs has no test."""

hypothesis.settings.register_profile("quick", max_examples=10)
if not os.environ.get(NO_SKIPS):  # `make test-most` and `make test-all` draw Hypothesis's hundred
    hypothesis.settings.load_profile("quick")
    # Hypothesis draws also what stands in the project's sources, and reads them all: seconds, for ten examples.
    vars(drawn_from).update(_get_local_constants=lambda: drawn_from._local_constants)


def pytest_configure() -> None:
    """A shell's background jobs are born with SIGINT ignored; tests of Ctrl-C need it heeded. And before the tests no
    garbage is collected: what is imported stays, and to look through it takes a sixth of the time."""
    gc.disable()
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> Generator[None]:
    """In `make test` cells of one test are run together."""
    yield
    if os.environ.get(ONLY_PYTHON):
        choose_cells(metafunc)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run what is several cells."""
    return run_cells(pyfuncitem) or None


class Backwards(pytest.Dir):
    """The last of a folder first."""

    def collect(self) -> Iterable[pytest.Item | pytest.Collector]:
        return reversed(list(super().collect()))


def pytest_collect_directory(path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Each second of pytest-xdist's workers collects from the end. Workers that meet in the middle have written the
    asserts of half the files anew each, and read the other half from the cache; side by side each would do all."""
    if int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % 2 == 0 or (path / "__init__.py").is_file():
        return None
    return Backwards.from_parent(parent, path=path)


def whole_in_make_test(item: pytest.Item) -> bool:
    """Whether `make test` runs it, and all of it: of Hypothesis's examples it draws a tenth."""
    left_out = any(item.get_closest_marker(name) for name in ("long", *BEYOND))
    return not left_out and not hypothesis.is_hypothesis_test(getattr(item, "obj", None))


def mark_other_cells(items: list[pytest.Item]) -> None:
    """Of a test with the marker `every(n)` all cells but each n-th are `long` (`make test` has chosen already); of a
    scenario with `for_each`, all but the first."""
    seen: Counter[str] = Counter()
    if os.environ.get(ONLY_PYTHON) or os.environ.get(ONLY_REST):  # who names scenarios, or their folder, means them all
        mark_other_scenarios(items)
    for item in items:
        test, _, cell = item.nodeid.partition("[")
        every = item.get_closest_marker("every")
        if every is not None and seen[test] % every.args[0] and not os.environ.get(ONLY_PYTHON):
            item.add_marker(pytest.mark.long("another of its cells is run"))
        elif item.path.suffix == ".yaml" and cell and seen[test]:
            item.add_marker(pytest.mark.long("its first cell is called"))
        seen[test] += 1


def mark_other_scenarios(items: list[pytest.Item]) -> None:
    """Of the scenarios that belong to the shipped server all but each sixth are `long`. Those that stand in for tests
    are called, and those that users begin with: what README.md shows, and `needs`, which are for bots of their own."""
    shipped = [item for item in items if item.path.suffix == ".yaml" and item.path.parent == SCENARIOS]
    if not shipped:
        return
    shown = (ROOT / "README.md").read_text(encoding="utf-8")
    others = sorted({item.path for item in shipped if item.path.name not in shown and item.path.stem not in STAND_INS})
    left_out = {path for place, path in enumerate(others) if place % 6}
    for item in shipped:
        if item.path in left_out:
            item.add_marker(pytest.mark.long(OTHERS))


def call_again_without_a_verdict(items: list[pytest.Item]) -> None:
    """A call on the real clock that has no verdict since the machine was late is made again. A failure never is: where
    the tool had a verdict, that is the test's."""
    for item in items:
        if item.get_closest_marker("real_time"):
            again = pytest.mark.flaky(
                reruns=MORE_CALLS, reruns_delay=2, reruns_delay_backoff_factor=2, only_rerun=list(NO_VERDICT)
            )
            item.add_marker(again)


def why_left_out(item: pytest.Item) -> str | None:
    """What stands in for it, or what it needs; None of what is run."""
    for mark in item.iter_markers("long"):
        return f"`make test-all` runs it; here {mark.args[0] if mark.args else OTHERS}"
    for name, what in BEYOND.items() if os.environ.get(ONLY_PYTHON) else ():
        if item.get_closest_marker(name):
            return f"`make test-all` runs it: it needs {what}"
    return None


def skip_what_is_left_out(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip each test by name; of its cells the first, which says how many they are: a thousand skips take seconds."""
    cells = defaultdict(list)
    for item in items:
        if why := why_left_out(item):
            cells[item.nodeid.partition("[")[0], why].append(item)
    others = set()
    for (_, why), (first, *more) in cells.items():
        first.add_marker(pytest.mark.skip(reason=f"{why} ({1 + len(more)} cells)" if more else why))
        others.update(more)
    config.hook.pytest_deselected(items=list(others))
    items[:] = [item for item in items if item not in others]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What is `long` is skipped by name in `make test`; the marker's argument says what stands in for it there."""
    if config.pluginmanager.hasplugin("pytest_rerunfailures"):
        call_again_without_a_verdict(items)
    if "PYTEST_XDIST_WORKER" in os.environ:  # all workers must have one order, whichever end they began from
        items.sort(key=lambda item: item.path)
    mark_other_cells(items)
    if os.environ.get(ONLY_REST):
        config.hook.pytest_deselected(items=[item for item in items if whole_in_make_test(item)])
        items[:] = [item for item in items if not whole_in_make_test(item)]
    if not os.environ.get(NO_SKIPS):
        skip_what_is_left_out(config, items)


def pytest_collection_finish() -> None:
    """Freeze what was imported and collected: it stays, and would make each full collection of garbage take 60 ms."""
    gc.freeze()
    gc.enable()


def drawn_elsewhere(item: pytest.Item) -> bool:
    """Whether it is a test of Hypothesis in `make coverage`, where nothing is drawn: one with no written example is
    skipped by Hypothesis."""
    return bool(item.get_closest_marker("hypothesis")) and hypothesis.settings().phases == (hypothesis.Phase.explicit,)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and os.environ.get(NO_SKIPS) and not hasattr(report, "wasxfail") and not drawn_elsewhere(item):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, and {NO_SKIPS} says that nothing may be: {call.excinfo}"
    return report


@pytest.fixture
def one_at_a_time(tmp_path_factory: pytest.TempPathFactory) -> Generator[None]:
    """For what needs the machine to itself on the real clock, groups of calls and sound cards: not while another of
    pytest's workers does such a thing. Waiting counts for the test's timeout."""
    import fcntl  # late: there is none on Windows

    base = tmp_path_factory.getbasetemp()
    folder = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with (folder / "calls.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
