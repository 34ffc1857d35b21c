"""What a call was made with: target, clock, versions. The first line of the call log; never part of a transcript."""

import platform
from dataclasses import asdict, dataclass
from functools import lru_cache
from importlib import metadata

from audiosocket_sim.parties.target_choice import TargetChoice
from audiosocket_sim.running.options import Options
from audiosocket_sim.scenario import Scenario

__all__ = ["Environment", "environment_of"]

_PACKAGES = ("numpy", "soxr", "pydantic", "webrtcvad-wheels")
"""What may change what is heard, or what is valid."""


@dataclass(frozen=True, slots=True)
class Environment:
    """`target`: its text, secrets masked; `target_origin`: who named it; `seed`: of the network's split writes."""

    target: str
    target_origin: str
    clock: str
    peer: str
    asterisk: str
    seed: int | None
    simulator: str
    python: str
    system: str
    packages: dict[str, str]

    def to_json(self) -> dict[str, object]:
        """As a record of the call log: it has the `at_ms`, `source` and `type` that each line there has."""
        return {"at_ms": 0, "source": "environment", "type": "Environment", **asdict(self)}


def environment_of(scenario: Scenario, options: Options, choice: TargetChoice, *, virtual: bool) -> Environment:
    """The environment of one call, on the virtual or on the real clock."""
    return Environment(
        target=choice.visible,
        target_origin=choice.origin,
        clock="virtual" if virtual else "real",
        peer=options.peer,
        asterisk=scenario.asterisk.version,
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
