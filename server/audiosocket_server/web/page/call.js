// The chosen call: its head, its transcript, its timeline, and the latency of each answer. It reads its own event stream.
import { ask, Stream } from "./stream.js";
import { Timeline } from "./timeline.js";
import { clock, element, inSeconds, LINES, NAMES, share } from "./words.js";

const at = (id) => document.getElementById(id);
const STAGES = ["endpoint", "recognition", "backend", "first_audio"];
const MOST_LINES = 2000;
const SURE_FOR_MS = 4000;

export class CallView {
  constructor(onRefused) {
    this.onRefused = onRefused;
    this.timeline = new Timeline(at("timeline"), (seconds) => this.goTo(seconds), showFollowed);
    this.meters = { caller: new Meter(at("caller-meter"), at("caller-db")), ai: new Meter(at("ai-meter"), at("ai-db")) };
    at("zoom").addEventListener("change", (e) => {
      this.timeline.lanes.follow(Number(e.target.value) || "whole");
    });
    at("show-system").addEventListener("change", (e) => at("log").classList.toggle("no-system", !e.target.checked));
    at("hang-up").addEventListener("click", () => this.hangUp());
    at("push").addEventListener("submit", (e) => {
      e.preventDefault();
      this.push();
    });
    setInterval(() => this.call?.live && this.draw(), 200);
  }

  show(call) {
    this.close();
    this.call = call;
    at("call").hidden = false;
    at("call-id").textContent = call.id;
    for (const id of ["transcript", "answers"]) at(id).replaceChildren();
    for (const id of ["interim", "problem", "ending"]) at(id).textContent = "";
    at("no-answers").hidden = false;
    at("legend").hidden = true;
    this.answer = null;
    this.answers = [];
    this.fresh = {}; // state and hold from the call's own events, which arrive before the list
    this.timeline.reset();
    this.level([0, -120, -120], false);
    this.notSure();
    this.update(call);
    this.stream = new Stream(`calls/${call.number}/events`, {
      event: (type, data) => this.event(type, data),
      refused: this.onRefused,
    });
  }

  close() {
    this.stream?.close();
    this.stream = null;
  }

  hide() {
    this.close();
    this.call = null;
    at("call").hidden = true;
  }

  // The list has a new entry for the call.
  update(call) {
    this.call = call;
    const took = call.live ? "" : `, ${clock(call.ended.duration_ms / 1000)} long`;
    at("facts").textContent = `call ${call.number} from ${call.peer}, began ${new Date(call.beganAt).toLocaleTimeString()}${took}`;
    this.drawState();
    at("hang-up").hidden = !call.live;
    at("ending").textContent = call.live ? "" : `Ended by ${call.ended.by}: ${call.ended.reason}.`;
    at("push").hidden = !call.live;
    at("meters").hidden = !call.live;
    this.draw();
  }

  drawState() {
    const { live, ended } = this.call;
    const { state, hold } = { ...this.call, ...this.fresh };
    at("state").textContent = live ? state : "ended";
    at("state").className = `chip ${live ? state : ended.by}`;
    at("hold").hidden = !live || !hold;
    const takes = live && (state === "WAITING" || state === "IA_TURN");
    for (const field of at("push").elements) field.disabled = !takes;
  }

  seconds() {
    return this.call.live ? (Date.now() - this.call.beganAt) / 1000 : this.call.ended.duration_ms / 1000;
  }

  draw() {
    if (!this.call) return;
    at("clock").textContent = clock(this.seconds());
    this.timeline.draw(this.seconds());
  }

  level(sample, kept = true) {
    if (kept) this.timeline.level(sample);
    this.meters.caller.set(sample[1]);
    this.meters.ai.set(sample[2]);
  }

  event(type, e) {
    this.timeline.event(type, e);
    if (type === "transcript_interim") at("interim").textContent = `${e.text} …`;
    if (type === "stage_took") this.stage(e);
    if (type === "state_changed") this.fresh.state = e.after;
    if (type === "hold_started" || type === "hold_stopped") this.fresh.hold = type === "hold_started";
    this.drawState();
    const line = LINES[type]?.(e);
    if (line) {
      at("interim").textContent = "";
      this.line(e.at, ...line);
    }
    if (type === "playback_finished" && e.heard !== null) this.markHeard(e.heard);
    if (!this.call.live) this.draw();
  }

  line(seconds, who, what, kind = "") {
    const log = at("log");
    const follows = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
    const row = element("li", `${who} ${kind}`);
    row.dataset.at = seconds;
    row.append(element("span", "at", clock(seconds, 2)), element("span", "name", NAMES[who]), element("span", "text", what));
    at("transcript").append(row);
    if (at("transcript").childElementCount > MOST_LINES) at("transcript").firstElementChild.remove();
    if (follows) log.scrollTop = log.scrollHeight;
  }

