"""Imports an object that a user names as `module:name`, equally for `python -m`, the console script and pytest."""

import importlib
import os
import sys
from typing import Any

__all__ = ["import_object"]


def import_object(module: str, name: str) -> Any:
    """Return the object called `name` in `module`, which may be in the working folder.

    Puts the working folder at the head of `sys.path` permanently, unless it (or "") is in it: `python -m` does so, the
    console script and `pytest` do not, and the module may import its neighbours later. Raises whatever importing the
    module raises, and AttributeError if it has no such name.
    """
    if not {"", os.getcwd()} & set(sys.path):
        sys.path.insert(0, os.getcwd())
    return getattr(importlib.import_module(module), name)
