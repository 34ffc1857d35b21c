"""Describes the result of a run that did not pass, as lines for people. Pure."""

from collections.abc import Iterator

from audiosocket_sim.call_log.transcript import around
from audiosocket_sim.running.result import Outcome, Result

__all__ = ["file_lines", "report_lines"]


def report_lines(result: Result) -> Iterator[str]:
    """Yield the failures or why there is no verdict, the transcript around the first failure, the target, and files.

    The first line stands alone in pytest's short summary: it gives the place of the failure, or else the outcome.
    """
    failed = result.outcome is Outcome.FAILED and bool(result.failures)
    if not failed:
        yield f"{result.scenario.name}: {result.outcome}"
        yield from result.faults
    for failure in result.failures:
        yield from failure.block()
    if failed:
        yield from result.faults
    if result.failures:
        yield from ("", *around(result.entries, result.failures[0].at_ms))
    if result.details:
        yield from ("", result.details.rstrip())
    yield ""
    if result.environment is not None:
        yield f"target: {result.environment.target} ({result.environment.target_origin})"
    if result.scenario.ear.model != "phone":
        yield f"ear: {result.scenario.ear.title} (a model of a phone)"
    yield from file_lines(result)
    for name, other in result.other_runs:
        yield from ("", f"{name}: {other.outcome}", *other.faults)
        yield from (line for failure in other.failures for line in failure.block())
        yield from file_lines(other)


def file_lines(result: Result) -> Iterator[str]:
    """Yield the paths of the call log and the recording of each call, if they could be written."""
    for call in result.calls:
        files = {} if call.artefacts is None else call.artefacts.by_name()
        whose = f"{call.caller}, " if call.caller else ""
        yield from (f"{whose}{name}: {files[name]}" for name in ("call log", "recording") if name in files)
