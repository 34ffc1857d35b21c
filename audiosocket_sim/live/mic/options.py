"""Options of a call with the microphone. Data only."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from audiosocket_sim.asterisk.profiles import Attach

__all__ = ["MicOptions"]


@dataclass(frozen=True, slots=True)
class MicOptions:
    """host, port: the AudioSocket server. input, output: a device's number or a part of its name; None for the default.

    version, attach: the Asterisk to simulate. control_url: the server's control API; None to try the usual address for
    a server on this machine. seconds: hang up after so long. artefacts: folder for transcript, log and recording.
    save_scenario: folder for a scenario of the call, None for none; `redact` applies to it.
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
