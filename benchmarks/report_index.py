"""Part of `report`: the index of many calls, how large it is, how long it takes to write, and how soon it is open."""

import asyncio
import json
import shutil
import time
from pathlib import Path

from audiosocket_sim.call_log.events import BotSpoke, CallerSpoke, CallLog, LogEvent, Source
from audiosocket_sim.report.many.call_reports import read_run, write_index
from audiosocket_sim.report.saved.call_folders import named_calls
from benchmarks.machine import Unavailable
from benchmarks.report import Row

__all__ = ["index_rows"]

_CALLS = 500
_OPEN_MS = 1000
_OPEN = "performance.timing.loadEventEnd - performance.timing.navigationStart"


def index_rows(page: str, folder: Path, runs: int) -> list[Row]:
    """Return the figures of an index of 500 calls, each ninth failed, that holds ten pages such as `page`.

    Raises Unavailable without Chromium and Playwright.
    """
    pages = {}
    for number in range(_CALLS):
        place = f"menu/call-{number:03}"
        _save(folder / place, number, failed=number % 9 == 0)
        pages[place] = folder / place / "report.html"
        pages[place].write_text(page if number % 9 == 0 else "", encoding="utf-8")
    started = time.perf_counter()  # noqa: TID251
    run, _ = read_run(folder, named_calls(folder))
    index = write_index(run, folder / "index.html", pages).path
    seconds = time.perf_counter() - started  # noqa: TID251
    opened = asyncio.run(_opened(index, runs))
    title = f"index of {_CALLS} calls"
    return [
        Row(f"{title}: size", index.stat().st_size / 1e6, "MB", "with the pages of up to ten failed calls, 8 MB"),
        Row(f"{title}: written in", seconds, "s", "without the pages themselves"),
        Row(f"{title}: open in", opened, "ms", f"median of {runs}", f"≤ {_OPEN_MS}", opened <= _OPEN_MS),
    ]


def _save(folder: Path, number: int, *, failed: bool) -> None:
    """Save a call of three turns, as `run` does."""
    folder.mkdir(parents=True)
    log = CallLog()
    for turn in range(3):
        wait = 300 + 37 * (number + turn) % 2500
        events: list[tuple[int, LogEvent]] = [
            (1000, BotSpoke("Em que posso ajudar?", 900, 900)),
            (3000, CallerSpoke("Quero falar com o apartamento 202.", "apartamento_202", 1500)),
            (4500 + wait, BotSpoke("Um momento.", 1200, 1200, wait_ms=wait)),
        ]
        for at_ms, event in events:
            log.add(at_ms + 10_000 * turn, Source.BOT, event)
    lines = [{"type": "Environment", "target": f"bot:{number % 3}"}, *(entry.to_json() for entry in log.entries)]
    (folder / "call.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    failure = {"what": f"step {number % 5} (expect bot_says)", "expected": "the bot says “Pode subir.”", "at_ms": 9000}
    result = {
        "name": folder.name,
        "outcome": "failed" if failed else "passed",
        "failures": [failure] if failed else [],
        "tags": ["slow"] if number % 2 else [],
    }
    (folder / "result.json").write_text(json.dumps(result), encoding="utf-8")


async def _opened(file: Path, runs: int) -> float:
    """How long it takes Chromium to open the page, until its script has run: the median, in ms."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    try:
        from playwright.async_api import async_playwright
    except ModuleNotFoundError:
        program = None
    if program is None:
        raise Unavailable("Chromium and Playwright (the extra e2e) are needed")
    found = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, chromium_sandbox=False)
        for _ in range(runs):
            page = await browser.new_page(viewport={"width": 1280, "height": 900})
            await page.goto(file.as_uri())
            found.append(float(await page.evaluate(_OPEN)))
            await page.close()
        await browser.close()
    return sorted(found)[runs // 2]
