// The time axis of a call: lanes with stretches, points, levels and step lines, which may grow while they are shown.
// They are drawn on a canvas: 5,000 items move smoothly there, and it has patterns. README.md has the data's shape, and
// hands.js adds mouse, touch and keys. Texts are only ever written as text, and styles are set through the CSSOM, so that
// a page's policy can forbid inline scripts and styles. All names at the top begin with "lanes", in any case.
const LANES_PATTERNS = { caller: "solid", bot: "solid", wait: "hatch", good: "open", bad: "cross", note: "dots", rest: "solid" };
const LANES_TILES = { // lines in 8 × 8 pixels
  solid: "", open: "", dashed: "", dots: "M1 2h2M5 6h2", bars: "M2 0v8M6 0v8", cross: "M-1 9L9 -1M-1 -1L9 9",
  hatch: "M-1 9L9 -1M-1 1L1 -1M7 9L9 7", back: "M-1 -1L9 9M-1 7L1 9M7 -1L9 1" };
const LANES_SHAPES = { // around the point in time
  dot: "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z", diamond: "M0 -5L5 0L0 5L-5 0z", square: "M-4 -4h8v8h-8z", up: "M0 -5L5 4H-5z",
  ring: "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0zM-2 0a2 2 0 1 1 4 0a2 2 0 1 1 -4 0z", flag: "M-1 7V-7L6 -4L1 -1V7z",
  cross: "M-5 -3L-3 -5L0 -2L3 -5L5 -3L2 0L5 3L3 5L0 2L-3 5L-5 3L-2 0z", down: "M0 5L5 -4H-5z" };
const LANES_STEPS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 90, 120, 180, 300, 600, 1200, 1800, 3600];
export const LANES_LEAST = 0.05; // seconds in view
const LANES_MOST = 1e7; // seconds, beyond which a time is an error
const LANES_UNSEEN = // controls, marks of direction, halves of characters
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]+|[\ud800-\udbff](?![\udc00-\udfff])/g;
export const lanesWithin = (value, least, most) => Math.max(least, Math.min(value, most));
const lanesIsTime = (value) => typeof value === "number" && Math.abs(value) <= LANES_MOST;
const lanesArray = (value) => (Array.isArray(value) ? value : []);
const lanesMost = (values, least) => values.reduce((most, one) => (one > most && one <= LANES_MOST ? one : most), least);
export const lanesText = (value) => String(value ?? "").slice(0, 300).replace(LANES_UNSEEN, " ").trim();
const lanesKnown = (name, table, other) => (Object.hasOwn(table, name) ? name : other);
export const lanesMake = (parent, tag, name, more) =>
  parent.appendChild(Object.assign(document.createElement(tag), { className: `lanes-${name}`, ...more }));
export const lanesClock = (seconds, decimals = 2) => { // 75.43 -> "1:15.43"
  const [whole, rest] = Math.abs(seconds).toFixed(decimals).split(".");
  return `${seconds < 0 ? "−" : ""}${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}${rest ? `.${rest}` : ""}`;
};

function lanesItem(item, laneTone) {
  const [point, from] = [item?.from === undefined, item?.from ?? item?.at];
  const tone = lanesKnown(item?.tone, LANES_PATTERNS, laneTone);
  const pattern = lanesKnown(item?.pattern, LANES_TILES, LANES_PATTERNS[tone]);
  const shape = lanesKnown(item?.shape, LANES_SHAPES, tone === "bad" ? "cross" : "dot");
  const [text, sign] = [lanesText(item?.text), [...lanesText(item?.sign)].slice(0, 3).join("")];
  return { item, point, from, to: point ? from : Math.max(from, item.to ?? Infinity), row: 0, tone, pattern, shape, text, sign };
}

