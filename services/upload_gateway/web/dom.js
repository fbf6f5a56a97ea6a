// Small words for building the page. Text always goes in as text: nothing here parses markup.

export const $ = (id) => document.getElementById(id);

const ATTRIBUTES = /^(aria-|data-|role$|for$|list$|colspan$)/;

export function el(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue;
    if (key === "class") element.className = value;
    else if (ATTRIBUTES.test(key)) element.setAttribute(key, value);
    else element[key] = value;
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== "" && child !== false));
  return element;
}

export function button(label, onclick, { kind = "", picture = null, ...properties } = {}) {
  return el("button", { class: `button ${kind}`, type: "button", onclick, ...properties }, picture, label);
}

// A button that shows only a picture; its name is read out and shown as a tip.
export function pictureButton(name, picture, onclick, { kind = "quiet", ...properties } = {}) {
  return el("button", { class: `button icon ${kind}`, type: "button", "aria-label": name, title: name, onclick, ...properties }, picture);
}

// Highlights count Unicode code points, as the API does.
export function highlighted(text, ranges = []) {
  const points = Array.from(text);
  const parts = [];
  let at = 0;
  for (const [start, end] of ranges) {
    parts.push(points.slice(at, start).join(""), el("mark", {}, points.slice(start, end).join("")));
    at = end;
  }
  parts.push(points.slice(at).join(""));
  return parts.filter((part) => part !== "");
}

const WINDOW = 130;
const LEAD = 24;

// As much of a moment as a card holds, begun where most of what was found is in view: [text, ranges].
export function excerpt(text, ranges = []) {
  const points = Array.from(text);
  const seen = (from) => ranges.reduce((sum, [start, end]) => sum + (start >= from && end <= from + WINDOW ? end - start : 0), 0);
  const best = ranges.map(([start]) => start).reduce((most, start) => (seen(start) > seen(most) ? start : most), ranges[0]?.[0] ?? 0);
  if (best < WINDOW / 2) return [text, ranges];
  const cut = points.indexOf(" ", Math.max(best - LEAD, 0)) + 1;
  if (!cut || cut > best) return [text, ranges];
  const kept = ranges.filter(([start]) => start >= cut).map(([start, end]) => [start - cut + 1, end - cut + 1]);
  return [`…${points.slice(cut).join("")}`, kept];
}

export function debounced(wait, work) {
  let timer = 0;
  const later = (...values) => { clearTimeout(timer); timer = setTimeout(() => work(...values), wait); };
  later.cancel = () => clearTimeout(timer);
  return later;
}

// However often it is asked for: once every `wait`, and the last time too; `apart()` keeps those of a long row further from each other.
export function spaced(wait, work, apart = () => wait) {
  let timer = 0;
  let last = -Infinity;
  return () => { timer ||= setTimeout(() => { timer = 0; last = performance.now(); work(); }, Math.max(wait, last + apart() - performance.now())); };
}
