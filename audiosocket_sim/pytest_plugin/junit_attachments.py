"""Attaches the pages of a test's calls to its case in JUnit's XML: a line `[[ATTACHMENT|path]]` in `system-out`.

Jenkins (JUnit Attachments), GitLab and Azure Pipelines read such lines, each alone on its line. A path that is relative
counts from the folder in which pytest runs, which in a job is the checkout.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import pytest
from _pytest.junitxml import xml_key

if TYPE_CHECKING:
    from _pytest.junitxml import LogXML

__all__ = ["JUnitAttachments", "attach_as_output"]

PROPERTY = "audiosocket_report"
_OWN_OUTPUT = ("system-out", "out-err", "all", "log")
"""Values of `junit_logging` with which pytest writes a `system-out` of its own; a case has one at most."""


def attach_as_output(item: pytest.Item, pages: Iterable[str]) -> None:
    """Add the lines to what the test has printed: they are in junit's XML if that has what tests print."""
    for page in pages:
        item.add_report_section("call", "stdout", f"{_line(page)}\n")


class JUnitAttachments:
    """Adds the lines where junit's XML has nothing of what tests print, which is pytest's default."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add the pages of one test to its case; a passed test has them too, where each call gets a page."""
        xml: LogXML | None = self._config.stash.get(xml_key, None)
        pages = [str(value) for name, value in report.user_properties if name == PROPERTY]
        if xml is None or not pages or xml.logging in _OWN_OUTPUT or not _tells_pages(report):
            return
        node: Any = ElementTree.Element("system-out")
        node.text = "\n".join(["", *map(_line, pages), ""])
        xml.node_reporter(report).append(node)


def _tells_pages(report: pytest.TestReport) -> bool:
    return report.when == "call" or (report.when == "setup" and report.failed)


def _line(page: str) -> str:
    from audiosocket_sim.call_log.transcript import visible

    return f"[[ATTACHMENT|{visible(page)}]]"
