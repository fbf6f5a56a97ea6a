// The row above the files: kinds with their counts, date and size, the order, and how many there are.

import { spread } from "../allowance.js";
import { stats } from "../api.js";
import { $, button, el, spaced } from "../dom.js";
import { day, month } from "../format.js";
import { icon } from "../icons.js";
import { onUpload } from "../live.js";
import { SIZES } from "../sources.js";
import { go, image, isFound, state, subscribe } from "../state.js";

const KINDS = [["", "All"], ["image", "Images"], ["video", "Videos"], ["audio", "Audio"], ["document", "Documents"]];
const ORDERS = [["", "Newest first"], ["date", "Oldest first"], ["name", "Name"], ["-size", "Largest first"], ["size", "Smallest first"]];
const FOUND_ORDERS = [["", "Best match"], ["-date", "Newest first"], ...ORDERS.slice(1)];
const AGES = [["", "Any time"], [0, "Today"], [6, "Past 7 days"], [29, "Past 30 days"], [364, "Past year"]];

let parts = null;
let open = false;
let facets = null;
let facetsOf = "";
let isCut = false;
let totals = null;

export const libraryIsEmpty = () => totals !== null && Object.values(totals).every((files) => !files);

export function startFilters() {
  const kinds = el("div", { class: "kinds", role: "group", "aria-label": "Kind of file" },
    KINDS.map(([kind, name]) => el("button", { class: "chip", type: "button", "data-kind": kind, onclick: () => go({ type: kind }) }, el("span", {}, name), el("span", { class: "count" }))));
  const more = button("Filters", () => { open = !open; draw(); }, { kind: "small", picture: icon("sliders", 18), "aria-expanded": "false", "aria-controls": "filter-panel" });
  const order = el("select", { id: "order", "aria-label": "Order", onchange: () => go({ sort: order.value }) });
  const summary = el("p", { class: "summary muted", id: "summary" });
  const panel = el("div", { id: "filter-panel", class: "filter-panel", hidden: true });
  const set = el("div", { class: "set-filters" });
  parts = { kinds, more, order, summary, panel, set };
  $("filters").append(el("div", { class: "filter-row" }, kinds, summary, el("div", { class: "filter-tools" }, more, order)), set, panel);
  panel.onkeydown = (event) => { if (event.key === "Escape") { open = false; draw(); more.focus(); } };
  subscribe(draw);
  onUpload(recount);
  count();
  draw();
}

const recount = spaced(1500, count, () => spread(5000));

async function count() {
  try {
    totals = (await stats()).uploads_by_type;
    draw();
  } catch (error) {
    if (error.isPutOff) setTimeout(recount, error.retryAfter * 1000);
    else totals = null;
  }
}

export function drawFilters({ answer, words }) {
  const { q, from, to, size, type } = state();
  const about = [q, from, to, size].join("|");
  const isKnown = !type || about === facetsOf;
  // Counts of the other kinds are known only from an answer that was not narrowed to one.
  if (answer && !answer.facets) facets = null;
  else if (answer && !type) [facets, facetsOf] = [answer.facets, about];
  else if (answer && !isKnown) [facets, facetsOf] = [{ file_types: { [type]: answer.total } }, ""];
  if (answer) isCut = answer.total_relation === "gte";
  parts.summary.textContent = words;
  draw();
}

function draw() {
  const { type, sort, from, to, size } = state();
  const found = isFound();
  const counts = found ? facets?.file_types : totals;
  for (const chip of parts.kinds.children) {
    const { kind } = chip.dataset;
    chip.setAttribute("aria-pressed", String(kind === type));
    const number = kind && counts ? counts[kind] ?? (found && !facetsOf ? null : 0) : null;
    chip.lastChild.textContent = number === null ? "" : inFigures(number, found);
  }
  const narrowable = !state().like;
  drawOrder(found, sort);
  parts.order.hidden = Boolean(state().like || image.file);
  parts.more.hidden = !narrowable;
  parts.more.setAttribute("aria-expanded", String(open && narrowable));
  parts.panel.hidden = !(open && narrowable);
  if (!parts.panel.hidden) drawPanel(from, to, size);
  drawSet(from, to, size, narrowable);
}

