"""The exceptions that a call in Python raises if it did not pass. Their texts are those of a failed scenario."""

from audiosocket_sim.running.report_lines import report_lines
from audiosocket_sim.running.result import Outcome, Result

__all__ = ["CallFailed", "CallMisuse", "CallNotJudged", "error_of"]


class CallFailed(AssertionError):
    """The bot did not do what was expected. The text names the place, the expectation, what happened, and the files."""

    def __init__(self, result: Result) -> None:
        super().__init__("\n".join(report_lines(result)))
        self.result = result


class CallNotJudged(Exception):
    """There is no verdict on the bot: the target, a file or the simulator is at fault, or this machine was too busy."""

    def __init__(self, result: Result) -> None:
        super().__init__("\n".join(report_lines(result)))
        self.result = result


class CallMisuse(RuntimeError):
    """The test uses the call wrongly: two steps at a time, a step after the end, or a step that is not awaited."""


def error_of(result: Result) -> CallFailed | CallNotJudged | None:
    """Return the exception to raise for a result, or None if the call passed."""
    if result.outcome is Outcome.PASSED:
        return None
    return CallFailed(result) if result.outcome is Outcome.FAILED else CallNotJudged(result)
