// What the page shows, kept in one place and in the address after the #, so that reload, Back and a bookmark lead back to it.

const NAMES = ["q", "type", "from", "to", "size", "sort", "like", "file", "at"];
const EMPTY = { view: "files", ...Object.fromEntries(NAMES.map((name) => [name, ""])) };
const VIEWS = ["files", "trash", "account"];
const DAY = /^\d{4}-\d\d-\d\d$/;
const READABLE = { type: /^(image|video|audio|document)$/, from: DAY, to: DAY, size: /^(0-1|1-10|10-100|100-)$/ };
const listeners = new Set();

let current = read();
export const image = { file: null };
const pictures = new Map();

export const state = () => current;
export const isFiltered = (one = current) => Boolean(one.type || one.from || one.to || one.size);
export const isFound = (one = current) => Boolean(one.q || one.like || image.file);

export function subscribe(listener) {
  listeners.add(listener);
}

// `push` makes Back return to what was there before.
export function go(changes, { push = false } = {}) {
  const next = { ...current, ...changes };
  const address = written(next);
  if (address !== location.hash || keptPicture() !== history.state?.picture) {
    history[push ? "pushState" : "replaceState"]({ picture: keptPicture() }, "", address || location.pathname);
  }
  become(next);
}

export function show(view) {
  image.file = null;
  go({ ...EMPTY, view }, { push: true });
}

// A picture searched by has no place in an address; history remembers which it was.
function keptPicture() {
  if (!image.file) return 0;
  for (const [number, file] of pictures) if (file === image.file) return number;
  pictures.set(pictures.size + 1, image.file);
  return pictures.size;
}

function become(next) {
  const before = current;
  current = next;
  for (const listener of listeners) listener(current, before);
}

function read() {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  const given = new URLSearchParams(query ?? "");
  const view = VIEWS.includes(path) ? path : "files";
  return { ...EMPTY, view, ...Object.fromEntries(NAMES.map((name) => [name, readable(name, given.get(name) ?? "")])) };
}

// An address may be typed by hand: a day that is none would stop every view that shows it, a kind that is none every search.
function readable(name, value) {
  const isReadable = READABLE[name]?.test(value) ?? true;
  return isReadable && !(READABLE[name] === DAY && Number.isNaN(Date.parse(`${value}T00:00:00`))) ? value : "";
}

function written(one) {
  const given = new URLSearchParams(NAMES.filter((name) => one[name]).map((name) => [name, one[name]]));
  const path = one.view === "files" ? "" : one.view;
  return path || given.size ? `#/${path}${given.size ? `?${given}` : ""}` : "";
}

// Back, forward, a link of the page itself and an address typed by hand all end here.
addEventListener("popstate", (event) => {
  image.file = pictures.get(event.state?.picture) ?? null;
  become(read());
});
