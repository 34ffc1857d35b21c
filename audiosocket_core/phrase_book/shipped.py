"""Where that lies which ships with the project beside its code: recordings, prompts, hold audio, scenarios.

In a checkout (`pip install -e` too) it is the checkout itself; a wheel carries a copy within this package
(`hatch_build.py`). It reads nothing and looks no further: whose folders win is for others to say.
"""

from pathlib import Path

__all__ = ["SHIPPED"]

_PACKAGE = Path(__file__).resolve().parents[1]
_COPY = _PACKAGE / "_shipped"

SHIPPED = _COPY if _COPY.is_dir() else _PACKAGE.parent
"""The folder with `recordings/`, `audio/` and `scenarios/` in it."""
