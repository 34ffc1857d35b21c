"""The drawing of a call's time axis in a browser (`lanes.js`, `hands.js`), for the server's page and for reports.

README.md in this folder says which data the scripts take and how they are used.
"""

import re
from functools import cache
from pathlib import Path

__all__ = ["FILES", "script", "style"]

_HERE = Path(__file__).parent
FILES = tuple(_HERE / name for name in ("lanes.js", "hands.js", "lanes.css"))
"""The files for a page that serves them, all from one folder: `hands.js` imports `lanes.js`."""


@cache
def script() -> str:
    """Return both scripts as one ES module without imports, which exports the class `Lanes`."""
    lanes, hands = (_HERE.joinpath(name).read_text("utf-8") for name in ("lanes.js", "hands.js"))
    return lanes + re.sub(r"^import .*\n", "", hands, flags=re.MULTILINE)


@cache
def style() -> str:
    """Return the style sheet."""
    return _HERE.joinpath("lanes.css").read_text("utf-8")