  // Strikes out what the caller did not hear of the newest message of the AI.
  markHeard(heard) {
    const text = [...at("transcript").querySelectorAll(".ai .text")].at(-1);
    if (!text || !text.textContent.startsWith(heard)) return;
    const unheard = element("s", "unheard", text.textContent.slice(heard.length));
    unheard.title = "not heard: the message was stopped";
    text.replaceChildren(heard, unheard);
  }

  // Scrolls the transcript to the last line that had been said at a moment of the call.
  goTo(seconds) {
    const rows = [...at("transcript").children].filter((row) => row.checkVisibility());
    const chosen = rows.findLast((row) => Number(row.dataset.at) <= seconds + 0.005);
    for (const row of rows) row.classList.toggle("chosen", row === chosen);
    if (chosen) at("log").scrollTop = chosen.offsetTop - at("transcript").offsetTop - at("log").clientHeight / 3;
  }

  // --- the latency of each answer ---

  // An answer begins with the end of the caller's speech; a pushed message answers nothing that the caller said.
  stage(e) {
    if (e.stage === "endpoint") {
      this.answer = { at: e.at, parts: {} };
      this.answers.push(this.answer);
      this.answer.row = element("li");
      at("answers").prepend(this.answer.row);
      at("no-answers").hidden = true;
      at("legend").hidden = false;
    }
    if (!this.answer || e.since_last_word_ms === null) return;
    this.answer.parts[e.stage] = e.duration_ms;
    this.answer.total = e.since_last_word_ms;
    if (e.stage === "first_audio") this.answer = null;
    const longest = Math.max(2000, ...this.answers.map((answer) => answer.total));
    for (const answer of this.answers) drawAnswer(answer, longest);
  }

  // --- actions ---

  async hangUp() {
    const button = at("hang-up");
    if (!button.classList.contains("sure")) {
      button.classList.add("sure");
      button.textContent = "Really hang up?";
      this.sure = setTimeout(() => this.notSure(), SURE_FOR_MS);
      return;
    }
    this.notSure();
    await this.post("hangup");
  }

  notSure() {
    clearTimeout(this.sure);
    at("hang-up").classList.remove("sure");
    at("hang-up").textContent = "Hang up";
  }

  async push() {
    const message = { content: { mensagem: at("push-text").value }, set_call_status: at("push-status").value };
    if (await this.post("messages", message)) at("push-text").value = "";
  }

  async post(what, body) {
    at("problem").textContent = "";
    try {
      const answer = await ask(`calls/${this.call.number}/${what}`, { method: "POST", body: JSON.stringify(body) });
      if (answer.ok) return true;
      at("problem").textContent = (await answer.json()).error;
    } catch (error) {
      at("problem").textContent = "The server does not answer.";
    }
    return false;
  }
}

function showFollowed(what) {
  for (const choice of at("zoom").querySelectorAll("input")) choice.checked = choice.value === String(what);
}

function drawAnswer({ at: seconds, parts, total, row }, longest) {
  const head = element("div", "row");
  head.append(element("span", "at", clock(seconds)), element("span", "total", inSeconds(total)));
  const stack = element("div", "stack");
  for (const stage of STAGES) {
    if (!(stage in parts)) continue;
    const part = element("i", stage);
    part.style.width = `${(100 * parts[stage]) / longest}%`;
    part.title = `${stage.replace("_", " ")} ${inSeconds(parts[stage])}`;
    stack.append(part);
  }
  const texts = STAGES.filter((stage) => stage in parts).map((stage) => `${stage.replace("_", " ")} ${inSeconds(parts[stage])}`);
  row.replaceChildren(head, stack, element("p", "parts", texts.join(" · ")));
}

// A level in dBFS, as a bar and as a number.
export class Meter {
  constructor(root, output = null) {
    this.bar = element("i");
    root.append(this.bar);
    this.root = root;
    this.output = output;
    if (!output) return;
    root.setAttribute("aria-valuemin", "-120");
    root.setAttribute("aria-valuemax", "0");
  }

  set(dbfs) {
    if (dbfs === this.dbfs) return;
    this.dbfs = dbfs;
    this.bar.style.transform = `scaleX(${share(dbfs)})`;
    if (!this.output) return;
    this.output.value = dbfs <= -120 ? "silent" : `${dbfs} dBFS`;
    this.root.setAttribute("aria-valuenow", dbfs);
    this.root.setAttribute("aria-valuetext", this.output.value);
  }
}
