"""Pages of a session's calls: one of each call that failed, an index of several, and the links to them.

A worker of pytest-xdist writes the pages of its own calls; the index is written at the end, by its controller.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from audiosocket_sim.pytest_plugin import options

if TYPE_CHECKING:
    from audiosocket_sim.report.saved.saved_call import SavedCall

__all__ = ["add_page_options", "attach_pages", "check_page_settings", "forget_index", "write_index_of_session"]

_OF = ("failed", "all", "none")
_INDEX = "index.html"
_MOST_LINES = 6


def add_page_options(parser: pytest.Parser) -> None:
    """Register the options and ini keys of pages."""
    group = parser.getgroup("audiosocket", "scenarios of phone calls")
    where = "folder for the pages of failed calls, and for index.html, the one to open (ARTEFACTS/report)"
    group.addoption("--audiosocket-report", dest="audiosocket_report", default=None, metavar="DIR", help=where)
    parser.addini("audiosocket_report", where, default="")
    which = "which calls get a page: failed (default), all, or none (docs/report.md)"
    group.addoption("--audiosocket-report-of", dest="audiosocket_report_of", choices=_OF, default=None, help=which)
    parser.addini("audiosocket_report_of", which, default="")


def check_page_settings(config: pytest.Config) -> None:
    """Raise pytest.UsageError for an invalid value of an ini key."""
    if config.getini("audiosocket_report_of") not in ("", *_OF):
        raise pytest.UsageError(
            f"audiosocket_report_of = {config.getini('audiosocket_report_of')}: expected {_words()}"
        )


def _words() -> str:
    return f"{', '.join(_OF[:-1])} or {_OF[-1]}"


def _folder(config: pytest.Config) -> Path:
    """Return the folder of the pages."""
    given = config.getoption("audiosocket_report") or config.getini("audiosocket_report")
    return Path(given) if given else options.artefacts(config) / "report"


def _which(config: pytest.Config) -> str:
    return str(config.getoption("audiosocket_report_of") or config.getini("audiosocket_report_of") or _OF[0])


def attach_pages(
    report: pytest.TestReport, data: dict[str, object], folders: Sequence[Path], config: pytest.Config
) -> list[str]:
    """Write the pages of a test's calls, if they are asked for, and link them: in the terminal below a failure, in
    pytest-html, and in `data`, which goes to the controller. `folders`: those of the calls. Returns the pages."""
    data["folders"], data["pages"] = [], []
    if not folders or _which(config) == "none" or (_which(config) == "failed" and not report.failed):
        return []
    pages, troubles = _write_pages(folders, config)
    data["folders"], data["pages"] = list(map(str, folders)), pages
    written = [page for page in pages if page]
    for page in written:
        report.sections.append(("report of the call", page))
        _link_from_html(report, page, config)
    report.sections.extend(("no report of the call", trouble) for trouble in troubles)
    return written


def _write_pages(folders: Sequence[Path], config: pytest.Config) -> tuple[list[str], list[str]]:
    """Write the pages. Returns a path for each folder, or "" where there is none, and a line for each trouble."""
    from audiosocket_core.errors import AudioSocketError
    from audiosocket_sim.report.call.call_report import write_call_report

    pages, troubles = [], []
    for folder in folders:
        target = _folder(config) / f"{_place(folder, config)}.html"
        try:
            pages.append(str(write_call_report(folder, target)))
        except (AudioSocketError, OSError) as error:
            pages.append("")
            troubles.append(str(error))
    return pages, troubles


def _place(folder: Path, config: pytest.Config) -> str:
    """Return the folder's place below that of all files; its name alone if it does not lie below it."""
    place = Path(os.path.relpath(folder, options.artefacts(config)))
    return folder.name if ".." in place.parts else place.as_posix()


def _link_from_html(report: Any, page: str, config: pytest.Config) -> None:
    """Link the page from the report of pytest-html, if that plug-in writes one."""
    html = getattr(config.option, "htmlpath", None)
    if html:
        from urllib.parse import quote

        address = quote(Path(os.path.relpath(page, Path(html).expanduser().absolute().parent)).as_posix())
        link = {"name": "report of the call", "format_type": "url", "content": address}
        report.extras = [*getattr(report, "extras", []), {**link, "mime_type": None, "extension": None}]


def forget_index(config: pytest.Config) -> None:
    """Remove the index of an earlier session, so that nobody takes it for this one's."""
    if not hasattr(config, "workerinput") and _which(config) != "none":
        try:
            (_folder(config) / _INDEX).unlink(missing_ok=True)
        except OSError:
            return


def write_index_of_session(calls: Iterable[Mapping[str, Any]], config: pytest.Config) -> tuple[str, str]:
    """Write `index.html`, the page to open: the index of several calls, or the page of the only one. Returns its path,
    or "", and a line of trouble, or "". `calls`: what the tests' reports have of their calls."""
    made = [
        (call, Path(folder), page)
        for call in calls
        for folder, page in zip(call.get("folders", ()), call.get("pages", ()), strict=True)
        if page
    ]
    if not made:
        return "", ""
    from audiosocket_core.files import read_regular_file, write_private_file
    from audiosocket_sim.report.many.call_reports import write_index
    from audiosocket_sim.report.many.index_baseline import SavedRun
    from audiosocket_sim.report.saved.call_source import read_saved_call
    from audiosocket_sim.report.saved.saved_call import NoSavedCall

    target = _folder(config) / _INDEX
    try:
        if len(made) == 1:
            write_private_file(target, read_regular_file(made[0][2], 100_000_000))
            return str(target), ""
        saved = {
            _place(folder, config): _judged(read_saved_call(folder, sound=False), call) for call, folder, _ in made
        }
        pages = {_place(folder, config): Path(page) for _, folder, page in made}
        write_index(SavedRun.of(config.rootpath.name, saved), target, pages)
    except (NoSavedCall, OSError) as error:
        return "", f"no report of the calls: {error}"
    return str(target), ""


def _judged(saved: "SavedCall", call: Mapping[str, Any]) -> "SavedCall":
    """Return the call with the outcome of its test: it may have passed, and its transcript differ from the snapshot."""
    if saved.outcome != "passed" or call["outcome"] != "failed":
        return saved
    from audiosocket_sim.report.saved.saved_call import SavedFailure

    reason = [line.strip() for line in str(call["reason"]).splitlines() if line.strip()][:_MOST_LINES]
    failure = SavedFailure(str(call["file"]), "the test", "the test to pass", tuple(reason), saved.duration_ms)
    return replace(saved, outcome="failed", failures=(failure,))
