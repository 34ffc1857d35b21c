"""Options of a capture: what to capture, and where to write it. Data only."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from audiosocket_sim.asterisk.profiles import Attach

__all__ = ["CaptureOptions"]


@dataclass(frozen=True, slots=True)
class CaptureOptions:
    """The options of `capture`; docs/capture.md describes them. Addresses are (host, port), URLs are text.

    server: settings for the scenarios' `server:`; None to infer them from each call.
    """

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
    """Stop after so many calls; None to go on until stopped."""
    at_once: int = 50
    """How many calls are captured at the same time; others are only passed on."""
    longest_seconds: float = 3600.0
    """How much of a call is captured."""
