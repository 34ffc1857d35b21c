"""The command `doctor`: prints the address to call and what to do in the call, then the report."""

import asyncio

from audiosocket_sim.cli.console import FAILED, FINE, INCONCLUSIVE, SET_UP, refuse, say
from audiosocket_sim.live.doctor.findings import Finding, findings
from audiosocket_sim.live.doctor.session import NobodyCalled, examine
from audiosocket_sim.net.bind_errors import why_not_listening

__all__ = ["doctor_command", "report"]


def doctor_command(host: str, port: int, *, seconds: float, wait_seconds: float, probe: bool) -> int:
    """Examine one call and print the report.

    Returns the exit code: 0 nothing to change, 1 something to change, 3 the port cannot be used, 4 nobody called.
    """
    try:
        call = asyncio.run(
            examine(
                host,
                port,
                listen_seconds=seconds,
                wait_seconds=wait_seconds,
                probe=probe,
                on_listening=_invite,
                on_call=lambda call: say(f"a connection from {call.peer}: speak, press a key, then be quiet for 3 s"),
            )
        )
    except OSError as error:
        return refuse(why_not_listening(error, host, port), SET_UP)
    except NobodyCalled:
        return refuse(f"nobody called within {wait_seconds:g} s", INCONCLUSIVE)
    found = findings(call)
    say(report(found))
    return FAILED if any(finding.change for finding in found) else FINE


def report(found: list[Finding]) -> str:
    """Return the text of the report."""
    seen = [f"  {finding.what:<11}{finding.seen}" for finding in found]
    changes = [f"  - {finding.change} ({finding.what})" for finding in found if finding.change]
    return "\n".join(["", "what it saw", *seen, "", "what to change", *(changes or ["  nothing"])])


def _invite(host: str, port: int) -> None:
    say(f"listening on {host}:{port}. In the dialplan: Answer(), then AudioSocket(${{UUID()}},{host}:{port})")
