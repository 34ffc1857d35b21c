"""Loads a scenario from YAML, or reports errors with file, line, column and the nearest valid key. Start at `load`."""

from audiosocket_sim.scenario.loading.documents import FileError, Problem, read_model, read_text
from audiosocket_sim.scenario.loading.folders import load_scenarios
from audiosocket_sim.scenario.loading.load import (
    ScenarioError,
    load,
    load_all,
    load_all_text,
    load_text,
    say_problems,
    schema,
    sound_file,
)
from audiosocket_sim.scenario.loading.overrides import WrongOverride, parse_override, unheeded_override

__all__ = [
    "FileError",
    "Problem",
    "ScenarioError",
    "WrongOverride",
    "load",
    "load_all",
    "load_all_text",
    "load_scenarios",
    "load_text",
    "parse_override",
    "read_model",
    "read_text",
    "say_problems",
    "schema",
    "sound_file",
    "unheeded_override",
]
