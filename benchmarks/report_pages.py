"""`report`: how large the page of a call is, how long it takes to write, and how soon Chromium shows and scrolls it."""

import asyncio
import shutil
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from audiosocket_sim.call_log.events import CallEnded, Entry, WireSummary
from audiosocket_sim.report.call.call_report import call_report
from audiosocket_sim.report.saved.call_source import read_saved_call
from audiosocket_sim.report.saved.saved_call import SavedCall
from audiosocket_sim.report.saved.stereo import StereoSound
from audiosocket_sim.running import runner
from audiosocket_sim.scenario.loading import load
from benchmarks.machine import Unavailable
from benchmarks.report import Row
from benchmarks.report_index import index_rows

__all__ = ["ABOUT", "run"]

ABOUT = "the page of a call, and the index of 500: size, time to write it, first paint, a jump and a scroll in Chromium"
_SCENARIO = Path(__file__).resolve().parent.parent / "scenarios" / "barge_in.yaml"
_MINUTES = (1, 10)
_RUNS = 5
_PAINT_MS, _WITH_MB, _WITHOUT_MB, _FRAME_MS = 200, 0.5, 1.4, 50
_PAINTED = """
() => new Promise((found) => {  // a page may be loaded before it is painted
  const look = (list) => list.getEntriesByName("first-contentful-paint").forEach((one) => found(one.startTime));
  new PerformanceObserver(look).observe({ type: "paint", buffered: true });
})
"""
_LONGEST_FRAME = """
async () => {  // the longest time between two frames while the page scrolls and the lanes are drawn anew, in ms
  let last = performance.now(), longest = 0;
  for (let step = 0; step < 120; step += 1) {
    await new Promise(requestAnimationFrame);
    scrollBy(0, 60);
    if (step % 10 === 0) document.dispatchEvent(new KeyboardEvent("keydown", { key: "n", bubbles: true }));
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  }
  return longest;
}
"""


def run(quick: bool = False) -> list[Row]:
    """Return the figures. Raises Unavailable without Chromium and Playwright."""
    with tempfile.TemporaryDirectory() as folder:
        options = runner.Options("audiosocket_server:serve", artefacts=Path(folder) / "call")
        result = runner.run(load(_SCENARIO), options)
        if not result.passed:
            raise Unavailable("the call to report did not pass")
        call = read_saved_call(Path(folder) / "call")
        empty = Path(folder) / "empty.html"
        empty.write_text("<!doctype html><title>empty</title><p>empty", encoding="utf-8")
        runs = 2 if quick else _RUNS
        rows: list[Row] = []
        for minutes in _MINUTES[:1] if quick else _MINUTES:
            rows += _pages(_of_minutes(call, minutes), minutes, empty, runs)
        return [*rows, *index_rows(call_report(call), Path(folder) / "many", runs)]


def _of_minutes(call: SavedCall, minutes: int) -> SavedCall:
    """The call again and again, for so many minutes: three turns in each 20 s."""
    assert call.sound is not None
    length = call.sound.duration_ms
    times = max(1, round(minutes * 60_000 / length))
    inner = [entry for entry in call.entries if not isinstance(entry.event, CallEnded | WireSummary)]
    entries: list[Entry] = []
    for number in range(times):
        entries += [
            replace(entry, at_ms=entry.at_ms + number * length, number=entry.number + 1000 * number) for entry in inner
        ]
    sound = StereoSound(call.sound.caller * times, call.sound.heard * times)
    starts = [number * length for number in range(times)]
    sent = tuple(
        replace(row, at_ms=row.at_ms + start, until_ms=row.until_ms + start) for start in starts for row in call.sent
    )
    return replace(call, entries=tuple(entries), sound=sound, sent=sent, duration_ms=length * times)


def _pages(call: SavedCall, minutes: int, empty: Path, runs: int) -> list[Row]:
    rows = []
    for compress, name, most in ((True, "MP3", _WITH_MB), (False, "µ-law", _WITHOUT_MB)):
        started = time.perf_counter()  # noqa: TID251
        try:
            page = call_report(call, compress=compress)
        except ModuleNotFoundError:
            continue
        seconds = time.perf_counter() - started  # noqa: TID251
        size = len(page.encode()) / 1e6
        title = f"{minutes} min, {name}"
        each = size / (call.duration_ms / 60_000)
        rows.append(Row(f"{title}: size a minute", each, "MB", f"{size:.2f} MB in all", f"≤ {most}", each <= most))
        rows.append(Row(f"{title}: written in", seconds, "s"))
        file = empty.with_name(f"{minutes}-{compress}.html")
        file.write_text(page, encoding="utf-8")
        paint, longest, own = asyncio.run(_in_browser(file, empty, runs))
        note = f"median of {runs}; an empty page, in turn with it: {own:.0f} ms"
        rows.append(Row(f"{title}: first paint", paint, "ms", note, f"≤ {_PAINT_MS}", paint <= _PAINT_MS))
        rows.append(
            Row(f"{title}: longest frame of a scroll", longest, "ms", "", f"≤ {_FRAME_MS}", longest <= _FRAME_MS)
        )
    return rows


async def _in_browser(file: Path, empty: Path, runs: int) -> tuple[float, float, float]:
    """First contentful paint, the longest frame of a scroll with jumps to problems, and the first paint of an empty
    page, which is opened before each: medians, in ms."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    try:
        from playwright.async_api import async_playwright
    except ModuleNotFoundError:
        program = None
    if program is None:
        raise Unavailable("Chromium and Playwright (the extra e2e) are needed")
    paints: list[float] = []
    own: list[float] = []
    frames = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, chromium_sandbox=False)
        for _ in range(runs):
            for path, found in ((empty, own), (file, paints)):
                page = await browser.new_page(viewport={"width": 1280, "height": 900})
                await page.goto(path.as_uri())
                found.append(float(await page.evaluate(_PAINTED)))
                if path == file:
                    frames.append(float(await page.evaluate(_LONGEST_FRAME)))
                await page.close()
        await browser.close()
    middle = runs // 2
    return sorted(paints)[middle], sorted(frames)[middle], sorted(own)[middle]
