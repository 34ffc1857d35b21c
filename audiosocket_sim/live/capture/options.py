"""What to capture, and where to put it. Data only."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from audiosocket_sim.asterisk.profiles import Attach

__all__ = ["CaptureOptions"]


@dataclass(frozen=True, slots=True)
class CaptureOptions:
    """Addresses are host and port. `server`: settings for the scenarios; None: those that each call shows."""

    listen: tuple[str, int]
    to: tuple[str, int]
    out: Path
    ai_listen: tuple[str, int] | None = None
    ai_to: str | None = None
    control: str | None = None
    control_token: SecretStr | None = None
    version: str = "22.10"
    attach: Attach = "app"
    redact: bool = False
    name: str = "call"
    server: dict[str, object] | None = None
    calls: int | None = None
    """Stop when so many are written."""
    at_once: int = 50
    longest_seconds: float = 3600.0
