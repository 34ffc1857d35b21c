"""How a call ended, read from what Asterisk logged and when things happened. Pure.

Asterisk does not tell a 00 00 00 from a plain close: both are `orderly` here. Everything else it logs, in words that
the simulated one quotes. One of its lines is not to be believed: when TIMEOUT(absolute) ends `AudioSocket()`, the log
mostly says «Reached timeout after 2000 ms of no activity» though audio flowed; the times of the call decide then.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from audiosocket_sim.asterisk import LegEnd
from audiosocket_sim.asterisk.profiles import QUIET_LIMIT_SECONDS, Attach

__all__ = ["CallTimes", "end_told"]

_LOG = re.compile(r"(?:ERROR|WARNING)\[[^\]]*\](?:\[[^\]]*\])?: \S+?\.c:\d+ \w+: (.*)")
_QUIET = "Reached timeout after"
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
    (_QUIET, "asterisk", "protocol"),
    ("Failed to write data", "asterisk", "protocol"),
)
_LATE_SECONDS = 0.25
"""How much later than it happened an end, or a packet, may be seen here on a busy machine."""
_EARLY_SECONDS = 1.0
"""How much earlier than by our clock a limit may run out: it is set before the call is seen to begin, and on a busy
machine that is seen late."""


@dataclass(frozen=True, slots=True)
class CallTimes:
    """Loop times in seconds: the begin (None: there was none), the last packet or key of either side, the phone's
    hang-up (None: it did not hang up), and the end."""

    began_at: float | None
    active_at: float
    hung_up_at: float | None
    over_at: float


def end_told(
    lines: Sequence[str], attach: Attach, times: CallTimes, *, absolute_timeout_ms: int | None = None
) -> LegEnd:
    """Return how the call ended. lines: the console's. absolute_timeout_ms: TIMEOUT(absolute) of the dialplan."""
    logged = [match[1] for line in lines if (match := _LOG.search(line))]
    continues = any("@continues" in line for line in lines)
    dialplan = "channel_ends" if attach == "chan" else "continues" if continues else "ends"
    hung_up = times.hung_up_at is not None
    for words, who, how in _RULES:
        quoted = next((text.strip() for text in logged if words in text), None)
        if quoted is not None and not (hung_up and how == "reset"):
            reason = _why_quiet(quoted, times, absolute_timeout_ms) if words == _QUIET else f"«{quoted}»"
            return LegEnd(who, how, dialplan, reason, times.over_at)
    if times.hung_up_at is not None:
        ends = "channel_ends" if attach == "chan" else "ends"
        return LegEnd("caller", "fin", ends, "the caller hung up", times.hung_up_at)
    if absolute_timeout_ms is not None and not continues and _is_due(times, absolute_timeout_ms):
        return LegEnd("asterisk", "protocol", dialplan, _absolute(absolute_timeout_ms), times.over_at)
    reason = "the server hung up, with 00 00 00 or by closing: Asterisk does not say which"
    return LegEnd("server", "orderly", dialplan, reason, times.over_at)


def _why_quiet(quoted: str, times: CallTimes, absolute_timeout_ms: int | None) -> str:
    """What ended a call of which the log says that both sides were quiet: they were, or a limit of the dialplan."""
    quiet = times.over_at - times.active_at
    if quiet >= QUIET_LIMIT_SECONDS - _LATE_SECONDS:
        return f"«{quoted}»"
    wrong = f"its log says «{quoted}», which is not so"
    if absolute_timeout_ms is not None and _is_due(times, absolute_timeout_ms):
        return f"{_absolute(absolute_timeout_ms)} ({wrong})"
    last = f"the last packet or key came {quiet * 1000:.0f} ms before the end"
    return f"Asterisk ended the call, as it does for TIMEOUT(absolute) ({wrong}: {last})"


def _is_due(times: CallTimes, absolute_timeout_ms: int) -> bool:
    """Whether TIMEOUT(absolute) had run out when the call ended."""
    return times.began_at is not None and times.over_at - times.began_at >= absolute_timeout_ms / 1000 - _EARLY_SECONDS


def _absolute(absolute_timeout_ms: int) -> str:
    return f"TIMEOUT(absolute) of {absolute_timeout_ms / 1000:g} s ended the call"
