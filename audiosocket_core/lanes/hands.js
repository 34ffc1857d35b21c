// What hands do with lanes.js, and what they are told: mouse, touch and keys, buttons, the tooltip, and the words of the
// slider for a screen reader. In one inline module with lanes.js the line of the import is left out.
import { Lanes, LANES_LEAST, lanesClock, lanesMake, lanesText, lanesWithin } from "./lanes.js";

class LanesHands {
  #held = new Map(); // pointers by id: { x, first, moved }

  constructor(lanes) {
    this.lanes = lanes;
    this.tip = lanesMake(lanes.axis, "div", "tip", { hidden: true, ariaHidden: "true" });
    this.#addButtons();
    const listen = (types, act) => {
      const options = { signal: lanes.gone.signal, passive: false };
      for (const type of types.split(" ")) lanes.axis.addEventListener(type, act, options);
    };
    listen("keydown", (e) => this.#key(e));
    listen("pointerdown pointermove pointerup pointercancel pointerleave", (e) => this.#pointer(e));
    listen("wheel", (e) => this.#wheel(e));
    listen("dblclick", (e) => this.#zoom(0.4, lanes.time(e.clientX)));
    listen("focus blur", () => {
      this.#say();
      this.#tell(null);
      lanes.draw();
    });
    this.#say();
  }

  #addButtons() {
    if (this.lanes.options.buttons === false) return;
    const group = lanesMake(this.lanes.root, "div", "buttons", { role: "group", ariaLabel: "Zoom" });
    const add = (textContent, title, onclick) =>
      lanesMake(group, "button", "button", { type: "button", textContent, title, ariaLabel: title, onclick });
    add("+", "Zoom in", () => this.#zoom(0.5));
    add("−", "Zoom out", () => this.#zoom(2));
    add("whole", "Show the whole call", () => this.#showWhole());
  }

  // --- the view ---

  #showWhole() {
    this.lanes.look(-Infinity, Infinity, true, "whole");
  }

  #pan(pixels) {
    const { view, scale } = this.lanes;
    this.lanes.look(view.from + pixels / scale, view.to + pixels / scale, true);
  }

  // Around a moment; else around the cursor if it is in view, or the middle.
  #zoom(factor, around) {
    const { cursor, end, view: { from, to } } = this.lanes;
    const inView = cursor !== null && cursor >= from && cursor <= to;
    const still = around ?? (inView ? cursor : (from + Math.min(to, end)) / 2);
    const span = Math.max(LANES_LEAST, (to - from) * factor);
    const begins = still - ((still - from) * span) / (to - from);
    this.lanes.look(begins, begins + span, true);
  }

  // --- telling ---

  #words({ time, found, in: lane }) {
    const words = found.slice(0, 8).map(({ from, to, point, item, text, sign }) => {
      const until = point ? "" : `–${to < Infinity ? lanesClock(to) : ""}`;
      return `${lanesClock(from)}${until} ${lanesText(item.title) || text || sign}`;
    });
    if (found.length > 8) words.push(`and ${found.length - 8} more`);
    const line = lane?.curves.find((curve) => curve.steps);
    const value = line?.pairs.findLast(([at]) => at <= time)?.[1];
    if (Number.isFinite(value)) words.unshift(`${+value.toFixed(2)} ${line.unit}`);
    return [`${lanesClock(time)} ${lane?.label || lane?.id || ""}`.trim(), ...words];
  }

  // To the screen reader: what lies under the cursor in the chosen lane.
  #say(pick = this.#here()) {
    this.lanes.axis.ariaValueNow = pick.time.toFixed(2);
    this.lanes.axis.ariaValueText = this.#words(pick).join("; ");
  }

  // In the tooltip, below the lane; null hides it.
  #tell(pick) {
    const words = pick ? this.#words(pick) : [];
    this.tip.hidden = words.length < 2;
    if (this.tip.hidden) return;
    this.tip.textContent = words.join("\n");
    const { left, width } = this.lanes.axis.getBoundingClientRect();
    const x = lanesWithin(this.lanes.x(pick.time) - left + 10, 0, Math.max(0, width - this.tip.offsetWidth));
    this.tip.style.transform = `translate(${x}px, ${pick.in.top + pick.in.height + 3}px)`;
  }

  // --- choosing ---

