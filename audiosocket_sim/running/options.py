"""How to run a scenario: the target, who calls, the clock and where the files go."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from audiosocket_sim.parties.peer import PeerName

__all__ = ["Options"]


@dataclass(frozen=True, slots=True)
class Options:
    """How to run. `target`: see docs/targets.md. `artefacts`: a folder for the files of this run, or None for none."""

    target: str = "audiosocket_server:serve"
    control_url: str | None = None
    control_token: SecretStr | None = None
    """For a control URL that asks for one."""
    peer: PeerName = "simulated"
    """`asterisk`: a real one, on the real clock; the runner is the phone (docs/asterisk.md)."""
    real_time: bool = False
    kernel: bool = False
    ai_port: int = 0
    artefacts: Path | None = None
    ear: bool = True
    trust: bool = False
    """Whether the scenario's `server:` may name modules, and files outside its folders (docs/scenarios.md, Trust)."""
