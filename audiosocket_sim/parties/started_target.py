"""What a target is, before it is started and after, and the errors of one. Data and protocols only."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

__all__ = [
    "StartedTarget",
    "Target",
    "TargetCloseError",
    "TargetError",
    "TargetUsageError",
    "WrongSettings",
    "message_of",
    "refuse_settings",
]


class TargetError(Exception):
    """The target cannot be started or reached: a fault of the set-up. The message is one line for people."""


class TargetUsageError(TargetError):
    """The options or the scenario do not suit this kind of target: a fault of the command line or of the scenario."""


class TargetCloseError(TargetError):
    """The target's close() raised, cancelled its own task or did not return. The call was over: its verdict stands."""


class WrongSettings(TargetError):
    """The target refuses settings of the scenario's `server:`. `settings`: the path of each, and what is wrong."""

    def __init__(self, message: str, settings: Sequence[tuple[tuple[str | int, ...], str]]) -> None:
        super().__init__(message)
        self.settings = tuple(settings)


class StartedTarget(Protocol):
    """A target that takes calls: what an import string's callable returns, and the same for the other kinds."""

    @property
    def host(self) -> str:
        """The address to dial."""

    @property
    def port(self) -> int:
        """The TCP port to dial."""

    @property
    def control_url(self) -> str | None:
        """The base URL of the control API (docs/targets.md), or None if the target has none."""

    async def close(self) -> None:
        """Stop taking calls and free all resources. May raise anything: see `close_target`."""


class Target(Protocol):
    """A target that can be started."""

    @property
    def in_process(self) -> bool:
        """True if it runs on our event loop, so that it can run in virtual time and takes settings."""

    async def start(self, settings: Mapping[str, Any], ai_url: str) -> StartedTarget:
        """Start it with the scenario's settings and the mock AI's URL. Raises TargetError."""


def message_of(error: BaseException) -> str:
    """Return an exception of the target's code as one line, without its type if its text is meant for people."""
    words = " ".join(str(error).split())
    meant = isinstance(error, OSError | ValueError | ImportError) and words
    return words if meant else f"{type(error).__name__}: {words}".rstrip(": ")


def refuse_settings(settings: Mapping[str, Any]) -> None:
    """Raise TargetUsageError if there are settings, for a target that takes none."""
    if settings:
        raise TargetUsageError(
            f"the scenario has settings for the server ({', '.join(settings)}), and this target takes none: "
            "only an import string does (docs/targets.md). Delete `server:` from the scenario if they do not matter to "
            "this bot; a capture leaves them out with --no-server"
        )
