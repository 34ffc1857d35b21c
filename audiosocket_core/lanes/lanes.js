// The time axis of a call: lanes with stretches, points, levels and step lines, which may grow while they are shown.
// The lanes are drawn on a canvas: 5,000 items move smoothly there, and it has patterns. Cursor, tooltip and buttons are
// DOM. README.md has the data's shape. Texts are only ever written as text, and styles are set through the CSSOM, so that
// a page's policy can forbid inline scripts and styles. All names at the top begin with "lanes", in any case.
const LANES_PATTERNS = { caller: "solid", bot: "solid", wait: "hatch", good: "open", bad: "cross", note: "dots", rest: "solid" };
const LANES_TILES = { // lines in a square of 8 pixels
  solid: "", open: "", dashed: "", dots: "M1 2h2M5 6h2", bars: "M2 0v8M6 0v8", cross: "M-1 9L9 -1M-1 -1L9 9",
  hatch: "M-1 9L9 -1M-1 1L1 -1M7 9L9 7", back: "M-1 -1L9 9M-1 7L1 9M7 -1L9 1",
};
const LANES_SHAPES = { // around the point in time
  dot: "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z", diamond: "M0 -5L5 0L0 5L-5 0z", square: "M-4 -4h8v8h-8z", up: "M0 -5L5 4H-5z",
  ring: "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0zM-2 0a2 2 0 1 1 4 0a2 2 0 1 1 -4 0z", flag: "M-1 7V-7L6 -4L1 -1V7z",
  cross: "M-5 -3L-3 -5L0 -2L3 -5L5 -3L2 0L5 3L3 5L0 2L-3 5L-5 3L-2 0z", down: "M0 5L5 -4H-5z",
};
const LANES_STEPS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 90, 120, 180, 300, 600, 1200, 1800, 3600];
const LANES_LEAST = 0.05; // seconds in view
const LANES_UNSEEN = // controls, marks of direction, halves of characters
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]+|[\ud800-\udbff](?![\udc00-\udfff])/g;
const lanesWithin = (value, least, most) => Math.max(least, Math.min(value, most));
const lanesArray = (value) => (Array.isArray(value) ? value : []);
const lanesMost = (values, least) => values.reduce((most, value) => (value > most && value < Infinity ? value : most), least);
const lanesText = (value) => String(value ?? "").slice(0, 300).replace(LANES_UNSEEN, " ").trim();
const lanesKnown = (name, table, other) => (Object.hasOwn(table, name) ? name : other);
const lanesMake = (parent, tag, name, more) =>
  parent.appendChild(Object.assign(document.createElement(tag), { className: `lanes-${name}`, ...more }));

