"""Plans of faults from YAML, with errors that name file, line and column, as scenarios have them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from audiosocket_sim.fake_azure.plan import Faults
from audiosocket_sim.scenario.loading import FileError, read_model, read_text

__all__ = ["FaultsError", "load_faults", "read_faults"]


class FaultsError(FileError):
    """The file holds no valid plans."""


def read_faults(source: Faults | Path | Mapping[str, Any] | None) -> Faults:
    """Plans in any of the forms in which they may be given. Raises FaultsError, pydantic's error for a mapping."""
    match source:
        case None:
            return Faults()
        case Faults():
            return source
        case Path():
            return load_faults(source)
    return Faults.model_validate(dict(source))


def load_faults(path: Path) -> Faults:
    """The plans in a file. Raises FaultsError, also for a file that cannot be read."""
    text = read_text(path, FaultsError, "file of plans")
    faults, _, problems = read_model(Faults, text, str(path), "the file is empty; plans begin with `keys:`")
    if problems or faults is None:
        raise FaultsError(*problems)
    return faults
