"""HTML pages of one file: templates that escape all text, and the policy by which a page runs and loads only itself."""

import base64
import hashlib
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from audiosocket_core.files import make_private_folder, write_private_file
from audiosocket_sim.call_log.transcript import visible

__all__ = ["content_policy", "render_page", "template_text", "write_page"]

_FOLDER = Path(__file__).with_name("page")


def render_page(template: str, *, styles: tuple[str, ...], script: str = "", **values: object) -> str:
    """Return the page of a template in `page/`, with its policy, style and script inside.

    `styles`: files in `page/`. `script`: the text of an ES module. All other values are escaped where they stand;
    control characters in them, and those that turn the direction of writing round, are shown as escapes.
    """
    style = "".join(map(template_text, styles))
    if "</" in style or "</script" in script.lower():
        raise ValueError("a style or a script would end its own element")
    # What is compared with a hash is the element's whole text: both stand without a blank between tag and text.
    inside = {"style": Markup(style), "script": Markup(script), "policy": content_policy(style, script)}
    return _templates().get_template(template).render(**values, **inside)


def content_policy(style: str, script: str = "") -> str:
    """Return the Content-Security-Policy of a page: this style and this script, by hash, data images, nothing else."""
    parts = ["default-src 'none'", f"style-src {_source(style)}", "img-src data:"]
    if script:
        parts += [f"script-src {_source(script)}", "require-trusted-types-for 'script'", "trusted-types 'none'"]
    return "; ".join([*parts, "base-uri 'none'", "form-action 'none'"])


def _source(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def template_text(name: str) -> str:
    """Return the text of a file in `page/`."""
    return (_FOLDER / name).read_text(encoding="utf-8")


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
    return visible(value) if type(value) is str else value


def write_page(page: str, target: Path) -> None:
    """Write a page that its owner alone may read, in place of one that is there. Makes its folder. Raises OSError."""
    make_private_folder(target.absolute().parent)
    write_private_file(target, page.encode(errors="backslashreplace"))
