"""Saved calls for the tests of reports: made of events in one line, of a run, and with texts that attack the page."""

import json
from pathlib import Path

from audiosocket_sim.call_log.events import CallLog, LogEvent, Source
from audiosocket_sim.report.saved.saved_call import SavedCall, SavedFailure
from audiosocket_sim.running.runner import Options, Result, run
from audiosocket_sim.scenario.loading import load

ROOT = Path(__file__).resolve().parents[2]
HOSTILE = (
    "</script><script>document.title = 'owned'</script>",
    "<img src=x onerror=alert(1)>",
    "\x1b]0;owned\x07\x1b[2J\x1b[31m",
    "\u202eevil\u2066.txt\u2069",
    "nul\x00and\u2028line\u2029ends\r\n",
    "--><style>*{display:none}</style><!--",
    "{{ 7 * 7 }}{% raw %}'\"&amp;",
    "\ud800 half",
    "w" * 10_000,
    "javascript:alert(1)//" + "🙂" * 50,
)


def saved(*events: tuple[int, LogEvent], **more: object) -> SavedCall:
    """A saved call of these events: `saved((0, Noted("x")), outcome="failed")`. Its end is that of the last event."""
    log = CallLog()
    for at_ms, event in events:
        log.add(at_ms, Source.BOT, event)
    last = max((entry.at_ms for entry in log.entries), default=0)
    fields: dict[str, object] = {"name": "call", "kind": "run", "path": Path("call"), "duration_ms": last, **more}
    return SavedCall(entries=tuple(log.entries), **fields)  # type: ignore[arg-type]


def saved_result(result: Result) -> SavedCall:
    """A result as it would be read back from its folder, without its sound."""
    failures = [SavedFailure(f.where, f.what, f.expected, f.happened, f.at_ms, f.unsure) for f in result.failures]
    return SavedCall(
        name=result.scenario.name,
        kind="run",
        path=Path("call"),
        entries=tuple(result.entries),
        outcome=result.outcome.name.lower(),
        failures=tuple(failures),
        faults=tuple(result.faults),
        duration_ms=result.duration_ms,
    )


def shipped_call(name: str, folder: Path, **options: object) -> Path:
    """The folder of a call of a shipped scenario with the reference server, in virtual time."""
    result = run(
        load(ROOT / "scenarios" / f"{name}.yaml"), Options("audiosocket_server:serve", artefacts=folder, **options)
    )  # type: ignore[arg-type]
    assert result.artefacts is not None
    return folder


def hostile_call(folder: Path) -> Path:
    """The folder of a call in which each text is an attack, and some lines are no events."""
    lines: list[object] = [
        {"at_ms": 0, "source": "environment", "type": "Environment", "target": HOSTILE[0], HOSTILE[1]: HOSTILE[2]}
    ]
    for number, text in enumerate(HOSTILE):
        at = 1000 * number
        lines += [
            {
                "at_ms": at,
                "source": "caller",
                "type": "CallerSpoke",
                "text": text,
                "recording": text,
                "duration_ms": 400,
            },
            {"at_ms": at + 1, "source": "heard", "type": "BackendAsked", "number": number, "conversation_id": text}
            | {"content": text},
            {"at_ms": at + 90, "source": "backend", "type": "BackendReplied", "number": number, "says": text}
            | {"status": text, "after_ms": 89, "fault": text if number % 2 else None},
            {"at_ms": at + 100, "source": "bot", "type": "BotSpoke", "text": text, "heard_ms": 300},
            {"at_ms": at + 110, "source": "state", "type": "StateTold", "before": text, "after": text},
            {"at_ms": at + 120, "source": "defect", "type": "DefectFound", "kind": text, "what": text, "amount": 1e999},
            {"at_ms": at + 130, "source": "check", "type": "ExpectationJudged", "number": 1, "step": text}
            | {"opened_ms": at, "closed_ms": at + 200, "met_ms": None, "path": [text], "inside": text},
            {"at_ms": at + 140, "source": "check", "type": "StepFailed", "number": 1, "step": text, "expected": text}
            | {"happened": [text, text]},
            {"at_ms": at + 150, "source": "peer", "type": "Noted", "what": text},
            {"at_ms": at + 160, "source": "caller", "type": "CallerAction", "what": text, "detail": text},
        ]
    lines += [
        {"at_ms": 10**400, "source": "bot", "type": "BotSpoke", "text": "x", "heard_ms": 1},
        {"at_ms": 5, "source": "bot", "type": "BotSpoke", "text": "x", "heard_ms": 10**400},
        {"at_ms": 6, "source": "bot", "type": "BotSpoke", "text": 7, "heard_ms": 1},
        {"at_ms": "7", "source": "bot", "type": "BotSpoke", "text": "x", "heard_ms": 1},
        {"at_ms": 8, "source": "nobody", "type": "BotSpoke", "text": "x", "heard_ms": 1},
        {"at_ms": 9, "source": "bot", "type": "__import__", "text": "x"},
        [1, 2, 3],
    ]
    folder.mkdir(parents=True)
    text = "".join(f"{json.dumps(line)}\n" for line in lines) + "no JSON\n" + "[" * 100_000 + "\n"
    (folder / "call.jsonl").write_text(text, encoding="utf-8", errors="backslashreplace")
    whole = "\n".join(HOSTILE)
    failures = [{"where": t, "what": t, "expected": t, "happened": [t], "at_ms": 1000} for t in HOSTILE]
    result = {
        "version": 1,
        "name": HOSTILE[0],
        "summary": HOSTILE[1],
        "heading": HOSTILE[3],
        "tags": list(HOSTILE),
        "outcome": "failed",
        "failures": failures,
        "faults": list(HOSTILE),
        "scenario": {"file": HOSTILE[4], "text": whole, "lines": [[[0], 1], [[HOSTILE[0]], 2], "x"]},
        "hashes": {HOSTILE[0]: HOSTILE[1]},
        "sent": [[0, 1, 2, 3, True], [0, HOSTILE[0]], 7],
        "late": [[HOSTILE[0], 0, 100]],
    }
    (folder / "result.json").write_text(json.dumps(result), encoding="utf-8")
    (folder / "call.wav").write_bytes(b"RIFF" + bytes(40))
    return folder
