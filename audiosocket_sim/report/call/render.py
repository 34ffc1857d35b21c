"""Writes the page of a call as one HTML text: data, one style, one script, its sound, and a policy that allows no more.

The policy names the script and the style by their hashes and allows nothing else: no request, no other script, no
inline style. The template escapes every text; JSON stands in an element that is never run, with `<` and `&` escaped.
"""

import base64
import json
import re
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from typing import TYPE_CHECKING

from audiosocket_core import lanes
from audiosocket_sim.report.call.call_view import CallPage
from audiosocket_sim.report.call.clock_text import clock_text
from audiosocket_sim.report.call.embedded_sound import EmbeddedSound
from audiosocket_sim.report.page.inline import content_policy, page_template, template_text, without_comments

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ["Download", "rendered"]

_NAME = re.compile(r"[^\w.-]+")
_UNSAFE = re.compile("[<>&\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""What JSON may hold, and an element of a page may not, or not as it is."""


@dataclass(frozen=True, slots=True)
class Download:
    """A file in the page: its name, its words for people, and its content."""

    name: str
    words: str
    media_type: str
    content: bytes

    @property
    def address(self) -> "Markup":
        """The file as an address, which asks nobody."""
        return _address(self.media_type, self.content)


def rendered(view: CallPage, sound: EmbeddedSound | None, downloads: list[Download], beside: str) -> str:
    """Return the page. `beside`: a line on the files that lie beside it."""
    from markupsafe import Markup

    script, style = _script(), _style()
    return page_template("call.html.jinja").render(
        view=view,
        sound=sound,
        sound_address="" if sound is None else _address(sound.media_type, sound.data),
        downloads=downloads,
        beside=beside,
        contents=_contents(view, sound),
        file_name=_NAME.sub("_", view.name)[:80] or "call",
        policy=content_policy(style, script, sound=True),
        style=Markup(style),
        script=Markup(script),
        data=Markup(_json(view)),
        version=_version(),
        clock=clock_text,
        seconds=lambda ms: f"{ms / 1000:.2f} s",
    )


def _contents(view: CallPage, sound: EmbeddedSound | None) -> str:
    """What the page contains, for its head."""
    if view.redacted:
        return "redacted: no words and no sound, only shapes and times"
    parts = ["words"]
    parts.append("no sound" if sound is None else f"sound ({sound.words})")
    parts += ["the scenario"] if view.scenario else []
    parts += ["the environment"] if view.environment else []
    return f"in this one file: {', '.join(parts)}"


def _json(view: CallPage) -> str:
    text = json.dumps(view.to_json(), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _address(media_type: str, content: bytes) -> "Markup":
    from markupsafe import Markup

    return Markup(f"data:{media_type};base64,{base64.b64encode(content).decode()}")


@cache
def _script() -> str:
    """The drawing of lanes and the page's own script as one module."""
    drawing = re.sub(r"^export (default )?", "", lanes.script(), flags=re.MULTILINE)
    return without_comments(f"{drawing}\n{template_text('call.js')}")


@cache
def _style() -> str:
    return without_comments(f"{lanes.style()}\n{template_text('call.css')}")


@cache
def _version() -> str:
    try:
        return metadata.version("audiosocket-sim")
    except metadata.PackageNotFoundError:
        return "unknown"
