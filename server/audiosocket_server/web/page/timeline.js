// The timeline of a call as it happens: events and levels become lanes for the states, the caller, the AI with hold audio,
// and the other events. lanes.js draws them, and hands.js moves them; reports of calls use both, too.
import "./hands.js";
import { Lanes } from "./lanes.js";
import { inSeconds, share } from "./words.js";

const MOST_ITEMS = 3000; // of each lane
const MOST_LEVELS = 9000; // half an hour
const TONES = { USER_TURN: "caller", IA_TURN: "bot", WAITING: "wait" };

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
  // onPick(seconds): a moment was chosen by click or key. onFollow(what): "whole", the last seconds, or null.
  constructor(root, onPick, onFollow) {
    const onView = ({ follow }) => onFollow(follow);
    this.lanes = new Lanes(root, { label: "Timeline", onPick: ({ time }) => onPick(time), onView });
    this.reset();
  }

  reset() {
    this.items = { state: [], caller: [], ai: [], events: [] };
    this.levels = { caller: [], ai: [] };
    this.open = {}; // by what it is: the stretch that continues
    this.endedAt = null;
    this.turns = 0;
    const { state, caller, ai, events } = this.items;
    const level = (name) => ({ points: this.levels[name], width: 0.2 });
    this.lanes.setCursor(null);
    this.lanes.set({
      end: 0,
      live: true,
      lanes: [
        { id: "state", label: "State", items: state },
        { id: "caller", label: "Caller", tone: "caller", items: caller, level: level("caller") },
        { id: "ai", label: "AI", tone: "bot", items: ai, level: level("ai") },
        { id: "events", label: "Events", rows: 3, em: 3.8, items: events },
      ],
    });
    this.lanes.follow("whole");
  }

  event(type, e) {
    if (type === "call_started") this.begin("state", e.at, "state", { text: "STANDBY", whole: true });
    if (type === "state_changed") this.begin("state", e.at, "state", { text: e.after, tone: TONES[e.after], whole: true });
    if (type === "speech_started") this.begin("caller", e.at, "caller", { text: "" });
    if (type === "speech_ended") this.speechEnded(e);
    if (type === "transcript_final" && e.text) this.name(e.text);
    if (type === "playback_started") this.begin("ai", e.at, "ai", { text: e.text });
    if (type === "playback_finished") this.finish("ai", e.at);
    if (type === "hold_started") this.begin("hold", e.at, "ai", { text: "hold audio", tone: "wait" });
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
    if (["silence", "longest"].includes(e.reason)) this.turns += 1;
    else if (item && e.reason === "too_short") this.items.caller.splice(this.items.caller.indexOf(item), 1);
  }

  begin(name, at, lane, item) {
    this.finish(name, at);
    this.open[name] = { from: at, to: null, ...item };
    this.add(lane, this.open[name]);
  }

  finish(name, at) {
    if (this.open[name]) this.open[name].to = at;
    delete this.open[name];
  }

  name(text) {
    const item = this.items.caller.at(-1);
    if (item && !item.text) item.text = text;
  }

  mark(at, sign, title, tone = "rest") {
    this.add("events", { at, sign, title, tone });
  }

  add(lane, item) {
    this.items[lane].push(item);
    if (this.items[lane].length > MOST_ITEMS) this.items[lane].shift();
  }

  level([at, caller, ai]) {
    for (const [name, dbfs] of [["caller", caller], ["ai", ai]]) {
      this.levels[name].push([at, share(dbfs)]);
      if (this.levels[name].length > MOST_LEVELS) this.levels[name].shift();
    }
  }

  // `now`: seconds since the UUID.
  draw(now) {
    const label = `Timeline, ${this.turns} ${this.turns === 1 ? "turn" : "turns"} of the caller`;
    this.lanes.update({ end: this.endedAt ?? now, live: this.endedAt === null, label });
  }
}
