"""Tests that make a call in Python: the fixture `audiosocket_call`, its marker, and the event loop of such tests.

A test that is a coroutine is run here, on an event loop with the clock of its target, even if a plug-in for coroutines
is installed: such plug-ins ignore it, because its item is not a coroutine. docs/calls-in-python.md.
"""

import functools
import hashlib
import inspect
import re
from collections.abc import Generator, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from audiosocket_sim.pytest_plugin import options
from audiosocket_sim.pytest_plugin.scenario_record import ScenarioRecord

if TYPE_CHECKING:
    from audiosocket_sim.python_calls.driving import CallPlayer
    from audiosocket_sim.python_calls.phone_call import PhoneCall
    from audiosocket_sim.python_calls.session import CallPlan

__all__ = [
    "CallTest",
    "add_call_settings",
    "audiosocket_call",
    "note_report",
    "pytest_pycollect_makeitem",
    "register_marker",
]

_FIXTURE = "audiosocket_call"
_MARKER = "audiosocket"
_SCENARIO_KEYS = (
    *(
        "asterisk",
        "line",
        "network",
        "ai",
        "server",
        "quality",
        "turn_taking",
        "ear",
        "reader",
        "reaction",
        "max_duration",
    ),
    *("before", "after"),
)
_MARKER_KEYS = ("target", "control_url", *_SCENARIO_KEYS, "says", "real_time", "kernel")
_TEXTS = {"target": "bot:serve", "control_url": "http://127.0.0.1:8080"}
"""Arguments of the marker that are texts, each with an example for errors."""
_CHECKED_HERE = (*_TEXTS, "real_time", "kernel")
"""Arguments of the marker that are no keys of a scenario. None counts as not given."""
_LOOP_MARKS = ("asyncio",)
"""Marks that ask another plug-in to run a coroutine: ignored, because the test is run here."""
_LONGEST_NAME = 100
_REPORT = pytest.StashKey[pytest.TestReport]()
_PACKAGE = Path(__file__).resolve().parent.parent


def add_call_settings(parser: pytest.Parser) -> None:
    """Register the ini keys of calls in Python."""
    parser.addini("audiosocket_asterisk", 'calls in Python: the Asterisk that calls, such as "22.10" or {attach: chan}')
    parser.addini("audiosocket_line", "calls in Python: the line, such as {codec: alaw, noise_dbfs: -55}")


def register_marker(config: pytest.Config) -> None:
    """Make the marker known to `--strict-markers` and `--markers`."""
    keys = ", ".join(f"{key}=…" for key in _MARKER_KEYS)
    config.addinivalue_line("markers", f"{_MARKER}({keys}): how `{_FIXTURE}` calls (docs/calls-in-python.md)")


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_pycollect_makeitem() -> Generator[None, Any, Any]:
    """Replace the items of tests that use the fixture by CallTest. Runs innermost, before plug-ins for coroutines."""
    made = yield
    return [_own(item) for item in made] if isinstance(made, list) else made


def _own(item: Any) -> Any:
    is_ours = isinstance(item, pytest.Function) and _FIXTURE in item.fixturenames
    return CallTest.of(item) if is_ours else item


