// The debug page: the list of calls by one event stream, the chosen call by another. Every text goes in as textContent:
// what callers and backends say is not to be trusted as HTML.
"use strict";

const at = (id) => document.getElementById(id);
let chosen = null; // the id of the call that is shown
let pinned = false; // chosen by a click: a newer call does not take its place
let over = false; // its end has come: a call of the same id that is live is another call
let stream = null;

// What an event of a call adds to its transcript: who, and what.
const LINES = {
  call_started: (e) => ["system", `call from ${e.peer}`],
  state_changed: (e) => ["system", `${e.before} → ${e.after}`],
  transcript_final: (e) => (e.text ? ["caller", e.text] : ["system", "nothing understood"]),
  playback_started: (e) => ["ai", e.text],
  dtmf_received: (e) => ["caller", `key ${e.digit}`],
  backend_failed: (e) => ["system", `backend: ${e.kind}, ${e.detail}`],
  synthesis_failed: (e) => ["system", `speech could not be made: ${e.detail}`],
  hold_started: () => ["system", "hold audio starts"],
  hold_stopped: () => ["system", "hold audio stops"],
  warned: (e) => ["system", `warning: ${e.what}`],
  call_ended: (e) => ["system", `ended by ${e.by}: ${e.reason}`],
};
const NAMES = { caller: "caller", ai: "AI", system: "system" };

function cell(row, text) {
  row.insertCell().textContent = text;
}

function follow(call) {
  stream?.close();
  chosen = call.id;
  over = false;
  at("call").hidden = false;
  at("call-id").textContent = call.id;
  at("transcript").replaceChildren();
  at("interim").textContent = "";
  stream = new EventSource(`calls/${encodeURIComponent(call.id)}/events`);
  for (const [type, line] of Object.entries(LINES)) {
    stream.addEventListener(type, (message) => {
      const event = JSON.parse(message.data);
      const [who, what] = line(event);
      const row = at("transcript").insertRow();
      row.className = who;
      cell(row, event.at.toFixed(3));
      cell(row, NAMES[who]);
      cell(row, what);
      at("interim").textContent = "";
      if (type === "state_changed") at("state").textContent = event.after;
      if (type === "call_ended") {
        over = true;
        message.target.close();
      }
    });
  }
  stream.addEventListener("transcript_interim", (message) => {
    at("interim").textContent = `${JSON.parse(message.data).text} …`;
  });
}

function show(calls) {
  const newest = calls.slice().reverse();
  at("none").hidden = newest.length > 0;
  const still = newest.find((call) => call.id === chosen);
  if (newest.length > 0 && (!still || (!pinned && newest[0].id !== chosen))) {
    pinned = false;
    follow(newest[0]);
  } else if (over && still?.live) {
    follow(still);
  }
  const list = at("calls");
  const focused = document.activeElement?.dataset?.call;
  list.replaceChildren();
  for (const call of newest) {
    const button = document.createElement("button");
    const state = document.createElement("small");
    button.type = "button";
    button.dataset.call = call.id;
    button.textContent = call.id;
    state.textContent = call.live ? call.state : "ended";
    button.append(state);
    if (call.id === chosen) {
      button.setAttribute("aria-current", "true");
      at("state").textContent = state.textContent;
      at("peer").textContent = call.peer;
    }
    button.addEventListener("click", () => {
      pinned = true;
      follow(call);
      show(calls);
    });
    list.appendChild(document.createElement("li")).append(button);
    if (call.id === focused) button.focus();
  }
}

const lists = new EventSource("events");
const known = new Map();
function learn(told) {
  for (const call of told.calls) known.set(call.number, call);
  for (const number of told.gone) known.delete(number);
  show([...known.values()]);
}
lists.addEventListener("calls", (message) => { known.clear(); learn(JSON.parse(message.data)); });
lists.addEventListener("changed", (message) => learn(JSON.parse(message.data)));
lists.addEventListener("open", () => { at("link").textContent = "live"; });
lists.addEventListener("error", () => { at("link").textContent = "connection lost, trying again"; });
