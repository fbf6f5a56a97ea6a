// The files: all of them or what a search finds, as a grid that follows what happens to them.

import { changes, deleteFiles } from "../actions.js";
import { spread } from "../allowance.js";
import * as api from "../api.js";
import { $, button, el, spaced } from "../dom.js";
import { counted } from "../format.js";
import { Grid } from "../grid.js";
import { icon } from "../icons.js";
import { onUpload } from "../live.js";
import { entries, isSending } from "../sending/queue.js";
import { selectFrom } from "../selection.js";
import { listingFor } from "../sources.js";
import { go, image, isFiltered, isFound, show, state, subscribe } from "../state.js";
import { PUT_OFF, trouble } from "./away.js";
import { blankCard, card } from "./card.js";
import { drawFilters, libraryIsEmpty } from "./filters.js";
import { spoken } from "./toasts.js";

const SOURCE = ["view", "q", "type", "from", "to", "size", "sort", "like"];
const SEARCHING_MS = 500;
const LONG_MS = 20_000;
const gone = new Map();
let listing = null;
let shownImage = null;
let grid = null;
let wantsFocus = false;
let waiting = [];

export const shownListing = () => grid.listing;
export const focusGrid = (index = grid.current) => grid.focus(index);

// What was found in a file is known only by the list: settled once it has an answer, be it that it cannot be had.
export async function listingAnswered() {
  while (state().view === "files" && listing?.total === null) await changedOrGivenUp(listing);
}

// A list that is asked for anew, or gives way to another, never answers what it was asked.
const changedOrGivenUp = (mine) => new Promise((resolve) => {
  mine.addEventListener("change", resolve, { once: true });
  mine.stop.signal.addEventListener("abort", resolve, { once: true });
});

export function startFiles() {
  grid = new Grid($("grid"), { shape, render, blank: blankCard, onRange: (first, last) => grid.listing.want(first, last) });
  subscribe((now, before) => {
    if (SOURCE.some((name) => now[name] !== before[name]) || image.file !== shownImage) load();
  });
  onUpload(hear);
  changes.addEventListener("left", ({ detail }) => { listing?.leave(detail); soon(); });
  changes.addEventListener("returned", ({ detail }) => { listing?.back(detail); soon(); });
  changes.addEventListener("retried", () => soon());
  load();
}

// How large cards are follows from the room there is and from whether moments are shown.
function shape(width) {
  const found = isFound();
  if (width < 560 && found) return { columns: 1, height: 136, gap: 10 };
  if (width < 560) return { columns: 2, height: Math.round((width - 10) / 2 * 0.72) + 66, gap: 10 };
  const gap = 18;
  const columns = Math.max(Math.floor((width + gap) / (found ? 270 + gap : 226 + gap)), 2);
  const cell = (width - gap * (columns - 1)) / columns;
  return { columns, height: Math.round(cell * (found ? 0.6 : 0.7)) + (found ? 142 : 68), gap };
}

const render = (file, index) => card(file, index, { open, remove: deleteFiles, similar: showSimilar });

export function open(file, index = 0) {
  go({ file: file.upload_id, at: file.moments?.length ? "0" : "" }, { push: true });
  grid.current = index;
}

export function showSimilar(file) {
  image.file = null;
  go({ ...state(), view: "files", q: "", like: file.upload_id, file: "", at: "", sort: "" }, { push: true });
}

// The button that is pressed goes: the focus goes on to the files once they are there.
export function showAllFiles() {
  wantsFocus = true;
  show("files");
}

function load() {
  listing?.close();
  shownImage = image.file;
  if (state().view !== "files") return;
  const mine = listingFor(state());
  mine.gone = gone;
  listing = mine;
  $("find").classList.add("busy");
  $("heading").textContent = isFound() ? "What was found" : "Your files";
  // What was shown stays until there is something to show in its place.
  mine.addEventListener("change", () => mine === listing && swap(mine), { once: true });
  mine.addEventListener("change", () => mine === listing && describe(mine));
  if (!grid.listing) grid.show(mine);
  mine.want(0, 20);
  wait(mine);
}

// What was asked before stands there meanwhile: it must not pass for the answer.
function wait(mine) {
  waiting.forEach(clearTimeout);
  const say = (words) => {
    $("grid").ariaBusy = "true";
    drawFilters({ answer: null, words });
    spoken(words);
  };
  const later = (after, words) => setTimeout(() => say(words), after);
  waiting = [later(SEARCHING_MS, isFound() ? "Searching…" : "Loading…"), later(LONG_MS, "This takes longer than usual")];
  mine.addEventListener("late", () => {
    if (mine !== listing) return;
    waiting.forEach(clearTimeout);
    say(`${PUT_OFF}: it goes on by itself`);
  });
  mine.addEventListener("change", () => {
    if (mine !== listing) return;
    waiting.forEach(clearTimeout);
    $("grid").ariaBusy = null;
  }, { once: true });
}

function swap(mine) {
  $("find").classList.remove("busy");
  $("grid").classList.toggle("found", isFound());
  if (grid.listing !== mine) {
    const hadFocus = $("grid").contains(document.activeElement);
    grid.show(mine);
    scrollTo(0, 0);
    if (hadFocus) grid.focus(0);
  }
  selectFrom(mine);
}

// While files change one after the other, those in view are exchanged one by one and the whole is asked for every few seconds.
const APART_MS = 3000;
const inView = (ask) => () => state().view === "files" && listing && ask(listing);
const again = spaced(350, inView((shown) => shown.refresh()));
const soon = spaced(350, inView((shown) => shown.refreshInTurn()));
const inTurn = spaced(350, inView((shown) => shown.refreshInTurn()), () => spread(APART_MS));
const later = spaced(1200, inView((shown) => shown.refreshInTurn()), () => spread(APART_MS));

