// The box one types into: searches while typing, suggests earlier searches, takes a picture in place of words.

import { forgetSearch, pastSearches } from "../api.js";
import { $, debounced, el, pictureButton } from "../dom.js";
import { icon } from "../icons.js";
import { go, image, isFound, state, subscribe } from "../state.js";
import { focusGrid } from "./files.js";
import { toast } from "./toasts.js";

const TYPING_MS = 180;
const SUGGESTIONS = 7;
const PICTURES = "image/jpeg,image/png,image/webp,image/gif,image/bmp";
let box = null;
let list = null;
let past = [];
let active = -1;
let quiet = false;

const narrow = matchMedia("(max-width: 62rem)");
// Examples that are cut off help nobody.
const hint = () => (narrow.matches ? "Search your files" : "Search by what is in them: “boats at dawn”, “invoice total”");

export function startSearchBox() {
  box = el("input", {
    id: "query", type: "search", autocomplete: "off", spellcheck: false, maxLength: 1000, enterKeyHint: "search", placeholder: hint(),
    role: "combobox", "aria-label": "Search your files", "aria-expanded": "false", "aria-controls": "suggestions", "aria-autocomplete": "list", "aria-keyshortcuts": "/",
  });
  list = el("ul", { id: "suggestions", class: "suggestions", role: "listbox", "aria-label": "Earlier searches", hidden: true });
  const pick = el("input", { id: "by-image", hidden: true, type: "file", accept: PICTURES, onchange: () => { searchBy(pick.files[0]); pick.value = ""; } });
  const byImage = pictureButton("Search by a picture", icon("image"), () => pick.click(), { kind: "quiet in-find" });
  const clear = pictureButton("Clear search", icon("close", 18), () => { clearSearch(); box.focus(); }, { kind: "quiet in-find clear" });
  $("find").append(el("span", { class: "lens" }, icon("search")), box, el("kbd", { "aria-hidden": "true" }, "/"), clear, byImage, pick, list);
  box.value = state().q;
  narrow.onchange = () => { box.placeholder = hint(); };
  box.oninput = () => { quiet = false; typed(); suggest(); };
  box.onkeydown = keys;
  box.onfocus = async () => { quiet = false; await remember(); suggest(); };
  box.onblur = () => setTimeout(close, 120);
  box.addEventListener("paste", (event) => takeImage(event, [...(event.clipboardData?.files ?? [])]));
  subscribe((now, before) => {
    // Who has gone elsewhere in the meantime does not want to be called back by what was typed before.
    if (now.view !== before.view) typed.cancel();
    if (document.activeElement !== box || now.q !== box.value.trim()) box.value = now.q;
  });
}

export const focusSearch = () => { box.focus(); box.select(); };

export function searchBy(file) {
  if (!file) return;
  if (!file.type.startsWith("image/")) { toast("Only a picture can stand in place of words."); return; }
  image.file = file;
  go({ view: "files", q: "", like: "", file: "", at: "", sort: "" }, { push: true });
}

export function takeImage(event, files) {
  const picture = files.find((file) => file.type.startsWith("image/"));
  if (!picture) return;
  event.preventDefault();
  event.stopPropagation();
  searchBy(picture);
}

const typed = debounced(TYPING_MS, () => search(box.value.trim()));

function search(q) {
  if (q === state().q && state().view === "files") return;
  // The files and what is found have different orders, and different ones that suit them.
  const order = isFound() === Boolean(q) ? {} : { sort: "" };
  image.file = null;
  // The first letter leaves what was shown before one Back away; the next ones only change the search.
  go({ view: "files", q, like: "", file: "", at: "", ...order }, { push: !state().q || !q });
}

function clearSearch() {
  typed.cancel();
  box.value = "";
  search("");
}

async function remember() {
  try { past = await pastSearches(60); } catch { past = []; }
}

// What was typed on the way to a longer search is not worth suggesting.
function worthwhile(text) {
  const seen = new Set();
  const kept = [];
  for (const one of past) {
    const key = one.query.trim().toLowerCase();
    const isStep = [...seen].some((other) => other.startsWith(key));
    if (!isStep && key.includes(text.toLowerCase()) && key !== text.toLowerCase()) kept.push(one);
    seen.add(key);
  }
  return kept.slice(0, SUGGESTIONS);
}

function suggest() {
  const shown = document.activeElement === box && !quiet ? worthwhile(box.value.trim()) : [];
  active = -1;
  list.replaceChildren(...shown.map((one, at) => el("li", { id: `suggestion-${at}`, role: "option", "aria-selected": "false", onpointerdown: (event) => { event.preventDefault(); choose(one); } },
    icon("clock", 16), el("span", {}, one.query), el("span", { class: "forget", title: "Forget this search", "aria-hidden": "true", onpointerdown: (event) => forget(event, one) }, icon("close", 14)))));
  list.choices = shown;
  list.hidden = shown.length === 0;
  box.setAttribute("aria-expanded", String(!list.hidden));
  box.removeAttribute("aria-activedescendant");
}

function close() {
  list.hidden = true;
  box.setAttribute("aria-expanded", "false");
  box.removeAttribute("aria-activedescendant");
}

function choose(one) {
  box.value = one.query;
  close();
  search(one.query);
}

async function forget(event, one) {
  event.preventDefault();
  event.stopPropagation();
  past = past.filter((other) => other.query !== one.query);
  suggest();
  try { await forgetSearch(one.search_id); } catch { /* gone already */ }
}

function keys(event) {
  const open = !list.hidden;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    if (open && !(event.key === "ArrowUp" && active < 0)) mark(active + (event.key === "ArrowDown" ? 1 : -1));
    else if (event.key === "ArrowDown") focusGrid(0);
  } else if (event.key === "Enter") {
    typed.cancel();
    if (open && active >= 0) choose(list.choices[active]);
    else { close(); search(box.value.trim()); }
  } else if (event.key === "Escape") {
    quiet = true;
    if (open) { event.preventDefault(); close(); }
    else if (box.value) { event.preventDefault(); clearSearch(); }
    else box.blur();
  }
}

function mark(at) {
  if (at >= list.children.length) { close(); focusGrid(0); return; }
  active = Math.max(at, -1);
  [...list.children].forEach((item, index) => item.setAttribute("aria-selected", String(index === active)));
  if (active >= 0) box.setAttribute("aria-activedescendant", `suggestion-${active}`);
  else box.removeAttribute("aria-activedescendant");
}
