// Everything the page asks of the API, one function an operation. Answers are the `data` of the envelope unless said otherwise.

import { heed } from "./allowance.js";
import { headers, signIn } from "./session.js";

export const ROOT = "/api/v1";

export class ApiError extends Error {
  constructor(status, error, retryAfter = 0) {
    super(error?.message ?? (status ? "The server did not answer as expected." : "The server does not answer."));
    this.status = status;
    this.code = error?.code ?? (status ? "unknown" : "network");
    this.details = error?.details ?? {};
    this.retryAfter = retryAfter;
  }

  // Nothing went wrong: the server wants to be asked later.
  get isPutOff() { return this.status === 429; }
}

export async function request(method, path, { json, body, signal, extra, again = true } = {}) {
  const sent = { ...headers(), ...extra };
  if (json !== undefined) sent["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(ROOT + path, { method, headers: sent, signal, body: json === undefined ? body : JSON.stringify(json) });
  } catch (error) {
    throw error.name === "AbortError" ? error : new ApiError(0);
  }
  if (answer.status === 401 && again) {
    await signIn();
    return request(method, path, { json, body, signal, extra, again: false });
  }
  return answer;
}

async function envelope(method, path, { onHeader, ...options } = {}) {
  const answer = await request(method, path, options);
  if (answer.ok) onHeader?.((name) => answer.headers.get(name));
  let read = null;
  try { read = await answer.json(); } catch { /* an answer without a body of ours */ }
  if (!answer.ok) throw new ApiError(answer.status, read?.error, Number(answer.headers.get("Retry-After")) || 0);
  return read ?? { data: null, meta: {} };
}

const data = async (...call) => (await envelope(...call)).data;

export const listUploads = (parameters, signal) => envelope("GET", `/uploads?${new URLSearchParams(parameters)}`, { signal });
export const search = (json, signal) => envelope("POST", "/search", { json, signal });
export const similar = (id, limit, signal) => data("GET", `/file/${id}/similar?limit=${limit}`, { signal });
export const fileText = (id, after) => data("GET", `/file/${id}/text?after=${after}`);
export const status = (id) => data("GET", `/upload/status/${id}`);
export const metadata = (id) => data("GET", `/file/${id}/metadata`);
export const remove = (id) => data("DELETE", `/upload/${id}`);
export const purge = (id) => data("DELETE", `/upload/${id}?purge=true`);
export const restore = (id) => data("POST", `/upload/${id}/restore`);
export const retry = (id) => data("POST", `/upload/${id}/retry`);
export const process = (id) => data("POST", `/process/${id}`);
export const openSession = (json) => data("POST", "/upload/sessions", { json, onHeader: heed });
export const stats = () => data("GET", "/stats/me");
export const profile = () => data("GET", "/users/me");
export const preferences = () => data("GET", "/users/me/preferences");
export const savePreferences = (json) => data("PUT", "/users/me/preferences", { json });
export const keys = () => data("GET", "/users/me/api-keys");
export const createKey = (name) => data("POST", "/users/me/api-keys", { json: { name } });
export const deleteKey = (id) => data("DELETE", `/users/me/api-keys/${id}`);
export const feedback = (json) => data("POST", "/feedback", { json });
export const pastSearches = (limit = 50) => data("GET", `/search/history?limit=${limit}`);
export const forgetSearch = (id) => data("DELETE", `/search/history/${id}`);
export const forgetSearches = () => data("DELETE", "/search/history");

export function searchByImage(file, parameters, signal) {
  const body = new FormData();
  body.append("file", file, file.name || "image.png");
  return envelope("POST", `/search/image?${new URLSearchParams(parameters)}`, { body, signal });
}

// Each upload succeeds or fails on its own; a hundred go at a time.
export async function batch(action, ids) {
  const outcomes = [];
  for (let at = 0; at < ids.length; at += 100) {
    const answer = await data("POST", "/uploads/batch", { json: { action, upload_ids: ids.slice(at, at + 100) } });
    outcomes.push(...answer.items);
  }
  return outcomes;
}

// Signed URLs live five minutes; each is asked for once in four.
const signed = new Map();
export function signedUrl(path) {
  const known = signed.get(path);
  if (known && known.until > Date.now()) return known.url;
  const url = data("GET", `${path}${path.includes("?") ? "&" : "?"}redirect=false`).then((answer) => answer.url);
  signed.set(path, { url, until: Date.now() + 240_000 });
  url.catch(() => signed.delete(path));
  return url;
}

export function freshUrl(path) {
  signed.delete(path);
  return signedUrl(path);
}

// The same for a link as answers name it.
export const signedLink = (link) => signedUrl(link.slice(ROOT.length));
