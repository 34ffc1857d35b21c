"""The drawing of a call's time axis in a browser (`lanes.js`, `lanes.css`), for the server's page and for reports.

README.md in this folder says which data the script takes and how it is used.
"""

from functools import cache
from pathlib import Path

__all__ = ["SCRIPT", "STYLE", "script", "style"]

SCRIPT = Path(__file__).with_name("lanes.js")
"""The path of the script: one ES module without imports, which exports the class `Lanes`."""
STYLE = Path(__file__).with_name("lanes.css")
"""The path of its style sheet."""


@cache
def script() -> str:
    """Return the text of the script."""
    return SCRIPT.read_text("utf-8")


@cache
def style() -> str:
    """Return the text of the style sheet."""
    return STYLE.read_text("utf-8")
