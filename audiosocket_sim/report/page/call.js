// The page of one call: what is clicked is played, problems are gone through, the lanes show where the sound is.
const data = JSON.parse(document.getElementById("data").textContent);
const audio = document.querySelector("audio");
const playButton = document.getElementById("play");
const problems = [...document.querySelectorAll("#problems > li")];
const said = document.getElementById("said");
for (const lane of data.lanes) {
  if (!lane.level) continue;
  lane.level.values = Float32Array.from(atob(lane.level.coded), (one) => one.charCodeAt(0) / 100);
  delete lane.level.coded;
}
const bands = data.problems.map(({ at, until, tone }, index) => ({ from: at, to: until, tone, text: String(index + 1) }));
let current = 0;
const lead = Number(audio?.dataset.lead ?? 0); // seconds after a jump in which a decoder may be silent
let stopAt = null; // seconds
let here = 0;

document.documentElement.classList.add("live");
const lanes = new Lanes(document.getElementById("lanes"), { label: "Time in the call", onPick: picked });
lanes.set({ start: 0, end: data.end, lanes: data.lanes, bands: bands.toReversed() }); // the worst is drawn last

function picked({ time, how }) {
  seek(time);
  if (how !== "move") play();
}

function seek(time, until = null) {
  here = Math.max(0, Math.min(time, data.end));
  stopAt = until;
  if (audio) audio.currentTime = Math.max(0, here - lead);
  lanes.setCursor(here, { reveal: true });
}

function play() {
  if (audio?.paused) audio.play().catch((error) => { said.textContent = `The sound cannot be played: ${error.message}`; });
}

function toggle() {
  if (!audio?.paused) return audio?.pause();
  stopAt = null;
  play();
}

function frame() {
  if (audio.paused) return;
  here = Math.max(audio.currentTime, Math.min(here, audio.currentTime + lead)); // before, the decoder is silent
  if (stopAt !== null && here >= stopAt) {
    stopAt = null;
    audio.pause();
  }
  lanes.setCursor(here, { reveal: true });
  requestAnimationFrame(frame);
}

function show(index, scroll = true) {
  if (problems.length === 0) return lanes.show();
  current = (index + problems.length) % problems.length;
  problems.forEach((one, place) => { one.hidden = place !== current; });
  for (const one of document.querySelectorAll("#list button")) one.ariaCurrent = Number(one.dataset.problem) === current ? "true" : null;
  const { at, from, to } = data.problems[current];
  lanes.show(from, to);
  lanes.select(bands[current]);
  if (audio && !audio.paused) audio.pause();
  seek(Math.max(from, Math.min(at, data.end) - 1), to);
  if (!scroll) return;
  document.getElementById("problem").scrollIntoView({ block: "nearest" });
  said.textContent = `Problem ${current + 1} of ${problems.length}`;
}

function playProblem() {
  const { from, to } = data.problems[current];
  seek(from, to);
  play();
}

document.addEventListener("click", ({ target }) => {
  const place = target.closest("[data-at], [data-problem], [data-do]");
  if (!place) return;
  const { at, problem, do: what } = place.dataset;
  if (at !== undefined) {
    seek(Number(at));
    play();
  } else if (problem !== undefined) show(Number(problem));
  else ({ toggle, play: playProblem, next: () => show(current + 1), previous: () => show(current - 1), save })[what]?.();
});

function save() {
  Object.assign(document.createElement("a"), { href: audio.src, download: audio.dataset.name }).click();
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select")) return;
  if (event.key === "n") show(current + 1);
  else if (event.key === "p") show(current - 1);
  else if (event.key === " " && !event.target.closest("button, a, summary, audio")) {
    event.preventDefault();
    toggle();
  }
});

if (audio) {
  audio.addEventListener("play", () => { playButton.textContent = "Pause"; requestAnimationFrame(frame); });
  audio.addEventListener("pause", () => { playButton.textContent = "Play"; });
  audio.addEventListener("seeked", () => { // by the browser's own controls
    if (Math.abs(audio.currentTime - here) > 2 * lead + 0.1) lanes.setCursor((here = audio.currentTime));
  });
}
show(0, false);
requestAnimationFrame(() => setTimeout(() => { // behind the first paint, which waits for neither the sound nor the tables
  document.documentElement.classList.add("painted");
  if (audio) audio.preload = "auto";
}));
