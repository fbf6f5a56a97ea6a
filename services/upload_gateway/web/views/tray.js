// The tray at the corner: every file on its way in, how far it is in plain words, and all of them together.

import { status } from "../api.js";
import { $, button, el, pictureButton } from "../dom.js";
import { bytes, counted } from "../format.js";
import { icon } from "../icons.js";
import * as line from "../sending/queue.js";
import { abandoned, forgetPending, hold, interrupted } from "../sending/pending.js";
import { abandonSession } from "../sending/transfer.js";
import { spoken } from "./toasts.js";

const SHOWN = 200;
const SAID_EVERY_MS = 10_000;
// What it takes to send a file besides its bytes, told in bytes: all of many small files' bytes are on their way at once.
const EACH = 250_000;
const ORDER = ["failed", "refused", "duplicate", "offline", "sending", "paused", "stored", "processing", "waiting", "ready", "cancelled"];
const WITH_REASON = 3;
const rows = new Map();
let parts = null;
let open = innerWidth >= 560;
let frame = 0;
let lastSaid = "";
let saidAt = 0;
let wasBusy = false;
const told = new WeakMap();
let openFile = () => {};

export function startTray(whenOpened) {
  openFile = whenOpened;
  const title = el("h2", { id: "tray-title" });
  parts = {
    title, total: el("progress", { max: 1, value: 0, "aria-label": "All uploads" }),
    rest: el("p", { class: "muted" }),
    list: el("ul", { class: "rows", id: "tray-list" }),
    stop: pictureButton("Pause all", icon("pause"), toggleAll),
    fold: pictureButton("Fold", icon("down"), () => { open = !open; draw(); }, { "aria-expanded": "true", "aria-controls": "tray-list" }),
    close: pictureButton("Close", icon("close"), () => { line.dismissOver(); interrupted().forEach(({ key }) => hidden.add(key)); later(); }),
  };
  $("tray").append(el("div", { class: "tray-head" }, title, parts.stop, parts.fold, parts.close), parts.total, parts.list, parts.rest);
  line.queue.addEventListener("change", later);
  // Other tabs begin and end what they send.
  addEventListener("storage", look);
  addEventListener("visibilitychange", look);
  look();
}

const hidden = new Set();
let left = new Set();
const waitingForFile = () => interrupted().filter(({ key }) => left.has(key) && !hidden.has(key) && !line.entries.some((entry) => key === `${entry.name}|${entry.size}|${entry.file.lastModified}`));

async function look() {
  left = await abandoned();
  later();
}

const isLeft = (entry) => line.isSending(entry) || entry.state === "paused";

function later() {
  frame ||= requestAnimationFrame(() => { frame = 0; draw(); });
}

function draw() {
  const { entries } = line;
  const lost = waitingForFile();
  $("tray").hidden = entries.length + lost.length === 0;
  if ($("tray").hidden) return;
  const sending = entries.filter(isLeft);
  drawHead(entries, sending, lost);
  $("tray").classList.toggle("folded", !open);
  parts.fold.setAttribute("aria-expanded", String(open));
  parts.fold.replaceChildren(icon(open ? "down" : "up"));
  if (open) drawRows(entries, lost);
}

function drawHead(entries, sending, lost) {
  const working = entries.filter((entry) => ["stored", "processing"].includes(entry.state)).length;
  const trouble = entries.filter((entry) => ["failed", "refused"].includes(entry.state)).length;
  const added = entries.filter((entry) => !["failed", "refused", "duplicate", "cancelled"].includes(entry.state)).length;
  const known = entries.filter((entry) => entry.state !== "cancelled");
  const size = known.reduce((sum, entry) => sum + entry.size + EACH, 0);
  const sent = known.reduce((sum, entry) => sum + (isLeft(entry) ? Math.min(entry.sent, entry.size) : entry.size + EACH), 0);
  const read = known.filter((entry) => ["ready", "failed"].includes(entry.state)).length;
  parts.total.hidden = sending.length + working === 0;
  parts.total.value = sending.length ? sent / size : read / Math.max(read + working, 1);
  parts.total.className = sending.length ? "" : "working";
  const paused = sending.length > 0 && sending.every((entry) => entry.state === "paused");
  parts.stop.hidden = sending.length === 0;
  parts.stop.replaceChildren(icon(paused ? "play" : "pause"));
  parts.stop.setAttribute("aria-label", paused ? "Resume all" : "Pause all");
  parts.stop.title = paused ? "Resume all" : "Pause all";
  parts.close.hidden = sending.length > 0;
  let words = `${counted(added, "file")} added`;
  if (sending.length) words = `${paused ? "Paused" : "Sending"} ${counted(sending.length, "file")}, ${Math.floor(parts.total.value * 100)} %`;
  else if (working) words = `Reading ${counted(working, "file")}`;
  else if (!entries.length) words = `${counted(lost.length, "upload")} interrupted`;
  if (trouble && !sending.length) words += `, ${trouble} with trouble`;
  parts.title.textContent = words;
  tell(words.replace(/, \d+ %/, ""), sending.length + working > 0, entries);
}

