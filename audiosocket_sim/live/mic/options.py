"""What a call with the microphone is asked to be. Data only."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from audiosocket_sim.asterisk.profiles import Attach

__all__ = ["MicOptions"]


@dataclass(frozen=True, slots=True)
class MicOptions:
    """host, port: of the server. input, output: a device's number or part of its name; None: the system's own.

    version, attach: the Asterisk whose manners are kept. control_url: None for the usual one, where it answers.
    seconds: then we hang up. save_scenario: the folder that a scenario of the call is written to.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    input: str | None = None
    output: str | None = None
    version: str = "22.10"
    attach: Attach = "app"
    control_url: str | None = None
    control_token: SecretStr | None = None
    echo_guard: bool = True
    seconds: float = 7200.0
    artefacts: Path = Path("runs")
    save_scenario: Path | None = None
    redact: bool = False
