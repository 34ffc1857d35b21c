// Texts and number formats of the page. Pure.

export const NAMES = { caller: "caller", ai: "AI", system: "system" };

// 75.43 -> "1:15.4"
export function clock(seconds, decimals = 1) {
  const shown = Math.max(0, seconds).toFixed(decimals);
  const minutes = Math.floor(Number(shown) / 60);
  const rest = (Number(shown) - 60 * minutes).toFixed(decimals);
  return `${minutes}:${rest.padStart(decimals ? 3 + decimals : 2, "0")}`;
}

export const inSeconds = (ms) => `${(ms / 1000).toFixed(2)}\u00a0s`;

// The transcript line of an event: [who, text], with a CSS class as a third element for failures.
export const LINES = {
  call_started: (e) => ["system", `call from ${e.peer}`],
  state_changed: (e) => ["system", `${e.before} → ${e.after}`],
  transcript_final: (e) => {
    if (e.text) return ["caller", e.text];
    return e.failed ? ["system", `recognition failed: ${e.detail}`, "bad"] : ["system", "nothing was understood"];
  },
  playback_started: (e) => ["ai", e.text],
  playback_resumed: (e) => ["system", `goes on after ${inSeconds(e.paused_ms)} (${e.why.replaceAll("_", " ")})`],
  dtmf_received: (e) => ["caller", `DTMF ${e.digit}`],
  backend_failed: (e) => ["system", `the AI backend failed (${e.kind}): ${e.detail}`, "bad"],
  message_pushed: (e) => ["system", `the backend pushes ${e.set_call_status}`],
  synthesis_failed: (e) => ["system", `speech synthesis failed: ${e.detail}`, "bad"],
  hold_started: () => ["system", "hold audio starts"],
  hold_stopped: (e) => ["system", `hold audio stops after ${inSeconds(e.duration_ms)}`],
  warned: (e) => ["system", `warning: ${e.what}`, "bad"],
  call_ended: (e) => ["system", `ended by ${e.by}: ${e.reason}`, e.by === "error" ? "bad" : "last"],
};

// A level in dBFS as a share of a meter.
export const FLOOR_DBFS = -60;
export const share = (dbfs) => Math.min(1, Math.max(0, 1 - dbfs / FLOOR_DBFS));

// Makes an element with a class and a text. What callers and backends say is only ever set as text.
export function element(tag, className = "", text = "") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}
