// The line of files on their way in: three at a time, each can be paused, resumed or cancelled and survives a cut connection.

import { heldBackFor, isShort } from "../allowance.js";
import * as api from "../api.js";
import { spaced } from "../dom.js";
import { expectChanges, onUpload } from "../live.js";
import { isLitter } from "./folders.js";
import { dropPending, hold, keepPending, nameOf, pendingFor } from "./pending.js";
import { SessionGoneError, abandonSession, sendPiece, sendWhole, storedSoFar } from "./transfer.js";

const AT_ONCE = 3;
const PIECE = 8 * 1024 * 1024;
const LONGEST_WAIT_S = 30;
const MEBIBYTE = 1024 * 1024;
const HASHED_UP_TO = 64 * MEBIBYTE;
const QUIET_MS = 10_000;
const ASKED_AT_ONCE = 100;

export const queue = new EventTarget();
export const entries = [];
const byUpload = new Map();
// What was told of files before the answer with their id was here.
const toldBefore = new Map();
let goOn = 0;
let sessionsAreThere = true;
let number = 0;

// Refused for what the file is: the same bytes would be refused again.
const HOPELESS = [400, 413, 415, 422];
// Refused for who sends it: so would be all that wait.
const FOR_ALL = ["daily_quota", "suspended"];
const CHANGED = new Error("The file was changed, moved or deleted after it was picked. Add it again.");
const ELSEWHERE = Object.assign(new Error("It is being sent already, here or in another tab."), { status: 409 });
// The server is being started, something before it cannot reach it, or it waited in vain for a line that broke.
const AWAY = [408, 502, 503, 504];
const MOST_TRIES = 7;
const SENDING = ["waiting", "sending", "offline"];
export const isSending = (entry) => SENDING.includes(entry.state);
const isOver = (entry) => ["ready", "failed", "duplicate", "refused", "cancelled"].includes(entry.state);

function set(entry, changes) {
  Object.assign(entry, changes);
  queue.dispatchEvent(new CustomEvent("change", { detail: entry }));
}

export function add(files) {
  for (const file of files) {
    if (isLitter(file.name)) continue;
    number += 1;
    entries.push({ id: number, file, name: file.name, size: file.size, sent: 0, state: "waiting", message: "", uploadId: "", progress: 0 });
  }
  queue.dispatchEvent(new CustomEvent("change"));
  start();
}

function start() {
  const wait = heldBackFor();
  if (wait) {
    goOn ||= setTimeout(() => { goOn = 0; start(); }, wait);
    return;
  }
  const active = entries.filter((entry) => entry.state === "sending" || entry.state === "offline").length;
  entries.filter((entry) => entry.state === "waiting").slice(0, Math.max((isShort() ? 1 : AT_ONCE) - active, 0)).forEach(send);
}

// Files wait although nothing is wrong.
export const isHeldBack = () => heldBackFor() > 0 && entries.some((entry) => entry.state === "waiting");

export function pause(entry) {
  set(entry, { state: "paused" });
  entry.stop?.abort();
  start();
}

export function resume(entry) {
  set(entry, { state: "waiting" });
  start();
}

export function cancel(entry) {
  set(entry, { state: "cancelled" });
  entry.stop?.abort();
  const pending = entry.isOurs && pendingFor(entry.file);
  if (pending) abandonSession(pending.session_url);
  if (pending) dropPending(entry.file);
  letGo(entry);
  dismiss(entry);
  start();
}

export function sendAgain(entry) {
  set(entry, { state: "waiting", sent: 0, message: "" });
  start();
}

export function dismiss(entry) {
  entries.splice(entries.indexOf(entry), 1);
  queue.dispatchEvent(new CustomEvent("change"));
}

export function dismissOver() {
  entries.filter(isOver).forEach(dismiss);
}

// Whoever pauses or cancels aborts the signal; going on later is another run with a signal of its own.
async function send(entry) {
  entry.stop = new AbortController();
  const { signal } = entry.stop;
  for (let tries = 0; !signal.aborted; tries += 1) {
    const before = entry.sent;
    try {
      set(entry, { state: "sending", message: "" });
      const { upload_id: uploadId } = await sendBytes(entry, signal);
      byUpload.set(uploadId, entry);
      set(entry, { state: "stored", sent: entry.size, uploadId, message: "Stored; waiting to be read." });
      expectChanges();
      if (toldBefore.has(uploadId)) hear(entry, toldBefore.get(uploadId));
      else askOfSilent();
      break;
    } catch (error) {
      if (entry.sent > before) tries = 0;
      if (signal.aborted || !(await waitsFor(entry, error, tries, signal))) break;
    }
  }
  if (!entries.some(isSending)) toldBefore.clear();
  start();
}

async function sendBytes(entry, signal) {
  const { file } = entry;
  const how = { signal, onProgress: (sent) => set(entry, { sent }) };
  if (file.size <= PIECE || !sessionsAreThere) return sendWhole(file, how);
  try {
    return await sendInPieces(entry, await sessionFor(entry, signal), how);
  } catch (error) {
    if (!(error instanceof SessionGoneError)) throw error;
    dropPending(file);
    return sendInPieces(entry, await sessionFor(entry, signal), how);
  }
}

// A session is opened once, even when its file is paused and resumed meanwhile: one whose answer nobody waits for is lost.
async function sessionFor(entry, signal) {
  entry.hold ??= hold(nameOf(entry.file));
  entry.isOurs = Boolean(await entry.hold);
  signal.throwIfAborted();
  if (!entry.isOurs) throw ELSEWHERE;
  const known = pendingFor(entry.file);
  if (known) return known;
  entry.opening ??= openSession(entry).finally(() => { entry.opening = null; });
  const session = await entry.opening;
  signal.throwIfAborted();
  return session;
}

