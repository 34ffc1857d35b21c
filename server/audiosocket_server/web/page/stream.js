// Requests to the server, with the token if one is needed, and its event streams. An EventSource cannot send a token, so
// the streams are read here. Like an EventSource, they reconnect with Last-Event-ID and miss nothing.

const KEY = "control-token";
const SILENT_FOR_MS = 40_000; // the server sends a ping every 15 s
const DELAYS_MS = [300, 1000, 2000, 5000];

export class NoToken extends Error {}

// Takes the token from a link with #token=…, and removes it from the address.
export function takeTokenFromAddress() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given === null) return;
  keepToken(given);
  history.replaceState(null, "", location.pathname + location.search);
}

export function keepToken(token) {
  sessionStorage.setItem(KEY, token);
}

// fetch from this server; throws NoToken if the server needs a token.
export async function ask(path, options = {}) {
  const headers = new Headers(options.headers);
  const token = sessionStorage.getItem(KEY);
  if (token && /^[\x21-\x7e]+$/.test(token)) headers.set("Authorization", `Bearer ${token}`);
  const answer = await fetch(path, { ...options, headers, cache: "no-store", credentials: "omit", redirect: "error" });
  if (answer.status === 401) throw new NoToken();
  return answer;
}

// Follows a stream until `close` or its end. handlers: event(type, data); optional open(), lost(why), refused(error).
export class Stream {
  constructor(path, handlers) {
    this.path = path;
    this.handlers = handlers;
    this.lastId = "";
    this.failures = 0;
    this.closed = false;
    this.onVisible = () => this.look();
    document.addEventListener("visibilitychange", this.onVisible);
    this.look();
  }

  close() {
    this.closed = true;
    document.removeEventListener("visibilitychange", this.onVisible);
    this.stop();
  }

  stop() {
    clearTimeout(this.retry);
    clearTimeout(this.silence);
    this.abort?.abort();
    this.abort = null;
  }

  // A hidden page closes its streams, and costs the server nothing.
  look() {
    if (document.hidden) this.stop();
    else if (!this.closed && !this.abort) this.run();
  }

  async run() {
    clearTimeout(this.retry);
    const abort = (this.abort = new AbortController());
    let over = false;
    let why = "connection lost";
    try {
      this.wait(abort);
      const answer = await ask(this.path, {
        headers: { Accept: "text/event-stream", ...(this.lastId && { "Last-Event-ID": this.lastId }) },
        signal: abort.signal,
      });
      if (answer.status === 204 || answer.status === 404) over = true;
      else if (!answer.ok) why = (await answer.json()).error;
      else {
        this.handlers.open?.();
        over = await this.read(answer.body, abort);
      }
    } catch (error) {
      if (error instanceof NoToken) {
        this.close();
        this.handlers.refused?.(error);
        return;
      }
    }
    if (this.closed || this.abort !== abort) return;
    this.stop();
    if (over) this.close();
    else {
      this.handlers.lost?.(why);
      this.retry = setTimeout(() => this.look(), DELAYS_MS[Math.min(this.failures++, DELAYS_MS.length - 1)]);
    }
  }

  wait(abort) {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => abort.abort(), SILENT_FOR_MS);
  }

  // Returns true if the stream ended with its last event.
  async read(body, abort) {
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    let fields = {};
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return false;
      this.wait(abort);
      const lines = (rest + value).split(/\r\n|\n/);
      rest = lines.pop();
      for (const line of lines) {
        if (line === "") {
          if (fields.data !== undefined && this.take(fields)) return true;
          fields = {};
        } else if (!line.startsWith(":")) {
          const at = line.indexOf(": ");
          fields[line.slice(0, at)] = line.slice(at + 2);
        }
      }
    }
  }

  take(fields) {
    if (abortedOrClosed(this)) return true;
    this.failures = 0;
    try {
      this.handlers.event(fields.event, JSON.parse(fields.data));
    } catch (error) {
      reportError(error); // an error of the page, which reading the stream again would not mend
    }
    if (fields.id) this.lastId = fields.id;
    return fields.event === "call_ended";
  }
}

const abortedOrClosed = (stream) => stream.closed || !stream.abort;
