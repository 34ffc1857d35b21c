"""Makes scripts for shell completion from the parser, with shtab: commands, options, choices, and file names."""

import argparse
from collections.abc import Iterator
from pathlib import Path

import shtab

__all__ = ["completion_script"]

_FILES = ("scenarios", "scenario", "file", "first", "second", "html")
_FOLDERS = ("--artefacts", "--out", "--to", "--save-scenario")


def completion_script(parser: argparse.ArgumentParser, shell: str) -> str:
    """Return the completion script for `bash`, `zsh` or `tcsh`. The completed program is the parser's `prog`."""
    for action in _actions(parser):
        if action.dest in _FILES:
            action.complete = shtab.FILE  # type: ignore[attr-defined]
        elif action.type is Path and set(action.option_strings) & set(_FOLDERS):
            action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
    return str(shtab.complete(parser, shell=shell))


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for inner in dict.fromkeys(action.choices.values()):
                yield from _actions(inner)