function drawOrder(found, sort) {
  const orders = found ? FOUND_ORDERS : ORDERS;
  if (parts.order.dataset.found !== String(found)) {
    parts.order.dataset.found = String(found);
    parts.order.replaceChildren(...orders.map(([value, name]) => el("option", { value }, name)));
  }
  parts.order.value = orders.some(([value]) => value === sort) ? sort : "";
}

function drawPanel(from, to, size) {
  const focused = document.activeElement?.id;
  const since = (days) => (days === "" ? "" : localDay(days));
  const ages = AGES.map(([days, name]) => choice(name, from === since(days) && !to, () => go({ from: since(days), to: "" })));
  const sizes = [["", "Any size"], ...Object.entries(SIZES)].map(([value, name]) =>
    choice(name[0].toUpperCase() + name.slice(1), size === value, () => go({ size: value }), size ? undefined : facets?.sizes?.[value]));
  const months = Object.entries(facets?.months ?? {}).slice(0, 12).map(([key, files]) => {
    const [first, last] = daysOf(key);
    return choice(month(key), from === first && to === last, () => go({ from: first, to: last }), files);
  });
  const date = (id, label, value, name) => el("label", { class: "field" }, label,
    el("input", { id, type: "date", value, max: localDay(), onchange: (event) => go({ [name]: event.target.value }) }));
  parts.panel.replaceChildren(
    el("fieldset", {}, el("legend", {}, "Added"), el("div", { class: "choices" }, ages), el("div", { class: "dates" }, date("date-from", "From", from, "from"), date("date-to", "To", to, "to"))),
    months.length ? el("fieldset", {}, el("legend", {}, "Month"), el("div", { class: "choices" }, months)) : "",
    el("fieldset", {}, el("legend", {}, "Size"), el("div", { class: "choices" }, sizes)));
  if (focused) $(focused)?.focus();
}

function choice(name, on, onclick, number) {
  const id = `choice-${name.replaceAll(/\W+/g, "-")}`;
  return el("button", { id, class: "chip", type: "button", "aria-pressed": String(on), onclick }, name, number === undefined ? "" : el("span", { class: "count" }, inFigures(number, isFound())));
}

const inFigures = (number, found) => `${number.toLocaleString()}${found && isCut && number ? "+" : ""}`;

function drawSet(from, to, size, narrowable) {
  const chip = (text, changes) => el("button", { class: "chip on", type: "button", "aria-label": `Remove filter ${text}`, onclick: () => { go(changes); parts.more.focus(); } }, text, icon("close", 14));
  const chips = [];
  if (narrowable && (from || to)) chips.push(chip(when(from, to), { from: "", to: "" }));
  if (narrowable && size) chips.push(chip(SIZES[size] ?? size, { size: "" }));
  parts.set.hidden = chips.length === 0;
  const key = chips.map((one) => one.textContent).join("|");
  if (parts.set.dataset.key !== key) { parts.set.dataset.key = key; parts.set.replaceChildren(...chips); }
}

function when(from, to) {
  const read = (date) => day(`${date}T12:00:00`);
  if (from && to) return `${read(from)} to ${read(to)}`;
  return from ? `since ${read(from)}` : `until ${read(to)}`;
}

function daysOf(key) {
  const [year, number] = key.split("-").map(Number);
  const last = new Date(Date.UTC(year, number, 0)).getUTCDate();
  return [`${key}-01`, `${key}-${String(last).padStart(2, "0")}`];
}

// Days are those of whoever looks at the page, as they are shown on the cards.
function localDay(ago = 0) {
  const now = new Date();
  const day = new Date(now.getFullYear(), now.getMonth(), now.getDate() - ago);
  return [day.getFullYear(), day.getMonth() + 1, day.getDate()].map((part) => String(part).padStart(2, "0")).join("-");
}
