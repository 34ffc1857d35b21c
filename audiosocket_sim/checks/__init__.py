"""Judges expectations by a call log: met, pending or failed, and why. Pure: log and moment are arguments.

The rules (docs/scenarios.md, Expectations): an event counts from the completion of the step before (`base_ms`) and must
have *started* by `deadline_ms`; `bot_says` completes at its end, the others at their instant. `state`, `hold_audio:
playing` and `bot_silent` are conditions, so they are met at once if they are true already. A request to the backend
that met no earlier `backend_asked` counts from whatever time. When the call ends, every expectation fails that needs a
call; a state or a request may still come.
"""

from audiosocket_sim.checks.expected import evaluate, needs_the_call
from audiosocket_sim.checks.never import violation
from audiosocket_sim.checks.unread import unread_voice
from audiosocket_sim.checks.verdicts import (
    GRACE_MS,
    Broken,
    Failed,
    Met,
    Moment,
    OtherCalls,
    Pending,
    Sent,
    Verdict,
    Watched,
)
from audiosocket_sim.checks.which_side import which_side
from audiosocket_sim.checks.words import describe

__all__ = [
    "GRACE_MS",
    "Broken",
    "Failed",
    "Met",
    "Moment",
    "OtherCalls",
    "Pending",
    "Sent",
    "Verdict",
    "Watched",
    "describe",
    "evaluate",
    "needs_the_call",
    "unread_voice",
    "violation",
    "which_side",
]
