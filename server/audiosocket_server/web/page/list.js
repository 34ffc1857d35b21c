// The list of calls, live ones and ended ones; the newest first.
import { Meter } from "./call.js";
import { clock, element, NAMES } from "./words.js";

const at = (id) => document.getElementById(id);

export class CallList {
  constructor(onChosen) {
    this.onChosen = onChosen;
    this.cards = new Map(); // by the call's number
    this.chosen = null;
    at("board").addEventListener("keydown", (e) => this.step(e));
    setInterval(() => this.tick(), 500);
  }

  clear() {
    for (const card of this.cards.values()) card.item.remove();
    this.cards.clear();
    this.arrange();
  }

  // A call is new, or has changed.
  put(call) {
    let card = this.cards.get(call.number);
    if (!card) {
      card = makeCard(() => this.onChosen(call.number));
      this.cards.set(call.number, card);
    }
    const moved = card.call?.live !== call.live;
    card.call = call;
    card.id.textContent = call.id;
    card.button.title = call.id;
    card.state.textContent = call.live ? call.state : call.ended.by === "error" ? "error" : "ended";
    card.state.className = `chip ${call.live ? call.state : call.ended.by}`;
    card.hold.hidden = !call.hold;
    card.levels.hidden = !call.live;
    const said = call.last_line;
    card.said.textContent = said ? `${NAMES[said.origin]}: ${said.text}` : "";
    this.tick();
    if (moved) this.arrange();
  }

  remove(number) {
    this.cards.get(number)?.item.remove();
    this.cards.delete(number);
    this.arrange();
  }

  level(number, sample) {
    const card = this.cards.get(number);
    card?.caller.set(sample[1]);
    card?.ai.set(sample[2]);
  }

  choose(number) {
    this.chosen = number;
    for (const [other, card] of this.cards) {
      if (other === number) card.button.setAttribute("aria-current", "true");
      else card.button.removeAttribute("aria-current");
    }
  }

  // Only cards in the wrong place are moved, so that the focus stays.
  arrange() {
    const calls = [...this.cards.values()].sort((a, b) => b.call.number - a.call.number);
    for (const [id, cards] of [["live", calls.filter((c) => c.call.live)], ["ended", calls.filter((c) => !c.call.live)]]) {
      at(`${id}-title`).hidden = cards.length === 0;
      cards.forEach((card, index) => {
        const there = at(id).children[index];
        if (there !== card.item) {
          const focused = document.activeElement === card.button;
          at(id).insertBefore(card.item, there ?? null);
          if (focused) card.button.focus();
        }
      });
    }
    at("none").hidden = calls.length > 0;
    const live = calls.filter((card) => card.call.live).length;
    at("totals").textContent = calls.length ? `${live} live, ${calls.length - live} ended` : "";
    document.title = live ? `(${live}) Calls` : "Calls";
  }

  tick() {
    for (const { call, time } of this.cards.values()) {
      const seconds = call.live ? (Date.now() - call.beganAt) / 1000 : call.ended.duration_ms / 1000;
      time.textContent = clock(seconds, 0);
    }
  }

  step(e) {
    if (!["ArrowUp", "ArrowDown"].includes(e.key) || !e.target.closest("nav")) return;
    const buttons = [...document.querySelectorAll("nav li button")];
    const next = buttons[buttons.indexOf(e.target) + (e.key === "ArrowDown" ? 1 : -1)];
    if (!next) return;
    e.preventDefault();
    next.focus();
    next.click();
  }
}

function makeCard(onClick) {
  const card = { item: element("li"), button: element("button") };
  card.button.type = "button";
  card.button.addEventListener("click", onClick);
  card.id = element("span", "id");
  card.time = element("span", "time");
  card.state = element("span", "chip");
  card.hold = element("span", "chip hold", "hold");
  card.said = element("span", "said");
  card.levels = element("span", "pair-of-levels");
  card.levels.setAttribute("aria-hidden", "true");
  const [caller, ai] = [element("span", "meter caller"), element("span", "meter ai")];
  [card.caller, card.ai] = [new Meter(caller), new Meter(ai)];
  card.levels.append(caller, ai);
  const chips = element("span");
  chips.append(card.state, " ", card.hold);
  card.button.append(card.id, card.time, chips, card.levels, card.said);
  card.item.append(card.button);
  return card;
}
