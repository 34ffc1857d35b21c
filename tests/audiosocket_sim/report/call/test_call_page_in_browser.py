"""The page of a call in a real Chromium: what is clicked is heard there, keys work, nothing is asked of anybody."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from helpers.axe import serious_findings
from helpers.browser_bench import browsing_file, needs_browser
from helpers.reported_calls import hostile_call, shipped_call

from audiosocket_sim.call_log.events import BotSpoke
from audiosocket_sim.report.call.call_report import call_report
from audiosocket_sim.report.saved.call_source import read_saved_call
from audiosocket_sim.running.runner import Options, run
from audiosocket_sim.scenario.loading import load_text

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = needs_browser

EXACT_SECONDS = 0.05
NOTE_PLACES = """
() => {  // at <html>: where the element was when it was last told to play
  const audio = document.querySelector("audio");
  const play = audio.play.bind(audio);
  audio.play = () => { document.documentElement.dataset.began = audio.currentTime; return play(); };
}
"""
DECODED = """
async () => {  // where the sound begins, as Chromium decodes it: seconds of the first loud sample behind each instant
  const bytes = Uint8Array.from(atob(document.querySelector("audio").src.split(",")[1]), (one) => one.charCodeAt(0));
  const sound = await new OfflineAudioContext(2, 1, 8000).decodeAudioData(bytes.buffer);
  return [0, 1].map((side) => {
    const wave = sound.getChannelData(side);
    const first = [];
    for (let at = 0, quiet = 8000; at < wave.length; at += 1, quiet += 1) {
      if (Math.abs(wave[at]) < 0.03) continue;
      if (quiet > 4000) first.push(at / sound.sampleRate);
      quiet = 0;
    }
    return first;
  });
}
"""
FAILING = """
summary: The bot must greet within a second, and says nothing of the kind.
steps:
  - expect: {bot_says: "Bom dia.", within: 2s}
