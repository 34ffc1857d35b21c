"""The debug page in a real Chromium: calls come and go with no reload, hostile text stays text, nothing is missed."""

import asyncio
import itertools
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from audiosocket_server.backend.reply import BackendReply
from audiosocket_server.events import (
    BackendAskedEvent,
    CallEndedEvent,
    CallStartedEvent,
    CallState,
    HoldStartedEvent,
    LatencyStage,
    PlaybackFinishedEvent,
    PlaybackStartedEvent,
    SpeechEndedEvent,
    SpeechStartedEvent,
    StageTookEvent,
    StateChangedEvent,
    SynthesisFailedEvent,
    TranscriptFinalEvent,
    TranscriptInterimEvent,
    WarnedEvent,
)
from audiosocket_server.registry.calls import CallRecord, Calls
from audiosocket_server.registry.vitals import Vitals
from audiosocket_server.web.api import ControlServer
from helpers.axe import serious_findings
from helpers.browser_bench import browsing, needs_browser
from helpers.call_bench import bench, reply
from pydantic import SecretStr

pytestmark = needs_browser

UUID = "40325ec2-5efd-4bd3-805f-53576e581d13"
TOKEN = "a-token-of-the-tests"
HOSTILE = (
    "<script>document.title = 'owned'</script>",
    "<img src=/x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "</li></ol><a href=javascript:alert(1)>here</a>",
    "\u202e<iframe src=//evil.test>",
)


@asynccontextmanager
async def control(calls: Calls, *, token: str | None = None, port: int = 0) -> AsyncIterator[str]:
    server = ControlServer(calls, SecretStr(token) if token else None)
    try:
        yield await server.start("127.0.0.1", port)
    finally:
        await server.aclose()


def begin(calls: Calls, uuid: str = UUID, **doors: object) -> CallRecord:
    began_at = asyncio.get_running_loop().time()
    doors = {"push": lambda _: True, **doors}
    push = doors.pop("push")
    call = calls.open(uuid, "127.0.0.1:40003", push, began_at=began_at, **doors)  # type: ignore[arg-type]
    call.record(CallStartedEvent(uuid, call.peer), 0.0)
    return call


def greet(call: CallRecord) -> None:
    call.record(StateChangedEvent(CallState.STANDBY, CallState.IA_TURN), 0.1)
    call.record(PlaybackStartedEvent("greeting", "Em que posso ajudar?"), 0.1)
    call.record(PlaybackFinishedEvent(1000, complete=True), 1.1)
    call.record(StateChangedEvent(CallState.IA_TURN, CallState.USER_TURN), 1.6)


_LANE = "((id) => document.getElementById('timeline').lanes.data.lanes.find((lane) => lane.id === id))"


async def test_a_call_appears_changes_state_shows_its_transcript_and_its_end_with_no_reload() -> None:
    from playwright.async_api import expect

    async with bench() as b, control(b.server.calls) as url, browsing(url) as watched:
        page = watched.page
        await expect(page.locator("#none")).to_be_visible()
        await page.evaluate("window.sameDocument = true")
        b.backend.says.extend([reply("Pois não."), reply("Aguarde.", CallState.WAITING)])
        b.engine.hears.extend(["Quero falar com o 202.", "Sim."])

        caller = await b.call()
        await expect(page.locator("#call-id")).to_have_text(UUID)
        await expect(page.locator("#totals")).to_have_text("1 live, 0 ended")
        await expect(page.locator("#state")).to_have_text("IA_TURN")
        await expect(page.locator("#transcript li.ai")).to_contain_text("Condomínio Apoena")
        await expect(page.locator("#ai-meter")).not_to_have_attribute("aria-valuenow", "-120")
        await expect(page.locator("#state")).to_have_text("USER_TURN")
        caller.say()
        await expect(page.locator("#transcript li.caller")).to_contain_text("Quero falar com o 202.")
        await expect(page.locator("#transcript li.ai").nth(1)).to_contain_text("Pois não.")
        await expect(page.locator("#answers li .parts")).to_contain_text("endpoint")
        await expect(page.locator("#answers li .parts")).to_contain_text("first audio")
        assert await page.evaluate(f"{_LANE}('caller').items.length") == 1
        assert await page.evaluate(f"{_LANE}('ai').items.filter((item) => !item.tone).length") == 2
        assert await page.evaluate(f"Math.max(...{_LANE}('ai').level.points.map(([at, share]) => share))") > 0
        await expect(page.locator("#transcript li", has_text="IA_TURN → USER_TURN")).to_have_count(2)
        await expect(page.locator("#state")).to_have_text("USER_TURN")
        caller.say()
        await expect(page.locator("#state")).to_have_text("WAITING")
        caller.hang_up()
        await expect(page.locator("#state")).to_have_text("ended")
        await expect(page.locator("#ending")).to_have_text(re.compile("Ended by caller: the caller hung up"))
        await expect(page.locator("#transcript li.last")).to_contain_text("ended by caller")
        await expect(page.locator("#totals")).to_have_text("0 live, 1 ended")
        await expect(page.locator("#hang-up")).to_be_hidden()
        assert await page.evaluate("window.sameDocument") is True