// A level (bars) or a step line of a lane: pairs of seconds and value, how long a value holds, what fills the height.
function lanesCurve(given, laneTone, steps) {
  const { from = 0, step, width = step, values, points, rules, min = 0, max, unit, mirror } = given;
  const pairs = values ? Array.from(values, (value, i) => [from + i * step, value]) : lanesArray(points);
  const seen = pairs.filter((pair) => lanesIsTime(pair?.[0])).sort((a, b) => a[0] - b[0]);
  const marks = lanesArray(rules).filter((rule) => rule?.at > min).map(({ at, text }) => ({ at, text: lanesText(text) }));
  const most = max ?? (steps ? lanesMost([...seen.map((pair) => pair[1]), ...marks.map((rule) => rule.at)], min) : 1);
  const [tone, holds] = [lanesKnown(given.tone, LANES_PATTERNS, laneTone), steps ? Infinity : width > 0 ? width : 0.1];
  return { steps, pairs: seen, holds, marks, min, range: most - min || 1, unit: lanesText(unit), mirror, tone };
}

// What of a lane can be drawn, in the order of time; stretches of one time are put into rows.
function lanesLane(lane) {
  const tone = lanesKnown(lane.tone, LANES_PATTERNS, "rest");
  const [rows, ends] = [lanesWithin(Math.round(lane.rows) || 1, 1, 12), []];
  const items = lanesArray(lane.items).map((item) => lanesItem(item, tone))
    .filter((one) => lanesIsTime(one.from) && one.to >= one.from).sort((a, b) => a.from - b.from);
  for (const one of items.filter((other) => !other.point)) {
    const free = ends.findIndex((end) => end <= one.from);
    one.row = free >= 0 ? free : Math.min(ends.length, rows - 1);
    ends[one.row] = Math.max(one.to, ends[one.row] ?? -Infinity);
  }
  const curves = ["level", "line"].filter((name) => lane[name]).map((name) => lanesCurve(lane[name], tone, name === "line"));
  const last = lanesMost([...items.flatMap((one) => [one.from, one.to]), ...curves.map(({ pairs }) => pairs.at(-1)?.[0])], 0);
  const em = lane.em > 0 ? Math.min(lane.em, 40) : Math.max(1.6 * rows, curves.length ? (items.length ? 3.4 : 2.4) : 0);
  return { id: lane.id, label: lanesText(lane.label), through: lane.through, rows, items, curves, last, em };
}

