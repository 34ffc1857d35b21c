"""The environment of a call: target, clock, versions. It is the first line of the call log, not of the transcript."""

import platform
from dataclasses import asdict, dataclass
from functools import lru_cache
from importlib import metadata

from audiosocket_sim.parties.target_choice import TargetChoice
from audiosocket_sim.running.options import Options
from audiosocket_sim.scenario import Scenario

__all__ = ["Environment", "environment_of"]

_PACKAGES = ("numpy", "soxr", "pydantic", "webrtcvad-wheels")
"""The packages whose version may change the sound that is heard, or which scenarios are valid."""


@dataclass(frozen=True, slots=True)
class Environment:
    """The environment of a call. `target`: its text, secrets masked; `target_origin`: the option or file that named it.

    `clock`: virtual or real. `ear`: the caller's phone, a model. `seed`: the seed by which the network splits writes.
    """

    target: str
    target_origin: str
    clock: str
    peer: str
    asterisk: str
    ear: str
    seed: int | None
    simulator: str
    python: str
    system: str
    packages: dict[str, str]

    def to_json(self) -> dict[str, object]:
        """Return the record for the call log, with the `at_ms`, `source` and `type` that each line of it has."""
        return {"at_ms": 0, "source": "environment", "type": "Environment", **asdict(self)}


def environment_of(scenario: Scenario, options: Options, choice: TargetChoice, *, virtual: bool) -> Environment:
    """Return the environment of one call. `virtual`: whether the call runs in virtual time."""
    return Environment(
        target=choice.visible,
        target_origin=choice.origin,
        clock="virtual" if virtual else "real",
        peer=options.peer,
        asterisk=scenario.asterisk.version,
        ear=options.applied_to(scenario).ear.title,
        seed=scenario.network.seed,
        simulator=_version("audiosocket-sim"),
        python=f"{platform.python_implementation()} {platform.python_version()}",
        system=f"{platform.system()} {platform.machine()}",
        packages={name: _version(name) for name in _PACKAGES},
    )


@lru_cache
def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "unknown"  # run from a folder that is on the path, not installed