"""


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("calls")
    scenario = load_text(FAILING, "failing", file="failing.yaml", folder=folder)
    scenario = scenario.model_copy(update={"server": {"script": [[0.5, "say", "pt-br/pode_subir"]]}})
    run(scenario, Options("helpers.scripted_bot:serve", artefacts=folder / "failing"))
    shipped = {name: shipped_call(name, folder / name) for name in ("barge_in", "slow_backend_plays_hold")}
    return {"failing": folder / "failing", **shipped}


@asynccontextmanager
async def shown(
    folder: Path, *, redact: bool = False, compress: bool | None = None, **context: Any
) -> AsyncIterator["Page"]:
    page = folder / "page.html"
    page.write_text(call_report(read_saved_call(folder), redact=redact, compress=compress), encoding="utf-8")
    async with browsing_file(page, **context) as watched:
        yield watched.page


async def now(page: "Page") -> float:
    return float(await page.evaluate("document.querySelector('audio').currentTime"))


FORMATS = [
    False,
    pytest.param(
        None, marks=pytest.mark.skipif(find_spec("soundfile") is None, reason="no soundfile: the extra report")
    ),
]


@pytest.mark.parametrize("compress", FORMATS, ids=["mu-law", "mp3"])
async def test_a_click_plays_at_the_right_instant(calls: dict[str, Path], compress: bool | None) -> None:
    from playwright.async_api import expect

    call = read_saved_call(calls["barge_in"])
    assert call.sound is not None
    spoken = [entry.at_ms / 1000 for entry in call.entries if isinstance(entry.event, BotSpoke)]
    async with shown(calls["barge_in"], compress=compress) as page:
        onsets = await page.evaluate(DECODED)
        for at in spoken:
            assert min(abs(at - onset) for onset in onsets[1]) < EXACT_SECONDS, (
                "the decoded sound is where the log says"
            )
        await page.evaluate(NOTE_PLACES)
        silent = float(await page.evaluate("document.querySelector('audio').dataset.lead"))
        assert silent == (0 if compress is False else 0.15), "what Chromium's decoder swallows after a jump: two frames"
        for at in spoken[1:]:
            await page.locator("#transcript tr", has_text="bot").locator(f"[data-at='{at:g}']").click()
            await expect(page.locator("#play")).to_have_text("Pause")
            began = float(await page.evaluate("document.documentElement.dataset.began"))
            onset = min(onsets[1], key=lambda onset: abs(at - onset))
            assert abs(began + silent - onset) < EXACT_SECONDS
            await page.evaluate("document.querySelector('audio').pause()")
            await expect(page.locator("#play")).to_have_text("Play")


async def test_it_opens_on_the_worst_problem_and_plays_its_seconds(calls: dict[str, Path]) -> None:
    from playwright.async_api import expect

    async with shown(calls["failing"]) as page:
        await expect(page.locator("#problems > li:visible")).to_have_count(1)
        sentence = page.locator("#problems > li:visible .lead")
        await expect(sentence).to_contain_text("The bot ")
        await expect(page.locator("#problems > li:visible .lead + p")).to_contain_text("Expected: ")
        await expect(page.locator("#problems > li:visible .lead + p")).to_contain_text("Bom dia.")
        await expect(sentence).to_be_in_viewport()
        await expect(page.locator("#lanes canvas")).to_be_in_viewport()
        await page.get_by_role("button", name="Play these seconds").click()
        await expect(page.locator("#play")).to_have_text("Pause")
        assert await now(page) < 1.5, "from the beginning of its seconds"
        await expect(page.locator("#play")).to_have_text("Play", timeout=20_000)


DRAWN = "[...document.querySelectorAll('section, footer')].map((one) => getComputedStyle(one).contentVisibility)"


async def test_the_first_paint_has_the_problem_and_then_comes_the_rest(calls: dict[str, Path]) -> None:
    from playwright.async_api import expect

    async with shown(calls["failing"]) as page:
        await expect(page.locator("html")).to_have_class("live painted")
        assert await page.evaluate("document.querySelector('audio').preload") == "auto"
        first, *rest = await page.evaluate(DRAWN)
        assert (first, {*rest}) == ("visible", {"auto", "visible"})
        await page.evaluate("document.documentElement.classList.remove('painted')")
        first, *rest = await page.evaluate(DRAWN)
        assert (first, {*rest}) == ("visible", {"hidden"}), "before the script has said that there was a paint"


async def test_where_the_script_is_not_allowed_to_run_the_rest_comes_by_itself(calls: dict[str, Path]) -> None:
    page = calls["failing"] / "forbidden.html"
    text = call_report(read_saved_call(calls["failing"]))
    page.write_text(re.sub("script-src '[^']*'", "script-src 'none'", text), encoding="utf-8")
    async with browsing_file(page) as watched:
        watched.expected = ("Content Security Policy",)
        watched.trouble = [one for one in watched.trouble if "Content Security Policy" not in one]
        await watched.until(f"{DRAWN}.every((how) => how !== 'hidden')")


async def test_keys_go_from_problem_to_problem_and_play(calls: dict[str, Path]) -> None:
    from playwright.async_api import expect

    async with shown(calls["slow_backend_plays_hold"]) as page:
        lead = page.locator("#problems > li:visible .lead")
        await expect(lead).to_contain_text("nobody was heard")
        await page.keyboard.press("n")
        await expect(lead).to_contain_text("the caller waited")
        await expect(page.locator("#list [aria-current]")).to_contain_text("the caller waited")
        await expect(page.locator("#said")).to_have_text("Problem 2 of 2")
        await page.keyboard.press("p")
        await expect(lead).to_contain_text("nobody was heard")
        await page.keyboard.press(" ")
        await expect(page.locator("#play")).to_have_text("Pause")
        await page.keyboard.press(" ")
        await expect(page.locator("#play")).to_have_text("Play")
        await page.locator("#list button").nth(1).focus()
        await page.keyboard.press("Enter")
        await expect(lead).to_contain_text("the caller waited")


async def test_the_lanes_zoom_by_key_and_a_click_in_them_goes_there(calls: dict[str, Path]) -> None:
    from playwright.async_api import expect

    async with shown(calls["barge_in"]) as page:
        axis = page.locator("#lanes [role=slider]")
        await axis.focus()
        for key in ("0", "+", "+", "-", "ArrowRight", "ArrowDown"):
            await page.keyboard.press(key)
        before = await now(page)
        box = await axis.bounding_box()
        assert box is not None
        await page.mouse.click(box["x"] + box["width"] * 0.7, box["y"] + box["height"] * 0.4)
        await expect(page.locator("#play")).to_have_text("Pause")
        assert await now(page) != before


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["failing", "barge_in"])
async def test_axe_finds_nothing_serious(calls: dict[str, Path], name: str, scheme: str) -> None:
    pytest.importorskip("axe_playwright_python")
    async with shown(calls[name], color_scheme=scheme) as page:
        assert await serious_findings(page) == []


async def test_on_a_phone_nothing_is_wider_than_the_screen(calls: dict[str, Path]) -> None:
    pytest.importorskip("axe_playwright_python")
    context = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True}
    async with shown(calls["failing"], **context) as page:
        assert await page.evaluate("document.documentElement.scrollWidth") <= 360
        assert await serious_findings(page) == []


async def test_with_no_script_there_is_a_picture_and_every_problem(calls: dict[str, Path]) -> None:
    from playwright.async_api import expect

    async with shown(calls["slow_backend_plays_hold"], java_script_enabled=False) as page:
        await expect(page.locator("figure.still svg").first).to_be_visible()
        await expect(page.locator("#problems > li:visible")).to_have_count(2)
        await expect(page.locator("audio")).to_be_visible()
        await expect(page.get_by_role("button", name="Play these seconds")).to_be_hidden()


async def test_hostile_texts_do_nothing(tmp_path: Path) -> None:
    async with shown(hostile_call(tmp_path / "hostile")) as page:
        assert (await page.title()).startswith("failed: </script>")
        assert await page.evaluate("document.images.length") == 0
        for key in "nnnnpp":
            await page.keyboard.press(key)
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_a_redacted_page_works_without_sound(calls: dict[str, Path]) -> None:
    async with shown(calls["slow_backend_plays_hold"], redact=True) as page:
        for key in "nnp ":
            await page.keyboard.press(key)
        assert await page.locator("audio").count() == 0
