// Follows what becomes of the caller's files: events as they happen, or asking again and again where no stream can be had.

import { spread } from "./allowance.js";
import { listUploads, request } from "./api.js";
import { isUnderWay } from "./format.js";

const SILENCE_MS = 60_000;
const ENOUGH = 4;
const RETRY_MS = 3000;
const BUSY_MS = 1200;
const IDLE_MS = 10_000;
const listeners = new Set();
let lastId = "";
let stopped = new AbortController();
let busy = true;
const seen = new Map();

// Tells `lost` when the server stops answering and `back` when it answers again.
export const connection = new EventTarget();
let isLost = false;

export const onUpload = (listener) => listeners.add(listener);
let wake = null;

// Whoever asks again and again now is asked soon anyway.
export function expectChanges() {
  if (!busy) wake?.();
  busy = true;
}

export async function follow() {
  for (let failures = 0; ;) {
    try {
      const received = await stream();
      failures = received ? 0 : failures + 1;
    } catch (error) {
      failures += 1;
      if (error.unavailable) break;
      answered(error);
      if (error.retryAfter) await pause(error.retryAfter * 1000);
    }
    if (failures < ENOUGH) await pause(500 * 2 ** failures);
    else await poll();
  }
  for (;;) await poll();
}

async function stream() {
  stopped = new AbortController();
  const answer = await connect();
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let received = false;
  let quiet = setTimeout(() => stopped.abort(), SILENCE_MS);
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return received;
      received = true;
      clearTimeout(quiet);
      quiet = setTimeout(() => stopped.abort(), SILENCE_MS);
      const blocks = (rest + value.replaceAll("\r\n", "\n")).split("\n\n");
      rest = blocks.pop();
      blocks.forEach(dispatch);
    }
  } finally {
    clearTimeout(quiet);
  }
}

async function connect() {
  const extra = { Accept: "text/event-stream", ...(lastId ? { "Last-Event-ID": lastId } : {}) };
  const answer = await request("GET", "/events", { signal: stopped.signal, extra });
  const isStream = (answer.headers.get("Content-Type") ?? "").startsWith("text/event-stream");
  if (answer.ok && isStream) {
    answered();
    return answer;
  }
  throw Object.assign(new Error("no stream of events"), { status: answer.status, retryAfter: Number(answer.headers.get("Retry-After")) || 0, unavailable: [404, 405, 501].includes(answer.status) || (answer.ok && !isStream) });
}

function dispatch(block) {
  const fields = { event: "message", data: [] };
  for (const line of block.split("\n")) {
    const [name, value] = [line.split(":", 1)[0], line.slice(line.indexOf(":") + 1).replace(/^ /, "")];
    if (name === "data") fields.data.push(value);
    else if (name) fields[name] = value;
  }
  const content = fields.data.length ? JSON.parse(fields.data.join("\n")) : null;
  // What happened since the last event is lost: everybody has to look for themselves.
  if (fields.event === "hello" && lastId && !content.resumed) tell(null);
  if (fields.id) lastId = fields.id;
  if (fields.event === "upload") tell(content);
}

function answered(error) {
  const lost = error !== undefined && (!error.status || error.status >= 500);
  if (lost === isLost) return;
  isLost = lost;
  connection.dispatchEvent(new Event(lost ? "lost" : "back"));
  // What was asked for in between may have failed.
  if (!lost) tell(null);
}

function tell(file) {
  for (const listener of listeners) listener(file);
}

async function poll() {
  let wait = 0;
  try {
    const { data } = await listUploads({ limit: 50, sort: "-updated_at" });
    answered();
    const first = seen.size === 0;
    const changed = data.filter((file) => seen.get(file.upload_id) !== file.updated_at);
    data.forEach((file) => seen.set(file.upload_id, file.updated_at));
    if (!first) changed.reverse().forEach(tell);
    busy = data.some(isUnderWay);
  } catch (error) {
    answered(error);
    wait = error.retryAfter * 1000;
  }
  await pause(wait || (isLost ? RETRY_MS : busy ? spread(BUSY_MS) : IDLE_MS));
}

function pause(ms) {
  return new Promise((resolve) => {
    wake = resolve;
    setTimeout(() => (document.hidden ? addEventListener("visibilitychange", resolve, { once: true }) : resolve()), ms);
  });
}
