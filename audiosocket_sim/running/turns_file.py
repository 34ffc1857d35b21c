"""Writes what was measured of turn-taking over all calls of a run: `turn_taking.json` in the folder of its files."""

import json
from pathlib import Path

from audiosocket_core.files import make_private_folder, write_private_file
from audiosocket_sim.running.artefacts import cannot_write
from audiosocket_sim.running.result import Result
from audiosocket_sim.turn_taking import CallTurns, summary_json, together

__all__ = ["turns_of_result", "write_turns"]


def turns_of_result(result: Result) -> CallTurns | None:
    """Return what was measured of the turns of all its calls; None if there is no verdict on the bot."""
    from audiosocket_sim.call_log.voices import call_turns

    if not result.has_verdict or result.cannot_follow:
        return None
    return together(call_turns(call.entries) for call in result.calls)


def write_turns(folder: Path, turns: CallTurns) -> str | None:
    """Write the summary, in place of that of an earlier run; of no calls, remove that. Returns one line if that is not
    possible, else None."""
    file = folder / "turn_taking.json"
    text = json.dumps(summary_json(turns), indent=2, allow_nan=False)
    try:
        if turns.calls:
            make_private_folder(folder)
            write_private_file(file, f"{text}\n".encode())
        else:
            file.unlink(missing_ok=True)
    except OSError as error:
        return cannot_write(error, folder)
    return None
