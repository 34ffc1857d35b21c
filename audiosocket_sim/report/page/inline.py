"""HTML pages of one file: templates that escape all text, and the policy by which a page runs and loads only itself."""

import base64
import hashlib
import re
from collections.abc import Sequence
from functools import cache
from html import unescape
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from audiosocket_core.files import make_private_folder, write_private_file
from audiosocket_sim.report.page.visible_text import shown

__all__ = [
    "content_policy",
    "page_in_page",
    "page_template",
    "render_page",
    "template_text",
    "without_comments",
    "write_page",
]

_HEAD = 10_000
_POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)"')
_HASH = re.compile(r"'sha256-[A-Za-z0-9+/]{43}='")
_COMMENT = re.compile(r"//.*|/\*[^*]*\*/")
_FOLDER = Path(__file__).parent


def render_page(
    template: str, *, styles: tuple[str, ...], script: str = "", inside: Sequence[str] = (), **values: object
) -> str:
    """Return the page of a template in `page/`, with its policy, style and script inside.

    `styles`: files in `page/`. `script`: the text of an ES module. `inside`: pages in frames of this one, whose policy
    must allow what theirs allow. All other values are escaped where they stand;
    control characters in them, and those that turn the direction of writing round, are shown as escapes.
    """
    style = "".join(map(template_text, styles))
    if "</" in style or "</script" in script.lower():
        raise ValueError("a style or a script would end its own element")
    # What is compared with a hash is the element's whole text: both stand without a blank between tag and text.
    own = {"style": Markup(style), "script": Markup(script), "policy": content_policy(style, script, inside)}
    return page_template(template).render(**values, **own)


def content_policy(style: str, script: str = "", inside: Sequence[str] = (), *, sound: bool = False) -> str:
    """Return the Content-Security-Policy of a page: this style and this script, by hash, data images, nothing else.

    `sound`: sound that is in the page may be played. `inside`: pages in frames of it, which are bound by its policy
    too: their styles and scripts, by hash, and their sound.
    """
    styles = dict.fromkeys([_source(style), *_allowed("style-src", inside)])
    scripts = dict.fromkeys([*([_source(script)] if script else []), *_allowed("script-src", inside)])
    parts = ["default-src 'none'", f"style-src {' '.join(styles)}", "img-src data:"]
    parts += ["media-src data:"] if sound or inside else []
    parts += ["frame-src data:"] if inside else []
    if scripts:
        parts += [f"script-src {' '.join(scripts)}", "require-trusted-types-for 'script'", "trusted-types 'none'"]
    return "; ".join([*parts, "base-uri 'none'", "form-action 'none'"])


def _source(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def template_text(name: str) -> str:
    """Return the text of a file in `page/`."""
    return (_FOLDER / name).read_text(encoding="utf-8")


def without_comments(text: str) -> str:
    """Return a style or a script as a page carries it: without blank lines, indentation, comments of whole lines."""
    lines = (line.strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line and not _COMMENT.fullmatch(line))


def _allowed(directive: str, pages: Sequence[str]) -> list[str]:
    """The hashes that the policies of these pages allow."""
    found = (_POLICY.search(page[:_HEAD]) for page in pages)
    parts = [part.split() for policy in found if policy is not None for part in unescape(policy[1]).split(";")]
    return [source for part in parts if part[:1] == [directive] for source in part[1:] if _HASH.fullmatch(source)]


def page_in_page(page: str) -> Markup:
    """Return a page as the value of an attribute."""
    return escape(page)


def page_template(name: str) -> Template:
    """Return a template of `page/`. It escapes every text where it stands; of one, control characters are shown as
    escapes, and what is very long is cut. Markup is left as it is."""
    return _templates().get_template(name)


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _shown(value: object) -> object:
    return shown(value) if type(value) is str else value


def write_page(page: str, target: Path) -> None:
    """Write a page that its owner alone may read, in place of one that is there. Makes its folder. Raises OSError."""
    make_private_folder(target.absolute().parent)
    write_private_file(target, page.encode(errors="backslashreplace"))
