"""For all tests: where everything must run (`make test-all`), a skip is a failure."""

import os
import signal
from collections.abc import Generator

import pytest

NO_SKIPS = "AUDIOSOCKET_SIM_NO_SKIPS"


def pytest_configure() -> None:
    """A shell's background jobs are born with SIGINT ignored; tests of Ctrl-C need it heeded."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and os.environ.get(NO_SKIPS) and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, and {NO_SKIPS} says that nothing may be: {call.excinfo}"
    return report
