"""Read plans of faults from YAML. Errors name file, line and column, as those of scenarios do."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from audiosocket_sim.fake_azure.plan import Faults
from audiosocket_sim.scenario.loading import FileError, read_model, read_text

__all__ = ["FaultsError", "load_faults", "read_faults"]


class FaultsError(FileError):
    """The file of plans is not valid. One line for each problem."""


def read_faults(source: Faults | Path | Mapping[str, Any] | None) -> Faults:
    """Return plans from any form: `Faults`, a file, a mapping, or None for no plans.

    Raises FaultsError for a file, and pydantic's ValidationError for a mapping.
    """
    match source:
        case None:
            return Faults()
        case Faults():
            return source
        case Path():
            return load_faults(source)
    return Faults.model_validate(dict(source))


def load_faults(path: Path) -> Faults:
    """Return the plans in a YAML file. Raises FaultsError, also if the file cannot be read."""
    text = read_text(path, FaultsError, "file of plans")
    faults, _, problems = read_model(Faults, text, str(path), "the file is empty; plans begin with `keys:`")
    if problems or faults is None:
        raise FaultsError(*problems)
    return faults
