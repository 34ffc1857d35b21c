// The small bot of the zoo in Node, alone in one file: node small_bot.mjs PORT SETTINGS-AS-JSON
// It greets, answers the caller's first sentence, says goodbye after his second and hangs up. `fault` and `size` make
// it a bad one, `sounds` has the WAV file (8 kHz, 16 bits, mono) of each of its sentences.
import fs from "node:fs";
import net from "node:net";

const FRAME = 320;
const TICK_MS = 20;
const port = Number(process.argv[2]);
const { fault, size, sounds } = JSON.parse(process.argv[3]);

function samplesOf(path) {
  const file = fs.readFileSync(path);
  return file.subarray(file.indexOf("data") + 8);
}

const FAULTS = {
  BytesSwapped: { sound: (pcm) => Buffer.from(pcm).swap16() },
  Blocked: { everyFrame: (call) => call.spoken === 40 && sleepInTheLoop(size * 1000) },
  SleepsEachFrame: { next: (call) => setTimeout(() => call.tick(), TICK_MS + size * 1000) },
  HangsUpTooSoon: { goodbyeMs: () => size * 1000 },
};
const wrong = FAULTS[fault] ?? {};

function sleepInTheLoop(ms) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

function rms(pcm) {
  let sum = 0;
  for (let at = 0; at + 1 < pcm.length; at += 2) sum += pcm.readInt16LE(at) ** 2;
  return Math.sqrt((2 * sum) / pcm.length);
}

class Call {
  constructor(socket) {
    this.socket = socket;
    this.input = Buffer.alloc(0);
    this.queue = Buffer.alloc(0);
    this.whenSaid = null;
    this.spoken = this.turn = this.voiced = this.quiet = 0;
    this.callerSpeaks = this.over = false;
    socket.setNoDelay(true);
    socket.on("data", (data) => this.received(data));
    socket.on("error", () => {});
    socket.on("close", () => (this.over = true));
  }

  begin() {
    this.due = performance.now();
    this.tick();
    setTimeout(() => this.say("greeting"), 500);
  }

  // A frame on an absolute grid: what a timer is late by is made up for by the next one.
  tick() {
    if (this.over) return;
    this.spoken = this.queue.length ? this.spoken + 1 : 0;
    wrong.everyFrame?.(this);
    const frame = Buffer.alloc(FRAME);
    this.queue.copy(frame, 0, 0, FRAME);
    this.queue = this.queue.subarray(FRAME);
    this.put(0x10, frame);
    if (!this.queue.length && this.whenSaid) {
      const said = this.whenSaid;
      this.whenSaid = null;
      said();
    }
    if (wrong.next) return void wrong.next(this);
    this.due += TICK_MS;
    if (wrong.everyFrame && performance.now() - this.due > 200) this.due = performance.now();
    setTimeout(() => this.tick(), Math.max(0, this.due - performance.now()));
  }

  put(kind, payload) {
    const header = Buffer.from([kind, payload.length >> 8, payload.length & 0xff]);
    if (!this.over) this.socket.write(Buffer.concat([header, payload]));
  }

  say(name, whenSaid = null) {
    const pcm = samplesOf(sounds[name]);
    this.queue = wrong.sound ? wrong.sound(pcm) : pcm;
    this.whenSaid = whenSaid;
  }

  received(data) {
    this.input = Buffer.concat([this.input, data]);
    while (this.input.length >= 3 && this.input.length >= 3 + this.input.readUInt16BE(1)) {
      const kind = this.input[0];
      const payload = this.input.subarray(3, 3 + this.input.readUInt16BE(1));
      this.input = this.input.subarray(3 + payload.length);
      if (kind === 0x01) this.begin();
      else if (kind === 0x10 && payload.length) this.hear(payload);
      else if (kind === 0x00) this.end();
    }
  }

  hear(pcm) {
    if (rms(pcm) >= 260) {
      this.voiced += 1;
      this.quiet = 0;
      if (!this.callerSpeaks && this.voiced >= 3) {
        this.callerSpeaks = true;
        this.queue = Buffer.alloc(0);
      }
    } else {
      this.quiet += 1;
      if (this.callerSpeaks && this.quiet >= 45) {
        this.callerSpeaks = false;
        this.answer();
      }
      if (!this.callerSpeaks) this.voiced = 0;
    }
  }

  answer() {
    this.turn += 1;
    if (this.turn === 1) return this.say("answer");
    this.say("goodbye", () => this.hangUp());
    if (wrong.goodbyeMs) setTimeout(() => this.hangUp(), wrong.goodbyeMs());
  }

  hangUp() {
    this.put(0x00, Buffer.alloc(0));
    this.end();
  }

  end() {
    this.over = true;
    this.socket.end();
  }
}

net.createServer((socket) => new Call(socket)).listen(port, "127.0.0.1");
