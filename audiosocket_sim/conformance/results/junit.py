"""A run as JUnit XML: a test suite for each section, a test case for each case."""

import re
from collections.abc import Callable
from xml.etree import ElementTree

from audiosocket_sim.conformance.case import SECTIONS, CaseOutcome
from audiosocket_sim.conformance.results.failure_text import failure_lines
from audiosocket_sim.conformance.results.lines import plain
from audiosocket_sim.conformance.verdicts import CaseResult, ConformanceResult

__all__ = ["junit_xml"]

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_WIDTH = 120
_CLASS = "audiosocket-check"


def junit_xml(result: ConformanceResult, repeat: Callable[[str], str]) -> str:
    """Return the run as JUnit XML. `repeat`: makes the command that runs the case of an id alone.

    A warning passes, with its text as output. What is inconclusive is an error; what was not run, or is known to fail,
    is skipped, with the reason.
    """
    root = ElementTree.Element("testsuites", name=_CLASS)
    sums = dict.fromkeys(("tests", "failures", "errors", "skipped"), 0)
    for name, words in SECTIONS.items():
        mine = [one for one in result.results if one.case.id[:2] == name]
        if not mine:
            continue
        suite = ElementTree.SubElement(root, "testsuite", name=f"{name} {words}")
        cases = [_case(one, repeat) for one in mine]
        suite.extend(cases)
        counts = {
            "tests": len(cases),
            "failures": sum(case.find("failure") is not None for case in cases),
            "errors": sum(case.find("error") is not None for case in cases),
            "skipped": sum(case.find("skipped") is not None for case in cases),
        }
        for key, count in counts.items():
            suite.set(key, str(count))
            sums[key] += count
    for key, count in sums.items():
        root.set(key, str(count))
    root.set("time", f"{result.seconds:.3f}")
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _case(result: CaseResult, repeat: Callable[[str], str]) -> ElementTree.Element:
    case = result.case
    name = _clean(f"{case.id} {case.title}")
    element = ElementTree.Element("testcase", classname=f"{_CLASS}.{case.id[:2]}", name=name)
    text = "\n".join(plain(line) for line in failure_lines(result, repeat, _WIDTH))
    first = result.failures[0].says if result.failures else result.why
    match result.outcome:
        case CaseOutcome.FAIL:
            _say(element, "failure", first, text)
        case CaseOutcome.UNEXPECTED_PASS:
            _say(element, "failure", f"it passes, and is listed as known to fail: {result.why}")
        case CaseOutcome.INCONCLUSIVE:
            _say(element, "error", f"inconclusive: {first}", text)
        case CaseOutcome.NOT_RUN:
            _say(element, "skipped", result.why)
        case CaseOutcome.EXPECTED_FAILURE:
            _say(element, "skipped", f"expected failure: {result.why}")
        case CaseOutcome.WARN:
            ElementTree.SubElement(element, "system-out").text = _clean(text)
        case _:
            pass
    return element


def _say(element: ElementTree.Element, tag: str, message: str, text: str = "") -> None:
    ElementTree.SubElement(element, tag, message=_clean(message)).text = _clean(text) or None


def _clean(text: str) -> str:
    """Return the text without what XML cannot hold."""
    return _NOT_XML.sub("�", text)
