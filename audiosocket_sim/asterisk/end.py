"""How a simulated call ended, as the dialplan sees it (FID-17; docs/protocol.md, 2.1, 4.3). Data only."""

from dataclasses import dataclass

from audiosocket_core.errors import AudioSocketError
from audiosocket_sim.asterisk.profiles import Attach
from audiosocket_sim.asterisk.reader import ReaderVerdict

__all__ = ["ConnectFailed", "LegEnd", "end_of", "never_connected"]


@dataclass(frozen=True, slots=True)
class LegEnd:
    """How the call ended for Asterisk.

    who: server, caller, or asterisk, which drops calls by its own rules. how: hangup_message, fin, reset, refused,
    unanswered or protocol (one of Asterisk's rules). dialplan: continues or ends; channel_ends for the channel driver,
    whose caller survives with Dial's `g` or ARI. reason: plain words, Asterisk's own message in «». at: loop time.
    """

    who: str
    how: str
    dialplan: str
    reason: str
    at: float


class ConnectFailed(AudioSocketError):
    """There was no TCP connection. `end`: how the call ended."""

    def __init__(self, end: LegEnd) -> None:
        super().__init__(end.reason)
        self.end = end


def end_of(verdict: ReaderVerdict, attach: Attach, at: float) -> LegEnd:
    """Return the end of a call: the application returns 0 (the dialplan continues) or -1 (it ends); a channel ends."""
    dialplan = "continues" if verdict.orderly else "ends"
    return LegEnd(verdict.who, verdict.how, "channel_ends" if attach == "chan" else dialplan, verdict.reason, at)


def never_connected(error: Exception, attach: Attach, at: float) -> LegEnd:
    """Return the end of a call without a connection: the application returns -1; Dial goes on, and sets DIALSTATUS."""
    if attach == "chan":
        return LegEnd("server", "refused", "continues", f"no connection ({error}); DIALSTATUS=CHANUNAVAIL", at)
    reason = f"no connection ({error}; «Failed to connect to AudioSocket service»)"
    return LegEnd("server", "refused", "ends", reason, at)
