"""A hook of mkdocs: the site has the repository's own layout, so that each link works in both.

Pages are those of the nav, from where they stand. A file that a page links to (an image, a scenario) is copied to the
same place of the site. mkdocs then checks each link and each anchor; a built page that loads anything from another host
is a warning too, and `--strict` makes warnings errors.
"""

import logging
import re
import unicodedata
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from pygments.formatters import HtmlFormatter

ROOT = Path(__file__).resolve().parent.parent
LINK = re.compile(r"\]\(([^)#:\s]+?)(?:#[^)\s]*)?\)")
CODE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
UNSEEN_LIST = re.compile(r"^(?![ \t]|[-*|>#]|\d+\. )\S.*\n(?=[-*] )", re.MULTILINE)
LOADED = re.compile(r"""<(?:script|link|img|iframe|source)\b[^>]*?\b(?:src|href)=["']([^"'#?]+)""")
log = logging.getLogger("mkdocs.hooks.docs_site")


def anchor(heading: str, separator: str) -> str:
    """The anchor that a repository's page gives to a heading: `A call's "way"` is `a-calls-way`."""
    kept = re.sub(r"[^\w\- ]", "", unicodedata.normalize("NFC", heading).lower().strip())
    return kept.replace(" ", separator)


def pages(nav: Any) -> list[str]:
    """Every page that is named in the nav, in its order."""
    if isinstance(nav, str):
        return [nav]
    parts = nav.values() if isinstance(nav, dict) else nav
    return [page for part in parts for page in pages(part)]


def linked_files(page: Path) -> set[str]:
    """What a page links to that is a file of the repository and no page, relative to the repository."""
    text = CODE.sub("", page.read_text(encoding="utf-8"))
    targets = {(page.parent / link).resolve() for link in LINK.findall(text)}
    return {str(path.relative_to(ROOT)) for path in targets if path.is_file() and path.suffix != ".md"}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    config.mdx_configs.setdefault("toc", {})["slugify"] = anchor
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Replace the files of docs/ by all pages of the nav and what they link to, each at its place of the repository."""
    named = pages(config.nav)
    every_page = [*named, *sorted({str(path.relative_to(ROOT)) for path in (ROOT / "docs").glob("*.md")} - set(named))]
    linked = sorted({name for page in every_page if (ROOT / page).is_file() for name in linked_files(ROOT / page)})
    found = [name for name in [*every_page, *linked] if (ROOT / name).is_file()]
    collected = Files([file for file in files if file.src_dir != config.docs_dir])  # the theme's own
    for name in found:
        collected.append(File.generated(config, name, abs_src_path=str(ROOT / name)))
    light = HtmlFormatter(style="default").get_style_defs(".codehilite")
    dark = HtmlFormatter(style="github-dark").get_style_defs("[data-bs-theme=dark] .codehilite")
    collected.append(File.generated(config, "code.css", content=f"{light}\n{dark}\n"))
    return collected


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> None:
    """Warn of a list without an empty line before it: the repository's page shows a list, the site would not."""
    for found in UNSEEN_LIST.finditer(CODE.sub("", markdown)):
        log.warning("%s: an empty line is missing before the list after %r", page.file.src_uri, found[0].strip())


def on_post_build(config: MkDocsConfig) -> None:
    """Warn of each script, style or image that a built page loads from elsewhere, or that the site does not have."""
    for page in sorted(Path(config.site_dir).rglob("*.html")):
        for loaded in LOADED.findall(page.read_text(encoding="utf-8")):
            if re.match(r"(?:\w+:)?//", loaded):
                log.warning("%s loads something from elsewhere: %s", page.name, loaded)
            elif page.name != "404.html" and not (page.parent / loaded).exists():
                log.warning("%s loads what the site does not have: %s", page.name, loaded)
