"""How to run a scenario: the target, the caller, the clock, and the folder for files."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from audiosocket_sim.parties.peer import PeerName
from audiosocket_sim.parties.target_choice import TargetChoice, choose_target
from audiosocket_sim.scenario import CallerEar, Scenario

__all__ = ["Options"]


@dataclass(frozen=True, slots=True)
class Options:
    """How to run a scenario. `artefacts`: the folder for the files of this run, or None to write none.

    `target`: the bot to call, as a text (docs/targets.md) or already chosen. None: the one that pyproject.toml names
    for the working folder; for a shipped scenario, the shipped server. Without a target the outcome is INVALID.
    """

    target: str | TargetChoice | None = None
    control_url: str | None = None
    control_token: SecretStr | None = None
    """The token for a control URL that requires one."""
    peer: PeerName = "simulated"
    """Who calls: the simulated Asterisk, or a real one on the real clock (docs/asterisk.md)."""
    asterisk_version: str | None = None
    """Of the real one: `22`, `22.10` or `22.10.1`. None: one that fits the scenario's version, else the newest."""
    real_time: bool = False
    again: bool = False
    """Whether a target at an address (`tcp://`) is called again after an inconclusive call; the others always are."""
    kernel: bool = False
    ai_port: int = 0
    artefacts: Path | None = None
    ear: bool = True
    reader: str | None = None
    """Who reads the words of a voice that no phrase book knows: `local`, `none` or `module:callable`; goes before the
    scenario's own `reader:`."""
    default_reader: str | None = None
    """The same for scenarios that name none."""
    ear_model: CallerEar | None = None
    """The caller's phone, in the place of the scenario's `ear:`."""
    trust: bool = False
    """Whether the scenario's `server:` may name modules, and files outside its folders (docs/scenarios.md, Trust)."""

    def applied_to(self, scenario: Scenario) -> Scenario:
        """Return the scenario with the caller's phone that the options name."""
        if self.ear_model is None:
            return scenario
        calls = tuple(self.applied_to(call) for call in scenario.made_calls)
        return scenario.model_copy(update={"ear": self.ear_model, "made_calls": calls})

    def target_for(self, scenario: Scenario) -> TargetChoice:
        """Return the target that the scenario calls. Raises TargetUsageError, also if no target is named."""
        match self.target:
            case None:
                return choose_target(scenario.folder, option="Options(target=…), place_call(target)")
            case str() as text:
                return TargetChoice(text, "Options(target=…)")
        return self.target