async def test_hostile_text_is_shown_as_text_and_does_nothing() -> None:
    from playwright.async_api import expect

    calls = Calls()
    async with control(calls) as url, browsing(url) as watched:
        page = watched.page
        call = begin(calls)
        for text in HOSTILE:
            call.record(SpeechStartedEvent(), 1.0)
            call.record(TranscriptInterimEvent(text), 1.0)
            call.record(SpeechEndedEvent("silence", 500), 1.0)
            call.record(TranscriptFinalEvent(text), 1.0)
            call.record(BackendAskedEvent(text), 1.0)
            call.record(PlaybackStartedEvent("reply", text), 1.0)
            call.record(SynthesisFailedEvent(text), 1.0)
            call.record(WarnedEvent(text), 1.0)
        hostile_id = begin(calls, HOSTILE[1])
        hostile_id.record(CallEndedEvent("error", HOSTILE[0], 1), 1.0)
        await expect(page.locator("#ending")).to_contain_text(HOSTILE[0])
        await expect(page.locator("#call-id")).to_have_text(HOSTILE[1])
        await page.locator("nav button", has_text=UUID).click()
        for text in HOSTILE:
            await expect(page.locator("#transcript li.caller .text", has_text=text)).to_have_count(1)
            await expect(page.locator("#transcript li.ai .text", has_text=text)).to_have_count(1)
        assert await page.locator("main :is(script, img, iframe, a, object, embed)").count() == 0
        assert await page.locator("[onerror], [onload]").count() == 0
        assert await page.title() == "(1) Calls"
        # And should a text once get where it must not, the page's policy stops it.
        watched.expected = ("Trusted", "TrustedHTML", "Content Security Policy")
        stopped = "try { document.body.innerHTML = '<img src=x onerror=alert(1)>'; 'done' } catch (e) { e.name }"
        assert await page.evaluate(stopped) == "TypeError"


class Line:
    """A connection to the server that can be cut and mended: whoever listens is gone, and so is what was open."""

    def __init__(self, url: str) -> None:
        self._target = int(url.rpartition(":")[2])
        self._writers: set[asyncio.StreamWriter] = set()
        self._listening: asyncio.Server | None = None
        self.port = 0

    async def mend(self) -> str:
        self._listening = await asyncio.start_server(self._join, "127.0.0.1", self.port)
        self.port = self._listening.sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{self.port}"

    async def cut(self) -> None:
        assert self._listening is not None
        self._listening.close()
        for writer in self._writers:
            writer.transport.abort()
        while self._writers:  # noqa: ASYNC110
            await asyncio.sleep(0)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        self._writers |= {writer, far_writer}
        await asyncio.gather(self._pass(reader, far_writer), self._pass(far_reader, writer))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
        except ConnectionError:
            pass
        finally:
            writer.close()
            self._writers.discard(writer)


