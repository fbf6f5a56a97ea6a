// Deleted files: until their time is over each can be brought back, or removed for ever.

import { changes, purgeFile, restoreFiles } from "../actions.js";
import { listUploads } from "../api.js";
import { button, el, pictureButton } from "../dom.js";
import { bytes, counted, day } from "../format.js";
import { icon } from "../icons.js";
import { ask } from "./asking.js";
import { showAllFiles } from "./files.js";
import { againAfter, isAway, trouble } from "./away.js";

const KEPT_DAYS = 30;
const PAGE = 100;
const DAY_MS = 86_400_000;
let files = [];
let total = 0;
let parts = null;
let again = 0;

export function content() {
  const all = button("Restore all", () => restoreFiles(files), { kind: "small", picture: icon("restore", 18) });
  parts = { title: el("h1", { id: "trash-title", tabIndex: -1 }, "Trash"), words: el("p", { class: "muted" }), list: el("ul", { class: "rows large" }), all, more: button("Show more", () => load(files.length)), empty: el("div", { class: "empty", hidden: true }) };
  [files, total] = [[], 0];
  parts.all.hidden = parts.more.hidden = true;
  load(0);
  return el("section", { class: "sheet", id: "trash", "aria-labelledby": "trash-title" },
    el("div", { class: "sheet-head" }, parts.title, parts.words, all), parts.list, parts.more, parts.empty);
}

for (const name of ["left", "returned"]) changes.addEventListener(name, ({ detail }) => leave(detail));

function leave(ids) {
  if (!parts?.list.isConnected) return;
  const before = files.length;
  files = files.filter((file) => !ids.includes(file.upload_id));
  total -= before - files.length;
  draw();
}

async function load(offset) {
  clearTimeout(again);
  const mine = parts;
  try {
    const answer = await listUploads({ status: "deleted", limit: PAGE, offset, sort: "-updated_at" });
    if (mine !== parts) return;
    files = offset ? [...files, ...answer.data] : answer.data;
    total = answer.meta.total;
    draw();
  } catch (error) {
    if (mine === parts) missed(error, () => load(offset));
  }
}

function missed(error, retry) {
  const known = parts.empty.dataset.error;
  parts.empty.hidden = false;
  parts.empty.dataset.error = error.message;
  if (known !== error.message) parts.empty.replaceChildren(...trouble(error, retry));
  if (isAway(error)) again = setTimeout(() => parts.list.isConnected && retry(), againAfter(error));
}

function draw() {
  const focused = document.activeElement;
  const at = [...parts.list.children].findIndex((row) => row.contains(focused));
  parts.words.textContent = total ? `${counted(total, "file")}, kept for ${KEPT_DAYS} days after deletion` : "";
  parts.all.hidden = files.length < 2;
  parts.more.hidden = files.length >= total;
  parts.list.replaceChildren(...files.map(row));
  parts.empty.hidden = files.length > 0;
  delete parts.empty.dataset.error;
  if (!files.length) parts.empty.replaceChildren(icon("trash", 56), el("h2", {}, "Nothing in the trash"), el("p", { class: "muted" }, `Files you delete stay here for ${KEPT_DAYS} days.`), button("Show all files", showAllFiles));
  if (at >= 0 || focused.hidden) (parts.list.children[Math.min(Math.max(at, 0), files.length - 1)]?.querySelector("button") ?? parts.title).focus();
}

function row(file) {
  const left = Math.max(Math.ceil(KEPT_DAYS - (Date.now() - new Date(file.deleted_at)) / DAY_MS), 0);
  return el("li", {}, el("span", { class: "name", title: file.filename }, file.filename),
    el("span", { class: "words" }, [bytes(file.size_bytes), `deleted ${day(file.deleted_at)}`, `${counted(left, "day")} left`].filter(Boolean).join(" · ")),
    el("span", { class: "side" }, button("Restore", () => restoreFiles([file]), { kind: "small", picture: icon("restore", 16), "aria-label": `Restore ${file.filename}` }),
      pictureButton(`Remove ${file.filename} for ever`, icon("trash", 18), () => confirm(file))));
}

async function confirm(file) {
  const text = `“${file.filename}” and everything made from it will be gone. This cannot be undone.`;
  if (await ask({ title: "Remove it for ever?", text, yes: "Remove for ever", no: "Keep it", final: true })) purgeFile(file);
}
