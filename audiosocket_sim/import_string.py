"""Imports an object that a user names as `module:name`, equally for `python -m`, the console script and pytest."""

import importlib
import os
import sys
from pathlib import Path
from typing import Any

__all__ = ["import_object"]


def import_object(module: str, name: str, folder: Path | None = None) -> Any:
    """Return the object called `name` in `module`, which may be in the working folder or, failing that, in `folder`.

    Puts the working folder at the head of `sys.path` permanently, unless it (or "") is in it: `python -m` does so, the
    console script and `pytest` do not, and the module may import its neighbours later. `folder` comes behind it. Raises
    what importing the module raises, and AttributeError if it has no such name.
    """
    working = {"", os.getcwd()}
    if not working & set(sys.path):
        sys.path.insert(0, os.getcwd())
    if folder is not None and str(folder.resolve()) not in {os.getcwd(), *sys.path}:
        first = next(place for place, path in enumerate(sys.path) if path in working)
        sys.path.insert(first + 1, str(folder.resolve()))
    return getattr(importlib.import_module(module), name)