async def test_a_lost_stream_comes_back_and_misses_nothing() -> None:
    from playwright.async_api import expect

    calls = Calls()
    async with control(calls) as real_url:
        line = Line(real_url)
        url = await line.mend()
        async with browsing(url) as watched:
            page = watched.page
            watched.expected = ("Failed to load resource: net::ERR_",)
            resumed: list[str | None] = []
            page.on("request", lambda request: resumed.append(request.headers.get("last-event-id")))
            call = begin(calls)
            greet(call)
            await expect(page.locator("#transcript li")).to_have_count(4)
            await expect(page.locator("#link")).to_have_text("live")

            await line.cut()
            await expect(page.locator("#link")).to_have_attribute("data-link", "lost")
            for n in range(50):
                call.record(TranscriptFinalEvent(f"word {n}."), 2.0 + n)
            begin(calls, "another").record(CallEndedEvent("caller", "gone", 1), 1.0)
            await page.wait_for_timeout(500)
            await expect(page.locator("#transcript li")).to_have_count(4)

            await line.mend()
            await expect(page.locator("#link")).to_have_text("live")
            await page.locator("nav button", has_text=UUID).click()
            await expect(page.locator("#transcript li.caller")).to_have_count(50)
            await line.cut()
            call.record(TranscriptFinalEvent("and the last"), 60.0)
            call.record(CallEndedEvent("server", "the conversation is over", 61_000), 61.0)
            await line.mend()
            await expect(page.locator("#ending")).to_have_text("Ended by server: the conversation is over.")
            await expect(page.locator("#transcript li.last")).to_have_count(1)
            said = await page.locator("#transcript li.caller .text").all_inner_texts()
            assert said == [*(f"word {n}." for n in range(50)), "and the last"]
            await expect(page.locator("#totals")).to_have_text("0 live, 2 ended")
            assert any(resumed)
        await line.cut()


async def test_another_server_at_the_same_address_is_another_list() -> None:
    from playwright.async_api import expect

    before, after = Calls(), Calls()
    async with control(before) as url:
        context = browsing(url)
        watched = await context.__aenter__()
        watched.expected = ("Failed to load resource: net::ERR_", "ERR_INCOMPLETE_CHUNKED_ENCODING")
        greet(begin(before, "of the first"))
        await expect(watched.page.locator("#call-id")).to_have_text("of the first")
        await expect(watched.page.locator("#transcript li")).to_have_count(4)
    greet(begin(after, "of the second"))
    async with control(after, port=int(url.rpartition(":")[2])):
        await expect(watched.page.locator("#call-id")).to_have_text("of the second")
        await expect(watched.page.locator("#transcript li")).to_have_count(4)
        await expect(watched.page.locator("#totals")).to_have_text("1 live, 0 ended")
        await context.__aexit__(None, None, None)


async def test_the_token_is_asked_for_kept_in_the_tab_and_gone_from_the_address() -> None:
    from playwright.async_api import expect

    calls = Calls()
    async with control(calls, token=TOKEN) as url:
        greet(begin(calls))
        async with browsing(url) as watched:
            page = watched.page
            watched.expected = ("401 (Unauthorized)",)
            await expect(page.get_by_label("Token")).to_be_focused()
            await expect(page.locator("#board")).to_be_hidden()
            assert UUID not in await page.content()
            await page.keyboard.type("wrong\n")
            await expect(page.locator("#login-error")).to_have_text("The server rejects this token.")
            await page.keyboard.type(f"{TOKEN}\n")
            await expect(page.locator("#call-id")).to_have_text(UUID)
            await expect(page.locator("#transcript li")).to_have_count(4)
            watched.expected = ()
            await page.reload()
            await expect(page.locator("#transcript li")).to_have_count(4)
            other = await page.context.new_page()  # another tab knows nothing
            await other.goto(url)
            await expect(other.get_by_label("Token")).to_be_visible()
        async with browsing(url, f"/#token={TOKEN}") as watched:
            await expect(watched.page.locator("#call-id")).to_have_text(UUID)
            assert watched.page.url == f"{url}/"


async def test_one_can_hang_up_and_push_and_walk_by_keyboard() -> None:
    from playwright.async_api import expect

    calls = Calls()
    pushed: list[BackendReply] = []

    def hang_up(reason: str) -> None:
        call.record(CallEndedEvent("server", reason, 1000), 1.0)

    async with control(calls) as url, browsing(url) as watched:
        page = watched.page
        begin(calls, "the older")
        call = begin(calls, push=lambda given: not pushed.append(given), hang_up=hang_up)
        await expect(page.locator("#call-id")).to_have_text(UUID)
        await expect(page.get_by_role("button", name="Push")).to_be_disabled()
        call.record(StateChangedEvent(CallState.STANDBY, CallState.WAITING), 0.5)
        await page.get_by_label("As the backend, say").fill("Pode entrar.")
        await page.get_by_label("then").select_option("STANDBY")
        await page.get_by_role("button", name="Push").click()
        await expect(page.get_by_label("As the backend, say")).to_have_value("")
        assert [(given.message, given.status) for given in pushed] == [("Pode entrar.", CallState.STANDBY)]

        await page.locator("nav button").first.focus()
        await page.keyboard.press("ArrowDown")
        await expect(page.locator("#call-id")).to_have_text("the older")
        await page.keyboard.press("ArrowUp")
        await expect(page.locator("#call-id")).to_have_text(UUID)
        begin(calls, "a newer one")  # does not take the place of one that was chosen
        await expect(page.locator("#totals")).to_have_text("3 live, 0 ended")
        await expect(page.locator("#call-id")).to_have_text(UUID)

        await page.locator("#hang-up").click()
        assert call.live
        await page.get_by_role("button", name="Really hang up?").click()
        await expect(page.locator("#ending")).to_have_text("Ended by server: hung up by the control API.")