class CallTest(pytest.Function):
    """A test that uses `audiosocket_call`: a function with a list of steps, or a coroutine."""

    record: ScenarioRecord

    @classmethod
    def of(cls, item: pytest.Function) -> "CallTest":
        """Return the same test as a CallTest."""
        made: CallTest = cls.from_parent(
            item.parent,
            name=item.name,
            callspec=getattr(item, "callspec", None),
            fixtureinfo=item._fixtureinfo,
            keywords=item.keywords,
            originalname=item.originalname,
        )
        made.own_markers = item.own_markers
        made.record = made._new_record()
        return made

    def _getobj(self) -> Any:
        """Return the function that pytest calls; before a rerun pytest asks again, for a new instance of the class."""
        test = super()._getobj()  # type: ignore[no-untyped-call]

        @functools.wraps(test)
        def carry_out(**arguments: Any) -> None:
            self.run_with_call(test, arguments)

        if inspect.ismethod(test):
            carry_out.__self__ = test.__self__  # type: ignore[attr-defined]
        return carry_out

    def iter_markers_with_node(self, name: str | None = None) -> Iterator[tuple[Any, pytest.Mark]]:
        """Yield the markers as pytest does, without those that ask another plug-in to run the test."""
        found = super().iter_markers_with_node(name)
        return ((node, mark) for node, mark in found if mark.name not in _LOOP_MARKS)

    def setup(self) -> None:
        """Fail the test if it uses an async fixture, which would live on another event loop than the test."""
        self.record = self._new_record()
        for name, definitions in self._fixtureinfo.name2fixturedefs.items():
            function = definitions[-1].func
            if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
                pytest.fail(
                    f"{self.name} uses {_FIXTURE} and the async fixture {name!r}, which lives on another event loop: "
                    "what it makes cannot be awaited here. Make it in the test, or in a fixture without `async`",
                    pytrace=False,
                )
        super().setup()

    def run_with_call(self, test: Any, arguments: Mapping[str, Any]) -> None:
        """Run the test's own function with its arguments; a coroutine inside its call, on a new event loop."""
        call: Any = self.funcargs[_FIXTURE]
        if inspect.iscoroutinefunction(test):
            from audiosocket_sim.python_calls.driving import run_call

            self.record.calls = 1
            try:
                run_call(call.plan, call, lambda: test(**arguments))
            finally:
                self._measure(call)
            return
        try:
            test(**arguments)
        finally:
            self.record.calls = call.calls
            self._measure(call)
        _require_passed(self.name, call)

    def _measure(self, call: "PhoneCall | CallPlayer") -> None:
        from audiosocket_sim.python_calls.driving import results_of

        for result in results_of(call):
            self.record.measure(result)

    def repr_failure(self, excinfo: Any, style: Any = None) -> Any:
        """Return the text of a failed call alone; any other as pytest shows it, without frames of this package."""
        from audiosocket_sim.python_calls.errors import CallFailed, CallNotJudged

        if excinfo.errisinstance((CallFailed, CallNotJudged)):
            self.record.result = excinfo.value.result
            return str(excinfo.value)
        return super().repr_failure(excinfo)

    def _new_record(self) -> ScenarioRecord:
        from audiosocket_sim.python_calls.place import near

        _, line, _ = self.location
        return ScenarioRecord(self.name, near(str(self.path)), (line or 0) + 1, calls=0)

    def _traceback_filter(self, excinfo: Any) -> Any:
        found = super()._traceback_filter(excinfo)
        return found.filter(lambda entry: _PACKAGE not in Path(entry.path).parents) or found


@pytest.fixture
def audiosocket_call(request: pytest.FixtureRequest) -> "Iterator[PhoneCall | CallPlayer]":
    """A call to the target: step by step in an `async def` test, otherwise by `play([…])` (docs/calls-in-python.md).

    At its end the fixture fails a test that passed without a call, whatever ran that test: CallTest, unittest, or
    another plug-in.
    """
    from audiosocket_sim.python_calls.driving import CallPlayer
    from audiosocket_sim.python_calls.errors import CallFailed, CallNotJudged
    from audiosocket_sim.python_calls.phone_call import PhoneCall

    item = request.node
    plan, wrong = None, ""
    try:
        plan = _plan(item)
    except ValueError as error:
        wrong = str(error)
    if plan is None:  # not in `except`: pytest would show both errors
        pytest.fail(f"{item.name}: {wrong}", pytrace=False)
    is_coroutine = inspect.iscoroutinefunction(inspect.unwrap(item.obj))
    call = (PhoneCall if is_coroutine else CallPlayer)(plan, own_file=str(item.path))
    yield call
    report = item.stash.get(_REPORT, None)
    if report is None or not report.passed:
        return
    try:
        _require_passed(item.name, call)
        return
    except (CallFailed, CallNotJudged) as error:
        reason = str(error)
    pytest.fail(reason, pytrace=False)


def note_report(item: pytest.Item, report: pytest.TestReport) -> None:
    """Keep the report on a test's function for the end of its fixture, which fails no test that did not pass."""
    if report.when == "call":
        item.stash[_REPORT] = report
    elif report.when == "setup" and _REPORT in item.stash:  # of the attempt before
        del item.stash[_REPORT]


def _require_passed(name: str, call: "PhoneCall | CallPlayer") -> None:
    """Fail the test of this name if its call was not made. Raises CallFailed and CallNotJudged if it did not pass."""
    from audiosocket_sim.python_calls.driving import require_passed
    from audiosocket_sim.python_calls.errors import CallMisuse

    try:
        require_passed(call)
        return
    except CallMisuse as error:
        reason = f"{name}: {error}"
    pytest.fail(reason, pytrace=False)


