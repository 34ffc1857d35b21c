"""`doctor`: takes one live call in the bot's place, and says what Asterisk does and what to change.

`observed` collects the facts of the call and `findings` judges them (both pure); `session` listens and plays the
server; the command is `cli.doctor`. It needs no server and no scenario.
"""

from audiosocket_sim.live.doctor.findings import Finding, findings, in_common
from audiosocket_sim.live.doctor.nobody_called import Cause, causes, named, nobody_called
from audiosocket_sim.live.doctor.observed import Observed
from audiosocket_sim.live.doctor.session import NobodyCalled, examine, examine_calls

__all__ = [
    "Cause",
    "Finding",
    "NobodyCalled",
    "Observed",
    "causes",
    "examine",
    "examine_calls",
    "findings",
    "in_common",
    "named",
    "nobody_called",
]
