"""The saved calls in a folder, by their places in it: what `diff`, `report` and `--baseline` go by."""

from pathlib import Path, PurePath

from audiosocket_sim.report.saved.call_source import calls_in
from audiosocket_sim.scenario.callers import SECOND_RUN

__all__ = ["named_calls"]


def named_calls(path: Path) -> dict[str, Path]:
    """Return the calls at a path by their places below it (`menu/greets`); a single call by "".

    A second run belongs to its first one, and is left out. Raises NoSavedCall if there is no call in the folder.
    """
    if not path.is_dir():
        return {"": path}
    found = {_place(call, path): call for call in calls_in(path)}
    return {place: call for place, call in found.items() if SECOND_RUN not in PurePath(place).parts}


def _place(call: Path, folder: Path) -> str:
    place = call.relative_to(folder).as_posix()
    return "" if place == "." else place
