// The timeline of a call, drawn live: lanes for the states, the caller, the AI with hold audio, and the other events. Its
// items are made once and then only moved, so that the tooltip of an item under the mouse stays.
import { clock, element, inSeconds, share } from "./words.js";

const STEPS = [20, 30, 45, 60, 90, 120, 180, 300, 600, 1200, 1800, 3600]; // seconds that a live call may fill
const TICKS = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600];
const MOST_ITEMS = 3000;
const MOST_LEVELS = 9000; // half an hour
const MOST_ROWS = 3;
const MARK_ROW_REM = 1.15;
const STATE_PADDING = 12; // pixels at both sides of a state's name together
const MARK_GAP = 2; // pixels between two marks
const SVG = "http://www.w3.org/2000/svg";

const MARKS = {
  backend_asked: (e) => ["?", `asked the backend: ${e.content}`],
  backend_answered: (e) => ["✓", `the backend answered after ${inSeconds(e.latency_ms)}: ${e.set_call_status}`],
  backend_failed: (e) => ["✕", `the backend failed: ${e.detail}`, "bad"],
  message_pushed: (e) => ["↓", `the backend pushed ${e.set_call_status}`],
  dtmf_received: (e) => [e.digit, `DTMF ${e.digit}`],
  synthesis_failed: (e) => ["✕", `speech synthesis failed: ${e.detail}`, "bad"],
  warned: (e) => ["!", e.what, "bad"],
};

export class Timeline {
  constructor(root) {
    this.root = root;
    this.lastSeconds = null; // null: the whole call
    root.setAttribute("role", "img");
    this.tracks = {};
    for (const [name, label] of [["state", "State"], ["caller", "Caller"], ["ai", "AI"], ["marks", "Events"], ["axis", ""]]) {
      const lane = element("div", "lane");
      const track = (this.tracks[name] = element("div", `track ${name}`));
      lane.append(element("span", "", label), track);
      root.append(lane);
    }
    this.pen = document.createElement("canvas").getContext("2d");
    this.widths = new Map(); // of the names of states and of marks, in pixels
    this.paths = { caller: this.area("caller"), ai: this.area("ai") };
    this.cursor = element("div", "cursor");
    this.reset();
  }

  area(name) {
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("preserveAspectRatio", "none");
    svg.setAttribute("aria-hidden", "true");
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("class", name);
    svg.append(path);
    this.tracks[name].append(svg);
    return { svg, path };
  }

  reset() {
    for (const item of this.items ?? []) item.made.remove();
    this.items = []; // {made, from, to}: `to` is null while the item continues; undefined for a point in time
    this.levels = []; // [seconds, caller, bot]
    this.open = {};
    this.endedAt = null;
    this.turns = 0;
  }

  event(type, e) {
    if (type === "call_started") this.begin("state", e.at, "state", "bar STANDBY", "STANDBY");
    if (type === "state_changed") this.begin("state", e.at, "state", `bar ${e.after}`, e.after);
    if (type === "speech_started") this.begin("caller", e.at, "caller", "bar speech caller", "");
    if (type === "speech_ended") this.speechEnded(e);
    if (type === "transcript_final" && e.text) this.name("caller", e.text);
    if (type === "playback_started") this.begin("ai", e.at, "ai", "bar speech ai", e.text);
    if (type === "playback_finished") this.finish("ai", e.at);
    if (type === "hold_started") this.begin("hold", e.at, "ai", "bar speech hold", "hold audio");
    if (type === "hold_stopped") this.finish("hold", e.at);
    if (type in MARKS) this.mark(e.at, ...MARKS[type](e));
    if (type === "call_ended") {
      this.endedAt = e.at;
      for (const name of Object.keys(this.open)) this.finish(name, e.at);
    }
  }

  // The utterance ended before the silence that revealed its end.
  speechEnded(e) {
    const item = this.open.caller;
    this.finish("caller", item ? Math.min(e.at, item.from + e.duration_ms / 1000) : e.at);
    if (e.reason === "too_short") item?.made.remove();
    else this.turns += 1;
  }

  begin(name, at, track, className, text) {
    this.finish(name, at);
    const made = element("div", className, text);
    if (text) made.title = `${clock(at)} ${text}`;
    this.tracks[track].append(made);
    this.add((this.open[name] = { made, from: at, to: null, name }));
  }

  finish(name, at) {
    if (this.open[name]) this.open[name].to = at;
    delete this.open[name];
  }

  name(track, text) {
    const item = this.items.findLast((other) => other.name === track);
    if (!item || item.made.textContent) return;
    item.made.textContent = text;
    item.made.title = `${clock(item.from)} ${text}`;
  }

  mark(at, sign, what, kind = "") {
    const made = element("span", `mark ${kind}`, sign);
    this.tracks.marks.append(made);
    this.add({ made, from: at, what: `${clock(at)} ${what}` });
  }

  add(item) {
    this.items.push(item);
    if (this.items.length > MOST_ITEMS) this.items.shift().made.remove();
  }

