"""A real Chromium on the debug page. What the page logs, throws, opens or asks beyond its server is kept as trouble."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext, Page

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

_LONGEST_SECONDS = 15.0
_LOOKS_AGAIN_MS = 20

needs_browser = [
    pytest.mark.browser,
    pytest.mark.real_time,
    pytest.mark.skipif(find_spec("playwright") is None, reason="no Playwright: pip install 'audiosocket-sim[e2e]'"),
    pytest.mark.skipif(PROGRAM is None, reason="no Chromium: apt install chromium"),
]


class Watched:
    """A page, and what went wrong in it."""

    def __init__(self, page: "Page", url: str) -> None:
        self.page = page
        self.trouble: list[str] = []
        self.expected: tuple[str, ...] = ()
        page.on("console", lambda message: self._note("console", message.text))
        page.on("pageerror", lambda error: self._note("error", str(error)))
        page.on("dialog", lambda dialog: self._note("dialog", dialog.message))
        page.on("popup", lambda popup: self._note("popup", popup.url))
        page.on("request", lambda request: self._asked(request.url, url))

    async def until(self, expression: str) -> None:
        """Wait until an expression of the page is true.

        Playwright's `wait_for_function` looks again by `eval` in the page, which a page's Content Security Policy may
        forbid: it then raises, but only where the first look was too early.
        """
        async with asyncio.timeout(_LONGEST_SECONDS):
            while not await self.page.evaluate(f"Boolean({expression})"):
                await self.page.wait_for_timeout(_LOOKS_AGAIN_MS)

    def _note(self, kind: str, what: str) -> None:
        if not any(words in what for words in self.expected):
            self.trouble.append(f"{kind}: {what}")

    def _asked(self, address: str, url: str) -> None:
        if not address.startswith((f"{url}/", "data:")):
            self._note("request", address)


@asynccontextmanager
async def browsing(url: str, path: str = "/", **context: Any) -> AsyncIterator[Watched]:
    """A fresh browser that has opened `path` of the server at `url`; fails if there was trouble."""
    from playwright.async_api import async_playwright, expect

    expect.set_options(timeout=_LONGEST_SECONDS * 1000)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=PROGRAM, chromium_sandbox=False, args=list(FLAGS))
        try:
            opened: BrowserContext = await browser.new_context(**context)
            watched = Watched(await opened.new_page(), url)
            await watched.page.goto(f"{url}{path}")
            yield watched
            await _keep_picture(watched.page)
        finally:
            await browser.close()
    assert watched.trouble == [], watched.trouble


async def _keep_picture(page: "Page") -> None:
    """For people to look at, where they say where: `AUDIOSOCKET_SIM_PICTURES=folder`."""
    folder = os.environ.get("AUDIOSOCKET_SIM_PICTURES")
    if folder:
        name = os.environ["PYTEST_CURRENT_TEST"].split("::")[-1].split(" ")[0]
        await page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


@asynccontextmanager
async def browsing_file(path: Path, **context: Any) -> AsyncIterator[Watched]:
    """A fresh browser that has opened a file of this disk; fails if there was trouble, or a request to anywhere."""
    async with browsing(path.parent.as_uri(), f"/{path.name}", **context) as watched:
        yield watched
