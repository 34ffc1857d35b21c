"""Folders of saved calls, as `run` leaves them, without a call: for the tests of what reads them."""

import json
from collections.abc import Sequence
from pathlib import Path

from audiosocket_sim.call_log.events import BotSpoke, CallerSpoke, LogEvent
from helpers.logs import entries

__all__ = ["CALL", "HASHES", "save_call"]

HASHES = {"scenario": "s" * 64, "audio": "a" * 64, "profile": "p" * 64}
CALL: Sequence[tuple[int, LogEvent]] = (
    (1000, BotSpoke("Bom dia.", 900, 900)),
    (3000, CallerSpoke("Apartamento 202.", "apartamento_202", 1500)),
    (5300, BotSpoke("Um momento.", 1200, 1200, wait_ms=800)),
)


def save_call(
    folder: Path,
    call: Sequence[tuple[int, LogEvent]] = CALL,
    *,
    clock: str = "virtual",
    target: str = "bot:serve",
    **result: object,
) -> Path:
    """Write call.jsonl and result.json to the folder, and return it. `result`: keys of result.json."""
    folder.mkdir(parents=True, exist_ok=True)
    environment = {"at_ms": 0, "source": "environment", "type": "Environment", "clock": clock, "target": target}
    records = [environment, *(entry.to_json() for entry in entries(*call))]
    (folder / "call.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in records), encoding="utf-8")
    usual = {
        "version": 1,
        "name": folder.name,
        "outcome": "passed",
        "hashes": HASHES,
        "seeds": {"line.seed": 1},
        "tags": [],
        "failures": [],
        "faults": [],
        "duration_ms": 8000,
    }
    (folder / "result.json").write_text(json.dumps({**usual, **result}), encoding="utf-8")
    return folder
