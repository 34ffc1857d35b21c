"""Whose code asks for the time: the bot's, or that of Python, of pytest or of this project.

The bot is all other code: its own modules, and the packages that it uses.
"""

import os
import sys
from types import FrameType

__all__ = ["is_bots", "is_ours"]

_STANDARD_LIBRARY = os.path.dirname(os.__file__) + os.sep
_NOT_THE_BOT = frozenset({"audiosocket_core", "audiosocket_sim", "coverage", "execnet", "pluggy", "xdist"})
_known: dict[str, bool] = {}


def is_bots(frame: FrameType) -> bool:
    """Return whether the code that runs in `frame` is the bot's."""
    module = frame.f_globals.get("__name__", "")
    found = _known.get(module)
    if found is None:
        found = _known[module] = _is_bots(str(module), frame.f_globals.get("__file__"))
    return found


def _is_bots(module: str, file: object) -> bool:
    root = module.partition(".")[0]
    if root in _NOT_THE_BOT or root.startswith(("pytest", "_pytest")):
        return False
    if root not in sys.stdlib_module_names:
        return True
    return isinstance(file, str) and not file.startswith(_STANDARD_LIBRARY)  # a bot's own queue.py


def is_ours(frame: FrameType) -> bool:
    """Return whether the code that runs in `frame` is this project's simulator."""
    return str(frame.f_globals.get("__name__", "")).startswith("audiosocket_sim.")