async def test_the_timeline_finds_the_line_of_the_transcript_and_may_be_moved_while_the_call_goes_on() -> None:
    from playwright.async_api import expect

    calls = Calls()
    async with control(calls) as url, browsing(url) as watched:
        page = watched.page
        call = begin(calls)
        greet(call)
        for second in range(2, 18):
            call.record(TranscriptFinalEvent(f"word {second}."), float(second))
        await expect(page.locator("#transcript li.caller")).to_have_count(16)
        lanes = "document.getElementById('timeline').lanes"
        x = await page.evaluate(f"({lanes}.update(), {lanes}.end = 18, {lanes}.x(12.5))")
        box = await page.locator("#timeline canvas").bounding_box()
        assert box
        await page.mouse.click(x, box["y"] + 40)
        await watched.until("document.querySelector('#transcript .chosen')")
        assert call.live
        await page.locator("#timeline").get_by_role("button", name="Zoom in").click()
        await expect(page.locator("#zoom input:checked")).to_have_count(0)
        view = await page.evaluate(f"{lanes}.view")
        await page.wait_for_timeout(500)
        assert await page.evaluate(f"{lanes}.view") == view
        await page.get_by_role("radio", name="whole call").check()
        assert (await page.evaluate(f"{lanes}.view"))["from"] == 0
        call.record(CallEndedEvent("caller", "the caller hung up", 18_000), 18.0)
        await expect(page.locator("#ending")).to_be_visible()
        slider = page.get_by_role("slider", name="Timeline, 0 turns of the caller")
        await slider.focus()
        await page.keyboard.press("End")
        await expect(slider).to_have_attribute("aria-valuenow", "18.00")
        await expect(page.locator("#transcript .chosen")).to_contain_text("ended by caller")
        for _ in range(20):
            await page.keyboard.press("ArrowLeft")
        await expect(page.locator("#transcript .chosen")).to_have_text(re.compile(r"word 1\d\."))


_CONTRASTS = """() => {
  const luminance = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const numbers = (color) => color.match(/[\\d.]+/g).map(Number);
  const poor = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    const style = getComputedStyle(element);
    if (!own || !element.checkVisibility() || element.matches(":disabled, option, .skip")) continue;
    let back = element;
    while (back && numbers(getComputedStyle(back).backgroundColor)[3] === 0) back = back.parentElement;
    const colors = [style.color, getComputedStyle(back ?? document.body).backgroundColor];
    const [a, b] = colors.map((color) => luminance(numbers(color)));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) poor.push(`${element.outerHTML}: ${ratio.toFixed(2)}`);
  }
  return poor;
}"""