// Start, end and what went wrong are said at once, how it goes on only now and then.
function tell(words, isBusy, entries) {
  const failures = entries.filter((entry) => ["failed", "refused"].includes(entry.state) && told.get(entry) !== entry.state);
  failures.forEach((entry) => told.set(entry, entry.state));
  const isTurn = isBusy !== wasBusy || (words !== lastSaid && (!isBusy || Date.now() - saidAt >= SAID_EVERY_MS));
  wasBusy = isBusy;
  if (!failures.length && !isTurn) return;
  [lastSaid, saidAt] = [words, Date.now()];
  const reasons = Map.groupBy(failures, (entry) => entry.message);
  spoken([...[...reasons].map(([message, [one, ...others]]) => `${others.length ? counted(others.length + 1, "file") : one.name}: ${message}`), words].join(". "));
}

function toggleAll() {
  const sending = line.entries.filter((entry) => line.isSending(entry));
  if (sending.length) [...sending].reverse().forEach(line.pause);
  else line.entries.filter((entry) => entry.state === "paused").forEach(line.resume);
}

function drawRows(entries, lost) {
  // What has a reason is seen first; of a few, the others keep their places.
  const last = entries.length > SHOWN ? ORDER.length : WITH_REASON;
  const rank = ({ state }) => Math.min(ORDER.indexOf(state), last);
  const sorted = [...entries].sort((a, b) => rank(a) - rank(b));
  const shown = sorted.slice(0, SHOWN);
  const wanted = [...lost.map(lostRow), ...shown.map(rowOf)];
  const same = wanted.length === parts.list.children.length && wanted.every((row, at) => row === parts.list.children[at]);
  if (!same) {
    const focused = parts.list.contains(document.activeElement) ? document.activeElement : null;
    parts.list.replaceChildren(...wanted);
    if (focused?.isConnected) focused.focus({ preventScroll: true });
  }
  const more = entries.length > SHOWN ? `and ${counted(entries.length - SHOWN, "more file", "more files")}` : "";
  const held = line.isHeldBack() ? "The server takes only so many a minute; the rest follows by itself." : "";
  parts.rest.textContent = [more, held].filter(Boolean).join(" · ");
  const alive = new Set([...shown.map((entry) => entry.id), ...lost.map(({ key }) => key)]);
  for (const id of rows.keys()) if (!alive.has(id)) rows.delete(id);
}

function lostRow({ key, name, session_url: url }) {
  if (!rows.has(key)) {
    const drop = async () => {
      const letGo = await hold(key);
      if (letGo) { abandonSession(url); forgetPending(key); letGo(); }
      look();
    };
    rows.set(key, el("li", {}, el("span", { class: "name" }, name),
      el("span", { class: "words" }, "Interrupted. Pick the same file again and it goes on where it stopped."),
      el("span", { class: "side" }, pictureButton(`Give up ${name}`, icon("close", 18), drop))));
  }
  return rows.get(key);
}

function rowOf(entry) {
  let row = rows.get(entry.id);
  if (!row) {
    row = el("li", {}, el("span", { class: "name", title: entry.name }, entry.name), el("span", { class: "words" }), el("span", { class: "side" }),
      el("progress", { max: 1, value: 0, "aria-label": `Progress of ${entry.name}` }));
    rows.set(entry.id, row);
  }
  const [, words, side, progress] = row.children;
  const text = wordsFor(entry);
  if (words.textContent !== text) words.textContent = text;
  words.className = `words ${["failed", "refused"].includes(entry.state) ? "problem" : ""}`;
  const moving = ["sending", "paused", "offline", "stored", "processing"].includes(entry.state);
  progress.hidden = !moving;
  progress.value = ["stored", "processing"].includes(entry.state) ? entry.progress / 100 : entry.size ? entry.sent / entry.size : 0;
  progress.className = ["stored", "processing"].includes(entry.state) ? "working" : "";
  if (row.dataset.state !== entry.state) { row.dataset.state = entry.state; side.replaceChildren(...toolsFor(entry)); }
  return row;
}

function wordsFor(entry) {
  const part = entry.size ? Math.floor((entry.sent / entry.size) * 100) : 0;
  if (entry.state === "waiting") return `Waiting · ${bytes(entry.size)}`;
  if (entry.state === "sending") return part < 100 ? `Sending, ${part} % of ${bytes(entry.size)}` : "Storing";
  if (entry.state === "paused") return `Paused at ${part} % of ${bytes(entry.size)}`;
  return entry.message;
}

function toolsFor(entry) {
  const { name } = entry;
  const stop = pictureButton(`Cancel ${name}`, icon("close", 18), () => line.cancel(entry));
  const away = pictureButton(`Dismiss ${name}`, icon("close", 18), () => line.dismiss(entry));
  const look = button("Open", async () => openFile(entry.uploaded ?? await status(entry.uploadId)), { kind: "small", "aria-label": `Open ${name}` });
  switch (entry.state) {
    case "waiting": case "sending": case "offline": return [pictureButton(`Pause ${name}`, icon("pause", 18), () => line.pause(entry)), stop];
    case "paused": return [pictureButton(`Resume ${name}`, icon("play", 18), () => line.resume(entry)), stop];
    case "refused": return entry.hopeless ? [icon("warning", 18), away] : [pictureButton(`Send ${name} again`, icon("retry", 18), () => line.sendAgain(entry)), away];
    case "ready": return [look, el("span", { class: "done" }, icon("check", 18))];
    case "duplicate": return entry.uploadId ? [look, away] : [away];
    case "failed": return [icon("warning", 18), away];
    default: return [];
  }
}