async function openSession(entry) {
  const { file } = entry;
  const sha256 = file.size <= HASHED_UP_TO ? await hash(file) : undefined;
  if (!isSending(entry)) throw new DOMException("stopped", "AbortError");
  const session = await api.openSession({ filename: file.name, size: file.size, content_type: file.type || "application/octet-stream", sha256 });
  if (entry.state === "cancelled") abandonSession(session.session_url);
  else keepPending(file, session);
  return session;
}

async function sendInPieces(entry, session, how) {
  const { file } = entry;
  let offset = await storedSoFar(session.session_url, file, how);
  while (offset < file.size) {
    set(entry, { sent: offset });
    offset = await sendPiece(session.session_url, file, offset, PIECE, how);
  }
  dropPending(file);
  letGo(entry);
  return session;
}

function letGo(entry) {
  entry.hold?.then((free) => free?.());
  entry.hold = null;
}

async function hash(file) {
  if (!globalThis.crypto?.subtle) return undefined;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
  return [...digest].map((octet) => octet.toString(16).padStart(2, "0")).join("");
}

// True when it makes sense to go on after an error, and then only once the wait is over.
async function waitsFor(entry, error, tries, signal) {
  if ([404, 405].includes(error.status) && entry.size > PIECE && sessionsAreThere && !pendingFor(entry.file)) {
    sessionsAreThere = false;
    return true;
  }
  // A file that is not any more what was picked looks like a cut connection too.
  const isLost = !error.status && !(await isReadable(entry.file));
  if (signal.aborted) return false;
  if (isLost || !mayPass(error, tries)) {
    refuse(entry, isLost ? CHANGED : error);
    return false;
  }
  const seconds = error.retryAfter || Math.min(2 ** tries, LONGEST_WAIT_S);
  set(entry, { state: "offline", message: wordsFor(error) });
  await Promise.race([
    new Promise((resolve) => setTimeout(resolve, seconds * 1000)),
    new Promise((resolve) => addEventListener("online", resolve, { once: true })),
    new Promise((resolve) => signal.addEventListener("abort", resolve)),
  ]);
  return !signal.aborted;
}

const isReadable = (file) => file.slice(0, 1).arrayBuffer().then(() => true, () => false);

function mayPass({ status, retryAfter }, tries) {
  if (status === 429) return retryAfter > 0 && retryAfter <= 60;
  return status === 0 || AWAY.includes(status) || (status >= 500 && tries < MOST_TRIES);
}

function wordsFor({ status }) {
  if (status === 429) return "The server asks to wait a moment.";
  return status ? "The server has trouble; it goes on by itself." : "The connection is gone; it goes on by itself.";
}

function refuse(entry, error) {
  // After trouble of the server the same session can go on; and another tab's is not ours to forget.
  if (!(error.status >= 500) && error !== ELSEWHERE) dropPending(entry.file);
  letGo(entry);
  if (error.code === "duplicate") {
    set(entry, { state: "duplicate", uploadId: error.details.upload_id ?? "", message: `Already here as “${error.details.filename ?? entry.name}”.` });
    return;
  }
  const refused = { state: "refused", message: error.message, hopeless: error === CHANGED || HOPELESS.includes(error.status) };
  const others = FOR_ALL.includes(error.code) ? entries.filter((one) => one.state === "waiting") : [];
  for (const one of [entry, ...others]) set(one, refused);
}

onUpload((file) => {
  if (!file) { catchUp(); return; }
  const entry = byUpload.get(file.upload_id);
  if (entry) hear(entry, file);
  else if (entries.some(isSending)) toldBefore.set(file.upload_id, file);
});

// Events may have been lost; and where they come late or not at all, nothing is heard of a file for a while.
const catchUp = spaced(350, () => ask((entry) => !isOver(entry)));
const askOfSilent = spaced(QUIET_MS, () => ask((entry) => entry.state === "stored"));

// All of them at once: what was sent in this tab is among what changed last. An event may overtake the answer.
async function ask(isMissing) {
  const missing = new Set([...byUpload].filter(([, entry]) => isMissing(entry)).map(([id]) => id));
  try {
    for (let at = 0; missing.size && at < byUpload.size + ASKED_AT_ONCE; at += ASKED_AT_ONCE) {
      const { data: files } = await api.listUploads({ sort: "-updated_at", limit: ASKED_AT_ONCE, offset: at });
      for (const file of files) if (missing.delete(file.upload_id)) hear(byUpload.get(file.upload_id), file);
      if (files.length < ASKED_AT_ONCE) break;
    }
  } catch (error) {
    if (error.isPutOff) setTimeout(catchUp, error.retryAfter * 1000 || QUIET_MS);
  }
}

function hear(entry, file) {
  const isOlder = entry.uploaded && file.updated_at < entry.uploaded.updated_at;
  if (file.status === "deleted" || isOlder) return;
  const state = { completed: "ready", failed: "failed" }[file.status] ?? "processing";
  const advice = file.error ? ` ${file.error.advice}` : "";
  set(entry, { state, message: state === "ready" ? "Ready to be found." : file.message + advice, progress: file.progress, uploaded: file });
}

addEventListener("beforeunload", (event) => { if (entries.some(isSending)) event.preventDefault(); });