_UNNAMED = """() => [...document.querySelectorAll("button, input, select")]
  .filter((field) => !field.labels?.length && !field.textContent.trim()).map((field) => field.outerHTML)"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 768, 360])
async def test_it_fits_and_is_readable(width: int, scheme: str) -> None:
    from playwright.async_api import expect

    calls = Calls()
    old = begin(calls, "0b7c4d1e-52aa-4c1b-9d40-8f0d2b6f0c11")
    greet(old)
    old.record(CallEndedEvent("error", "internal error: ValueError", 5000), 5.0)
    greet(begin(calls, "9f1c22aa-0d7e-4b53-9a55-6a1f0e2a7b90"))
    call = begin(calls, vitals=lambda: Vitals(-20.0, -30.0, 0))
    greet(call)
    call.record(SpeechStartedEvent(), 2.0)
    call.record(SpeechEndedEvent("silence", 1500), 4.5)
    call.record(StageTookEvent(LatencyStage.ENDPOINT, 1000, 1000), 4.5)
    call.record(StageTookEvent(LatencyStage.RECOGNITION, 200, 1200), 4.7)
    call.record(TranscriptFinalEvent("Quero falar com o apartamento " + "202" * 60), 4.7)  # which no line holds
    call.record(StateChangedEvent(CallState.USER_TURN, CallState.WAITING), 4.7)
    call.record(WarnedEvent("something is off"), 4.8)
    call.record(HoldStartedEvent(), 5.0)
    size = {"width": width, "height": 800}
    async with control(calls) as url, browsing(url, viewport=size, color_scheme=scheme) as watched:
        page = watched.page
        await expect(page.locator("#transcript .caller")).to_be_visible()
        await expect(page.locator("#caller-meter")).to_have_attribute("aria-valuenow", "-20")
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        assert await page.evaluate(_CONTRASTS) == []
        assert await page.evaluate(_UNNAMED) == []
        dark = await page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (sum(json.loads(f"[{dark[4:-1]}]")) < 384) == (scheme == "dark")
        assert await serious_findings(page) == []
        await page.locator("nav button").last.click()
        await expect(page.locator("#ending")).to_be_visible()
        assert await page.evaluate(_CONTRASTS) == []


# The written words of the timeline, as they lie after the next drawing; `titles`: what its points say when asked.
_WRITTEN = """async () => {
  const { lanes } = document.getElementById("timeline");
  lanes.update(); // as the page does five times a second
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  const { top, bottom, left, right } = lanes.axis.getBoundingClientRect();
  const titles = new Set();
  for (let x = left; x < right; x++) for (let y = top; y < bottom; y += 5) {
    for (const item of lanes.at(x, y)?.items ?? []) titles.add(item.title);
  }
  return { written: lanes.written, titles: [...titles], width: right - left, height: bottom - top };
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_on_a_phone_nothing_is_clipped_or_over_another_and_all_of_it_scrolls_as_one(scheme: str) -> None:
    from playwright.async_api import expect

    calls = Calls()
    for number in range(12):
        old = begin(calls, f"0b7c4d1e-52aa-4c1b-9d40-8f0d2b6f{number:04d}")
        old.record(CallEndedEvent("caller", "hung up", 5000), 5.0)
    call = begin(calls)
    greet(call)
    at = 2.0
    for turn in range(4):
        states = (CallState.USER_TURN, CallState.WAITING, CallState.IA_TURN, CallState.USER_TURN)
        call.record(BackendAskedEvent("Sim."), at + 2.4)
        for before, after, seconds in zip(states, states[1:], (2.4, 2.9, 5.0), strict=False):
            call.record(StateChangedEvent(before, after), at + seconds)
        for n in range(1 + turn):
            call.record(WarnedEvent(f"warning {n} of turn {turn}"), at + 2.45 + n / 100)
        at += 5.0
    size = {"width": 380, "height": 800}
    async with control(calls) as url, browsing(url, viewport=size, color_scheme=scheme) as watched:
        page = watched.page
        await watched.until(f"{_LANE}('events').items.length === 14")
        assert await page.evaluate("document.documentElement.scrollWidth") <= 380
        seen = await page.evaluate(_WRITTEN)
        await page.evaluate("document.getElementById('timeline').lanes.show(2, 8)")
        near = await page.evaluate(_WRITTEN)
        for written in (seen["written"], near["written"]):  # a state's name is whole, or is not written
            states = {text["text"] for text in written if text["lane"] == "state"}
            assert states <= {"STANDBY", "IA_TURN", "USER_TURN", "WAITING"}
        assert "IA_TURN" in states
        assert [text for text in seen["written"] if text["x"] + text["width"] > seen["width"] + 1] == []
        marks = [text for text in seen["written"] if text["lane"] == "events"]
        assert len(marks) > 4
        for one, other in itertools.combinations(marks, 2):
            apart = one["x"] + one["width"] <= other["x"] or other["x"] + other["width"] <= one["x"]
            assert apart or abs(one["y"] - other["y"]) > 10, (one, other)
        assert {f"warning {n} of turn {turn}" for turn in range(4) for n in range(1 + turn)} <= set(seen["titles"])
        assert await page.evaluate("getComputedStyle(document.querySelector('nav')).overflowY") == "visible"
        places = [await page.locator(f"#{name}").bounding_box() for name in ("live", "call", "ended")]
        assert [place["y"] for place in places if place] == sorted(place["y"] for place in places if place)
        await page.locator("#ended button").last.click()
        await expect(page.locator("#ending")).to_be_in_viewport()
