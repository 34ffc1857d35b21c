"""lanes.js in a real Chromium, under a policy that forbids all inline code and style: drawing, growth, hits, keys."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from helpers.browser_bench import browsing, needs_browser

from audiosocket_core.lanes import FILES, script, style

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = needs_browser

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
HTML = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>t</title>
<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,"><link rel="stylesheet" href="lanes.css"><script type="module" src="main.js"></script>
</head><body><h1>One call</h1><div id="root"></div></body></html>"""
MAIN = """import { Lanes } from "./lanes.js";
window.picks = [];
window.views = [];
window.lanes = new Lanes(document.getElementById("root"), {
  label: "Time in the call", onPick: (pick) => picks.push(pick), onView: (view) => views.push(view) });
window.painted = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
// Colours in a part of the canvas, in CSS pixels from its corner.
window.colours = (x, y, width, height) => {
  const ratio = lanes.canvas.width / lanes.canvas.clientWidth;
  const { data } = lanes.pen.getImageData(...[x, y, width, height].map((value) => Math.round(value * ratio)));
  const found = new Set();
  for (let i = 0; i < data.length; i += 4) found.add(data.slice(i, i + 4).join());
  return [...found];
};
"""
CALL = {
    "end": 60,
    "bands": [{"from": 20, "to": 24, "text": "both speak", "tone": "bad"}],
    "lanes": [
        {
            "id": "caller",
            "label": "Caller",
            "tone": "caller",
            "items": [
                {"from": 5, "to": 15, "text": "Quero o 202.", "name": "long"},
                {"from": 8, "to": 9, "text": "", "title": "a cough", "name": "short"},
                {"at": 30, "sign": "5", "title": "DTMF 5", "name": "key"},
            ],
            "level": {"from": 0, "step": 0.5, "values": [0.5] * 120},
        },
        {
            "id": "sent",
            "label": "Bot as sent",
            "tone": "bot",
            "line": {"points": [[0, 100], [20, 400], [40, None]], "unit": "ms ahead", "max": 500},
        },
        {
            "id": "windows",
            "label": "Windows",
            "rows": 3,
            "items": [{"from": n, "to": 30 + n, "text": f"window {n}"} for n in range(3)],
        },
    ],
}


