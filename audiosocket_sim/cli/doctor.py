"""The command `doctor`: prints the address to call and what to do in the call, then the report."""

import asyncio
import json
from dataclasses import asdict
from typing import Any

from audiosocket_sim.cli.console import FAILED, FINE, INCONCLUSIVE, SET_UP, refuse, say, trouble
from audiosocket_sim.live.doctor import (
    Finding,
    NobodyCalled,
    Observed,
    causes,
    examine_calls,
    findings,
    in_common,
    named,
    nobody_called,
)
from audiosocket_sim.net.bind_errors import why_not_listening

__all__ = ["doctor_command", "report"]


def doctor_command(
    host: str, port: int, *, seconds: float, wait_seconds: float, probe: bool, n_calls: int = 1, as_json: bool = False
) -> int:
    """Examine `n_calls` calls, one after another, and print a report on each.

    as_json: print one JSON object at the end, and all else on stderr. Returns the exit code: 0 nothing to change, 1
    something to change, 3 the port cannot be used, 4 nobody called, or not so often.
    """
    tell = trouble if as_json else say
    bound: list[tuple[str, int]] = []

    def on_listening(at_host: str, at_port: int) -> None:
        bound.append((at_host, at_port))
        tell(_invitation(at_host, at_port, wait_seconds))

    def on_over(call: Observed) -> None:
        if not as_json:
            say(report(findings(call)))
        if n_calls > 1:
            tell("")

    code, nobody = FINE, ""
    try:
        calls = asyncio.run(
            examine_calls(
                host,
                port,
                n_calls,
                listen_seconds=seconds,
                wait_seconds=wait_seconds,
                probe=probe,
                on_listening=on_listening,
                on_call=lambda call: tell(f"a connection from {call.peer}: speak, press a key, then be quiet for 3 s"),
                on_over=on_over,
            )
        )
    except OSError as error:
        return refuse(why_not_listening(error, host, port), SET_UP)
    except NobodyCalled as error:
        calls, code = error.calls, INCONCLUSIVE
        nobody = "\n".join(nobody_called(*bound[0], error.waited_seconds))
    together = in_common(calls)
    if as_json:
        say(json.dumps(_as_json(calls, together, causes(*bound[0]) if nobody else ()), ensure_ascii=False))
    elif n_calls > 1:
        say(_summary(calls, together))
    if nobody and not as_json:
        trouble(nobody)
    is_fine = not any(finding.change for call in calls for finding in (*findings(call), *together))
    return code if code == INCONCLUSIVE else FINE if is_fine else FAILED


def report(found: list[Finding]) -> str:
    """Return the text of the report."""
    seen = [f"  {finding.what:<11}{finding.seen}" for finding in found]
    changes = [f"  - {finding.change} ({finding.what})" for finding in found if finding.change]
    return "\n".join(["", "what it saw", *seen, "", "what to change", *(changes or ["  nothing"])])


def _summary(calls: list[Observed], together: list[Finding]) -> str:
    """Return the text on all calls: how often each change was advised, and what the calls have in common."""
    times: dict[str, int] = {}
    for call in calls:
        for finding in findings(call):
            if finding.change:
                times[finding.change] = times.get(finding.change, 0) + 1
    lines = [f"{len(calls)} call{'' if len(calls) == 1 else 's'}"]
    lines += [f"  {finding.what:<11}{finding.seen}" for finding in together]
    lines += [f"  - {change} ({n} of {len(calls)})" for change, n in times.items()]
    lines += [f"  - {finding.change} ({finding.what})" for finding in together]
    return "\n".join(lines if len(lines) > 1 else [*lines, "  nothing to change"])


def _as_json(calls: list[Observed], together: list[Finding], why_nobody: tuple[Any, ...]) -> dict[str, Any]:
    return {
        "calls": [
            {
                "peer": call.peer,
                "uuid": call.uuid,
                "seconds": round(call.seconds, 3),
                "end": call.end,
                "probe": call.probe,
                "keys": call.keys,
                "audio_messages": call.n_audio,
                "findings": [asdict(finding) for finding in findings(call)],
            }
            for call in calls
        ],
        "in_common": [asdict(finding) for finding in together],
        "causes_if_nobody_called": [asdict(cause) for cause in why_nobody],
    }


def _invitation(host: str, port: int, wait_seconds: float) -> str:
    call = f"Answer(), then AudioSocket(${{UUID()}},{named(host)}:{port})"
    waits = f"(it waits for {wait_seconds:g} s; Ctrl-C ends that, and lists why nobody may have called)"
    return f"listening on {host}:{port}. In the dialplan: {call}\n{waits}"