function lanesClock(seconds, decimals = 2) { // 75.43 -> "1:15.43"
  const [whole, rest] = Math.abs(seconds).toFixed(decimals).split(".");
  const clock = `${seconds < 0 ? "−" : ""}${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
  return rest ? `${clock}.${rest}` : clock;
}

// What of an item can be drawn; null if it has no finite time.
function lanesItem(item, laneTone) {
  const point = item?.from === undefined;
  const from = point ? item?.at : item.from;
  const to = point ? from : Math.max(from, item.to ?? Infinity);
  if (!Number.isFinite(from) || Number.isNaN(to)) return null;
  const tone = lanesKnown(item.tone, LANES_PATTERNS, laneTone);
  const pattern = lanesKnown(item.pattern, LANES_TILES, LANES_PATTERNS[tone]);
  const shape = lanesKnown(item.shape, LANES_SHAPES, tone === "bad" ? "cross" : "dot");
  return { item, point, from, to, tone, pattern, shape, row: 0, text: lanesText(item.text), sign: lanesText(item.sign) };
}

// A level (bars) or a step line of a lane: pairs of seconds and value, how long a value holds, what fills the height.
function lanesCurve(given, laneTone, steps) {
  const { from = 0, step, width = step, values, points, rules, min = 0, max, unit, mirror } = given;
  const pairs = (values ? Array.from(values, (value, i) => [from + i * step, value]) : lanesArray(points))
    .filter((pair) => Number.isFinite(pair?.[0])).sort((a, b) => a[0] - b[0]);
  const marks = lanesArray(rules).filter((rule) => Number.isFinite(rule?.at));
  const most = max ?? (steps ? lanesMost([...pairs.map((pair) => pair[1]), ...marks.map((rule) => rule.at)], min) : 1);
  const tone = lanesKnown(given.tone, LANES_PATTERNS, laneTone);
  return { steps, pairs, holds: steps ? Infinity : width > 0 ? width : 0.1, marks, min, most, unit: lanesText(unit), mirror, tone };
}

// What of a lane can be drawn, in the order of time; stretches of one time are put into rows.
function lanesLane(lane) {
  const tone = lanesKnown(lane.tone, LANES_PATTERNS, "rest");
  const rows = lanesWithin(Math.round(lane.rows) || 1, 1, 12);
  const items = lanesArray(lane.items).map((item) => lanesItem(item, tone)).filter(Boolean).sort((a, b) => a.from - b.from);
  const ends = []; // of each row
  for (const one of items.filter((other) => !other.point)) {
    const free = ends.findIndex((end) => end <= one.from);
    one.row = free >= 0 ? free : Math.min(ends.length, rows - 1);
    ends[one.row] = Math.max(one.to, ends[one.row] ?? -Infinity);
  }
  const curves = ["level", "line"].filter((name) => lane[name]).map((name) => lanesCurve(lane[name], tone, name === "line"));
  const last = lanesMost([...items.flatMap((one) => [one.from, one.to]), ...curves.map(({ pairs }) => pairs.at(-1)?.[0])], 0);
  const em = lane.em > 0 ? Math.min(lane.em, 40) : Math.max(1.6 * rows, curves.length ? 2.8 : 0);
  return { id: lane.id, label: lanesText(lane.label), through: lane.through, rows, items, curves, last, em };
}

export class Lanes {
  #data = { start: 0, live: false, lanes: [], bands: [] };
  #lanes = []; // as they are drawn
  #follow = "whole";
  #chosen = 0; // index of the lane that the keyboard is in
  #held = new Map(); // pointers by id: { x, first, moved }
  #gone = new AbortController();

  constructor(root, options = {}) {
    Object.assign(this, { root, options, view: { from: 0, to: 1 }, cursor: null, written: [] });
    Object.assign(this, { start: 0, end: 0, width: 0, gutter: 0, scale: 0 }); // seconds; pixels; pixels a second
    root.classList.add("lanes");
    const ariaLabel = options.label ?? "Time in the call";
    this.axis = lanesMake(root, "div", "axis", { role: "slider", tabIndex: 0, ariaLabel });
    this.canvas = lanesMake(this.axis, "canvas", "canvas");
    this.pen = this.canvas.getContext("2d");
    this.line = lanesMake(this.axis, "div", "cursor", { hidden: true });
    this.tip = lanesMake(this.axis, "div", "tip", { hidden: true, ariaHidden: "true" });
    this.probe = lanesMake(root, "span", "probe", { hidden: true });
    const buttons = lanesMake(root, "div", "buttons", { role: "group", ariaLabel: "Zoom", hidden: options.buttons === false });
    const button = (textContent, ariaLabel, onclick) =>
      lanesMake(buttons, "button", "button", { type: "button", textContent, ariaLabel, title: ariaLabel, onclick });
    button("+", "Zoom in", () => this.#zoom(0.5));
    button("−", "Zoom out", () => this.#zoom(2));
    button("whole", "Show the whole call", () => this.#look(-Infinity, Infinity, true, "whole"));
    const listen = (target, types, act) =>
      types.split(" ").forEach((type) => target.addEventListener(type, act, { signal: this.#gone.signal, passive: false }));
    listen(this.axis, "keydown", (e) => this.#key(e));
    listen(this.axis, "focus blur", () => (this.#say(), this.#tell(null), this.draw()));
    listen(this.axis, "pointerdown pointermove pointerup pointercancel pointerleave", (e) => this.#pointer(e));
    listen(this.axis, "dblclick", (e) => this.#zoom(0.4, this.at(e.clientX, e.clientY)?.time));
    listen(this.axis, "wheel", (e) => this.#wheel(e));
    for (const media of ["(prefers-color-scheme: dark)", "(forced-colors: active)", "print"])
      listen(matchMedia(media), "change", () => this.refresh());
    this.watch = new ResizeObserver(() => this.refresh());
    this.watch.observe(this.axis);
  }

  destroy() {
    this.#gone.abort();
    this.watch.disconnect();
    cancelAnimationFrame(this.frame);
    this.root.replaceChildren();
  }

  // What is given takes the place of what was there. The arrays are kept, and are read anew here: they may have grown.
  set(parts = {}) {
    const { start, end, lanes, bands, label } = Object.assign(this.#data, parts);
    const through = { id: "bands", items: bands, tone: "note", through: true };
    const all = [...(bands?.length ? [through] : []), ...lanesArray(lanes)];
    this.#lanes = all.filter((lane) => lane && typeof lane === "object").map(lanesLane);
    this.start = Number.isFinite(start) ? start : 0;
    this.end = Number.isFinite(end) ? Math.max(this.start, end) : lanesMost(this.#lanes.map((lane) => lane.last), this.start);
    if (label) this.axis.ariaLabel = label;
    [this.axis.ariaValueMin, this.axis.ariaValueMax] = [this.start.toFixed(2), this.end.toFixed(2)];
    if (!this.axis.ariaValueNow) this.#say();
    this.follow(this.#follow);
  }

  update(parts) { this.set(parts); }
  select(item) { this.selected = item ?? null; this.draw(); }
  refresh() { this.style = null; this.#draw(); }
  draw() { this.frame ||= requestAnimationFrame(() => this.#draw()); }
  x(seconds) { return this.axis.getBoundingClientRect().left + this.#x(seconds); }
  show(from = -Infinity, to = Infinity) { this.#look(from, to, false, to - from === Infinity ? "whole" : null); }

  follow(what) {
    const from = what > 0 ? Math.max(this.start, this.end - what) : -Infinity;
    if (what === null) this.#look(this.view.from, this.view.to, false);
    else this.#look(from, what > 0 ? from + what : Infinity, false, what);
  }

  setCursor(seconds, { reveal = false } = {}) {
    this.cursor = Number.isFinite(seconds) ? lanesWithin(seconds, this.start, this.end) : null;
    const { from, to } = this.view;
    const away = this.cursor === null ? 0 : this.cursor < from ? 0.9 : this.cursor > to ? 0.1 : 0; // of the view
    if (reveal && away) this.#look(this.cursor - (to - from) * away, this.cursor + (to - from) * (1 - away), false);
    this.#place();
  }

  // What lies at a place of the window, within `reach` pixels; null outside.
  at(clientX, clientY, how = "at", reach = 6) {
    const { left, top, width, height } = this.axis.getBoundingClientRect();
    const [x, y] = [clientX - left, clientY - top];
    if (x < 0 || y < 0 || x > width || y > height || !this.scale) return null;
    const time = lanesWithin(this.view.from + (x - this.gutter) / this.scale, this.view.from, Math.min(this.view.to, this.end));
    const lane = this.#lanes.findLast((one) => y >= one.head);
    return this.#pick(time, lane, how, reach / this.scale, lane && Math.floor(((y - lane.top) / lane.height) * lane.rows));
  }

  #x(seconds) { return this.gutter + (seconds - this.view.from) * this.scale; }
  #pan(pixels) { this.#look(this.view.from + pixels / this.scale, this.view.to + pixels / this.scale, true); }

  #look(from, to, byUser, follow = null) {
    const whole = this.end - this.start;
    const fill = this.#data.live ? (LANES_STEPS.find((seconds) => seconds >= Math.max(whole, 20)) ?? whole) : whole;
    const most = Math.max(fill, follow > 0 ? follow : LANES_LEAST);
    const span = lanesWithin(to - from, LANES_LEAST, most);
    const begins = lanesWithin(from === -Infinity ? this.start : from, this.start, this.start + most - span);
    const changed = begins !== this.view.from || begins + span !== this.view.to || follow !== this.#follow;
    if (Number.isNaN(begins + span)) return;
    this.view = { from: begins, to: begins + span };
    this.#follow = follow;
    this.draw();
    if (changed) this.options.onView?.({ ...this.view, byUser, follow });
  }

  #zoom(factor, around) {
    const { from, to } = this.view;
    const near = this.cursor !== null && this.cursor >= from && this.cursor <= to;
    const still = around ?? (near ? this.cursor : (from + Math.min(to, this.end)) / 2);
    const span = Math.max(LANES_LEAST, (to - from) * factor);
    const begins = still - ((still - from) * span) / (to - from);
    this.#look(begins, begins + span, true);
  }

  #place() {
    this.line.hidden = this.cursor === null || this.cursor < this.view.from || this.cursor > this.view.to;
    this.line.style.transform = `translateX(${this.#x(this.cursor ?? 0)}px)`;
  }

  #pick(time, lane, how, reach, row) {
    const far = (one) => Math.max(one.from - time, time - Math.min(one.to, this.end), 0);
    const here = (one) => far(one) <= reach && (one.point || lane.rows === 1 || row === undefined || one.row === row);
    const nearer = (a, b) => b.point - a.point || far(a) - far(b) || a.to - a.from - (b.to - b.from);
    const found = (lane?.items ?? []).filter(here).sort(nearer);
    return { time, lane: lane?.id ?? null, item: found[0]?.item ?? null, items: found.map((one) => one.item), how, found, in: lane };
  }

  #words({ time, found, in: lane }) {
    const words = found.slice(0, 8).map(({ from, to, point, item, text, sign }) => {
      const until = point ? "" : to < Infinity ? `–${lanesClock(to)}` : "–";
      return `${lanesClock(from)}${until} ${lanesText(item.title) || text || sign}`;
    });
    if (found.length > 8) words.push(`and ${found.length - 8} more`);
    const line = lane?.curves.find((curve) => curve.steps);
    const value = line?.pairs.findLast(([at]) => at <= time)?.[1];
    return Number.isFinite(value) ? [`${Math.round(value * 100) / 100} ${line.unit}`, ...words] : words;
  }

  #say() {
    const [now, lane] = [this.cursor ?? this.end, this.#lanes[this.#chosen]];
    const words = this.#words(this.#pick(now, lane, "", 0.02)).join("; ") || "nothing";
    this.axis.ariaValueNow = now.toFixed(2);
    this.axis.ariaValueText = `${lanesClock(now, 1)}${lane ? `, ${lane.label || lane.id}: ${words}` : ""}`;
  }

  #tell(pick) {
    const words = pick ? this.#words(pick) : [];
    this.tip.hidden = !words.length;
    if (!words.length) return;
    this.tip.textContent = [`${lanesClock(pick.time)} ${pick.in.label}`, ...words].join("\n");
    const x = lanesWithin(this.#x(pick.time) + 10, 0, Math.max(0, this.width - this.tip.offsetWidth));
    this.tip.style.transform = `translate(${x}px, ${pick.in.top + pick.in.height + 3}px)`;
  }

  #take(pick) {
    this.setCursor(pick.time, { reveal: true });
    this.#say();
    this.#tell(pick);
    this.options.onPick?.(pick);
  }

  #pointer(e) {
    const [held, touch] = [this.#held.get(e.pointerId), e.pointerType === "touch"];
    const pick = (how) => this.at(e.clientX, e.clientY, how, touch ? 14 : 6);
    if (e.type === "pointerdown" && e.button === 0) {
      this.#held.set(e.pointerId, { x: e.clientX, first: e.clientX });
      this.axis.setPointerCapture(e.pointerId);
    } else if (e.type === "pointermove" && held) {
      const other = [...this.#held.values()].find((one) => one !== held);
      const spread = (x) => Math.max(20, Math.abs(x - other.x));
      held.moved ||= other !== undefined || Math.abs(e.clientX - held.first) > (touch ? 9 : 4);
      if (!held.moved) return;
      if (other) this.#zoom(spread(held.x) / spread(e.clientX), this.view.from + (other.x - this.x(this.view.from)) / this.scale);
      else this.#pan(held.x - e.clientX);
      held.x = e.clientX;
      this.#tell(null);
    } else if (held && e.type !== "pointerleave") {
      this.#held.delete(e.pointerId);
      const found = e.type === "pointerup" && !held.moved && e.clientX >= this.x(this.view.from) ? pick("click") : null;
      if (found?.in) this.#chosen = this.#lanes.indexOf(found.in);
      if (found) this.#take(found);
    } else if (!touch && !held) {
      const found = e.type === "pointermove" ? pick("hover") : null;
      this.#tell(found);
      this.options.onHover?.(found);
    }
  }

  #wheel(e) {
    const sideways = e.shiftKey ? e.deltaY || e.deltaX : Math.abs(e.deltaX) > Math.abs(e.deltaY) ? e.deltaX : 0;
    if (e.ctrlKey || e.metaKey) this.#zoom(Math.exp(lanesWithin(e.deltaY / 200, -1, 1)), this.at(e.clientX, e.clientY)?.time);
    else if (sideways) this.#pan(sideways);
    if (e.ctrlKey || e.metaKey || sideways) e.preventDefault();
  }

  #key(e) {
    const { from, to } = this.view;
    const [now, span, lane] = [this.cursor ?? (this.#data.live ? this.end : from), to - from, this.#lanes[this.#chosen]];
    const go = (time, how = "move") => this.#take(this.#pick(lanesWithin(time, this.start, this.end), lane, how, 0.02));
    const step = (way) => {
      const edges = (e.shiftKey && lane ? lane.items : []).flatMap((one) => [one.from, Math.min(one.to, this.end)]);
      const next = edges.filter((edge) => (edge - now) * way > 1e-6).sort((a, b) => (a - b) * way)[0];
      go(e.shiftKey ? (next ?? now) : now + (way * span) / 50);
    };
    const choose = (way) => {
      this.#chosen = lanesWithin(this.#chosen + way, 0, Math.max(0, this.#lanes.length - 1));
      this.#say();
      this.#tell(this.#pick(now, this.#lanes[this.#chosen], "", 0.02));
      this.draw();
    };
    const act = {
      ArrowLeft: () => step(-1), ArrowRight: () => step(1), ArrowUp: () => choose(-1), ArrowDown: () => choose(1),
      PageUp: () => go(now - span), PageDown: () => go(now + span), Home: () => go(this.start), End: () => go(this.end),
      "+": () => this.#zoom(0.5), "=": () => this.#zoom(0.5), "-": () => this.#zoom(2), "_": () => this.#zoom(2),
      0: () => this.#look(-Infinity, Infinity, true, "whole"), Enter: () => go(now, "enter"), Escape: () => this.#tell(null),
    }[e.key];
    if (!act || e.ctrlKey || e.altKey || e.metaKey) return;
    act();
    e.preventDefault();
    e.stopPropagation();
  }

  // --- drawing ---

  // Colours and patterns as the page's style has them now.
  #read() {
    const { fontSize, fontFamily } = getComputedStyle(this.root);
    this.style = { em: parseFloat(fontSize), font: `${fontSize} ${fontFamily}`, ratio: Math.max(1, devicePixelRatio || 1), tiles: {} };
    for (const name of ["text", "faint", "line", "focus", ...Object.keys(LANES_PATTERNS).flatMap((tone) => [tone, `${tone}-soft`])]) {
      this.probe.style.color = `var(--lanes-${name})`;
      this.style[name] = getComputedStyle(this.probe).color;
    }
  }

  // Lays the lanes out below one another; their labels stand beside them, or above them if that would be too narrow.
  #layOut() {
    const { em, font, ratio } = this.style;
    const { pen } = this;
    pen.font = font;
    const widest = lanesMost(this.#lanes.map((lane) => pen.measureText(lane.label).width), 0) + em;
    const beside = widest <= Math.max(80, this.width * 0.2);
    this.gutter = beside ? widest : 0;
    this.scale = (this.width - this.gutter) / (this.view.to - this.view.from);
    let y = 1.7 * em;
    for (const lane of this.#lanes) {
      Object.assign(lane, { head: y, top: y + (beside || !lane.label ? 0 : 1.3 * em), height: lane.em * em });
      y = lane.top + lane.height + 0.4 * em;
    }
    const [width, height] = [Math.round(this.width * ratio), Math.round(y * ratio)];
    if (this.canvas.width !== width || this.canvas.height !== height) Object.assign(this.canvas, { width, height });
    this.canvas.style.height = `${y}px`;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, this.width, y);
    Object.assign(pen, { font, textBaseline: "middle", lineJoin: "round", direction: "ltr" });
    return y;
  }

  // Writes a text, cut to the room there is; nothing if no three letters fit.
  #write(text, x, y, { room = 9999, colour = "text", halo, whole, lane } = {}) {
    const { pen, style } = this;
    let [shown, width] = [text, pen.measureText(text).width];
    if (width > room) {
      shown = `${text.slice(0, Math.max(0, Math.floor((text.length * (room - 12)) / width))).replace(LANES_UNSEEN, "")}…`;
      if (whole || shown.length < 4) return;
      width = Math.min(room, pen.measureText(shown).width);
    }
    if (halo) Object.assign(pen, { lineWidth: 3, strokeStyle: halo });
    if (halo) pen.strokeText(shown, x, y, room);
    pen.fillStyle = style[colour];
    pen.fillText(shown, x, y, room);
    this.written.push({ text: shown, x, y, width, lane });
  }

  #fill({ tone, pattern }) {
    const { tiles, ratio } = this.style;
    if (pattern === "solid") return this.style[`${tone}-soft`];
    const side = Math.round(8 * ratio); // of the tile, in the pixels of the screen
    if (!tiles[tone + pattern]) {
      const tile = Object.assign(document.createElement("canvas"), { width: side, height: side }).getContext("2d");
      tile.scale(side / 8, side / 8);
      Object.assign(tile, { fillStyle: this.style[`${tone}-soft`], strokeStyle: this.style[tone] });
      if (pattern !== "open" && pattern !== "dashed") tile.fillRect(0, 0, 8, 8);
      tile.stroke(new Path2D(LANES_TILES[pattern]));
      tiles[tone + pattern] = this.pen.createPattern(tile.canvas, "repeat");
    }
    tiles[tone + pattern].setTransform(new DOMMatrix([8 / side, 0, 0, 8 / side, this.#x(0) % 8, 0])); // moves with time
    return tiles[tone + pattern];
  }

  #draw() {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    this.width = this.axis.clientWidth;
    if (!this.width) return;
    if (!this.style) this.#read();
    this.written = [];
    const height = this.#layOut();
    const { pen, gutter, style, width } = this;
    this.#drawTime(height);
    for (const lane of this.#lanes) {
      const middle = lane.head === lane.top ? lane.top + lane.height / 2 : lane.head + 0.7 * style.em;
      this.#write(lane.label, 0, middle, { room: gutter ? gutter - 4 : width, colour: "faint" });
      const chosen = lane === this.#lanes[this.#chosen] && document.activeElement === this.axis;
      pen.fillStyle = chosen ? style.focus : style.line;
      pen.fillRect(gutter, lane.top + lane.height, width - gutter, chosen ? 3 : 1);
      pen.save();
      pen.beginPath();
      pen.rect(gutter, 0, width - gutter, height);
      pen.clip();
      this.#drawLane(lane, height);
      pen.restore();
    }
    this.#place();
  }

  #drawTime(height) {
    const { pen, style, gutter } = this;
    const { from, to } = this.view;
    const wanted = lanesWithin((this.width - gutter) / (6 * style.em), 2, 14);
    const step = LANES_STEPS.find((seconds) => (to - from) / seconds <= wanted) ?? (to - from) / wanted;
    for (let i = Math.ceil(from / step - 1e-9); i <= Math.floor(to / step + 1e-9); i++) {
      const [x, text] = [this.#x(i * step), lanesClock(i * step, step < 0.1 ? 2 : step < 1 ? 1 : 0)];
      const half = pen.measureText(text).width / 2;
      this.#write(text, lanesWithin(x - half, gutter, this.width - 2 * half), 0.8 * style.em, { colour: "faint" });
      pen.fillStyle = style.line;
      pen.fillRect(x, 1.5 * style.em, 1, height);
    }
    pen.fillStyle = style.text;
    if (this.#data.live && this.end >= from && this.end <= to) pen.fillRect(this.#x(this.end), 1.4 * style.em, 1, height);
  }

  #drawLane(lane, height) {
    const { pen, style, gutter } = this;
    const rowHeight = lane.height / lane.rows;
    const seen = lane.items.filter((one) => one.to >= this.view.from && one.from <= this.view.to);
    const texts = [];
    const drawn = []; // of each row: the last pixel that is taken
    for (const one of seen.filter((other) => !other.point)) {
      const left = Math.max(gutter - 3, this.#x(one.from));
      const right = Math.min(this.width + 3, this.#x(Math.min(one.to, this.end)));
      const [top, wide] = [lane.top + one.row * rowHeight + 0.5, Math.max(2, right - left)];
      if (left + wide < (drawn[one.row] ?? -1) + 1 && one.item !== this.selected) continue; // not to be told from its neighbour
      drawn[one.row] = left + wide;
      pen.fillStyle = wide < 6 ? style[one.tone] : this.#fill(one);
      Object.assign(pen, { strokeStyle: style[one.tone], lineWidth: one.item === this.selected ? 3 : 1 });
      pen.setLineDash(one.pattern === "dashed" ? [4, 3] : []);
      pen.beginPath();
      pen.roundRect(left, top, wide, rowHeight - 1, wide < 6 ? 0 : 3);
      pen.fill();
      if (lane.through) Object.assign(pen, { globalAlpha: 0.3 }).fillRect(left, lane.top + lane.height, wide, height);
      pen.globalAlpha = 1;
      if (wide >= 6 || one.item === this.selected) pen.stroke();
      const halo = (one.pattern !== "solid" || lane.curves.length > 0) && style[`${one.tone}-soft`];
      const y = top + (lane.curves.length && lane.rows === 1 ? 0.75 * style.em : rowHeight / 2);
      const x = Math.max(left, gutter) + 4;
      if (one.text && right - x > style.em) texts.push([one.text, x, y, { room: right - x - 3, halo, whole: one.item.whole, lane: lane.id }]);
    }
    pen.setLineDash([]);
    for (const curve of lane.curves) this.#drawCurve(lane, curve, seen.some((one) => one.text && !one.point));
    for (const text of texts) this.#write(...text);
    this.#drawPoints(lane, seen.filter((one) => one.point), rowHeight);
  }

  #drawCurve(lane, { steps, pairs, holds, marks, min, most, mirror, tone }, below) {
    const { pen, style } = this;
    const room = lane.height - (below && !mirror ? 1.4 * style.em : 2);
    const tops = new Map(); // by pixel column, what several values in it reach
    const [path, edge] = [new Path2D(), new Path2D()];
    let end = -Infinity; // of the bar before
    const bar = (left, right, share) => {
      const tall = lanesWithin(share, 0, 1) * room;
      const top = lane.top + lane.height - tall - (mirror ? (room - tall) / 2 : 0);
      path.rect(left, top, Math.max(0.5, right - left), tall);
      edge[left > end + 0.5 ? "moveTo" : "lineTo"](left, top);
      edge.lineTo((end = right), top);
    };
    pairs.forEach(([at, value], i) => {
      const until = Math.min(at + holds, pairs[i + 1]?.[0] ?? this.end, Math.max(this.end, at));
      if (!Number.isFinite(value) || until < this.view.from || at > this.view.to) return;
      const [left, right, share] = [this.#x(at), this.#x(until), (value - min) / (most - min || 1)];
      if (right - left >= 1.5) bar(left, right - (steps || right - left < 3 ? 0 : 1), share);
      else tops.set(Math.floor(left), Math.max(share, tops.get(Math.floor(left)) ?? 0));
    });
    for (const [column, share] of tops) bar(column, column + 1, share);
    Object.assign(pen, { fillStyle: steps ? style[`${tone}-soft`] : style[tone], strokeStyle: style[tone], lineWidth: 1.5 });
    pen.globalAlpha = steps ? 1 : 0.75;
    pen.fill(path);
    if (steps) pen.stroke(edge);
    pen.globalAlpha = 1;
    for (const rule of marks) {
      const y = lane.top + lane.height - lanesWithin((rule.at - min) / (most - min || 1), 0, 1) * room;
      for (let x = this.gutter; x < this.width; x += 8) pen.fillRect(x, y, 5, 1);
      this.#write(lanesText(rule.text), this.gutter + 4, y + 0.7 * style.em, { room: this.width, colour: "faint", lane: lane.id });
    }
  }

  // Points that lie over one another are put into rows; what fits in no row is left to the tooltip.
  #drawPoints(lane, points, rowHeight) {
    const { pen, style } = this;
    const ends = [];
    for (const one of points) {
      const [x, half] = [this.#x(one.from), one.sign ? pen.measureText(one.sign).width / 2 + 1 : 2];
      const row = Array.from({ length: lane.rows }, (_, i) => ends[i] ?? -Infinity).findIndex((end) => end <= x - half);
      if (row < 0 && one.item !== this.selected) continue;
      ends[Math.max(0, row)] = x + half;
      const y = lane.top + (Math.max(0, row) + 0.5) * rowHeight;
      if (one.sign) this.#write(one.sign, x - half + 1, y, { colour: one.tone === "bad" ? "bad" : "text", lane: lane.id });
      pen.save();
      pen.translate(x, y);
      Object.assign(pen, { fillStyle: style[one.tone], strokeStyle: style.focus, lineWidth: 3 });
      if (one.item === this.selected) pen.strokeRect(-8, -8, 16, 16);
      if (!one.sign) pen.fill(new Path2D(LANES_SHAPES[one.shape]));
      pen.restore();
    }
  }
}