def _plan(item: pytest.Function) -> "CallPlan":
    """Return the plan of the test's call, from markers and ini keys. Raises ValueError with one line for people."""
    from audiosocket_sim.net.control_client import token_from_environment
    from audiosocket_sim.parties.target import TargetUsageError, parse_target
    from audiosocket_sim.python_calls.arguments import says_of, scenario_of
    from audiosocket_sim.python_calls.place import CodePlace, near
    from audiosocket_sim.python_calls.session import CallPlan
    from audiosocket_sim.running.options import Options

    config, marked = item.config, _marked(item)
    if options.peer(config) == "asterisk":
        pytest.skip("calls in Python are made by the simulated Asterisk")
    control_url = options.control_url(config, marked=_marked_control_url(config, marked))
    try:
        target = options.target_of(config, item.path.parent, marked=marked.get("target"))
        if isinstance(item, CallTest):
            item.record.target = target
        parse_target(target.text, control_url)
    except TargetUsageError as error:
        raise ValueError(error) from None
    what = f"@pytest.mark.{_MARKER}"
    settings = {
        **_of_the_ini(config, item.path.parent),
        **{key: marked[key] for key in _SCENARIO_KEYS if key in marked},
    }
    how = Options(
        trust=True,  # `server` comes from the test's own code, not from a file of somebody else
        target=target,
        control_url=control_url,
        control_token=token_from_environment(),
        real_time=options.real_time(config, marked=marked.get("real_time")),
        again=options.again(config),
        kernel=options.kernel(config, marked=marked.get("kernel")),
        reader=options.reader(config),
        default_reader=options.default_reader(config),
        ear_model=options.ear(config, written="ear" in marked),
        artefacts=options.artefacts(config) / _folder_of(item),
    )
    _, line, _ = item.location
    place = CodePlace(near(str(item.path)), (line or 0) + 1, item.name)
    folder = item.path.parent
    scenario = scenario_of(what, item.name, folder, settings)
    return CallPlan(scenario, how, says_of(f"{what}: says", marked.get("says", ()), folder), place)


def _marked(item: pytest.Function) -> dict[str, Any]:
    """Return the arguments of the test's markers. If two markers give the same one, that nearer to the test counts.

    Raises ValueError for an argument that is unknown or not given by name, and for a value of the wrong kind.
    """
    marked: dict[str, Any] = {}
    for mark in reversed(list(item.iter_markers(_MARKER))):
        if mark.args:
            raise ValueError(f"@pytest.mark.{_MARKER} takes arguments by name only: {', '.join(_MARKER_KEYS)}")
        for key in mark.kwargs:
            if key not in _MARKER_KEYS:
                near = get_close_matches(key, _MARKER_KEYS, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(_MARKER_KEYS)}"
                raise ValueError(f"@pytest.mark.{_MARKER}: unknown argument {key!r}; {hint}")
        marked |= mark.kwargs
    for key in _CHECKED_HERE:
        if marked.get(key) is None:
            marked.pop(key, None)
        else:
            _check(key, marked[key])
    return marked


def _check(key: str, value: object) -> None:
    """Raise ValueError, with one line, if a marker's argument that belongs to no scenario has a wrong value."""
    example = _TEXTS.get(key)
    if example is None and not isinstance(value, bool):
        raise ValueError(f"@pytest.mark.{_MARKER}: {key}: must be True or False, not {value!r:.100}")
    if example is not None and not (isinstance(value, str) and value.strip()):
        raise ValueError(f"@pytest.mark.{_MARKER}: {key}: needs a text such as {example!r}, not {value!r:.100}")


def _marked_control_url(config: pytest.Config, marked: Mapping[str, Any]) -> str | None:
    """Return the marker's control URL; None if it belongs to a target of the marker that the command line replaces."""
    is_replaced = "target" in marked and config.getoption("audiosocket_target") is not None
    return None if is_replaced else marked.get("control_url")


def _of_the_ini(config: pytest.Config, folder: Path) -> dict[str, Any]:
    """Return `asterisk` and `line` from the ini keys, which are in YAML's notation. Raises ValueError that names the
    key. `folder`: that of the test."""
    from audiosocket_sim.python_calls.arguments import CallArgumentError, scenario_of
    from audiosocket_sim.scenario.loading.yaml_tree import MalformedYaml, read

    found: dict[str, Any] = {}
    for key in ("asterisk", "line"):
        text = str(config.getini(f"audiosocket_{key}") or "").strip()
        if text and not text.startswith("{"):
            found[key] = text
        elif text:
            try:
                found[key] = read(text).data
            except MalformedYaml as error:
                raise ValueError(f"the ini key audiosocket_{key}: {error.message}") from None
        if key in found:
            what = f"the ini key audiosocket_{key}"
            try:
                scenario_of(what, key, folder, {key: found[key]})
            except CallArgumentError as error:
                raise ValueError(str(error).replace(f"{what}: {key}: ", f"{what}: ", 1)) from None
    return found


def _folder_of(item: pytest.Item) -> Path:
    """Return the test's folder below that of artefacts: its file without suffix, its classes and its name."""
    file, *names = item.nodeid.split("::")
    root = Path(file).with_suffix("")
    return (Path(root.name) if root.is_absolute() or ".." in root.parts else root).joinpath(*map(_safe, names))


def _safe(name: str) -> str:
    """Return a valid file name for a test's name. A name that had to be changed gets a checksum, to remain unique."""
    safe = re.sub(r"[^\w.\[\]-]+", "-", name)[:_LONGEST_NAME]
    return safe if safe == name else f"{safe}-{hashlib.sha256(name.encode(errors='backslashreplace')).hexdigest()[:8]}"
