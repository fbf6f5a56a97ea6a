// The page: a library that keeps itself up to date, search as you type, and what can be done to a file.

import { call, signIn } from "/web/api.js";
import { card } from "/web/cards.js";
import { $, el, toast } from "/web/dom.js";
import { acceptFiles } from "/web/sending.js";
import { closeViewer, openViewer } from "/web/viewer.js";

const PAGE = 48;
const state = { query: "", kind: "", limit: PAGE, shown: [], drawn: new Map(), gone: new Set(), timer: 0, search: null };

const actions = { open, remove };

function open(file, moment) {
  const step = (by) => {
    const next = state.shown[state.shown.findIndex((one) => one.upload_id === file.upload_id) + by];
    if (next) open(next, next.moments?.[0]);
  };
  openViewer(file, moment, { step, remove, again });
}

async function remove(file) {
  await attempt(async () => {
    await call("DELETE", `/upload/${file.upload_id}`);
    // Search hears of it a moment later; the card goes now.
    state.gone.add(file.upload_id);
    closeViewer();
    toast(`Deleted “${file.filename}”.`, "Undo", () => attempt(async () => {
      await call("POST", `/upload/${file.upload_id}/restore`);
      state.gone.delete(file.upload_id);
      await refresh();
    }));
    await refresh();
  });
}

async function again(file) {
  await attempt(async () => {
    await call("POST", `/process/${file.upload_id}`);
    closeViewer();
    toast("Processing it again.");
    await refresh();
  });
}

async function attempt(work) {
  try { await work(); } catch (error) { toast(error.message); }
}

function draw(all, found) {
  const files = all.filter((file) => !state.gone.has(file.upload_id));
  const grid = $("grid");
  grid.classList.toggle("found", found);
  const drawn = new Map();
  const cards = files.map((file) => {
    const version = JSON.stringify([file.updated_at, file.status, file.progress, file.moments]);
    const known = state.drawn.get(file.upload_id);
    const element = known?.version === version ? known.element : card(file, actions);
    drawn.set(file.upload_id, { version, element });
    return element;
  });
  const same = cards.length === grid.children.length && cards.every((one, index) => one === grid.children[index]);
  if (!same) grid.replaceChildren(...cards);
  [state.drawn, state.shown] = [drawn, files];
}

function drawFailed(failed) {
  $("failed").hidden = failed.length === 0;
  const key = JSON.stringify(failed.map((file) => [file.upload_id, file.updated_at]));
  if ($("failed-list").key === key) return;
  $("failed-list").key = key;
  $("failed-list").replaceChildren(...failed.map((file) => el("li", {},
    el("span", { class: "name" }, file.filename),
    el("span", { class: "words" }, `${file.error.message} ${file.error.advice}`),
    el("span", { class: "side" },
      el("button", { class: "button small", type: "button", onclick: () => retry(file) }, "Try again"),
      el("button", { class: "button quiet small", type: "button", onclick: () => remove(file) }, "Delete")))));
}

async function retry(file) {
  await attempt(async () => {
    await call("POST", `/upload/${file.upload_id}/retry`);
    await refresh();
  });
}

function say(summary, title = "", text = "") {
  $("summary").textContent = summary;
  $("empty").hidden = !title;
  $("empty-title").textContent = title;
  $("empty-text").textContent = text;
}

const counted = (count, one, many) => `${count.toLocaleString()} ${count === 1 ? one : many}`;

async function library() {
  const kind = state.kind ? `&file_type=${state.kind}` : "";
  const list = async (query) => call("GET", `/uploads?${query}${kind}`);
  const parts = Math.ceil(state.limit / 96);
  const pages = await Promise.all(Array.from({ length: parts }, (_, part) => list(`limit=${Math.min(state.limit, 96)}&offset=${part * 96}`)));
  if (state.query) return false;
  const files = pages.flatMap((page) => page.data);
  const total = pages[0].meta.total;
  draw(files.filter((file) => file.status !== "failed"), false);
  drawFailed(files.filter((file) => file.status === "failed"));
  $("more").hidden = !pages.at(-1).meta.has_more;
  const underway = files.filter((file) => file.status === "pending" || file.status === "processing").length;
  if (total === 0 && state.kind) say("", "Nothing of this kind yet", "Drop some files here.");
  else if (total === 0) say("", "Drop files anywhere", "Photos, videos, recordings, documents. Seconds later you find them, and the moment inside them, by what they mean.");
  else say(counted(total, "file", "files") + (underway ? `, ${underway} in progress` : ""));
  return underway > 0;
}

async function search() {
  state.search?.abort();
  state.search = new AbortController();
  const { query, search: mine } = state;
  const body = { query, limit: Math.min(state.limit, 100), ...(state.kind ? { file_types: [state.kind] } : {}) };
  let answer;
  try {
    answer = await call("POST", "/search", body, mine.signal);
  } catch (error) {
    if (error.name === "AbortError") return false;
    say("", "Search did not answer", error.message);
    draw([], true);
    return false;
  }
  if (state.query !== query) return false;
  const { results, processing, processing_time_ms: took } = answer.data;
  $("failed").hidden = true;
  draw(results, true);
  $("more").hidden = !(answer.meta.has_more && state.limit < 100);
  const pending = processing ? ` · ${counted(processing, "file is", "files are")} still being processed` : "";
  if (results.length) say(`${counted(answer.meta.total ?? results.length, "file", "files")} in ${Math.round(took)} ms${pending}`);
  else say("", "No good match", processing ? `${counted(processing, "file is", "files are")} still being processed; it may be among them.` : "Try other words, or fewer of them.");
  return processing > 0;
}

async function refresh() {
  clearTimeout(state.timer);
  let busy = false;
  try {
    busy = await (state.query ? search() : library());
  } catch (error) {
    say(error.message);
  }
  clearTimeout(state.timer);
  state.timer = setTimeout(() => (document.hidden ? (state.timer = 0) : refresh()), busy ? 1500 : 12000);
}

let typing = 0;
$("query").oninput = () => {
  clearTimeout(typing);
  typing = setTimeout(() => {
    state.query = $("query").value.trim();
    state.limit = PAGE;
    history.replaceState(null, "", state.query ? `#${encodeURIComponent(state.query)}` : location.pathname);
    refresh();
  }, 180);
};

for (const button of document.querySelectorAll(".filters button")) {
  button.onclick = () => {
    document.querySelectorAll(".filters button").forEach((one) => one.setAttribute("aria-pressed", String(one === button)));
    state.kind = button.dataset.kind;
    state.limit = PAGE;
    refresh();
  };
}

$("more").onclick = () => { state.limit += PAGE; refresh(); };

addEventListener("keydown", (event) => {
  if (event.key === "/" && !event.target.closest("input, textarea, dialog")) {
    event.preventDefault();
    $("query").focus();
  }
});
addEventListener("visibilitychange", () => !document.hidden && state.timer === 0 && refresh());

const root = document.documentElement;
root.dataset.theme = localStorage.getItem("mmsearch-theme") ?? "";
$("theme").onclick = () => {
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  localStorage.setItem("mmsearch-theme", root.dataset.theme);
};

acceptFiles(refresh);
try { state.query = $("query").value = decodeURIComponent(location.hash.slice(1)); } catch { state.query = ""; }
await signIn();
await refresh();
