"""The index of many calls, and the page of `diff`, in a real Chromium: filters, keys, frames, and no request."""

import re
from pathlib import Path
from typing import Any

import pytest
from helpers.axe import serious_findings
from helpers.browser_bench import browsing_file, needs_browser
from helpers.reported_calls import HOSTILE, shipped_call
from helpers.saved_calls import CALL, save_call

from audiosocket_sim.call_log.events import BotSpoke, StepFailed
from audiosocket_sim.report.diff.call_diff import compare_paths
from audiosocket_sim.report.diff.diff_page import write_diff_page
from audiosocket_sim.report.many.call_reports import write_folder_reports

pytestmark = needs_browser

MODES: list[dict[str, Any]] = [
    {"color_scheme": "light"},
    {"color_scheme": "dark", "viewport": {"width": 390, "height": 844}},
]
IN_VIEW = "document.documentElement.scrollWidth <= innerWidth"


def failed(expected: str) -> dict[str, object]:
    failure = {"where": "c.yaml:3", "what": "step 2 (expect bot_says)", "expected": expected, "happened": [expected]}
    return {"outcome": "failed", "failures": [{**failure, "at_ms": 7000}]}


def save_many(folder: Path, number: int) -> Path:
    for n in range(number):
        wait = 300 + 37 * n % 2500
        call = [*CALL[:2], (4500 + wait, BotSpoke("Um momento.", 1200, 1200, wait_ms=wait))]
        more = failed("“Pode subir.”") if n % 9 == 0 else {}
        save_call(
            folder / f"call-{n:03}", call, tags=["slow"] if n % 3 == 0 else ["quick"], target=f"bot:{n % 2}", **more
        )
    return folder


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    before, now = (save_many(tmp_path_factory.mktemp("runs") / name, 40) for name in ("before", "now"))
    shipped_call("barge_in", now / "barge_in")
    return write_folder_reports(now, baselines=[before]).path


async def test_filters_hide_rows_draw_the_rest_and_stand_in_the_address(index: Path) -> None:
    from playwright.async_api import expect

    async with browsing_file(index) as watched:
        page = watched.page
        assert await page.locator("#rows tbody tr:visible").count() == 41
        await page.select_option("select[name=outcome]", "failed")
        await page.select_option("select[name=tags]", "slow")
        assert await page.text_content("#shown") == "5 of 41 calls are shown"
        assert await page.locator("#rows tbody tr:visible").count() == 5
        drawn = await page.locator('[data-kind="response"] tbody td').all_text_contents()
        assert sum(map(int, drawn)) == 5
        address = page.url
        await page.click("text=show all")
        await expect(page.locator("#shown")).to_have_text(re.compile("^41 of"))
        await page.goto(address)
        await page.reload()
        assert await page.text_content("#shown") == "5 of 41 calls are shown"


async def test_a_heading_sorts_by_keyboard_and_says_so(index: Path) -> None:
    async with browsing_file(index) as watched:
        head = watched.page.locator("#rows th", has_text="longest wait")
        await head.locator("button").focus()
        await watched.page.keyboard.press("Enter")
        assert await head.get_attribute("aria-sort") == "descending"
        cells = watched.page.locator('#rows td[data-name="longest wait"]')
        values = [float(text.removesuffix(" s")) for text in await cells.all_text_contents() if text != "–"]
        assert values == sorted(values, reverse=True)


async def test_the_page_of_a_failed_call_opens_in_the_index(index: Path) -> None:
    async with browsing_file(index) as watched:
        await watched.page.click("#rows tbody tr th a")
        assert "#inside-1" in watched.page.url
        frame = watched.page.frame_locator("#inside-1")
        await frame.locator("canvas").first.wait_for()
        assert await frame.locator("h1").count() == 1


@pytest.mark.parametrize("mode", MODES, ids=["light, wide", "dark, narrow"])
async def test_axe_finds_nothing_serious_and_nothing_leaves_the_screen(
    index: Path, mode: dict[str, Any], tmp_path: Path
) -> None:
    write_diff_page(
        compare_paths(save_many(tmp_path / "a", 10), index.parent, {}), tmp_path / "diff.html", redacted=False
    )
    for path in (index, tmp_path / "diff.html"):
        async with browsing_file(path, bypass_csp=True, **mode) as watched:
            assert await serious_findings(watched.page) == []
            assert await watched.page.evaluate(IN_VIEW)


async def test_without_a_script_all_calls_and_figures_are_there(index: Path) -> None:
    async with browsing_file(index, java_script_enabled=False) as watched:
        assert await watched.page.locator("#filters").is_hidden()
        assert await watched.page.locator("#rows tbody tr").count() == 41
        assert await watched.page.locator(".plot rect").count() > 3


@pytest.mark.long("an index of 41 calls is opened")
async def test_an_index_of_500_calls_opens_whole(tmp_path: Path) -> None:
    path = write_folder_reports(save_many(tmp_path, 500)).path
    async with browsing_file(path) as watched:
        assert await watched.page.locator("#rows tbody tr").count() == 500
        await watched.page.select_option("select[name=outcome]", "failed")
        assert await watched.page.locator("#rows tbody tr:visible").count() == 56


async def test_texts_that_attack_the_page_are_only_text(tmp_path: Path) -> None:
    for n, text in enumerate(HOSTILE):
        call = [*CALL, (7000, StepFailed(2, text, text, (text,))), (7500, BotSpoke(text, 500))]
        save_call(tmp_path / "now" / f"{n}", call, name=text, tags=[text], target=text, **failed(text))
        save_call(tmp_path / "before" / f"{n}", CALL, name=text, tags=[text], target=text)
    path = write_folder_reports(tmp_path / "now", baselines=[tmp_path / "before"]).path
    result = compare_paths(tmp_path / "before", tmp_path / "now", {})
    write_diff_page(result, tmp_path / "diff.html", redacted=False)
    for page in (path, tmp_path / "diff.html"):
        async with browsing_file(page) as watched:
            assert "owned" not in await watched.page.title()
            assert await watched.page.locator("main img, main style").count() == 0
            assert await watched.page.locator("main script").count() == 0
            assert await watched.page.evaluate(IN_VIEW)
