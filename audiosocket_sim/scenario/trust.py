"""Finds the parts of a scenario that only a trusted one may have: they run code, or lead out of its own folders. Pure.

Whoever adds a key that names code or a program adds it here. `confinement` has the rules for settings and files.
"""

from collections.abc import Iterator

from audiosocket_sim.scenario.confinement import untrusted_settings
from audiosocket_sim.scenario.model import Scenario
from audiosocket_sim.scenario.written import KeyPath

__all__ = ["what_needs_trust"]


def what_needs_trust(scenario: Scenario, *, takes_settings: bool) -> Iterator[tuple[KeyPath, str]]:
    """Yield the path to each part of the scenario that needs trust, and a line on why.

    `takes_settings`: the target takes the scenario's `server:`, so that its settings matter.
    """
    if takes_settings:
        for path, what in untrusted_settings(scenario.server, scenario.folder):
            yield ("server", *path), what