export class Lanes {
  static hands = null; // hands.js puts here what it does for each new picture: mouse, touch, keys, words
  #follow = "whole";
  constructor(root, options = {}) {
    Object.assign(this, { root, options, data: { start: 0, live: false, lanes: [], bands: [] }, lanes: [], written: [] });
    Object.assign(this, { view: { from: 0, to: 1 }, start: 0, end: 0, cursor: null, chosen: 0 }); // seconds; index of a lane
    Object.assign(this, { width: 0, gutter: 0, scale: 0, gone: new AbortController() }); // pixels; pixels a second
    root.lanes = this;
    root.classList.add("lanes");
    const named = { ariaLabel: options.label ?? "Time in the call", ariaValueNow: "0" };
    this.axis = lanesMake(root, "div", "axis", { role: "slider", tabIndex: 0, ...named });
    this.canvas = lanesMake(this.axis, "canvas", "canvas");
    this.pen = this.canvas.getContext("2d");
    this.line = lanesMake(this.axis, "div", "cursor", { hidden: true });
    this.probe = lanesMake(root, "span", "probe", { hidden: true });
    for (const media of ["(prefers-color-scheme: dark)", "(forced-colors: active)", "print"])
      matchMedia(media).addEventListener("change", () => this.refresh(), { signal: this.gone.signal });
    this.watch = new ResizeObserver(() => this.refresh());
    this.watch.observe(this.axis);
    Lanes.hands?.(this);
  }
  destroy() { this.gone.abort(); this.watch.disconnect(); this.root.replaceChildren(); }
  // What is given takes the place of what was there. The arrays are kept, and are read anew here: they may have grown.
  set(parts = {}) {
    const [{ axis }, { start, end, lanes, bands, label }] = [this, Object.assign(this.data, parts)];
    const through = { id: "bands", items: bands, tone: "note", through: true };
    this.lanes = [...(bands?.length ? [through] : []), ...lanesArray(lanes)].filter(Boolean).map(lanesLane);
    this.start = lanesIsTime(start) ? start : 0;
    this.end = lanesIsTime(end) ? Math.max(this.start, end) : lanesMost(this.lanes.map((lane) => lane.last), this.start);
    Object.assign(axis, { ariaValueMin: this.start.toFixed(2), ariaValueMax: this.end.toFixed(2), ...(label && { ariaLabel: label }) });
    this.follow(this.#follow);
  }
  update(parts) { this.set(parts); }
  select(item) { this.selected = item ?? null; this.draw(); }
  refresh() { this.style = null; this.#draw(); }
  draw() { this.frame ||= requestAnimationFrame(() => this.#draw()); }
  x(seconds) { this.settle(); return this.axis.getBoundingClientRect().left + this.#x(seconds); }
  show(from = -Infinity, to = Infinity) { this.look(from, to, false, to - from === Infinity ? "whole" : null); }
  follow(what) {
    const from = what > 0 ? Math.max(this.start, this.end - what) : -Infinity;
    if (what === null) this.look(this.view.from, this.view.to, false);
    else this.look(from, what > 0 ? from + what : Infinity, false, what);
  }
  setCursor(seconds, { reveal = false } = {}) {
    this.cursor = Number.isFinite(seconds) ? lanesWithin(seconds, this.start, this.end) : null;
    const { cursor, view: { from, to } } = this;
    const away = cursor === null ? 0 : cursor < from ? 0.9 : cursor > to ? 0.1 : 0; // of the view
    if (reveal && away) this.look(cursor - (to - from) * away, cursor + (to - from) * (1 - away), false);
    this.#place();
  }
  // What lies at a place of the window, within `reach` pixels; null outside.
  at(clientX, clientY, how = "at", reach = 6) {
    this.settle();
    const { left, right, top, bottom } = this.axis.getBoundingClientRect();
    if (clientX < left || clientY < top || clientX > right || clientY > bottom || !this.scale) return null;
    const time = lanesWithin(this.time(clientX), this.view.from, this.view.to);
    const lane = this.lanes.findLast((one) => clientY - top >= one.head);
    const row = lane && Math.floor(((clientY - top - lane.top) / lane.height) * lane.rows);
    return this.pick(time, lane, how, reach / this.scale, row);
  }

  // --- what is in view, and where ---
  #x(seconds) { return this.gutter + (seconds - this.view.from) * this.scale; }
  time(clientX) { return this.view.from + (clientX - this.x(this.view.from)) / this.scale; }
  look(from, to, byUser, follow = null) {
    const whole = this.end - this.start;
    const fill = this.data.live ? (LANES_STEPS.find((seconds) => seconds >= Math.max(whole, 20)) ?? whole) : whole;
    const most = Math.max(fill, follow > 0 ? follow : LANES_LEAST);
    const span = lanesWithin(to - from, LANES_LEAST, most);
    const begins = lanesWithin(from === -Infinity ? this.start : from, this.start, this.start + most - span);
    const changed = begins !== this.view.from || begins + span !== this.view.to || follow !== this.#follow;
    if (Number.isNaN(begins + span)) return;
    [this.view, this.#follow] = [{ from: begins, to: begins + span }, follow];
    this.draw();
    if (changed) this.options.onView?.({ ...this.view, byUser, follow });
  }
  #place() {
    this.line.hidden = this.cursor === null || this.cursor < this.view.from || this.cursor > this.view.to;
    this.line.style.transform = `translateX(${this.#x(this.cursor ?? 0)}px)`;
  }
  settle() { if (this.frame) this.#draw(); } // what is where is known when it is drawn
  pick(time, lane, how, reach, row) {
    const far = (one) => Math.max(one.from - time, time - one.to, 0);
    const here = (one) => far(one) <= reach && (one.point || lane.rows === 1 || row === undefined || one.row === row);
    const nearer = (a, b) => b.point - a.point || far(a) - far(b) || a.to - a.from - (b.to - b.from);
    const found = (lane?.items ?? []).filter(here).sort(nearer);
    const items = found.map((one) => one.item);
    const told = { time: lanesWithin(time, this.start, this.end), lane: lane?.id ?? null, item: items[0] ?? null, items, how };
    return { ...told, found, in: lane }; // the last two are as they are drawn
  }
  // --- drawing ---
  #read() { // colours and letters as the page's style has them now
    const { fontSize, fontFamily } = getComputedStyle(this.root);
    this.style = { em: parseFloat(fontSize), font: `${fontSize} ${fontFamily}`, ratio: devicePixelRatio || 1, fills: {} };
    const tones = Object.keys(LANES_PATTERNS);
    for (const name of ["text", "faint", "line", "focus", ...tones, ...tones.map((tone) => `${tone}-soft`)]) {
      this.probe.style.color = `var(--lanes-${name})`;
      this.style[name] = getComputedStyle(this.probe).color;
    }
  }
  #fill(tone, pattern) {
    const { fills, ratio } = this.style;
    const side = Math.round(8 * ratio); // of a tile, in the pixels of the screen
    if (pattern === "solid") return this.style[`${tone}-soft`];
    if (!fills[tone + pattern]) {
      const tile = Object.assign(document.createElement("canvas"), { width: side, height: side }).getContext("2d");
      Object.assign(tile, { fillStyle: this.style[`${tone}-soft`], strokeStyle: this.style[tone] }).scale(side / 8, side / 8);
      if (pattern !== "open" && pattern !== "dashed") tile.fillRect(0, 0, 8, 8);
      tile.stroke(new Path2D(LANES_TILES[pattern]));
      fills[tone + pattern] = this.pen.createPattern(tile.canvas, "repeat");
    }
    fills[tone + pattern].setTransform(new DOMMatrix([8 / side, 0, 0, 8 / side, this.#x(0) % 8, 0])); // it moves with time
    return fills[tone + pattern];
  }
  // Writes a text, cut to the room there is; nothing if less than three letters fit.
  #write(text, x, y, { room = 9999, colour = "text", ground, whole, lane } = {}) {
    const { pen, style } = this;
    const full = text ? pen.measureText(text).width : 0;
    const cut = full > room && lanesText(text.slice(0, Math.max(0, Math.floor((text.length * (room - style.em)) / full))));
    if (!full || (full > room && (whole || cut.length < 3))) return;
    const [shown, width] = [full > room ? `${cut}…` : text, Math.min(full, room)];
    if (ground) Object.assign(pen, { fillStyle: ground }).fillRect(x - 2, y - 0.6 * style.em, width + 3, 1.2 * style.em);
    Object.assign(pen, { fillStyle: style[colour] }).fillText(shown, x, y, room);
    this.written.push({ text: shown, x, y, width, lane });
  }
  #draw() {
    cancelAnimationFrame(this.frame);
    [this.frame, this.width, this.written] = [0, this.axis.clientWidth, []];
    if (!this.width) return;
    if (!this.style) this.#read();
    const { pen, canvas, width, view: { from, to }, style: { em, font, ratio } } = this;
    pen.font = font;
    const widest = lanesMost(this.lanes.map((lane) => pen.measureText(lane.label).width), 0) + em;
    this.gutter = widest <= Math.max(80, width * 0.2) ? widest : 0; // for the labels, which else stand above their lanes
    this.scale = (width - this.gutter) / (to - from);
    const height = this.lanes.reduce((y, lane) => {
      Object.assign(lane, { head: y, top: y + (this.gutter || !lane.label ? 0 : 1.3 * em), height: lane.em * em });
      return lane.top + lane.height + 0.4 * em;
    }, 1.7 * em);
    const size = { width: Math.round(width * ratio), height: Math.round(height * ratio) };
    if (canvas.width !== size.width || canvas.height !== size.height) Object.assign(canvas, size);
    canvas.style.height = `${height}px`;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    Object.assign(pen, { font, textBaseline: "middle", direction: "ltr" });
    this.#drawTime(height);
    for (const lane of this.lanes) this.#drawLane(lane, height);
    this.#place();
  }
  #drawTime(height) {
    const { pen, style, gutter, width, end, view: { from, to } } = this;
    const wanted = lanesWithin((width - gutter) / (6 * style.em), 2, 14);
    const step = LANES_STEPS.find((seconds) => (to - from) / seconds <= wanted) ?? (to - from) / wanted;
    for (let i = Math.ceil(from / step - 1e-9); i <= to / step + 1e-9; i++) {
      const [x, text] = [this.#x(i * step), lanesClock(i * step, step < 0.1 ? 2 : step < 1 ? 1 : 0)];
      const wide = pen.measureText(text).width;
      this.#write(text, lanesWithin(x - wide / 2, gutter, width - wide), 0.8 * style.em, { colour: "faint" });
      Object.assign(pen, { fillStyle: style.line }).fillRect(Math.round(x), 1.5 * style.em, 1, height);
    }
    pen.fillStyle = style.text;
    if (this.data.live && end <= to) pen.fillRect(this.#x(end), 1.4 * style.em, 1, height);
  }
  #drawLane(lane, height) {
    const { pen, style, gutter, width, selected, view } = this;
    const [{ em }, foot, tall, taken, texts] = [style, lane.top + lane.height, lane.height / lane.rows, [], []];
    const chosen = lane === this.lanes[this.chosen] && document.activeElement === this.axis;
    this.#write(lane.label, 0, gutter ? (lane.top + foot) / 2 : lane.head + 0.7 * em, { room: gutter ? gutter - 4 : width, colour: chosen ? "text" : "faint" });
    Object.assign(pen, { fillStyle: chosen ? style.focus : style.line }).fillRect(gutter, foot, width, chosen ? 3 : 1);
    pen.save();
    pen.beginPath();
    pen.rect(gutter, 0, width - gutter, height);
    pen.clip();
    const seen = lane.items.filter((one) => one.to >= view.from && one.from <= view.to);
    for (const one of seen.filter((other) => !other.point).sort((a, b) => (a.item === selected) - (b.item === selected))) {
      const left = Math.round(lanesWithin(this.#x(one.from), gutter - 3, width - 3)); // also at the very end it is seen
      const right = Math.max(left + 3, Math.round(Math.min(width + 3, this.#x(one.to < Infinity ? one.to : this.end))));
      const [top, wide, marked] = [Math.round(lane.top + one.row * tall), right - left, one.item === selected];
      if (right <= (taken[one.row] ?? -9) + 1 && !marked) continue; // cannot be told from its neighbour
      taken[one.row] = right;
      Object.assign(pen, { strokeStyle: style[one.tone], lineWidth: marked ? 3 : 1 });
      pen.fillStyle = wide < 4 ? style[one.tone] : this.#fill(one.tone, one.pattern);
      if (lane.through) Object.assign(pen, { globalAlpha: 0.3 }).fillRect(left, foot, wide, height);
      Object.assign(pen, { globalAlpha: 1 }).fillRect(left, top, wide, tall - 1);
      pen.setLineDash(one.pattern === "dashed" ? [4, 3] : []);
      if (wide >= 4 || marked) pen.strokeRect(left + 0.5, top + 0.5, wide - 1, tall - 2);
      const ground = (one.pattern !== "solid" || lane.curves.length > 0) && style[`${one.tone}-soft`];
      const [x, y] = [Math.max(left, gutter) + 4, top + (lane.curves.length && lane.rows === 1 ? 0.75 * em : tall / 2)];
      const how = { room: right - x - 3, ground, whole: one.item.whole, lane: lane.id };
      if (one.text && right - x > em) texts.push([one.text, x, y, how]);
    }
    pen.setLineDash([]);
    for (const curve of lane.curves) this.#drawCurve(lane, curve, lane.height - (texts.length ? 1.4 * em : 2));
    for (const text of texts) this.#write(...text);
    const ends = Array(lane.rows).fill(-Infinity); // of the points in each row; what fits in no row is left to the tooltip
    for (const one of seen.filter((other) => other.point)) {
      const half = one.sign ? pen.measureText(one.sign).width / 2 + 1 : 5;
      const [x, marked] = [lanesWithin(this.#x(one.from), gutter + half, width - half), one.item === selected];
      const row = marked ? 0 : ends.findIndex((end) => end <= x - half);
      if (row < 0) continue;
      ends[row] = x + half;
      const y = lane.top + (row + 0.5) * tall;
      if (one.sign) this.#write(one.sign, x - half + 1, y, { colour: one.tone === "bad" ? "bad" : "text", lane: lane.id });
      Object.assign(pen, { strokeStyle: style.focus, lineWidth: 3 }).translate(x, y);
      if (marked) pen.strokeRect(-9, -9, 18, 18);
      if (!one.sign) Object.assign(pen, { fillStyle: style[one.tone] }).fill(new Path2D(LANES_SHAPES[one.shape]));
      pen.translate(-x, -y);
    }
    pen.restore();
  }
  #drawCurve({ id, top, height }, { steps, pairs, holds, marks, min, range, mirror, tone }, room) {
    const { pen, style, gutter, view, end } = this;
    const tall = (value) => Math.round(lanesWithin((value - min) / range, 0, 1) * room);
    let [last, above] = [{ right: -9, up: 0 }, NaN]; // the bar before; where the label before stands
    pairs.forEach(([at, value], i) => {
      const until = Math.min(at + holds, pairs[i + 1]?.[0] ?? end, Math.max(end, at));
      if (!Number.isFinite(value) || until < view.from || at > view.to) return;
      const [left, up, after] = [Math.round(this.#x(at)), tall(value), Math.round(this.#x(until))];
      const [right, gap] = [Math.max(left + 1, after), steps || mirror || after - left < 4 ? 0 : 1];
      if (right <= last.right && up <= last.up) return; // hidden by its neighbour
      const y = top + height - up - (mirror ? Math.round((room - up) / 2) : 0);
      Object.assign(pen, { fillStyle: style[steps ? `${tone}-soft` : tone] }).fillRect(left, y, right - left - gap, up);
      if (steps) Object.assign(pen, { fillStyle: style[tone] }).fillRect(left, y - 1, right - left, 2);
      if (steps && left === last.right) pen.fillRect(left, y - 1 + Math.min(0, up - last.up), 1.5, Math.abs(up - last.up) + 2);
      last = { right, up };
    });
    for (const { at, text } of marks) { // a label that would cover the one before stands at the other end of its rule
      const [y, beside] = [0, height - tall(at) < 1.3 * style.em ? 0.7 : -0.7].map((by) => top + height - tall(at) + by * style.em);
      for (let x = gutter; x < this.width; x += 8) Object.assign(pen, { fillStyle: style.faint }).fillRect(x, y, 4, 1);
      const x = Math.abs(beside - above) < 1.2 * style.em ? this.width - pen.measureText(text).width - 4 : 0;
      this.#write(text, Math.max(gutter + 4, x), (above = beside), { colour: "faint", lane: id });
    }
  }
}