  #here(time = this.lanes.cursor ?? this.lanes.end, index = this.lanes.chosen, how = "move") {
    const { lanes } = this;
    const lane = lanes.lanes[lanesWithin(index, 0, lanes.lanes.length - 1)];
    return lanes.pick(lanesWithin(time, lanes.start, lanes.end), lane, how, 0.02);
  }

  #take(pick) {
    const { lanes } = this;
    lanes.chosen = Math.max(0, lanes.lanes.indexOf(pick.in));
    lanes.setCursor(pick.time, { reveal: true });
    this.#say(pick);
    this.#tell(pick);
    lanes.draw();
    lanes.options.onPick?.(pick);
  }

  #pointer({ type, pointerId, pointerType, button, clientX, clientY }) {
    const { lanes } = this;
    const [held, touch] = [this.#held.get(pointerId), pointerType === "touch"];
    const pick = (how) => lanes.at(clientX, clientY, how, touch ? 14 : 6);
    if (type === "pointerdown" && button === 0) {
      this.#held.set(pointerId, { x: clientX, first: clientX });
      lanes.axis.setPointerCapture(pointerId);
    } else if (!held) {
      if (!touch) this.#tell(type === "pointermove" ? pick("hover") : null);
    } else if (type === "pointermove") {
      this.#drag(held, clientX, touch ? 9 : 4);
    } else if (this.#held.delete(pointerId)) {
      const inLanes = clientX >= lanes.x(lanes.view.from); // and not on their labels
      const found = type === "pointerup" && !held.moved && inLanes ? pick("click") : null;
      if (found) this.#take(found);
    }
  }

  // One pointer pans, two zoom.
  #drag(held, x, least) {
    const { lanes } = this;
    const other = [...this.#held.values()].find((one) => one !== held);
    held.moved ||= other !== undefined || Math.abs(x - held.first) > least;
    if (!held.moved) return;
    const spread = (place) => Math.max(20, Math.abs(place - other.x));
    if (other) this.#zoom(spread(held.x) / spread(x), lanes.time(other.x));
    else this.#pan(held.x - x);
    held.x = x;
    this.#tell(null);
  }

  #wheel(e) {
    const [zooms, pans] = [e.ctrlKey || e.metaKey, e.shiftKey || Math.abs(e.deltaX) > Math.abs(e.deltaY)];
    if (zooms) this.#zoom(Math.exp(lanesWithin(e.deltaY / 200, -1, 1)), this.lanes.time(e.clientX));
    else if (pans) this.#pan(e.deltaX || e.deltaY);
    if (zooms || pans) e.preventDefault(); // a plain wheel scrolls the page
  }

  #key(e) {
    const { lanes } = this;
    const { cursor, start, end, chosen, data, view } = lanes;
    const now = cursor ?? (data.live ? end : view.from);
    const span = view.to - view.from;
    const go = (time, index, how) => this.#take(this.#here(time, index, how));
    const step = (way) => go(e.shiftKey ? this.#edge(now, way) : now + (way * span) / 50);
    const act = {
      ArrowLeft: () => step(-1),
      ArrowRight: () => step(1),
      ArrowUp: () => go(now, chosen - 1),
      ArrowDown: () => go(now, chosen + 1),
      PageUp: () => go(now - span),
      PageDown: () => go(now + span),
      Home: () => go(start),
      End: () => go(end),
      Enter: () => go(now, chosen, "enter"),
      Escape: () => this.#tell(null),
      "+": () => this.#zoom(0.5),
      "=": () => this.#zoom(0.5),
      "-": () => this.#zoom(2),
      "_": () => this.#zoom(2),
      0: () => this.#showWhole(),
    }[e.key];
    if (!act || e.ctrlKey || e.altKey || e.metaKey) return;
    act();
    e.preventDefault();
    e.stopPropagation();
  }

  // The next begin or end of an item of the chosen lane, before (-1) or after (1) a moment.
  #edge(now, way) {
    const { lanes, chosen, end } = this.lanes;
    const edges = (lanes[chosen]?.items ?? []).flatMap((one) => [one.from, Math.min(one.to, end)]);
    return edges.filter((edge) => (edge - now) * way > 1e-6).sort((a, b) => (a - b) * way)[0] ?? now;
  }
}

Lanes.hands = (lanes) => new LanesHands(lanes);