@asynccontextmanager
async def page_of(call: object, more: str = "", **context: Any) -> AsyncIterator["Page"]:
    """A page with the lanes of `call`, served with `POLICY`; fails if it logs, throws or asks for anything else."""
    files = {
        "/": ("text/html", HTML),
        "/lanes.js": ("text/javascript", script()),
        "/lanes.css": ("text/css", style()),
        "/main.js": ("text/javascript", f"{MAIN}\nwindow.call = {json.dumps(call)};\n{more}\nlanes.set(call);"),
    }

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        kind, text = files[head.split()[1].decode()]
        body = text.encode()
        headers = f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\nContent-Security-Policy: {POLICY}"
        writer.write(f"HTTP/1.1 200 OK\r\n{headers}\r\nConnection: close\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        context = {"viewport": {"width": 1000, "height": 600}, **context}
        async with browsing(url, **context) as watched:
            watched.expected = ("willReadFrequently",)  # what `colours` reads
            await until(watched.page, "window.lanes && lanes.scale > 0")
            await watched.page.evaluate("painted()")
            yield watched.page


async def until(page: "Page", condition: str) -> None:
    """Waits for a condition, looked at in each frame; the page's policy forbids Playwright's own way."""
    waits = "for (let i = 0; i < 600 && !({}); i++) await new Promise(requestAnimationFrame); return Boolean({})"
    assert await page.evaluate(f"(async () => {{ {waits.format(condition, condition)} }})()"), condition


async def lane_at(page: "Page", lane: str, seconds: float) -> tuple[float, float]:
    """The place of a moment in the middle of a lane, in the window."""
    x = await page.evaluate(f"lanes.x({seconds})")
    find = """([id, x]) => {
      const { top, bottom } = lanes.axis.getBoundingClientRect();
      const rows = [];
      for (let y = top; y < bottom; y++) if (lanes.at(x, y)?.lane === id) rows.push(y);
      return rows[Math.floor(rows.length * 0.45)];
    }"""
    return x, await page.evaluate(find, [lane, x])


async def test_it_draws_and_a_click_gives_the_time_and_the_very_item() -> None:
    async with page_of(CALL) as page:
        written = await page.evaluate("lanes.written.map((one) => one.text)")
        assert {"Caller", "Bot as sent", "Quero o 202.", "0:00", "0:30", "5", "window 2"} <= set(written)
        for lane, seconds, name in (("caller", 12.0, "long"), ("caller", 8.5, "short"), ("caller", 30.0, "key")):
            await page.mouse.click(*await lane_at(page, lane, seconds))
            pick = await page.evaluate("({ ...picks.at(-1), same: call.lanes[0].items.includes(picks.at(-1).item) })")
            a_pixel = 1 / await page.evaluate("lanes.scale")
            assert abs(pick["time"] - seconds) <= a_pixel
            assert (pick["lane"], pick["item"]["name"], pick["same"], pick["how"]) == (lane, name, True, "click")
        x, y = await lane_at(page, "sent", 25.0)
        await page.mouse.move(x, y)
        assert "400 ms ahead" in await page.locator(".lanes-tip").inner_text()
        await page.evaluate("lanes.show(29.9, 30.1)")
        await page.mouse.click(*await lane_at(page, "caller", 29.95))
        assert abs(await page.evaluate("picks.at(-1).time") - 29.95) < 0.001
        # Colour is there, and the pattern: a band's dotted ground has more than one.
        await page.evaluate("(lanes.show(), lanes.refresh())")
        x = await page.evaluate("lanes.x(21) - lanes.canvas.getBoundingClientRect().left")
        assert len(await page.evaluate(f"colours({x}, 30, 20, 8)")) > 3


@pytest.mark.parametrize(("at", "is_near"), [(2, True), (60, False)])
async def test_labels_of_two_rules_that_are_near_each_other_do_not_cover_each_other(at: float, is_near: bool) -> None:
    rules = [{"at": 0.3, "text": "a phone holds 0.3 s"}, {"at": at, "text": f"{at} s ahead"}]
    line = {"points": [[0, 0], [1, 2.1], [3, 0]], "min": 0, "max": 62, "rules": rules}
    async with page_of({"end": 4, "lanes": [{"id": "sent", "label": "Bot, as sent", "em": 6, "line": line}]}) as page:
        named = {one["text"]: one for one in await page.evaluate("lanes.written") if one.get("lane") == "sent"}
        first, second = (named[rule["text"]] for rule in rules)
        assert (abs(first["y"] - second["y"]) < 12) is is_near
        if is_near:
            assert first["x"] + first["width"] < second["x"] < await page.evaluate("lanes.width") - second["width"]
        else:
            assert second["x"] == first["x"]


async def test_it_grows_while_it_is_shown_and_stays_where_the_user_has_moved_it() -> None:
    call = {"live": True, "end": 3, "lanes": [{"id": "ai", "label": "AI", "items": [{"from": 1, "to": None}]}]}
    async with page_of(call) as page:
        assert await page.evaluate("lanes.view") == {"from": 0, "to": 20}
        at_five = "lanes.at(...[lanes.x(5), lanes.axis.getBoundingClientRect().bottom - 12]).item"
        level = "call.lanes[0].level = { points: [], width: 0.2 }"
        await page.evaluate(f"{level}; lanes.update({{ end: 25 }})")
        assert await page.evaluate("lanes.view") == {"from": 0, "to": 30}  # in steps, not with each second
        assert await page.evaluate(at_five) == {"from": 1, "to": None}
        await page.evaluate("call.lanes[0].items[0].to = 2; lanes.update({ end: 26 })")
        assert await page.evaluate(at_five) is None
        dull = await page.evaluate("lanes.refresh(), colours(lanes.gutter + 1, 40, 900, 12)")
        await page.evaluate("for (let s = 0; s < 26; s += 0.2) call.lanes[0].level.points.push([s, 1]); lanes.update()")
        await page.evaluate("painted()")
        assert await page.evaluate("colours(lanes.gutter + 1, 40, 900, 12)") != dull
        await page.evaluate("lanes.follow(10)")
        assert await page.evaluate("lanes.view") == {"from": 16, "to": 26}
        await page.evaluate("lanes.update({ end: 28 })")
        assert await page.evaluate("lanes.view") == {"from": 18, "to": 28}
        await page.locator(".lanes-axis").focus()
        await page.keyboard.press("+")
        assert (await page.evaluate("views.at(-1)"))["follow"] is None
        view = await page.evaluate("lanes.view")
        await page.evaluate("lanes.update({ end: 100 })")
        assert await page.evaluate("lanes.view") == view


async def test_the_keyboard_reaches_everything_and_the_slider_says_what_is_there() -> None:
    async with page_of(CALL) as page:
        await page.keyboard.press("Tab")
        slider = page.get_by_role("slider", name="Time in the call")
        says = "lanes.axis.getAttribute('aria-valuetext')"
        assert await slider.evaluate("(it) => it === document.activeElement")
        await page.keyboard.press("ArrowDown")  # from the bands to the first lane
        await page.keyboard.press("Shift+ArrowRight")
        assert "Caller; 0:05.00–0:15.00 Quero o 202." in await page.evaluate(says)
        assert await slider.get_attribute("aria-valuenow") == "5.00"
        await page.keyboard.press("Shift+ArrowRight")
        assert "a cough" in await page.evaluate(says)
        await page.keyboard.press("Enter")
        assert await page.evaluate("[picks.at(-1).how, picks.at(-1).item.name, picks.at(-1).time]") == [
            "enter",
            "short",
            8,
        ]
        assert await page.locator(".lanes-tip").is_visible()
        await page.keyboard.press("Escape")
        assert not await page.locator(".lanes-tip").is_visible()
        await page.keyboard.press("ArrowDown")
        assert "100 ms ahead" in await page.evaluate(says)
        for _ in range(30):
            await page.keyboard.press("+")
        view = await page.evaluate("lanes.view")
        assert view["to"] - view["from"] == pytest.approx(0.05)
        assert view["from"] <= 8 <= view["to"]  # around the cursor
        await page.keyboard.press("End")
        assert await page.evaluate("lanes.view.to") == 60  # the view goes with the cursor
        await page.keyboard.press("0")
        assert await page.evaluate("lanes.view") == {"from": 0, "to": 60}
        await page.keyboard.press("ArrowLeft")
        assert await page.evaluate("lanes.cursor") == pytest.approx(60 - 60 / 50)
        await page.evaluate("addEventListener('keydown', (e) => (window.left = e.key))")
        for key in ("n", "p", " ", "Control+ArrowLeft"):  # are the page's
            await page.keyboard.press(key)
            assert await page.evaluate("window.left") == key.removeprefix("Control+")
        await page.keyboard.press("ArrowLeft")
        assert await page.evaluate("window.left") == "ArrowLeft"  # of before: this one is taken
        assert len(await page.evaluate("picks")) > 5


async def test_mouse_and_touch_move_and_zoom_without_picking() -> None:
    async with page_of(CALL, has_touch=True) as page:
        x, y = await lane_at(page, "caller", 30.0)
        await page.mouse.move(x, y)
        await page.keyboard.down("Control")
        await page.mouse.wheel(0, -200)
        await page.keyboard.up("Control")
        near = await page.evaluate("lanes.view")
        assert near["to"] - near["from"] == pytest.approx(60 / 2.718, rel=0.01)
        assert await page.evaluate("lanes.x(30)") == pytest.approx(x, abs=1)  # what is under the mouse stays there
        await page.mouse.down()
        await page.mouse.move(x - 50, y)
        await page.mouse.move(x - 100, y)
        await page.mouse.up()
        assert await page.evaluate("lanes.x(30)") == pytest.approx(x - 100, abs=1)
        await page.mouse.down()
        await page.mouse.move(x - 160, y)
        await page.mouse.move(x - 100, y)  # back to where it was pressed: still no click
        await page.mouse.up()
        assert await page.evaluate("[lanes.x(30), picks.length]") == [pytest.approx(x - 100, abs=1), 0]
        await page.keyboard.down("Shift")
        await page.mouse.wheel(0, 50)
        await page.keyboard.up("Shift")
        assert await page.evaluate("lanes.x(30)") == pytest.approx(x - 150, abs=1)
        before = await page.evaluate("lanes.view")
        await page.mouse.wheel(0, 10)  # a plain wheel is the page's
        assert await page.evaluate("lanes.view") == before
        # Two fingers that part zoom; one that moves pans; none of it picks.
        touch = await page.context.new_cdp_session(page)
        for kind, places in (
            ("touchStart", [(400, y), (600, y)]),
            ("touchMove", [(350, y), (600, y)]),
            ("touchMove", [(300, y), (700, y)]),
            ("touchEnd", []),
        ):
            points = [{"x": px, "y": py, "id": n} for n, (px, py) in enumerate(places)]
            await touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        after = await page.evaluate("lanes.view")
        assert after["to"] - after["from"] == pytest.approx((before["to"] - before["from"]) / 2, rel=0.05)
        assert await page.evaluate("picks") == []
        x, y = await lane_at(page, "caller", 28.0)
        await page.evaluate("lanes.show()")
        x, y = await lane_at(page, "caller", 12.0)
        await page.touchscreen.tap(x, y)
        assert await page.evaluate("[picks.length, picks[0].item.name]") == [1, "long"]
        for name, wide in (("Zoom in", 30), ("Zoom out", 60), ("Zoom in", 30), ("Show the whole call", 60)):
            await page.get_by_role("button", name=name).click()
            assert await page.evaluate("lanes.view.to - lanes.view.from") == pytest.approx(wide)


async def test_the_playhead_goes_where_it_is_set_and_the_view_goes_with_it() -> None:
    async with page_of(CALL) as page:
        line = page.locator(".lanes-cursor")
        assert not await line.is_visible()
        await page.evaluate("lanes.setCursor(20)")
        box = await line.bounding_box()
        assert box
        assert box["x"] + 1 == pytest.approx(await page.evaluate("lanes.x(20)"), abs=1)
        await page.evaluate("(lanes.show(0, 10), lanes.setCursor(20))")
        assert not await line.is_visible()
        await page.evaluate("lanes.setCursor(20, { reveal: true })")
        view = await page.evaluate("lanes.view")
        assert view["from"] < 20 < view["to"]
        await page.evaluate("lanes.setCursor(900)")
        assert await page.evaluate("lanes.cursor") == 60
        await page.evaluate("lanes.setCursor(NaN)")
        assert await page.evaluate("lanes.cursor") is None
        assert await page.evaluate("picks") == []


HOSTILE = """
const long = "Olá ".repeat(2500);
const texts = ["<img src=x onerror=alert(1)>", "</script><script>alert(1)</script>", long, "\\u202eabc\\u2066",
  "a\\u0000b\\nc\\u001b[31m",
  "\\ud83d", "e" + "\\u0301".repeat(5000), "مرحبا بالعالم", "👩‍👩‍👧‍👦".repeat(40),
  { toString: () => "object" }, 42, null, [], true];
const times = [NaN, Infinity, -Infinity, -5, 1e308, -1e308, 5e-324, "7", null, undefined, {}, 3];
const items = [null, undefined, 7, "text", []];
for (const text of texts) items.push({ from: 1, to: 59, text, title: text }, { at: 2, sign: text, title: text });
for (const from of times) for (const to of times) items.push({ from, to, text: `${String(from)} to ${String(to)}` });
for (const at of times) items.push({ at, title: "point", shape: "__proto__", tone: "constructor", sign: "?" });
items.push({ from: 30, to: 10, text: "ends before it begins" });
const values = [0.5, NaN, Infinity, -1, 7, null, "1", {}];
const odd = { items, rows: 1e9, em: -4, tone: "toString", level: { step: 0, values } };
odd.line = { points: [[1, NaN], [NaN, 1], null, [2, 1e308], [3, -Infinity]] };
odd.line.rules = [null, { at: NaN }, { at: 3, text: long }];
call.bands = items;
const other = { ...odd, id: texts[0], label: long, level: { points: values, width: NaN }, line: {} };
call.lanes = [null, 3, "lane", odd, other, { id: "empty" },
  { id: "good", label: "Good", items: [{ from: 10, to: 50, text: "still drawn" }] }];
"""


@pytest.mark.parametrize("end", [60, None, 1e308])
async def test_hostile_data_is_drawn_as_far_as_it_makes_sense_and_throws_nothing(end: float | None) -> None:
    async with page_of({"end": end}, HOSTILE, viewport={"width": 380, "height": 600}) as page:
        await page.evaluate("painted()")
        if end == 60:
            written = await page.evaluate("lanes.written")
            assert any(one["text"].startswith("still dr") for one in written)
            assert all(len(one["text"]) <= 301 for one in written)
            assert not any(set(one["text"]) & set("\x00\x1b\n\u202e\u2066") for one in written)
            width = await page.evaluate("lanes.width")
            assert [one for one in written if one["lane"] and one["x"] + one["width"] > width + 40] == []
        assert await page.evaluate("document.querySelectorAll('#root :is(img, script)').length") == 0
        assert await page.evaluate("document.documentElement.scrollWidth") <= 380
        box = await page.locator(".lanes-axis").bounding_box()
        assert box
        for y in range(20, int(min(box["height"], 500)), 12):
            await page.mouse.move(150, box["y"] + y)
        await page.locator(".lanes-axis").focus()
        for key in (
            "End",
            "ArrowLeft",
            "+",
            "ArrowDown",
            "Shift+ArrowRight",
            "Shift+ArrowLeft",
            "Home",
            "PageDown",
            "0",
            "Enter",
        ):
            await page.keyboard.press(key)
        for odd in ("NaN, 5", "5, NaN", "Infinity, -Infinity", "9, 2", "1e300, 1e301", "'a', {}"):
            await page.evaluate(f"(lanes.show({odd}), painted())")
            view = await page.evaluate("lanes.view")
            assert view["from"] is not None
            assert view["to"] > view["from"]
        for odd in (
            "{ lanes: null, bands: 7 }",
            "{ lanes: {}, end: -9 }",
            "{ start: NaN, live: true }",
            "{ lanes: [{}] }",
        ):
            await page.evaluate(f"(lanes.set({odd}), lanes.refresh())")


async def test_ten_minutes_with_5000_items_are_drawn_at_once() -> None:
    """No measure of time, which a busy machine would fail: what is drawn stays as much as the screen can show."""
    many = """
    const envelope = () => Array.from({ length: 2000 }, (_, i) => Math.abs(Math.sin(i)));
    call.lanes = Array.from({ length: 5 }, (_, lane) => ({ id: lane, label: `Lane ${lane}`,
      items: Array.from({ length: 1000 }, (_, i) => ({ from: i * 0.6, to: i * 0.6 + 0.5, text: `${i}` })),
      ...(lane < 2 && { level: { from: 0, step: 0.3, values: envelope() } }) }));
    """
    count = """(() => {
      let fills = 0;
      lanes.pen.fillRect = () => fills++;
      lanes.refresh();
      delete lanes.pen.fillRect;
      return fills;
    })()"""
    async with page_of({"end": 600}, many) as page:
        whole = await page.evaluate(count)
        width = await page.evaluate("lanes.width")
        assert 1000 < whole < 7 * width
        await page.evaluate("lanes.show(100, 130)")
        assert await page.evaluate(count) < 700


_CONTRASTS = """() => {
  const luminance = (color) => {
    const linear = (v) => ((v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    const [x, y, z] = color.match(/[\\d.]+/g).map(linear);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const of = (name) => {
    lanes.probe.style.color = `var(--lanes-${name})`;
    return luminance(getComputedStyle(lanes.probe).color);
  };
  const ratio = (one, other) => (Math.max(of(one), of(other)) + 0.05) / (Math.min(of(one), of(other)) + 0.05);
  const poor = [];
  const need = (one, other, least) => ratio(one, other) < least && poor.push([one, other, ratio(one, other)]);
  for (const tone of ["caller", "bot", "wait", "good", "bad", "note", "rest"]) {
    need("text", `${tone}-soft`, 4.5);
    need(tone, "back", 3);
  }
  for (const name of ["text", "faint", "bad"]) need(name, "back", 4.5);
  need("focus", "back", 3);
  return poor;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "ratio"), [(1280, 1), (380, 2.5)])
async def test_it_is_readable_in_light_and_dark_on_wide_and_narrow_and_sharp_screens(
    scheme: str, width: int, ratio: float
) -> None:
    view = {"viewport": {"width": width, "height": 700}, "device_scale_factor": ratio, "color_scheme": scheme}
    async with page_of(CALL, **view) as page:
        assert await page.evaluate(_CONTRASTS) == []
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        assert await page.evaluate("lanes.canvas.width / lanes.canvas.clientWidth") == pytest.approx(ratio, rel=0.01)
        assert (await page.evaluate("lanes.gutter") > 0) == (width > 400)
        written = await page.evaluate("lanes.written")
        assert {"Caller", "Windows"} <= {one["text"] for one in written}
        other = {"light": "dark", "dark": "light"}[scheme]
        ink = await page.evaluate("lanes.style.text")
        await page.emulate_media(color_scheme=other)
        await until(page, f"lanes.style.text !== '{ink}'")
        await page.emulate_media(forced_colors="active", color_scheme=scheme)
        await until(page, "lanes.style['bot-soft'] === lanes.style['caller-soft']")
        await page.emulate_media(media="print", color_scheme="dark", forced_colors="none")
        await until(page, "lanes.style.text === 'rgb(27, 30, 36)'")  # ink for paper, whatever the screen


def test_the_drawing_is_one_module_without_imports_and_short() -> None:
    drawing = FILES[0].read_text("utf-8")
    assert FILES[0].name == "lanes.js"
    assert len(drawing.splitlines()) <= 300
    assert not re.search(r"^import |import\(", drawing, re.MULTILINE)


async def test_the_scripts_fit_into_one_and_nothing_of_it_is_left_behind() -> None:
    text = script()
    assert "</" not in text
    assert not re.search(r"^import |import\(", text, re.MULTILINE)
    tops = re.findall(r"^(?:export )?(?:const|let|var|function|class) \[?(\w+)", text, re.MULTILINE)
    assert len(tops) > 10
    assert [name for name in tops if not name.lower().startswith("lanes")] == []
    async with page_of(CALL) as page:
        await page.evaluate("lanes.destroy()")
        assert await page.evaluate("document.getElementById('root').childElementCount") == 0
        await page.set_viewport_size({"width": 500, "height": 500})
        await page.evaluate("painted()")
