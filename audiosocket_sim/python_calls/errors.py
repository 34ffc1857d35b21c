"""What a call in Python raises when it did not pass. The text reads as that of a failed scenario."""

from audiosocket_sim.running.report_lines import report_lines
from audiosocket_sim.running.result import Outcome, Result

__all__ = ["CallFailed", "CallMisuse", "CallNotJudged", "error_of"]


class CallFailed(AssertionError):
    """The bot did not do what was expected. The text says where, what, what happened instead, and names the files."""

    def __init__(self, result: Result) -> None:
        super().__init__("\n".join(report_lines(result)))
        self.result = result


class CallNotJudged(Exception):
    """There is no verdict on the bot: the target, a file or the simulator is at fault, or this machine was too busy."""

    def __init__(self, result: Result) -> None:
        super().__init__("\n".join(report_lines(result)))
        self.result = result


class CallMisuse(RuntimeError):
    """The test uses the call in a way that cannot be: two steps at a time, a step after the end, a step not awaited."""


def error_of(result: Result) -> CallFailed | CallNotJudged | None:
    """What to raise for a result; None where the call passed."""
    if result.outcome is Outcome.PASSED:
        return None
    return CallFailed(result) if result.outcome is Outcome.FAILED else CallNotJudged(result)
