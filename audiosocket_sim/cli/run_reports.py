"""`run --report`: a page of each call beside its other files, and the index of several."""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from audiosocket_core.errors import AudioSocketError
from audiosocket_sim.report.call.call_report import write_call_report
from audiosocket_sim.report.many.call_reports import INDEX, PAGE, read_run, write_index
from audiosocket_sim.running.artefacts import call_folders, cannot_write, with_faults
from audiosocket_sim.running.result import Artefacts, Result

__all__ = ["page_to_open", "with_page"]


def with_page(result: Result) -> Result:
    """Write the page of a call, and of its other run, beside their files. Returns the result with the pages' paths.

    A page that cannot be written is a fault of the result, as any other of its files would be.
    """
    result = replace(
        result,
        first_run=None if result.first_run is None else with_page(result.first_run),
        second_run=None if result.second_run is None else with_page(result.second_run),
    )
    faults: list[str] = []
    for folder in call_folders(result):
        try:
            write_call_report(folder, folder / PAGE)
        except OSError as error:
            faults.append(cannot_write(error, folder))
        except AudioSocketError as error:
            faults.append(str(error))
    made = tuple(replace(call, artefacts=_with_report(call.artefacts)) for call in result.made_calls)
    return with_faults(replace(result, artefacts=_with_report(result.artefacts), made_calls=made), faults)


def _with_report(files: Artefacts | None) -> Artefacts | None:
    page = None if files is None or files.call_log is None else files.call_log.with_name(PAGE)
    return files if files is None or page is None or not page.is_file() else replace(files, report=page)


def page_to_open(results: Sequence[Result], folder: Path, *, complain: Callable[[str], None]) -> Path | None:
    """Return the page of a single call or, of several, the index of them all, which is written to the folder.

    None if there is none. `complain` is called with a line if the index cannot be written.
    """
    calls = {_place(found, folder): found for result in results for found in call_folders(result)}
    if len(calls) < 2:
        return next((found / PAGE for found in calls.values() if (found / PAGE).is_file()), None)
    run, notes = read_run(folder, calls)
    pages = {place: calls[place] / PAGE for place in run.calls if (calls[place] / PAGE).is_file()}
    try:
        return write_index(run, folder / INDEX, pages, notes=notes).path
    except OSError as error:
        complain(cannot_write(error, folder))
        return None


def _place(call: Path, folder: Path) -> str:
    return Path(os.path.relpath(call, folder)).as_posix()
