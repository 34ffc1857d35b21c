"""How to run a scenario: the target, who calls, the clock and where the files go."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from audiosocket_sim.parties.peer import PeerName
from audiosocket_sim.parties.target_choice import TargetChoice, choose_target
from audiosocket_sim.scenario import Scenario

__all__ = ["Options"]


@dataclass(frozen=True, slots=True)
class Options:
    """How to run. `artefacts`: a folder for the files of this run, or None for none.

    `target`: what is called, as a text (docs/targets.md) or already chosen. None: the one that pyproject.toml names for
    the working folder, and for a shipped scenario the shipped server; without any, the outcome is INVALID.
    """

    target: str | TargetChoice | None = None
    control_url: str | None = None
    control_token: SecretStr | None = None
    """For a control URL that asks for one."""
    peer: PeerName = "simulated"
    """`asterisk`: a real one, on the real clock; the runner is the phone (docs/asterisk.md)."""
    asterisk_version: str | None = None
    """Of the real one: `22`, `22.10` or `22.10.1`. None: one that fits the scenario's version, else the newest."""
    real_time: bool = False
    kernel: bool = False
    ai_port: int = 0
    artefacts: Path | None = None
    ear: bool = True
    trust: bool = False
    """Whether the scenario's `server:` may name modules, and files outside its folders (docs/scenarios.md, Trust)."""

    def target_for(self, scenario: Scenario) -> TargetChoice:
        """The target that the scenario calls. Raises TargetUsageError, also where nothing names one."""
        match self.target:
            case None:
                return choose_target(scenario.folder, option="Options(target=…)")
            case str() as text:
                return TargetChoice(text, "Options(target=…)")
        return self.target
