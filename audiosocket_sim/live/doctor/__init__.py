"""`doctor`: takes one live call in a bot's place, and says in plain words what Asterisk does and what to change.

`observed` collects what was seen, `findings` judges it (both pure), `session` listens and plays the server; the
command is `cli.doctor`. It needs no server and no scenario.
"""

from audiosocket_sim.live.doctor.findings import Finding, findings
from audiosocket_sim.live.doctor.observed import Observed
from audiosocket_sim.live.doctor.session import NobodyCalled, examine

__all__ = ["Finding", "NobodyCalled", "Observed", "examine", "findings"]
