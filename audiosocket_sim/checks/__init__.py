"""Expectations against a call log: met, not yet, or failed, and why. Pure: the log and the moment come in as arguments.

The rules (docs/scenarios.md, Expectations): a thing counts from the completion of the step before (`base_ms`) and must
have *started* by `deadline_ms`; `bot_says` completes at its end, the others at their instant. `state`, `hold_audio:
playing` and `bot_silent` are conditions, so they hold at once where they are true already; a request to the backend
that no earlier `backend_asked` has taken counts whenever it came. The call's end fails at once what only a call can
bring; a state or a request may still come.
"""

from audiosocket_sim.checks.expected import evaluate
from audiosocket_sim.checks.never import violation
from audiosocket_sim.checks.verdicts import GRACE_MS, Broken, Failed, Met, Moment, Pending, Unreadable, Verdict
from audiosocket_sim.checks.words import describe

__all__ = [
    "GRACE_MS",
    "Broken",
    "Failed",
    "Met",
    "Moment",
    "Pending",
    "Unreadable",
    "Verdict",
    "describe",
    "evaluate",
    "violation",
]
