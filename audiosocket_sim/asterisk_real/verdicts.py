"""How a call ended, read from what Asterisk said of it. Pure.

Asterisk does not tell a 00 00 00 from a plain close: both are `orderly` here. Everything else it logs, in words that
the simulated one quotes.
"""

import re
from collections.abc import Sequence

from audiosocket_sim.asterisk import LegEnd
from audiosocket_sim.asterisk.profiles import Attach

__all__ = ["end_told"]

_LOG = re.compile(r"(?:ERROR|WARNING)\[[^\]]*\](?:\[[^\]]*\])?: \S+?\.c:\d+ \w+: (.*)")
_RULES = (
    ("Connection reset by peer", "server", "reset"),
    ("Broken pipe", "server", "reset"),
    ("Insufficient payload read", "server", "fin"),
    ("Connection refused", "server", "refused"),
    ("Failed to connect to AudioSocket service", "server", "refused"),
    ("Channel is not answered", "asterisk", "unanswered"),
    ("Failed to read header", "asterisk", "protocol"),
    ("Poll timed out", "asterisk", "protocol"),
    ("message other than hangup or audio", "asterisk", "protocol"),
    ("Invalid message length", "asterisk", "protocol"),
    ("Reached timeout after", "asterisk", "protocol"),
    ("Failed to write data", "asterisk", "protocol"),
)


def end_told(lines: Sequence[str], attach: Attach, hung_up_at: float | None, over_at: float) -> LegEnd:
    """lines: the console's. hung_up_at, over_at: loop times of the phone's hang-up (None: it did not), of the end."""
    logged = [match[1] for line in lines if (match := _LOG.search(line))]
    continues = any("@continues" in line for line in lines)
    dialplan = "channel_ends" if attach == "chan" else "continues" if continues else "ends"
    for words, who, how in _RULES:
        quoted = next((text for text in logged if words in text), None)
        if quoted is not None and not (hung_up_at is not None and how == "reset"):
            return LegEnd(who, how, dialplan, f"«{quoted.strip()}»", over_at)
    if hung_up_at is not None:
        return LegEnd("caller", "fin", "channel_ends" if attach == "chan" else "ends", "the caller hung up", hung_up_at)
    reason = "the server hung up, with 00 00 00 or by closing: Asterisk does not say which"
    return LegEnd("server", "orderly", dialplan, reason, over_at)
