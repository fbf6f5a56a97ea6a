// Turns what the page shows (all files, a search, files like another, files like a picture) into a listing.

import * as api from "./api.js";
import { Listing } from "./listing.js";
import { chosen } from "./preferences.js";
import { image } from "./state.js";

const SIMILAR = 50;
const ORDERS = { "": "-created_at", "-date": "-created_at", date: "created_at", name: "filename", "-size": "-size", size: "size" };
export const SIZES = { "0-1": "under 1 MB", "1-10": "1 to 10 MB", "10-100": "10 to 100 MB", "100-": "over 100 MB" };

export function listingFor(state) {
  if (image.file) return new Listing(byImage(state, image.file), { lags: true });
  if (state.like) return new Listing(like(state), { whole: true, lags: true });
  if (state.q) return new Listing(found(state), { lags: true });
  return new Listing(all(state), { belongs: (file) => !state.type || file.file_type === state.type });
}

// A day begins and ends where the page is; by itself a date means one in UTC to the API.
const instantOf = (local) => new Date(local).toISOString();

function limits(state) {
  const [least, most] = state.size ? state.size.split("-") : ["", ""];
  return {
    ...(state.type ? { file_types: [state.type] } : {}),
    ...(state.from ? { date_from: instantOf(`${state.from}T00:00:00`) } : {}),
    ...(state.to ? { date_to: instantOf(`${state.to}T23:59:59.999`) } : {}),
    ...(least ? { min_size_mb: Number(least) } : {}),
    ...(most ? { max_size_mb: Number(most) } : {}),
  };
}

const WORDS = { processing: "Still being read: more of it will be found.", failed: "Could not be read to the end." };
// The index calls a file complete where lists call it completed.
const listed = (file) => ({ ...file, moments: places(file), status: file.status === "complete" ? "completed" : file.status, message: WORDS[file.status] });

// The summary and what the file says of itself are places only where there is no other.
function places({ moments = [], summary }) {
  const inside = moments.filter(({ source }) => source !== "summary" && source !== "metadata");
  return inside.length ? inside : moments.slice(0, 1).map((moment) => (moment.source === "summary" ? onlySummary(moment, summary) : moment));
}

// The index keeps name and labels in front of the summary; people are shown the summary.
function onlySummary(moment, summary) {
  const at = summary ? moment.text.indexOf(summary) : -1;
  if (at < 0) return { ...moment, text: summary || moment.text, highlights: summary ? [] : moment.highlights };
  const start = Array.from(moment.text.slice(0, at)).length;
  const highlights = moment.highlights.filter(([from]) => from >= start).map(([from, to]) => [from - start, to - start]);
  return { ...moment, text: moment.text.slice(at), highlights };
}
const answered = ({ data, meta }) => ({ ...data, items: data.results.map(listed), total: data.total ?? meta?.total ?? data.results.length });

function found(state) {
  const sort = state.sort && state.sort in ORDERS ? { sort: state.sort } : {};
  const flagged = chosen("include_flagged") ? { include_flagged: true } : {};
  return async (offset, limit, signal) => answered(await api.search({ query: state.q, ...limits(state), ...sort, ...flagged, limit, offset }, signal));
}

function byImage(state, file) {
  const { file_types: types, ...others } = limits(state);
  const filters = { ...others, ...(types ? { file_types: types[0] } : {}) };
  return async (offset, limit, signal) => answered(await api.searchByImage(file, { ...filters, limit, offset }, signal));
}

function like(state) {
  return async (offset, limit, signal) => {
    const { results } = await api.similar(state.like, SIMILAR, signal);
    const items = results.map(listed).filter((file) => !state.type || file.file_type === state.type);
    return { items, total: items.length };
  };
}

function all(state) {
  const { file_types: types, ...others } = limits(state);
  const wanted = { ...others, ...(types ? { file_type: types[0] } : {}) };
  return async (offset, limit, signal) => {
    const { data, meta } = await api.listUploads({ ...wanted, sort: ORDERS[state.sort] ?? ORDERS[""], limit, offset }, signal);
    return { items: data, total: meta.total };
  };
}
