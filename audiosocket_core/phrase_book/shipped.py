"""The folder of the data that ships with the project: recordings, prompts, hold audio, scenarios.

In a checkout (also with `pip install -e`) it is the checkout itself; a wheel carries a copy in this package
(`hatch_build.py`). Reads nothing.
"""

from pathlib import Path

__all__ = ["SHIPPED"]

_PACKAGE = Path(__file__).resolve().parents[1]
_COPY = _PACKAGE / "_shipped"

SHIPPED = _COPY if _COPY.is_dir() else _PACKAGE.parent
"""The folder with `recordings/`, `audio/` and `scenarios/` in it."""