function hear(file) {
  // What came back while nothing was heard is not known.
  if (!file) { gone.clear(); again(); return; }
  if (!listing) return;
  const isDeleted = file.status === "deleted";
  if (isDeleted && gone.has(file.upload_id)) gone.get(file.upload_id).version = file.updated_at;
  const hasReturned = !isDeleted && listing.hasReturned(file);
  if (isFound()) {
    if (file.status === "completed" || isDeleted) later();
    return;
  }
  if (isDeleted) { if (!gone.has(file.upload_id)) inTurn(); }
  else if (hasReturned) inTurn();
  else if (gone.has(file.upload_id)) return;
  else if (!listing.replace(file) && listing.belongs(file)) inTurn();
}

function describe(mine) {
  const { total, answer, error } = mine;
  drawFilters({ answer, words: error ? "" : inWords(mine) });
  drawSource();
  const empty = total === 0 ? emptiness(answer, error) : null;
  $("filters").hidden = total === 0 && !error && !isFound() && !isFiltered();
  if (empty && (wantsFocus || $("grid").contains(document.activeElement))) $("content").focus();
  $("empty").hidden = !empty;
  $("grid").hidden = Boolean(empty);
  if (empty) { grid.clear(); $("empty").replaceChildren(...empty); }
  if (wantsFocus && !empty) { grid.draw(); grid.focus(0); }
  wantsFocus = false;
}

let said = "";
function inWords({ total, isCut, answer }) {
  let words = "";
  if (isFound()) {
    const pending = answer?.processing ? `, ${counted(answer.processing, "file")} still being read` : "";
    const degraded = answer?.degraded ? ", by words only just now" : "";
    const corrected = Object.entries(answer?.corrections ?? {}).map(([word, meant]) => `, “${word}” taken for “${meant}”`).join("");
    words = total ? `${isCut ? "At least " : ""}${counted(total, "file")} found${corrected}${pending}${degraded}` : "";
  } else if (total) words = counted(total, "file");
  tellOnce(words || (isFound() ? "No good match" : "No files"));
  return words;
}

const showAll = (looks = {}) => button("Show all files", showAllFiles, looks);

// While files are on their way their number changes every moment; the tray says when they are there.
function tellOnce(words) {
  const { q } = state();
  const sentence = q ? `${words} for ${q}` : words;
  if (sentence === said || (!isFound() && entries.some(isSending))) return;
  said = sentence;
  spoken(sentence);
}

const chooser = () => button("Choose files", () => $("pick").click(), { kind: "primary", picture: icon("plus") });

let sourceOf = "";
async function drawSource() {
  const { like } = state();
  const box = $("source");
  box.hidden = !like && !image.file;
  const key = image.file ? image.file : like;
  if (box.hidden || sourceOf === key) return;
  sourceOf = key;
  const back = showAll({ kind: "small", picture: icon("close", 16) });
  if (image.file) {
    const url = URL.createObjectURL(image.file);
    box.replaceChildren(el("img", { src: url, alt: "", onload: () => URL.revokeObjectURL(url), onerror: ({ target }) => target.remove() }), el("p", {}, "Files like this picture"), back);
    return;
  }
  box.replaceChildren(el("p", {}, "Files like the one you chose"), back);
  try {
    const { filename } = await api.metadata(like);
    if (sourceOf === key) box.firstChild.replaceChildren("More like ", el("strong", {}, filename));
  } catch { /* the general words stay */ }
}

const advice = () => (image.file
  ? "A picture finds itself and its copies among your pictures and films, not other pictures of the same things."
  : "Try other words, or fewer. You can describe what is seen, said or written.");

function emptiness(answer, error) {
  const said = (picture, title, text, ...more) => [icon(picture, 56), el("h2", {}, title), el("p", { class: "muted" }, text), ...more];
  if (error) return trouble(error, () => listing.refresh());
  if (state().like) return said("similar", "Nothing like it", "None of your other files comes near this one.");
  if (state().q && libraryIsEmpty() && !answer?.processing) return said("cloud", "There is nothing to search yet", "Add some files first. Seconds later they can be found.", chooser());
  if (isFound()) {
    const pending = answer?.processing ? `${counted(answer.processing, "file is", "files are")} still being read; what you look for may be among them.` : "";
    const filtered = isFiltered() ? button("Search without filters", () => go({ type: "", from: "", to: "", size: "" }), { picture: icon("sliders", 18) }) : "";
    const away = answer?.degraded ? "Only words were compared: search by meaning is away just now. Try again in a moment." : "";
    return said("search", "No good match", pending || away || (isFiltered() ? "Nothing fits within the filters you set." : advice()), filtered, showAll());
  }
  const { from, to, size } = state();
  if (from || to || size) return said("folder", "No files within these dates or sizes", "Choose others, or look at all of them.", showAll());
  if (isFiltered()) return said("folder", "Nothing of this kind yet", "Drop some files here, or look at all of them.", showAll());
  return said("cloud", "Drop files or folders anywhere", "Photos, videos, recordings, documents. Seconds later you find them, and the moment inside them, by what they mean.",
    chooser(),
    el("p", { class: "kinds muted" }, "JPEG, PNG, HEIC, WebP · MP4, MOV, WebM · MP3, WAV, FLAC · PDF, Word, Excel, PowerPoint, Markdown, HTML and more"));
}
