"""From YAML to a scenario, or to errors with file, line, column and the nearest right key. `load` is the door."""

from audiosocket_sim.loader.load import (
    Problem,
    ScenarioError,
    load,
    load_text,
    schema,
    sound_file,
)

__all__ = [
    "Problem",
    "ScenarioError",
    "load",
    "load_text",
    "schema",
    "sound_file",
]
