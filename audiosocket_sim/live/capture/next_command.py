"""The command that a person pastes next: it makes the captured calls again, to the same bot. Pure text."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

__all__ = ["RunnableCall", "next_commands"]

_MOST_FILES = 5
"""How many calls one command names."""


class RunnableCall(Protocol):
    """Protocol of a written call; implemented by `call_writer.WrittenCall`."""

    @property
    def path(self) -> Path:
        """The scenario's file."""

    @property
    def run_with(self) -> tuple[str, ...]:
        """The options with which `run` makes the same call to the same bot."""


def next_commands(calls: Sequence[RunnableCall], program: str) -> list[str]:
    """Return a heading, and one command for all calls that take the same options; nothing without a call.

    program: the command that started this process, such as `python -m audiosocket_sim`.
    """
    paths: dict[tuple[str, ...], list[str]] = {}
    for call in calls:
        paths.setdefault(call.run_with, []).append(str(call.path))
    commands = [
        f"  {program} run {shlex.join([*files[:_MOST_FILES], *options])}"
        + (f"   # and {len(files) - _MOST_FILES} more" if len(files) > _MOST_FILES else "")
        for options, files in paths.items()
    ]
    return ["the same again:", *commands] if commands else []
