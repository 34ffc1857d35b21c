// The debug page. One stream brings the list of calls and their levels, another the events of the chosen call. The page
// shows the newest call until the user chooses one. Every text is set as textContent: what callers and backends say must
// never be parsed as HTML.
import { CallView } from "./call.js";
import { CallList } from "./list.js";
import { keepToken, Stream, takeTokenFromAddress } from "./stream.js";

const at = (id) => document.getElementById(id);

const calls = new Map(); // by number
const view = new CallView(askForToken);
const list = new CallList((number) => {
  pinned = true;
  choose(number);
  const { top } = at("call").getBoundingClientRect();
  if (top < 0 || top > innerHeight / 2) at("call").scrollIntoView({ block: "start" });
});
let pinned = false; // chosen by the user: a newer call does not replace it
let chosen = null;
let server = null;
let stream = null;

function showLink(kind, words) {
  at("link").dataset.link = kind;
  at("link").textContent = words;
}

function choose(number) {
  if (number === chosen) return;
  chosen = number;
  list.choose(number);
  if (number === null) view.hide();
  else view.show(calls.get(number));
}

function learn(news) {
  for (const call of news.calls) {
    // The response takes time to arrive: the earliest estimate is the best.
    const beganAt = Date.now() - 1000 * call.began_seconds_ago;
    call.beganAt = Math.min(beganAt, calls.get(call.number)?.beganAt ?? Infinity);
    calls.set(call.number, call);
    list.put(call);
    if (call.number === chosen) view.update(call);
  }
  for (const number of news.gone) forget(number);
  const newest = Math.max(...calls.keys());
  if (calls.size === 0) choose(null);
  else if (!calls.has(chosen) || (!pinned && newest > chosen)) {
    pinned = false;
    choose(newest);
  }
}

function forget(number) {
  calls.delete(number);
  list.remove(number);
}

function event(type, data) {
  if (type === "calls") {
    if (server !== data.server) {
      // A restarted server numbers its calls from 1 again.
      calls.clear();
      list.clear();
      choose(null);
      server = data.server;
    }
    const there = new Set(data.calls.map((call) => call.number));
    learn({ ...data, gone: [...calls.keys()].filter((number) => !there.has(number)) });
  } else if (type === "changed") {
    learn(data);
  } else if (type === "levels") {
    for (const [number, sample] of Object.entries(data)) {
      list.level(Number(number), sample);
      if (Number(number) === chosen) view.level(sample);
    }
  }
}

function start() {
  at("login").hidden = true;
  at("board").hidden = false;
  showLink("wait", "connecting");
  stream?.close();
  stream = new Stream("events?levels=1", {
    event,
    open: () => showLink("live", "live"),
    lost: (why) => showLink("lost", `${why}, reconnecting`),
    refused: askForToken,
  });
}

let asked = false;
function askForToken() {
  stream?.close();
  view.close();
  at("board").hidden = true;
  at("login").hidden = false;
  at("login-error").textContent = asked ? "The server rejects this token." : "";
  showLink("wait", "waiting for the token");
  at("token").focus();
}

at("login-form").addEventListener("submit", (e) => {
  e.preventDefault();
  asked = true;
  keepToken(at("token").value.trim());
  at("token").value = "";
  chosen = server = null;
  start();
});

takeTokenFromAddress();
start();