  level(sample) {
    this.levels.push(sample);
    if (this.levels.length > MOST_LEVELS) this.levels.shift();
  }

  // `now`: seconds since the UUID.
  draw(now) {
    const until = this.endedAt ?? now;
    const whole = this.lastSeconds === null;
    const fitting = this.endedAt === null ? STEPS.find((step) => step >= until) : Math.max(1, until);
    const span = whole ? (fitting ?? until) : this.lastSeconds;
    const width = this.tracks.state.clientWidth;
    const from = whole ? 0 : Math.max(0, until - span);
    const x = (at) => (100 * (at - from)) / span;
    const marks = [];
    for (const item of this.items) {
      const { made, from: begins, to, name: track } = item;
      const left = x(begins);
      if (to === undefined) {
        made.hidden = left < 0 || left > 100;
        made.style.left = `${left}%`;
        if (!made.hidden) marks.push({ item, left: (left / 100) * width });
        continue;
      }
      const right = x(to ?? until);
      made.hidden = right < 0 || left > 100;
      const shownFrom = Math.max(0, left); // so that the text of a long bar stays visible
      made.style.left = `${shownFrom}%`;
      const shown = Math.max(0, Math.min(100, right) - shownFrom);
      made.style.width = `${shown}%`;
      const needed = track === "state" ? this.widthOf(made) + STATE_PADDING : 44;
      made.classList.toggle("narrow", (shown / 100) * width < needed);
    }
    this.placeMarks(marks);
    this.drawLevels(from, span);
    this.drawAxis(from, span, x, this.endedAt === null ? x(until) : null);
    const said = `${clock(until, 0)} of call, ${this.turns} turns of the caller`;
    if (this.root.getAttribute("aria-label") !== said) this.root.setAttribute("aria-label", said);
  }

  // Marks close to one another stand in rows below one another; what fits in no row is left to the tooltip of the one
  // that is in its way.
  placeMarks(marks) {
    const ends = []; // of each row: where its last mark ends, and that mark
    let rows = 1;
    for (const { item, left } of marks.sort((a, b) => a.left - b.left)) {
      const half = this.widthOf(item.made) / 2;
      let row = ends.findIndex((end) => end.at + MARK_GAP <= left - half);
      if (row < 0 && ends.length < MOST_ROWS) row = ends.length;
      if (row < 0) {
        item.made.hidden = true;
        const last = ends[MOST_ROWS - 1].item;
        last.also.push(item.what);
        continue;
      }
      ends[row] = { at: left + half, item };
      item.also = [];
      rows = Math.max(rows, row + 1);
      const top = `${MARK_ROW_REM * row + 0.1}rem`;
      if (item.made.style.top !== top) item.made.style.top = top;
    }
    for (const { item } of marks) {
      const title = [item.what, ...(item.also ?? [])].join("\n");
      if (!item.made.hidden && item.made.title !== title) item.made.title = title;
    }
    const height = `${MARK_ROW_REM * rows + 0.2}rem`;
    if (this.tracks.marks.style.height !== height) this.tracks.marks.style.height = height;
  }

  widthOf(made) {
    const text = made.textContent;
    if (!this.widths.has(text)) {
      const style = getComputedStyle(made);
      this.pen.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
      this.widths.set(text, this.pen.measureText(text).width);
    }
    return this.widths.get(text);
  }

  drawLevels(from, span) {
    const shown = this.levels.filter(([at]) => at >= from - 1);
    const column = Math.max(0.2, span / 400); // seconds; no more columns than are visible
    ["caller", "ai"].forEach((name, index) => {
      const heights = new Map();
      for (const sample of shown) {
        const slot = Math.floor(sample[0] / column);
        heights.set(slot, Math.max(heights.get(slot) ?? 0, share(sample[1 + index])));
      }
      let d = "";
      for (const [slot, height] of heights) {
        if (height === 0) continue;
        const left = (slot * column - from).toFixed(2);
        const width = (column * 0.75).toFixed(3);
      d += `M${left} 100v${(-100 * height).toFixed(1)}h${width}V100z`;
      }
      const { svg, path } = this.paths[name];
      svg.setAttribute("viewBox", `0 0 ${span} 100`);
      path.setAttribute("d", d);
    });
  }

  drawAxis(from, span, x, cursorAt) {
    const wanted = Math.max(3, Math.min(12, this.root.clientWidth / 90));
    const step = TICKS.find((tick) => span / tick <= wanted) ?? 600;
    const key = `${step} ${span} ${from}`;
    if (key !== this.axisKey) {
      this.axisKey = key;
      const ticks = [];
      for (let at = Math.ceil(from / step) * step; at < from + span; at += step) {
        const tick = element("span", "tick", clock(at, 0));
        tick.style.left = `${x(at)}%`;
        ticks.push(tick);
      }
      this.tracks.axis.replaceChildren(...ticks);
    }
    this.cursor.hidden = cursorAt === null;
    if (cursorAt !== null) {
      if (!this.cursor.parentNode) this.tracks.state.append(this.cursor);
      this.cursor.style.left = `${cursorAt}%`;
    }
  }
}
